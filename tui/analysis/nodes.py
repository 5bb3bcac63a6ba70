"""What runs on each node: requests against allocatable."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tui.state.rows import PodRow


@dataclass(slots=True)
class Placed:
    """The pods seen on one node and what they ask for (millicores, bytes)."""

    pods: int = 0
    cpu: int = 0
    memory: int = 0


def placed(pods: Iterable[PodRow]) -> dict[str, Placed]:
    """By node name. Pods that have run to their end hold nothing, as for the scheduler."""
    nodes: dict[str, Placed] = {}
    for pod in pods:
        if not pod.node or pod.terminal:
            continue
        node = nodes.setdefault(pod.node, Placed())
        node.pods += 1
        node.cpu += sum(c.cpu_request or 0 for c in pod.containers)
        node.memory += sum(c.memory_request or 0 for c in pod.containers)
    return nodes
