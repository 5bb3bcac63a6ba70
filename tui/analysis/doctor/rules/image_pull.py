"""An image cannot be fetched."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from tui.analysis.doctor.finding import Evidence, Finding, Fix, Severity, kubectl, named
from tui.analysis.doctor.patient import Patient, Root
from tui.analysis.doctor.rule import Rule
from tui.analysis.doctor.words import count
from tui.state.rows import PodRow

_STATES: Final = (
    "ImagePullBackOff",
    "ErrImagePull",
    "InvalidImageName",
    "ErrImageNeverPull",
    "RegistryUnavailable",
    "ImageInspectError",
)


def _examine(patient: Patient) -> Iterable[Finding]:
    def counts(pod: PodRow) -> bool:
        return pod.status.removeprefix("Init:") in _STATES

    for root, pods in patient.by_owner(patient.troubled, counts).items():
        yield _finding(root, pods)


def _finding(root: Root, pods: list[PodRow]) -> Finding:
    first = pods[0]
    name = named("Pod", first.namespace, first.name)
    state = first.status.removeprefix("Init:")
    # Which of several containers waits, only the message tells.
    images = [c for c in first.containers if c.image and c.image in first.message]
    images = images or [c for c in first.containers if c.image]
    return RULE.found(
        str(root),
        f"{count(len(pods), 'pod')} of {root.name} cannot get "
        + (f"image {images[0].image}" if images else "an image")
        + f" ({state})",
        "The node cannot fetch the image: the name or tag is wrong, the registry wants "
        "credentials, or it cannot be reached. The pod never starts; the kubelet tries again every "
        "few minutes.",
        [
            Evidence(name, "status", state),
            *(Evidence(name, f"containers[{c.name}].image", c.image) for c in images[:1]),
            Evidence(name, "message", first.message or "none"),
        ],
        Fix(
            "Correct the image, give the pod imagePullSecrets, or load the image into the node "
            "(`minikube image load`, `kind load docker-image`).",
            kubectl(first.namespace, "describe", "pod", first.name),
        ),
    )


RULE: Final = Rule(
    id="image-pull",
    title="ImagePullBackOff",
    severity=Severity.ERROR,
    page=(
        "ErrImagePull says that a pull has failed, ImagePullBackOff that the kubelet waits before "
        "it tries again. With the tag :latest, or none, every start of a pod asks the registry, so "
        "a scale-up fails when it is away."
    ),
    examine=_examine,
)
