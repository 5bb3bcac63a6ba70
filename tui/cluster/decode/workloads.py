"""Deployments, ReplicaSets and StatefulSets (apps/v1)."""

from __future__ import annotations

from typing import Final

import msgspec

from tui.cluster.decode.common import (
    Int32,
    Meta,
    Selector,
    WireCondition,
    conditions_of,
    identity,
    owner_of,
    requirements_of,
)
from tui.state.rows import Condition, WorkloadRow

_REVISION: Final = "deployment.kubernetes.io/revision"
_LONGEST_MESSAGE: Final = 1024


class Spec(msgspec.Struct, gc=False):
    """``spec``."""

    replicas: Int32 | None = None
    selector: Selector | None = None


class Status(msgspec.Struct, gc=False):
    """``status``."""

    replicas: Int32 | None = None
    readyReplicas: Int32 | None = None  # noqa: N815
    updatedReplicas: Int32 | None = None  # noqa: N815
    availableReplicas: Int32 | None = None  # noqa: N815
    updateRevision: str | None = None  # noqa: N815
    conditions: list[WireCondition] | None = None


class Workload(msgspec.Struct, gc=False):
    """Any of the three as it comes over the wire."""

    metadata: Meta | None = None
    spec: Spec | None = None
    status: Status | None = None


_NO_SPEC: Final = Spec()
_NO_STATUS: Final = Status()


def deployment(workload: Workload) -> WorkloadRow:
    """The row of a Deployment."""
    return _project(workload, "Deployment")


def replicaset(workload: Workload) -> WorkloadRow:
    """The row of a ReplicaSet."""
    return _project(workload, "ReplicaSet")


def statefulset(workload: Workload) -> WorkloadRow:
    """The row of a StatefulSet."""
    return _project(workload, "StatefulSet")


def _project(workload: Workload, kind: str) -> WorkloadRow:
    meta = workload.metadata
    uid, name, namespace, created = identity(meta)
    spec = workload.spec or _NO_SPEC
    status = workload.status or _NO_STATUS
    annotations = (meta.annotations if meta else None) or {}
    return WorkloadRow(
        uid=uid,
        name=name,
        namespace=namespace,
        created=created,
        kind=kind,
        owner=owner_of(meta.ownerReferences) if meta else None,
        selector=requirements_of(spec.selector),
        revision=annotations.get(_REVISION) or status.updateRevision or "",
        replicas=1 if spec.replicas is None else spec.replicas,
        current=status.replicas or 0,
        ready=status.readyReplicas or 0,
        updated=status.updatedReplicas or 0,
        available=status.availableReplicas or 0,
        failure=_failure(status.conditions),
    )


def _failure(conditions: list[WireCondition] | None) -> Condition | None:
    for one in conditions or ():
        if one.type == "ReplicaFailure" and one.status == "True":
            one.message = (one.message or "")[:_LONGEST_MESSAGE]
            return conditions_of([one])[0]
    return None
