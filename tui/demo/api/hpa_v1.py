"""autoscaling/v1 HorizontalPodAutoscalers, which are a view of v2."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from tui.demo.store import Object

_PREFIX: Final = "autoscaling.alpha.kubernetes.io/"
_SOURCES: Final = ("resource", "containerResource", "pods", "object", "external")


def from_v2(data: Object) -> Object:
    """The v1 view; what v1 has no field for goes to annotations, as in Kubernetes."""
    spec, status = data.get("spec") or {}, data.get("status") or {}
    metadata = {**data["metadata"]}
    notes: dict[str, str] = {}
    shown: Object = {"scaleTargetRef": spec.get("scaleTargetRef") or {}}
    if "minReplicas" in spec:
        shown["minReplicas"] = spec["minReplicas"]
    shown["maxReplicas"] = spec.get("maxReplicas", 0)
    others = []
    for metric in spec.get("metrics") or ():
        utilization = _cpu_utilization(metric, "target")
        if utilization is not None and "targetCPUUtilizationPercentage" not in shown:
            shown["targetCPUUtilizationPercentage"] = utilization
        else:
            others.append(_metric_v1(metric, "target", "target"))
    if others:
        notes["metrics"] = _json(others)
    if spec.get("behavior"):
        notes["behavior"] = _json(spec["behavior"])
    view: Object = {
        name: status[name] for name in ("observedGeneration", "lastScaleTime") if name in status
    }
    view["currentReplicas"] = status.get("currentReplicas", 0)
    view["desiredReplicas"] = status.get("desiredReplicas", 0)
    current = status.get("currentMetrics") or []
    for metric in current:
        utilization = _cpu_utilization(metric, "current")
        if utilization is not None:
            view["currentCPUUtilizationPercentage"] = utilization
    if current:
        notes["current-metrics"] = _json([_metric_v1(m, "current", "current") for m in current])
    if status.get("conditions"):
        notes["conditions"] = _json(status["conditions"])
    if notes:
        kept = {_PREFIX + name: text for name, text in notes.items()}
        metadata["annotations"] = dict(
            sorted({**(metadata.get("annotations") or {}), **kept}.items())
        )
    return {"metadata": metadata, "spec": shown, "status": view}


def to_v2(data: Object) -> Object:
    """A v1 object as v2, reading back the annotations `from_v2` writes."""
    spec = {**(data.get("spec") or {})}
    metadata = {**(data.get("metadata") or {})}
    annotations = {**(metadata.get("annotations") or {})}
    metrics: list[Object] = []
    utilization = spec.pop("targetCPUUtilizationPercentage", None)
    if utilization is not None:
        target = {"type": "Utilization", "averageUtilization": utilization}
        metrics.append({"type": "Resource", "resource": {"name": "cpu", "target": target}})
    notes = {name: annotations.pop(_PREFIX + name, None) for name in ("metrics", "behavior")}
    for name in ("conditions", "current-metrics"):
        annotations.pop(_PREFIX + name, None)
    if notes["metrics"]:
        metrics += [_metric_v2(metric) for metric in msgspec.json.decode(notes["metrics"])]
    if metrics:
        spec["metrics"] = metrics
    if notes["behavior"]:
        spec["behavior"] = msgspec.json.decode(notes["behavior"])
    metadata["annotations"] = annotations
    if not annotations:
        del metadata["annotations"]
    return {**data, "metadata": metadata, "spec": spec}


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _cpu_utilization(metric: Object, part: str) -> int | None:
    resource = metric.get("resource") or {}
    if metric.get("type") != "Resource" or resource.get("name") != "cpu":
        return None
    found: int | None = (resource.get(part) or {}).get("averageUtilization")
    return found


def _metric_v1(metric: Object, part: str, prefix: str) -> Object:
    shown: Object = {"type": metric.get("type", "")}
    for source in _SOURCES:
        if source in metric:
            body = {k: v for k, v in metric[source].items() if k != part}
            for name, value in (metric[source].get(part) or {}).items():
                if name != "type":
                    body[prefix + name[0].upper() + name[1:]] = value
            shown[source] = body
    return shown


def _metric_v2(metric: Object) -> Object:
    shown: Object = {"type": metric.get("type", "")}
    kinds = {
        "targetAverageUtilization": ("averageUtilization", "Utilization"),
        "targetAverageValue": ("averageValue", "AverageValue"),
        "targetValue": ("value", "Value"),
    }
    for source in _SOURCES:
        if source in metric:
            body: Object = {}
            for name, value in metric[source].items():
                if name in kinds:
                    field, kind = kinds[name]
                    body["target"] = {"type": kind, field: value}
                else:
                    body[name] = value
            shown[source] = body
    return shown
