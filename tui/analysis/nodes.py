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
        name = pod.node
        if not name or pod.terminal:
            continue
        node = nodes.get(name)
        if node is None:
            node = nodes[name] = Placed()
        node.pods += 1
        for container in pod.containers:
            if container.cpu_request:
                node.cpu += container.cpu_request
            if container.memory_request:
                node.memory += container.memory_request
    return nodes
