"""Endpoints and EndpointSlices: which pods stand behind a Service."""

from __future__ import annotations

from typing import Any, ClassVar, Final

from tui.demo import resources
from tui.demo.api import selectors
from tui.demo.api.operations import CONTROLLER_MANAGER
from tui.demo.controllers.base import Controller, is_finished, is_ready, owner_reference
from tui.demo.store import Entry, Event, Key, Object

_MANAGED: Final = "endpoints.kubernetes.io/managed-by"
_HEADLESS: Final = "service.kubernetes.io/headless"
_TRIGGER: Final = "endpoints.kubernetes.io/last-change-trigger-time"
_SLICE_SIZE: Final = 100


class _Backends(Controller):
    """What both kinds of endpoints have in common: Services and the pods they select."""

    latency: ClassVar[float] = 0.02

    def start(self) -> None:
        """Watch what matters."""
        self.watch(resources.SERVICES)
        self.watch(resources.PODS, self._selecting)

    def _selecting(self, event: Event) -> list[Key]:
        pod = event.entry
        known = [pod.labels] if event.previous is None else [pod.labels, event.previous.labels]
        return [
            service.key
            for service in self.store.entries(resources.SERVICES.storage, pod.namespace)
            if service.spec.get("selector") and any(_selects(service, labels) for labels in known)
        ]

    def backends(self, service: Entry) -> list[Entry]:
        """The pods with an address that a Service selects, by name."""
        pods = [
            pod
            for pod in self.store.entries(resources.PODS.storage, service.namespace)
            if pod.status.get("podIP") and not is_finished(pod) and _selects(service, pod.labels)
        ]
        return sorted(pods, key=lambda pod: pod.name)


def _selects(service: Entry, labels: dict[str, str]) -> bool:
    return selectors.matches({"matchLabels": service.spec.get("selector")}, labels)


def target_port(pod: Entry, port: Object) -> int | None:
    """The number of a Service port's target in a pod; a name is looked up in its containers."""
    target = port.get("targetPort", port["port"])
    if isinstance(target, int):
        return target
    for container in pod.spec.get("containers") or ():
        for one in container.get("ports") or ():
            if one.get("name") == target and one.get("protocol") == port["protocol"]:
                number: int = one["containerPort"]
                return number
    return None


def _pod_reference(pod: Entry) -> Object:
    return {"kind": "Pod", "namespace": pod.namespace, "name": pod.name, "uid": pod.uid}


class EndpointsController(_Backends):
    """The older form: one object with the name of the Service."""

    name: ClassVar[str] = "endpoint-controller"

    def reconcile(self, key: Key) -> None:
        """Make the world right for one key."""
        service = self.store.get(resources.SERVICES.storage, *key)
        current = self.store.get(resources.ENDPOINTS.storage, *key)
        if service is None:
            if current is not None:
                self.api.delete(resources.ENDPOINTS, *key)
            return
        if not service.spec.get("selector"):
            return
        subsets = self._subsets(service)
        if current is None:
            labels = {**service.labels, _MANAGED: "endpoint-controller"}
            if service.spec.get("clusterIP") == "None":
                labels[_HEADLESS] = ""
            data: Object = {"metadata": {"name": service.name, "labels": labels}}
            data["metadata"]["annotations"] = {_TRIGGER: self.clock.stamp()}
            if subsets:
                data["subsets"] = subsets
            self.api.create(resources.ENDPOINTS, service.namespace, data, CONTROLLER_MANAGER)
        elif (current.data.get("subsets") or []) != subsets:

            def alter(data: Object) -> None:
                data["subsets"] = subsets
                data["metadata"].setdefault("annotations", {})[_TRIGGER] = self.clock.stamp()

            self.api.change(resources.ENDPOINTS, current, alter, CONTROLLER_MANAGER)

    def _subsets(self, service: Entry) -> list[Object]:
        """Subsets by their port numbers, which differ only for named target ports."""
        found: dict[tuple[Any, ...], Object] = {}
        for pod in self.backends(service):
            if pod.deleting:
                continue
            ports = []
            for port in service.spec.get("ports") or ():
                number = target_port(pod, port)
                if number is not None:
                    named = {"name": port["name"]} if port.get("name") else {}
                    ports.append({**named, "port": number, "protocol": port["protocol"]})
            key = tuple((one.get("name"), one["port"], one["protocol"]) for one in ports)
            subset = found.setdefault(key, {"ports": ports})
            address = {
                "ip": pod.status["podIP"],
                "nodeName": pod.spec.get("nodeName", ""),
                "targetRef": _pod_reference(pod),
            }
            ready = is_ready(pod) or service.spec.get("publishNotReadyAddresses", False)
            subset.setdefault("addresses" if ready else "notReadyAddresses", []).append(address)
        return [
            {
                **{k: subset[k] for k in ("addresses", "notReadyAddresses") if k in subset},
                "ports": subset["ports"],
            }
            for subset in found.values()
        ]


