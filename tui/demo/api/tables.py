"""Tables: what ``kubectl get`` prints, made by the server as the real one does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final, NamedTuple

import msgspec

from tui.demo.api import selectors
from tui.demo.api.durations import human
from tui.demo.api.pod_words import words
from tui.demo.resources import Resource
from tui.demo.store import Entry, Object

_NONE: Final = "<none>"
_UNKNOWN: Final = "<unknown>"
_encode = msgspec.json.Encoder().encode


class Column(NamedTuple):
    """One column; ``wide`` ones are shown with ``-o wide`` alone."""

    name: str
    wide: bool = False


Cells = Callable[[Object, datetime], list[Any]]


def _ago(stamp: str | None, now: datetime) -> str:
    if not stamp:
        return _UNKNOWN
    return human((now - datetime.fromisoformat(stamp)).total_seconds())


def _age(data: Object, now: datetime) -> str:
    return _ago(data["metadata"].get("creationTimestamp"), now)


def _pod(data: Object, now: datetime) -> list[Any]:
    found = words(data)
    spec, status = data["spec"], data.get("status") or {}
    restarts = str(found.restarts)
    if found.restarted_at:
        restarts += f" ({_ago(found.restarted_at, now)} ago)"
    gates = spec.get("readinessGates")
    return [
        found.ready,
        found.status,
        restarts,
        _age(data, now),
        status.get("podIP") or _NONE,
        spec.get("nodeName") or _NONE,
        status.get("nominatedNodeName") or _NONE,
        f"0/{len(gates)}" if gates else _NONE,
    ]


def _containers(spec: Object) -> list[str]:
    containers = spec["template"]["spec"].get("containers") or ()
    return [",".join(str(one.get(name, "")) for one in containers) for name in ("name", "image")]


def _deployment(data: Object, now: datetime) -> list[Any]:
    spec, status = data["spec"], data.get("status") or {}
    return [
        f"{status.get('readyReplicas', 0)}/{spec.get('replicas', 1)}",
        status.get("updatedReplicas", 0),
        status.get("availableReplicas", 0),
        _age(data, now),
        *_containers(spec),
        selectors.as_text(spec.get("selector")),
    ]


def _replica_set(data: Object, now: datetime) -> list[Any]:
    spec, status = data["spec"], data.get("status") or {}
    return [
        spec.get("replicas", 1),
        status.get("replicas", 0),
        status.get("readyReplicas", 0),
        _age(data, now),
        *_containers(spec),
        selectors.as_text(spec.get("selector")),
    ]


def _stateful_set(data: Object, now: datetime) -> list[Any]:
    spec, status = data["spec"], data.get("status") or {}
    ready = f"{status.get('readyReplicas', 0)}/{spec.get('replicas', 1)}"
    return [ready, _age(data, now), *_containers(spec)]


def _service(data: Object, now: datetime) -> list[Any]:
    spec = data["spec"]
    ports = [
        ":".join(str(one[name]) for name in ("port", "nodePort") if one.get(name))
        + f"/{one['protocol']}"
        for one in spec.get("ports") or ()
    ]
    external = _NONE
    if spec["type"] == "LoadBalancer":
        external = "<pending>"
    elif spec["type"] == "ExternalName":
        external = spec.get("externalName", "")
    elif spec.get("externalIPs"):
        external = ",".join(spec["externalIPs"])
    return [
        spec["type"],
        spec.get("clusterIP") or _NONE,
        external,
        ",".join(ports) or _NONE,
        _age(data, now),
        _pairs(spec.get("selector")),
    ]


def _pairs(labels: dict[str, str] | None) -> str:
    return ",".join(f"{k}={v}" for k, v in sorted((labels or {}).items())) or _NONE


def _node(data: Object, now: datetime) -> list[Any]:
    spec, status = data.get("spec") or {}, data.get("status") or {}
    ready = [one for one in status.get("conditions") or () if one["type"] == "Ready"]
    shown = (
        ["Ready" if ready and ready[0]["status"] == "True" else "NotReady"] if ready else [_UNKNOWN]
    )
    if spec.get("unschedulable"):
        shown.append("SchedulingDisabled")
    labels = data["metadata"].get("labels") or {}
    prefix = "node-role.kubernetes.io/"
    roles = sorted(key.removeprefix(prefix) for key in labels if key.startswith(prefix))
    addresses = {one["type"]: one["address"] for one in status.get("addresses") or ()}
    info = status.get("nodeInfo") or {}
    kernel = info.get("kernelVersion", _UNKNOWN)
    return [
        ",".join(shown),
        ",".join(roles) or _NONE,
        _age(data, now),
        info.get("kubeletVersion", ""),
        addresses.get("InternalIP", _NONE),
        addresses.get("ExternalIP", _NONE),
        info.get("osImage", _UNKNOWN),
        f"{kernel} ({info['architecture']})" if info.get("architecture") else kernel,
        info.get("containerRuntimeVersion", _UNKNOWN),
    ]


def _hpa(data: Object, now: datetime) -> list[Any]:
    spec, status = data["spec"], data.get("status") or {}
    reference = spec["scaleTargetRef"]
    return [
        f"{reference.get('kind')}/{reference.get('name')}",
        _targets(spec.get("metrics") or [], status.get("currentMetrics") or []),
        str(spec["minReplicas"]) if "minReplicas" in spec else "<unset>",
        spec.get("maxReplicas", 0),
        status.get("currentReplicas", 0),
        _age(data, now),
    ]


_SHOWN_TARGETS: Final = 2


def _targets(metrics: list[Object], current: list[Object]) -> str:
    shown = [_target(m, current[i] if i < len(current) else {}) for i, m in enumerate(metrics)]
    text = ", ".join(shown[:_SHOWN_TARGETS]) or _NONE
    return f"{text} + {len(shown) - _SHOWN_TARGETS} more..." if len(shown) > 2 else text


def _target(metric: Object, now: Object) -> str:
    kind = metric["type"]
    part = {"ContainerResource": "containerResource"}.get(kind, kind.lower())
    source, found = metric.get(part) or {}, (now.get(part) or {}).get("current") or {}
    target = source.get("target") or {}
    label = f"{source['name']}: " if kind in ("Resource", "ContainerResource") else ""
    if "averageUtilization" in target:
        value = found.get("averageUtilization")
        shown = _UNKNOWN if value is None else f"{value}%"
        return f"{label}{shown}/{target['averageUtilization']}%"
    if target.get("averageValue") is not None:
        suffix = " (avg)" if kind in ("Object", "External") else ""
        return f"{label}{found.get('averageValue', _UNKNOWN)}/{target['averageValue']}{suffix}"
    return f"{label}{found.get('value', _UNKNOWN)}/{target.get('value', _UNKNOWN)}"


def _event(data: Object, now: datetime) -> list[Any]:
    about = data["involvedObject"]
    first = data.get("firstTimestamp") or data.get("eventTime")
    last = data.get("lastTimestamp") or first
    seen = _ago(last, now)
    count = data.get("count", 1) or 1
    source = data.get("source") or {}
    component = source.get("component") or data.get("reportingComponent", "")
    host = source.get("host", "")
    return [
        seen,
        data.get("type", ""),
        data.get("reason", ""),
        f"{about.get('kind', '').lower()}/{about.get('name', '')}",
        about.get("fieldPath", ""),
        f"{component}, {host}" if host else component,
        data.get("message", "").strip(),
        _ago(first, now),
        count,
        data["metadata"]["name"],
    ]


def _addresses(found: list[str]) -> str:
    if not found:
        return _NONE
    return ",".join(found[:3]) + (f" + {len(found) - 3} more..." if len(found) > 3 else "")


def _endpoints(data: Object, now: datetime) -> list[Any]:
    found = [
        f"{address['ip']}:{port['port']}"
        for subset in data.get("subsets") or ()
        for port in subset.get("ports") or ()
        for address in subset.get("addresses") or ()
    ]
    return [_addresses(found), _age(data, now)]


def _slice(data: Object, now: datetime) -> list[Any]:
    ports = [str(one.get("port", "*")) for one in data.get("ports") or ()]
    found = [address for one in data.get("endpoints") or () for address in one["addresses"]]
    shown = _addresses(ports) if data.get("ports") else "<unset>"
    return [data.get("addressType", ""), shown, _addresses(found), _age(data, now)]


def _config_map(data: Object, now: datetime) -> list[Any]:
    return [len(data.get("data") or {}) + len(data.get("binaryData") or {}), _age(data, now)]


def _secret(data: Object, now: datetime) -> list[Any]:
    return [data.get("type", ""), len(data.get("data") or {}), _age(data, now)]


def _service_account(data: Object, now: datetime) -> list[Any]:
    return [len(data.get("secrets") or ()), _age(data, now)]


def _namespace(data: Object, now: datetime) -> list[Any]:
    return [(data.get("status") or {}).get("phase", ""), _age(data, now)]


def _ingress(data: Object, now: datetime) -> list[Any]:
    spec = data.get("spec") or {}
    hosts = [rule.get("host") or "*" for rule in spec.get("rules") or ()]
    ports = "80, 443" if spec.get("tls") else "80"
    name = spec.get("ingressClassName") or _NONE
    return [name, ",".join(dict.fromkeys(hosts)) or "*", "", ports, _age(data, now)]


def _api_service(data: Object, now: datetime) -> list[Any]:
    service = (data.get("spec") or {}).get("service")
    name = f"{service['namespace']}/{service['name']}" if service else "Local"
    conditions = (data.get("status") or {}).get("conditions") or ()
    available = next((one for one in conditions if one["type"] == "Available"), None)
    shown = "Unknown" if available is None else available["status"]
    if available is not None and shown != "True":
        shown += f" ({available['reason']})"
    return [name, shown, _age(data, now)]


def _other(data: Object, now: datetime) -> list[Any]:
    return [data["metadata"].get("creationTimestamp", "")]


def _columns(text: str, wide: str = "") -> tuple[Column, ...]:
    return (
        *(Column(name) for name in text.split()),
        *(Column(name.replace("_", " "), True) for name in wide.split()),
    )


_KINDS: Final[dict[str, tuple[tuple[Column, ...], Cells]]] = {
    "Pod": (
        _columns("Name Ready Status Restarts Age", "IP Node Nominated_Node Readiness_Gates"),
        _pod,
    ),
    "Deployment": (
        _columns("Name Ready Up-to-date Available Age", "Containers Images Selector"),
        _deployment,
    ),
    "ReplicaSet": (
        _columns("Name Desired Current Ready Age", "Containers Images Selector"),
        _replica_set,
    ),
    "StatefulSet": (_columns("Name Ready Age", "Containers Images"), _stateful_set),
    "Service": (_columns("Name Type Cluster-IP External-IP Port(s) Age", "Selector"), _service),
    "Node": (
        _columns(
            "Name Status Roles Age Version",
            "Internal-IP External-IP OS-Image Kernel-Version Container-Runtime",
        ),
        _node,
    ),
    "HorizontalPodAutoscaler": (
        _columns("Name Reference Targets MinPods MaxPods Replicas Age"),
        _hpa,
    ),
    "Endpoints": (_columns("Name Endpoints Age"), _endpoints),
    "EndpointSlice": (_columns("Name AddressType Ports Endpoints Age"), _slice),
    "ConfigMap": (_columns("Name Data Age"), _config_map),
    "Secret": (_columns("Name Type Data Age"), _secret),
    "ServiceAccount": (_columns("Name Secrets Age"), _service_account),
    "Namespace": (_columns("Name Status Age"), _namespace),
    "Ingress": (_columns("Name Class Hosts Address Ports Age"), _ingress),
    "APIService": (_columns("Name Service Available Age"), _api_service),
}
_EVENT_COLUMNS: Final = (
    *(Column(name) for name in ("Last Seen", "Type", "Reason", "Object")),
    Column("Subobject", True),
    Column("Source", True),
    Column("Message"),
    *(Column(name, True) for name in ("First Seen", "Count", "Name")),
)


def columns(resource: Resource) -> list[Object]:
    """``columnDefinitions`` of a resource."""
    found = _EVENT_COLUMNS if resource.kind == "Event" else _KINDS.get(resource.kind, _OTHER)[0]
    return [
        {
            "name": one.name,
            "type": "string",
            "format": "name" if one.name == "Name" and not one.wide else "",
            "description": "",
            "priority": int(one.wide),
        }
        for one in found
    ]


_OTHER: Final[tuple[tuple[Column, ...], Cells]] = (_columns("Name Created_At"), _other)


def cells(resource: Resource, data: Object, now: datetime) -> list[Any]:
    """The cells of one object.

    Args:
        resource: what it is, in the stored version.
        data: the object.
        now: the wall clock's time, for ages.
    """
    if resource.kind == "Event":
        return _event(data, now)
    return [data["metadata"]["name"], *_KINDS.get(resource.kind, _OTHER)[1](data, now)]


def row(resource: Resource, entry: Entry, now: datetime, include: str) -> bytes:
    """One row; ``include`` is ``Metadata``, ``Object`` or ``None``, as in the query."""
    body: Object = {"cells": cells(resource, entry.data, now)}
    if include == "Object":
        kind = {"kind": resource.kind, "apiVersion": resource.group_version}
        body["object"] = msgspec.Raw(_encode(kind)[:-1] + b"," + entry.raw[1:])
    elif include != "None":
        body["object"] = {
            "kind": "PartialObjectMetadata",
            "apiVersion": "meta.k8s.io/v1",
            "metadata": entry.metadata,
        }
    return _encode(body)


def table(resource: Resource, metadata: Object, rows: list[bytes], *, head: bool = True) -> bytes:
    """A Table; without ``head`` it leaves the columns out, as later events of a watch do."""
    shown = {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": metadata,
        "columnDefinitions": columns(resource) if head else [],
    }
    return _encode(shown)[:-1] + b',"rows":[' + b",".join(rows) + b"]}"
