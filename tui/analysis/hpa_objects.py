"""API objects, as JSON decodes them, to the HPA's inputs; and its status back to JSON.

Shapes: autoscaling/v2 HorizontalPodAutoscaler and v1 Scale, v1 Pod, metrics.k8s.io PodMetrics.
Fields that are absent or null take the API's defaults. A quantity or time that does not parse
raises ``ValueError`` (``quantity.QuantityError`` is one).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from fractions import Fraction
from functools import lru_cache
from typing import Any, Final, TypeAlias

from tui import quantity
from tui.analysis.go_numbers import int64
from tui.analysis.hpa_inputs import (
    CONTAINER_RESOURCE,
    EXTERNAL,
    OBJECT,
    PODS,
    RESOURCE,
    Behavior,
    Condition,
    ContainerInput,
    ContainerUsage,
    HpaSpec,
    LabelSelector,
    MetricSpec,
    MetricStatus,
    ObjectReference,
    PodInput,
    PodUsage,
    Scale,
    ScalingPolicy,
    ScalingRules,
    Status,
)

Object: TypeAlias = Mapping[str, Any]
ReadTime: TypeAlias = Callable[[str], float]
"""A time stamp to seconds: RFC 3339 to the epoch's, or to a simulated clock's."""
WriteTime: TypeAlias = Callable[[float], str]

_FIELD: Final = {
    RESOURCE: "resource",
    CONTAINER_RESOURCE: "containerResource",
    PODS: "pods",
    OBJECT: "object",
    EXTERNAL: "external",
}
_DURATION: Final = re.compile(r"([0-9]*\.?[0-9]+)(h|ms|m|s|us|µs|ns)")
_SECONDS: Final = {
    "h": 3600.0,
    "m": 60.0,
    "s": 1.0,
    "ms": 1e-3,
    "us": 1e-6,
    "µs": 1e-6,
    "ns": 1e-9,
}
_DEFAULT_METRICS: Final = (
    MetricSpec(type=RESOURCE, name="cpu", target_type="Utilization", average_utilization=80),
)


@lru_cache(maxsize=4096)
def timestamp(text: str) -> float:
    """RFC 3339 to seconds since the epoch."""
    return datetime.fromisoformat(text).timestamp()


def timestamp_text(seconds: float) -> str:
    """Seconds since the epoch as the API prints a Time: UTC, whole seconds."""
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def spec_from_object(hpa: Object) -> HpaSpec:
    """An HPA's name and spec. Without metrics it is 80 % of the CPU request."""
    metadata, spec = hpa["metadata"], hpa["spec"]
    behavior = spec.get("behavior")
    return HpaSpec(
        namespace=metadata.get("namespace") or "default",
        name=metadata["name"],
        target=_reference(spec["scaleTargetRef"]),
        max_replicas=spec["maxReplicas"],
        min_replicas=spec.get("minReplicas"),
        metrics=tuple(_metric(m) for m in spec.get("metrics") or ()) or _DEFAULT_METRICS,
        behavior=(
            None
            if behavior is None
            else Behavior(_rules(behavior.get("scaleUp")), _rules(behavior.get("scaleDown")))
        ),
    )


def scale_from_object(scale: Object) -> Scale:
    """A v1 Scale."""
    status = scale.get("status") or {}
    return Scale(
        replicas=(scale.get("spec") or {}).get("replicas") or 0,
        status_replicas=status.get("replicas") or 0,
        selector=status.get("selector") or "",
    )


def pod_from_object(pod: Object, read_time: ReadTime = timestamp) -> PodInput:
    """A v1 Pod. Restartable init containers (sidecars) count as containers."""
    metadata, spec, status = pod["metadata"], pod.get("spec") or {}, pod.get("status") or {}
    ready = next(
        (c for c in status.get("conditions") or () if c.get("type") == "Ready"),
        None,
    )
    sidecars = (c for c in spec.get("initContainers") or () if _restartable(c))
    containers = (*(spec.get("containers") or ()), *sidecars)
    return PodInput(
        name=metadata["name"],
        phase=status.get("phase") or "",
        ready=None if ready is None else ready.get("status") or "",
        ready_since=None if ready is None else _time(ready.get("lastTransitionTime"), read_time),
        started=_time(status.get("startTime"), read_time),
        deleting=metadata.get("deletionTimestamp") is not None,
        containers=tuple(
            ContainerInput(c["name"], {k: _milli(v) for k, v in _requests(c).items()})
            for c in containers
        ),
        pod_requests=_pod_requests(spec),
        created=_time(metadata.get("creationTimestamp"), read_time),
    )


