"""Cluster IPs and node ports of Services: given out once, refused twice."""

from __future__ import annotations

import ipaddress
from random import Random
from typing import Final

from tui.demo import resources
from tui.demo.api import errors
from tui.demo.api.errors import Cause
from tui.demo.store import Object, Store

SERVICE_RANGE: Final = ipaddress.IPv4Network("10.96.0.0/16")
NODE_PORTS: Final = range(30000, 32768)
_WITH_NODE_PORTS: Final = ("NodePort", "LoadBalancer")


class ServiceAllocator:
    """Looks at the stored Services to know what is taken."""

    def __init__(self, store: Store, rng: Random) -> None:
        self._store = store
        self._rng = rng

    def allocate(self, data: Object, old: Object | None) -> None:
        """Complete a Service's addresses and ports in place, keeping those of its old version.

        Raises:
            ApiError: 422, an address or port asked for is taken or out of range.
        """
        spec = data["spec"]
        before = (old or {}).get("spec") or {}
        if spec["type"] == "ExternalName":
            for name in ("clusterIP", "clusterIPs"):
                spec.pop(name, None)
            return
        self._cluster_ip(data, before)
        spec.setdefault("ipFamilies", ["IPv4"])
        spec.setdefault("ipFamilyPolicy", "SingleStack")
        if spec["type"] in _WITH_NODE_PORTS:
            self._node_ports(data, before)
        else:
            for port in spec.get("ports") or ():
                port.pop("nodePort", None)

    def _others(self, data: Object) -> list[Object]:
        key = (data["metadata"].get("namespace", ""), data["metadata"]["name"])
        stored = self._store.entries(resources.SERVICES.storage)
        return [entry.spec for entry in stored if entry.key != key]

    def _cluster_ip(self, data: Object, before: Object) -> None:
        spec = data["spec"]
        asked = spec.get("clusterIP") or before.get("clusterIP") or ""
        taken = {other.get("clusterIP") for other in self._others(data)}
        if asked == "None":
            pass
        elif asked:
            problem = ""
            if not _in_range(asked):
                problem = "the provided network does not match the current range"
            elif asked in taken:
                problem = "provided IP is already allocated"
            if problem:
                detail = f"failed to allocate IP {asked}: {problem}"
                cause = Cause.invalid("spec.clusterIPs", [asked], detail)
                raise errors.invalid(resources.SERVICES, data["metadata"]["name"], [cause])
        else:
            asked = self._free_ip(taken)
        spec["clusterIP"] = asked
        spec["clusterIPs"] = [asked]

    def _free_ip(self, taken: set[str | None]) -> str:
        size = SERVICE_RANGE.num_addresses
        offset = self._rng.randrange(256, size - 1)
        for step in range(size):
            address = str(SERVICE_RANGE[1 + (offset + step) % (size - 2)])
            if address not in taken:
                return address
        raise errors.ApiError(500, "InternalError", "no service IP is free", {})

    def _node_ports(self, data: Object, before: Object) -> None:
        name = data["metadata"]["name"]
        old_ports = {
            (port.get("port"), port.get("protocol")): port.get("nodePort")
            for port in before.get("ports") or ()
        }
        taken = {
            port.get("nodePort")
            for other in self._others(data)
            for port in other.get("ports") or ()
        }
        for index, port in enumerate(data["spec"].get("ports") or ()):
            field = f"spec.ports[{index}].nodePort"
            asked = port.get("nodePort") or old_ports.get((port.get("port"), port.get("protocol")))
            if not asked:
                asked = self._free_port(taken)
            elif asked not in NODE_PORTS:
                detail = (
                    "provided port is not in the valid range. The range of valid ports is "
                    f"{NODE_PORTS[0]}-{NODE_PORTS[-1]}"
                )
                raise errors.invalid(
                    resources.SERVICES, name, [Cause.invalid(field, asked, detail)]
                )
            elif asked in taken:
                cause = Cause.invalid(field, asked, "provided port is already allocated")
                raise errors.invalid(resources.SERVICES, name, [cause])
            taken.add(asked)
            port["nodePort"] = asked

    def _free_port(self, taken: set[int | None]) -> int:
        free = [port for port in NODE_PORTS if port not in taken]
        if not free:
            raise errors.ApiError(500, "InternalError", "no node port is free", {})
        return self._rng.choice(free)


def _in_range(address: str) -> bool:
    try:
        return ipaddress.IPv4Address(address) in SERVICE_RANGE
    except ValueError:
        return False
