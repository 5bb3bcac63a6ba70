"""The figures of a burst: what workers send ten times a second, and how it adds up."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum

import msgspec

from tui.load.histogram import Histogram


class Failure(StrEnum):
    """Why a request got no whole response. (A response that is not 2xx is counted by its code.)"""

    REFUSED = "connection refused"
    UNREACHABLE = "host unreachable"
    RESET = "connection reset"
    CLOSED = "connection closed early"
    TIMEOUT = "timed out"
    TLS = "TLS failed"
    MALFORMED = "malformed response"
    LOCAL = "no free port or file on this machine"
    OTHER = "other"


class Spread(msgspec.Struct, array_like=True):
    """How durations spread: count, sum, least and most, in seconds."""

    count: int = 0
    total: float = 0.0
    least: float = math.inf
    most: float = 0.0

    def add(self, values: Sequence[float]) -> None:
        """Count each of the values."""
        if values:
            self.merge(Spread(len(values), sum(values), min(values), max(values)))

    def merge(self, other: Spread) -> None:
        """Count everything that the other has counted."""
        self.count += other.count
        self.total += other.total
        self.least = min(self.least, other.least)
        self.most = max(self.most, other.most)

    @property
    def mean(self) -> float:
        """Seconds; 0 when nothing was counted."""
        return self.total / self.count if self.count else 0.0


class Tick(msgspec.Struct, array_like=True, tag="tick"):
    """What happened at one worker since its last tick."""

    number: int = 0
    elapsed: float = 0.0
    """Seconds from the worker's start to the end of this tick."""
    sent: int = 0
    latency: bytes = b""
    """Histogram from the intended time of sending, when a rate is set."""
    service: bytes = b""
    """Histogram from the sending itself; from the first SYN where that took a new connection."""
    statuses: dict[int, int] = {}
    failures: dict[str, int] = {}
    pods: dict[str, int] = {}
    received: int = 0
    """Bytes, headers and all."""
    in_flight: int = 0
    connections: int = 0
    opened: int = 0
    """Connections made since the last tick."""
    dial: Spread = msgspec.field(default_factory=Spread)
    """From the first SYN until requests can be sent, TLS included."""
    wait: Spread = msgspec.field(default_factory=Spread)
    """From sending to the first byte."""
    read: Spread = msgspec.field(default_factory=Spread)
    """From the first byte to the last."""
    reasons: tuple[str, ...] = ()
    """What TLS said, each once."""
    ended: float | None = None
    """Set in the last tick: when the last request ended, in seconds from the start."""


class Totals:
    """Ticks added up. Not thread-safe: its owner locks."""

    def __init__(self) -> None:
        self.latency = Histogram()
        self.service = Histogram()
        self.statuses: Counter[int] = Counter()
        self.failures: Counter[str] = Counter()
        self.pods: Counter[str] = Counter()
        self.sent = 0
        self.received = 0
        self.opened = 0
        self.dial = Spread()
        self.wait = Spread()
        self.read = Spread()
        self.reasons: list[str] = []

    def add(self, tick: Tick, latency: Histogram, service: Histogram) -> None:
        """Take in a tick whose histograms are decoded."""
        self.latency.merge(latency)
        self.service.merge(service)
        self.statuses.update(tick.statuses)
        self.failures.update(tick.failures)
        self.pods.update(tick.pods)
        self.sent += tick.sent
        self.received += tick.received
        self.opened += tick.opened
        self.dial.merge(tick.dial)
        self.wait.merge(tick.wait)
        self.read.merge(tick.read)
        self.reasons += [r for r in tick.reasons if r not in self.reasons][: 8 - len(self.reasons)]

    @property
    def responses(self) -> int:
        """Whole responses, whatever their code."""
        return self.statuses.total()

    @property
    def good(self) -> int:
        """Responses with a 2xx or 3xx code."""
        return sum(n for code, n in self.statuses.items() if 200 <= code < 400)

    @property
    def failed(self) -> int:
        """Requests without a whole response."""
        return self.failures.total()


