"""ResourceQuotas: what is used of them, kept in their status."""

from __future__ import annotations

from typing import ClassVar

from tui.demo import resources
from tui.demo.api import quota
from tui.demo.api.operations import CONTROLLER_STATUS
from tui.demo.controllers.base import Controller
from tui.demo.store import Event, Key, Object


class QuotaController(Controller):
    """Counts what there is in a namespace, and what its pods ask for."""

    name: ClassVar[str] = "resourcequota-controller"
    latency: ClassVar[float] = 0.05

    def start(self) -> None:
        """Watch what matters."""
        self.watch(resources.RESOURCE_QUOTAS)
        self.watch(resources.PODS, self._quotas)
        for resource in self.api.registry.stored():
            if resource.namespaced and resource not in (resources.PODS, resources.EVENTS):
                self.watch(resource, self._counts)

    def _counts(self, event: Event) -> list[Key]:
        return [] if event.type == "MODIFIED" else self._quotas(event)

    def _quotas(self, event: Event) -> list[Key]:
        namespace = event.entry.namespace
        storage = resources.RESOURCE_QUOTAS.storage
        return [entry.key for entry in self.store.entries(storage, namespace)]

    def reconcile(self, key: Key) -> None:
        """Make the world right for one key."""
        entry = self.store.get(resources.RESOURCE_QUOTAS.storage, *key)
        if entry is None:
            return
        there = quota.used(self.store, entry.namespace, quota.counted(entry))
        used = {name: quota.amount(name, number) for name, number in there.items()}
        status: Object = {"hard": entry.spec.get("hard") or {}, "used": used}
        if entry.status == status:
            return

        def alter(data: Object) -> None:
            data["status"] = status

        self.api.change(resources.RESOURCE_QUOTAS, entry, alter, CONTROLLER_STATUS)
