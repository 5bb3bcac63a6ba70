"""An HPA measures against a request that a container does not make."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from tui.analysis.doctor import ended
from tui.analysis.doctor.finding import (
    Evidence,
    Finding,
    Fix,
    Severity,
    kubectl,
    named,
)
from tui.analysis.doctor.patches import resources_patch
from tui.analysis.doctor.patient import Patient, Root, Scaled, resource_metrics
from tui.analysis.doctor.rule import Rule
from tui.analysis.doctor.words import count, hpa_name
from tui.state.rows import Condition, ContainerRow, HpaRow, MetricRow, PodRow

_SAID: Final = re.compile(
    r"missing request for (\S{1,63}) in container (\S{1,63}) of Pod (\S{1,253})"
)
_SAID_OF_PODS: Final = re.compile(r"missing pod-level request for (\S{1,63})() in Pod (\S{1,253})")
_SETTLED: Final = 60.0
"""Seconds after which a failure is not one of a rollout."""
_USUAL: Final = {"cpu": "100m", "memory": "128Mi"}


def _examine(patient: Patient) -> Iterable[Finding]:
    seen: set[str] = set()
    for one in patient.scaled:
        for metric in resource_metrics(one.hpa, "Utilization"):
            for finding in (*_lacking(patient, one, metric), *_ended(one, metric)):
                seen.add(one.hpa.uid)
                yield finding
    # Where it cannot be seen here, the controller still says what it met.
    for hpa in patient.hpas:
        active = hpa.condition("ScalingActive")
        if hpa.uid in seen or active is None or active.status != "False":
            continue
        said = _SAID.search(active.message) or _SAID_OF_PODS.search(active.message)
        if said is not None and not _is_passing(patient, hpa, active, said[3]):
            yield _as_told(hpa, said[1], said[2], said[3], active.message)


def _is_passing(patient: Patient, hpa: HpaRow, active: Condition, pod: str) -> bool:
    """Whether the pod that the controller met is one that is just coming or going."""
    if patient.target(hpa) is None:
        return False
    known = any(
        p.name == pod and p.namespace == hpa.namespace for p in patient.delta.pods.rows.values()
    )
    return known or (active.since is not None and patient.now - active.since < _SETTLED)


def _as_told(hpa: HpaRow, resource: str, container: str, pod: str, message: str) -> Finding:
    usual = _USUAL.get(resource, "1")
    place = f"Container {container} of Pod {pod}" if container else f"Pod {pod}"
    return RULE.found(
        named("Pod", hpa.namespace, pod),
        f"{place} requests no {resource}",
        f"{hpa.name} measures {resource} in percent of what is requested, and here none is: the "
        "whole target reads <unknown> and nothing scales.",
        [Evidence(hpa_name(hpa), "status.conditions[ScalingActive]", message)],
        Fix(
            f"Give {'the container' if container else 'the pod'} a request, such as {usual}.",
            kubectl(hpa.namespace, "get", "pod", pod, "-o", "yaml"),
        ),
    )


def _lacking(patient: Patient, one: Scaled, metric: MetricRow) -> Iterable[Finding]:
    found: dict[tuple[Root, str], tuple[ContainerRow | None, list[PodRow]]] = {}
    for crew in one.crews:
        for lacks in without(crew.first, metric):
            key = patient.owner(crew.first), lacks.name if lacks is not None else ""
            found.setdefault(key, (lacks, []))[1].extend(crew.pods)
    for (root, _), (lacks, pods) in found.items():
        first = pods[0]
        yield RULE.found(
            str(root),
            f"{_place(lacks)}{root.kind} {root.name} requests no {metric.name}",
            f"{one.hpa.name} measures {metric.name} in percent of what is requested. One pod "
            "under its selector without the request is enough: the whole target reads <unknown> "
            "and nothing scales.",
            [
                Evidence(
                    named("Pod", first.namespace, first.name),
                    _field(lacks, metric),
                    "absent" + (f" (in {count(len(pods), 'pod')})" if len(pods) > 1 else ""),
                ),
                Evidence(
                    hpa_name(one.hpa),
                    f"spec.metrics[{metric.name}].target.averageUtilization",
                    f"{metric.target} %",
                ),
            ],
            _fix(root, lacks, metric.name, one),
        )


def _ended(one: Scaled, metric: MetricRow) -> Iterable[Finding]:
    for pod in one.finished:
        for lacks in without(pod, metric):
            yield RULE.found(
                named("Pod", pod.namespace, pod.name),
                f"{_place(lacks)}Pod {pod.name}, which has ended, requests no {metric.name}",
                f"{one.hpa.name} measures {metric.name} in percent of what is requested, by all "
                "pods under its selector, also those that have ended. As long as this one is "
                "there, the target reads <unknown> and nothing scales.",
                [
                    ended.told(pod),
                    Evidence(
                        named("Pod", pod.namespace, pod.name), _field(lacks, metric), "absent"
                    ),
                ],
                ended.fix(pod),
            )


def without(pod: PodRow, metric: MetricRow) -> list[ContainerRow | None]:
    """The containers whose request is missing; None is the pod as a whole.

    Source: ``calculateRequests`` of Kubernetes 1.36's ``replica_calculator.go``.
    """
    if pod.whole is not None and not metric.container:
        whole = {"cpu": pod.whole.cpu, "memory": pod.whole.memory}
        return [None] if whole.get(metric.name, 0) is None else []
    return [
        container
        for container in pod.containers
        if metric.container in ("", container.name) and request_of(container, metric) is None
    ]


def request_of(container: ContainerRow, metric: MetricRow) -> int | None:
    """What it requests of what the metric measures, in millicores or bytes; None if nothing."""
    match metric.name:
        case "cpu":
            return container.cpu_request
        case "memory":
            return container.memory_request
        case _:
            return 0


def _place(container: ContainerRow | None) -> str:
    return f"Container {container.name} of " if container is not None else ""


def _field(container: ContainerRow | None, metric: MetricRow) -> str:
    owner = f"spec.{container.field}[{container.name}]" if container is not None else "spec"
    return f"{owner}.resources.requests.{metric.name}"


def _fix(root: Root, container: ContainerRow | None, resource: str, one: Scaled) -> Fix:
    usual = _USUAL.get(resource, "1")
    if container is None:
        return Fix(
            f"Give the pod a {resource} request beside the others in spec.resources.",
            kubectl(root.namespace, "edit", root.kind.lower(), root.name),
        )
    if root.kind not in ("Deployment", "StatefulSet"):
        return Fix(
            f"Give the container a {resource} request, or take the HPA's label off the pod.",
            kubectl(root.namespace, "get", root.kind.lower(), root.name, "-o", "yaml"),
        )
    words = f"Give the container a request, such as {usual}."
    if root.uid != one.workload.uid:
        words += f" Or give {root.name} another label, so that {one.hpa.name} does not count it."
    return Fix(
        words,
        kubectl(
            root.namespace, "set", "resources", f"{root.kind.lower()}/{root.name}",
            "-c", container.name, f"--requests={resource}={usual}",
        ),
        resources_patch(root, [container], "requests", {resource: usual}),
    )  # fmt: skip


RULE: Final = Rule(
    id="missing-request",
    title="Missing request",
    severity=Severity.ERROR,
    page=(
        "Utilization is usage divided by request, summed over all pods that the target's selector "
        "matches. If any container of any of them has no request, there is nothing to divide by: "
        "'missing request for cpu in container X of Pod Y'. Sidecars count, and so do pods of "
        "another workload with the same label."
    ),
    examine=_examine,
)
