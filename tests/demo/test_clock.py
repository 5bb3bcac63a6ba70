from __future__ import annotations

import asyncio

import pytest

from tui.demo.clock import Clock, RealClock


def test_calls_are_made_in_order_and_may_make_more() -> None:
    clock = Clock()
    made: list[tuple[str, float]] = []

    def note(name: str) -> None:
        made.append((name, clock.now() - clock.start))

    clock.call_later(2, lambda: note("two"))
    clock.call_later(1, lambda: (note("one"), clock.call_later(0.5, lambda: note("more"))))
    clock.call_later(1.7, lambda: note("never")).cancel()
    clock.call_later(9, lambda: note("late"))
    clock.advance(3)
    assert made == [("one", 1), ("more", 1.5), ("two", 2)]


def test_stamps_are_real_time_and_arithmetic_is_simulated() -> None:
    clock = Clock(start=1_700_000_000, speed=20)
    clock.advance(60)
    stamp = clock.stamp()
    assert stamp == "2023-11-14T22:13:23.000Z"  # three real seconds
    assert clock.simulated(stamp) == pytest.approx(clock.now())
    assert Clock(start=1_700_000_000).stamp() == "2023-11-14T22:13:20Z"


def test_a_speed_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="speed"):
        Clock(speed=0)


async def test_a_live_clock_runs_what_is_due_and_stops() -> None:
    clock = RealClock(speed=100, history=1000)
    made: list[float] = []
    clock.call_later(990, lambda: made.append(clock.now() - clock.start))
    clock.call_later(1002, lambda: made.append(clock.now() - clock.start))
    clock.call_later(5000, lambda: made.append(0))
    clock.go_live(asyncio.get_running_loop())
    assert made == [-10]
    done = asyncio.Event()
    clock.call_later(1, lambda: made.append(1))  # sooner than what was armed
    clock.call_later(4, done.set)
    async with asyncio.timeout(5):
        await done.wait()
    assert made[1] == 1
    assert 2 <= made[2] < 60
    clock.stop()
