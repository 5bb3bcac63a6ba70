"""Rows of Services and of what stands behind and before them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from tui.demo.api import selectors
from tui.demo.cells.common import NONE, UNSET, Cells, Column, age, columns, pairs
from tui.demo.store import Object


def _service(data: Object, now: datetime) -> list[Any]:
    spec = data["spec"]
    ports = [
        ":".join(str(one[name]) for name in ("port", "nodePort") if one.get(name))
        + f"/{one['protocol']}"
        for one in spec.get("ports") or ()
    ]
    external = NONE
    if spec["type"] == "LoadBalancer":
        external = _balanced(data) or "<pending>"
    elif spec["type"] == "ExternalName":
        external = spec.get("externalName", "")
    elif spec.get("externalIPs"):
        external = ",".join(spec["externalIPs"])
    return [
        spec["type"],
        spec.get("clusterIP") or NONE,
        external,
        ",".join(ports) or NONE,
        age(data, now),
        pairs(spec.get("selector")),
    ]


def _addresses(found: list[str]) -> str:
    if not found:
        return NONE
    return ",".join(found[:3]) + (f" + {len(found) - 3} more..." if len(found) > 3 else "")


def _endpoints(data: Object, now: datetime) -> list[Any]:
    found = [
        f"{address['ip']}:{port['port']}"
        for subset in data.get("subsets") or ()
        for port in subset.get("ports") or ()
        for address in subset.get("addresses") or ()
    ]
    return [_addresses(found), age(data, now)]


def _slice(data: Object, now: datetime) -> list[Any]:
    ports = [str(one.get("port", "*")) for one in data.get("ports") or ()]
    found = [address for one in data.get("endpoints") or () for address in one["addresses"]]
    shown = _addresses(ports) if data.get("ports") else UNSET
    return [data.get("addressType", ""), shown, _addresses(found), age(data, now)]


def _ingress(data: Object, now: datetime) -> list[Any]:
    spec = data.get("spec") or {}
    hosts = [rule.get("host") or "*" for rule in spec.get("rules") or ()]
    ports = "80, 443" if spec.get("tls") else "80"
    name = spec.get("ingressClassName") or NONE
    return [name, ",".join(dict.fromkeys(hosts)) or "*", _balanced(data), ports, age(data, now)]


def _balanced(data: Object) -> str:
    """The addresses that a load balancer gave."""
    found = ((data.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ()
    return ",".join(str(one.get("ip") or one.get("hostname", "")) for one in found)


def _ingress_class(data: Object, now: datetime) -> list[Any]:
    spec = data.get("spec") or {}
    found = spec.get("parameters")
    shown = NONE
    if found:
        group = found.get("apiGroup")
        shown = f"{found.get('kind')}{'.' if group else ''}{group or ''}/{found.get('name')}"
    return [spec.get("controller", ""), shown, age(data, now)]


def _network_policy(data: Object, now: datetime) -> list[Any]:
    selector = (data.get("spec") or {}).get("podSelector")
    return [selectors.as_text(selector) or NONE, age(data, now)]


ROWS: Final[dict[str, tuple[tuple[Column, ...], Cells]]] = {
    "Service": (columns("Name Type Cluster-IP External-IP Port(s) Age", "Selector"), _service),
    "Endpoints": (columns("Name Endpoints Age"), _endpoints),
    "EndpointSlice": (columns("Name AddressType Ports Endpoints Age"), _slice),
    "Ingress": (columns("Name Class Hosts Address Ports Age"), _ingress),
    "IngressClass": (columns("Name Controller Parameters Age"), _ingress_class),
    "NetworkPolicy": (columns("Name Pod-Selector Age"), _network_policy),
}
