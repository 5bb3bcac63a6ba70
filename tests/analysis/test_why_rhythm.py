"""When the controller looks next, told from the looks that were seen."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.analysis.why_rhythm import SampleRhythm, SyncRhythm


def test_nothing_is_known_before_a_look_was_seen() -> None:
    rhythm = SyncRhythm()
    assert not rhythm.known
    assert rhythm.next(100.0) is None


@given(st.lists(st.integers(1, 8), min_size=1, max_size=20), st.floats(0.0, 0.1))
def test_the_period_is_learned_through_looks_that_wrote_nothing(
    gaps: list[int], longer: float
) -> None:
    """A look takes some milliseconds, which the next one is late by."""
    rhythm, at = SyncRhythm(), 1000.0
    rhythm.seen(at)
    for gap in gaps:
        at += gap * (15.0 + longer)
        rhythm.seen(at)
    due = rhythm.next(at + 1)
    assert due is not None
    assert abs(due - (at + 15.0 + longer)) <= longer + 1e-6


def test_it_counts_on_over_silence() -> None:
    rhythm = SyncRhythm()
    rhythm.seen(100.0)
    assert rhythm.next(101.0) == 115.0
    assert rhythm.next(115.0) == 130.0
    assert rhythm.next(159.9) == 160.0
    assert rhythm.sure(200.0)
    assert not rhythm.sure(100.0 + 41 * 15)


def test_after_a_restart_it_goes_by_the_new_rhythm() -> None:
    rhythm = SyncRhythm()
    for at in (100.0, 115.0, 122.0, 137.0):
        rhythm.seen(at)
    assert rhythm.next(138.0) == pytest.approx(152.0)
    assert rhythm.period == pytest.approx(15.0)


def test_a_controller_set_to_look_more_often_is_found_out() -> None:
    rhythm = SyncRhythm()
    for at in (100.0, 105.0, 110.0, 115.0):
        rhythm.seen(at)
    assert rhythm.period == pytest.approx(5.0)
    assert rhythm.next(116.0) == pytest.approx(120.0)


def test_two_writes_of_one_look_are_no_rhythm() -> None:
    rhythm = SyncRhythm()
    for at in (100.0, 100.1, 100.2, 115.0):
        rhythm.seen(at)
    assert rhythm.period == pytest.approx(15.0, abs=0.1)


def test_samples() -> None:
    rhythm = SampleRhythm()
    assert rhythm.next(0.0) is None
    assert rhythm.feed([100.0], 103.0)
    assert not rhythm.feed([100.0, 99.0], 104.0)
    assert rhythm.next(105.0) == 118.0
    for n in range(1, 5):
        rhythm.feed([100.0 + 30 * n], 103.0 + 30 * n)
    assert rhythm.step == 30.0
    assert rhythm.next(224.0) == 253.0
    assert rhythm.next(300.0) is None
