"""The alarm that rings on time, with the kernel's timer and without."""

from __future__ import annotations

import asyncio
from time import perf_counter

import pytest

from tui.load import timer


@pytest.mark.parametrize("kernel", [True, False])
async def test_rings_once_never_early_and_the_last_setting_counts(
    kernel: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not kernel:
        monkeypatch.setattr(timer, "_create", None)
    rang: list[float] = []
    alarm = timer.Alarm(asyncio.get_running_loop(), lambda: rang.append(perf_counter()))
    alarm.set(perf_counter() + 0.005)
    when = perf_counter() + 0.05
    alarm.set(when)
    while not rang:
        await asyncio.sleep(0.001)
    assert rang[0] >= when - 0.002
    alarm.set(perf_counter() - 1)
    while len(rang) < 2:
        await asyncio.sleep(0.001)
    alarm.set(perf_counter() + 0.01)
    alarm.close()
    await asyncio.sleep(0.03)
    assert len(rang) == 2
