"""What running containers use: CPU counters that only grow, and memory."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tui.demo.clock import Clock


@dataclass(slots=True)
class ContainerUsage:
    """One run of one container, as the kernel would count it."""

    uid: str
    """Of the pod."""
    container: str
    node: str
    since: float
    """Simulated second of the start."""
    idle_cpu: float
    """Cores."""
    memory: int
    """Bytes."""
    cpu_limit: float | None
    """Cores; None: no limit."""
    _work: float = 0.0

    def cpu_seconds(self, now: float) -> float:
        """Core-seconds used since the start."""
        return self._work + self.idle_cpu * (now - self.since)

    def work(self, core_seconds: float) -> None:
        """Use CPU for something; what exceeds the limit is the caller's to withhold."""
        self._work += core_seconds


class Usage:
    """The containers that run now."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._running: dict[tuple[str, str], ContainerUsage] = {}
        self.lost: set[str] = set()
        """Nodes that nobody can ask."""

    def begin(self, usage: ContainerUsage) -> None:
        """A container has started; its counter begins at nothing."""
        self._running[(usage.uid, usage.container)] = usage

    def end(self, uid: str, container: str) -> None:
        """A container has ended."""
        self._running.pop((uid, container), None)

    def of(self, uid: str, container: str) -> ContainerUsage | None:
        """One container; None if it does not run."""
        return self._running.get((uid, container))

    def running(self) -> Iterable[ContainerUsage]:
        """All that run now."""
        return list(self._running.values())

    def now(self) -> float:
        """The simulated second counters are read at."""
        return self._clock.now()
