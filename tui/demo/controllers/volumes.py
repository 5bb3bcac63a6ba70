"""PersistentVolumeClaims: a volume for each claim of a class that this cluster provisions.

Nothing is stored: a volume is a name that pods wait for. A claim of the class ``standard`` is
bound at once; one that names no class gets the default class, if there is one.
https://kubernetes.io/docs/concepts/storage/persistent-volumes/#binding
"""

from __future__ import annotations

from typing import ClassVar, Final

from tui.demo import resources
from tui.demo.api.operations import CONTROLLER_MANAGER, CONTROLLER_STATUS, Writer
from tui.demo.controllers.base import Controller
from tui.demo.store import Entry, Event, Key, Object

PROVISIONER: Final = "k8s.io/minikube-hostpath"
_PROVISIONER: Final = Writer("storage-provisioner")
_PROTECTION: Final = "kubernetes.io/pvc-protection"


class VolumeController(Controller):
    """Binds claims, and releases volumes."""

    name: ClassVar[str] = "persistentvolume-controller"
    latency: ClassVar[float] = 0.05

    def start(self) -> None:
        """Watch what matters."""
        self.watch(resources.VOLUME_CLAIMS)
        self.watch(resources.STORAGE_CLASSES, lambda event: self._unbound())
        self.watch(resources.PODS, self._of_gone_pod)

    def _unbound(self) -> list[Key]:
        return [
            claim.key
            for claim in self.store.entries(resources.VOLUME_CLAIMS.storage)
            if not claim.spec.get("volumeName")
        ]

    def _of_gone_pod(self, event: Event) -> list[Key]:
        if event.type != "DELETED":
            return []
        return [(event.entry.namespace, name) for name in claims_of(event.entry)]

    def reconcile(self, key: Key) -> None:
        """Make the world right for one key."""
        claim = self.store.get(resources.VOLUME_CLAIMS.storage, *key)
        if claim is None:
            return
        if claim.deleting:
            self._let_go(claim)
        elif not claim.spec.get("volumeName"):
            self._bind(claim)

    def _bind(self, claim: Entry) -> None:
        name = claim.spec.get("storageClassName", "")
        found = self.store.get(resources.STORAGE_CLASSES.storage, "", name) if name else None
        if found is None:
            what = f'storageclass.storage.k8s.io "{name}" not found' if name else ""
            message = what or (
                "no persistent volumes available for this claim and no storage class is set"
            )
            reason = "ProvisioningFailed" if name else "FailedBinding"
            type_ = "Warning" if name else "Normal"
            self.record(resources.VOLUME_CLAIMS, claim, type_, reason, message)
            self.enqueue(claim.key, 15.0)
            return
        if found.data.get("provisioner") != PROVISIONER:
            message = (
                "Waiting for a volume to be created either by the external provisioner "
                f"'{found.data.get('provisioner')}' or manually by the system administrator. If "
                "volume creation is delayed, please verify that the provisioner is running and "
                "correctly registered."
            )
            self.record(resources.VOLUME_CLAIMS, claim, "Normal", "ExternalProvisioning", message)
            self.enqueue(claim.key, 15.0)
            return
        self._provision(claim, found)

    def _provision(self, claim: Entry, class_: Entry) -> None:
        name = f"pvc-{claim.uid}"
        requested = (claim.spec.get("resources") or {}).get("requests") or {}
        capacity = {"storage": requested.get("storage", "1Gi")}
        modes = claim.spec.get("accessModes") or ["ReadWriteOnce"]
        if self.store.get(resources.VOLUMES.storage, "", name) is None:
            made: Object = {
                "metadata": {
                    "name": name,
                    "annotations": {"pv.kubernetes.io/provisioned-by": PROVISIONER},
                },
                "spec": {
                    "capacity": capacity,
                    "accessModes": modes,
                    "claimRef": _claim_reference(claim),
                    "persistentVolumeReclaimPolicy": class_.data.get("reclaimPolicy", "Delete"),
                    "storageClassName": class_.name,
                    "volumeMode": claim.spec.get("volumeMode", "Filesystem"),
                    "hostPath": {"path": f"/data/{claim.namespace}/{claim.name}"},
                },
            }
            volume = self.api.create(resources.VOLUMES, "", made, _PROVISIONER)
            self._phase(volume, "Bound")
            message = f"Successfully provisioned volume {name}"
            self.record(resources.VOLUME_CLAIMS, claim, "Normal", "ProvisioningSucceeded", message)

        def bound(data: Object) -> None:
            data["spec"]["volumeName"] = name
            notes = data["metadata"].setdefault("annotations", {})
            notes |= {
                "pv.kubernetes.io/bind-completed": "yes",
                "pv.kubernetes.io/bound-by-controller": "yes",
                "volume.kubernetes.io/storage-provisioner": PROVISIONER,
            }

        def filled(data: Object) -> None:
            data["status"] = {"phase": "Bound", "accessModes": modes, "capacity": capacity}

        claim = self.api.change(resources.VOLUME_CLAIMS, claim, bound, CONTROLLER_MANAGER)
        self.api.change(resources.VOLUME_CLAIMS, claim, filled, CONTROLLER_STATUS)

    def _phase(self, volume: Entry, phase: str) -> None:
        def alter(data: Object) -> None:
            data["status"] = {"phase": phase}

        self.api.change(resources.VOLUMES, volume, alter, CONTROLLER_STATUS)

    def _let_go(self, claim: Entry) -> None:
        """A claim goes when no pod uses it any more, and its volume with it."""
        if any(
            claim.name in claims_of(pod)
            for pod in self.store.entries(resources.PODS.storage, claim.namespace)
        ):
            return

        def released(data: Object) -> None:
            kept = [f for f in data["metadata"].get("finalizers") or () if f != _PROTECTION]
            data["metadata"]["finalizers"] = kept

        self.api.change(resources.VOLUME_CLAIMS, claim, released, CONTROLLER_MANAGER)
        name = claim.spec.get("volumeName", "")
        volume = self.store.get(resources.VOLUMES.storage, "", name)
        if volume is None:
            return
        if volume.spec.get("persistentVolumeReclaimPolicy") == "Delete":
            self.api.delete(resources.VOLUMES, "", name)
        else:
            self._phase(volume, "Released")


def claims_of(pod: Entry) -> list[str]:
    """The names of the claims a pod mounts."""
    return [
        str(source.get("claimName", ""))
        for volume in pod.spec.get("volumes") or ()
        if (source := volume.get("persistentVolumeClaim")) is not None
    ]


def _claim_reference(claim: Entry) -> Object:
    return {
        "kind": "PersistentVolumeClaim",
        "apiVersion": "v1",
        "namespace": claim.namespace,
        "name": claim.name,
        "uid": claim.uid,
        "resourceVersion": str(claim.revision),
    }
