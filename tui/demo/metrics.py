"""The metrics server: samples every 15 s, of which two make a figure.

Like metrics-server_ it keeps the last two points of each container's CPU counter. A pod that has
been seen only once has no figure yet, and the figures stand still between scrapes.

.. _metrics-server: https://github.com/kubernetes-sigs/metrics-server
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Final, NamedTuple

import msgspec

from tui.demo import resources
from tui.demo.api import errors, listing, selectors
from tui.demo.api.paths import Target
from tui.demo.api.representation import listed, whole_of
from tui.demo.api.requests import Request, Response
from tui.demo.clock import Clock
from tui.demo.node.usage import Usage
from tui.demo.store import Entry, Object, Store

RESOLUTION: Final = 15.0
"""Simulated seconds between scrapes."""
_API_SERVICE: Final = "v1beta1.metrics.k8s.io"
_WORDS: Final = {
    404: "the server could not find the requested resource (get pods.metrics.k8s.io)",
    503: "the server is currently unable to handle the request (get pods.metrics.k8s.io)",
}
_NODE_CPU: Final = 0.055
_NODE_MEMORY: Final = 900 * 1024 * 1024
_encode = msgspec.json.Encoder().encode


class UnavailableError(Exception):
    """Nobody answers for the metrics API. The text is what a controller reports."""


class ContainerSample(NamedTuple):
    """What one container used."""

    name: str
    cpu: float
    """Cores, averaged over the window."""
    memory: int
    """Bytes."""


class PodSample(NamedTuple):
    """What one pod used."""

    namespace: str
    name: str
    labels: dict[str, str]
    timestamp: float
    """Simulated second of the scrape."""
    window: float
    """Simulated seconds the CPU figure is averaged over."""
    containers: tuple[ContainerSample, ...]


class _Point(NamedTuple):
    time: float
    cpu_seconds: float
    memory: int
    since: float


@dataclass(slots=True)
class _Series:
    last: _Point
    previous: _Point | None = None


@dataclass(slots=True)
class _NodeSeries:
    points: list[tuple[float, float, int]] = field(default_factory=list)


class Metrics:
    """Scrapes the nodes and answers for ``metrics.k8s.io``."""

    def __init__(self, store: Store, clock: Clock, usage: Usage, rng: Random) -> None:
        self._store = store
        self._clock = clock
        self._usage = usage
        self._rng = rng
        self._series: dict[tuple[str, str], _Series] = {}
        self._nodes: dict[str, _NodeSeries] = {}
        self._totals: dict[str, float] = {}
        self.before_scrape: list[Callable[[], None]] = []
        """Called before each scrape, to bring the counters up to date."""

    def refusal(self) -> Response | None:
        """What the API server answers if nobody stands behind the metrics API."""
        entry = self._store.get(resources.API_SERVICES.storage, "", _API_SERVICE)
        if entry is None:
            return Response.text("404 page not found\n", 404)
        conditions = entry.status.get("conditions") or ()
        if not any(one["type"] == "Available" and one["status"] == "True" for one in conditions):
            return Response.text("service unavailable\n", 503)
        return None

    def start(self) -> None:
        """Begin to scrape."""
        self._clock.call_later(RESOLUTION, self._tick)

    def _tick(self) -> None:
        self._clock.call_later(RESOLUTION, self._tick)
        self.scrape()

    def scrape(self) -> None:
        """Take one sample of everything that runs."""
        if self.refusal() is not None:
            # What it knew was in the memory of a pod that is gone.
            self._series.clear()
            self._nodes.clear()
            return
        for call in self.before_scrape:
            call()
        now = self._clock.now()
        seen: set[tuple[str, str]] = set()
        node_cpu: dict[str, float] = {}
        node_memory: dict[str, int] = {}
        for usage in self._usage.running():
            key = (usage.uid, usage.container)
            seen.add(key)
            # A kubelet's own sampling is never on the beat to the millisecond.
            moment = now + self._rng.uniform(-0.008, 0.008)
            point = _Point(moment, usage.cpu_seconds(now), usage.memory, usage.since)
            before = self._series.get(key)
            kept = before.last if before and before.last.since == usage.since else None
            self._series[key] = _Series(point, kept)
            used = point.cpu_seconds - (kept.cpu_seconds if kept else 0.0)
            node_cpu[usage.node] = node_cpu.get(usage.node, 0.0) + used
            node_memory[usage.node] = node_memory.get(usage.node, 0) + usage.memory
        for key in self._series.keys() - seen:
            del self._series[key]
        for node in self._store.entries(resources.NODES.storage):
            if node.name in self._usage.lost:
                self._nodes.pop(node.name, None)
                continue
            points = self._nodes.setdefault(node.name, _NodeSeries()).points
            overhead = _NODE_CPU * self._rng.uniform(0.8, 1.2) * RESOLUTION
            self._totals[node.name] = (
                self._totals.get(node.name, 0.0) + node_cpu.get(node.name, 0.0) + overhead
            )
            memory = _NODE_MEMORY + node_memory.get(node.name, 0)
            points.append((now, self._totals[node.name], memory))
            del points[:-2]

    def pods(self, namespace: str | None = None, selector: Object | None = None) -> list[PodSample]:
        """The current figures, by namespace and name.

        Args:
            namespace: None for all.
            selector: a LabelSelector object; None for all.

        Raises:
            UnavailableError: the metrics API is down.
        """
        refusal = self.refusal()
        if refusal is not None:
            raise UnavailableError(_WORDS[refusal.status])
        found = []
        for pod in self._store.list_at(resources.PODS.storage, namespace, None):
            if selector is None or selectors.matches(selector, pod.labels):
                sample = self._pod(pod)
                if sample is not None:
                    found.append(sample)
        return found

    def _pod(self, pod: Entry) -> PodSample | None:
        samples = []
        timestamp, window = 0.0, 0.0
        for container in pod.spec.get("containers") or ():
            series = self._series.get((pod.uid, container["name"]))
            if series is None or series.previous is None:
                return None  # a pod is shown whole or not at all
            last, before = series.last, series.previous
            span = last.time - before.time
            cpu = max(0.0, last.cpu_seconds - before.cpu_seconds) / span
            samples.append(ContainerSample(container["name"], cpu, last.memory))
            if not timestamp or last.time < timestamp:
                timestamp, window = last.time, span
        return PodSample(pod.namespace, pod.name, pod.labels, timestamp, window, tuple(samples))

    # -- the API

    def respond(self, target: Target, request: Request) -> Response:
        """Answer a get or a list of ``metrics.k8s.io``.

        Raises:
            ApiError: 400 for a bad selector, 404 for what has no figures.
        """
        shown = self._pod_items if target.resource is resources.POD_METRICS else self._node_items
        items = shown(target, request)
        if not target.name:
            return Response(200, listed(target.resource, {}, [_encode(item) for item in items]))
        if not items:
            # Of nodes the metrics server speaks in the singular.
            node = target.resource is not resources.POD_METRICS
            kind = "node" if node else target.resource.plural
            about = {"name": target.name, "kind": kind}
            message = f'{kind} "{target.name}" not found'
            raise errors.ApiError(404, "NotFound", message, about)
        return Response(200, whole_of(target.resource, items[0]) + b"\n")

    def _pod_items(self, target: Target, request: Request) -> list[Object]:
        chosen = listing.Filter(request, resources.PODS)
        items = []
        for pod in self._store.list_at(resources.PODS.storage, target.namespace, None):
            if (target.name and pod.name != target.name) or not chosen(pod):
                continue
            sample = self._pod(pod)
            if sample is not None:
                containers = [
                    {"name": one.name, "usage": _amounts(one.cpu, one.memory)}
                    for one in sample.containers
                ]
                body = {"containers": containers}
                items.append(self._item(pod, sample.timestamp, sample.window) | body)
        return items

    def _node_items(self, target: Target, request: Request) -> list[Object]:
        chosen = listing.Filter(request, resources.NODES)
        items = []
        for node in self._store.list_at(resources.NODES.storage, None, None):
            if (target.name and node.name != target.name) or not chosen(node):
                continue
            points = self._nodes.get(node.name, _NodeSeries()).points
            if len(points) == 2:
                (began, cpu_before, _), (ended, cpu_after, memory) = points
                cpu = max(0.0, cpu_after - cpu_before) / (ended - began)
                usage = {"usage": _amounts(cpu, memory)}
                items.append(self._item(node, ended, ended - began) | usage)
        return items

    def _item(self, entry: Entry, timestamp: float, window: float) -> Object:
        metadata: Object = {"name": entry.name}
        if entry.namespace:
            metadata["namespace"] = entry.namespace
        metadata["creationTimestamp"] = self._clock.stamp()
        if entry.labels:
            metadata["labels"] = entry.labels
        real = window / self._clock.speed
        return {
            "metadata": metadata,
            "timestamp": self._clock.stamp(timestamp),
            "window": f"{real:.3f}".rstrip("0").rstrip(".") + "s",
        }


def _amounts(cpu: float, memory: int) -> Object:
    nano = round(cpu * 1e9)
    return {"cpu": f"{nano}n" if nano else "0", "memory": f"{memory // 1024}Ki"}
