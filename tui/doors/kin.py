"""The pods that could have answered as well as those that did: all of the same workloads."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Final

from tui.state.rows import PodRow

_HASH: Final = "pod-template-hash"
_Workload = tuple[str, str, str]
"""Namespace, kind and name, or the like: enough to tell one from another."""


class Kin:
    """Answers name pods, a proxy's upstreams perhaps, whose names alone are known.

    Args:
        pods: all that can be read, as they are now.
        namespace: where the burst goes: its pods are meant where a name occurs in several.
    """

    def __init__(self, pods: Callable[[], Iterable[PodRow]], namespace: str) -> None:
        self._pods = pods
        self._namespace = namespace
        self._known: dict[str, _Workload] = {}
        """By the name of a pod, which may have gone since."""

    def ready(self, names: Collection[str]) -> list[str] | None:
        """The names of the ready pods of the workloads that these belong to; None if one of them
        is no pod that was ever seen.
        """
        pods = list(self._pods())
        if any(name not in self._known for name in names):
            # Pods of the burst's own namespace come last and so overrule the others.
            for pod in sorted(pods, key=lambda pod: pod.namespace == self._namespace):
                if pod.name in names:
                    self._known[pod.name] = _workload(pod)
        if any(name not in self._known for name in names):
            return None
        meant = {self._known[name] for name in names}
        return [pod.name for pod in pods if pod.ready and _workload(pod) in meant]


def _workload(pod: PodRow) -> _Workload:
    """Of a Deployment's pods the Deployment: its ReplicaSets need not be known for that."""
    owner = pod.owner
    if owner is None:
        return pod.namespace, "Pod", pod.name
    end = "-" + dict(pod.labels).get(_HASH, "")
    if owner.kind == "ReplicaSet" and len(end) > 1 and owner.name.endswith(end):
        return pod.namespace, "Deployment", owner.name.removesuffix(end)
    return pod.namespace, owner.kind, owner.name
