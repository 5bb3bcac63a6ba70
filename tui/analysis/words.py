"""What an HPA's conditions and metrics mean, in words a class can read.

Reasons: https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/ and
``pkg/controller/podautoscaler/horizontal.go`` of Kubernetes 1.36.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from tui.state.rows import Condition, HpaRow, MetricRow

_REASONS: Final = {
    "SucceededGetScale": "target found",
    "SucceededRescale": "just scaled",
    "ReadyForNewScale": "ready to scale",
    "ScaleUpStabilized": "scale-up held by its window",
    "ScaleDownStabilized": "scale-down held by its window",
    "BackoffBoth": "waiting after the last change",
    "BackoffDownscale": "waiting to scale down",
    "BackoffUpscale": "waiting to scale up",
    "FailedGetScale": "target not found",
    "FailedUpdateScale": "could not write the new size",
    "ValidMetricFound": "metrics read",
    "ScalingDisabled": "off: target is at 0 replicas",
    "InvalidSelector": "target has no usable selector",
    "AmbiguousSelector": "two HPAs claim the same pods",
    "FailedGetResourceMetric": "cannot read resource metrics",
    "FailedGetContainerResourceMetric": "cannot read container metrics",
    "FailedGetPodsMetric": "cannot read the pods metric",
    "FailedGetObjectMetric": "cannot read the object metric",
    "FailedGetExternalMetric": "cannot read the external metric",
    "InvalidMetricSourceType": "unknown metric type",
    "DesiredWithinRange": "within min and max",
    "TooFewReplicas": "held at min",
    "TooManyReplicas": "held at max",
    "ScaleUpLimit": "rate limit up",
    "ScaleDownLimit": "rate limit down",
}


class Verdict(NamedTuple):
    """A condition in words. ``mood``: good, held (the HPA limits itself) or bad."""

    text: str
    mood: str


def verdict(condition: Condition) -> Verdict:
    """What a condition says to somebody who does not know its reasons."""
    text = _REASONS.get(condition.reason, condition.reason or condition.type)
    if condition.type == "ScalingLimited":
        return Verdict(text, "held" if condition.status == "True" else "good")
    if condition.status != "True":
        return Verdict(text, "bad")
    held = condition.reason.startswith("Backoff") or condition.reason.endswith("Stabilized")
    return Verdict(text, "held" if held else "good")


def metric_title(metric: MetricRow) -> str:
    """``cpu``, ``cpu of app``, ``http_requests per pod``, ``queue of Service/mq``."""
    match metric.type:
        case "Resource":
            return metric.name
        case "ContainerResource":
            return f"{metric.name} of {metric.container}"
        case "Pods":
            return f"{metric.name} per pod"
        case "Object":
            per = " per pod" if metric.target_type == "AverageValue" else ""
            return f"{metric.name} of {metric.object}{per}"
        case "External":
            per = " per pod" if metric.target_type == "AverageValue" else ""
            return f"{metric.name}{per}, external"
        case _:
            return metric.name or metric.type


def leading_metric(hpa: HpaRow) -> MetricRow | None:
    """The metric furthest above its target: with several, the highest wins."""
    known = [m for m in hpa.metrics if m.current is not None and m.target]
    if not known:
        return hpa.metrics[0] if hpa.metrics else None
    return max(known, key=lambda m: (m.current or 0) / m.target)


_PREAMBLES: Final = re.compile(
    r"the HPA was unable to compute the replica count: "
    r"|the HPA controller was unable to get the target's current scale: "
    r"|the HPA controller was unable to update the target scale: "
    r"|invalid metrics \(\d+ invalid out of \d+\), first error is: "
    r"|failed to get \S+ (?:(?:resource |container )?metric value|utilization): "
    r"|\(combined from similar events\): "
    r"|Error creating: (?:pods \"[^\"]*\" is forbidden: )?"
)


_NODES: Final = re.compile(r"(\d+/\d+ nodes) are available(?=: )")


def to_the_point(message: str) -> str:
    """A controller's message without the words that all of them begin with."""
    while (match := _PREAMBLES.match(message)) and match.end() < len(message):
        message = message[match.end() :]
    return _NODES.sub(r"\1", message, count=1)


def without_figures(hpa: HpaRow) -> str:
    """Why a metric reads ``<unknown>``, from the conditions; empty when it is only warming up."""
    for type_ in ("ScalingActive", "AbleToScale"):
        condition = hpa.condition(type_)
        if condition is not None and condition.status == "False":
            return to_the_point(condition.message) or verdict(condition).text
    return ""
