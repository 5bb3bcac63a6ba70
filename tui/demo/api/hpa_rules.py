"""The rules a HorizontalPodAutoscaler must keep, in the API server's words.

Source: ``pkg/apis/autoscaling/validation/validation.go`` of Kubernetes 1.36.
"""

from __future__ import annotations

from typing import Any, Final

from tui import quantity
from tui.demo.api.errors import Cause
from tui.demo.api.names import Causes
from tui.demo.store import Object

_SOURCES: Final = {
    "ContainerResource": "containerResource",
    "External": "external",
    "Object": "object",
    "Pods": "pods",
    "Resource": "resource",
}
_TARGETS: Final = ("Utilization", "Value", "AverageValue")
_POLICIES: Final = ("Percent", "Pods")
_SELECTS: Final = ("Disabled", "Max", "Min")
_LONGEST_WINDOW: Final = 3600
_LONGEST_PERIOD: Final = 1800


def check(data: Object, old: Object | None) -> Causes:
    """Each rule that is broken, of an object whose defaults are filled in."""
    spec = data["spec"]
    low, high = spec.get("minReplicas", 1), spec.get("maxReplicas", 0)
    if low < 1:
        yield Cause.invalid("spec.minReplicas", low, "must be greater than or equal to 1")
    if high == 0:
        yield Cause.required("spec.maxReplicas", "must be set and greater than 0")
    elif high < 0:
        yield Cause.invalid("spec.maxReplicas", high, "must be greater than or equal to 1")
    if high < low:
        detail = "must be greater than or equal to `minReplicas`"
        yield Cause.invalid("spec.maxReplicas", high, detail)
    reference = spec.get("scaleTargetRef") or {}
    yield from _reference(reference, "spec.scaleTargetRef")
    if not reference.get("apiVersion") and old is None:
        detail = "apiVersion must specify API group"
        yield Cause.invalid("spec.scaleTargetRef.apiVersion", "", detail)
    metrics = spec.get("metrics") or ()
    for index, metric in enumerate(metrics):
        yield from _metric(metric, f"spec.metrics[{index}]")
    if low == 0 and not any(metric.get("type") in ("Object", "External") for metric in metrics):
        detail = (
            "must specify at least one Object or External metric to support scaling to zero "
            "replicas"
        )
        yield Cause.forbidden("spec.metrics", detail)
    for direction in ("scaleUp", "scaleDown"):
        rules = (spec.get("behavior") or {}).get(direction)
        if rules is not None:
            yield from _rules(rules, f"spec.behavior.{direction}")


def _reference(reference: Object, field: str) -> Causes:
    for part in ("kind", "name"):
        if not reference.get(part):
            yield Cause.required(f"{field}.{part}")
        else:
            yield from _segment(reference[part], f"{field}.{part}")


def _segment(value: str, field: str) -> Causes:
    """What becomes a part of a path."""
    if value in (".", ".."):
        yield Cause.invalid(field, value, f"may not be '{value}'")
        return
    for sign in "/%":
        if sign in value:
            yield Cause.invalid(field, value, f"may not contain '{sign}'")


def _metric(metric: Object, field: str) -> Causes:
    kind = metric.get("type", "")
    if not kind:
        yield Cause.required(f"{field}.type", "must specify a metric source type")
    if kind not in _SOURCES:
        yield Cause.unsupported(f"{field}.type", kind, sorted(_SOURCES))
        return
    part = _SOURCES[kind]
    source = metric.get(part)
    if not isinstance(source, dict):
        yield Cause.required(
            f"{field}.{part}", "must populate information for the given metric source"
        )
    else:
        yield from _source(kind, source, f"{field}.{part}")
    for other in _SOURCES.values():
        if other != part and metric.get(other) is not None:
            detail = "must populate the given metric source only"
            yield Cause.forbidden(f"{field}.{other}", detail)


