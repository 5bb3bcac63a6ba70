"""HorizontalPodAutoscalers (autoscaling/v2)."""

from __future__ import annotations

from typing import Final, TypeAlias

import msgspec

from tui.cluster.decode.common import (
    Int32,
    LeanMeta,
    NamedObject,
    Selector,
    WireCondition,
    approximate,
    conditions_of,
    identity,
    instant,
    milli,
    requirements_of,
)
from tui.state.rows import Direction, HpaRow, MetricRow, Policy, Requirement

Quantity: TypeAlias = str | int | float | None
_DEFAULT_CPU: Final = 80
"""Percent; what an HPA without ``spec.metrics`` aims at."""


class Value(msgspec.Struct, gc=False):
    """A metric's ``target`` or ``current``."""

    type: str | None = None
    averageUtilization: Int32 | None = None  # noqa: N815
    averageValue: Quantity = None  # noqa: N815
    value: Quantity = None


class Identifier(msgspec.Struct, gc=False):
    """``metric``: a custom or external metric's name and selector."""

    name: str | None = None
    selector: Selector | None = None


class Source(msgspec.Struct, gc=False):
    """Any of a metric's five shapes; in the spec it has a target, in the status a current."""

    name: str | None = None
    container: str | None = None
    metric: Identifier | None = None
    describedObject: NamedObject | None = None  # noqa: N815
    target: Value | None = None
    current: Value | None = None


class Metric(msgspec.Struct, gc=False):
    """``spec.metrics[]`` and ``status.currentMetrics[]``."""

    type: str | None = None
    resource: Source | None = None
    containerResource: Source | None = None  # noqa: N815
    pods: Source | None = None
    object: Source | None = None
    external: Source | None = None


class WirePolicy(msgspec.Struct, gc=False):
    """``behavior.scaleUp.policies[]``."""

    type: str | None = None
    value: Int32 | None = None
    periodSeconds: Int32 | None = None  # noqa: N815


class Rules(msgspec.Struct, gc=False):
    """``behavior.scaleUp`` and ``behavior.scaleDown``."""

    stabilizationWindowSeconds: Int32 | None = None  # noqa: N815
    selectPolicy: str | None = None  # noqa: N815
    policies: list[WirePolicy] | None = None
    tolerance: Quantity = None


class Behavior(msgspec.Struct, gc=False):
    """``spec.behavior``."""

    scaleUp: Rules | None = None  # noqa: N815
    scaleDown: Rules | None = None  # noqa: N815


class Spec(msgspec.Struct, gc=False):
    """``spec``."""

    scaleTargetRef: NamedObject | None = None  # noqa: N815
    minReplicas: Int32 | None = None  # noqa: N815
    maxReplicas: Int32 | None = None  # noqa: N815
    metrics: list[Metric | None] | None = None
    behavior: Behavior | None = None


class Status(msgspec.Struct, gc=False):
    """``status``."""

    currentReplicas: Int32 | None = None  # noqa: N815
    desiredReplicas: Int32 | None = None  # noqa: N815
    lastScaleTime: str | None = None  # noqa: N815
    currentMetrics: list[Metric | None] | None = None  # noqa: N815
    conditions: list[WireCondition] | None = None


class Hpa(msgspec.Struct, gc=False):
    """An HPA as it comes over the wire."""

    metadata: LeanMeta | None = None
    spec: Spec | None = None
    status: Status | None = None


_Identity: TypeAlias = tuple[str, str, str, str, str, tuple[Requirement, ...]]
_TARGETS: Final = {
    "Resource": ("AverageValue", "Utilization"),
    "ContainerResource": ("AverageValue", "Utilization"),
    "Pods": ("AverageValue",),
    "Object": ("AverageValue", "Value"),
    "External": ("AverageValue", "Value"),
}
"""By kind of metric, what is taken for its target, the first that is set."""
_OF_APPS: Final = ("Deployment", "ReplicaSet", "StatefulSet")
_NO_SPEC: Final = Spec()
_NO_STATUS: Final = Status()
_NO_SOURCE: Final = Source()
_NO_VALUE: Final = Value()
_DEFAULT_METRICS: Final = [
    Metric(
        type="Resource",
        resource=Source(
            name="cpu", target=Value(type="Utilization", averageUtilization=_DEFAULT_CPU)
        ),
    )
]