class Snapshot(msgspec.Struct, frozen=True):
    """A burst at a moment. Made ten times a second; immutable, so any thread may keep it."""

    state: str
    """starting, running, done, stopped or failed."""
    problem: str | None
    """Why it failed: one sentence."""
    elapsed: float
    duration: float | None
    count: int | None
    sent: int
    responses: int
    good: int
    failed: int
    asked_total: float | None
    """Requests due so far; None: no rate is set."""
    asked_rate: float | None
    """Requests a second asked at this moment."""
    achieved_rate: float
    """Responses a second over the last second."""
    mean_rate: float
    """Responses a second from the start."""
    in_flight: int
    connections: int
    opened: int
    """Connections made in all."""
    latency: dict[float, float]
    """Percent → seconds over the last second: 50, 90, 99, 99.9. Counted from the intended time."""
    service: dict[float, float]
    statuses: dict[int, int]
    failures: dict[str, int]
    pods: dict[str, int]

    @property
    def progress(self) -> float:
        """0 to 1."""
        parts = [0.0]
        if self.duration:
            parts.append(self.elapsed / self.duration)
        if self.count:
            parts.append((self.responses + self.failed) / self.count)
        return 1.0 if self.over else min(1.0, max(parts))

    @property
    def over(self) -> bool:
        """Whether nothing more will come."""
        return self.state in ("done", "stopped", "failed")


PERCENTS = (50.0, 90.0, 99.0, 99.9)
"""What is watched while a burst runs."""


class Second(msgspec.Struct, frozen=True):
    """One second of a burst, for charts and tables. Latencies in seconds."""

    second: int
    asked: float | None
    responses: int
    good: int
    failed: int
    connections: int
    p50: float
    p90: float
    p99: float
    p999: float
    service_p50: float
    service_p99: float


class SecondsMaker:
    """Cuts a stream of ticks into seconds."""

    def __init__(self, asked: Callable[[float], float | None]) -> None:
        """Args:
        asked: how many requests were due within so many seconds.
        """
        self.rows: list[Second] = []
        self._asked = asked
        self._now = 0
        self._elapsed = 0.0
        self._totals = Totals()
        self._connections: dict[int, int] = {}

    def add(
        self,
        worker: int,
        tick: Tick,
        latency: Histogram,
        service: Histogram,
    ) -> None:
        """Take in a tick."""
        # A tick belongs to the second in which it began: it ends just past the boundary.
        second = max(0, math.ceil(tick.elapsed - 0.05) - 1)
        if second > self._now:
            row = self._row(second)
            if row is not None:
                self.rows.append(row)
            self._totals = Totals()
            self._now = second
        self._elapsed = max(self._elapsed, tick.elapsed)
        self._totals.add(tick, latency, service)
        self._connections[worker] = tick.connections

    def all(self) -> tuple[Second, ...]:
        """Every second so far, the one under way included."""
        under_way = self._row(self._elapsed)
        return (*self.rows, under_way) if under_way is not None else tuple(self.rows)

    def _row(self, until: float) -> Second | None:
        t = self._totals
        before, after = self._asked(self._now), self._asked(min(self._now + 1, until))
        late = t.latency.percentiles(PERCENTS)
        served = t.service.percentiles((50.0, 99.0))
        if not (t.sent or t.responses or t.failed):
            return None
        return Second(
            second=self._now,
            asked=None if before is None or after is None else round(after - before, 1),
            responses=t.responses,
            good=t.good,
            failed=t.failed,
            connections=sum(self._connections.values()),
            p50=late[50.0],
            p90=late[90.0],
            p99=late[99.0],
            p999=late[99.9],
            service_p50=served[50.0],
            service_p99=served[99.0],
        )


def merged(histograms: Iterable[Histogram]) -> Histogram:
    """One histogram of many."""
    made = Histogram()
    for histogram in histograms:
        made.merge(histogram)
    return made
