"""Pods that have ended and still count, so that the HPA does not scale down as far as it should."""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil
from typing import Final

from tui.analysis.doctor import ended
from tui.analysis.doctor.finding import Evidence, Finding, Severity
from tui.analysis.doctor.patient import Patient, Scaled, resource_metrics
from tui.analysis.doctor.rule import Rule
from tui.analysis.doctor.rules.missing_request import request_of, without
from tui.analysis.doctor.words import count, hpa_name
from tui.state.rows import MetricRow, PodRow

_SHOWN: Final = 4


def _examine(patient: Patient) -> Iterable[Finding]:
    for one in patient.scaled:
        metrics = [m for m in resource_metrics(one.hpa) if m.target > 0]
        pods = [pod for pod in one.finished if pod.phase == "Succeeded" and _counts(pod, metrics)]
        if metrics and pods:
            yield _finding(one, pods, max(_end(one, pods, metric) for metric in metrics))


def _counts(pod: PodRow, metrics: list[MetricRow]) -> bool:
    """Whether no other rule says that this pod keeps the HPA from reading a metric at all."""
    names = {container.name for container in pod.containers}
    return not any(
        without(pod, metric) or (metric.container and metric.container not in names)
        for metric in metrics
        if metric.target_type == "Utilization"
    )


def _end(one: Scaled, pods: list[PodRow], metric: MetricRow) -> int:
    """The size at which scaling down comes to its end, even if the others do nothing.

    Source: ``GetResourceReplicas`` and ``calcPlainMetricReplicas`` of Kubernetes 1.36's
    ``replica_calculator.go``: in scaling down, a pod without a sample uses all it requests (the
    target, if that is more, or is an amount), and a correction that points up changes nothing.
    """
    if metric.target_type != "Utilization" or not one.own:
        return len(pods)
    each = _requested(one.own[0].first, metric)
    ended_ones = sum(_requested(pod, metric) for pod in pods)
    size = one.hpa.max
    while size > 0 and each > 0:
        used = ended_ones * max(100, metric.target) / (size * each + ended_ones)
        wanted = ceil(used / metric.target * (size + len(pods)))
        if wanted >= size:
            break
        size = wanted
    return size


def _requested(pod: PodRow, metric: MetricRow) -> int:
    if pod.whole is not None and not metric.container:
        return (pod.whole.cpu if metric.name == "cpu" else pod.whole.memory) or 0
    return sum(
        request_of(container, metric) or 0
        for container in pod.containers
        if metric.container in ("", container.name)
    )


def _finding(one: Scaled, pods: list[PodRow], end: int) -> Finding:
    hpa, first = one.hpa, pods[0]
    many = len(pods) > 1
    held = end > max(1, hpa.min)
    return RULE.found(
        hpa_name(hpa),
        f"{count(len(pods), 'pod')} that {'have' if many else 'has'} ended still "
        f"{'count' if many else 'counts'} for {hpa.name}",
        f"The selector of {one.workload.name} matches {'them' if many else 'it'}, too. A pod that "
        "has ended gives no samples: scaling up the HPA takes it for idle, scaling down for one "
        "that uses all it requests."
        + (
            f" With {'these' if many else 'this one'} it goes down to {end} pods or so and no "
            "further, however little the others do."
            if held
            else ""
        ),
        [
            *(ended.told(pod) for pod in pods[:_SHOWN]),
            Evidence(hpa_name(hpa), "spec.minReplicas", str(hpa.min)),
        ],
        ended.fix(first),
        Severity.WARNING if held else Severity.INFO,
    )


RULE: Final = Rule(
    id="ended-pods-count",
    title="Pods that have ended count for an HPA",
    severity=Severity.WARNING,
    page=(
        "An HPA counts every pod that its target's selector matches, those of Jobs and CronJobs "
        "among them if they bear the same label, and those that are Completed as well: only Failed "
        "pods and those being deleted are left out. Each has no sample, and counts as busy when "
        "the HPA would scale down. A label of their own, or ttlSecondsAfterFinished, ends it."
    ),
    examine=_examine,
)
