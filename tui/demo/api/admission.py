"""What an object passes after its rules: allocation, quota, the default class, webhooks."""

from __future__ import annotations

from random import Random
from typing import Final

from tui.demo import resources
from tui.demo.api import quota, webhooks
from tui.demo.api.allocation import ServiceAllocator
from tui.demo.resource import Resource
from tui.demo.store import Object, Store

_DEFAULT_CLASS: Final = "storageclass.kubernetes.io/is-default-class"


class Admission:
    """Completes objects with what depends on other objects, or refuses them."""

    def __init__(self, store: Store, rng: Random) -> None:
        self._store = store
        self._services = ServiceAllocator(store, rng)

    def admit(self, resource: Resource, data: Object, old: Object | None) -> None:
        """Let an object in.

        Args:
            resource: what it is.
            data: the object, which may be changed.
            old: what it replaces; None for a new one.

        Raises:
            ApiError: 403, 422 or 500.
        """
        if resource is resources.SERVICES:
            self._services.allocate(data, old)
        elif resource is resources.PODS and old is None:
            quota.admit(self._store, data)
        elif resource is resources.VOLUME_CLAIMS and old is None:
            self._give_class(data["spec"])
        webhooks.admit(self._store, resource, data, "CREATE" if old is None else "UPDATE")

    def _give_class(self, spec: Object) -> None:
        """A claim that names no class gets the default one."""
        if "storageClassName" in spec:
            return
        for entry in self._store.list_at(resources.STORAGE_CLASSES.storage, None, None):
            if (entry.metadata.get("annotations") or {}).get(_DEFAULT_CLASS) == "true":
                spec["storageClassName"] = entry.name