def project(hpa: Hpa) -> HpaRow:
    """The row of an HPA."""
    uid, name, namespace, created = identity(hpa.metadata)
    spec = hpa.spec or _NO_SPEC
    status = hpa.status or _NO_STATUS
    target = spec.scaleTargetRef or NamedObject()
    behavior = spec.behavior
    return HpaRow(
        uid=uid,
        name=name,
        namespace=namespace,
        created=created,
        target_kind=_target_kind(target),
        target_name=target.name or "",
        min=1 if spec.minReplicas is None else spec.minReplicas,
        max=1 if spec.maxReplicas is None else spec.maxReplicas,
        current=status.currentReplicas,
        desired=status.desiredReplicas,
        last_scale=instant(status.lastScaleTime),
        metrics=_metrics(spec.metrics or _DEFAULT_METRICS, status.currentMetrics or ()),
        conditions=conditions_of(status.conditions),
        scale_up=_direction(behavior.scaleUp) if behavior else None,
        scale_down=_direction(behavior.scaleDown) if behavior else None,
    )


def _target_kind(target: NamedObject) -> str:
    """The kind; where others have one of the same name, with its group, as kubectl writes it.

    ``StatefulSet.apps.kruise.io`` is not the StatefulSet that everybody knows.
    """
    kind, group = target.kind or "", target.apiVersion or "v1"
    if kind not in _OF_APPS or group.startswith("apps/"):
        return kind
    return f"{kind}.{group.partition('/')[0]}"


def _metrics(
    wanted: list[Metric | None] | list[Metric], known: list[Metric | None] | tuple[()]
) -> tuple[MetricRow, ...]:
    """Each metric of the spec with what the status says of it.

    The status may hold fewer, and in another order: they are matched by what they measure. Two
    that measure the same are taken in turn.
    """
    readings: dict[_Identity, list[Value]] = {}
    for metric in known:
        if metric is not None and metric.type:
            current = _source(metric).current or _NO_VALUE
            readings.setdefault(_identity(metric), []).append(current)
    rows = []
    for metric in wanted:
        if metric is None:
            continue
        key = _identity(metric)
        left = readings.get(key)
        rows.append(_row(key, _source(metric).target or _NO_VALUE, left.pop(0) if left else None))
    return tuple(rows)


def _row(key: _Identity, target: Value, current: Value | None) -> MetricRow:
    type, name, container, described, version, selector = key
    target_type = _goes_by(type, target)
    reading = current or _NO_VALUE
    average = milli(reading.averageValue)
    if target_type == "Utilization":
        aim, now = target.averageUtilization, reading.averageUtilization
    elif target_type == "AverageValue":
        aim, now = milli(target.averageValue), average
    else:
        aim, now = milli(target.value), milli(reading.value)
    return MetricRow(
        type=type,
        name=name,
        container=container,
        object=described,
        object_version=version,
        target_type=target_type,
        target=aim or 0,
        current=now,
        current_average=average if target_type == "Utilization" else None,
        selector=selector,
    )


def _goes_by(type: str, target: Value) -> str:
    """The target that the controller takes: for all but Object metrics, of the fields that are set,
    whatever ``target.type`` says. The API server lets the two differ. Empty: there is none.

    Source: ``computeReplicasForMetric`` of Kubernetes 1.36's ``horizontal.go``.
    """
    given = {
        "AverageValue": target.averageValue,
        "Utilization": target.averageUtilization,
        "Value": target.value,
    }
    taken = _TARGETS.get(type, tuple(given))
    if type == "Object" and target.type:
        taken = (target.type,) if target.type in taken else ()
    return next((name for name in taken if given[name] is not None), "")


def _source(metric: Metric) -> Source:
    found = {
        "Resource": metric.resource,
        "ContainerResource": metric.containerResource,
        "Pods": metric.pods,
        "Object": metric.object,
        "External": metric.external,
    }.get(metric.type or "")
    return found or _NO_SOURCE


def _identity(metric: Metric) -> _Identity:
    source = _source(metric)
    identifier = source.metric or Identifier()
    described = source.describedObject
    return (
        metric.type or "",
        source.name or identifier.name or "",
        source.container or "",
        f"{described.kind or ''}/{described.name or ''}" if described is not None else "",
        (described.apiVersion or "") if described is not None else "",
        requirements_of(identifier.selector),
    )


def _direction(rules: Rules | None) -> Direction | None:
    if rules is None:
        return None
    return Direction(
        policies=tuple(
            Policy(p.type or "", p.value or 0, p.periodSeconds or 0) for p in rules.policies or ()
        ),
        select=rules.selectPolicy or "Max",
        window=rules.stabilizationWindowSeconds,
        tolerance=approximate(rules.tolerance),
    )
