"""A pod's state in a word, as ``kubectl get pods`` prints it (``printPod`` of Kubernetes)."""

from __future__ import annotations

from typing import NamedTuple

from tui.demo.store import Object


class Words(NamedTuple):
    """The cells of a pod that take more than a look-up."""

    ready: str
    status: str
    restarts: int
    restarted_at: str
    """Time stamp of the last restart; empty if there was none."""


def words(pod: Object) -> Words:
    """Ready, Status and Restarts of a pod."""
    spec, status = pod.get("spec") or {}, pod.get("status") or {}
    reason = status.get("reason") or status.get("phase", "")
    for condition in status.get("conditions") or ():
        if condition["type"] == "PodScheduled" and condition.get("reason") == "SchedulingGated":
            reason = "SchedulingGated"
    inits = _inits(spec, status)
    if inits is not None:
        reason = inits
    restarts, restarted_at, ready = _count(status.get("initContainerStatuses") or ())
    if inits is None:
        found = status.get("containerStatuses") or ()
        restarts, restarted_at, ready = _count(found)
        running = False
        for one in reversed(found):
            state = one.get("state") or {}
            running = running or bool(one.get("ready") and "running" in state)
            reason = _reason(state, "") or reason
        if reason == "Completed" and running:
            reason = "Running" if _is_ready(status) else "NotReady"
    else:
        ready = 0
    if "deletionTimestamp" in pod["metadata"]:
        reason = "Unknown" if status.get("reason") == "NodeLost" else "Terminating"
    total = len(spec.get("containers") or ())
    return Words(f"{ready}/{total}", reason, restarts, restarted_at)


def _inits(spec: Object, status: Object) -> str | None:
    """The reason while an init container is not done; None once all are."""
    total = len(spec.get("initContainers") or ())
    for index, one in enumerate(status.get("initContainerStatuses") or ()):
        state = one.get("state") or {}
        ended = state.get("terminated")
        if ended is not None and ended.get("exitCode") == 0:
            continue
        if ended is not None:
            return _reason(state, "Init:")
        waiting = (state.get("waiting") or {}).get("reason", "")
        if waiting and waiting != "PodInitializing":
            return f"Init:{waiting}"
        return f"Init:{index}/{total}"
    return None


def _reason(state: Object, prefix: str) -> str:
    waiting, ended = state.get("waiting") or {}, state.get("terminated")
    if waiting.get("reason"):
        return f"{prefix}{waiting['reason']}"
    if ended is None:
        return ""
    if ended.get("reason"):
        return f"{prefix}{ended['reason']}"
    if ended.get("signal"):
        return f"{prefix}Signal:{ended['signal']}"
    return f"{prefix}ExitCode:{ended.get('exitCode', 0)}"


def _count(statuses: object) -> tuple[int, str, int]:
    """Restarts, the time of the last, and how many are ready."""
    restarts, ready = 0, 0
    restarted_at = ""
    for one in statuses if isinstance(statuses, (list, tuple)) else ():
        restarts += one.get("restartCount", 0)
        ended = (one.get("lastState") or {}).get("terminated") or {}
        restarted_at = max(restarted_at, ended.get("finishedAt") or "")
        if one.get("ready") and "running" in (one.get("state") or {}):
            ready += 1
    return restarts, restarted_at if restarts else "", ready


def _is_ready(status: Object) -> bool:
    return any(
        one["type"] == "Ready" and one["status"] == "True" for one in status.get("conditions") or ()
    )
