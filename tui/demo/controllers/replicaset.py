"""ReplicaSets: as many pods as asked for."""

from __future__ import annotations

from typing import ClassVar, Final

from tui.demo import resources
from tui.demo.api import errors, selectors
from tui.demo.api.operations import CONTROLLER_MANAGER, CONTROLLER_STATUS
from tui.demo.controllers import templates
from tui.demo.controllers.base import (
    Controller,
    condition,
    is_finished,
    is_ready,
    owner_key,
)
from tui.demo.store import Entry, Key, Object

_BURST: Final = 500


class ReplicaSetController(Controller):
    """Creates and deletes pods and counts them."""

    name: ClassVar[str] = "replicaset-controller"

    def start(self) -> None:
        """Watch what matters."""
        self.watch(resources.REPLICA_SETS)
        self.watch(resources.PODS, lambda event: owner_key(event, "ReplicaSet"))

    def reconcile(self, key: Key) -> None:
        """Make the world right for one key."""
        replica_set = self.store.get(resources.REPLICA_SETS.storage, *key)
        if replica_set is None:
            return
        pods = self._pods(replica_set)
        active = [pod for pod in pods if not pod.deleting and not is_finished(pod)]
        failure = ""
        if not replica_set.deleting:
            missing = int(replica_set.spec["replicas"]) - len(active)
            if missing > 0:
                failure = self._create(replica_set, min(missing, _BURST))
            elif missing < 0:
                self._delete(replica_set, active, -missing)
        self._update_status(replica_set, failure)

    def _pods(self, replica_set: Entry) -> list[Entry]:
        return templates.pods_of(self.store, replica_set)

    def _create(self, replica_set: Entry, number: int) -> str:
        """Create pods; returns why not, if not."""
        for _ in range(number):
            template = replica_set.copy()["spec"]["template"]
            data = templates.pod_of(resources.REPLICA_SETS, replica_set, template)
            data["metadata"] = {"generateName": f"{replica_set.name}-", **data["metadata"]}
            try:
                pod = self.api.create(
                    resources.PODS, replica_set.namespace, data, CONTROLLER_MANAGER
                )
            except errors.ApiError as problem:
                self._say(replica_set, "Warning", "FailedCreate", f"Error creating: {problem}")
                self.enqueue(replica_set.key, 5.0)
                return problem.message
            self._say(replica_set, "Normal", "SuccessfulCreate", f"Created pod: {pod.name}")
        return ""

    def _delete(self, replica_set: Entry, active: list[Entry], number: int) -> None:
        crowded: dict[str, int] = {}
        for pod in active:
            node = pod.spec.get("nodeName", "")
            crowded[node] = crowded.get(node, 0) + 1
        ranked = sorted(active, key=lambda pod: self._rank(pod, crowded))
        for pod in ranked[:number]:
            self.api.delete(resources.PODS, pod.namespace, pod.name)
            self._say(replica_set, "Normal", "SuccessfulDelete", f"Deleted pod: {pod.name}")

    def _rank(self, pod: Entry, crowded: dict[str, int]) -> tuple[object, ...]:
        """Whom to delete first: unscheduled, pending, not ready, crowded, then the newest."""
        node = pod.spec.get("nodeName", "")
        phase = {"Pending": 0, "Unknown": 1}.get(pod.status.get("phase", ""), 2)
        restarts = sum(one["restartCount"] for one in pod.status.get("containerStatuses") or ())
        ready = condition(pod.status, "Ready") or {}
        since = ready.get("lastTransitionTime") or ""
        return (
            bool(node),
            phase,
            is_ready(pod),
            -crowded.get(node, 0),
            _newest_first(since),
            -restarts,
            _newest_first(pod.metadata["creationTimestamp"]),
            pod.name,
        )

    def _say(self, replica_set: Entry, type_: str, reason: str, message: str) -> None:
        self.record(resources.REPLICA_SETS, replica_set, type_, reason, message)

    def _update_status(self, replica_set: Entry, failure: str) -> None:
        pods = [pod for pod in self._pods(replica_set) if not is_finished(pod)]
        active = [pod for pod in pods if not pod.deleting]
        labels = replica_set.spec["template"]["metadata"].get("labels") or {}
        counts = {
            "fullyLabeledReplicas": sum(
                selectors.matches({"matchLabels": labels}, pod.labels) for pod in active
            ),
            "readyReplicas": sum(is_ready(pod) for pod in active),
            "availableReplicas": sum(self.is_available(replica_set, pod) for pod in active),
        }
        status: Object = {"replicas": len(active)}
        status |= {name: number for name, number in counts.items() if number}
        status["terminatingReplicas"] = len(pods) - len(active)
        status["observedGeneration"] = replica_set.metadata["generation"]
        if failure:
            # The first failure's words stay: every attempt names another pod, and would be news.
            status["conditions"] = [
                condition(replica_set.status, "ReplicaFailure")
                or {
                    "type": "ReplicaFailure",
                    "status": "True",
                    "lastTransitionTime": self.clock.stamp(),
                    "reason": "FailedCreate",
                    "message": failure,
                }
            ]
        if status == replica_set.status:
            return

        def alter(data: Object) -> None:
            data["status"] = status

        self.api.change(resources.REPLICA_SETS, replica_set, alter, CONTROLLER_STATUS)


def _newest_first(stamp: str) -> tuple[int, ...]:
    return tuple(-ord(letter) for letter in stamp)
