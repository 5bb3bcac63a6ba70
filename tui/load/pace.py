"""Who sends when. A pace is asked for work by every connection that has none.

Where a rate is set, requests have an intended time of sending, and keep it while the target is
slow: latency counted from then is free of coordinated omission. See Gil Tene, "How NOT to Measure
Latency", and https://github.com/giltene/wrk2.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from heapq import heappop, heappush
from time import perf_counter
from typing import Final, Protocol

from tui.load.curve import Curve

_ROUNDING: Final = 1e-6
"""Seconds by which sums of periods may miss the end. What is due at the end is not sent."""


class Sender(Protocol):
    """What a pace knows of a connection."""

    retired: bool
    order: int
    """Its number among all connections of the burst."""
    intended: float
    """When its last request was due."""

    def send(self, now: float, intended: float) -> None:
        """Send the request."""

    def park(self, now: float) -> None:
        """Have nothing to do."""


class Pace(Protocol):
    """The order in which connections send. Times are those of ``time.perf_counter``."""

    def begin(self, start: float, end: float) -> None:
        """The burst begins. Nothing is due at the end or later."""

    def idle(self, sender: Sender, now: float) -> None:
        """A connection has nothing to do: let it send, now or later, or leave it."""

    def stop(self) -> None:
        """Let nobody send any more."""

    @property
    def exhausted(self) -> bool:
        """Whether nothing will be sent any more."""


class ClosedLoop:
    """As fast as answers come: each connection sends when it has been answered."""

    def __init__(self, count: int | None) -> None:
        self._left = math.inf if count is None else count

    def begin(self, start: float, end: float) -> None:
        """The burst begins."""

    def idle(self, sender: Sender, now: float) -> None:
        """Send at once."""
        if self._left <= 0 or sender.retired:
            sender.park(now)
            return
        self._left -= 1
        sender.send(now, now)

    def stop(self) -> None:
        """Let nobody send any more."""
        self._left = 0

    @property
    def exhausted(self) -> bool:
        """Whether nothing will be sent any more."""
        return self._left <= 0


class OpenLoop:
    """A total rate: each request is due at its time and takes the connection idle for longest."""

    def __init__(
        self,
        rate: Curve,
        count: int | None,
        share: tuple[int, int],
        alarm: Callable[[float], None],
    ) -> None:
        """Args:
        rate: requests a second, over the seconds since the start.
        count: of the whole burst.
        share: (n, of how many): this one takes every so many-th request, beginning with the n-th.
        alarm: asks for a call of :meth:`wake` at a time.
        """
        self._rate = rate
        self._start = self._end = 0.0
        self._count = math.inf if count is None else count
        self._next, self._stride = share
        self._alarm = alarm
        self._piece = 0
        self._waiting: deque[Sender] = deque()
        self._due = math.inf

    def begin(self, start: float, end: float) -> None:
        """The burst begins. Nothing is due at the end or later."""
        self._start, self._end = start, end - _ROUNDING
        self._advance()

    def idle(self, sender: Sender, now: float) -> None:
        """Send what is due, or wait for what will be."""
        if sender.retired:
            sender.park(now)
        elif self._due <= now:
            due = self._due
            self._advance()
            sender.send(now, due)
        else:
            sender.park(now)
            self._waiting.append(sender)
            if len(self._waiting) == 1:
                self._set_alarm()

    def wake(self) -> None:
        """Send everything that has become due."""
        waiting = self._waiting
        now = perf_counter()
        while waiting and self._due <= now:
            sender = waiting.popleft()
            if sender.retired:
                continue
            due = self._due
            self._advance()
            sender.send(now, due)
        if waiting:
            self._set_alarm()

    def stop(self) -> None:
        """Let nobody send any more."""
        self._due = math.inf
        self._count = 0
        self._waiting.clear()

    @property
    def exhausted(self) -> bool:
        """Whether nothing will be sent any more."""
        # With a duration, the time after the last request is part of the burst.
        return self._due == math.inf and (self._next >= self._count or self._end == math.inf)

    def _advance(self) -> None:
        if self._next >= self._count:
            self._due = math.inf
            return
        after, self._piece = self._rate.when(self._next, self._piece)
        self._next += self._stride
        due = self._start + after
        self._due = due if due < self._end else math.inf

    def _set_alarm(self) -> None:
        if self._due < math.inf:
            self._alarm(self._due)


class PerConnection:
    """hey's -q: each connection has a rate of its own. Begins are staggered evenly."""

    def __init__(
        self,
        rate: float,
        connections: int,
        count: int | None,
        alarm: Callable[[float], None],
    ) -> None:
        self._period = 1 / rate
        self._connections = connections
        self._start = self._end = 0.0
        self._left = math.inf if count is None else count
        self._alarm = alarm
        self._waiting: list[tuple[float, int, Sender]] = []

    def begin(self, start: float, end: float) -> None:
        """The burst begins. Nothing is due at the end or later."""
        self._start, self._end = start, end - _ROUNDING

    def idle(self, sender: Sender, now: float) -> None:
        """Send what is due, or wait for what will be."""
        if sender.intended:
            due = sender.intended + self._period
        else:
            # A connection that opens later begins later: what it never owed is not late.
            offset = self._period * (sender.order % self._connections) / self._connections
            periods = math.ceil(max(0.0, now - self._start - offset) / self._period - 1)
            due = self._start + offset + max(0, periods) * self._period
        if sender.retired or self._left <= 0 or due >= self._end:
            sender.park(now)
        elif due <= now:
            self._left -= 1
            sender.send(now, due)
        else:
            sender.park(now)
            heappush(self._waiting, (due, sender.order, sender))
            if self._waiting[0][2] is sender:
                self._alarm(due)

    def wake(self) -> None:
        """Send everything that has become due."""
        waiting = self._waiting
        now = perf_counter()
        while waiting and (waiting[0][0] <= now or waiting[0][2].retired):
            due, _, sender = heappop(waiting)
            if sender.retired:
                continue
            if self._left <= 0:
                sender.park(now)
                continue
            self._left -= 1
            sender.send(now, due)
        if waiting and self._left > 0:
            self._alarm(waiting[0][0])

    def stop(self) -> None:
        """Let nobody send any more."""
        self._left = 0
        self._waiting.clear()

    @property
    def exhausted(self) -> bool:
        """Whether nothing will be sent any more."""
        return self._left <= 0
