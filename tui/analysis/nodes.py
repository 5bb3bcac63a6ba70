"""What runs on each node: requests against allocatable."""

from __future__ import annotations

from typing import cast

import msgspec

from tui.state.delta import Delta
from tui.state.rows import Kind, PodRow


class Placed(msgspec.Struct):
    """The pods seen on one node and what they ask for (millicores, bytes)."""

    pods: int = 0
    cpu: int = 0
    memory: int = 0


class Placement:
    """The pods on each node, by its name, kept by what changes.

    Pods that have run to their end hold nothing, as for the scheduler.
    """

    def __init__(self) -> None:
        self.nodes: dict[str, Placed] = {}
        self._fed = self._generation = 0
        """The delta fed last, and the pods in it."""

    def feed(self, delta: Delta) -> None:
        """Take over a delta; after one that was missed, all pods are looked at again."""
        pods, before = delta.pods, self._fed
        self._fed = delta.number
        if pods.generation == self._generation:
            return
        self._generation = pods.generation
        if delta.number == before + 1:
            for change in delta.changes:
                if change.kind is Kind.PODS:
                    self._take(cast(PodRow | None, change.before), -1)
                    self._take(cast(PodRow | None, change.after), 1)
        else:
            self.nodes = {}
            for pod in pods.rows.values():
                self._take(pod, 1)

    def _take(self, pod: PodRow | None, by: int) -> None:
        if pod is None or not pod.node or pod.terminal:
            return
        node = self.nodes.get(pod.node)
        if node is None:
            node = self.nodes[pod.node] = Placed()
        node.pods += by
        if not node.pods:
            del self.nodes[pod.node]
            return
        cpu, memory = pod.placement
        node.cpu += by * cpu
        node.memory += by * memory
