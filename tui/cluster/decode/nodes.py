"""Nodes (v1)."""

from __future__ import annotations

from typing import Final

import msgspec

from tui.cluster.decode.common import (
    LeanMeta,
    WireCondition,
    identity,
    instant,
    labels_of,
    milli,
    shared,
    whole,
)
from tui.state.rows import NodeRow

_ROLE_PREFIX: Final = "node-role.kubernetes.io/"
_ROLE: Final = "kubernetes.io/role"
_GOOD_WHEN_TRUE: Final = ("Ready", "Available", "Healthy", "EtcdIsVoter")
"""Endings of condition types that distributions add and that are well when True."""


class Spec(msgspec.Struct, gc=False):
    """``spec``."""

    unschedulable: bool | None = None
    providerID: str | None = None  # noqa: N815


class Info(msgspec.Struct, gc=False):
    """``status.nodeInfo``."""

    kubeletVersion: str | None = None  # noqa: N815


class Address(msgspec.Struct, gc=False):
    """``status.addresses[]``."""

    type: str | None = None
    address: str | None = None


class Status(msgspec.Struct, gc=False):
    """``status``."""

    capacity: dict[str, str | int | float | None] | None = None
    allocatable: dict[str, str | int | float | None] | None = None
    conditions: list[WireCondition] | None = None
    nodeInfo: Info | None = None  # noqa: N815
    addresses: list[Address] | None = None


class Node(msgspec.Struct, gc=False):
    """A node as it comes over the wire."""

    metadata: LeanMeta | None = None
    spec: Spec | None = None
    status: Status | None = None


_NO_SPEC: Final = Spec()
_NO_STATUS: Final = Status()
_NO_INFO: Final = Info()


def project(node: Node) -> NodeRow:
    """The row of a node."""
    meta = node.metadata
    uid, name, namespace, created = identity(meta)
    spec = node.spec or _NO_SPEC
    status = node.status or _NO_STATUS
    capacity = status.capacity or {}
    allocatable = status.allocatable or {}
    ready, ready_since, problems = _health(status.conditions)
    return NodeRow(
        uid=uid,
        name=shared(name),
        namespace=namespace,
        created=created,
        ready=ready,
        ready_since=ready_since,
        problems=problems,
        unschedulable=bool(spec.unschedulable),
        roles=_roles((meta.labels if meta else None) or {}),
        version=(status.nodeInfo or _NO_INFO).kubeletVersion or "",
        cpu_capacity=milli(capacity.get("cpu")) or 0,
        cpu_allocatable=milli(allocatable.get("cpu")) or 0,
        memory_capacity=whole(capacity.get("memory")) or 0,
        memory_allocatable=whole(allocatable.get("memory")) or 0,
        pods_allocatable=whole(allocatable.get("pods")) or 0,
        provider=spec.providerID or "",
        addresses=tuple((a.type or "", a.address) for a in status.addresses or () if a.address),
        labels=labels_of(meta.labels if meta else None),
    )


def _health(
    conditions: list[WireCondition] | None,
) -> tuple[str, float | None, tuple[str, ...]]:
    """The Ready condition's status and since when, and what else is wrong."""
    ready, since = "Unknown", None
    problems: list[str] = []
    for condition in conditions or ():
        if not condition.type:
            continue
        if condition.type == "Ready":
            ready = shared(condition.status or "Unknown")
            since = instant(condition.lastTransitionTime)
        elif condition.type.endswith(_GOOD_WHEN_TRUE):
            if condition.status == "False":
                problems.append(f"{condition.type}=False")
        elif condition.status == "True":
            problems.append(condition.type)
    return ready, since, tuple(problems)


def _roles(labels: dict[str, str | None]) -> tuple[str, ...]:
    """Roles as ``kubectl get nodes`` finds them, sorted."""
    roles = {
        key.removeprefix(_ROLE_PREFIX)
        for key in labels
        if key.startswith(_ROLE_PREFIX) and len(key) > len(_ROLE_PREFIX)
    }
    role = labels.get(_ROLE)
    if role:
        roles.add(role)
    return tuple(sorted(roles))
