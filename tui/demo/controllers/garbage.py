"""Garbage collection by ownerReferences: background, foreground and orphan."""

from __future__ import annotations

from functools import partial
from typing import ClassVar, Final

from tui.demo import resources
from tui.demo.api import errors
from tui.demo.api.operations import CONTROLLER_MANAGER, DeleteOptions
from tui.demo.controllers.base import Controller
from tui.demo.resource import Resource
from tui.demo.store import Entry, Event, Key, Object

_FOREGROUND: Final = "foregroundDeletion"
_ORPHAN: Final = "orphan"


class GarbageCollector(Controller):
    """Deletes what its owners left behind. Its keys are (``""``, uid of an owner)."""

    name: ClassVar[str] = "garbage-collector-controller"
    latency: ClassVar[float] = 0.03

    def start(self) -> None:
        """Watch what matters."""
        self._owners: dict[str, tuple[Resource, Entry]] = {}
        self._dependents: dict[str, set[tuple[Resource, Key]]] = {}
        for resource in self.api.registry.stored():
            self._follow(resource)
        self.api.registry.on_added(self._follow)

    def _follow(self, resource: Resource) -> None:
        if resource is not resources.EVENTS:
            self.watch(resource, partial(self._seen, resource))

    def _seen(self, resource: Resource, event: Event) -> list[Key]:
        entry = event.entry
        keys: list[Key] = []
        references = entry.metadata.get("ownerReferences") or ()
        place = (resource, entry.key)
        if event.type == "DELETED":
            self._owners.pop(entry.uid, None)
            keys.append(("", entry.uid))
            for reference in references:
                self._dependents.get(reference["uid"], set()).discard(place)
                keys.append(("", reference["uid"]))
            return keys
        self._owners[entry.uid] = (resource, entry)
        for reference in references:
            self._dependents.setdefault(reference["uid"], set()).add(place)
            if reference["uid"] not in self._owners:
                keys.append(("", reference["uid"]))
        if entry.deleting and entry.metadata.get("finalizers"):
            keys.append(("", entry.uid))
        return keys

    def reconcile(self, key: Key) -> None:
        """Make the world right for one key."""
        uid = key[1]
        dependents = self._dependents_of(uid)
        owner = self._owners.get(uid)
        if owner is None:
            for resource, entry in dependents:
                self._release(resource, entry, uid)
            self._dependents.pop(uid, None)
            return
        resource, entry = owner
        if not entry.deleting:
            return
        finalizers = entry.metadata.get("finalizers") or []
        if _ORPHAN in finalizers:
            for dependent_resource, dependent in dependents:
                self._disown(dependent_resource, dependent, uid)
            self._drop_finalizer(resource, entry, _ORPHAN)
        elif _FOREGROUND in finalizers:
            for dependent_resource, dependent in dependents:
                if not dependent.deleting:
                    self._delete(dependent_resource, dependent, "Foreground")
            if not any(_blocks(dependent, uid) for _, dependent in self._dependents_of(uid)):
                self._drop_finalizer(resource, entry, _FOREGROUND)

    def _dependents_of(self, uid: str) -> list[tuple[Resource, Entry]]:
        found = []
        for resource, key in sorted(
            self._dependents.get(uid, ()), key=lambda place: (place[0].qualified, place[1])
        ):
            entry = self.store.get(resource.storage, *key)
            if entry is not None and _references(entry, uid):
                found.append((resource, entry))
        return found

    def _release(self, resource: Resource, entry: Entry, uid: str) -> None:
        """The owner is gone: delete, unless another owner still stands."""
        others = [r for r in entry.metadata["ownerReferences"] if r["uid"] != uid]
        if any(reference["uid"] in self._owners for reference in others):
            self._disown(resource, entry, uid)
        elif not entry.deleting:
            self._delete(resource, entry, "Background")

    def _delete(self, resource: Resource, entry: Entry, propagation: str) -> None:
        options = DeleteOptions(propagation, uid=entry.uid)
        try:
            self.api.delete(resource, entry.namespace, entry.name, options)
        except errors.ApiError as problem:
            if problem.code not in (404, 409):
                raise

    def _disown(self, resource: Resource, entry: Entry, uid: str) -> None:
        def alter(data: Object) -> None:
            kept = [r for r in data["metadata"]["ownerReferences"] if r["uid"] != uid]
            data["metadata"]["ownerReferences"] = kept

        self.api.change(resource, entry, alter, CONTROLLER_MANAGER)
        self._dependents.get(uid, set()).discard((resource, entry.key))

    def _drop_finalizer(self, resource: Resource, entry: Entry, finalizer: str) -> None:
        def alter(data: Object) -> None:
            kept = [one for one in data["metadata"]["finalizers"] if one != finalizer]
            data["metadata"]["finalizers"] = kept

        self.api.change(resource, entry, alter, CONTROLLER_MANAGER)


def _references(entry: Entry, uid: str) -> bool:
    return any(r["uid"] == uid for r in entry.metadata.get("ownerReferences") or ())


def _blocks(entry: Entry, uid: str) -> bool:
    return any(
        r["uid"] == uid and r.get("blockOwnerDeletion")
        for r in entry.metadata.get("ownerReferences") or ()
    )
