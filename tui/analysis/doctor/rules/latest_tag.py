"""An image that every new pod asks the registry for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from tui.analysis.doctor.finding import Evidence, Finding, Fix, Severity, kubectl
from tui.analysis.doctor.patient import Patient, Scaled
from tui.analysis.doctor.rule import Rule
from tui.analysis.doctor.words import hpa_name
from tui.state.rows import ContainerRow


def _examine(patient: Patient) -> Iterable[Finding]:
    for one in {one.workload.uid: one for one in patient.scaled}.values():
        for container in one.own[0].containers if one.own else ():
            if _floats(container.image):
                yield _finding(one, container)
                break


def _floats(image: str) -> bool:
    """Whether the name has no tag, or ``latest``: then imagePullPolicy is Always by default."""
    name = image.rsplit("/", 1)[-1]
    return bool(name) and "@" not in name and (":" not in name or name.endswith(":latest"))


def _finding(one: Scaled, container: ContainerRow) -> Finding:
    workload = one.workload
    name = f"{workload.kind} {workload.namespace}/{workload.name}"
    return RULE.found(
        name,
        f"{workload.name} runs {container.image}: each new pod asks the registry",
        "With the tag latest, or none, the image is looked up whenever a pod starts (unless "
        "imagePullPolicy says otherwise). A scale-up then waits for the registry, fails when it is "
        "away or limits the rate, and may bring another version than its neighbours run.",
        [
            Evidence(name, f"containers[{container.name}].image", container.image),
            Evidence(hpa_name(one.hpa), "spec.scaleTargetRef", f"{workload.kind}/{workload.name}"),
        ],
        Fix(
            "Name a version, and update it on purpose.",
            kubectl(
                workload.namespace, "set", "image", f"{workload.kind.lower()}/{workload.name}",
                f"{container.name}=IMAGE:VERSION",
            ),
        ),
    )  # fmt: skip


RULE: Final = Rule(
    id="latest-tag",
    title="The tag latest on an HPA's target",
    severity=Severity.ADVICE,
    page=(
        "imagePullPolicy is Always by default for :latest and for images without a tag. An HPA "
        "starts pods under load, and each of them waits for the registry first."
    ),
    examine=_examine,
)
