"""A container ends again and again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from tui.analysis.doctor.finding import Evidence, Finding, Fix, Severity, kubectl, named
from tui.analysis.doctor.patient import Patient, Root
from tui.analysis.doctor.rule import Rule
from tui.analysis.doctor.words import count
from tui.state.rows import PodRow

_CODES: Final = {
    1: "an error of the app's own",
    2: "an error of the app's own, often its command line",
    126: "the command may not be executed",
    127: "the command was not found",
    128: "the command could not be started",
    137: "killed (SIGKILL): by a liveness probe, or for its memory",
    139: "a segmentation fault",
    143: "asked to end (SIGTERM)",
}
_STATES: Final = ("CrashLoopBackOff", "RunContainerError", "Error", "StartError")


def _counts(pod: PodRow) -> bool:
    state = pod.status.removeprefix("Init:")
    # One that ends and is started again at once shows its ending in turn with its back-off.
    again = state == "CrashLoopBackOff" or pod.restarts > 1
    for_memory = pod.ending is not None and pod.ending.reason == "OOMKilled"
    return state in _STATES and again and not pod.terminal and not for_memory


def _examine(patient: Patient) -> Iterable[Finding]:
    for root, pods in patient.by_owner(patient.troubled, _counts).items():
        yield _finding(root, pods)


def _finding(root: Root, pods: list[PodRow]) -> Finding:
    first = max(pods, key=lambda pod: pod.restarts)
    name = named("Pod", first.namespace, first.name)
    ending = first.ending
    evidence = [Evidence(name, "status", f"{first.status}, {count(first.restarts, 'restart')}")]
    reason, container = "", ""
    if ending is not None:
        meaning = _CODES.get(ending.code, "")
        reason = f"{ending.reason}, exit code {ending.code}" + (f": {meaning}" if meaning else "")
        container = ending.container
        evidence.append(Evidence(name, f"containers[{container}].lastState.terminated", reason))
    if first.message:
        evidence.append(Evidence(name, "message", first.message))
    previous = ["--previous"] if first.restarts else []
    inside = ["-c", container] if container else []
    return RULE.found(
        str(root),
        f"{count(len(pods), 'pod')} of {root.name} in a crash loop"
        + (f" ({ending.reason}, exit code {ending.code})" if ending is not None else ""),
        "The container ends soon after it is started. The kubelet starts it again, waiting twice "
        "as long each time, up to five minutes. Such a pod serves nothing, and the HPA counts it "
        "as not ready.",
        evidence,
        Fix(
            "Read what it printed before it ended.",
            kubectl(first.namespace, "logs", first.name, *inside, *previous, "--tail=30"),
        ),
    )


RULE: Final = Rule(
    id="crash-loop",
    title="CrashLoopBackOff",
    severity=Severity.ERROR,
    page=(
        "CrashLoopBackOff is not the fault but the pause after it: 10 s, 20 s, 40 s, up to 300 s. "
        "The reason is in lastState.terminated, by its reason and exit code, and in the log of the "
        "run before (kubectl logs --previous)."
    ),
    examine=_examine,
)
