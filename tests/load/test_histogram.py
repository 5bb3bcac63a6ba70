"""The histogram against exact percentiles."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.load.histogram import RELATIVE_ERROR, Histogram

PERCENTS = (0.1, 10, 50, 90, 99, 99.9, 100)
durations = st.lists(st.floats(10e-6, 60.0), min_size=1, max_size=300)


def exact(values: list[float], percent: float) -> float:
    return sorted(values)[max(1, math.ceil(len(values) * percent / 100 - 1e-9)) - 1]


@given(durations)
def test_percentiles_are_within_half_a_percent_of_the_exact_ones(values: list[float]) -> None:
    found = Histogram(values).percentiles(PERCENTS)
    for percent in PERCENTS:
        assert found[percent] == pytest.approx(exact(values, percent), rel=RELATIVE_ERROR)


@given(st.floats(10e-6, 60.0))
def test_error_of_one_value_is_far_below_a_percent_over_the_whole_range(value: float) -> None:
    assert RELATIVE_ERROR < 0.01
    # Neighbours keep the middle of the bucket from being clamped to the value itself.
    histogram = Histogram([value / 2, value, value * 2])
    assert histogram.percentile(50) == pytest.approx(value, rel=RELATIVE_ERROR)


@given(durations, durations)
def test_merging_is_counting_everything_at_once(one: list[float], other: list[float]) -> None:
    merged = Histogram(one)
    merged.merge(Histogram(other))
    both = Histogram(one + other)
    assert merged.count == both.count
    assert merged.total == pytest.approx(both.total)
    assert merged.percentiles(PERCENTS) == both.percentiles(PERCENTS)


@given(durations)
def test_bytes_bring_back_the_same_histogram(values: list[float]) -> None:
    histogram = Histogram(values)
    raw = bytes(histogram)
    back = Histogram.of_bytes(raw)
    assert back == histogram
    assert back.count == histogram.count
    assert len(raw) <= 24 + 4 * len(values)


def test_a_busy_tick_is_a_few_kilobytes_at_most() -> None:
    values = [0.0001 * 1.0005**n for n in range(20_000)]
    assert len(bytes(Histogram(values))) < 8_000


def test_empty_has_no_bytes_and_only_zeros() -> None:
    empty = Histogram()
    assert bytes(empty) == b""
    assert Histogram.of_bytes(b"") == empty
    assert empty.percentile(99) == 0
    assert empty.mean == 0
    assert empty.bars() == []


def test_cut_bytes_are_refused() -> None:
    raw = bytes(Histogram([0.001] * 200))
    for cut in (raw[:10], raw[:-1]):
        with pytest.raises(ValueError, match="cut off"):
            Histogram.of_bytes(cut)


@given(durations)
def test_bars_hold_every_value_and_span_least_to_most(values: list[float]) -> None:
    bars = Histogram(values).bars()
    assert sum(count for _, count in bars) == len(values)
    assert bars[0][0] == min(values)
    assert bars[-1][0] == pytest.approx(max(values))
    assert len(bars) == 11


def test_percentile_of_the_last_of_a_thousand() -> None:
    values = [0.001] * 999 + [1.0]
    assert Histogram(values).percentile(99.9) == pytest.approx(0.001, rel=0.01)
    assert Histogram(values).percentile(99.91) == 1.0
