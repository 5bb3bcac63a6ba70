"""Pods, their status in kubectl's words.

STATUS, READY and RESTARTS follow ``printPod`` of Kubernetes 1.36
(pkg/printers/internalversion/printers.go), which the API server runs to answer
``kubectl get pods``.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import msgspec

from tui.cluster.decode.common import (
    Int32,
    LeanMeta,
    WireCondition,
    identity,
    instant,
    labels_of,
    owner_of,
    shared,
)
from tui.cluster.decode.containers import Spec, containers_of, placed_by, requests_of
from tui.state.rows import Ending, PodRow

_TERMINAL: Final = ("Succeeded", "Failed")
_LONGEST_MESSAGE: Final = 1024


class Waiting(msgspec.Struct, gc=False):
    """``state.waiting``."""

    reason: str | None = None
    message: str | None = None


class Running(msgspec.Struct, gc=False):
    """``state.running``: that it is there is all that counts."""


class Terminated(msgspec.Struct, gc=False):
    """``state.terminated``."""

    exitCode: Int32 | None = None  # noqa: N815
    signal: Int32 | None = None
    reason: str | None = None
    message: str | None = None
    finishedAt: str | None = None  # noqa: N815


class State(msgspec.Struct, gc=False):
    """``state`` and ``lastState`` of a container."""

    waiting: Waiting | None = None
    running: Running | None = None
    terminated: Terminated | None = None


class ContainerStatus(msgspec.Struct, gc=False):
    """``status.containerStatuses[]`` and ``status.initContainerStatuses[]``."""

    name: str | None = None
    ready: bool | None = None
    started: bool | None = None
    restartCount: Int32 | None = None  # noqa: N815
    state: State | None = None
    lastState: State | None = None  # noqa: N815


class Status(msgspec.Struct, gc=False):
    """``status``."""

    phase: str | None = None
    reason: str | None = None
    message: str | None = None
    podIP: str | None = None  # noqa: N815
    startTime: str | None = None  # noqa: N815
    conditions: list[WireCondition] | None = None
    containerStatuses: list[ContainerStatus] | None = None  # noqa: N815
    initContainerStatuses: list[ContainerStatus] | None = None  # noqa: N815


class Pod(msgspec.Struct, gc=False):
    """A pod as it comes over the wire."""

    metadata: LeanMeta | None = None
    spec: Spec | None = None
    status: Status | None = None


class Printed(NamedTuple):
    """What ``kubectl get pods`` prints of a pod."""

    ready: int
    total: int
    status: str
    restarts: int
    last_restart: float | None


_NO_SPEC: Final = Spec()
_NO_STATUS: Final = Status()
_NO_STATE: Final = State()


def project(pod: Pod) -> PodRow:
    """The row of a pod.

    Raises:
        MalformedObjectError: it has no uid or no name.
    """
    meta = pod.metadata
    uid, name, namespace, created = identity(meta)
    spec = pod.spec or _NO_SPEC
    status = pod.status or _NO_STATUS
    printed = as_printed(pod)
    ready: bool | None = None
    unknown = False
    ready_since = scheduled = None
    for condition in status.conditions or ():
        if condition.type == "Ready":
            ready = condition.status == "True"
            unknown = condition.status == "Unknown"
            ready_since = instant(condition.lastTransitionTime)
        elif condition.type == "PodScheduled" and condition.status == "True":
            scheduled = instant(condition.lastTransitionTime)
    whole = requests_of(spec)
    return PodRow(
        uid=uid,
        name=name,
        namespace=namespace,
        created=created,
        labels=labels_of(meta.labels) if meta else (),
        owner=owner_of(meta.ownerReferences) if meta else None,
        phase=shared(status.phase or ""),
        status=shared(printed.status),
        message=_message(status),
        containers=containers_of(spec),
        whole=whole,
        placed_by=placed_by(spec, whole),
        ready_containers=printed.ready,
        total_containers=printed.total,
        ready=ready,
        unknown=unknown,
        ready_since=ready_since,
        scheduled=scheduled,
        started=instant(status.startTime),
        deleting=instant(meta.deletionTimestamp) if meta else None,
        restarts=printed.restarts,
        last_restart=printed.last_restart,
        ending=_last_ending(status),
        node=shared(spec.nodeName or ""),
        ip=status.podIP or "",
    )


def as_printed(pod: Pod) -> Printed:
    """READY, STATUS and RESTARTS exactly as ``printPod`` writes them."""
    spec = pod.spec or _NO_SPEC
    status = pod.status or _NO_STATUS
    reason = status.reason or status.phase or ""
    for condition in status.conditions or ():
        if condition.type == "PodScheduled" and condition.reason == "SchedulingGated":
            reason = "SchedulingGated"

    sidecars = {c.name for c in spec.initContainers or () if c.restartPolicy == "Always"}
    init = _initialise(status, spec, sidecars)
    result = init
    if init.status == "" or _initialised(status):
        result = _run(status, init.status or reason, init)
    reason = result.status or reason

    if pod.metadata is not None and pod.metadata.deletionTimestamp:
        if status.reason == "NodeLost":
            reason = "Unknown"
        elif status.phase not in _TERMINAL:
            reason = "Terminating"
    total = len(spec.containers or ()) + len(sidecars)
    return Printed(result.ready, total, reason, result.restarts, result.last_restart)


class _Progress(NamedTuple):
    """What the init containers came to; an empty status means that they are through."""

    status: str
    ready: int
    restarts: int
    last_restart: float | None
    sidecar_restarts: int = 0
    sidecar_last_restart: float | None = None


def _initialise(status: Status, spec: Spec, sidecars: set[str | None]) -> _Progress:
    """Walk the init containers up to the first that is not through."""
    reason = ""
    ready = restarts = sidecar_restarts = 0
    last: float | None = None
    sidecar_last: float | None = None
    for number, container in enumerate(status.initContainerStatuses or ()):
        is_sidecar = container.name in sidecars
        count = container.restartCount or 0
        finished = _finished(container)
        restarts += count
        last = _later(last, finished)
        if is_sidecar:
            sidecar_restarts += count
            sidecar_last = _later(sidecar_last, finished)
        state = container.state or _NO_STATE
        ended = state.terminated
        if ended is not None and not ended.exitCode:
            continue
        if is_sidecar and container.started:
            ready += 1 if container.ready else 0
            continue
        if ended is not None:
            reason = f"Init:{ended.reason or _ending(ended)}"
        elif state.waiting and state.waiting.reason not in (None, "", "PodInitializing"):
            reason = f"Init:{state.waiting.reason}"
        else:
            reason = f"Init:{number}/{len(spec.initContainers or ())}"
        break
    return _Progress(reason, ready, restarts, last, sidecar_restarts, sidecar_last)


def _run(status: Status, reason: str, init: _Progress) -> _Progress:
    """Walk the containers from the last to the first, whose word is the one that counts."""
    ready, restarts, last = init.ready, init.sidecar_restarts, init.sidecar_last_restart
    running = False
    failure = ""
    for container in reversed(status.containerStatuses or ()):
        restarts += container.restartCount or 0
        last = _later(last, _finished(container))
        state = container.state or _NO_STATE
        if state.waiting is not None and state.waiting.reason:
            reason = state.waiting.reason
        elif state.terminated is not None:
            reason = state.terminated.reason or _ending(state.terminated)
            if state.terminated.exitCode:
                failure = reason
        elif container.ready and state.running is not None:
            running = True
            ready += 1
    if reason == "Completed":
        if running and _has(status, "Ready"):
            reason = "Running"
        elif failure:
            reason = failure
        elif running:
            reason = "NotReady"
    return _Progress(reason, ready, restarts, last)


def _ending(ended: Terminated) -> str:
    return f"Signal:{ended.signal}" if ended.signal else f"ExitCode:{ended.exitCode or 0}"


def _finished(container: ContainerStatus) -> float | None:
    last = container.lastState
    if last is None or last.terminated is None:
        return None
    return instant(last.terminated.finishedAt)


def _later(one: float | None, other: float | None) -> float | None:
    return other if one is None or (other is not None and other > one) else one


def _has(status: Status, type: str) -> bool:
    return any(c.type == type and c.status == "True" for c in status.conditions or ())


def _initialised(status: Status) -> bool:
    for condition in status.conditions or ():
        if condition.type == "Initialized":
            return condition.status == "True"
    return False


def _last_ending(status: Status) -> Ending | None:
    """Of the containers' endings, the last; None where none has ended."""
    last: Ending | None = None
    for container in (*(status.initContainerStatuses or ()), *(status.containerStatuses or ())):
        for state in (container.state, container.lastState):
            ended = state.terminated if state is not None else None
            if ended is None:
                continue
            at = instant(ended.finishedAt) or 0.0
            if last is None or at > last.at:
                name, reason = shared(container.name or ""), ended.reason or _ending(ended)
                last = Ending(name, shared(reason), ended.exitCode or 0, at)
    return last


def _message(status: Status) -> str:
    """The first that says why: the pod itself, a container that waits or failed, the scheduler."""
    if status.message:
        return status.message[:_LONGEST_MESSAGE]
    for container in (*(status.initContainerStatuses or ()), *(status.containerStatuses or ())):
        state = container.state or _NO_STATE
        if state.waiting is not None and state.waiting.message:
            return state.waiting.message[:_LONGEST_MESSAGE]
        if state.terminated is not None and state.terminated.message and state.terminated.exitCode:
            return state.terminated.message[:_LONGEST_MESSAGE]
    for condition in status.conditions or ():
        if condition.type == "PodScheduled" and condition.status == "False" and condition.message:
            return condition.message[:_LONGEST_MESSAGE]
    return ""
