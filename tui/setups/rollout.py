"""Whether a workload is rolled out, and if not, what holds it up. Pure: objects in, words out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tui.cluster.objects import Object

_STARTING: Final = frozenset({"ContainerCreating", "PodInitializing"})
_HOPELESS: Final = frozenset(
    {
        "ImagePullBackOff",
        "ErrImageNeverPull",
        "InvalidImageName",
        "CreateContainerConfigError",
        "CreateContainerError",
        "RunContainerError",
        "CrashLoopBackOff",
        "FailedCreate",
        "ProgressDeadlineExceeded",
    }
)
"""What does not heal by waiting a little."""
_STEPS: Final = {
    "ImagePullBackOff": "Check the image's name and tag, and whether the nodes may pull it.",
    "ErrImagePull": "Check the image's name and tag, and whether the nodes may pull it.",
    "ErrImageNeverPull": "Load the image into the nodes: its pull policy is Never.",
    "InvalidImageName": "Correct the image's name.",
    "CrashLoopBackOff": "Read its log: kubectl logs --previous.",
    "FailedScheduling": "Make room, or ask for less CPU and memory.",
    "Unhealthy": "Read its log, and check the probe's path and port.",
    "FailedCreate": "Raise the quota, or ask for less.",
    "FailedMount": "Check the volumes that the pod names.",
}


@dataclass(frozen=True, slots=True)
class Trouble:
    """What holds something up."""

    reason: str
    """A word, as Kubernetes has it: ``ImagePullBackOff``, ``FailedScheduling``, ``Unhealthy``…"""
    sentence: str
    hopeless: bool = False
    """Waiting a little will not help."""
    pod: str = ""
    container: str = ""
    """What ends again and again: its log tells more."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """How far a workload is."""

    done: bool
    sentence: str
    ready: int = 0
    wanted: int = 0
    trouble: Trouble | None = None


def judge(
    live: Object,
    pods: Sequence[Object],
    events: Iterable[Object] = (),
    sets: Sequence[Object] = (),
) -> Verdict:
    """How far a workload's rollout is.

    Args:
        live: a Deployment, StatefulSet or DaemonSet.
        pods: those of its newest version.
        events: about those pods; without them a failing probe is told less well.
        sets: a Deployment's newest ReplicaSet, which knows first if pods cannot be created.
    """
    kind, status = str(live.get("kind", "")), live.get("status") or {}
    wanted = _wanted(live)
    ready, current = _counts(kind, status)
    observed = int(status.get("observedGeneration") or 0)
    settled = observed >= int((live.get("metadata") or {}).get("generation") or 0)
    old = int(status.get("replicas") or 0) - int(status.get("updatedReplicas") or 0)
    waiting_for_old = kind != "DaemonSet" and old > 0
    done = settled and ready >= wanted and current >= wanted and not waiting_for_old
    sentence = f"{min(ready, current)} of {wanted} pods ready"
    if done:
        return Verdict(True, sentence, ready, wanted)
    trouble = _of_conditions([*sets, live]) if settled else None
    told = list(events)
    if trouble is None or trouble.reason == "ProgressDeadlineExceeded":
        found = [one for pod in pods if (one := of_pod(pod, told)) is not None]
        worst = max(found, key=lambda one: (one.hopeless, one.reason != "Unhealthy"), default=None)
        trouble = worst or trouble
    if trouble is not None:
        sentence += f": {trouble.sentence}"
    elif waiting_for_old and ready >= wanted:
        sentence += f", {old} of the old version still ending"
    return Verdict(False, sentence, ready, wanted, trouble)


def next_step(reason: str) -> str:
    """What to do about a trouble; empty if nothing sensible can be said."""
    return _STEPS.get(reason, "")


def of_pod(pod: Object, events: Iterable[Object] = ()) -> Trouble | None:
    """What holds a pod up; None if nothing is known to."""
    status, name = pod.get("status") or {}, str((pod.get("metadata") or {}).get("name", ""))
    for condition in status.get("conditions") or ():
        if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
            message = str(condition.get("message", ""))
            return Trouble("FailedScheduling", f"pod {name} cannot be placed: {message}")
    containers = [
        *(status.get("initContainerStatuses") or ()),
        *(status.get("containerStatuses") or ()),
    ]
    for container in containers:
        waiting = (container.get("state") or {}).get("waiting")
        if waiting and waiting.get("reason") not in (None, "", *_STARTING):
            return _of_waiting(name, container, waiting)
    mine = [one for one in events if (one.get("involvedObject") or {}).get("name") == name]
    for reason, words in (("Unhealthy", "fails its probe"), ("FailedMount", "waits for a volume")):
        latest = _latest(mine, reason)
        if latest is not None and not _ready(status):
            return Trouble(reason, f"pod {name} {words}: {latest}")
    return None


def _of_waiting(pod: str, container: Object, waiting: Object) -> Trouble:
    reason, message = str(waiting["reason"]), str(waiting.get("message", ""))
    image = str(container.get("image", ""))
    if reason == "CrashLoopBackOff":
        last = (container.get("lastState") or {}).get("terminated") or {}
        code, why = last.get("exitCode"), last.get("reason", "Error")
        message = f"container {container.get('name')} ends ({why}, exit code {code})"
        message += " again and again"
    elif "Image" in reason or "Pull" in reason:
        message = f"image {image} cannot be pulled" + (f" ({message})" if message else "")
    sentence = f"pod {pod}: {reason}, {message}" if message else f"pod {pod}: {reason}"
    ends = str(container.get("name", "")) if reason == "CrashLoopBackOff" else ""
    return Trouble(reason, sentence, reason in _HOPELESS, pod if ends else "", ends)


def _of_conditions(objects: Iterable[Object]) -> Trouble | None:
    found = [c for one in objects for c in (one.get("status") or {}).get("conditions") or ()]
    for condition in sorted(found, key=lambda one: one.get("type") != "ReplicaFailure"):
        kind, state = condition.get("type"), condition.get("status")
        message = str(condition.get("message", ""))
        if kind == "ReplicaFailure" and state == "True":
            reason = str(condition.get("reason") or "FailedCreate")
            return Trouble(reason, f"pods cannot be created: {message}", True)
        if kind == "Progressing" and state == "False":
            return Trouble("ProgressDeadlineExceeded", message, True)
    return None


def _wanted(live: Object) -> int:
    if live.get("kind") == "DaemonSet":
        return int((live.get("status") or {}).get("desiredNumberScheduled") or 0)
    replicas = (live.get("spec") or {}).get("replicas")
    return 1 if replicas is None else int(replicas)


def _counts(kind: str, status: Object) -> tuple[int, int]:
    """Pods ready, and pods of the newest version."""
    if kind == "DaemonSet":
        return int(status.get("numberAvailable") or 0), int(
            status.get("updatedNumberScheduled") or 0
        )
    ready = status.get("availableReplicas" if kind == "Deployment" else "readyReplicas")
    return int(ready or 0), int(status.get("updatedReplicas") or 0)


def _ready(status: Object) -> bool:
    conditions: list[Any] = status.get("conditions") or []
    return any(c.get("type") == "Ready" and c.get("status") == "True" for c in conditions)


def _latest(events: list[Object], reason: str) -> str | None:
    found = [one for one in events if one.get("reason") == reason]
    found.sort(key=lambda one: str(one.get("lastTimestamp") or one.get("eventTime") or ""))
    return str(found[-1].get("message", "")) if found else None
