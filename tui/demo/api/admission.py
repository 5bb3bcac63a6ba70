"""What an object passes after its rules: allocation, limits, quota, the default class, webhooks."""

from __future__ import annotations

import uuid
from random import Random
from typing import Final

from tui.demo import resources
from tui.demo.api import limits, quota, webhooks
from tui.demo.api.allocation import ServiceAllocator
from tui.demo.resource import Resource
from tui.demo.store import Object, Store

_LETTERS: Final = "bcdfghjklmnpqrstvwxz2456789"
_MOUNTED_AT: Final = "/var/run/secrets/kubernetes.io/serviceaccount"
_DEFAULT_CLASS: Final = "storageclass.kubernetes.io/is-default-class"


class Admission:
    """Completes objects with what depends on other objects, or refuses them."""

    def __init__(self, store: Store, rng: Random) -> None:
        self._store = store
        self._services = ServiceAllocator(store, rng)

    def admit(self, resource: Resource, data: Object, old: Object | None) -> None:
        """Let an object in.

        Args:
            resource: what it is.
            data: the object, which may be changed.
            old: what it replaces; None for a new one.

        Raises:
            ApiError: 403, 422 or 500.
        """
        if resource is resources.SERVICES:
            self._services.allocate(data, old)
        elif resource is resources.PODS and old is None:
            self._mount_token(data)
            limits.admit_pod(self._store, data)
        elif resource is resources.VOLUME_CLAIMS and old is None:
            self._give_class(data["spec"])
            limits.admit_claim(self._store, data)
        if old is None:
            quota.admit(self._store, resource, data)
        webhooks.admit(self._store, resource, data, "CREATE" if old is None else "UPDATE")

    def _mount_token(self, data: Object) -> None:
        """What the ServiceAccount admission adds: a volume with token, CA and namespace."""
        spec = data["spec"]
        namespace = data["metadata"]["namespace"]
        account = self._store.get(
            resources.SERVICE_ACCOUNTS.storage, namespace, spec.get("serviceAccountName", "")
        )
        wanted = spec.get("automountServiceAccountToken")
        if wanted is None and account is not None:
            wanted = account.data.get("automountServiceAccountToken")
        if wanted is False:
            return
        # From the pod's uid, so that nothing else that is random here is another.
        digits = uuid.UUID(data["metadata"]["uid"]).int
        letters = (_LETTERS[digits // 31**place % len(_LETTERS)] for place in range(5))
        name = f"kube-api-access-{''.join(letters)}"
        mounted = False
        for part in ("initContainers", "containers"):
            for container in spec.get(part) or ():
                mounts = container.setdefault("volumeMounts", [])
                if all(one.get("mountPath") != _MOUNTED_AT for one in mounts):
                    mounts.append({"name": name, "readOnly": True, "mountPath": _MOUNTED_AT})
                    mounted = True
        if mounted:
            spec.setdefault("volumes", []).append({"name": name, "projected": _token_volume()})

    def _give_class(self, spec: Object) -> None:
        """A claim that names no class gets the default one."""
        if "storageClassName" in spec:
            return
        for entry in self._store.list_at(resources.STORAGE_CLASSES.storage, None, None):
            if (entry.metadata.get("annotations") or {}).get(_DEFAULT_CLASS) == "true":
                spec["storageClassName"] = entry.name


def _token_volume() -> Object:
    own = {"fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}, "path": "namespace"}
    bundle = {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}
    return {
        "defaultMode": 420,
        "sources": [
            {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
            {"configMap": bundle},
            {"downwardAPI": {"items": [own]}},
        ],
    }
