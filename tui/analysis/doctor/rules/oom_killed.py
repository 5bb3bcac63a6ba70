"""A container was killed because it used more memory than its limit."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from tui.analysis.doctor.finding import Evidence, Finding, Fix, Severity, kubectl, named
from tui.analysis.doctor.patches import WORKLOADS, resources_patch
from tui.analysis.doctor.patient import Patient, Root
from tui.analysis.doctor.rule import Rule
from tui.analysis.doctor.words import count, memory, stamp
from tui.state.rows import PodRow

_RECENT: Final = 3600.0


def _examine(patient: Patient) -> Iterable[Finding]:
    def counts(pod: PodRow) -> bool:
        ending = pod.ending
        return (
            ending is not None
            and ending.reason == "OOMKilled"
            and patient.now - ending.at <= _RECENT
        )

    for root, pods in patient.by_owner(patient.troubled, counts).items():
        yield _finding(root, pods)


def _finding(root: Root, pods: list[PodRow]) -> Finding:
    first = max(pods, key=lambda pod: pod.ending.at if pod.ending is not None else 0.0)
    ending = first.ending
    container = ending.container if ending is not None else ""
    killed = next((c for c in first.containers if c.name == container), None)
    limit = killed.memory_limit if killed is not None else None
    name = named("Pod", first.namespace, first.name)
    size = memory(limit) if limit else "none: the node ran out of memory"
    if killed is None:
        size = "not read here: it is an init container"
    return RULE.found(
        str(root),
        f"Container {container} of {root.name} was killed for its memory"
        + (f" (limit {memory(limit)})" if limit else ""),
        "It used more memory than it may, and the kernel killed it. What it was doing is lost, and "
        "it starts from the beginning. More replicas do not help if each needs that much.",
        [
            Evidence(
                name,
                f"containers[{container}].lastState.terminated",
                f"OOMKilled at {stamp(ending.at if ending is not None else 0.0)}",
            ),
            Evidence(name, f"containers[{container}].resources.limits.memory", size),
            Evidence(
                name, "restarts", f"{first.restarts}, and {count(len(pods), 'pod')} with the same"
            ),
        ],
        Fix(
            "Raise the memory limit, and the request with it, or find out what takes the memory.",
            kubectl(
                root.namespace, "set", "resources", f"{root.kind.lower()}/{root.name}",
                "-c", container, f"--limits=memory={memory(2 * limit)}",
            )
            if limit and root.kind in WORKLOADS
            else kubectl(first.namespace, "describe", "pod", first.name),
            resources_patch(root, [killed], "limits", {"memory": memory(2 * limit)})
            if killed is not None and limit
            else None,
        ),
    )  # fmt: skip


RULE: Final = Rule(
    id="oom-killed",
    title="OOMKilled",
    severity=Severity.WARNING,
    page=(
        "A memory limit is hard: what goes beyond it is killed, with exit code 137 and the reason "
        "OOMKilled. CPU over its limit is only slowed down. A server with several workers needs "
        "the limit for all of them together."
    ),
    examine=_examine,
)
