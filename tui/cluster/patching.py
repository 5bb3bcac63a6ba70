"""The narrow door for objects that are not ours: one patch, shown and confirmed before.

It is what the doctor repairs with. These hold here, whatever calls:

- nothing passes where the guard refuses (read-only, protected, an untyped production context);
- only kinds of `PATCHABLE`, and only below ``spec``: no label, annotation or owner of the object
  itself, no status, and never a Secret, a ConfigMap or a right;
- only the version that was read: the patch carries its ``uid`` and ``resourceVersion``, and the
  server refuses it (409, or 422 for another uid) once the object is another;
- each write is in the audit log before it is sent, with the patch and what takes it back.

See "Update API objects in place" and "Resource versions" in the Kubernetes documentation:
https://kubernetes.io/docs/tasks/manage-kubernetes-objects/update-api-object-kubectl-patch/
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import msgspec

from tui.cluster import ownership, shapes
from tui.cluster.apply import warnings_of
from tui.cluster.audit import SENT, AuditLog, Entry
from tui.cluster.errors import ApiError, Fault
from tui.cluster.guard import Guard, RefusedError
from tui.cluster.halt import Halt
from tui.cluster.objects import KnownKind, Object, Ref, known_kind, path_of
from tui.cluster.scope import Scope
from tui.cluster.transport import Transport

_VPA: Final = KnownKind("VerticalPodAutoscaler", "autoscaling.k8s.io/v1", "verticalpodautoscalers")
PATCHABLE: Final[Mapping[str, KnownKind]] = {
    _VPA.kind: _VPA,
    **{
        known.kind: known
        for kind in ("HorizontalPodAutoscaler", "Deployment", "StatefulSet", "DaemonSet")
        if (known := known_kind(kind)) is not None
    },
}
"""Kinds that may be patched, by name."""


class PatchType(StrEnum):
    """How a patch is to be read, as its media type says."""

    MERGE = "application/merge-patch+json"
    """RFC 7386: a list is replaced as a whole."""
    STRATEGIC = "application/strategic-merge-patch+json"
    """Kubernetes' own: containers are matched by name. Custom resources do not know it."""
    JSON = "application/json-patch+json"
    """RFC 6902: a list of operations."""


Patch = dict[str, Any] | list[dict[str, Any]]
"""A map for the two that merge, a list of operations for `PatchType.JSON`."""


@dataclass(frozen=True, slots=True)
class Patched:
    """What the server made of a patch."""

    body: Object
    warnings: tuple[str, ...]


class Patcher:
    """Patches single objects.

    Every method raises :class:`RefusedError` (nothing was sent), :class:`AuditError` (neither) or
    :class:`ApiError` (the server refused, or did not answer: then it may have been done).

    Args:
        transport: the cluster.
        guard: what may be written.
        audit: where it is noted.
        clock: seconds since the epoch.
    """

    def __init__(
        self,
        transport: Transport,
        guard: Guard,
        audit: AuditLog,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.guard = guard
        self._transport = transport
        self._audit = audit
        self._clock = clock
        self._scope = Scope(transport)

    def read(self, ref: Ref, halt: Halt | None = None) -> Object | None:
        """The object as it is; None if there is none, or no such kind in this cluster."""
        try:
            body = self._transport.get(_path(ref), halt=halt).body
            return shapes.one(body, PATCHABLE[ref.kind].plural)
        except ApiError as error:
            if error.kind is Fault.NOT_FOUND:
                return None
            raise

    def patch(
        self,
        ref: Ref,
        patch: Patch,
        type: PatchType,
        live: Object,
        *,
        dry_run: bool = False,
        rule: str = "",
        undo: str = "",
        typed: str = "",
        halt: Halt | None = None,
    ) -> Patched:
        """Patch the version of an object that was read.

        Args:
            ref: which object, of a kind in `PATCHABLE`.
            patch: what to change below ``spec``.
            type: how ``patch`` is written.
            live: the object as read before.
            dry_run: let the server reckon and check everything, and store nothing.
            rule: the doctor's rule, for the log.
            undo: what takes it back, for the log.
            typed: the context's name, where the guard asks for it.
            halt: ends it.

        Raises:
            ApiError: of kind CONFLICT, the object is no longer the version that was read.
        """
        self.guard.permit(typed, dry_run=dry_run)
        where = _path(ref)
        sent, uid = _on_version(ref, patch, type, live)
        self._scope.check(PATCHABLE[ref.kind], halt)
        query: dict[str, str | int | bool] = {
            "fieldManager": ownership.MANAGER,
            "fieldValidation": "Strict",
        }
        if dry_run:
            query["dryRun"] = "All"

        def send() -> Patched:
            answer = self._transport.request(
                "PATCH",
                where,
                query,
                body=msgspec.json.encode(sent),
                content_type=type.value,
                halt=halt,
            )
            found = shapes.one(answer.body, PATCHABLE[ref.kind].plural)
            return Patched(found, warnings_of(answer.headers))

        if dry_run:
            return send()
        config = self._transport.config
        entry = Entry(
            self._clock(),
            config.context,
            config.host,
            "patch",
            ref,
            uid,
            ownership.setup_of(live) or "",
            SENT,
            rule,
            msgspec.json.encode(patch).decode(),
            undo,
        )
        return self._audit.around(entry, send, self._clock)


def _path(ref: Ref) -> str:
    known = PATCHABLE.get(ref.kind)
    if known is None:
        raise RefusedError(f"{ref} is of a kind that is never patched from here.")
    if not ref.namespace or not ref.name:
        raise RefusedError(f"{ref} has no name or no namespace; nothing is sent.")
    return path_of(known.api_version, known.plural, ref.namespace, ref.name)


def _on_version(ref: Ref, patch: Patch, type: PatchType, live: Object) -> tuple[Patch, str]:
    """The patch, bound to the version that was read; and that version's uid."""
    metadata = live.get("metadata") or {}
    uid, version = str(metadata.get("uid") or ""), str(metadata.get("resourceVersion") or "")
    known = PATCHABLE[ref.kind]
    read = (live.get("apiVersion"), live.get("kind"), metadata.get("namespace"))
    if (*read, metadata.get("name")) != (known.api_version, ref.kind, ref.namespace, ref.name):
        raise RefusedError(f"{ref} is not what was read; nothing is sent.")
    if not uid or not version:
        raise RefusedError(f"{ref} was read without its version; nothing is sent.")
    if isinstance(patch, list):
        if type is not PatchType.JSON or not all(map(_below_spec, patch)):
            raise RefusedError(f"A patch of {ref} may only change its spec; nothing is sent.")
        return [
            {"op": "test", "path": "/metadata/uid", "value": uid},
            {"op": "replace", "path": "/metadata/resourceVersion", "value": version},
            *patch,
        ], uid
    if type is PatchType.JSON or patch.keys() != {"spec"} or not isinstance(patch["spec"], dict):
        raise RefusedError(f"A patch of {ref} may only change its spec; nothing is sent.")
    return {"metadata": {"uid": uid, "resourceVersion": version}, **patch}, uid


def _below_spec(operation: dict[str, Any]) -> bool:
    where = operation.get("path")
    return (
        operation.get("op") in ("add", "replace", "remove", "test")
        and isinstance(where, str)
        and where.startswith("/spec/")
    )
