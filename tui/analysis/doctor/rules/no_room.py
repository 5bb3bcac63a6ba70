"""Pods wait for a node with room, or would at the HPA's maximum."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

from tui.analysis.doctor.finding import Evidence, Finding, Fix, Severity, kubectl, named
from tui.analysis.doctor.patches import hpa_patch
from tui.analysis.doctor.patient import Crew, Patient, Root, Scaled
from tui.analysis.doctor.rule import Rule
from tui.analysis.doctor.words import count, cpu, hpa_name, memory
from tui.state.rows import Kind, PodRow

_GRACE: Final = 10.0
"""Seconds that a pod may wait before it counts as stuck."""
_FULL: Final = re.compile(r"Insufficient [\w./-]*\w|Too many pods")


class _Room(NamedTuple):
    """What a node has left: millicores, bytes, pods."""

    name: str
    cpu: int
    memory: int
    pods: int


def _examine(patient: Patient) -> Iterable[Finding]:
    rooms = _rooms(patient)
    stuck = patient.by_owner(patient.troubled, lambda pod: _is_stuck(patient, pod))
    for root, pods in stuck.items():
        yield _waiting(patient, root, pods, rooms)
    if rooms and patient.known(Kind.NODES):
        for one in patient.scaled:
            if not any(root.uid == one.workload.uid for root in stuck):
                yield from _would_wait(patient, one, rooms)


def _is_stuck(patient: Patient, pod: PodRow) -> bool:
    return (
        pod.status == "Pending"
        and not pod.node
        and "nodes are available" in pod.message
        and _FULL.search(pod.message) is not None
        and patient.now - pod.created >= _GRACE
    )


def _rooms(patient: Patient) -> list[_Room]:
    """What the pods that are known leave free on the nodes that take pods."""
    if not patient.nodes:
        return []
    free = {
        node.name: [node.cpu_allocatable, node.memory_allocatable, node.pods_allocatable]
        for node in patient.nodes
        if node.ready == "True" and not node.unschedulable
    }
    for crew in patient.crews:
        need_cpu, need_memory = crew.placement
        for pod in crew.pods:
            left = free.get(pod.node)
            if left is not None:
                left[0] -= need_cpu
                left[1] -= need_memory
                left[2] -= 1
    return [_Room(name, *left) for name, left in free.items()]


def _fits(crew: Crew, rooms: list[_Room], enough: int) -> int:
    """How many more pods like these the nodes take; it does not count on beyond ``enough``."""
    need_cpu, need_memory = crew.placement
    total = 0
    for room in rooms:
        if total >= enough:
            break
        each = [max(0, room.pods)]
        if need_cpu:
            each.append(max(0, room.cpu) // need_cpu)
        if need_memory:
            each.append(max(0, room.memory) // need_memory)
        total += min(each)
    return total


def _request(pod: PodRow) -> str:
    need_cpu, need_memory = pod.placement
    return f"cpu {cpu(need_cpu)}, memory {memory(need_memory)}"


def _free(patient: Patient, rooms: list[_Room]) -> list[Evidence]:
    of = f" by pods of {patient.namespace}" if patient.namespace is not None else ""
    return [
        Evidence(
            named("Node", "", room.name),
            f"allocatable - requested{of}",
            f"cpu {cpu(max(0, room.cpu))}, memory {memory(max(0, room.memory))}, "
            f"{count(max(0, room.pods), 'pod')}",
        )
        for room in rooms[:4]
    ]


def _waiting(patient: Patient, root: Root, pods: list[PodRow], rooms: list[_Room]) -> Finding:
    first = pods[0]
    lacking = ", ".join(dict.fromkeys(_FULL.findall(first.message)))
    scaler = next((one.hpa for one in patient.scaled if one.workload.uid == root.uid), None)
    evidence = [
        Evidence(named("Pod", first.namespace, first.name), "PodScheduled", first.message),
        Evidence(named("Pod", first.namespace, first.name), "requests", _request(first)),
        *_free(patient, rooms),
    ]
    if scaler is not None:
        evidence.append(
            Evidence(hpa_name(scaler), "maxReplicas × request", f"{scaler.max} × {_request(first)}")
        )
    return RULE.found(
        str(root),
        f"{count(len(pods), 'pod')} of {root.name} cannot be scheduled: {lacking}",
        "The scheduler places a pod where its requests fit into what the node can give and others "
        "have not requested yet; what is really used does not count. No node has that much left, "
        "so the pod stays Pending and the HPA gains nothing from it.",
        evidence,
        Fix(
            "Lower the request, lower maxReplicas, scale something else down, or add a node.",
            kubectl(first.namespace, "describe", "pod", first.name),
        ),
        Severity.WARNING,
    )


def _would_wait(patient: Patient, one: Scaled, rooms: list[_Room]) -> Iterable[Finding]:
    own = [pod for crew in one.own for pod in crew.pods]
    more = one.hpa.max - len(own)
    if not own or more <= 0 or any(not pod.node for pod in own):
        return
    fits = _fits(one.own[0], rooms, more)
    if more <= fits:
        return
    # What other namespaces take is not seen, so there may be less room than that.
    whole = patient.namespace is None
    total = len(own) + fits
    yield RULE.found(
        str(one.own[0].root),
        f"{'' if whole else 'At least '}{count(more - fits, 'pod')} of {one.workload.name} would "
        f"find no room at {one.hpa.max} replicas",
        f"{one.hpa.name} may go to {one.hpa.max} pods, and the nodes have room for "
        f"{total if whole else f'{total} at most'}. The rest would stay Pending, unless something "
        "adds nodes.",
        [
            Evidence(
                hpa_name(one.hpa),
                "maxReplicas × request",
                f"{one.hpa.max} × {_request(own[0])}",
            ),
            *_free(patient, rooms),
        ],
        Fix(
            f"Lower the request, lower maxReplicas{f' to {total}' if whole else ''}, or add a "
            "node.",
            kubectl("", "describe", "nodes"),
            hpa_patch(one.hpa, {"maxReplicas": total})
            if whole and total >= max(1, one.hpa.min)
            else None,
        ),
        Severity.INFO,
    )


RULE: Final = Rule(
    id="no-room",
    title="Pods that cannot fit",
    severity=Severity.WARNING,
    page=(
        "A node gives out its allocatable CPU and memory by requests. maxReplicas × request must "
        "fit into what is free, node by node: four pods of 1000m do not fit on a laptop's two "
        "cores, however idle it is. What does not fit is Pending, with FailedScheduling and "
        "'Insufficient cpu'."
    ),
    examine=_examine,
)
