"""Which kinds a cluster confines to a namespace, as its discovery documents say."""

from __future__ import annotations

import msgspec

from tui.cluster.errors import UNREADABLE, ApiError, Fault
from tui.cluster.guard import RefusedError
from tui.cluster.halt import Halt
from tui.cluster.objects import KnownKind
from tui.cluster.transport import Transport, path


class Scope:
    """Asks once a group."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._namespaced: dict[str, frozenset[tuple[str, str]]] = {}

    def check(self, known: KnownKind, halt: Halt | None = None) -> None:
        """Let a kind pass.

        Raises:
            RefusedError: the cluster has none of that kind that belongs to a namespace.
            ApiError: it cannot be asked.
        """
        if known.api_version not in self._namespaced:
            self._namespaced[known.api_version] = self._discover(known.api_version, halt)
        if (known.kind, known.plural) not in self._namespaced[known.api_version]:
            raise RefusedError(
                f"This cluster has no {known.kind} of {known.api_version} that belongs to a "
                "namespace, so nothing is written."
            )

    def _discover(self, api_version: str, halt: Halt | None) -> frozenset[tuple[str, str]]:
        group = ("apis", *api_version.split("/")) if "/" in api_version else ("api", api_version)
        try:
            answer = self._transport.get(path(*group), halt=halt)
            found = msgspec.json.decode(answer.body, type=_Resources).resources
        except ApiError as error:
            if error.kind is Fault.NOT_FOUND:
                return frozenset()
            raise
        except UNREADABLE:
            raise ApiError(Fault.BAD_REPLY, "The server's answer cannot be read.") from None
        return frozenset((one.kind, one.name) for one in found if one.namespaced)


class _Resource(msgspec.Struct):
    name: str
    kind: str
    namespaced: bool = False


class _Resources(msgspec.Struct):
    resources: list[_Resource] = []
