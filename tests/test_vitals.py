"""The figures of the last minute, and only of that."""

from __future__ import annotations

import asyncio
import time

import pytest

from tui.vitals import Figures, Vitals, memory


class Ticks:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_figures_are_percentiles_of_the_last_minute() -> None:
    clock = Ticks()
    vitals = Vitals(clock)
    assert vitals.figures()._replace(memory=0.0) == Figures()
    vitals.ticked(9.0, 1000)
    vitals.late(9.0)
    clock.now = 100.0
    for number in range(200):
        clock.now += 0.1
        vitals.ticked(0.001 if number else 0.050, 5)
        vitals.late(0.002 if number else 0.100)
    found = vitals.figures()
    assert (found.tick, found.tick_most) == pytest.approx((1.0, 50.0))
    assert (found.lag, found.lag_most) == pytest.approx((2.0, 100.0))
    assert found.changes == pytest.approx(50.0)
    assert found.queue == 5


async def test_a_loop_that_is_held_up_is_seen_to_be_late() -> None:
    vitals = Vitals()
    vitals.start(asyncio.get_running_loop())
    try:
        await asyncio.sleep(0.05)
        time.sleep(0.2)
        await asyncio.sleep(0.05)
    finally:
        vitals.stop()
    assert vitals.figures().lag_most >= 150


def test_memory_is_told_in_megabytes() -> None:
    assert 5 < memory() < 5000
