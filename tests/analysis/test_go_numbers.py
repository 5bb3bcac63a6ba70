from __future__ import annotations

import math

import pytest

from tui.analysis import go_numbers as go


@pytest.mark.parametrize(
    ("value", "wrapped"),
    [
        (0, 0),
        (2**31 - 1, 2**31 - 1),
        (2**31, -(2**31)),
        (-(2**31) - 1, 2**31 - 1),
        (2**32 + 5, 5),
        (-(2**33) - 7, -7),
    ],
)
def test_int32_wraps(value: int, wrapped: int) -> None:
    assert go.int32(value) == wrapped


def test_int64_wraps() -> None:
    assert go.int64(2**63) == -(2**63)
    assert go.int64(-(2**63) - 1) == 2**63 - 1
    assert go.int64(5 * 10**18 + 5 * 10**18) == 10**19 - 2**64


@pytest.mark.parametrize(
    ("dividend", "divisor", "expected"),
    [(7, 2, 3), (-7, 2, -3), (7, -2, -3), (-7, -2, 3), (0, -3, 0), (6, 3, 2), (-6, 3, -2)],
)
def test_division_is_towards_zero(dividend: int, divisor: int, expected: int) -> None:
    assert go.quotient(dividend, divisor) == expected


def test_division_by_zero_follows_ieee_754() -> None:
    assert go.ratio(1.0, 0.0) == math.inf
    assert go.ratio(-1.0, 0.0) == -math.inf
    assert go.ratio(1.0, -0.0) == -math.inf
    assert math.isnan(go.ratio(0.0, 0.0))
    assert math.isnan(go.ratio(math.nan, 0.0))
    assert go.ratio(1.0, 4.0) == 0.25


@pytest.mark.parametrize(
    ("value", "truncated", "ceiling"),
    [
        (1.2, 1, 2),
        (-1.2, -1, -1),
        (2147483647.0, go.MAX_INT32, go.MAX_INT32),
        (2147483647.5, go.MAX_INT32, go.MIN_INT32),
        (3e9, go.MIN_INT32, go.MIN_INT32),
        (-3e9, go.MIN_INT32, go.MIN_INT32),
        (math.inf, go.MIN_INT32, go.MIN_INT32),
        (math.nan, go.MIN_INT32, go.MIN_INT32),
    ],
)
def test_a_float_that_does_not_fit_an_int32_becomes_the_lowest(
    value: float, truncated: int, ceiling: int
) -> None:
    assert go.truncated_int32(value) == truncated
    assert go.ceil_int32(value) == ceiling


def test_a_float_that_does_not_fit_an_int64_becomes_the_lowest() -> None:
    assert go.ceil_int64(1e18 + 0.5) == 10**18
    assert go.ceil_int64(2.5) == 3
    assert go.ceil_int64(2.0**63) == go.MIN_INT64
    assert go.ceil_int64(math.inf) == go.MIN_INT64
    assert go.ceil_int64(math.nan) == go.MIN_INT64
