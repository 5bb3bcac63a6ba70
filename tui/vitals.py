"""How the program itself is doing: what a look costs, how late the loop is, how much comes in."""

from __future__ import annotations

import asyncio
import sys
import time
from collections import deque
from collections.abc import Callable
from typing import Final, NamedTuple

BEAT: Final = 0.02
"""Seconds between two looks at the clock by the event loop."""
_REMEMBERED: Final = 60.0
"""Seconds the figures are over."""


class Figures(NamedTuple):
    """Milliseconds, changes a second, MB."""

    tick: float = 0.0
    """99 of 100 looks at the store took less."""
    tick_most: float = 0.0
    lag: float = 0.0
    """99 of 100 beats of the event loop came less late."""
    lag_most: float = 0.0
    changes: float = 0.0
    """Rows that changed, a second."""
    queue: int = 0
    """Most changes that waited for one look."""
    memory: float = 0.0
    """Resident set size."""


class Vitals:
    """Collects samples of the last minute; nothing is measured until :meth:`start`."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._ticks: deque[tuple[float, float, int]] = deque()
        self._lags: deque[tuple[float, float]] = deque()
        self._beat: asyncio.TimerHandle | None = None

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin to measure how late the loop is."""

        def beat(due: float) -> None:
            now = loop.time()
            self.late(now - due)
            self._beat = loop.call_at(now + BEAT, beat, now + BEAT)

        beat(loop.time())

    def stop(self) -> None:
        """Measure no more."""
        if self._beat is not None:
            self._beat.cancel()
            self._beat = None

    def late(self, seconds: float) -> None:
        """The loop came so much later than it was asked to."""
        now = self._clock()
        self._lags.append((now, seconds))
        while self._lags[0][0] < now - _REMEMBERED:
            self._lags.popleft()

    def ticked(self, seconds: float, changes: int) -> None:
        """A look at the store took so long and found so many changes."""
        now = self._clock()
        self._ticks.append((now, seconds, changes))
        while self._ticks[0][0] < now - _REMEMBERED:
            self._ticks.popleft()

    def figures(self) -> Figures:
        """Over the last minute."""
        ticks = sorted(seconds for _, seconds, _ in self._ticks)
        lags = sorted(seconds for _, seconds in self._lags)
        changes = [count for _, _, count in self._ticks]
        span = self._ticks[-1][0] - self._ticks[0][0] if len(self._ticks) > 1 else 0.0
        return Figures(
            tick=_percentile(ticks) * 1000,
            tick_most=(ticks[-1] if ticks else 0.0) * 1000,
            lag=_percentile(lags) * 1000,
            lag_most=(lags[-1] if lags else 0.0) * 1000,
            changes=sum(changes[1:]) / span if span else 0.0,
            queue=max(changes, default=0),
            memory=memory(),
        )


def memory() -> float:
    """MB that are resident; 0 where it cannot be told cheaply."""
    if sys.platform == "win32":
        return 0.0
    import resource

    try:
        with open("/proc/self/statm", "rb") as found:
            return int(found.read().split()[1]) * resource.getpagesize() / 1e6
    except (OSError, ValueError, IndexError):
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most / (1e6 if sys.platform == "darwin" else 1e3)


def _percentile(ordered: list[float], part: float = 0.99) -> float:
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))] if ordered else 0.0
