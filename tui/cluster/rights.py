"""What this user may do, asked of the server (SelfSubjectAccessReview)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import msgspec

from tui.cluster.errors import UNREADABLE, ApiError, Fault
from tui.cluster.halt import Halt
from tui.cluster.objects import KnownKind
from tui.cluster.transport import Transport

_PATH: Final = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


@dataclass(frozen=True, slots=True, order=True)
class Right:
    """A verb on a kind of object in a namespace."""

    verb: str
    """``get``, ``list``, ``create``, ``patch``, ``delete``."""
    kind: KnownKind
    namespace: str
    name: str = ""
    """Of one object: a role may allow just that. Empty for any of the kind."""

    def __str__(self) -> str:
        return f"{self.verb} {self.kind.plural} in namespace {self.namespace}"


def missing(
    transport: Transport, rights: Iterable[Right], halt: Halt | None = None
) -> tuple[Right, ...]:
    """Those rights that this user does not have.

    A review changes nothing in the cluster. Where the server lets nobody ask, none is missing:
    the request itself will tell.

    Raises:
        ApiError: the server cannot be reached.
    """
    found: list[Right] = []
    for right in rights:
        try:
            if not _allowed(transport, right, halt):
                found.append(right)
        except ApiError as error:
            if error.kind not in (Fault.FORBIDDEN, Fault.NOT_FOUND, Fault.INVALID):
                raise
            return ()
    return tuple(found)


def in_words(rights: Iterable[Right]) -> tuple[str, ...]:
    """Each once: several objects of a kind read the same."""
    return tuple(dict.fromkeys(map(str, rights)))


class _Status(msgspec.Struct):
    allowed: bool = False


class _Review(msgspec.Struct):
    status: _Status = msgspec.field(default_factory=_Status)


def _allowed(transport: Transport, right: Right, halt: Halt | None) -> bool:
    group, _, _ = right.kind.api_version.rpartition("/")
    body = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {
            "resourceAttributes": {
                "verb": right.verb,
                "group": group,
                "resource": right.kind.plural,
                "namespace": right.namespace,
                **({"name": right.name} if right.name else {}),
            }
        },
    }
    answer = transport.request("POST", _PATH, body=msgspec.json.encode(body), halt=halt)
    try:
        return msgspec.json.decode(answer.body, type=_Review).status.allowed
    except UNREADABLE:
        raise ApiError(Fault.BAD_REPLY, "The server's answer cannot be read.") from None
