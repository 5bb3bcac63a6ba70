"""An HPA measures a container that its pods do not have."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from tui.analysis.doctor import ended
from tui.analysis.doctor.finding import Evidence, Finding, Fix, Severity, kubectl, named
from tui.analysis.doctor.patient import Patient, Scaled
from tui.analysis.doctor.rule import Rule
from tui.analysis.doctor.words import hpa_name, listed
from tui.state.rows import MetricRow, PodRow


def _examine(patient: Patient) -> Iterable[Finding]:
    for one in patient.scaled:
        for metric in one.hpa.metrics:
            if metric.type != "ContainerResource":
                continue
            for crew in one.crews:
                if all(container.name != metric.container for container in crew.containers):
                    yield _finding(one, metric, crew.first)
                    break
            if metric.target_type == "Utilization":
                for pod in one.finished:
                    if all(container.name != metric.container for container in pod.containers):
                        yield _ended(one, metric, pod)


def _finding(one: Scaled, metric: MetricRow, pod: PodRow) -> Finding:
    hpa = one.hpa
    names = [c.name for c in pod.containers]
    return RULE.found(
        hpa_name(hpa),
        f"{hpa.name} measures container {metric.container}, which {pod.name} does not have",
        "A ContainerResource metric reads one container of every pod. A pod without a container of "
        "that name has no figure, and the metric cannot be read at all.",
        [
            Evidence(hpa_name(hpa), "spec.metrics.containerResource.container", metric.container),
            Evidence(
                named("Pod", pod.namespace, pod.name), "spec.containers", listed(names, most=6)
            ),
        ],
        Fix(
            f"Name a container that is there: {listed(names, most=6)}.",
            kubectl(hpa.namespace, "edit", "hpa", hpa.name),
        ),
    )


def _ended(one: Scaled, metric: MetricRow, pod: PodRow) -> Finding:
    return RULE.found(
        named("Pod", pod.namespace, pod.name),
        f"{pod.name}, which has ended, has no container {metric.container}",
        f"{one.hpa.name} asks every pod under its selector what container {metric.container} "
        "requests, also those that have ended. As long as this one is there, the metric cannot be "
        "read and nothing scales.",
        [
            ended.told(pod),
            Evidence(
                hpa_name(one.hpa), "spec.metrics.containerResource.container", metric.container
            ),
        ],
        ended.fix(pod),
    )


RULE: Final = Rule(
    id="container-metric-without-container",
    title="A container metric without such a container",
    severity=Severity.ERROR,
    page=(
        "ContainerResource names the container whose usage counts, so that sidecars do not blur "
        "it. If the container was renamed, or never had that name, the HPA reads <unknown>."
    ),
    examine=_examine,
)
