"""The pattern of a controller: events put keys in a queue, each key is reconciled by itself."""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import ClassVar, Final

from tui.demo.api.errors import ApiError
from tui.demo.api.operations import Api
from tui.demo.clock import Clock, Timer
from tui.demo.events import Recorder
from tui.demo.metrics import Metrics
from tui.demo.resource import Resource
from tui.demo.store import Entry, Event, Key, Object, Store

_FIRST_RETRY: Final = 0.1
_LAST_RETRY: Final = 60.0


@dataclass(frozen=True, slots=True)
class ControlPlane:
    """What every controller is given."""

    api: Api
    store: Store
    clock: Clock
    events: Recorder
    metrics: Metrics
    rng: Random


class Controller(ABC):
    """Reconciles one kind of object.

    A subclass says in `start` what to watch and how an event maps to keys, and in `reconcile`
    makes the world right for one key. A key waits ``latency`` simulated seconds, as one does in
    a real controller's queue, and is in the queue once however many events ask for it. Whatever
    a reconcile raises is tried again, later each time.
    """

    name: ClassVar[str]
    """The component that events name, such as ``deployment-controller``."""
    latency: ClassVar[float] = 0.012

    def __init__(self, plane: ControlPlane) -> None:
        self.plane = plane
        self.api = plane.api
        self.store = plane.store
        self.clock = plane.clock
        self._queued: dict[Key, tuple[float, Timer]] = {}
        self._failures: dict[Key, int] = {}

    @abstractmethod
    def start(self) -> None:
        """Subscribe to what matters and enqueue what exists."""

    @abstractmethod
    def reconcile(self, key: Key) -> None:
        """Make the world right for one object, which may be gone."""

    def watch(self, resource: Resource, keys: Callable[[Event], list[Key]] | None = None) -> None:
        """Enqueue at each event of a resource: the object's own key, or those ``keys`` gives."""

        def listen(event: Event) -> None:
            for key in [event.entry.key] if keys is None else keys(event):
                self.enqueue(key)

        self.store.subscribe(resource.storage, listen)
        for entry in self.store.entries(resource.storage):
            listen(Event("ADDED", entry, None))

    def enqueue(self, key: Key, after: float | None = None) -> None:
        """Reconcile a key in ``after`` simulated seconds, or sooner if it is already due."""
        delay = self.latency if after is None else after
        due = self.clock.now() + delay
        waiting = self._queued.get(key)
        if waiting is not None:
            if waiting[0] <= due:
                return
            waiting[1].cancel()
        self._queued[key] = (due, self.clock.call_later(delay, lambda: self._run(key)))

    def is_available(self, owner: Entry, pod: Entry) -> bool:
        """Whether a pod is ready, and for as long as its owner's ``minReadySeconds`` asks.

        The owner is reconciled again when a wait that is under way ends.
        """
        if not is_ready(pod):
            return False
        wait = int(owner.spec.get("minReadySeconds", 0))
        if not wait:
            return True
        since = (condition(pod.status, "Ready") or {}).get("lastTransitionTime")
        if not since:
            return False
        left = self.clock.simulated(since) + wait - self.clock.now()
        if left > 0:
            self.enqueue(owner.key, left + 0.01)
        return left <= 0

    def _run(self, key: Key) -> None:
        self._queued.pop(key, None)
        try:
            self.reconcile(key)
        except ApiError as problem:
            # What is gone, or is going with its namespace, needs nothing more.
            if problem.code != 404 and not _is_ending(problem):
                self._retry(key, problem)
        except Exception as problem:  # one bad object must not stop a controller
            self._retry(key, problem)
        else:
            self._failures.pop(key, None)

    def _retry(self, key: Key, problem: Exception) -> None:
        failures = self._failures[key] = self._failures.get(key, 0) + 1
        if failures == 3:
            where = "/".join(filter(None, key))
            what = f"{type(problem).__name__}: {problem}"
            sys.stderr.write(f"{self.name}: cannot reconcile {where}, will retry: {what}\n")
        self.enqueue(key, min(_FIRST_RETRY * 2**failures, _LAST_RETRY))

    def record(
        self, resource: Resource, entry: Entry, type_: str, reason: str, message: str
    ) -> None:
        """Record an event about an object."""
        self.plane.events.record((resource, entry), type_, reason, message, self.name)


def _is_ending(problem: ApiError) -> bool:
    """Whether a namespace refused something because it is being terminated."""
    causes = (problem.details or {}).get("causes") or ()
    return any(cause.get("reason") == "NamespaceTerminating" for cause in causes)


def owner_key(event: Event, kind: str) -> list[Key]:
    """The key of the controlling owner, if it is of a kind."""
    reference = controller_of(event.entry)
    if reference is None or reference["kind"] != kind:
        return []
    return [(event.entry.namespace, reference["name"])]


def controller_of(entry: Entry) -> Object | None:
    """The owner reference of the object's controller."""
    for reference in entry.metadata.get("ownerReferences") or ():
        if reference.get("controller"):
            found: Object = reference
            return found
    return None


def owner_reference(resource: Resource, entry: Entry) -> Object:
    """A reference that makes ``entry`` the controller of something."""
    return {
        "apiVersion": resource.group_version,
        "kind": resource.kind,
        "name": entry.name,
        "uid": entry.uid,
        "controller": True,
        "blockOwnerDeletion": True,
    }


def condition(status: Object, type_: str) -> Object | None:
    """A condition of a status by its type."""
    for one in status.get("conditions") or ():
        if one.get("type") == type_:
            found: Object = one
            return found
    return None


def is_ready(pod: Entry) -> bool:
    """Whether the pod's Ready condition is True."""
    ready = condition(pod.status, "Ready")
    return ready is not None and ready.get("status") == "True"


def is_finished(pod: Entry) -> bool:
    """Whether the pod has succeeded or failed."""
    return pod.status.get("phase") in ("Succeeded", "Failed")