def _source(kind: str, source: Object, field: str) -> Causes:
    target = source.get("target") or {}
    fields = ("averageUtilization", "averageValue", "value")
    has = {name for name in fields if target.get(name) is not None}
    of_resource = kind in ("Resource", "ContainerResource")
    if of_resource:
        if not source.get("name"):
            yield Cause.required(f"{field}.name", "must specify a resource name")
        if kind == "ContainerResource" and not source.get("container"):
            yield Cause.required(f"{field}.container", "must specify a container")
    else:
        if kind == "Object":
            yield from _reference(source.get("describedObject") or {}, f"{field}.describedObject")
        name = (source.get("metric") or {}).get("name") or ""
        if not name:
            yield Cause.required(f"{field}.metric.name", "must specify a metric name")
        yield from _segment(name, f"{field}.metric.name")
    where = f"{field}.target"
    yield from _target(target, where)
    if of_resource:
        if not has & {"averageUtilization", "averageValue"}:
            detail = "must set either a target raw value or a target utilization"
            yield Cause.required(f"{where}.averageUtilization", detail)
        if has >= {"averageUtilization", "averageValue"}:
            detail = "may not set both a target raw value and a target utilization"
            yield Cause.forbidden(f"{where}.averageValue", detail)
    elif kind == "Pods":
        if "averageValue" not in has:
            detail = "must specify a positive target averageValue"
            yield Cause.required(f"{where}.averageValue", detail)
    elif not has & {"averageValue", "value"}:
        detail = (
            "must set either a target value or averageValue"
            if kind == "Object"
            else "must set either a target value for metric or a per-pod target"
        )
        yield Cause.required(f"{where}.averageValue", detail)
    elif kind == "External" and has >= {"averageValue", "value"}:
        detail = "may not set both a target value for metric and a per-pod target"
        yield Cause.forbidden(f"{where}.value", detail)


def _target(target: Object, field: str) -> Causes:
    kind = target.get("type") or ""
    if not kind:
        yield Cause.required(f"{field}.type", "must specify a metric target type")
    if kind not in _TARGETS:
        detail = "must be either Utilization, Value, or AverageValue"
        yield Cause.invalid(f"{field}.type", kind, detail)
    for name in ("value", "averageValue"):
        value = target.get(name)
        if value is not None and quantity.parse(str(value)) <= 0:
            yield Cause.invalid(f"{field}.{name}", str(value), "must be positive")
    utilization = target.get("averageUtilization")
    if utilization is not None and utilization < 1:
        yield Cause.invalid(f"{field}.averageUtilization", utilization, "must be greater than 0")


def _rules(rules: Object, field: str) -> Causes:
    window = rules.get("stabilizationWindowSeconds")
    if window is not None and not 0 <= window <= _LONGEST_WINDOW:
        detail = (
            "must be greater than or equal to zero"
            if window < 0
            else f"must be less than or equal to {_LONGEST_WINDOW}"
        )
        yield Cause.invalid(f"{field}.stabilizationWindowSeconds", window, detail)
    select = rules.get("selectPolicy")
    if select is not None and select not in _SELECTS:
        yield Cause.unsupported(f"{field}.selectPolicy", select, _SELECTS)
    policies = rules.get("policies") or ()
    if not policies:
        yield Cause.required(f"{field}.policies", "must specify at least one Policy")
    for index, policy in enumerate(policies):
        yield from _policy(policy, f"{field}.policies[{index}]")
    tolerance: Any = rules.get("tolerance")
    if tolerance is not None and quantity.parse(str(tolerance)) < 0:
        detail = "must be greater than or equal to 0"
        yield Cause.invalid(f"{field}.tolerance", str(tolerance), detail)


def _policy(policy: Object, field: str) -> Causes:
    if policy.get("type") not in _POLICIES:
        yield Cause.unsupported(f"{field}.type", policy.get("type", ""), _POLICIES)
    if policy.get("value", 0) <= 0:
        yield Cause.invalid(f"{field}.value", policy.get("value", 0), "must be greater than zero")
    period = policy.get("periodSeconds", 0)
    if period <= 0:
        yield Cause.invalid(f"{field}.periodSeconds", period, "must be greater than zero")
    elif period > _LONGEST_PERIOD:
        detail = f"must be less than or equal to {_LONGEST_PERIOD}"
        yield Cause.invalid(f"{field}.periodSeconds", period, detail)
