"""Change without end: pods restart, lose readiness and are replaced, at a steady rate."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Sequence
from random import Random
from typing import Final, TypeVar

from tui.demo import resources
from tui.demo.clock import Clock
from tui.demo.store import Store
from tui.demo.synthetic import objects
from tui.demo.synthetic.objects import App, Pod
from tui.demo.synthetic.population import Population

TICK: Final = 0.02
"""Seconds between bunches of events."""
SYNC: Final = 15.0
"""Seconds in which every app's status is written once, as an HPA's is."""
SLICES: Final = 30.0
"""Seconds in which every EndpointSlice is."""
HEARTBEAT: Final = 300.0
"""Seconds in which every node's conditions are, as by a kubelet whose node does not change."""
EVENTS: Final = 5.0
"""Events (the objects) a second, at most."""
_KEPT_EVENTS: Final = 1000
_REPLACED: Final = 1 / 7
"""Which part of the pods picked is replaced, which makes five events; of the others, one in four
restarts (one event) and the rest lose readiness for a moment (two)."""
_RESTARTED: Final = 1 / 4

T = TypeVar("T")
Step = Callable[[], bool]
"""Makes one event of a pod; False if there was nothing to do."""


class Churn:
    """Makes ``size.churn`` events of pods a second, and what follows from them.

    Args:
        population: what changes.
        store: where the rest is written.
        clock: paces it.
        rng: draws who is next.
    """

    def __init__(self, population: Population, store: Store, clock: Clock, rng: Random) -> None:
        self._population = population
        self._store = store
        self._clock = clock
        self._rng = rng
        self._due: list[tuple[float, int, Step]] = []
        self._order = 0
        self._owed = 0.0
        self._last = 0.0
        self._rounds: dict[str, float] = {"apps": 0.0, "slices": 0.0, "nodes": 0.0, "events": 0.0}
        self._next = {"apps": 0, "slices": 0, "nodes": 0}
        self._events: deque[tuple[str, str]] = deque()
        self._busy: set[str] = set()
        """Uids of the pods that something is happening to."""
        self.made = 0
        """Events of pods so far."""

    def start(self) -> None:
        """Begin."""
        self._last = self._clock.now()
        self._clock.call_later(TICK, self._tick)

    def _tick(self) -> None:
        self._clock.call_later(TICK, self._tick)
        now = self._clock.now()
        # After a pause (a laptop's sleep) what was missed stays undone.
        passed = min(1.0, now - self._last)
        self._last = now
        self._owed += self._population.size.churn * passed
        while self._owed >= 1:
            self._owed -= 1
            self._one(now)
        self._follow(passed)

    # -- pods

    def _one(self, now: float) -> None:
        """Make one event."""
        while self._due and self._due[0][0] <= now:
            if heapq.heappop(self._due)[2]():
                self.made += 1
                return
        for _ in range(8):
            pod = self._pick()
            if pod is not None:
                self._begin(pod)
                self.made += 1
                return

    def _pick(self) -> Pod | None:
        pods = self._population.pods[self._rng.choice(self._population.apps).deployment]
        pod = self._rng.choice(pods) if pods else None
        return pod if pod is not None and pod.ready and pod.uid not in self._busy else None

    def _begin(self, pod: Pod) -> None:
        self._busy.add(pod.uid)
        drawn = self._rng.random()
        if drawn < _REPLACED:
            self._step(pod, "terminating")
            self._tell(pod)
            self._later(1.0, lambda: self._removed(pod))
        elif drawn < _REPLACED + (1 - _REPLACED) * _RESTARTED:
            pod.restarts += 1
            self._step(pod, "ready")
            self._busy.discard(pod.uid)
        else:
            self._step(pod, "unready")
            self._later(2.0, lambda: self._settled(pod))

    def _later(self, most: float, step: Step) -> None:
        self._order += 1
        due = self._clock.now() + self._rng.uniform(0.2, 1.0) * most
        heapq.heappush(self._due, (due, self._order, step))

    def _step(self, pod: Pod, stage: objects.Stage) -> bool:
        was = pod.ready
        pod.stage = stage
        pod.changed = self._clock.stamp()
        pod.app.ready += pod.ready - was
        pod.app.stale = True
        self._population.write(pod)
        return True

    def _settled(self, pod: Pod) -> bool:
        self._busy.discard(pod.uid)
        return self._step(pod, "ready")

    def _removed(self, pod: Pod) -> bool:
        self._busy.discard(pod.uid)
        pods = self._population.pods[pod.app.deployment]
        pods.remove(pod)
        self._later(0.05, lambda: self._created(pod.app))
        return self._population.remove(pod)

    def _created(self, app: App) -> bool:
        pod = self._population.new_pod(app)
        self._population.pods[app.deployment].append(pod)
        self._population.write(pod)
        self._later(1.0, lambda: self._step(pod, "starting"))
        self._later(3.0, lambda: self._step(pod, "ready"))
        return True

    # -- what follows

    def _follow(self, passed: float) -> None:
        population = self._population
        for app in self._turn("apps", population.apps, passed / SYNC):
            app.level = min(0.54, max(0.46, app.level + self._rng.uniform(-0.02, 0.02)))
            population.write_app(app)
        for app in self._turn("slices", population.apps, passed / SLICES):
            if app.stale:
                population.write_slices(app)
        for node in self._turn("nodes", population.nodes, passed / HEARTBEAT):
            self._beat(node)
        self._rounds["events"] = min(1.0, self._rounds["events"] + passed * EVENTS)

    def _turn(self, name: str, of: Sequence[T], part: float) -> list[T]:
        """The next part of a round that never ends."""
        self._rounds[name] += part * len(of)
        count = int(self._rounds[name])
        self._rounds[name] -= count
        start = self._next[name]
        self._next[name] = (start + count) % max(1, len(of))
        return [of[(start + number) % len(of)] for number in range(min(count, len(of)))]

    def _beat(self, node: str) -> None:
        entry = self._store.get(resources.NODES.storage, "", node)
        if entry is not None:
            data = entry.copy()
            for condition in data["status"]["conditions"]:
                condition["lastHeartbeatTime"] = self._clock.stamp()
            self._store.put(resources.NODES.storage, data)

    def _tell(self, pod: Pod) -> None:
        if self._rounds["events"] < 1:
            return
        self._rounds["events"] -= 1
        made = objects.event(pod, objects.uid(self._rng), self._clock.stamp())
        entry = self._store.put(resources.EVENTS.storage, made)
        self._events.append(entry.key)
        if len(self._events) > _KEPT_EVENTS:
            old = self._events.popleft()
            if self._store.get(resources.EVENTS.storage, *old) is not None:
                self._store.remove(resources.EVENTS.storage, *old)
