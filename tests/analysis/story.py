"""Stories played through a real store with a clock that is moved by hand."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tests.samples import NAMES, NOW, Clock, deployment, hpa, nodes, pod, replicaset, usage
from tui.analysis.focus import resolve
from tui.analysis.timeline import Entry, Timeline
from tui.state.links import Health
from tui.state.rows import Kind, PodRow, Row
from tui.state.store import Store


class Story:
    """Two pods, their Deployment and its HPA, listed and quiet."""

    def __init__(self, skew: float = 0.0) -> None:
        self.clock = Clock(NOW)
        self.skew = skew
        """Seconds the cluster's clock is ahead."""
        self.store = Store(self.clock)
        self.timeline = Timeline()
        self.tick()
        self.put(Kind.NODES, *nodes())
        self.put(Kind.REPLICASETS, replicaset(2))
        self.put(Kind.DEPLOYMENTS, deployment(2, 2))
        self.put(Kind.HPAS, hpa(2, 2, 3))
        self.put(Kind.PODS, *(pod(name, age=4000) for name in NAMES[:2]))
        for kind in Kind:
            self.store.link(kind, Health.LIVE)
        self.tick()
        self.tick(0.1)

    def put(self, kind: Kind, *rows: Row) -> None:
        self.store.put(kind, rows)

    def tick(self, seconds: float = 0.0) -> None:
        """Time passes, then the screen looks."""
        self.clock.now += seconds
        delta = self.store.drain()
        self.timeline.feed(delta, resolve(delta, None, None), self.clock.now)

    @property
    def stamp(self) -> float:
        """The cluster's time as it writes it: in whole seconds."""
        return float(int(self.clock.now + self.skew))

    def sample(self, *cpu: int) -> None:
        rows = [usage(n, c, time=self.stamp) for n, c in zip(NAMES, cpu, strict=False)]
        self.store.sample_pods(rows)

    def decide(self, current: int, desired: int, cpu: int = 90, **more: Any) -> None:
        """The HPA writes a size and tells it in its status."""
        self.put(Kind.DEPLOYMENTS, deployment(desired, current))
        self.tell(current, desired, cpu, last_scale=self.stamp, **more)

    def tell(self, current: int, desired: int | None, cpu: int | None = 90, **more: Any) -> None:
        """The HPA's status, and no more."""
        self.put(Kind.HPAS, hpa(current, desired, cpu, **more))

    def create(self, *numbers: int) -> None:
        self.put(Kind.PODS, *(self.made(n, "ContainerCreating") for n in numbers))

    def ready(self, *numbers: int) -> None:
        self.put(Kind.PODS, *(self.made(n, "Running") for n in numbers))

    def made(self, number: int, status: str, **more: Any) -> PodRow:
        fields = {"ready_since": self.stamp if status == "Running" else None, **more}
        return pod(NAMES[number], age=0, now=self.stamp, status=status, **fields)

    @property
    def entries(self) -> list[Entry]:
        return self.timeline.entries

    def told(self) -> list[str]:
        """The entries as lines, oldest first: what, and the lag in whole seconds."""
        return [_line(e) for e in reversed(self.entries)]


def _line(entry: Entry) -> str:
    lag = "" if entry.after is None else f" +{entry.after:.0f} s after {entry.cause}"
    return entry.text + lag


def texts(entries: Iterable[Entry]) -> list[str]:
    return [e.text for e in entries]
