"""APIServices: whether somebody stands behind an aggregated API."""

from __future__ import annotations

from typing import ClassVar, Final

from tui.demo import resources
from tui.demo.api.operations import Writer
from tui.demo.controllers.base import Controller, condition
from tui.demo.store import Event, Key, Object

_STATUS: Final = Writer("kube-apiserver", "status")
_PASSED: Final = ("True", "Passed", "all checks passed")


class ApiServiceController(Controller):
    """Keeps the Available condition, as the API server's aggregation layer does."""

    name: ClassVar[str] = "apiservice-availability-controller"
    latency: ClassVar[float] = 0.1

    def start(self) -> None:
        """Watch APIServices and what stands behind them."""
        self.watch(resources.API_SERVICES)
        self.watch(resources.SERVICES, self._behind)
        self.watch(resources.ENDPOINT_SLICES, self._behind)

    def _behind(self, event: Event) -> list[Key]:
        entry = event.entry
        names = (entry.name, entry.labels.get("kubernetes.io/service-name"))
        return [
            one.key
            for one in self.store.entries(resources.API_SERVICES.storage)
            if (service := one.spec.get("service"))
            and service.get("namespace") == entry.namespace
            and service.get("name") in names
        ]

    def reconcile(self, key: Key) -> None:
        """Write the condition if it is another than before."""
        entry = self.store.get(resources.API_SERVICES.storage, *key)
        if entry is None:
            return
        status, reason, message = self._look(entry.spec.get("service"))
        before = condition(entry.status, "Available") or {}
        if (before.get("status"), before.get("message")) == (status, message):
            return
        now = self.clock.stamp()
        available = {
            "type": "Available",
            "status": status,
            "lastTransitionTime": (
                before["lastTransitionTime"] if before.get("status") == status else now
            ),
            "reason": reason,
            "message": message,
        }

        def alter(data: Object) -> None:
            data["status"] = {"conditions": [available]}

        self.api.change(resources.API_SERVICES, entry, alter, _STATUS)

    def _look(self, service: Object | None) -> tuple[str, str, str]:
        if not service:
            return ("True", "Local", "Local APIServices are always available")
        namespace, name = service.get("namespace", ""), service.get("name", "")
        found = self.store.get(resources.SERVICES.storage, namespace, name)
        if found is None:
            message = f'service/{name} in "{namespace}" is not present'
            return ("False", "ServiceNotFound", message)
        ports = found.spec.get("ports") or ()
        port: Object = next((one for one in ports if one["port"] == service.get("port", 443)), {})
        for entry in self.store.entries(resources.ENDPOINT_SLICES.storage, namespace):
            if entry.labels.get("kubernetes.io/service-name") == name and any(
                one["conditions"].get("ready") for one in entry.data.get("endpoints") or ()
            ):
                return _PASSED
        message = (
            f'endpointslices for service/{name} in "{namespace}" have no addresses with port name '
            f'"{port.get("name", "")}"'
        )
        return ("False", "MissingEndpoints", message)
