"""ResourceQuotas: what the pods of a namespace may ask for together."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from tui import quantity
from tui.demo import resources
from tui.demo.api import errors
from tui.demo.store import Entry, Object, Store

_SHORT: Final = {"cpu": "requests.cpu", "memory": "requests.memory"}
"""``cpu`` means ``requests.cpu``."""
COUNTED: Final = ("limits.cpu", "limits.memory", "pods", "requests.cpu", "requests.memory")
"""The names a quota is kept of; others are accepted and never exceeded."""


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


def pods_of(store: Store, namespace: str) -> list[Object]:
    """The specs of the pods that count."""
    return [
        pod.spec
        for pod in store.entries(resources.PODS.storage, namespace)
        if pod.status.get("phase") not in ("Succeeded", "Failed")
    ]


def counted(quota: Entry) -> dict[str, str]:
    """The names and amounts of a quota that are kept."""
    hard = quota.spec.get("hard") or {}
    return {name: str(hard[name]) for name in sorted(hard) if _SHORT.get(name, name) in COUNTED}


def admit(store: Store, pod: Object) -> None:
    """Let a new pod in, if every quota of its namespace has room for it.

    Raises:
        ApiError: 403, a quota would be exceeded, or the pod does not say what it asks for.
    """
    namespace, name = pod["metadata"]["namespace"], pod["metadata"]["name"]
    for quota in store.entries(resources.RESOURCE_QUOTAS.storage, namespace):
        limits = counted(quota)
        missing = _unsaid(pod["spec"], limits)
        if missing:
            why = f"failed quota: {quota.name}: must specify {missing}"
            raise errors.forbidden(resources.PODS, name, why)
        there = pods_of(store, namespace)
        exceeded = []
        for each, limit in limits.items():
            asked, used = usage([pod["spec"]], each), usage(there, each)
            if asked and used + asked > quantity.milli(limit):
                exceeded.append((each, asked, used, limit))
        if exceeded:
            requested = ",".join(f"{one}={amount(one, asked)}" for one, asked, _, _ in exceeded)
            already = ",".join(f"{one}={amount(one, used)}" for one, _, used, _ in exceeded)
            limited = ",".join(f"{one}={limit}" for one, _, _, limit in exceeded)
            why = (
                f"exceeded quota: {quota.name}, requested: {requested}, used: {already}, "
                f"limited: {limited}"
            )
            raise errors.forbidden(resources.PODS, name, why)


def _unsaid(spec: Object, limits: dict[str, str]) -> str:
    """What containers would have to say, as the message puts it."""
    words = []
    for each in limits:
        part, _, resource = _SHORT.get(each, each).partition(".")
        if not resource:
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
