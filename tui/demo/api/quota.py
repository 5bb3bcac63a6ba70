"""ResourceQuotas: what the pods of a namespace may ask for together, and how much there may be."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from tui import quantity
from tui.demo import resources
from tui.demo.api import errors
from tui.demo.resource import Resource
from tui.demo.store import Entry, Object, Store

_SHORT: Final = {"cpu": "requests.cpu", "memory": "requests.memory"}
"""``cpu`` means ``requests.cpu``."""
COUNTED: Final = ("limits.cpu", "limits.memory", "pods", "requests.cpu", "requests.memory")
"""The names a quota of what pods ask for is kept of."""
_OBJECTS: Final = ("configmaps", "persistentvolumeclaims", "resourcequotas", "secrets", "services")
_COUNT: Final = "count/"


def usage(specs: Iterable[Object], name: str) -> int:
    """What pods ask for of one of `COUNTED`, in thousandths."""
    name = _SHORT.get(name, name)
    if name == "pods":
        return 1000 * sum(1 for _ in specs)
    part, _, resource = name.partition(".")
    total = 0
    for spec in specs:
        for container in spec.get("containers") or ():
            amounts = (container.get("resources") or {}).get(part) or {}
            if resource in amounts:
                total += quantity.milli(str(amounts[resource]))
    return total


def _storage(name: str) -> str:
    """What a quota counts the objects of; empty where it is kept of something else."""
    if name.startswith(_COUNT):
        return name.removeprefix(_COUNT)
    return name if name in _OBJECTS else ""


def used(store: Store, namespace: str, names: Iterable[str]) -> dict[str, int]:
    """What there is in a namespace of each name that a quota is kept of, in thousandths."""
    specs = pods_of(store, namespace)
    found = {}
    for name in names:
        storage = _storage(name)
        if storage:
            found[name] = 1000 * sum(1 for _ in store.entries(storage, namespace))
        else:
            found[name] = usage(specs, name)
    return found


def pods_of(store: Store, namespace: str) -> list[Object]:
    """The specs of the pods that count."""
    return [
        pod.spec
        for pod in store.entries(resources.PODS.storage, namespace)
        if pod.status.get("phase") not in ("Succeeded", "Failed")
    ]


def counted(quota: Entry) -> dict[str, str]:
    """The names and amounts of a quota that are kept; others are never exceeded."""
    hard = quota.spec.get("hard") or {}
    return {
        name: str(hard[name])
        for name in sorted(hard)
        if _SHORT.get(name, name) in COUNTED or _storage(name)
    }


def admit(store: Store, resource: Resource, data: Object) -> None:
    """Let a new object in, if every quota of its namespace has room for it.

    Raises:
        ApiError: 403, a quota would be exceeded, or a pod does not say what it asks for.
    """
    namespace, name = data["metadata"].get("namespace"), data["metadata"]["name"]
    if not namespace:
        return
    is_pod = resource is resources.PODS
    for quota in store.entries(resources.RESOURCE_QUOTAS.storage, namespace):
        limits = counted(quota)
        missing = _unsaid(data["spec"], limits) if is_pod else ""
        if missing:
            why = f"failed quota: {quota.name}: must specify {missing}"
            raise errors.forbidden(resource, name, why)
        asked = {}
        for each in limits:
            if storage := _storage(each):
                asked[each] = 1000 if storage == resource.storage else 0
            else:
                asked[each] = usage([data["spec"]], each) if is_pod else 0
        there = used(store, namespace, [each for each in limits if asked[each]])
        over = [each for each, n in there.items() if asked[each] + n > quantity.milli(limits[each])]
        if over:
            requested = ",".join(f"{one}={amount(one, asked[one])}" for one in over)
            already = ",".join(f"{one}={amount(one, there[one])}" for one in over)
            limited = ",".join(f"{one}={limits[one]}" for one in over)
            why = (
                f"exceeded quota: {quota.name}, requested: {requested}, used: {already}, "
                f"limited: {limited}"
            )
            raise errors.forbidden(resource, name, why)


def _unsaid(spec: Object, limits: dict[str, str]) -> str:
    """What containers would have to say, as the message puts it."""
    words = []
    for each in limits:
        part, _, resource = _SHORT.get(each, each).partition(".")
        if not resource or _storage(each):
            continue
        silent = [
            container["name"]
            for container in spec.get("containers") or ()
            if resource not in ((container.get("resources") or {}).get(part) or {})
        ]
        if silent:
            words.append(f"{each} for: {','.join(silent)}")
    return "; ".join(words)


def amount(name: str, milli: int) -> str:
    """Thousandths as the API prints them."""
    if name.endswith("cpu"):
        return f"{milli // 1000}" if milli % 1000 == 0 else f"{milli}m"
    whole = milli // 1000
    if name.endswith("memory"):
        for unit, size in (("Gi", 1024**3), ("Mi", 1024**2), ("Ki", 1024)):
            if whole and whole % size == 0:
                return f"{whole // size}{unit}"
    return str(whole)
