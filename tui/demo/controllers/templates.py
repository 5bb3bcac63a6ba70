"""Pods from templates, and the pods that an object controls."""

from __future__ import annotations

from tui.demo import resources
from tui.demo.controllers.base import controller_of, owner_reference
from tui.demo.resource import Resource
from tui.demo.store import Entry, Object, Store


def pod_of(resource: Resource, owner: Entry, template: Object) -> Object:
    """A manifest of a pod without a name, controlled by ``owner``.

    Args:
        resource: what the owner is.
        owner: who controls the pod.
        template: the owner's own copy of a pod template.
    """
    metadata = template.get("metadata") or {}
    kept = {
        name: dict(metadata[name]) if isinstance(metadata[name], dict) else list(metadata[name])
        for name in ("labels", "annotations", "finalizers")
        if metadata.get(name)
    }
    references = [owner_reference(resource, owner)]
    return {"metadata": {**kept, "ownerReferences": references}, "spec": template["spec"]}


def pods_of(store: Store, owner: Entry) -> list[Entry]:
    """The pods an object controls, in no particular order."""
    return [
        pod
        for pod in store.entries(resources.PODS.storage, owner.namespace)
        if (reference := controller_of(pod)) is not None and reference["uid"] == owner.uid
    ]