def usage_from_object(metrics: Object, read_time: ReadTime = timestamp) -> PodUsage:
    """A metrics.k8s.io PodMetrics."""
    return PodUsage(
        pod=metrics["metadata"]["name"],
        timestamp=read_time(metrics["timestamp"]),
        window=duration(metrics["window"]),
        containers=tuple(
            ContainerUsage(c["name"], {k: _milli(v) for k, v in (c.get("usage") or {}).items()})
            for c in metrics.get("containers") or ()
        ),
    )


def status_from_object(hpa: Object, read_time: ReadTime = timestamp) -> Status:
    """An HPA's status."""
    status = hpa.get("status") or {}
    return Status(
        current_replicas=status.get("currentReplicas") or 0,
        desired_replicas=status.get("desiredReplicas") or 0,
        last_scale_time=_time(status.get("lastScaleTime"), read_time),
        current_metrics=tuple(_metric_status(m) for m in status.get("currentMetrics") or ()),
        conditions=tuple(
            Condition(
                type=c["type"],
                status=c["status"],
                reason=c.get("reason") or "",
                message=c.get("message") or "",
                since=_time(c.get("lastTransitionTime"), read_time),
            )
            for c in status.get("conditions") or ()
        ),
    )


def status_to_object(status: Status, write_time: WriteTime = timestamp_text) -> dict[str, Any]:
    """A status as the API server prints it: zero ``currentReplicas`` left out, no metrics null."""
    written: dict[str, Any] = {}
    if status.last_scale_time is not None:
        written["lastScaleTime"] = write_time(status.last_scale_time)
    if status.current_replicas:
        written["currentReplicas"] = status.current_replicas
    written["desiredReplicas"] = status.desired_replicas
    metrics = [_metric_status_to_object(m) for m in status.current_metrics]
    written["currentMetrics"] = metrics or None
    if status.conditions:
        written["conditions"] = [_condition_to_object(c, write_time) for c in status.conditions]
    return written


@lru_cache(maxsize=256)
def duration(text: str) -> float:
    """Go's ``1m15.5s`` to seconds."""
    parts = _DURATION.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ValueError(f"{text[:40]!r} is not a duration such as 15s or 1m0s")
    return sum(float(number) * _SECONDS[unit] for number, unit in parts)


def _time(text: str | None, read_time: ReadTime) -> float | None:
    return read_time(text) if text else None


def _milli(value: object) -> int:
    return int64(quantity.milli(str(value)))


def _optional_milli(value: object) -> int | None:
    return None if value is None else _milli(value)


def _reference(reference: Object) -> ObjectReference:
    return ObjectReference(
        kind=reference.get("kind") or "",
        name=reference.get("name") or "",
        api_version=reference.get("apiVersion") or "",
    )


def _metric(metric: Object) -> MetricSpec:
    source = metric.get(_FIELD.get(metric["type"], "")) or {}
    target = source.get("target") or {}
    identifier = source.get("metric") or {}
    described = source.get("describedObject")
    return MetricSpec(
        type=metric["type"],
        name=source.get("name") or identifier.get("name") or "",
        container=source.get("container") or "",
        target_type=target.get("type") or "",
        average_utilization=target.get("averageUtilization"),
        average_value=_optional_milli(target.get("averageValue")),
        value=_optional_milli(target.get("value")),
        selector=_selector(identifier.get("selector")),
        described_object=_reference(described) if described else None,
    )


def _selector(selector: Object | None) -> LabelSelector | None:
    if selector is None:
        return None
    return LabelSelector(
        match_labels=tuple(sorted((selector.get("matchLabels") or {}).items())),
        match_expressions=tuple(
            (e["key"], e["operator"], tuple(e.get("values") or ()))
            for e in selector.get("matchExpressions") or ()
        ),
    )


def _rules(rules: Object | None) -> ScalingRules | None:
    if rules is None:
        return None
    policies = rules.get("policies")
    tolerance = rules.get("tolerance")
    return ScalingRules(
        policies=(
            None
            if policies is None
            else tuple(ScalingPolicy(p["type"], p["value"], p["periodSeconds"]) for p in policies)
        ),
        select_policy=rules.get("selectPolicy"),
        stabilization_window_seconds=rules.get("stabilizationWindowSeconds"),
        tolerance=None if tolerance is None else quantity.approximate(str(tolerance)),
    )


