"""ResourceQuotas: what is used of them, kept in their status."""

from __future__ import annotations

from typing import ClassVar

from tui.demo import resources
from tui.demo.api import quota
from tui.demo.api.operations import CONTROLLER_STATUS
from tui.demo.controllers.base import Controller
from tui.demo.store import Event, Key, Object


class QuotaController(Controller):
    """Counts what the pods of a namespace ask for."""

    name: ClassVar[str] = "resourcequota-controller"
    latency: ClassVar[float] = 0.05

    def start(self) -> None:
        """Watch what matters."""
        self.watch(resources.RESOURCE_QUOTAS)
        self.watch(resources.PODS, self._quotas)

    def _quotas(self, event: Event) -> list[Key]:
        namespace = event.entry.namespace
        storage = resources.RESOURCE_QUOTAS.storage
        return [entry.key for entry in self.store.entries(storage, namespace)]

    def reconcile(self, key: Key) -> None:
        """Make the world right for one key."""
        entry = self.store.get(resources.RESOURCE_QUOTAS.storage, *key)
        if entry is None:
            return
        specs = quota.pods_of(self.store, entry.namespace)
        used = {name: quota.amount(name, quota.usage(specs, name)) for name in quota.counted(entry)}
        status: Object = {"hard": entry.spec.get("hard") or {}, "used": used}
        if entry.status == status:
            return

        def alter(data: Object) -> None:
            data["status"] = status

        self.api.change(resources.RESOURCE_QUOTAS, entry, alter, CONTROLLER_STATUS)
