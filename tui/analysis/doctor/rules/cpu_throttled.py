"""Containers use all the CPU that their limit allows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from tui.analysis.doctor.finding import Evidence, Finding, Fix, Severity, kubectl, named
from tui.analysis.doctor.patches import resources_patch
from tui.analysis.doctor.patient import Patient, Root
from tui.analysis.doctor.rule import Rule
from tui.analysis.doctor.words import count, cpu
from tui.state.rows import ContainerRow, PodRow

_AT_LIMIT: Final = 950
"""Thousandths of the limit from which on a container is taken to be at it: a sample is a mean."""
_FRESH: Final = 90.0


class _Held:
    """A container at its limit: in which pods, of how many, and what each uses."""

    def __init__(self, container: ContainerRow) -> None:
        self.container = container
        self.enough = _AT_LIMIT * (container.cpu_limit or 0)
        self.pods: list[tuple[PodRow, int]] = []
        self.seen = 0


def _examine(patient: Patient) -> Iterable[Finding]:
    found: dict[tuple[Root, str], _Held] = {}
    usage, now = patient.delta.pod_usage, patient.now
    for crew in patient.crews:
        limited = {c.name: c for c in crew.containers if c.cpu_limit}
        if not limited:
            continue
        root = patient.owner(crew.first)
        of = {name: found.setdefault((root, name), _Held(c)) for name, c in limited.items()}
        for pod in crew.pods:
            sample = usage.get((pod.namespace, pod.name))
            if sample is None or now - sample.time > _FRESH:
                continue
            for name, used, _ in sample.containers:
                held = of.get(name)
                if held is not None and used is not None:
                    held.seen += 1
                    if 1000 * used >= held.enough:
                        held.pods.append((pod, used))
    for (root, name), held in found.items():
        if held.pods:
            yield _finding(root, name, held)


def _finding(root: Root, name: str, held: _Held) -> Finding:
    limit = held.container.cpu_limit or 0
    pod, used = max(held.pods, key=lambda each: each[1])
    request = held.container.cpu_request
    return RULE.found(
        str(root),
        f"Container {name} of {root.name} is at its CPU limit in "
        f"{count(len(held.pods), 'pod')} of {held.seen}",
        "The kernel lets a container run until its limit for the current tenth of a second is used "
        "up, then stops it until the next. It shows as latency, while the node may be idle. Nor "
        "can its usage rise any further, so the HPA sees less load than there is.",
        [
            Evidence(
                named("Pod", pod.namespace, pod.name), f"usage.cpu of {name}",
                f"{cpu(used)} of a limit of {cpu(limit)}",
            ),
            Evidence(
                str(root), f"containers[{name}].resources",
                f"request {cpu(request) if request is not None else 'none'}, limit {cpu(limit)}",
            ),
        ],
        Fix(
            "Raise the CPU limit, or leave it out and rely on requests; more pods help as well.",
            kubectl(
                root.namespace, "set", "resources", f"{root.kind.lower()}/{root.name}",
                "-c", name, f"--limits=cpu={cpu(2 * limit)}",
            ),
            resources_patch(root, [held.container], "limits", {"cpu": cpu(2 * limit)}),
        ),
    )  # fmt: skip


RULE: Final = Rule(
    id="cpu-throttled",
    title="Throttled by the CPU limit",
    severity=Severity.WARNING,
    page=(
        "A CPU limit is a quota per 100 ms (CFS bandwidth control). A container whose usage is at "
        "its limit is stopped in most periods: requests wait though the node has CPU to give. "
        "Utilization is capped by it too, at limit ÷ request."
    ),
    examine=_examine,
)