def _requests(container: Object) -> Object:
    return (container.get("resources") or {}).get("requests") or {}


def _restartable(container: Object) -> bool:
    return container.get("restartPolicy") == "Always"


def _pod_requests(spec: Object) -> Mapping[str, int] | None:
    """Requests of the pod as a whole: what it sets itself, else what its containers need."""
    own = {k: v for k, v in _requests(spec).items() if _pod_level(k)}
    if not own:
        return None
    needed = _sum(_requests(c) for c in spec.get("containers") or ())
    sidecars: dict[str, Fraction] = {}
    peak: dict[str, Fraction] = {}
    for container in spec.get("initContainers") or ():
        requests = _requests(container)
        if _restartable(container):
            needed = _sum((needed, requests))
            sidecars = _sum((sidecars, requests))
            running = sidecars
        else:
            running = _sum((requests, sidecars))
        for name, value in running.items():
            peak[name] = max(peak.get(name, value), value)
    for name, value in peak.items():
        needed[name] = max(needed.get(name, value), value)
    needed.update(_sum((own,)))
    total = _sum((needed, spec.get("overhead") or {}))
    return {name: quantity.round_away(value * 1000) for name, value in total.items()}


def _pod_level(resource: str) -> bool:
    return resource in ("cpu", "memory") or resource.startswith("hugepages-")


def _sum(parts: Iterable[Object]) -> dict[str, Fraction]:
    total: dict[str, Fraction] = {}
    for part in parts:
        for name, value in part.items():
            exact = value if isinstance(value, Fraction) else quantity.parse(str(value))
            total[name] = total.get(name, Fraction()) + exact
    return total


def _metric_status(metric: Object) -> MetricStatus:
    field = _FIELD.get(metric.get("type") or "")
    if field is None:
        return MetricStatus()
    source = metric.get(field) or {}
    current = source.get("current") or {}
    identifier = source.get("metric") or {}
    described = source.get("describedObject")
    return MetricStatus(
        type=metric["type"],
        name=source.get("name") or identifier.get("name") or "",
        container=source.get("container") or "",
        selector=_selector(identifier.get("selector")),
        described_object=_reference(described) if described else None,
        average_utilization=current.get("averageUtilization"),
        average_value=_optional_milli(current.get("averageValue")),
        value=_optional_milli(current.get("value")),
    )


def _metric_status_to_object(metric: MetricStatus) -> dict[str, Any]:
    if not metric.type:
        return {"type": ""}
    is_memory = metric.name == "memory" and metric.type in (RESOURCE, CONTAINER_RESOURCE)
    text = quantity.format_milli_bytes if is_memory else quantity.format_milli
    current: dict[str, Any] = {}
    if metric.value is not None:
        current["value"] = text(metric.value)
    if metric.average_value is not None:
        current["averageValue"] = text(metric.average_value)
    if metric.average_utilization is not None:
        current["averageUtilization"] = metric.average_utilization
    source: dict[str, Any]
    if metric.type in (RESOURCE, CONTAINER_RESOURCE):
        source = {"name": metric.name, "current": current}
        if metric.type == CONTAINER_RESOURCE:
            source["container"] = metric.container
    else:
        identifier: dict[str, Any] = {"name": metric.name}
        if metric.selector is not None:
            identifier["selector"] = _selector_to_object(metric.selector)
        source = {"metric": identifier, "current": current}
        if metric.described_object is not None:
            source["describedObject"] = _reference_to_object(metric.described_object)
    return {"type": metric.type, _FIELD[metric.type]: source}


def _selector_to_object(selector: LabelSelector) -> dict[str, Any]:
    written: dict[str, Any] = {}
    if selector.match_labels:
        written["matchLabels"] = dict(selector.match_labels)
    if selector.match_expressions:
        written["matchExpressions"] = [
            {"key": key, "operator": op, **({"values": list(values)} if values else {})}
            for key, op, values in selector.match_expressions
        ]
    return written


def _reference_to_object(reference: ObjectReference) -> dict[str, str]:
    written = {"kind": reference.kind, "name": reference.name}
    if reference.api_version:
        written["apiVersion"] = reference.api_version
    return written


def _condition_to_object(condition: Condition, write_time: WriteTime) -> dict[str, str]:
    written = {"type": condition.type, "status": condition.status}
    if condition.since is not None:
        written["lastTransitionTime"] = write_time(condition.since)
    if condition.reason:
        written["reason"] = condition.reason
    if condition.message:
        written["message"] = condition.message
    return written
