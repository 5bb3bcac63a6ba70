"""The kubelets of all nodes: a worker for each pod, and the nodes' heartbeat."""

from __future__ import annotations

import ipaddress
from typing import ClassVar, Final

from tui.demo import resources
from tui.demo.api.operations import KUBELET, Writer
from tui.demo.controllers.base import Controller, ControlPlane
from tui.demo.logs import Logs
from tui.demo.node.runtime import Runtime
from tui.demo.node.usage import Usage
from tui.demo.node.worker import Tools, Worker
from tui.demo.store import Entry, Event, Key, Object

_HEARTBEAT: Final = 300.0
"""Simulated seconds between looks at a node; a real kubelet renews its Lease every ten."""
_LEASES: Final = "kube-node-lease"
_HOLDER: Final = Writer("kubelet")


class Kubelet(Controller):
    """Runs the pods that are bound to nodes."""

    name: ClassVar[str] = "kubelet"
    latency: ClassVar[float] = 0.018

    def __init__(self, plane: ControlPlane, usage: Usage, logs: Logs, runtime: Runtime) -> None:
        super().__init__(plane)
        self._runtime = runtime
        self._usage = usage
        self._logs = logs
        self._workers: dict[Key, Worker] = {}
        self._images: dict[str, set[str]] = {}
        self._addresses: dict[str, int] = {}
        self._lost: set[str] = set()

    def start(self) -> None:
        """Watch what matters."""
        self.watch(resources.NODES, self._joined)
        self.watch(resources.PODS, self._bound)
        self.clock.call_later(_HEARTBEAT, self._beat)

    def _joined(self, event: Event) -> list[Key]:
        """A node's kubelet holds a Lease of its name."""
        if event.type == "ADDED":
            self.clock.call_later(self.latency, lambda: self._hold(event.entry.name))
        return []

    def _hold(self, node: str) -> None:
        entry = self.store.get(resources.NODES.storage, "", node)
        if entry is None or self.store.get(resources.LEASES.storage, _LEASES, node) is not None:
            return
        owner = {"apiVersion": "v1", "kind": "Node", "name": node, "uid": entry.uid}
        spec = {"holderIdentity": node, "leaseDurationSeconds": 40, "renewTime": self._micro()}
        lease: Object = {"metadata": {"name": node, "ownerReferences": [owner]}, "spec": spec}
        self.api.create(resources.LEASES, _LEASES, lease, _HOLDER)

    def _micro(self) -> str:
        return f"{self.clock.wall():%Y-%m-%dT%H:%M:%S.%fZ}"

    def _bound(self, event: Event) -> list[Key]:
        entry = event.entry
        if event.type == "DELETED" or entry.spec.get("nodeName"):
            return [entry.key]
        return []

    def reconcile(self, key: Key) -> None:
        """Make the world right for one key."""
        pod = self.store.get(resources.PODS.storage, *key)
        worker = self._workers.get(key)
        if worker is not None and (pod is None or pod.uid != worker.uid):
            worker.close()
            del self._workers[key]
            worker = None
        # A pod of the same name may have taken the place of one that ran.
        if pod is None or not pod.spec.get("nodeName") or pod.spec["nodeName"] in self._lost:
            return
        if worker is None:
            worker = self._workers[key] = Worker(pod, self._tools(pod.spec["nodeName"]))
            if not pod.deleting:
                worker.start()
        worker.add(pod)
        if pod.deleting:
            worker.stop(float(pod.metadata.get("deletionGracePeriodSeconds", 0)))

    def exited(self, pod: Entry, container: str, code: int) -> None:
        """A container's process has ended with that code; nothing if it has done so before."""
        worker = self._workers.get(pod.key)
        if worker is not None and worker.uid == pod.uid:
            worker.exited(container, code)

    def lose(self, node: str) -> None:
        """A node's kubelet is heard of no more."""
        self._lost.add(node)
        self._usage.lost.add(node)
        for key, worker in self._workers.items():
            pod = self.store.get(resources.PODS.storage, *key)
            if pod is not None and pod.spec.get("nodeName") == node:
                worker.lose()

    def restore(self, node: str) -> None:
        """A lost node's kubelet is back, and nothing runs on the node."""
        self._lost.discard(node)
        self._usage.lost.discard(node)
        for key, worker in list(self._workers.items()):
            pod = self.store.get(resources.PODS.storage, *key)
            if pod is not None and pod.spec.get("nodeName") == node:
                worker.close()
                del self._workers[key]
        for pod in self.store.list_at(resources.PODS.storage, None, None):
            if pod.spec.get("nodeName") == node:
                self.enqueue(pod.key)

    def _tools(self, node: str) -> Tools:
        entry = self.store.get(resources.NODES.storage, "", node)
        status = entry.status if entry is not None else {}
        if node not in self._images:
            self._images[node] = {
                name for image in status.get("images") or () for name in _spellings(image["names"])
            }
        addresses = {one["type"]: one["address"] for one in status.get("addresses") or ()}
        return Tools(
            self.api,
            self.clock,
            self.plane.events,
            self._logs,
            self._usage,
            self.plane.rng,
            self._images[node],
            node,
            addresses.get("InternalIP", ""),
            lambda: self._new_ip(node),
            self._runtime,
        )

    def _new_ip(self, node: str) -> str:
        entry = self.store.get(resources.NODES.storage, "", node)
        block = (entry.spec if entry is not None else {}).get("podCIDR", "10.244.255.0/24")
        network = ipaddress.IPv4Network(block)
        used = {worker.pod_ip for worker in self._workers.values()}
        while True:
            number = self._addresses.get(node, 1) + 1
            if number >= network.num_addresses - 1:
                number = 2
            self._addresses[node] = number
            address = str(network[number])
            if address not in used:
                return address

    def _beat(self) -> None:
        self.clock.call_later(_HEARTBEAT, self._beat)
        now = self.clock.stamp()

        def alter(data: Object) -> None:
            for one in data["status"].get("conditions") or ():
                one["lastHeartbeatTime"] = now

        def renew(data: Object) -> None:
            data["spec"]["renewTime"] = self._micro()

        for node in self.store.list_at(resources.NODES.storage, None, None):
            if node.name in self._lost:
                continue
            self.api.change(resources.NODES, node, alter, KUBELET)
            lease = self.store.get(resources.LEASES.storage, _LEASES, node.name)
            if lease is not None:
                self.api.change(resources.LEASES, lease, renew, _HOLDER)


def _spellings(names: list[str]) -> list[str]:
    """An image as manifests write it: with and without the default registry."""
    spelled = []
    for name in names:
        short = name.removeprefix("docker.io/")
        spelled += [name, short, short.removeprefix("library/")]
    return spelled
