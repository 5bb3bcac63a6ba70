"""The explainer over a recorded run of the real controller, from its start and from the middle."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from typing import NamedTuple

import pytest
from msgspec.structs import replace

from tests.analysis.replay import Quick, Replay
from tests.thorough import SOAK
from tui.analysis.focus import resolve
from tui.analysis.why import Explainer, Explanation
from tui.analysis.why_memory import release
from tui.analysis.why_sentence import sentences
from tui.analysis.why_steps import Step, steps
from tui.analysis.why_tracker import Look
from tui.analysis.why_words import Text
from tui.state.links import Health
from tui.state.rows import Kind
from tui.state.table import Change


def plain(text: Text) -> str:
    return "".join(piece.text for piece in text)


class Told(NamedTuple):
    """What was on the screen when a look was new."""

    now: float
    why: Explanation
    look: Look

    @property
    def sentence(self) -> str:
        return plain(sentences(self.look.outcome, self.now, self.why.next_look, self.why.period)[0])

    @property
    def steps(self) -> dict[str, Step]:
        return {step.key: step for step in steps(self.look.outcome, self.now)}

    @property
    def deciding(self) -> list[str]:
        return [key for key, step in self.steps.items() if step.deciding]


def run(begin: float = 0.0, every: float = 0.25) -> Iterator[tuple[float, Explanation]]:
    """The run, watched from that many seconds after its start."""
    replay = Replay()
    start = replay.now
    explainer, first = Explainer(), begin > 0
    for delta, focus in replay.ticks(every):
        if replay.now < start + begin or focus.hpa is None:
            continue
        if first:
            # What a first list brings: everything is new.
            rows = delta.hpas.rows.values()
            news = tuple(Change(Kind.HPAS, None, row, replay.now) for row in rows)
            delta, first = replace(delta, changes=news), False
        yield replay.now, explainer.feed(delta, focus, replay.now)


@cache
def watched() -> list[tuple[float, Explanation]]:
    return list(run())


@cache
def told(begin: float = 0.0) -> list[Told]:
    found: list[Told] = []
    for now, why in run(begin, 0.25 if SOAK else 0.5) if begin else watched():
        if why.look is not None and (not found or why.look.at != found[-1].look.at):
            found.append(Told(now, why, why.look))
    return found


@pytest.fixture(scope="module")
def whole() -> list[Told]:
    return told()


def test_our_size_is_the_controllers_at_every_look(whole: list[Told]) -> None:
    last = whole[-1].why.agreement
    assert last.looks >= 37
    assert last.share is not None
    assert last.share >= 0.98
    assert all(each.why for each in last.differences)


def test_every_write_was_seen_and_every_silence_counted(whole: list[Told]) -> None:
    seen = [t for t in whole if t.look.seen]
    assert len(seen) == 16
    gaps = [b.look.at - a.look.at for a, b in pairwise(whole)]
    assert all(14.9 < gap < 15.2 for gap in gaps)


def test_its_rescales_are_told_with_what_decided_them(whole: list[Told]) -> None:
    scaled = [
        (t.look.size, t.sentence.rpartition(" · ")[0], t.deciding) for t in whole if t.look.scaled
    ]
    assert scaled == [
        (4, "2 pods × 186/50 = 7.44 → 8 · rate limit: 4 this step", ["rate"]),
        (8, "4 pods (2 count as 0) × 173/50 = 13.84 → 14 · rate limit: 8 this step", ["rate"]),
        (10, "8 pods (4 count as 0) × 88/50 = 14.08 → 15 · max is 10", ["bounds"]),
        (2, "10 pods × 2/50 = 0.4 → 1 · min is 2", ["bounds"]),
    ]


def test_a_held_scale_down_counts_down_to_the_moment_it_came(whole: list[Told]) -> None:
    held = [t for t in whole if t.deciding == ["window"]]
    assert len(held) > 15
    came = next(t.look.at for t in whole if t.look.size == 2 and t.look.scaled)
    for each in held:
        sentence = each.sentence
        assert "5 min window holds 10" in sentence
        until = each.why.memory.recommendations
        assert until
    last = held[-1]
    assert "more" in last.sentence
    assert came - last.look.at < 20


def test_where_time_runs_faster_what_is_counted_down_is_what_comes() -> None:
    replay, explainer = Quick(5.0), Explainer()
    ends: list[tuple[float, float]] = []
    came = 0.0
    for delta, focus in replay.ticks(0.1):
        why = explainer.feed(delta, focus, replay.now, simulated=True)
        if why.outlook is None or why.settings.pace == 1 or why.look is None:
            continue
        assert why.settings.pace == pytest.approx(5.0, rel=0.06)
        hold = release(why.outlook.decision)
        said = plain(sentences(why.outlook, replay.now, None)[2])
        if hold is not None and "window holds" in said:
            ends.append((replay.now, hold.until))
            assert "5 min window holds 10" in said  # named as it was set
        if why.look.size == 2 and why.look.scaled:
            came = why.look.at
            break
    late = [came - until for now, until in ends if came - now > 1]
    assert len(late) > 300
    assert all(abs(each) < 0.5 for each in late)


def test_the_countdown_is_right_to_a_fifth_of_a_second() -> None:
    expected: list[float] = []
    at: float | None = None
    for _, why in watched():
        if why.look is not None and why.look.at != at:
            at = why.look.at
            if why.look.seen and expected:
                assert min(abs(each - at) for each in expected) < 0.2
                expected.clear()
        if why.next_look is not None and why.look is not None:
            expected.append(why.next_look)


def test_before_a_sample_is_known_to_the_controller_the_outlook_has_it(whole: list[Told]) -> None:
    ahead = [(now, why) for now, why in watched() if why.ahead and why.outlook is not None]
    first = next(w for _, w in ahead if w.outlook and w.outlook.status.desired_replicas == 4)
    assert first.look is not None
    assert first.look.size == 2
    assert first.fronts(first.look.at + 10)[0][0] == "next"


@pytest.mark.parametrize("begin", [40, 75, 130, 200, 330])
def test_watched_from_the_middle_every_difference_is_explained(begin: float) -> None:
    last = told(begin)[-1].why.agreement
    assert last.looks >= 5
    assert last.looks - last.agreed <= 1
    for each in last.differences:
        # What it remembers from before we came, and we could only take for younger.
        assert each.why == "what we remember has left its window"


def test_the_memory_is_corrected_by_what_the_controller_says() -> None:
    found = told(200)
    down = next(t for t in found if t.look.scaled)
    after = [t for t in found if t.look.at > down.look.at]
    assert after
    assert all(t.look.difference is None for t in after)


def test_an_hpa_that_goes_is_forgotten() -> None:
    replay = Replay()
    explainer = Explainer()
    for delta, focus in replay.ticks(0.5):
        explainer.feed(delta, focus, replay.now)
        if replay.now > replay.happenings[0][0] + 60:
            break
    uid = focus.hpa.uid if focus.hpa is not None else ""
    assert explainer.looks(uid).looks > 0
    replay.store.drop(Kind.HPAS, [uid])
    delta = replay.store.drain()
    shown = explainer.feed(delta, resolve(delta, None, None), replay.now)
    assert shown == Explanation()
    assert explainer.looks(uid).looks == 0


@pytest.mark.parametrize(
    ("health", "says"),
    [
        (Health.FORBIDDEN, "pods may not be read, so the sum cannot be shown"),
        (Health.CONNECTING, "reading pods…"),
    ],
)
def test_what_may_not_be_read_is_named(health: Health, says: str) -> None:
    replay = Replay()
    replay.begin()
    replay.store.link(Kind.PODS, health)
    delta = replay.store.drain()
    shown = Explainer().feed(delta, resolve(delta, None, None), replay.now)
    assert shown.trouble == says
    assert shown.fronts(replay.now) == ()
