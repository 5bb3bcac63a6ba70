"""From load to relief over a recorded run."""

from __future__ import annotations

from functools import cache

import pytest

from tests.analysis.replay import Replay
from tui.analysis.focus import Focus
from tui.analysis.lag import Lags, LoadSigns, Stage
from tui.analysis.why import Explainer, Explanation
from tui.state.delta import Delta

ORDER = list(Stage)


@cache
def watched() -> list[tuple[Delta, Focus, Explanation, float]]:
    replay, explainer = Replay(), Explainer()
    return [
        (delta, focus, explainer.feed(delta, focus, replay.now), replay.now)
        for delta, focus in replay.ticks(0.2)
    ]


def play(load: LoadSigns | None = None) -> Lags:
    lags = Lags()
    for moment in watched():
        lags.feed(*moment, load)
    return lags


@pytest.fixture(scope="module")
def lags() -> Lags:
    return play()


def test_each_scale_up_is_there_and_no_scale_down(lags: Lags) -> None:
    assert [(s.before, s.after) for s in lags.scale_ups] == [(2, 4), (4, 8), (8, 10)]


def test_every_pod_went_through_every_stage(lags: Lags) -> None:
    for each in lags.scale_ups:
        made = each.after - each.before
        for stage in (Stage.CREATED, Stage.SCHEDULED, Stage.STARTED, Stage.READY, Stage.MEASURED):
            assert each.done[stage] == made


def test_the_line_is_in_the_order_of_cause_and_effect(lags: Lags) -> None:
    for each in lags.scale_ups:
        stages = [stage for stage, _ in each.line]
        assert stages == sorted(stages, key=ORDER.index)
        seconds = [after for _, after in each.line]
        assert seconds[0] == 0.0
        assert seconds == sorted(seconds)


def test_the_seconds_are_those_of_the_recording(lags: Lags) -> None:
    spans = {span.name: span for span in lags.spans}
    assert 0.5 < spans["decision → Ready"].median < 2.0
    # The metrics of new pods trailed their readiness by some 27 s.
    assert 25 < spans["Ready → measured"].median < 29
    assert lags.until_ready == spans["decision → Ready"].median


def test_without_load_its_stages_are_left_out(lags: Lags) -> None:
    named = {stage for each in lags.scale_ups for stage, _ in each.line}
    assert named.isdisjoint({Stage.LOAD, Stage.LATENCY, Stage.SERVED})
    assert not any("load" in span.name for span in lags.spans)


def test_with_load_the_line_begins_there_and_ends_with_an_answer(lags: Lags) -> None:
    decided = lags.scale_ups[0].moments[Stage.DECISION]
    names = {f"pod-{n}": decided + 60 for n in range(3)}
    first = next(iter(lags._open))
    served = dict.fromkeys(first.names, decided + 40) | names
    found = play(LoadSigns(decided - 12, decided - 10, served))
    line = found.scale_ups[0].line
    assert [stage for stage, _ in line][:3] == [Stage.LOAD, Stage.LATENCY, Stage.SAMPLE]
    assert [stage for stage, _ in line][-2:] == [Stage.SERVED, Stage.MEASURED]
    spans = {span.name: span for span in found.spans}
    assert spans["load → decision"].longest > 11
    assert spans["load → first request served"].times == 1
