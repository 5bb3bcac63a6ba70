"""Time in the embedded cluster: simulated seconds for waiting, real time for what is written.

Waiting (probe periods, sync periods, stabilization windows) is counted in *simulated seconds*.
At ``speed`` 20 a simulated second takes 50 ms. Time stamps in objects stay the truth of the
wall clock, so that a client's "3 s ago" is right at any speed; `Clock.simulated` turns such a
stamp back into simulated seconds for arithmetic.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol

_SLEEP_COUNTS: int | None = getattr(time, "CLOCK_BOOTTIME", None)


class Timer(Protocol):
    """A call that is due later."""

    def cancel(self) -> None:
        """Make the call not happen."""


class Clock:
    """Simulated time that stands still until `advance` is called.

    Args:
        start: Unix time, in seconds, at which simulated and real time agree.
        speed: simulated seconds per real second, above 0.
        history: simulated seconds before ``start`` at which the clock begins.
    """

    def __init__(
        self, start: float = 1_700_000_000.0, speed: float = 1.0, history: float = 0.0
    ) -> None:
        if speed <= 0:
            raise ValueError("the speed must be above 0, for example 1 or 20")
        self.start = start
        self.speed = speed
        self.skew = 0.0
        """Seconds by which what is written is ahead of the truth: a cluster's clock gone wrong."""
        self._now = start - history
        self._due: list[tuple[float, int, _Timer]] = []
        self._order = itertools.count()

    def set_skew(self, seconds: float) -> None:
        """Write time stamps that are so many seconds ahead."""
        self.skew = seconds

    def now(self) -> float:
        """Simulated seconds; at `start` they equal Unix time."""
        return self._now

    def call_later(self, delay: float, call: Callable[[], object]) -> Timer:
        """Call once, ``delay`` simulated seconds from now."""
        timer = _Timer(call)
        heapq.heappush(self._due, (self.now() + max(0.0, delay), next(self._order), timer))
        return timer

    def advance(self, seconds: float) -> None:
        """Let simulated seconds pass, making every call that falls due, in order."""
        end = self._now + seconds
        while self._due and self._due[0][0] <= end:
            due, _, timer = heapq.heappop(self._due)
            self._now = max(self._now, due)
            timer.fire()
        self._now = end

    def advance_until(self, condition: Callable[[], bool], limit: float, step: float = 0.5) -> bool:
        """Advance in steps until the condition holds; False if ``limit`` seconds pass first."""
        end = self._now + limit
        while not condition():
            if self._now >= end:
                return False
            self.advance(step)
        return True

    def wall(self, simulated: float | None = None) -> datetime:
        """The wall clock's time now, or at a moment given in simulated seconds."""
        moment = self.now() if simulated is None else simulated
        seconds = self.start + (moment - self.start) / self.speed + self.skew
        return datetime.fromtimestamp(seconds, UTC)

    def stamp(self, simulated: float | None = None) -> str:
        """A ``metav1.Time``: whole seconds, as an API server writes it.

        A faster clock needs a finer stamp, or 20 simulated seconds would share one.
        """
        # isoformat is several times as fast as strftime, and this is called at each write.
        text = self.wall(simulated).isoformat(timespec="milliseconds")
        return text[:19] + "Z" if self.speed <= 1 else text[:23] + "Z"

    def stamp_micro(self, simulated: float | None = None) -> str:
        """A ``metav1.MicroTime``."""
        return self.wall(simulated).isoformat(timespec="microseconds")[:26] + "Z"

    def simulated(self, stamp: str) -> float:
        """The simulated second of a time stamp.

        Raises:
            ValueError: it is not an RFC 3339 time.
        """
        moment = datetime.fromisoformat(stamp)
        if moment.tzinfo is None:
            raise ValueError(f"{stamp!r} has no time zone")
        return self.start + (moment.timestamp() - self.skew - self.start) * self.speed


class RealClock(Clock):
    """The clock of a running cluster.

    It begins standing still, ``history`` seconds in the past, so that a cluster can be brought
    up and live through its first minutes at once; from `go_live` on it runs by itself.
    """

    def __init__(self, speed: float = 1.0, history: float = 0.0) -> None:
        super().__init__(time.time(), speed, history)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._zero = 0.0
        self._armed: asyncio.TimerHandle | None = None

    @staticmethod
    def _ticks() -> float:
        # A laptop's sleep counts: after it, stamps must still be the wall clock's.
        return time.monotonic() if _SLEEP_COUNTS is None else time.clock_gettime(_SLEEP_COUNTS)

    def now(self) -> float:
        """Simulated seconds; at `start` they equal Unix time."""
        if self._loop is None:
            return self._now
        return self.start + (self._ticks() - self._zero) * self.speed

    def go_live(self, loop: asyncio.AbstractEventLoop) -> None:
        """Catch up to the start and run from here on, in the loop."""
        self.advance(max(0.0, self.start - self._now))
        self._zero = self._ticks()
        self._loop = loop
        self._arm()

    def stop(self) -> None:
        """Make no further calls."""
        self._due.clear()
        if self._armed is not None:
            self._armed.cancel()

    def call_later(self, delay: float, call: Callable[[], object]) -> Timer:
        """Call once, ``delay`` simulated seconds from now."""
        timer = super().call_later(delay, call)
        if self._loop is not None and self._due[0][2] is timer:
            self._arm()
        return timer

    def _arm(self) -> None:
        if self._armed is not None:
            self._armed.cancel()
            self._armed = None
        while self._due and self._due[0][2].cancelled:
            heapq.heappop(self._due)
        if self._due and self._loop is not None:
            delay = max(0.0, self._due[0][0] - self.now()) / self.speed
            self._armed = self._loop.call_later(delay, self._fire)

    def _fire(self) -> None:
        until = self.now()
        while self._due and self._due[0][0] <= until:
            heapq.heappop(self._due)[2].fire()
        self._arm()


class _Timer:
    __slots__ = ("_call",)

    def __init__(self, call: Callable[[], object]) -> None:
        self._call: Callable[[], object] | None = call

    @property
    def cancelled(self) -> bool:
        return self._call is None

    def cancel(self) -> None:
        self._call = None

    def fire(self) -> None:
        if self._call is not None:
            self._call()
