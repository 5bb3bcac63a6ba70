from __future__ import annotations

import pytest

from tui.analysis.causes import Causes, lag, nearer, seen

WEB = "Deployment/default/web"


@pytest.mark.parametrize(
    ("stamp", "at", "when"),
    [
        (None, 100.0, 100.0),
        (99.0, 100.4, 100.4),
        (95.0, 100.4, 100.4),
        (105.0, 100.4, 100.4),
        (500.0, 100.4, 100.4),
        (40.0, 100.4, 40.0),
    ],
)
def test_things_happened_when_they_were_seen_unless_the_news_is_late(
    stamp: float | None, at: float, when: float
) -> None:
    assert seen(stamp, at) == when


@pytest.mark.parametrize(
    ("cause", "time", "seconds"),
    [
        (None, 100, None),
        (100, 100, 0),
        (100, 102.5, 2.5),
        (100, 98, 0),
        (100, 96, None),
        (100, 219, 119),
        (100, 220, None),
    ],
)
def test_lags_are_never_negative_and_fade(
    cause: float | None, time: float, seconds: float | None
) -> None:
    assert lag(cause, time) == seconds


def test_a_decision_answers_for_as_many_pods_as_it_asked_for() -> None:
    causes = Causes()
    assert causes.take("early", WEB, True, 99) is None
    causes.decided(WEB, True, 100, 2)
    assert causes.take("a", WEB, True, 101) == 100
    assert causes.take("x", "Deployment/default/other", True, 101) is None
    assert causes.take("x", WEB, False, 101) is None
    assert causes.take("b", WEB, True, 102) == 100
    assert causes.take("replacement", WEB, True, 103) is None


def test_a_pod_owes_itself_to_the_decision_it_came_by() -> None:
    causes = Causes()
    causes.decided(WEB, True, 100, 1)
    causes.take("a", WEB, True, 101)
    assert causes.decided(WEB, True, 115, 1) == 100
    causes.take("b", WEB, True, 116)
    assert causes.made("b") == 115
    assert causes.made("a") == 100
    assert causes.made("a") is None


def test_what_goes_owes_nothing() -> None:
    causes = Causes()
    causes.decided(WEB, True, 100, 1)
    causes.take("a", WEB, True, 101)
    causes.forget("a")
    assert causes.made("a") is None


def test_old_decisions_are_no_cause() -> None:
    causes = Causes()
    causes.decided(WEB, True, 100, 4)
    assert causes.take("a", WEB, True, 230) is None


@pytest.mark.parametrize(
    ("effect", "decision", "before", "claimed"),
    [
        (114.9, 115.0, 100.0, True),
        (100.2, 115.0, 100.0, False),
        (114.9, 115.0, None, True),
        (110.0, 115.0, None, False),
        (0.05, 0.75, 0.0, False),  # an embedded cluster that runs twenty times as fast
        (0.74, 0.75, 0.0, True),
    ],
)
def test_what_was_seen_first_belongs_to_the_nearest_decision(
    effect: float, decision: float, before: float | None, claimed: bool
) -> None:
    assert nearer(effect, decision, before) is claimed
