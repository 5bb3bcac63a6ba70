"""Rates over time, their sums, and when a sum is reached."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.load.curve import Curve, Points, ramp, spike, steady, step, wave

SHAPES: dict[str, Points] = {
    "steady": steady(50),
    "ramp": ramp(10, 200, 30),
    "falling": ramp(200, 10, 30),
    "step": step([100, 400, 50], 30),
    "spike": spike(10, 500, 10, 5),
    "wave": wave(20, 1000, 10, 30),
}


@pytest.mark.parametrize("name", SHAPES)
def test_total_is_the_integral(name: str) -> None:
    curve = Curve(SHAPES[name])
    pieces = 30_000
    summed = sum(curve.at((n + 0.5) * 30 / pieces) for n in range(pieces)) * 30 / pieces
    assert curve.total(30) == pytest.approx(summed, rel=1e-3)


@pytest.mark.parametrize("name", SHAPES)
def test_when_undoes_total(name: str) -> None:
    curve = Curve(SHAPES[name])
    piece = 0
    for number in range(int(curve.total(30))):
        time, piece = curve.when(number, piece)
        assert 0 <= time <= 30.001
        assert curve.total(time) == pytest.approx(number, abs=1e-6)
        assert curve.when(number)[0] == pytest.approx(time, abs=1e-9)


@given(st.floats(0.1, 1e5), st.integers(0, 100_000))
def test_steady_rate_spaces_requests_evenly(rate: float, number: int) -> None:
    assert Curve(steady(rate)).when(number)[0] == pytest.approx(number / rate)


def test_what_is_never_due_is_due_at_infinity() -> None:
    assert Curve(ramp(100, 0, 10)).when(501)[0] == math.inf
    assert Curve(steady(0)).when(0)[0] == math.inf


def test_rate_that_begins_at_zero() -> None:
    curve = Curve(ramp(0, 100, 10))
    assert curve.when(0)[0] == 0
    assert curve.when(500)[0] == pytest.approx(10)
    assert curve.when(125)[0] == pytest.approx(5)


def test_jumps_take_their_new_value_at_once() -> None:
    curve = Curve(spike(10, 500, 10, 5))
    assert curve.at(9.999) == 10
    assert curve.at(10) == 500
    assert curve.at(15) == 10
    assert curve.most == 500


def test_wave_begins_low_and_is_high_half_a_period_later() -> None:
    curve = Curve(wave(20, 1000, 10, 30))
    assert curve.at(0) == pytest.approx(20)
    assert curve.at(5) == pytest.approx(1000)
    assert curve.at(10) == pytest.approx(20)


def test_last_value_goes_on() -> None:
    assert Curve(ramp(10, 20, 5)).at(100) == 20
    assert Curve(ramp(10, 20, 5)).total(6) == pytest.approx(75 + 20)
