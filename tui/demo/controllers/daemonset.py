"""DaemonSets: one pod on every node that fits.

https://kubernetes.io/docs/concepts/workloads/controllers/daemonset/
"""

from __future__ import annotations

from typing import ClassVar, Final

from tui.demo import resources
from tui.demo.api.defaults import TEMPLATE_GENERATION
from tui.demo.api.operations import CONTROLLER_MANAGER, CONTROLLER_STATUS
from tui.demo.controllers import placement, revisions, templates
from tui.demo.controllers.base import Controller, is_finished, is_ready, owner_key
from tui.demo.controllers.rollout import share
from tui.demo.store import Entry, Event, Key, Object

_GENERATION: Final = "pod-template-generation"
# What a daemon's pod puts up with, besides what its template says.
_TOLERATED: Final = (
    ("not-ready", "NoExecute"),
    ("unreachable", "NoExecute"),
    ("disk-pressure", "NoSchedule"),
    ("memory-pressure", "NoSchedule"),
    ("pid-pressure", "NoSchedule"),
    ("unschedulable", "NoSchedule"),
)


class DaemonSetController(Controller):
    """Creates, replaces and deletes a pod for each node."""

    name: ClassVar[str] = "daemonset-controller"

    def start(self) -> None:
        """Watch what matters."""
        self.watch(resources.DAEMON_SETS)
        self.watch(resources.PODS, lambda event: owner_key(event, "DaemonSet"))
        self.watch(resources.NODES, self._of_node)

    def _of_node(self, event: Event) -> list[Key]:
        old, new = event.previous, event.entry
        same = old is not None and (old.labels, old.spec) == (new.labels, new.spec)
        if same and event.type == "MODIFIED":
            return []  # a heartbeat
        return [one.key for one in self.store.entries(resources.DAEMON_SETS.storage)]

    def reconcile(self, key: Key) -> None:
        """Make the world right for one key."""
        found = self.store.get(resources.DAEMON_SETS.storage, *key)
        if found is None or found.deleting:
            return
        newest = revisions.current(self.api, resources.DAEMON_SETS, found)
        digest = newest.labels[revisions.HASH_LABEL]
        nodes = [one.name for one in self._fitting(found)]
        by_node: dict[str, list[Entry]] = {}
        for pod in sorted(templates.pods_of(self.store, found), key=lambda pod: pod.name):
            by_node.setdefault(_node_of(pod), []).append(pod)
        for node in nodes:
            if not by_node.get(node):
                self._create(found, node, digest)
        for node, pods in by_node.items():
            finished = [pod for pod in pods if is_finished(pod)]
            extra = pods if node not in nodes else finished or pods[1:]
            for pod in extra:
                self._delete(found, pod)
        self._update(found, nodes, by_node, digest)
        self._update_status(found, nodes, digest)
        live = {f"{found.name}-{one}" for one in self._digests(found)} | {newest.name}
        revisions.truncate(self.api, found, live)

    def _digests(self, found: Entry) -> set[str]:
        pods = templates.pods_of(self.store, found)
        return {pod.labels.get(revisions.HASH_LABEL, "") for pod in pods}

    def _fitting(self, found: Entry) -> list[Entry]:
        spec = {**found.spec["template"]["spec"]}
        spec["tolerations"] = [*(spec.get("tolerations") or ()), *_tolerations()]
        nodes = sorted(self.store.entries(resources.NODES.storage), key=lambda node: node.name)
        return [
            node
            for node in nodes
            if placement.selects(spec, node)
            and all(placement.tolerates(spec, taint) for taint in placement.hard_taints(node))
        ]

    def _create(self, found: Entry, node: str, digest: str) -> None:
        template = found.copy()["spec"]["template"]
        pod = templates.pod_of(resources.DAEMON_SETS, found, template)
        generation = (found.metadata.get("annotations") or {}).get(TEMPLATE_GENERATION, "1")
        pod["metadata"].setdefault("labels", {}).update(
            {revisions.HASH_LABEL: digest, _GENERATION: generation}
        )
        pod["metadata"]["generateName"] = f"{found.name}-"
        spec = pod["spec"]
        affinity = spec.setdefault("affinity", {})
        field = {"key": "metadata.name", "operator": "In", "values": [node]}
        affinity["nodeAffinity"] = {
            "requiredDuringSchedulingIgnoredDuringExecution": {
                "nodeSelectorTerms": [{"matchFields": [field]}]
            }
        }
        spec["tolerations"] = [*(spec.get("tolerations") or ()), *_tolerations()]
        made = self.api.create(resources.PODS, found.namespace, pod, CONTROLLER_MANAGER)
        self._say(found, "SuccessfulCreate", f"Created pod: {made.name}")

    def _delete(self, found: Entry, pod: Entry) -> None:
        if pod.deleting:
            return
        self.api.delete(resources.PODS, pod.namespace, pod.name)
        self._say(found, "SuccessfulDelete", f"Deleted pod: {pod.name}")

    def _say(self, found: Entry, reason: str, message: str) -> None:
        self.record(resources.DAEMON_SETS, found, "Normal", reason, message)

    def _update(
        self, found: Entry, nodes: list[str], by_node: dict[str, list[Entry]], digest: str
    ) -> None:
        strategy = found.spec.get("updateStrategy") or {}
        if strategy.get("type") != "RollingUpdate":
            return
        asked = (strategy.get("rollingUpdate") or {}).get("maxUnavailable", 1)
        spare = share(asked, len(nodes), up=True)
        outdated: list[Entry] = []
        for node in nodes:
            pods = [pod for pod in by_node.get(node, ()) if not pod.deleting]
            available = any(self.is_available(found, pod) for pod in pods)
            spare -= not available
            for pod in pods:
                if pod.labels.get(revisions.HASH_LABEL) == digest:
                    continue
                if available:
                    outdated.append(pod)
                else:
                    self._delete(found, pod)  # nothing is lost with it
        for pod in outdated[: max(0, spare)]:
            self._delete(found, pod)

    def _update_status(self, found: Entry, nodes: list[str], digest: str) -> None:
        pods = [pod for pod in templates.pods_of(self.store, found) if not is_finished(pod)]
        there = [pod for pod in pods if _node_of(pod) in nodes]
        available = sum(self.is_available(found, pod) for pod in there)
        status: Object = {
            "currentNumberScheduled": len({_node_of(pod) for pod in there}),
            "numberMisscheduled": len(pods) - len(there),
            "desiredNumberScheduled": len(nodes),
            "numberReady": sum(is_ready(pod) for pod in there),
            "observedGeneration": found.metadata["generation"],
        }
        optional = {
            "updatedNumberScheduled": sum(
                pod.labels.get(revisions.HASH_LABEL) == digest for pod in there
            ),
            "numberAvailable": available,
            "numberUnavailable": len(nodes) - available,
        }
        status |= {name: number for name, number in optional.items() if number}
        if status == found.status:
            return

        def alter(data: Object) -> None:
            data["status"] = status

        self.api.change(resources.DAEMON_SETS, found, alter, CONTROLLER_STATUS)


def _tolerations() -> list[Object]:
    return [
        {"key": f"node.kubernetes.io/{key}", "operator": "Exists", "effect": effect}
        for key, effect in _TOLERATED
    ]


def _node_of(pod: Entry) -> str:
    """The node a pod is on or was made for."""
    name = pod.spec.get("nodeName")
    if name:
        return str(name)
    for term in placement.required_terms(pod.spec):
        for one in term.get("matchFields") or ():
            if one.get("key") == "metadata.name" and one.get("values"):
                return str(one["values"][0])
    return ""