class EndpointSliceController(_Backends):
    """The newer form: slices of at most 100 endpoints, owned by the Service."""

    name: ClassVar[str] = "endpoint-slice-controller"
    latency: ClassVar[float] = 0.025

    def start(self) -> None:
        """Watch what matters."""
        super().start()
        self.watch(resources.ENDPOINT_SLICES, self._lost)

    @staticmethod
    def _lost(event: Event) -> list[Key]:
        """A slice that went, as with a Service that was made anew, is missed by its Service."""
        service = event.entry.labels.get("kubernetes.io/service-name")
        return [(event.entry.namespace, service)] if event.type == "DELETED" and service else []

    def reconcile(self, key: Key) -> None:
        """Make the world right for one key."""
        service = self.store.get(resources.SERVICES.storage, *key)
        if service is None or service.deleting or not service.spec.get("selector"):
            return
        current = [
            entry
            for entry in self.store.entries(resources.ENDPOINT_SLICES.storage, service.namespace)
            if entry.labels.get("kubernetes.io/service-name") == service.name
        ]
        current.sort(key=lambda entry: entry.name)
        pods = self.backends(service)
        groups: dict[tuple[Any, ...], list[Entry]] = {}
        for pod in pods:
            numbers = tuple(target_port(pod, port) for port in service.spec.get("ports") or ())
            groups.setdefault(numbers, []).append(pod)
        wanted: list[tuple[list[Object] | None, list[Object]]] = []
        for numbers, members in groups.items():
            ports = [
                {"name": port.get("name", ""), "protocol": port["protocol"], "port": number}
                for port, number in zip(service.spec.get("ports") or (), numbers, strict=True)
                if number is not None
            ]
            endpoints = self._in_old_order([_endpoint(service, pod) for pod in members], current)
            wanted += [
                (ports, endpoints[first : first + _SLICE_SIZE])
                for first in range(0, len(endpoints), _SLICE_SIZE)
            ]
        if not wanted:
            wanted = [(None, [])]
        self._store(service, current, wanted)

    @staticmethod
    def _in_old_order(endpoints: list[Object], current: list[Entry]) -> list[Object]:
        known = [
            (one.get("targetRef") or {}).get("uid")
            for entry in current
            for one in entry.data.get("endpoints") or ()
        ]
        rank = {uid: position for position, uid in enumerate(known)}
        return sorted(endpoints, key=lambda one: rank.get(one["targetRef"]["uid"], len(rank)))

    def _store(
        self,
        service: Entry,
        current: list[Entry],
        wanted: list[tuple[list[Object] | None, list[Object]]],
    ) -> None:
        for index, (ports, endpoints) in enumerate(wanted):
            if index >= len(current):
                self._create(service, ports, endpoints)
                continue
            entry = current[index]
            if (entry.data.get("endpoints") or []) == endpoints and entry.data.get(
                "ports"
            ) == ports:
                continue

            def alter(data: Object, ports: Any = ports, endpoints: Any = endpoints) -> None:
                data["endpoints"] = endpoints
                data["ports"] = ports
                data["metadata"].setdefault("annotations", {})[_TRIGGER] = self.clock.stamp()

            self.api.change(resources.ENDPOINT_SLICES, entry, alter, CONTROLLER_MANAGER)
        for entry in current[len(wanted) :]:
            self.api.delete(resources.ENDPOINT_SLICES, entry.namespace, entry.name)

    def _create(self, service: Entry, ports: list[Object] | None, endpoints: list[Object]) -> None:
        self.api.create(
            resources.ENDPOINT_SLICES,
            service.namespace,
            {
                "metadata": {
                    "generateName": f"{service.name}-",
                    "labels": {
                        **service.labels,
                        "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
                        "kubernetes.io/service-name": service.name,
                    },
                    "annotations": {_TRIGGER: self.clock.stamp()},
                    "ownerReferences": [owner_reference(resources.SERVICES, service)],
                },
                "addressType": "IPv4",
                "endpoints": endpoints,
                "ports": ports,
            },
            CONTROLLER_MANAGER,
        )


def _endpoint(service: Entry, pod: Entry) -> Object:
    serving = is_ready(pod) or bool(service.spec.get("publishNotReadyAddresses"))
    return {
        "addresses": [pod.status["podIP"]],
        "conditions": {
            "ready": serving and not pod.deleting,
            "serving": serving,
            "terminating": pod.deleting,
        },
        "targetRef": _pod_reference(pod),
        "nodeName": pod.spec.get("nodeName", ""),
    }
