"""A node that is not ready, with pods on it that are needed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from tui.analysis.doctor.finding import Evidence, Finding, Fix, Severity, kubectl, named
from tui.analysis.doctor.patient import Crew, Patient
from tui.analysis.doctor.rule import Rule
from tui.analysis.doctor.words import count, listed, stamp
from tui.state.rows import Kind, NodeRow

_JOINING: Final = 120.0
"""Seconds in which a new node pulls its network plugin and is not ready yet."""
_OF_THE_NODE: Final = ("DaemonSet", "Node")
"""Owners whose pods belong to a node and are made anew nowhere else."""


def _examine(patient: Patient) -> Iterable[Finding]:
    if not patient.known(Kind.NODES, Kind.PODS):
        return
    for node in patient.nodes:
        if node.ready == "True" or patient.now - node.created < _JOINING:
            continue
        there = [crew for crew in patient.crews if _is_moved(crew) and _on(crew, node)]
        if there:
            yield _finding(node, there)


def _is_moved(crew: Crew) -> bool:
    return crew.root is None or crew.root.kind not in _OF_THE_NODE


def _on(crew: Crew, node: NodeRow) -> list[str]:
    return [pod.name for pod in crew.pods if pod.node == node.name]


def _finding(node: NodeRow, there: list[Crew]) -> Finding:
    name = named("Node", "", node.name)
    pods = [pod for crew in there for pod in _on(crew, node)]
    owners = dict.fromkeys(crew.root.name if crew.root else crew.first.name for crew in there)
    are = "is" if len(pods) == 1 else "are"
    state = f"{node.ready} since {stamp(node.ready_since)}" if node.ready_since else node.ready
    return RULE.found(
        name,
        f"Node {node.name} is not Ready, and {count(len(pods), 'pod')} of "
        f"{listed(list(owners))} {are} on it",
        (
            "The control plane hears no more from its kubelet. "
            if node.ready == "Unknown"
            else "Its kubelet says that it cannot run pods. "
        )
        + "Its pods get no requests from Services and give no samples: scaling up the HPA takes "
        "them for idle, scaling down for busy. Unless they tolerate it longer, they are deleted "
        "after 5 minutes, and only then made anew elsewhere.",
        [
            Evidence(name, "status.conditions[Ready]", state),
            Evidence(name, "pods", listed(pods)),
        ],
        Fix(
            "See what the node says; if it does not come back, drain it, or delete its Node.",
            kubectl("", "describe", "node", node.name),
        ),
    )


RULE: Final = Rule(
    id="node-not-ready",
    title="A node that is not ready, with pods on it",
    severity=Severity.WARNING,
    page=(
        "A node whose kubelet has been silent for some 50 seconds is Ready=Unknown, one whose "
        "kubelet cannot run pods is Ready=False. Its pods are marked not Ready at once; the taint "
        "it gets (NoExecute) deletes them after their tolerationSeconds, 300 unless set. Until "
        "then nothing replaces them, and the HPA counts them without a sample. Pods of a "
        "StatefulSet are not made anew before the node is back or its Node object is gone."
    ),
    examine=_examine,
)
