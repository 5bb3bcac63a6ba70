"""Deployments: one ReplicaSet for each template, rolled from old to new."""

from __future__ import annotations

from typing import Any, ClassVar, Final

from tui.demo import resources
from tui.demo.api.operations import CONTROLLER_MANAGER, CONTROLLER_STATUS, DeleteOptions
from tui.demo.controllers import rollout
from tui.demo.controllers.base import (
    Controller,
    condition,
    controller_of,
    owner_key,
    owner_reference,
)
from tui.demo.controllers.rollout import HASH_LABEL, Size
from tui.demo.store import Entry, Event, Key, Object

_TRIES: Final = 8
_REVISION: Final = "deployment.kubernetes.io/revision"
_DESIRED: Final = "deployment.kubernetes.io/desired-replicas"
_MAX: Final = "deployment.kubernetes.io/max-replicas"
_NOT_COPIED: Final = frozenset(
    {_REVISION, _DESIRED, _MAX, "kubectl.kubernetes.io/last-applied-configuration"}
)


class DeploymentController(Controller):
    """Keeps a Deployment's ReplicaSets and its status."""

    name: ClassVar[str] = "deployment-controller"

    def start(self) -> None:
        """Watch what matters."""
        self.watch(resources.DEPLOYMENTS)
        self.watch(resources.REPLICA_SETS, lambda event: owner_key(event, "Deployment"))
        self.watch(resources.PODS, self._of_gone_pod)

    def _of_gone_pod(self, event: Event) -> list[Key]:
        """A Recreate rollout goes on when the last old pod is gone."""
        if event.type != "DELETED":
            return []
        for key in owner_key(event, "ReplicaSet"):
            replica_set = self.store.get(resources.REPLICA_SETS.storage, *key)
            if replica_set is not None:
                return owner_key(Event("MODIFIED", replica_set, None), "Deployment")
        return []

    def reconcile(self, key: Key) -> None:
        """Make the world right for one key."""
        deployment = self.store.get(resources.DEPLOYMENTS.storage, *key)
        if deployment is None or deployment.deleting:
            return
        sets = self._replica_sets(deployment)
        new = self._find_new(deployment, sets)
        old = [one for one in sets if one is not new]
        if deployment.spec.get("paused"):
            self._scale_active(deployment, new, old)
        else:
            if new is None and not self._must_wait(deployment, old):
                new = self._create_new(deployment, old)
            elif new is not None:
                new = self._keep_revision(deployment, new, old)
            if new is not None:
                new = self._roll(deployment, new, old)
                self._clean_up(deployment, new, old)
        self._update_status(key, new)

    def _replica_sets(self, deployment: Entry) -> list[Entry]:
        """The Deployment's ReplicaSets, oldest first."""
        found = [
            entry
            for entry in self.store.entries(resources.REPLICA_SETS.storage, deployment.namespace)
            if (owner := controller_of(entry)) is not None and owner["uid"] == deployment.uid
        ]
        return sorted(found, key=lambda e: (_revision(e), e.metadata["creationTimestamp"], e.name))

    @staticmethod
    def _find_new(deployment: Entry, sets: list[Entry]) -> Entry | None:
        wanted = rollout.without_hash(deployment.spec["template"])
        for entry in sets:
            if rollout.without_hash(entry.spec["template"]) == wanted:
                return entry
        return None

    def _must_wait(self, deployment: Entry, old: list[Entry]) -> bool:
        """Recreate: scale the old down and wait until their pods are gone."""
        if (deployment.spec.get("strategy") or {}).get("type") != "Recreate":
            return False
        for entry in old:
            self._scale(deployment, entry, 0)
        owned = {entry.uid for entry in old}
        return any(
            (owner := controller_of(pod)) is not None and owner["uid"] in owned
            for pod in self.store.entries(resources.PODS.storage, deployment.namespace)
        )

    def _create_new(self, deployment: Entry, old: list[Entry]) -> Entry:
        spec = deployment.spec
        template: Object = deployment.copy()["spec"]["template"]
        suffix = self._free_hash(deployment, template)
        metadata = template.setdefault("metadata", {})
        metadata["labels"] = {**(metadata.get("labels") or {}), HASH_LABEL: suffix}
        selector = {**spec["selector"]}
        selector["matchLabels"] = {**(selector.get("matchLabels") or {}), HASH_LABEL: suffix}
        revision = max((_revision(entry) for entry in old), default=0) + 1
        limit = rollout.limits(spec)
        sizes = [_size(entry) for entry in old]
        name = f"{deployment.name}-{suffix}"
        first = rollout.grow_new(spec["replicas"], limit, Size(name, 0, 0, 0), sizes)
        created = self.api.create(
            resources.REPLICA_SETS,
            deployment.namespace,
            {
                "metadata": {
                    "name": name,
                    "labels": dict(metadata["labels"]),
                    "annotations": self._annotations(deployment, revision),
                    "ownerReferences": [owner_reference(resources.DEPLOYMENTS, deployment)],
                },
                "spec": {"replicas": first, "selector": selector, "template": template},
            },
            CONTROLLER_MANAGER,
        )
        self._set_revision(deployment, revision)
        if first:
            self._say_scaled(deployment, name, 0, first)
        return created

    def _free_hash(self, deployment: Entry, template: Object) -> str:
        """The template's hash; another where somebody else's ReplicaSet has the name."""
        storage = resources.REPLICA_SETS.storage
        for probe in range(_TRIES):
            suffix = rollout.template_hash({**template, "probe": probe} if probe else template)
            name = f"{deployment.name}-{suffix}"
            if self.store.get(storage, deployment.namespace, name) is None:
                break
        return suffix

    def _annotations(self, deployment: Entry, revision: int) -> Object:
        replicas = int(deployment.spec["replicas"])
        kept = {
            name: value
            for name, value in (deployment.metadata.get("annotations") or {}).items()
            if name not in _NOT_COPIED
        }
        return kept | {
            _DESIRED: str(replicas),
            _MAX: str(replicas + rollout.limits(deployment.spec).surge),
            _REVISION: str(revision),
        }

    def _keep_revision(self, deployment: Entry, new: Entry, old: list[Entry]) -> Entry:
        """A template that returns, as after an undo, becomes the newest revision."""
        newest = max((_revision(entry) for entry in old), default=0)
        revision = max(_revision(new), newest + 1 if newest > _revision(new) else 0)
        wanted = self._annotations(deployment, revision)
        have = new.metadata.get("annotations") or {}
        if any(have.get(name) != value for name, value in wanted.items()):

            def alter(data: Object) -> None:
                data["metadata"].setdefault("annotations", {}).update(wanted)

            new = self.api.change(resources.REPLICA_SETS, new, alter, CONTROLLER_MANAGER)
        self._set_revision(deployment, revision)
        return new

    def _set_revision(self, deployment: Entry, revision: int) -> None:
        if (deployment.metadata.get("annotations") or {}).get(_REVISION) == str(revision):
            return

        def alter(data: Object) -> None:
            data["metadata"].setdefault("annotations", {})[_REVISION] = str(revision)

        self.api.change(resources.DEPLOYMENTS, deployment, alter, CONTROLLER_STATUS)

    def _roll(self, deployment: Entry, new: Entry, old: list[Entry]) -> Entry:
        replicas = int(deployment.spec["replicas"])
        active = [entry for entry in old if entry.spec["replicas"]]
        if not active:
            return self._scale(deployment, new, replicas)
        limit = rollout.limits(deployment.spec)
        sizes = [_size(entry) for entry in active]
        grown = rollout.grow_new(replicas, limit, _size(new), sizes)
        if grown != new.spec["replicas"]:
            return self._scale(deployment, new, grown)
        wanted = rollout.shrink_old(replicas, limit, _size(new), sizes)
        for entry in active:
            self._scale(deployment, entry, wanted[entry.name])
        return new

    def _scale_active(self, deployment: Entry, new: Entry | None, old: list[Entry]) -> None:
        """A paused Deployment scales what it has and rolls nothing."""
        active = [e for e in (*old, *([new] if new else [])) if e.spec["replicas"]]
        if len(active) <= 1:
            target = active[0] if active else new
            if target is not None:
                self._scale(deployment, target, int(deployment.spec["replicas"]))

    def _scale(self, deployment: Entry, entry: Entry, replicas: int) -> Entry:
        before = int(entry.spec["replicas"])
        if before == replicas:
            return entry

        def alter(data: Object) -> None:
            data["spec"]["replicas"] = replicas

        scaled = self.api.change(resources.REPLICA_SETS, entry, alter, CONTROLLER_MANAGER)
        self._say_scaled(deployment, entry.name, before, replicas)
        return scaled

    def _say_scaled(self, deployment: Entry, name: str, before: int, after: int) -> None:
        way = "up" if after > before else "down"
        message = f"Scaled {way} replica set {name} from {before} to {after}"
        self.record(resources.DEPLOYMENTS, deployment, "Normal", "ScalingReplicaSet", message)

    def _clean_up(self, deployment: Entry, new: Entry, old: list[Entry]) -> None:
        limit = deployment.spec.get("revisionHistoryLimit", 10)
        idle = [e for e in old if not e.spec["replicas"] and not e.status.get("replicas")]
        for entry in idle[: max(0, len(idle) - limit)]:
            self.api.delete(
                resources.REPLICA_SETS, entry.namespace, entry.name, DeleteOptions("Background")
            )

    def _update_status(self, key: Key, new: Entry | None) -> None:
        deployment = self.store.get(resources.DEPLOYMENTS.storage, *key)
        if deployment is None:
            return
        status = self._status(deployment, new)
        if status == deployment.status:
            return

        def alter(data: Object) -> None:
            data["status"] = status

        self.api.change(resources.DEPLOYMENTS, deployment, alter, CONTROLLER_STATUS)

    def _status(self, deployment: Entry, new: Entry | None) -> Object:
        sets = self._replica_sets(deployment)

        def total(field: str) -> int:
            return sum(entry.status.get(field, 0) for entry in sets)

        fresh = next((e for e in sets if new is not None and e.uid == new.uid), None)
        replicas, available = total("replicas"), total("availableReplicas")
        updated = fresh.status.get("replicas", 0) if fresh is not None else 0
        counts = {
            "replicas": replicas,
            "updatedReplicas": updated,
            "readyReplicas": total("readyReplicas"),
            "availableReplicas": available,
            "unavailableReplicas": max(0, int(deployment.spec["replicas"]) - available),
        }
        status: Object = {"observedGeneration": deployment.metadata["generation"]}
        status |= {name: number for name, number in counts.items() if number}
        status["terminatingReplicas"] = total("terminatingReplicas")
        conditions = self._conditions(deployment, fresh, updated, replicas, available)
        if not deployment.spec.get("paused"):
            fresh_first = sorted(sets, key=lambda entry: entry is not fresh)
            conditions = _with_failure(conditions, fresh_first)
        status["conditions"] = conditions
        if (collisions := deployment.status.get("collisionCount")) is not None:
            status["collisionCount"] = collisions
        return status

    def _conditions(
        self, deployment: Entry, fresh: Entry | None, updated: int, replicas: int, available: int
    ) -> list[Object]:
        wanted = int(deployment.spec["replicas"])
        least = wanted - rollout.limits(deployment.spec).unavailable
        if available >= least:
            available_now = (
                "True",
                "MinimumReplicasAvailable",
                "Deployment has minimum availability.",
            )
        else:
            available_now = (
                "False",
                "MinimumReplicasUnavailable",
                "Deployment does not have minimum availability.",
            )
        progressing = self._progress(deployment, fresh, updated, replicas, available)
        merged = [dict(one) for one in deployment.status.get("conditions") or ()]
        for type_, found in (("Available", available_now), ("Progressing", progressing)):
            merged = self._with_condition(merged, type_, *found)
        return merged

    def _progress(
        self, deployment: Entry, fresh: Entry | None, updated: int, replicas: int, available: int
    ) -> tuple[str, str, str]:
        wanted = int(deployment.spec["replicas"])
        before = condition(deployment.status, "Progressing") or {}
        if fresh is None:
            return ("True", "ReplicaSetUpdated", f'Deployment "{deployment.name}" is progressing.')
        if updated == wanted and replicas == wanted and available >= wanted:
            message = f'ReplicaSet "{fresh.name}" has successfully progressed.'
            return ("True", "NewReplicaSetAvailable", message)
        if before.get("reason") == "NewReplicaSetAvailable" and fresh.name in before["message"]:
            return ("True", before["reason"], before["message"])  # a scaling is no rollout
        if self._overdue(deployment, before):
            message = f'ReplicaSet "{fresh.name}" has timed out progressing.'
            return ("False", "ProgressDeadlineExceeded", message)
        if not updated:
            return ("True", "NewReplicaSetCreated", f'Created new replica set "{fresh.name}"')
        return ("True", "ReplicaSetUpdated", f'ReplicaSet "{fresh.name}" is progressing.')

    def _overdue(self, deployment: Entry, before: Object) -> bool:
        deadline = deployment.spec.get("progressDeadlineSeconds", 600)
        if before.get("reason") == "ProgressDeadlineExceeded":
            return True
        if not before.get("lastUpdateTime"):
            return False
        waited = self.clock.now() - self.clock.simulated(before["lastUpdateTime"])
        if waited >= deadline:
            return True
        self.enqueue(deployment.key, deadline - waited + 1)
        return False

    def _with_condition(
        self, conditions: list[Any], type_: str, status: str, reason: str, message: str
    ) -> list[Any]:
        found = next((one for one in conditions if one["type"] == type_), None)
        said = (status, reason, message)
        if found is not None and (found["status"], found["reason"], found["message"]) == said:
            return conditions
        now = self.clock.stamp()
        since = found["lastTransitionTime"] if found and found["status"] == status else now
        fresh = {
            "type": type_,
            "status": status,
            "lastUpdateTime": now,
            "lastTransitionTime": since,
            "reason": reason,
            "message": message,
        }
        return [one for one in conditions if one["type"] != type_] + [fresh]


def _with_failure(conditions: list[Any], sets: list[Entry]) -> list[Any]:
    """The conditions with the first failure of the ReplicaSets; one that is known keeps its words.

    Source: ``syncRolloutStatus`` of Kubernetes 1.36's ``deployment/progress.go``.
    """
    failures = [found for one in sets if (found := condition(one.status, "ReplicaFailure"))]
    known = [one for one in conditions if one["type"] == "ReplicaFailure"]
    others = [one for one in conditions if one["type"] != "ReplicaFailure"]
    if not failures:
        return others
    first = failures[0]
    if known and all(known[0][key] == first[key] for key in ("status", "reason")):
        return conditions
    return [*others, {**first, "lastUpdateTime": first["lastTransitionTime"]}]


def _revision(entry: Entry) -> int:
    text = (entry.metadata.get("annotations") or {}).get(_REVISION, "0")
    return int(text) if text.isdigit() else 0


def _size(entry: Entry) -> Size:
    status = entry.status
    return Size(
        entry.name,
        int(entry.spec["replicas"]),
        status.get("replicas", 0),
        status.get("availableReplicas", 0),
    )
