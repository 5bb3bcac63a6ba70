"""Pods wait for a node with room, or would at the HPA's maximum."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

from tui.analysis.doctor.finding import Evidence, Finding, Fix, Severity, kubectl, named
from tui.analysis.doctor.patient import Patient, Root, Scaled
from tui.analysis.doctor.rule import Rule
from tui.analysis.doctor.words import count, cpu, hpa_name, memory
from tui.analysis.nodes import Placed, placed
from tui.state.rows import Kind, NodeRow, PodRow

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
    """What is free on the nodes that take pods."""
    if not patient.nodes:
        return []
    taken = placed(patient.delta.pods.rows.values())
    return [_room(n, taken) for n in patient.nodes if n.ready == "True" and not n.unschedulable]


def _room(node: NodeRow, taken: dict[str, Placed]) -> _Room:
    used = taken.get(node.name, Placed())
    return _Room(
        node.name,
        node.cpu_allocatable - used.cpu,
        node.memory_allocatable - used.memory,
        node.pods_allocatable - used.pods,
    )


def _fits(pod: PodRow, rooms: list[_Room]) -> int:
    """How many more pods like it the nodes take."""
    need_cpu = sum(c.cpu_request or 0 for c in pod.containers)
    need_memory = sum(c.memory_request or 0 for c in pod.containers)
    total = 0
    for room in rooms:
        each = [max(0, room.pods)]
        if need_cpu:
            each.append(max(0, room.cpu) // need_cpu)
        if need_memory:
            each.append(max(0, room.memory) // need_memory)
        total += min(each)
    return total


def _request(pod: PodRow) -> str:
    need_cpu = sum(c.cpu_request or 0 for c in pod.containers)
    need_memory = sum(c.memory_request or 0 for c in pod.containers)
    return f"cpu {cpu(need_cpu)}, memory {memory(need_memory)}"


def _free(rooms: list[_Room]) -> list[Evidence]:
    return [
        Evidence(
            named("Node", "", room.name),
            "allocatable - requested",
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
        *_free(rooms),
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
    own = [
        p
        for p in one.pods
        if not patient.leaving(p)
        and (root := patient.root(p)) is not None
        and root.uid == one.workload.uid
    ]
    if not own or any(not p.node for p in own):
        return
    more = one.hpa.max - len(own)
    fits = _fits(own[0], rooms)
    if more <= fits:
        return
    yield RULE.found(
        str(patient.root(own[0])),
        f"{count(more - fits, 'pod')} of {one.workload.name} would find no room at "
        f"{one.hpa.max} replicas",
        f"{one.hpa.name} may go to {one.hpa.max} pods, and the nodes have room for "
        f"{len(own) + fits}. The rest would stay Pending, unless something adds nodes.",
        [
            Evidence(
                hpa_name(one.hpa),
                "maxReplicas × request",
                f"{one.hpa.max} × {_request(own[0])}",
            ),
            *_free(rooms),
        ],
        Fix(
            f"Lower the request, lower maxReplicas to {len(own) + fits}, or add a node.",
            kubectl("", "describe", "nodes"),
        ),
        Severity.INFO,
    )  # fmt: skip


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
