"""Events: recorded, counted when they repeat, combined when they pour, forgotten in time."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from tui.demo import resources
from tui.demo.api import errors
from tui.demo.api.operations import Api, Writer
from tui.demo.clock import Clock
from tui.demo.resource import Resource
from tui.demo.store import Entry, Object

LIFETIME: Final = 3600.0
"""Simulated seconds an event is kept."""
_SIMILAR_LIMIT: Final = 10
_SIMILAR_WINDOW: Final = 600.0
_PURGE_EVERY: Final = 300.0
_NOBODY: Final = Writer("")


@dataclass(slots=True)
class _Seen:
    name: str
    count: int
    last: float


@dataclass(slots=True)
class _Similar:
    messages: set[str] = field(default_factory=set)
    last: float = 0.0


class Recorder:
    """Writes events as client-go's event recorder does."""

    def __init__(self, api: Api, clock: Clock) -> None:
        self._api = api
        self._clock = clock
        self._seen: dict[tuple[str, ...], _Seen] = {}
        self._similar: dict[tuple[str, ...], _Similar] = {}
        self._sequence = 0

    def start(self) -> None:
        """Begin to forget old events."""
        self._clock.call_later(_PURGE_EVERY, self._purge)

    def record(
        self,
        about: tuple[Resource, Entry],
        type_: str,
        reason: str,
        message: str,
        component: str,
        *,
        host: str = "",
        field_path: str = "",
    ) -> None:
        """Record an event in core/v1 style.

        Args:
            about: the object it is about.
            type_: ``Normal`` or ``Warning``.
            reason: one word.
            message: for people.
            component: who saw it.
            host: the node it was seen on.
            field_path: the container, such as ``spec.containers{app}``.
        """
        resource, entry = about
        now = self._clock.now()
        combined = self._pours((entry.uid, field_path, type_, reason, component), message, now)
        if combined:
            message = f"(combined from similar events): {message}"
        key = (entry.uid, field_path, type_, reason, component, "" if combined else message)
        seen = self._seen.get(key)
        if seen is not None and self._repeat(entry, seen, message, now):
            return
        source = {"component": component}
        if host:
            source["host"] = host
        stamp = self._clock.stamp()
        data: Object = {
            "metadata": {},
            "involvedObject": _reference(resource, entry, field_path),
            "reason": reason,
            "message": message,
            "source": source,
            "firstTimestamp": stamp,
            "lastTimestamp": stamp,
            "count": 1,
            "type": type_,
            "eventTime": None,
            "reportingComponent": "" if combined else component,
            "reportingInstance": "" if combined else host,
        }
        name = self._create(entry, data)
        if name:
            self._seen[key] = _Seen(name, 1, now)

    def record_action(
        self,
        about: tuple[Resource, Entry],
        type_: str,
        reason: str,
        message: str,
        action: str,
        component: str,
    ) -> None:
        """Record an event in events.k8s.io/v1 style, as the scheduler does."""
        resource, entry = about
        data: Object = {
            "metadata": {},
            "involvedObject": _reference(resource, entry, ""),
            "reason": reason,
            "message": message,
            "source": {},
            "firstTimestamp": None,
            "lastTimestamp": None,
            "type": type_,
            "eventTime": self._clock.stamp_micro(),
            "action": action,
            "reportingComponent": component,
            "reportingInstance": f"{component}-embedded",
        }
        self._create(entry, data)

    def _create(self, entry: Entry, data: Object) -> str:
        self._sequence += 1
        tick = int(self._clock.now() * 1e6) * 1000 + self._sequence % 1000
        name = f"{entry.name[:230]}.{tick:x}"
        namespace = entry.namespace or "default"
        data["metadata"] = {"name": name, "namespace": namespace}
        try:
            self._api.create(resources.EVENTS, namespace, data, _NOBODY)
        except errors.ApiError:  # the namespace is gone: nobody is left to tell
            return ""
        return name

    def _repeat(self, entry: Entry, seen: _Seen, message: str, now: float) -> bool:
        stored = self._api.store.get(
            resources.EVENTS.storage, entry.namespace or "default", seen.name
        )
        if stored is None:
            return False
        seen.count += 1
        seen.last = now

        def alter(data: Object) -> None:
            data["count"] = seen.count
            data["message"] = message
            data["lastTimestamp"] = self._clock.stamp()

        self._api.change(resources.EVENTS, stored, alter, _NOBODY)
        return True

    def _pours(self, kind: tuple[str, ...], message: str, now: float) -> bool:
        similar = self._similar.setdefault(kind, _Similar())
        if now - similar.last > _SIMILAR_WINDOW:
            similar.messages.clear()
        similar.last = now
        if len(similar.messages) < _SIMILAR_LIMIT:
            similar.messages.add(message)
        return len(similar.messages) >= _SIMILAR_LIMIT

    def _purge(self) -> None:
        self._clock.call_later(_PURGE_EVERY, self._purge)
        now = self._clock.now()
        store = self._api.store
        for entry in store.entries(resources.EVENTS.storage):
            stamp = entry.data.get("lastTimestamp") or entry.data.get("eventTime")
            if stamp is None or now - self._clock.simulated(stamp) > LIFETIME:
                store.remove(resources.EVENTS.storage, entry.namespace, entry.name)
        self._seen = {k: s for k, s in self._seen.items() if now - s.last <= LIFETIME}
        self._similar = {k: s for k, s in self._similar.items() if now - s.last <= LIFETIME}


def _reference(resource: Resource, entry: Entry, field_path: str) -> Object:
    reference: Object = {"kind": resource.kind}
    if entry.namespace:
        reference["namespace"] = entry.namespace
    reference |= {
        "name": entry.name,
        "uid": entry.uid,
        "apiVersion": resource.group_version,
        "resourceVersion": str(entry.revision),
    }
    if field_path:
        reference["fieldPath"] = field_path
    return reference
