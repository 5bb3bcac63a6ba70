"""Bursts as the screen shows them: plain rows that the burst's own threads write."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

OVER = ("done", "stopped", "failed")
"""The states of a burst that sends nothing any more."""


class LoadPoint(msgspec.Struct, frozen=True):
    """One second of a burst."""

    time: float
    """Seconds since the epoch, at the end of that second."""
    rate: float
    """Responses a second."""
    p50: float
    """Seconds."""
    p99: float
    """Seconds."""
    failed: int
    """Requests that got no 2xx or 3xx."""


class LoadChange(msgspec.Struct, frozen=True):
    """One figure of this run and of the one it is compared with."""

    name: str
    unit: str
    before: float
    after: float


class BurstRow(msgspec.Struct, frozen=True):
    """A burst at a moment. Latencies are in seconds, by percent: 50, 90, 99, 99.9."""

    number: int
    """Counts the bursts of this program."""
    group: int
    """Bursts that were fired together, at two targets, have the same."""
    target: str
    """``service`` or the URL's host and port."""
    route: str = ""
    """The way to it in a few words."""
    bypasses: bool = False
    """Whether the way leads past the Service, straight to pods."""
    profile: str = ""
    began: float = 0.0
    """Seconds since the epoch."""
    state: str = "starting"
    """starting, running, done, stopped or failed."""
    problem: str = ""
    elapsed: float = 0.0
    duration: float | None = None
    progress: float = 0.0
    """0 to 1."""
    asked: float | None = None
    """Requests a second at this moment; None: as fast as it goes."""
    achieved: float = 0.0
    """Responses in the last second."""
    mean: float = 0.0
    """Responses a second from the start."""
    in_flight: int = 0
    connections: int = 0
    opened: int = 0
    """Connections made in all."""
    responses: int = 0
    good: int = 0
    failed: int = 0
    """Requests without a whole response."""
    latency: Mapping[float, float] = msgspec.field(default_factory=lambda: MappingProxyType({}))
    """Over the last second; over the whole burst once it has ended."""
    service: Mapping[float, float] = msgspec.field(default_factory=lambda: MappingProxyType({}))
    """The same from the sending itself. Equal to the latency where no rate is set."""
    statuses: Mapping[int, int] = msgspec.field(default_factory=lambda: MappingProxyType({}))
    failures: Mapping[str, int] = msgspec.field(default_factory=lambda: MappingProxyType({}))
    pods: Mapping[str, int] = msgspec.field(default_factory=lambda: MappingProxyType({}))
    """Requests by the pod that answered them."""
    rates: Mapping[str, float] = msgspec.field(default_factory=lambda: MappingProxyType({}))
    """Answers a second by pod, over the last seconds."""
    counted: str = ""
    """How it is known which pod answered."""
    behind: int | None = None
    """Ready pods that could have answered; None: not known."""
    chances: Mapping[str, float] | None = msgspec.field(
        default_factory=lambda: MappingProxyType({})
    )
    """By pod: its part of all requests if each chose at random among the pods ready then; None
    where it is not known who was.
    """
    points: tuple[LoadPoint, ...] = ()
    """Second by second, oldest first."""
    summary: tuple[str, ...] = ()
    """Once it has ended: the lines of the report."""
    changes: tuple[LoadChange, ...] = ()
    """Once it has ended: against the run before with the same preset and target."""

    @property
    def over(self) -> bool:
        """Whether nothing more will come."""
        return self.state in OVER

    @property
    def left(self) -> float | None:
        """Seconds until it ends by itself; None: not known."""
        return None if self.duration is None else max(0.0, self.duration - self.elapsed)


class LoadRow(msgspec.Struct, frozen=True):
    """All bursts of the program, and what there is to say to who wanted one."""

    bursts: tuple[BurstRow, ...] = ()
    """Oldest first; a few, the running ones among them."""
    notice: str = ""
    """Why the last wish was not met, or what it waits for."""
    noticed: int = 0
    """Grows with every notice, also with the same words."""

    @property
    def running(self) -> bool:
        """Whether any burst still sends."""
        return any(not burst.over for burst in self.bursts)

    @property
    def rates(self) -> dict[str, float]:
        """Answers a second by pod, of all bursts that run."""
        found: dict[str, float] = {}
        for burst in self.bursts:
            if not burst.over:
                for pod, rate in burst.rates.items():
                    found[pod] = found.get(pod, 0.0) + rate
        return found

    @property
    def group(self) -> tuple[BurstRow, ...]:
        """The bursts fired last, together."""
        return tuple(b for b in self.bursts if b.group == self.bursts[-1].group)
