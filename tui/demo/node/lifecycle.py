"""A node that is lost: what the control plane makes of its silence.

After 40 s without a heartbeat the node's conditions are Unknown, its pods are not Ready, and it is
tainted; after 300 s more, which pods tolerate by default, they are marked for deletion. Nobody is
there to confirm it, so they stay Terminating until the node comes back: then its kubelet lets go of
them and starts the others' containers anew, as after a reboot. See
https://kubernetes.io/docs/concepts/architecture/nodes/#node-controller
"""

from __future__ import annotations

from typing import Final, Protocol

from tui.demo import resources
from tui.demo.api.operations import CONTROLLER_STATUS, DeleteOptions, Writer
from tui.demo.clock import Timer
from tui.demo.controllers.base import ControlPlane
from tui.demo.node.kubelet import Kubelet
from tui.demo.store import Entry, Object

_SILENCE: Final = 40.0
_TOLERATED: Final = 300.0
_TAINT: Final = "node.kubernetes.io/unreachable"
_CONTROLLER: Final = Writer("kube-controller-manager")
_NAME: Final = "node-controller"
_WELL: Final = {
    "Ready": ("True", "KubeletReady", "kubelet is posting ready status"),
    "MemoryPressure": (
        "False",
        "KubeletHasSufficientMemory",
        "kubelet has sufficient memory available",
    ),
    "DiskPressure": ("False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    "PIDPressure": ("False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
}


class Losable(Protocol):
    """What else ends with a node."""

    def lose(self, node: str) -> None:
        """A node is gone."""

    def restore(self, node: str) -> None:
        """A node is there again, with nothing running on it."""


class NodeLifecycle:
    """Takes nodes away, and does to them what the node controller does."""

    def __init__(self, plane: ControlPlane, kubelet: Kubelet, network: Losable) -> None:
        self._plane = plane
        self._kubelet = kubelet
        self._network = network
        self._lost: dict[str, list[Timer]] = {}

    def lose(self, name: str) -> None:
        """A node stops answering now.

        Raises:
            ApiError: 404, there is no such node.
        """
        self._plane.api.get(resources.NODES, "", name)
        self._kubelet.lose(name)
        self._network.lose(name)
        clock = self._plane.clock
        self._lost[name] = [
            clock.call_later(_SILENCE, lambda: self._unknown(name)),
            clock.call_later(_SILENCE + _TOLERATED, lambda: self._evict(name)),
        ]

    def restore(self, name: str) -> None:
        """A lost node has booted; does nothing for one that is not lost.

        Raises:
            ApiError: 404, there is no such node.
        """
        node = self._plane.api.get(resources.NODES, "", name)
        timers = self._lost.pop(name, None)
        if timers is None:
            return
        for timer in timers:
            timer.cancel()
        self._network.restore(name)
        self._kubelet.restore(name)
        now = self._plane.clock.stamp()

        def speaks(data: Object) -> None:
            for one in data["status"].get("conditions") or ():
                value, reason, message = _WELL.get(one["type"], ("False", "", ""))
                since = one["lastTransitionTime"] if one["status"] == value else now
                one |= {"status": value, "lastTransitionTime": since, "lastHeartbeatTime": now}
                one |= {"reason": reason, "message": message}

        def untaint(data: Object) -> None:
            kept = [one for one in data["spec"].get("taints") or () if one["key"] != _TAINT]
            data["spec"]["taints"] = kept
            if not kept:
                del data["spec"]["taints"]

        node = self._plane.api.change(resources.NODES, node, speaks, CONTROLLER_STATUS)
        node = self._plane.api.change(resources.NODES, node, untaint, _CONTROLLER)
        message = f"Node {name} status is now: NodeReady"
        self._plane.events.record(
            (resources.NODES, node), "Normal", "NodeReady", message, "kubelet"
        )

    def _unknown(self, name: str) -> None:
        plane = self._plane
        node = plane.store.get(resources.NODES.storage, "", name)
        if node is None:
            return
        now = plane.clock.stamp()

        def silent(data: Object) -> None:
            for one in data["status"].get("conditions") or ():
                one |= {
                    "status": "Unknown",
                    "lastTransitionTime": now,
                    "reason": "NodeStatusUnknown",
                    "message": "Kubelet stopped posting node status.",
                }

        def taint(data: Object) -> None:
            data["spec"]["taints"] = [
                *(data["spec"].get("taints") or ()),
                {"key": _TAINT, "effect": "NoSchedule", "timeAdded": now},
                {"key": _TAINT, "effect": "NoExecute", "timeAdded": now},
            ]

        node = plane.api.change(resources.NODES, node, silent, CONTROLLER_STATUS)
        node = plane.api.change(resources.NODES, node, taint, _CONTROLLER)
        message = f"Node {name} status is now: NodeNotReady"
        plane.events.record((resources.NODES, node), "Normal", "NodeNotReady", message, _NAME)
        for pod in self._pods(name):
            self._not_ready(pod, now)

    def _not_ready(self, pod: Entry, now: str) -> None:
        def alter(data: Object) -> None:
            for one in data["status"].get("conditions") or ():
                if one["type"] == "Ready" and one["status"] == "True":
                    one |= {"status": "False", "lastTransitionTime": now}

        pod = self._plane.api.change(resources.PODS, pod, alter, CONTROLLER_STATUS)
        about = (resources.PODS, pod)
        self._plane.events.record(about, "Warning", "NodeNotReady", "Node is not ready", _NAME)

    def _evict(self, name: str) -> None:
        for pod in self._pods(name):
            if _tolerates(pod):
                continue
            message = f"Marking for deletion Pod {pod.namespace}/{pod.name}"
            about = (resources.PODS, pod)
            self._plane.events.record(
                about, "Normal", "TaintManagerEviction", message, "taint-eviction-controller"
            )
            options = DeleteOptions(uid=pod.uid)
            self._plane.api.delete(resources.PODS, pod.namespace, pod.name, options)

    def _pods(self, node: str) -> list[Entry]:
        pods = self._plane.store.list_at(resources.PODS.storage, None, None)
        return [pod for pod in pods if pod.spec.get("nodeName") == node and not pod.deleting]


def _tolerates(pod: Entry) -> bool:
    """Whether a pod stays on a lost node for good, as a DaemonSet's do."""
    return any(
        one.get("operator") == "Exists"
        and one.get("key") in (None, "", _TAINT)
        and one.get("effect") in (None, "", "NoExecute")
        and "tolerationSeconds" not in one
        for one in pod.spec.get("tolerations") or ()
    )
