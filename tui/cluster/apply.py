"""The door through which setups are written to a cluster: apply an object, delete an object.

Whatever calls, these hold here:

- nothing passes where the guard refuses (read-only, protected, an untyped production context);
- only kinds of :data:`tui.cluster.objects.KINDS`, which the server says are namespaced;
- an object is created only where there is none, and changed or deleted only as the version that
  was read, if that bears our labels. Server-side apply alone would adopt a stranger's object of the
  same name: so each apply carries the ``uid`` and ``resourceVersion`` it was decided on, and one
  that creates carries a resourceVersion that no object ever has. The server compares them in the
  same transaction that writes (``Store.Update`` of k8s.io/apiserver), whoever else writes then;
- each write is in the audit log before it is sent.

What the doctor repairs is not ours, and goes through :mod:`tui.cluster.patching`, under the same
guard and into the same log. There is no other way to write.

Applying is `server-side apply`_ with strict field validation.

.. _server-side apply: https://kubernetes.io/docs/reference/using-api/server-side-apply/
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

import msgspec

from tui.cluster import ownership, shapes
from tui.cluster.audit import SENT, AuditLog, Entry
from tui.cluster.errors import one_line
from tui.cluster.guard import Guard, RefusedError
from tui.cluster.halt import Halt
from tui.cluster.objects import KINDS, Object, Ref, path_of
from tui.cluster.scope import Scope
from tui.cluster.transport import Transport

MANAGER: Final = ownership.MANAGER
_APPLY: Final = "application/apply-patch+yaml"
_NEVER: Final = "1"
"""The resourceVersion for "there must be none". The store's first revision is that of an empty
store: the server answers 409 to it if there is an object, and creates if there is none."""
_Result = TypeVar("_Result")
_WARNING: Final = re.compile(r'\d{3} \S+ "((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True, slots=True)
class Applied:
    """What the server made of an apply."""

    body: Object
    created: bool
    warnings: tuple[str, ...]


class Writer:
    """Applies and deletes single objects.

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

    def apply(
        self,
        ref: Ref,
        body: Object,
        live: Object | None,
        *,
        dry_run: bool = False,
        force: bool = False,
        typed: str = "",
        halt: Halt | None = None,
    ) -> Applied:
        """Create an object, or change the version of it that was read.

        Args:
            ref: which object; ``body`` must say the same.
            body: what we want of it, with our labels.
            live: the object as read before; None if there was none.
            dry_run: let the server reckon and check everything, and store nothing.
            force: take fields over from other managers.
            typed: the context's name, where the guard asks for it.
            halt: ends it.

        Raises:
            ApiError: of kind CONFLICT, either with causes ``FieldManagerConflict`` (other managers
                own fields), or the object is no longer the version that was read: read it again.
        """
        self.guard.permit(typed, dry_run=dry_run)
        setup = _checked(ref, body)
        self._scope.check(ref.known, halt)
        sent = {**body, "metadata": {**body["metadata"], **_precondition(ref, live, setup)}}
        query: dict[str, str | int | bool] = {
            "fieldManager": MANAGER,
            "fieldValidation": "Strict",
            "force": force,
        }
        if dry_run:
            query["dryRun"] = "All"
        uid = str(sent["metadata"].get("uid", ""))
        verb = "take over" if force else "apply"

        def send() -> Applied:
            answer = self._transport.request(
                "PATCH",
                _path(ref),
                query,
                body=msgspec.json.encode(sent),
                content_type=_APPLY,
                halt=halt,
            )
            found = shapes.one(answer.body, ref.known.plural)
            return Applied(found, answer.status == 201, warnings_of(answer.headers))

        if dry_run:
            return send()
        return self._audited(verb, ref, uid, setup, send)

    def delete(
        self, ref: Ref, live: Object, setup: str, *, typed: str = "", halt: Halt | None = None
    ) -> None:
        """Delete the version of an object that was read; what it owns goes after it.

        Raises:
            ApiError: of kind NOT_FOUND, it is gone already; of kind CONFLICT, it is no longer the
                version that was read.
        """
        self.guard.permit(typed)
        version = _precondition(ref, live, setup)
        self._scope.check(ref.known, halt)
        body = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "propagationPolicy": "Background",
            "preconditions": {"uid": version["uid"], "resourceVersion": version["resourceVersion"]},
        }

        def send() -> None:
            self._transport.request("DELETE", _path(ref), body=msgspec.json.encode(body), halt=halt)

        self._audited("delete", ref, version["uid"], setup, send)

    def _audited(
        self, verb: str, ref: Ref, uid: str, setup: str, send: Callable[[], _Result]
    ) -> _Result:
        config = self._transport.config
        entry = Entry(self._clock(), config.context, config.host, verb, ref, uid, setup, SENT)
        return self._audit.around(entry, send, self._clock)


def _checked(ref: Ref, body: Object) -> str:
    """The setup that the object is of, once it is what the reference says."""
    metadata = body.get("metadata") or {}
    said = (
        body.get("kind"),
        body.get("apiVersion"),
        metadata.get("namespace"),
        metadata.get("name"),
    )
    setup = ownership.setup_of(body)
    if said != (ref.kind, ref.known.api_version, ref.namespace, ref.name) or setup is None:
        raise RefusedError(f"{ref} is not what was planned; nothing is sent.")
    return setup


def _precondition(ref: Ref, live: Object | None, setup: str) -> dict[str, str]:
    if live is None:
        return {"resourceVersion": _NEVER}
    metadata = live.get("metadata") or {}
    if ownership.setup_of(live) != setup:
        raise RefusedError(
            f"{ref} in namespace {ref.namespace} belongs to {ownership.owner(live)}: it is left "
            "as it is. Choose another namespace, or delete it yourself."
        )
    uid, version = metadata.get("uid"), metadata.get("resourceVersion")
    if not uid or not version:
        raise RefusedError(f"{ref} was read without its version; nothing is sent.")
    return {"uid": str(uid), "resourceVersion": str(version)}


def _path(ref: Ref) -> str:
    known = ref.known
    if known not in KINDS:
        raise RefusedError(f"{ref} is of a kind that is never written.")
    return path_of(known.api_version, known.plural, ref.namespace, ref.name)


def warnings_of(headers: Mapping[str, str]) -> tuple[str, ...]:
    """The texts of ``Warning`` headers (RFC 7234, section 5.5)."""
    found = _WARNING.findall(headers.get("warning", ""))
    texts = (one_line(re.sub(r"\\(.)", r"\1", text)) for text in found)
    return tuple(dict.fromkeys(text for text in texts if text))
