"""APIServices: whether somebody stands behind an aggregated API."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Final

from tui.demo import resources
from tui.demo.api.operations import Writer
from tui.demo.controllers.base import Controller, condition
from tui.demo.store import Entry, Event, Key, Object

_STATUS: Final = Writer("kube-apiserver", "status")
_FLAG: Final = "--secure-port="
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
        status, reason, message = self._look(entry.spec)
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

    def _look(self, spec: Object) -> tuple[str, str, str]:
        service = spec.get("service")
        if not service:
            return ("True", "Local", "Local APIServices are always available")
        namespace, name = service.get("namespace", ""), service.get("name", "")
        found = self.store.get(resources.SERVICES.storage, namespace, name)
        if found is None:
            message = f'service/{name} in "{namespace}" is not present'
            return ("False", "ServiceNotFound", message)
        ports = found.spec.get("ports") or ()
        port: Object = next((one for one in ports if one["port"] == service.get("port", 443)), {})
        refused = ""
        for entry in self.store.entries(resources.ENDPOINT_SLICES.storage, namespace):
            if entry.labels.get("kubernetes.io/service-name") != name:
                continue
            for address, pod, number in _ready(entry, port.get("name", "")):
                backend = self.store.get(resources.PODS.storage, namespace, pod)
                if backend is None or _listens(backend, number):
                    return _PASSED
                refused = f"{address}:{number}"
        if refused:
            group = f"apis/{spec.get('group', '')}/{spec.get('version', '')}"
            url = f"https://{refused}/{group}"
            message = (
                f'failing or missing response from {url}: Get "{url}": dial tcp {refused}: '
                "connect: connection refused"
            )
            return ("False", "FailedDiscoveryCheck", message)
        message = (
            f'endpointslices for service/{name} in "{namespace}" have no addresses with port name '
            f'"{port.get("name", "")}"'
        )
        return ("False", "MissingEndpoints", message)


def _ready(slice_: Entry, port_name: str) -> Iterator[tuple[str, str, int]]:
    """Address, pod and port number of what is ready in an endpoint slice."""
    for port in slice_.data.get("ports") or ():
        if port.get("name", "") != port_name:
            continue
        for one in slice_.data.get("endpoints") or ():
            if one["conditions"].get("ready"):
                pod = (one.get("targetRef") or {}).get("name", "")
                yield one["addresses"][0], pod, port["port"]


def _listens(pod: Entry, port: int) -> bool:
    """Whether an API answers at a port of a pod: where its flag says, else where it declares."""
    known: set[int] = set()
    for container in pod.spec.get("containers") or ():
        words = [*(container.get("command") or ()), *(container.get("args") or ())]
        flags = [word.partition("=")[2] for word in words if word.startswith(_FLAG)]
        declared = [one["containerPort"] for one in container.get("ports") or ()]
        known.update(int(flag) for flag in flags if flag.isdecimal())
        if not flags:
            known.update(declared)
    return not known or port in known
