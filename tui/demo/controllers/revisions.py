"""ControllerRevisions: the templates a StatefulSet or DaemonSet has had.

Follows ``pkg/controller/history`` of Kubernetes: equal templates share a revision, whose number
is always raised to the newest when it is used again, as ``kubectl rollout undo`` has it.
"""

from __future__ import annotations

from typing import Final

from tui.demo import resources
from tui.demo.api.operations import CONTROLLER_MANAGER, Api
from tui.demo.controllers import rollout
from tui.demo.controllers.base import controller_of, owner_reference
from tui.demo.resource import Resource
from tui.demo.store import Entry, Object

HASH_LABEL: Final = "controller-revision-hash"
_OWN_HASH: Final = {"StatefulSet": "controller.kubernetes.io/hash"}
"""The label of the revisions themselves, where it is another than that of the pods."""
_TRIES: Final = 8


def history(api: Api, owner: Entry) -> list[Entry]:
    """The revisions of an object, oldest first."""
    found = [
        entry
        for entry in api.store.entries(resources.CONTROLLER_REVISIONS.storage, owner.namespace)
        if (reference := controller_of(entry)) is not None and reference["uid"] == owner.uid
    ]
    return sorted(found, key=lambda entry: (entry.data["revision"], entry.name))


def current(api: Api, resource: Resource, owner: Entry) -> Entry:
    """The revision of the object's template as it is now, made if there is none."""
    wanted: Object = {
        "spec": {"template": {**owner.copy()["spec"]["template"], "$patch": "replace"}}
    }
    known = history(api, owner)
    newest = known[-1].data["revision"] if known else 0
    for entry in known:
        if entry.data.get("data") == wanted:
            if entry.data["revision"] == newest:
                return entry

            def raised(data: Object) -> None:
                data["revision"] = newest + 1

            return api.change(resources.CONTROLLER_REVISIONS, entry, raised, CONTROLLER_MANAGER)
    suffix = _free_suffix(api, owner)
    labels = owner.spec["template"].get("metadata", {}).get("labels") or {}
    made: Object = {
        "metadata": {
            "name": f"{owner.name}-{suffix}",
            "labels": {**labels, _OWN_HASH.get(resource.kind, HASH_LABEL): suffix},
            "annotations": dict(owner.metadata.get("annotations") or {}),
            "ownerReferences": [owner_reference(resource, owner)],
        },
        "data": wanted,
        "revision": newest + 1,
    }
    return api.create(resources.CONTROLLER_REVISIONS, owner.namespace, made, CONTROLLER_MANAGER)


def _free_suffix(api: Api, owner: Entry) -> str:
    """The template's hash; another where an object of the same name has that one already."""
    template = owner.spec["template"]
    for probe in range(_TRIES):
        suffix = rollout.template_hash(
            {"template": template, "probe": probe} if probe else template
        )
        storage = resources.CONTROLLER_REVISIONS.storage
        if api.store.get(storage, owner.namespace, f"{owner.name}-{suffix}") is None:
            break
    return suffix


def truncate(api: Api, owner: Entry, live: set[str]) -> None:
    """Delete what is older than ``revisionHistoryLimit`` and used by no pod."""
    limit = int(owner.spec.get("revisionHistoryLimit", 10))
    unused = [entry for entry in history(api, owner) if entry.name not in live]
    for entry in unused[: max(0, len(unused) - limit)]:
        api.delete(resources.CONTROLLER_REVISIONS, entry.namespace, entry.name)


def template_of(revision: Entry) -> Object:
    """The template that a revision keeps, the caller's own."""
    template: Object = revision.copy()["data"]["spec"]["template"]
    template.pop("$patch", None)
    return template
