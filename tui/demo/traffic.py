"""The built-in traffic: calm, a rush that scales the app out, calm again, without end.

It stands in for people with browsers. Requests are not sent; their cost is charged to the CPU
counters of the pods behind a Service, and of the proxies before it. When somebody sends real
ones it makes room, and begins anew once they have been over for as long as it rests itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Final, Protocol

from tui.demo import resources
from tui.demo.clock import Clock
from tui.demo.node.usage import ContainerUsage, Usage
from tui.demo.store import Entry, Store

_MEBI: Final = 1024 * 1024
_STEP: Final = 1.0
_FEW: Final = 10
"""Requests in a step that are no more than somebody looking."""


@dataclass(frozen=True, slots=True)
class Wave:
    """One cycle of traffic; times in simulated seconds, demand in cores.

    The rush ends on a scrape of the metrics (a multiple of 15 s), so that no sample is half of
    each and the scale-down comes in one step.
    """

    calm: float = 20.0
    """Before the rush."""
    ramp: float = 8.0
    """Until the rush is at its height."""
    rush: float = 190.0
    """From the first request to the last."""
    rest: float = 420.0
    """After the rush; longer than the window of the scale-down, or it is never seen."""
    peak: float = 0.92
    """What the app would use if nothing limited it."""
    spread: float = 0.1
    """How much a second may differ, as a share."""

    @property
    def length(self) -> float:
        """The whole cycle."""
        return self.calm + self.rush + self.rest

    def demand(self, at: float) -> float:
        """Cores asked for, ``at`` seconds into the cycle."""
        into = at - self.calm
        if not 0 <= into < self.rush:
            return 0.0
        return self.peak * min(1.0, (into + 1) / self.ramp)


class Demand(Protocol):
    """What is asked of an app over time."""

    @property
    def rest(self) -> float:
        """Seconds of quiet before it begins anew after real requests."""

    @property
    def length(self) -> float:
        """Seconds of the whole cycle."""

    @property
    def spread(self) -> float:
        """How much a second may differ, as a share."""

    def demand(self, at: float) -> float:
        """Cores asked for, ``at`` seconds into the cycle."""


@dataclass(frozen=True, slots=True)
class Curve:
    """Requests per second, straight from point to point."""

    points: tuple[tuple[float, float], ...]
    """Simulated seconds and requests per second, in order of time."""
    cost: float
    """Core-seconds a request."""
    spread: float = 0.1
    repeat: bool = True
    rest: float = 420.0

    @property
    def length(self) -> float:
        """The whole cycle; without end if it does not repeat."""
        return self.points[-1][0] if self.repeat else float("inf")

    def demand(self, at: float) -> float:
        """Cores asked for, ``at`` seconds into the cycle."""
        before, rate = self.points[0]
        for time, value in self.points:
            if at < time:
                rate += (value - rate) * (at - before) / (time - before)
                break
            before, rate = time, value
        return rate * self.cost


class Traffic:
    """Charges the demand of a wave to the pods of an app.

    Args:
        app: namespace and name of the Service whose pods do the work.
        proxies: namespace and name of Services whose pods pass the requests on, and the share of
            the app's cost that passing on costs.
        served: counts the real requests that have come in.
        allowance: cores that a pod's container may count on.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        usage: Usage,
        rng: Random,
        wave: Demand,
        app: tuple[str, str] = ("default", "fastapi-svc"),
        proxies: tuple[tuple[str, str, float], ...] = (("default", "caddy-svc", 0.25),),
        served: Callable[[], int] = lambda: 0,
        allowance: Callable[[str, str], float] = lambda uid, container: float("inf"),
    ) -> None:
        self._store = store
        self._clock = clock
        self._usage = usage
        self._rng = rng
        self.wave = wave
        self._app = app
        self._proxies = proxies
        self._cycle = 0
        self._strength = 1.0
        self._served = served
        self._allowance = allowance
        self._seen = 0
        self._quiet_from: float = clock.start
        """When a cycle may begin: the start, or some time after the last real requests."""

    def start(self) -> None:
        """Begin the first cycle at the clock's start."""
        self._clock.call_later(max(0.0, self._clock.start - self._clock.now()), self._tick)

    def _tick(self) -> None:
        self._clock.call_later(_STEP, self._tick)
        now, count = self._clock.now(), self._served()
        if count - self._seen > _FEW:
            self._quiet_from = now + self.wave.rest
        self._seen = count
        if now < self._quiet_from:
            return
        cycle, at = divmod(now - self._quiet_from, self.wave.length)
        if cycle != self._cycle:
            self._cycle = int(cycle)
            self._strength = self._rng.uniform(0.94, 1.12)
        demand = self.wave.demand(at) * self._strength
        if not demand:
            return
        demand *= self._rng.uniform(1 - self.wave.spread, 1 + self.wave.spread)
        served = self._charge(self._backends(*self._app), demand)
        for namespace, service, share in self._proxies:
            self._charge(self._backends(namespace, service), served * share)

    def _backends(self, namespace: str, service: str) -> list[Entry]:
        """The ready pods of a Service, by its Endpoints."""
        endpoints = self._store.get(resources.ENDPOINTS.storage, namespace, service)
        if endpoints is None:
            return []
        names = [
            address["targetRef"]["name"]
            for subset in endpoints.data.get("subsets") or ()
            for address in subset.get("addresses") or ()
            if address.get("targetRef")
        ]
        pods = (self._store.get(resources.PODS.storage, namespace, name) for name in names)
        return [pod for pod in pods if pod is not None]

    def _charge(self, pods: list[Entry], cores: float) -> float:
        """Divide the work of one step; returns the cores that the pods' limits let through."""
        found = [usage for pod in pods if (usage := self._first(pod)) is not None]
        if not found:
            return 0.0
        shares = [self._rng.gauss(1.0, 0.06) for _ in found]
        total = sum(shares)
        served = 0.0
        for usage, share in zip(found, shares, strict=True):
            asked = cores * max(0.0, share) / total
            limit = usage.cpu_limit
            given = min(asked, self._allowance(usage.uid, usage.container))
            if limit is not None:
                given = min(given, max(0.0, limit - usage.idle_cpu))
            usage.work(given * _STEP)
            usage.memory = _warmer(usage.memory, self._rng)
            served += given
        return served

    def _first(self, pod: Entry) -> ContainerUsage | None:
        containers = pod.spec.get("containers") or ()
        return self._usage.of(pod.uid, containers[0]["name"]) if containers else None


def _warmer(memory: int, rng: Random) -> int:
    """Memory of a process at work: it grows a little towards a ceiling and breathes."""
    ceiling = 90 * _MEBI
    return int(memory + max(0, ceiling - memory) * 0.002 + rng.uniform(-0.05, 0.05) * _MEBI)
