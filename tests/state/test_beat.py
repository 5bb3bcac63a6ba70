"""When the store is looked at, and what that is good for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.state.beat import LOOK, Beat
from tui.state.store import Store


class _Clock:
    def __init__(self, now: float = 50.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def _off(beat: Beat, clock: _Clock, start: float) -> float:
    """Seconds by which the looks are expected later than they are due."""
    expected = clock.now + beat.rest(0.0)
    return (expected - start + LOOK / 2) % LOOK - LOOK / 2


@given(st.lists(st.floats(0.0, 0.9 * LOOK), min_size=1, max_size=80))
def test_looks_that_are_late_now_and_then_move_nothing(lates: list[float]) -> None:
    clock = _Clock()
    beat = Beat(clock)
    for number, late in enumerate(lates):
        clock.now = 50.0 + (2 * number + 1) * LOOK
        beat.looked()
        clock.now = 50.0 + (2 * number + 2) * LOOK + late
        beat.looked()
    assert _off(beat, clock, 50.0) == pytest.approx(0.0, abs=LOOK / 40)


@given(st.floats(0.0, 1000.0), st.floats(0.0, LOOK / 4))
def test_the_rest_ends_so_many_seconds_before_a_look(passed: float, before: float) -> None:
    clock = _Clock()
    beat = Beat(clock)
    clock.now += passed
    rest = beat.rest(before)
    assert 0 <= rest <= LOOK
    clock.now += rest + before
    assert _off(beat, clock, 50.0) == pytest.approx(0.0, abs=1e-6)


@given(st.floats(-LOOK, LOOK), st.integers(0, 500))
def test_a_rhythm_that_has_moved_is_found_again(moved: float, skipped: int) -> None:
    clock = _Clock()
    beat = Beat(clock)
    start = 50.0 + skipped * LOOK + moved
    for number in range(1, 120):
        clock.now = start + number * LOOK
        beat.looked()
    assert _off(beat, clock, start) == pytest.approx(0.0, abs=LOOK / 40)


def test_a_drain_of_the_store_is_a_look() -> None:
    clock = _Clock()
    store = Store()
    store.beat = Beat(clock)
    clock.now += LOOK / 3
    store.drain()
    assert store.beat.rest(0.01) == pytest.approx(LOOK - 0.01)
