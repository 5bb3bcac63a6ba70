"""A CPU request so small that any load is thousands of percent."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from tui.analysis.doctor.finding import Evidence, Finding, Fix, Patch, Severity, kubectl
from tui.analysis.doctor.patches import resources_patch
from tui.analysis.doctor.patient import Patient, Scaled, resource_metrics
from tui.analysis.doctor.rule import Rule
from tui.analysis.doctor.words import cpu, hpa_name
from tui.state.rows import MetricRow, PodRow

_USUAL: Final = "100m"
_LEAST: Final = 10
"""Millicores. Less than that an idle interpreter may use by itself."""


def _examine(patient: Patient) -> Iterable[Finding]:
    for one in patient.scaled:
        for metric in resource_metrics(one.hpa, "Utilization"):
            if metric.name != "cpu" or not one.own:
                continue
            request = _request(one.own[0].first, metric.container)
            if request is not None and 0 < request < _LEAST:
                yield _finding(one, metric, request)


def _request(pod: PodRow, container: str) -> int | None:
    if not container:
        return pod.cpu_request
    return next((c.cpu_request for c in pod.containers if c.name == container), None)


def _finding(one: Scaled, metric: MetricRow, request: int) -> Finding:
    workload = one.workload
    name = f"{workload.kind} {workload.namespace}/{workload.name}"
    aim = max(1, request * metric.target // 100)
    return RULE.found(
        name,
        f"{workload.name} requests only {cpu(request)} of CPU",
        f"{metric.target} % of {cpu(request)} is {cpu(aim)}: less than many an app uses doing "
        "nothing. A single request drives the figure to thousands of percent, and the HPA goes to "
        f"its maximum of {one.hpa.max} and stays there.",
        [
            Evidence(name, "resources.requests.cpu, per pod", cpu(request)),
            Evidence(
                hpa_name(one.hpa), f"spec.metrics[{metric.name}]",
                f"target {metric.target} %"
                + (f", now {metric.current} %" if metric.current is not None else ""),
            ),
        ],
        Fix(
            f"Request what one pod needs under the load it should take, such as {_USUAL}.",
            kubectl(
                workload.namespace, "set", "resources",
                f"{workload.kind.lower()}/{workload.name}", f"--requests=cpu={_USUAL}",
            ),
            _patch(one, metric),
        ),
    )  # fmt: skip


def _patch(one: Scaled, metric: MetricRow) -> Patch | None:
    """Of those containers that count and request too little."""
    small = [
        c
        for c in one.own[0].containers
        if metric.container in ("", c.name) and 0 < (c.cpu_request or 0) < _LEAST
    ]
    root = one.own[0].root
    if root is None or not small:
        return None
    return resources_patch(root, small, "requests", {"cpu": _USUAL})


RULE: Final = Rule(
    id="tiny-request",
    title="Too small a CPU request",
    severity=Severity.WARNING,
    page=(
        "Utilization is in percent of the request. A request of 1m makes everything a flood: the "
        "HPA jumps between its minimum and its maximum. The scheduler, too, then packs far more "
        "pods on a node than it can run."
    ),
    examine=_examine,
)
