"""Entries as bytes, in the version asked for."""

from __future__ import annotations

from functools import lru_cache

import msgspec

from tui.demo.api import conversions, tables
from tui.demo.api.requests import Request
from tui.demo.clock import Clock
from tui.demo.resource import Resource
from tui.demo.store import Entry, Object

_encode = msgspec.json.Encoder().encode


@lru_cache(maxsize=128)
def _prefix(resource: Resource) -> bytes:
    kind = {"kind": resource.kind, "apiVersion": resource.group_version}
    return _encode(kind)[:-1] + b","


def item(resource: Resource, entry: Entry) -> bytes:
    """An object as lists show it, without kind and apiVersion."""
    if not resource.alias_of or resource.custom:
        return entry.raw
    return _encode(conversions.from_stored(resource, entry.copy()))


def whole(resource: Resource, entry: Entry) -> bytes:
    """An object as a get or a watch shows it."""
    return _prefix(resource) + item(resource, entry)[1:]


def whole_of(resource: Resource, data: Object) -> bytes:
    """Like `whole`, for an object that is not stored."""
    return _prefix(resource) + _encode(data)[1:]


class Shape:
    """How a client wants objects: whole, or as the rows of a table.

    Args:
        resource: what they are.
        request: whose Accept header and ``includeObject`` decide.
        clock: for ages.
        printer: the columns that a definition adds, for custom resources.
    """

    def __init__(
        self, resource: Resource, request: Request, clock: Clock, printer: list[Object]
    ) -> None:
        self._printer = printer
        self._resource = resource
        self._stored = resource.stored_as
        self._clock = clock
        self._include = request.query.get("includeObject", "Metadata")
        accepted = request.headers.get("accept", "").split(",")[0]
        parameters = {part.strip() for part in accepted.split(";")[1:]}
        self.tables = "as=Table" in parameters
        self._headed = False

    def one(self, entry: Entry) -> bytes:
        """The answer to a get, a create or an update."""
        if not self.tables:
            return whole(self._resource, entry)
        return self.many({"resourceVersion": str(entry.revision)}, [entry])

    def many(self, metadata: Object, entries: list[Entry]) -> bytes:
        """The answer to a list."""
        if not self.tables:
            return listed(self._resource, metadata, [item(self._resource, one) for one in entries])
        return self._table(metadata, entries, head=True)

    def event(self, entry: Entry) -> bytes:
        """An object in a watch; only the first table of a watch has its columns."""
        if not self.tables:
            return whole(self._resource, entry)
        head, self._headed = not self._headed, True
        return self._table({"resourceVersion": str(entry.revision)}, [entry], head=head)

    def bookmark(self, data: Object) -> bytes:
        """The object of a bookmark."""
        if not self.tables:
            return whole_of(self._resource, data)
        return tables.table(self._stored, data["metadata"], [], head=False)

    def _table(self, metadata: Object, entries: list[Entry], *, head: bool) -> bytes:
        now = self._clock.wall()
        rows = [tables.row(self._stored, one, now, self._include, self._printer) for one in entries]
        return tables.table(self._stored, metadata, rows, head=head, printer=self._printer)


def listed(resource: Resource, metadata: Object, items: list[bytes]) -> bytes:
    """A list of objects."""
    head = {"kind": resource.list_kind, "apiVersion": resource.group_version}
    return b"".join(
        (
            _encode(head)[:-1],
            b',"metadata":',
            _encode(metadata),
            b',"items":[',
            b",".join(items),
            b"]}\n",
        )
    )
