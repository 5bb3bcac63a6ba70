"""LimitRanges: what a container gets that says nothing, and what one may ask for.

https://kubernetes.io/docs/concepts/policy/limit-range/, in the words of the LimitRanger admission
plugin.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tui import quantity
from tui.demo import resources
from tui.demo.api import errors
from tui.demo.api.pod_defaults import qos_class
from tui.demo.resource import Resource
from tui.demo.store import Entry, Object, Store

_NOTE: Final = "kubernetes.io/limit-ranger"
_PARTS: Final = {"containers": "container", "initContainers": "init container"}
_Problems = Iterator[str]


def admit_pod(store: Store, pod: Object) -> None:
    """Give a new pod's containers their defaults, and hold them to the limits.

    Raises:
        ApiError: 403, it asks for too little or too much.
    """
    ranges = _ranges(store, pod)
    if not ranges:
        return
    notes: list[str] = []
    for entry in ranges:
        notes = _fill(pod["spec"], entry) or notes
    if notes:
        said = f"LimitRanger plugin set: {'; '.join(notes)}"
        pod["metadata"].setdefault("annotations", {})[_NOTE] = said
        pod["status"]["qosClass"] = qos_class(pod["spec"])
    for entry in ranges:
        _refuse(resources.PODS, pod, _of_pod(pod["spec"], entry))


def admit_claim(store: Store, claim: Object) -> None:
    """Hold a new claim to the limits.

    Raises:
        ApiError: 403, it asks for too little or too much.
    """
    requests = (claim["spec"].get("resources") or {}).get("requests") or {}
    for entry in _ranges(store, claim):
        found: list[str] = []
        for item in _items(entry, "PersistentVolumeClaim"):
            found += _bounds(item, requests, None)
        _refuse(resources.VOLUME_CLAIMS, claim, iter(found))


def _ranges(store: Store, data: Object) -> list[Entry]:
    namespace = data["metadata"]["namespace"]
    return list(store.list_at(resources.LIMIT_RANGES.storage, namespace, None))


def _items(entry: Entry, type_: str) -> list[Object]:
    return [one for one in entry.spec.get("limits") or () if one.get("type") == type_]


def _refuse(resource: Resource, data: Object, problems: _Problems) -> None:
    found = list(dict.fromkeys(problems))
    if found:
        why = found[0] if len(found) == 1 else f"[{', '.join(found)}]"
        raise errors.forbidden(resource, data["metadata"]["name"], why)


def _fill(spec: Object, entry: Entry) -> list[str]:
    """Fill in what containers do not say; returns what was, as the annotation has it."""
    notes = []
    for part, called in _PARTS.items():
        for container in spec.get(part) or ():
            amounts = container.setdefault("resources", {})
            given: dict[str, list[str]] = {}
            for kind, field in (("limits", "default"), ("requests", "defaultRequest")):
                for item in _items(entry, "Container"):
                    for name, text in (item.get(field) or {}).items():
                        if name not in amounts.setdefault(kind, {}):
                            amounts[kind][name] = text
                            given.setdefault(kind, []).append(name)
            for kind in ("requests", "limits"):
                if not amounts.get(kind, True):
                    del amounts[kind]
                if kind in given:
                    names = ", ".join(sorted(given[kind]))
                    notes.append(f"{names} {kind[:-1]} for {called} {container['name']}")
    return notes


def _of_pod(spec: Object, entry: Entry) -> _Problems:
    amounts = [
        container.get("resources") or {} for part in _PARTS for container in spec.get(part) or ()
    ]
    for item in _items(entry, "Container"):
        for one in amounts:
            yield from _bounds(item, one.get("requests") or {}, one.get("limits") or {})
    for item in _items(entry, "Pod"):
        together = [_sum(spec, kind) for kind in ("requests", "limits")]
        yield from _bounds(item, together[0], together[1])


def _sum(spec: Object, kind: str) -> dict[str, str]:
    total: dict[str, int] = {}
    for container in spec.get("containers") or ():
        for name, text in ((container.get("resources") or {}).get(kind) or {}).items():
            total[name] = total.get(name, 0) + quantity.milli(str(text))
    return {
        name: (quantity.format_milli if name == "cpu" else quantity.format_milli_bytes)(amount)
        for name, amount in total.items()
    }


def _bounds(item: Object, requests: Object, limits: Object | None) -> _Problems:
    """What is wrong with amounts; ``limits`` None where there are only requests."""
    type_ = item["type"]
    capped = limits is not None
    limits = limits or {}
    for name, bound in (item.get("min") or {}).items():
        head = f"minimum {name} usage per {type_} is {bound}"
        if name not in requests:
            yield f"{head}.  No request is specified"
        elif _milli(requests[name]) < _milli(bound):
            yield f"{head}, but request is {requests[name]}"
        elif name in limits and _milli(limits[name]) < _milli(bound):
            yield f"{head}, but limit is {limits[name]}"
    for name, bound in (item.get("max") or {}).items():
        head = f"maximum {name} usage per {type_} is {bound}"
        first = "limit" if capped else "request"
        if name not in (limits if capped else requests):
            yield f"{head}.  No {first} is specified"
        elif capped and _milli(limits[name]) > _milli(bound):
            yield f"{head}, but limit is {limits[name]}"
        elif name in requests and _milli(requests[name]) > _milli(bound):
            yield f"{head}, but request is {requests[name]}"
    for name, bound in (item.get("maxLimitRequestRatio") or {}).items():
        head = f"{name} max limit to request ratio per {type_} is {bound}"
        if not _milli(requests.get(name, "0")):
            yield f"{head}, but no request is specified or request is 0"
        elif not _milli(limits.get(name, "0")):
            yield f"{head}, but no limit is specified or limit is 0"
        elif (ratio := _milli(limits[name]) / _milli(requests[name])) * 1000 > _milli(bound):
            yield f"{head}, but provided ratio is {ratio:f}"


def _milli(text: object) -> int:
    return quantity.milli(str(text))
