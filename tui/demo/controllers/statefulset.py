"""StatefulSets: pods with a number and a name of their own, one after the other.

https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/
"""

from __future__ import annotations

from typing import ClassVar

from tui.demo import resources
from tui.demo.api import errors
from tui.demo.api.operations import CONTROLLER_MANAGER, CONTROLLER_STATUS
from tui.demo.controllers import revisions, templates
from tui.demo.controllers.base import Controller, is_finished, is_ready, owner_key
from tui.demo.store import Entry, Key, Object

_AGAIN = 5.0
"""Simulated seconds until what was refused is tried again."""
_INDEX = "apps.kubernetes.io/pod-index"
_NAME = "statefulset.kubernetes.io/pod-name"


class StatefulSetController(Controller):
    """Creates, replaces and deletes pods by their ordinals."""

    name: ClassVar[str] = "statefulset-controller"

    def start(self) -> None:
        """Watch what matters."""
        self.watch(resources.STATEFUL_SETS)
        self.watch(resources.PODS, lambda event: owner_key(event, "StatefulSet"))

    def reconcile(self, key: Key) -> None:
        """Make the world right for one key."""
        found = self.store.get(resources.STATEFUL_SETS.storage, *key)
        if found is None or found.deleting:
            return
        newest = revisions.current(self.api, resources.STATEFUL_SETS, found)
        pods = {_ordinal(pod): pod for pod in templates.pods_of(self.store, found)}
        old = found.status.get("currentRevision") or newest.name
        if not self._scale(found, pods, newest, old):
            self._update(found, pods, newest)
        self._update_status(found, newest, old)

    def _wanted(self, found: Entry) -> range:
        first = int((found.spec.get("ordinals") or {}).get("start", 0))
        return range(first, first + int(found.spec["replicas"]))

    def _scale(self, found: Entry, pods: dict[int, Entry], newest: Entry, old: str) -> bool:
        """Create or delete what the number asks for; whether an update must wait for it."""
        ordered = found.spec.get("podManagementPolicy") != "Parallel"
        wanted = self._wanted(found)
        for ordinal in wanted:
            pod = pods.get(ordinal)
            if pod is None:
                if not self._create(found, ordinal, newest, old) or ordered:
                    return True
            elif is_finished(pod) and not pod.deleting:
                self._delete(found, pod)
                if ordered:
                    return True
            elif ordered and (pod.deleting or not self.is_available(found, pod)):
                return True
        surplus = sorted((n for n in pods if n not in wanted), reverse=True)
        for ordinal in surplus:
            if not pods[ordinal].deleting:
                self._delete(found, pods[ordinal])
            if ordered:
                return True
        return bool(surplus)

    def _update(self, found: Entry, pods: dict[int, Entry], newest: Entry) -> None:
        """Replace one outdated pod, from the last one down, when those above it are ready."""
        strategy = found.spec.get("updateStrategy") or {}
        if strategy.get("type") != "RollingUpdate":
            return
        partition = int((strategy.get("rollingUpdate") or {}).get("partition", 0))
        for ordinal in reversed(self._wanted(found)):
            if ordinal < partition:
                return
            pod = pods.get(ordinal)
            if pod is None or pod.deleting:
                return
            if pod.labels.get(revisions.HASH_LABEL) != newest.name:
                self._delete(found, pod)
                return
            if not self.is_available(found, pod):
                return

    def _create(self, found: Entry, ordinal: int, newest: Entry, old: str) -> bool:
        """Create a pod; whether the API server takes it."""
        name = f"{found.name}-{ordinal}"
        if self.store.get(resources.PODS.storage, found.namespace, name) is not None:
            return True  # the pod of another: wait until it is gone
        strategy = found.spec.get("updateStrategy") or {}
        partition = int((strategy.get("rollingUpdate") or {}).get("partition", 0))
        revision = newest
        if ordinal < partition and old != newest.name:
            known = revisions.history(self.api, found)
            revision = next((one for one in known if one.name == old), newest)
        pod = templates.pod_of(resources.STATEFUL_SETS, found, revisions.template_of(revision))
        labels = pod["metadata"].setdefault("labels", {})
        labels |= {_NAME: name, _INDEX: str(ordinal), revisions.HASH_LABEL: revision.name}
        pod["metadata"] |= {"name": name, "generateName": f"{found.name}-"}
        spec = pod["spec"]
        spec |= {"hostname": name}
        if found.spec.get("serviceName"):
            spec["subdomain"] = found.spec["serviceName"]
        try:
            self._claim(found, name, spec)
            self.api.create(resources.PODS, found.namespace, pod, CONTROLLER_MANAGER)
        except errors.ApiError as problem:
            message = f"create Pod {name} in StatefulSet {found.name} failed error: {problem}"
            self.record(resources.STATEFUL_SETS, found, "Warning", "FailedCreate", message)
            self.enqueue(found.key, _AGAIN)
            return False
        message = f"Create Pod {name} in StatefulSet {found.name} successful"
        self.record(resources.STATEFUL_SETS, found, "Normal", "SuccessfulCreate", message)
        return True

    def _claim(self, found: Entry, pod: str, spec: Object) -> None:
        """The pod's own claims, which stay when it goes."""
        claims = found.copy()["spec"].get("volumeClaimTemplates") or []
        names = {claim["metadata"]["name"] for claim in claims}
        volumes = [one for one in spec.get("volumes") or () if one["name"] not in names]
        for claim in claims:
            name = f"{claim['metadata']['name']}-{pod}"
            source = {"claimName": name}
            volumes.append({"name": claim["metadata"]["name"], "persistentVolumeClaim": source})
            if self.store.get(resources.VOLUME_CLAIMS.storage, found.namespace, name) is not None:
                continue
            labels = (found.spec["selector"].get("matchLabels") or {}) | (
                claim["metadata"].get("labels") or {}
            )
            made = {"metadata": {"name": name, "labels": labels}, "spec": claim["spec"]}
            self.api.create(resources.VOLUME_CLAIMS, found.namespace, made, CONTROLLER_MANAGER)
            message = f"create Claim {name} Pod {pod} in StatefulSet {found.name} success"
            self.record(resources.STATEFUL_SETS, found, "Normal", "SuccessfulCreate", message)
        if volumes:
            spec["volumes"] = volumes

    def _delete(self, found: Entry, pod: Entry) -> None:
        self.api.delete(resources.PODS, pod.namespace, pod.name)
        message = f"Delete Pod {pod.name} in StatefulSet {found.name} successful"
        self.record(resources.STATEFUL_SETS, found, "Normal", "SuccessfulDelete", message)

    def _update_status(self, found: Entry, newest: Entry, old: str) -> None:
        pods = [pod for pod in templates.pods_of(self.store, found) if not is_finished(pod)]
        ready = [pod for pod in pods if is_ready(pod)]
        updated = [pod for pod in pods if pod.labels.get(revisions.HASH_LABEL) == newest.name]
        wanted = int(found.spec["replicas"])
        if len(updated) == len(pods) == wanted and len(ready) == wanted:
            old = newest.name
        status: Object = {
            "observedGeneration": found.metadata["generation"],
            "replicas": len(pods),
            "readyReplicas": len(ready),
            "currentReplicas": sum(p.labels.get(revisions.HASH_LABEL) == old for p in pods),
            "updatedReplicas": len(updated),
            "currentRevision": old,
            "updateRevision": newest.name,
            "collisionCount": 0,
            "availableReplicas": sum(self.is_available(found, pod) for pod in ready),
        }
        kept = ("replicas", "collisionCount", "availableReplicas")
        status = {k: v for k, v in status.items() if v or k in kept}
        if status != found.status:

            def alter(data: Object) -> None:
                data["status"] = status

            self.api.change(resources.STATEFUL_SETS, found, alter, CONTROLLER_STATUS)
        live = {pod.labels.get(revisions.HASH_LABEL, "") for pod in pods} | {old, newest.name}
        revisions.truncate(self.api, found, live)


def _ordinal(pod: Entry) -> int:
    text = pod.name.rpartition("-")[2]
    return int(text) if text.isdigit() else -1
