"""Create, update, apply and delete, for HTTP clients and controllers alike.

Every write passes here: names, defaults, rules, allocation, managed fields, generation. Objects
go in and out in their stored version; the handlers convert.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from random import Random
from typing import Final

from tui.demo import resources
from tui.demo.api import errors, managed, object_meta
from tui.demo.api.admission import Admission
from tui.demo.api.completion import complete
from tui.demo.api.errors import ApiError, Cause
from tui.demo.api.registry import Registry
from tui.demo.api.writers import API_SERVER as API_SERVER
from tui.demo.api.writers import CONTROLLER_MANAGER as CONTROLLER_MANAGER
from tui.demo.api.writers import CONTROLLER_STATUS as CONTROLLER_STATUS
from tui.demo.api.writers import DEFAULT_DELETE
from tui.demo.api.writers import KUBELET as KUBELET
from tui.demo.api.writers import SCHEDULER as SCHEDULER
from tui.demo.api.writers import DeleteOptions as DeleteOptions
from tui.demo.api.writers import Writer as Writer
from tui.demo.clock import Clock
from tui.demo.custom import definitions
from tui.demo.resource import Resource
from tui.demo.store import Entry, Object, Store

_NAME_LETTERS: Final = "bcdfghjklmnpqrstvwxz2456789"
_TRIES: Final = 8
_IMMORTAL: Final = ("default", "kube-public", "kube-system")


class Api:
    """The one way to the store that writes."""

    def __init__(self, store: Store, clock: Clock, rng: Random) -> None:
        self.store = store
        self.clock = clock
        self._rng = rng
        self.registry = Registry(store)
        self._admission = Admission(store, rng)

    # -- reading

    def get(self, resource: Resource, namespace: str, name: str) -> Entry:
        """One object.

        Raises:
            ApiError: 404.
        """
        entry = self.store.get(resource.storage, namespace, name)
        if entry is None:
            raise errors.not_found(resource, name)
        return entry

    # -- creating

    def create(self, resource: Resource, namespace: str, data: Object, by: Writer) -> Entry:
        """Create an object from a manifest, which belongs to the API from here on.

        Raises:
            ApiError: 400, 403, 404 (namespace), 409 or 422.
        """
        metadata = self._check_identity(resource, namespace, data, None)
        generated = not metadata.get("name")
        if generated:
            prefix = metadata.get("generateName")
            if not prefix:
                cause = Cause.required("metadata.name", "name or generateName is required")
                raise errors.invalid(resource, "", [cause])
            metadata["name"] = self._generate(resource, namespace, prefix)
        if "resourceVersion" in metadata:
            if metadata["resourceVersion"]:
                raise ApiError(
                    500, "ServerError", "resourceVersion should not be set on objects to be created"
                )
            del metadata["resourceVersion"]
        self._check_namespace(resource, namespace, metadata["name"])
        data = {k: v for k, v in data.items() if k not in ("kind", "apiVersion")}
        if resource.status:
            data.pop("status", None)
        for name in ("deletionTimestamp", "deletionGracePeriodSeconds", "selfLink"):
            metadata.pop(name, None)
        identified = object_meta.made(
            metadata,
            namespace=namespace,
            uid=str(uuid.UUID(int=self._rng.getrandbits(128), version=4)),
            created=self.clock.stamp(),
        )
        data = {**{"metadata": identified}, **data, "metadata": identified}
        if resource.counts_generation:
            data["metadata"]["generation"] = 1
        complete(self.registry, resource, data, None)
        if self.store.get(resource.storage, namespace, metadata["name"]) is not None:
            raise errors.already_exists(resource, metadata["name"])
        if by.manager:
            data["metadata"].pop("managedFields", None)
            sent = {k: v for k, v in data.items() if k != "status" or not resource.status}
            managed.record_update(None, sent, resource.built_in, self._manager(resource, by))
        self._admission.admit(resource, data, None)
        return self._store(resource, data, by)

    def _generate(self, resource: Resource, namespace: str, prefix: str) -> str:
        for _ in range(_TRIES):
            suffix = "".join(self._rng.choices(_NAME_LETTERS, k=5))
            name = prefix[:58] + suffix
            if self.store.get(resource.storage, namespace, name) is None:
                return name
        raise errors.already_exists(resource, name)

    def _check_identity(
        self, resource: Resource, namespace: str, data: Object, name: str | None
    ) -> Object:
        metadata = data.setdefault("metadata", {})
        if not isinstance(metadata, dict):
            raise errors.bad_request("metadata is not an object")
        said = metadata.get("namespace", "")
        if resource.namespaced and said and said != namespace:
            raise errors.bad_request(
                "the namespace of the provided object does not match the namespace sent on the "
                "request"
            )
        if name is not None and metadata.get("name", name) != name:
            raise errors.bad_request(
                f"the name of the object ({metadata['name']}) does not match the name on the URL "
                f"({name})"
            )
        return metadata

    def _check_namespace(self, resource: Resource, namespace: str, name: str) -> None:
        if not resource.namespaced:
            return
        found = self.store.get(resources.NAMESPACES.storage, "", namespace)
        if found is None:
            raise errors.not_found(resources.NAMESPACES, namespace)
        if found.deleting and resource is not resources.EVENTS:
            raise errors.forbidden(
                resource,
                name,
                f"unable to create new content in namespace {namespace} because it is being "
                "terminated",
                [
                    Cause(
                        "metadata.namespace",
                        "NamespaceTerminating",
                        f"namespace {namespace} is being terminated",
                    )
                ],
            )

    # -- changing

    def update(self, resource: Resource, namespace: str, data: Object, by: Writer) -> Entry:
        """Replace an object; with ``by.subresource`` ``status`` its status alone.

        Raises:
            ApiError: 400, 404, 409 (its resourceVersion is not the current one) or 422.
        """
        name = data["metadata"]["name"]
        current = self.get(resource, namespace, name)
        metadata = self._check_identity(resource, namespace, data, name)
        asked = metadata.get("resourceVersion")
        if asked and asked != str(current.revision):
            raise errors.conflict(resource, name)
        if metadata.get("uid") and metadata["uid"] != current.uid:
            cause_text = (
                f"Precondition failed: UID in precondition: {metadata['uid']}, "
                f"UID in object meta: {current.uid}"
            )
            raise ApiError(409, "Conflict", cause_text, errors.details(resource, name))
        return self._replace(resource, current, data, by)

    def change(
        self,
        resource: Resource,
        entry: Entry,
        alter: Callable[[Object], None],
        by: Writer,
    ) -> Entry:
        """Alter a copy of the current version of an object and store it.

        Raises:
            ApiError: 404 if it is gone, or what `update` raises.
        """
        current = self.get(resource, entry.namespace, entry.name)
        data = current.copy()
        alter(data)
        return self._replace(resource, current, data, by)

    def _replace(self, resource: Resource, current: Entry, data: Object, by: Writer) -> Entry:
        old = current.data
        data = {k: v for k, v in data.items() if k not in ("kind", "apiVersion")}
        if by.subresource == "status":
            kept = {k: v for k, v in old.items() if k != "status"}
            kept["metadata"] = {**old["metadata"]}
            # The real strategy keeps the labels only: the revision comes with the status.
            if resource is resources.DEPLOYMENTS and "annotations" in data["metadata"]:
                kept["metadata"]["annotations"] = data["metadata"]["annotations"]
            data = {**kept, "status": data.get("status") or {}}
        else:
            if resource.status and by.subresource != "binding":
                data.pop("status", None)
                if "status" in old:
                    data["status"] = old["status"]
            data["metadata"] = object_meta.kept(data["metadata"], old["metadata"])
            complete(self.registry, resource, data, old)
            self._admission.admit(resource, data, old)
        if object_meta.unchanged(old, data):
            return current
        if by.subresource not in ("status", "binding"):
            _count_generation(resource, data, old)
        if by.manager:
            managed.record_update(old, data, resource.built_in, self._manager(resource, by))
        return self._store(resource, data, by)

    def apply(
        self, resource: Resource, namespace: str, name: str, config: Object, by: Writer, force: bool
    ) -> tuple[Entry, bool]:
        """Server-side apply; also says whether the object was created.

        Raises:
            ApiError: 409 naming the managers and fields in conflict, or what `update` raises.
        """
        self._check_identity(resource, namespace, config, name)
        config["metadata"].setdefault("name", name)
        current = self.store.get(resource.storage, namespace, name)
        manager = self._manager(resource, by, "Apply")
        if current is None:
            if config["metadata"].get("uid"):
                raise errors.no_such_uid(resource, name, config["metadata"]["uid"])
            # As on a real server: whatever version is asked for, there is none to compare with.
            config["metadata"].pop("resourceVersion", None)
            self._check_namespace(resource, namespace, name)
            merged = managed.apply(None, config, resource.built_in, manager, force=force)
            return self.create(resource, namespace, merged, Writer("", "", by.dry_run)), True
        asked = config["metadata"].pop("resourceVersion", None)
        if asked and asked != str(current.revision):
            raise errors.conflict(resource, name)
        uid = config["metadata"].pop("uid", None)
        if uid and uid != current.uid:
            raise errors.uid_is_fixed(resource, name, uid)
        data = managed.apply(current.copy(), config, resource.built_in, manager, force=force)
        return self._apply_replace(resource, current, data, by), False

    def _apply_replace(self, resource: Resource, current: Entry, data: Object, by: Writer) -> Entry:
        old = current.data
        entries = data["metadata"].get("managedFields")
        data["metadata"] = object_meta.kept(data["metadata"], old["metadata"])
        data["metadata"]["managedFields"] = entries
        if "status" in old:
            data["status"] = old["status"]
        complete(self.registry, resource, data, old)
        self._admission.admit(resource, data, old)
        if object_meta.unchanged(old, data, managed_fields=True):
            return current
        _count_generation(resource, data, old)
        return self._store(resource, data, by)

    def _manager(
        self, resource: Resource, by: Writer, operation: str = "Update"
    ) -> managed.Manager:
        stored = resource.stored_as
        return managed.Manager(
            by.manager, operation, stored.group_version, by.subresource, self.clock.stamp(), set()
        )

    def _store(self, resource: Resource, data: Object, by: Writer) -> Entry:
        if by.dry_run:
            if not data["metadata"].get("resourceVersion"):
                data["metadata"].pop("resourceVersion", None)  # it was never stored
            return Entry(data, self.store.revision)
        entry = self.store.put(resource.storage, data)
        if entry.deleting and not self._held(resource, entry):
            return self.store.remove(resource.storage, entry.namespace, entry.name)
        return entry

    # -- deleting

    def delete(
        self,
        resource: Resource,
        namespace: str,
        name: str,
        options: DeleteOptions = DEFAULT_DELETE,
    ) -> tuple[Entry, bool]:
        """Delete an object, or mark it for deletion; also says whether it is gone.

        Raises:
            ApiError: 404, or 409 if a precondition does not hold.
        """
        current = self.get(resource, namespace, name)
        if resource is resources.NAMESPACES and name in _IMMORTAL:
            raise errors.forbidden(resource, name, "this namespace may not be deleted")
        if options.uid and options.uid != current.uid:
            raise errors.precondition_failed(resource, name, "UID", options.uid, current.uid)
        found = str(current.revision)
        if options.resource_version and options.resource_version != found:
            raise errors.precondition_failed(
                resource, name, "ResourceVersion", options.resource_version, found
            )
        grace = self._grace(resource, current, options.grace)
        finalizers = list(current.metadata.get("finalizers") or ())
        wanted = {"Foreground": "foregroundDeletion", "Orphan": "orphan"}.get(options.propagation)
        if wanted and wanted not in finalizers:
            finalizers.append(wanted)
        if resource is resources.DEFINITIONS and not current.deleting:
            finalizers.append(definitions.FINALIZER)
        holds = bool(finalizers) or grace > 0 or resource is resources.NAMESPACES
        if options.dry_run:
            return current, not holds
        if not holds:
            return self.store.remove(resource.storage, namespace, name), True
        already = current.metadata.get("deletionGracePeriodSeconds", 0)
        if (
            current.deleting
            and finalizers == current.metadata.get("finalizers", [])
            and (grace >= already or resource is resources.NAMESPACES)
        ):
            return current, False
        data = current.copy()
        metadata = data["metadata"]
        metadata["deletionTimestamp"] = self.clock.stamp(self.clock.now() + grace)
        metadata["deletionGracePeriodSeconds"] = grace
        if finalizers:
            metadata["finalizers"] = finalizers
        if resource is resources.NAMESPACES:
            del metadata["deletionGracePeriodSeconds"]
            data["status"] = {**(data.get("status") or {}), "phase": "Terminating"}
        elif resource.counts_generation:
            metadata["generation"] = metadata.get("generation", 0) + 1
        return self.store.put(resource.storage, data), False

    def _grace(self, resource: Resource, entry: Entry, asked: int | None) -> int:
        if resource is not resources.PODS:
            return 0
        if not entry.spec.get("nodeName") or entry.status.get("phase") in ("Succeeded", "Failed"):
            return 0
        grace = entry.spec.get("terminationGracePeriodSeconds", 30) if asked is None else asked
        return max(0, int(grace))

    @staticmethod
    def _held(resource: Resource, entry: Entry) -> bool:
        if entry.metadata.get("finalizers"):
            return True
        if resource is resources.NAMESPACES:
            return bool(entry.spec.get("finalizers"))
        return (
            resource is resources.PODS and entry.metadata.get("deletionGracePeriodSeconds", 0) > 0
        )


def _count_generation(resource: Resource, data: Object, old: Object) -> None:
    """One more where anything but metadata and status changed, or a Deployment's annotations."""
    if not resource.counts_generation:
        return
    before, after = old["metadata"], data["metadata"]
    parts = [k for k in data.keys() | old.keys() if k not in ("metadata", "status")]
    if resource is resources.DEPLOYMENTS and after.get("annotations") != before.get("annotations"):
        changed = True
    else:
        changed = any(data.get(k) != old.get(k) for k in parts)
    if changed:
        after["generation"] = before.get("generation", 0) + 1
