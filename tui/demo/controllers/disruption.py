"""PodDisruptionBudgets: how many pods may be evicted now.

https://kubernetes.io/docs/tasks/run-application/configure-pdb/
"""

from __future__ import annotations

from typing import ClassVar

from tui.demo import resources
from tui.demo.api import selectors
from tui.demo.api.operations import CONTROLLER_STATUS
from tui.demo.controllers.base import Controller, controller_of, is_finished, is_ready
from tui.demo.controllers.rollout import share
from tui.demo.resource import Resource
from tui.demo.store import Entry, Event, Key, Object


class DisruptionController(Controller):
    """Counts what a budget leaves."""

    name: ClassVar[str] = "controllermanager"
    latency: ClassVar[float] = 0.02

    def start(self) -> None:
        """Watch what matters."""
        self.watch(resources.DISRUPTION_BUDGETS)
        self.watch(resources.PODS, self._budgets)

    def _budgets(self, event: Event) -> list[Key]:
        pod = event.entry
        return [
            budget.key
            for budget in self.store.entries(resources.DISRUPTION_BUDGETS.storage, pod.namespace)
            if selects(budget, pod)
        ]

    def reconcile(self, key: Key) -> None:
        """Make the world right for one key."""
        budget = self.store.get(resources.DISRUPTION_BUDGETS.storage, *key)
        if budget is None or budget.deleting:
            return
        pods = [
            pod
            for pod in self.store.entries(resources.PODS.storage, budget.namespace)
            if selects(budget, pod) and not is_finished(pod)
        ]
        expected = self._expected(pods)
        healthy = sum(is_ready(pod) and not pod.deleting for pod in pods)
        if "maxUnavailable" in budget.spec:
            wanted = expected - share(budget.spec["maxUnavailable"], expected, up=True)
        else:
            wanted = share(budget.spec.get("minAvailable", 1), expected, up=True)
        wanted = max(0, wanted)
        allowed = max(0, healthy - wanted) if expected else 0
        enough = allowed > 0
        before = (budget.status.get("conditions") or [{}])[0]
        value = "True" if enough else "False"
        since = before.get("lastTransitionTime") if before.get("status") == value else None
        status: Object = {
            "conditions": [
                {
                    "type": "DisruptionAllowed",
                    "status": value,
                    "observedGeneration": budget.metadata.get("generation", 1),
                    "lastTransitionTime": since or self.clock.stamp(),
                    "reason": "SufficientPods" if enough else "InsufficientPods",
                    "message": "",
                }
            ],
            "currentHealthy": healthy,
            "desiredHealthy": wanted,
            "disruptionsAllowed": allowed,
            "expectedPods": expected,
            "observedGeneration": budget.metadata.get("generation", 1),
        }
        if status == budget.status:
            return

        def alter(data: Object) -> None:
            data["status"] = status

        self.api.change(resources.DISRUPTION_BUDGETS, budget, alter, CONTROLLER_STATUS)

    def _expected(self, pods: list[Entry]) -> int:
        """What the pods' controllers want, or the pods that are there."""
        owners: dict[str, int] = {}
        loose = 0
        for pod in pods:
            owner = controller_of(pod)
            found = None if owner is None else self._owner(pod.namespace, owner)
            if found is None:
                loose += 1
            else:
                owners[found.uid] = int(found.spec.get("replicas", 1))
        return sum(owners.values()) + loose

    def _owner(self, namespace: str, reference: Object) -> Entry | None:
        kinds: dict[str, Resource] = {
            "ReplicaSet": resources.REPLICA_SETS,
            "StatefulSet": resources.STATEFUL_SETS,
        }
        resource = kinds.get(reference["kind"])
        if resource is None:
            return None
        return self.store.get(resource.storage, namespace, reference["name"])


def selects(budget: Entry, pod: Entry) -> bool:
    """Whether a budget is about a pod; one without a selector is about none."""
    selector = budget.spec.get("selector")
    return selector is not None and selectors.matches(selector, pod.labels)
