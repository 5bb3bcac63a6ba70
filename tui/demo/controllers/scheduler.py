"""The scheduler: a node for each pod, by requests, selectors and taints."""

from __future__ import annotations

from collections import Counter
from typing import ClassVar, Final

from tui import quantity
from tui.demo import resources
from tui.demo.api.operations import Writer
from tui.demo.controllers import placement
from tui.demo.controllers.base import Controller, condition, is_finished
from tui.demo.controllers.volumes import claims_of
from tui.demo.store import Entry, Event, Key, Object

_BINDING: Final = Writer("kube-scheduler", "binding")
_STATUS: Final = Writer("kube-scheduler", "status")
_RETRY: Final = 300.0
"""Seconds after which a refused pod is looked at again, whatever happened."""


class Scheduler(Controller):
    """Binds pods to nodes, or says why it cannot."""

    name: ClassVar[str] = "default-scheduler"
    latency: ClassVar[float] = 0.006

    def start(self) -> None:
        """Watch what matters."""
        self.watch(resources.PODS, self._unscheduled)
        self.watch(resources.NODES, self._of_node)
        self.watch(resources.VOLUME_CLAIMS, lambda event: self._pending())

    # Only what may help makes a refused pod be looked at again, as the real one's hints have it.

    def _unscheduled(self, event: Event) -> list[Key]:
        new, old = event.entry, event.previous
        if event.type == "DELETED" or new.deleting or is_finished(new):
            return self._pending("Insufficient", "Too many") if new.spec.get("nodeName") else []
        if new.spec.get("nodeName"):
            return []
        same = event.type == "MODIFIED" and old is not None
        if same and old is not None and (old.labels, old.spec) == (new.labels, new.spec):
            return []  # it is its status that was written
        return [new.key]

    def _of_node(self, event: Event) -> list[Key]:
        new, old = event.entry, event.previous
        if event.type == "MODIFIED" and old is not None:
            before, now = old.status.get("allocatable"), new.status.get("allocatable")
            if (old.labels, old.spec, before) == (new.labels, new.spec, now):
                return []  # a heartbeat
        return self._pending()

    def _pending(self, *lacking: str) -> list[Key]:
        """The pods without a node; those alone that lack something, if it is said what."""
        return [
            pod.key
            for pod in self.store.entries(resources.PODS.storage)
            if not pod.spec.get("nodeName")
            and not pod.deleting
            and (not lacking or any(one in _said_of(pod) for one in lacking))
        ]

    def reconcile(self, key: Key) -> None:
        """Make the world right for one key."""
        pod = self.store.get(resources.PODS.storage, *key)
        if pod is None or pod.deleting or pod.spec.get("nodeName") or is_finished(pod):
            return
        if pod.spec.get("schedulerName", self.name) != self.name:
            return
        nodes = sorted(self.store.entries(resources.NODES.storage), key=lambda node: node.name)
        unmet = self._unmet_claim(pod)
        if unmet:
            self._refuse(pod, len(nodes), Counter(), unmet)
            return
        used = self._used()
        reasons: Counter[str] = Counter()
        fitting: list[tuple[float, str, Entry]] = []
        for node in nodes:
            why_not = self._why_not(pod, node, used.get(node.name, []))
            reasons.update(why_not)
            if not why_not:
                fitting.append((self._load(pod, node, used.get(node.name, [])), node.name, node))
        if fitting:
            self._bind(pod, min(fitting)[2])
        else:
            self._refuse(pod, len(nodes), reasons)

    def _unmet_claim(self, pod: Entry) -> str:
        """Why a claim of the pod keeps it from every node; empty if none does."""
        for name in claims_of(pod):
            claim = self.store.get(resources.VOLUME_CLAIMS.storage, pod.namespace, name)
            if claim is None:
                return f'persistentvolumeclaim "{name}" not found'
            if claim.deleting:
                return f'persistentvolumeclaim "{name}" is being deleted'
            if not claim.spec.get("volumeName"):
                return "pod has unbound immediate PersistentVolumeClaims"
        return ""

    def _used(self) -> dict[str, list[Entry]]:
        used: dict[str, list[Entry]] = {}
        for pod in self.store.entries(resources.PODS.storage):
            if not is_finished(pod) and (node := pod.spec.get("nodeName")):
                used.setdefault(node, []).append(pod)
        return used

    def _why_not(self, pod: Entry, node: Entry, there: list[Entry]) -> list[str]:
        """The reasons of the first filter that the node does not pass, as the real one has it."""
        if node.spec.get("unschedulable"):
            return ["node(s) were unschedulable"]
        for taint in placement.hard_taints(node):
            if not placement.tolerates(pod.spec, taint):
                value = f": {taint['value']}" if taint.get("value") else ": "
                return [f"node(s) had untolerated taint {{{taint['key']}{value}}}"]
        if not placement.selects(pod.spec, node):
            return ["node(s) didn't match Pod's node affinity/selector"]
        reasons = []
        allocatable = node.status.get("allocatable") or {}
        for name in ("cpu", "memory"):
            wanted = request_milli(pod.spec, name)
            taken = sum(request_milli(one.spec, name) for one in there)
            if wanted and wanted + taken > quantity.milli(str(allocatable.get(name, "0"))):
                reasons.append(f"Insufficient {name}")
        if len(there) + 1 > int(allocatable.get("pods", "110")):
            reasons.append("Too many pods")
        return reasons

    @staticmethod
    def _load(pod: Entry, node: Entry, there: list[Entry]) -> float:
        """The share of the node that would be asked for, as LeastAllocated sees it."""
        allocatable = node.status.get("allocatable") or {}
        share = 0.0
        for name in ("cpu", "memory"):
            # Like the real one, count something for pods that ask for nothing.
            least = 100 if name == "cpu" else 200 * 1024 * 1024 * 1000
            asked = sum(max(least, request_milli(one.spec, name)) for one in (*there, pod))
            share += asked / max(1, quantity.milli(str(allocatable.get(name, "1"))))
        return round(share, 6)

    def _bind(self, pod: Entry, node: Entry) -> None:
        now = self.clock.stamp()

        def alter(data: Object) -> None:
            data["spec"]["nodeName"] = node.name
            status = data.setdefault("status", {})
            kept = [c for c in status.get("conditions") or () if c["type"] != "PodScheduled"]
            scheduled = {
                "type": "PodScheduled",
                "observedGeneration": data["metadata"].get("generation", 1),
                "status": "True",
                "lastProbeTime": None,
                "lastTransitionTime": now,
            }
            status["conditions"] = [*kept, scheduled]

        self.api.change(resources.PODS, pod, alter, _BINDING)
        message = f"Successfully assigned {pod.namespace}/{pod.name} to {node.name}"
        self.plane.events.record_action(
            (resources.PODS, pod), "Normal", "Scheduled", message, "Binding", self.name
        )

    def _refuse(self, pod: Entry, nodes: int, reasons: Counter[str], unmet: str = "") -> None:
        self.enqueue(pod.key, _RETRY)
        if nodes and unmet:
            message = (
                f"0/{nodes} nodes are available: {unmet}. preemption: 0/{nodes} nodes are "
                f"available: {nodes} Preemption is not helpful for scheduling."
            )
        elif nodes:
            listed = ", ".join(f"{count} {reason}" for reason, count in sorted(reasons.items()))
            message = (
                f"0/{nodes} nodes are available: {listed}. no new claims to deallocate, "
                f"preemption: 0/{nodes} nodes are available: "
                f"{_preemption(nodes, reasons)}."
            )
        else:
            message = "no nodes available to schedule pods"
        before = condition(pod.status, "PodScheduled") or {}
        if before.get("message") != message:
            since = before.get("lastTransitionTime") or self.clock.stamp()
            refused = {
                "type": "PodScheduled",
                "observedGeneration": pod.metadata.get("generation", 1),
                "status": "False",
                "lastProbeTime": None,
                "lastTransitionTime": since,
                "reason": "Unschedulable",
                "message": message,
            }

            def alter(data: Object) -> None:
                data["status"]["conditions"] = [refused]

            pod = self.api.change(resources.PODS, pod, alter, _STATUS)
        self.plane.events.record_action(
            (resources.PODS, pod), "Warning", "FailedScheduling", message, "Scheduling", self.name
        )


def _said_of(pod: Entry) -> str:
    return str((condition(pod.status, "PodScheduled") or {}).get("message", ""))


def request_milli(spec: Object, name: str) -> int:
    """What a pod asks for, in thousandths: its containers together, or its greediest init."""

    def asked(container: Object) -> int:
        requests = (container.get("resources") or {}).get("requests") or {}
        return quantity.milli(str(requests[name])) if name in requests else 0

    together = sum(asked(container) for container in spec.get("containers") or ())
    return max([together, *(asked(one) for one in spec.get("initContainers") or ())])


def _preemption(nodes: int, reasons: Counter[str]) -> str:
    lacking = any(reason.startswith(("Insufficient", "Too many")) for reason in reasons)
    if lacking:
        return f"{nodes} No preemption victims found for incoming pod"
    return f"{nodes} Preemption is not helpful for scheduling"
