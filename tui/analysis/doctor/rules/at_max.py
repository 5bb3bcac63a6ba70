"""An HPA has all the pods it may have, and they are still over the target."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from tui.analysis.doctor.finding import (
    Evidence,
    Finding,
    Fix,
    Severity,
    kubectl,
)
from tui.analysis.doctor.patches import hpa_patch
from tui.analysis.doctor.patient import Patient
from tui.analysis.doctor.rule import Rule
from tui.analysis.doctor.words import cpu, hpa_name, memory
from tui.analysis.tolerance import is_over
from tui.analysis.words import leading_metric, metric_title
from tui.state.rows import HpaRow, MetricRow


def _examine(patient: Patient) -> Iterable[Finding]:
    for hpa in patient.hpas:
        limited = hpa.condition("ScalingLimited")
        metric = leading_metric(hpa)
        if limited is None or (limited.status, limited.reason) != ("True", "TooManyReplicas"):
            continue
        if metric is None or not _is_over(hpa, metric) or (hpa.current or 0) < hpa.max:
            continue
        workload = patient.target(hpa)
        if workload is not None and workload.current < hpa.max:
            continue  # status.currentReplicas is what is asked for: those pods are not there
        ready = workload.ready if workload is not None else hpa.max
        if _needed(hpa, metric, ready) > hpa.max:
            yield _finding(hpa, metric, limited.reason, ready)


def _is_over(hpa: HpaRow, metric: MetricRow) -> bool:
    """Whether a metric is over its target by more than the tolerance."""
    return metric.current is not None and is_over(hpa, metric.current, metric.target)


def _needed(hpa: HpaRow, metric: MetricRow, ready: int) -> int:
    """How many pods the load takes. The metric is a mean over those that serve."""
    if not metric.target:
        return hpa.max + 1
    return -(-min(ready, hpa.max) * (metric.current or 0) // metric.target)


def _finding(hpa: HpaRow, metric: MetricRow, reason: str, ready: int) -> Finding:
    needed = _needed(hpa, metric, ready)
    serving = f", {ready} of them Ready" if ready < hpa.max else ""
    more = max(hpa.max + 1, min(needed, 2 * hpa.max))
    is_now, aim = figure(metric, metric.current or 0), figure(metric, metric.target)
    return RULE.found(
        hpa_name(hpa),
        f"{hpa.name} is at its maximum of {hpa.max}, and {metric_title(metric)} is still over",
        f"All {hpa.max} pods that it may have are there{serving}, and {metric_title(metric)} is "
        f"{is_now} where {aim} is wanted. It would take about {needed} pods. Until the load falls, "
        "requests take longer.",
        [
            Evidence(hpa_name(hpa), "spec.maxReplicas", str(hpa.max)),
            Evidence(hpa_name(hpa), "status.currentReplicas", str(hpa.current)),
            Evidence(
                hpa_name(hpa), f"status.currentMetrics[{metric.name}]", f"{is_now} of {aim}"
            ),
            Evidence(hpa_name(hpa), "status.conditions[ScalingLimited]", f"True ({reason})"),
        ],
        Fix(
            "Raise the maximum if the nodes have room for it, make each request cheaper, or let "
            "it be: it is a limit that somebody set.",
            kubectl(
                hpa.namespace, "patch", "hpa", hpa.name, "--type=merge", "-p",
                f'{{"spec":{{"maxReplicas":{more}}}}}',
            ),
            hpa_patch(hpa, {"maxReplicas": more}),
        ),
    )  # fmt: skip


def figure(metric: MetricRow, value: int) -> str:
    """A metric's figure with its unit."""
    if metric.target_type == "Utilization":
        return f"{value} %"
    if metric.name == "memory":
        return memory(value // 1000)
    return cpu(value)


RULE: Final = Rule(
    id="at-max",
    title="At the maximum and still above the target",
    severity=Severity.WARNING,
    page=(
        "The HPA wants more pods than maxReplicas allows: ScalingLimited=True with "
        "TooManyReplicas. That alone is harmless; together with a metric over its target it means "
        "that the limit is what holds the workload back."
    ),
    examine=_examine,
)
