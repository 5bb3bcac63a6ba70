"""From the bytes of a list page or a watch line to rows, whatever the bytes hold.

The usual case is one typed decode. An object that does not fit its type is looked at again,
loosely: it is counted and skipped, and its resourceVersion still counts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, Final, Generic, NamedTuple, TypeVar

import msgspec

from tui.cluster.decode.common import MalformedObjectError
from tui.cluster.errors import UNREADABLE
from tui.state.rows import Row

W = TypeVar("W")
"""A wire type; it has ``metadata``."""


class BadReplyError(ValueError):
    """The bytes are not what the API answers: no JSON, or no list, or no watch event."""


class Status(msgspec.Struct, gc=False):
    """A ``Status``, the API's error object."""

    kind: str | None = None
    code: int | None = None
    reason: str | None = None
    message: str | None = None
    metadata: ListMeta | None = None
    details: Details | None = None


class Details(msgspec.Struct, gc=False):
    """``details`` of a Status."""

    retryAfterSeconds: int | None = None  # noqa: N815
    causes: list[StatusCause] | None = None


class StatusCause(msgspec.Struct, gc=False):
    """One of the ``causes`` in a Status' details."""

    reason: str | None = None
    message: str | None = None
    field: str | None = None


class ListMeta(msgspec.Struct, gc=False):
    """``metadata`` of a list, or of the Status that ends one."""

    resourceVersion: str | None = None  # noqa: N815
    continue_: str | None = msgspec.field(name="continue", default=None)
    remainingItemCount: int | None = None  # noqa: N815


class Page(NamedTuple):
    """A page of a list."""

    rows: list[Row]
    versions: list[str]
    """The objects' resourceVersions, parallel to ``rows``."""
    skipped: int
    version: str
    """The list's resourceVersion, from which a watch goes on."""
    rest: str
    """The continue token; empty on the last page."""


class Event(NamedTuple):
    """A line of a watch."""

    type: str
    """ADDED, MODIFIED, DELETED, BOOKMARK, ERROR, or what a later version invents."""
    row: Row | None = None
    """None for a bookmark, an error, and an object that could not be read."""
    version: str = ""
    status: Status | None = None
    uid: str = ""
    """Whose event it is, even if the object could not be read; empty if that is not known."""


class _WireList(msgspec.Struct, Generic[W], gc=False):
    kind: str
    metadata: ListMeta | None = None
    items: list[W] | None = None


class _WireEvent(msgspec.Struct, Generic[W], gc=False):
    type: str
    object: W


class _OnlyNames(msgspec.Struct, gc=False):
    uid: str | None = None
    resourceVersion: str | None = None  # noqa: N815


class _OnlyMeta(msgspec.Struct, gc=False):
    metadata: _OnlyNames | None = None


_LOOSE_LIST: Final = msgspec.json.Decoder(_WireList[msgspec.Raw])
_LOOSE_EVENT: Final = msgspec.json.Decoder(_WireEvent[msgspec.Raw])
_STATUS: Final = msgspec.json.Decoder(Status)
_ONLY_META: Final = msgspec.json.Decoder(_OnlyMeta)
_NO_META: Final = ListMeta()
_ESCAPED_HALVES: Final = re.compile(rb"((?<!\\)(?:\\\\)*)((?:\\u[dD][89a-fA-F][0-9a-fA-F]{2})+)")
"""Escapes such as ``\\ud83d\\ude00``, of which JSON wants pairs. Escaped ones do not count."""
_HALF: Final = re.compile(
    rb"(\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})|\\u[0-9a-fA-F]{4}"
)
_CHANGES: Final = frozenset({"ADDED", "MODIFIED", "DELETED"})


class Codec(Generic[W]):
    """Decoders of one resource and its projection to rows."""

    def __init__(self, wire: type[W], project: Callable[[W], Row]) -> None:
        self._project = project
        self._list: msgspec.json.Decoder[Any] = msgspec.json.Decoder(_WireList[wire])  # type: ignore[valid-type]  # a run-time generic
        self._event: msgspec.json.Decoder[Any] = msgspec.json.Decoder(_WireEvent[wire])  # type: ignore[valid-type]  # a run-time generic
        self._item: msgspec.json.Decoder[W] = msgspec.json.Decoder(wire)

    def page(self, body: bytes) -> Page:
        """The rows of a list page.

        Raises:
            BadReplyError: the body is not a list.
        """
        try:
            wire = self._list.decode(body)
            items: Sequence[W] = wire.items or ()
            broken = 0
        except UNREADABLE:
            wire, items, broken = self._page_loosely(body)
        rows: list[Row] = []
        versions: list[str] = []
        for item in items:
            try:
                rows.append(self._project(item))
                versions.append(_version(item))
            except MalformedObjectError:
                broken += 1
        if not wire.kind.endswith("List"):
            raise BadReplyError(f"the answer is a {wire.kind[:40]}, not a list")
        meta = wire.metadata or _NO_META
        return Page(rows, versions, broken, meta.resourceVersion or "", meta.continue_ or "")

    def event(self, line: bytes) -> Event:
        """What a watch line says.

        Raises:
            BadReplyError: the line is no watch event at all.
        """
        try:
            wire = self._event.decode(line)
        except UNREADABLE:
            return self._event_loosely(line)
        type: str = wire.type
        if type in _CHANGES:
            try:
                row = self._project(wire.object)
            except MalformedObjectError:
                return self._event_loosely(line)
            return Event(type, row, _version(wire.object), None, row.uid)
        if type == "ERROR":
            return self._event_loosely(line)
        return Event(type, None, _version(wire.object))

    def _page_loosely(self, body: bytes) -> tuple[_WireList[Any], list[W], int]:
        """Object by object, leaving out those that do not fit."""
        loose = _decode(_LOOSE_LIST, body, "the answer is not a Kubernetes list")
        items: list[W] = []
        broken = 0
        for raw in loose.items or ():
            try:
                items.append(self._item.decode(_repaired(bytes(raw))))
            except UNREADABLE:
                broken += 1
        return loose, items, broken

    def _event_loosely(self, line: bytes) -> Event:
        loose = _decode(_LOOSE_EVENT, line, "the watch sent a line that is no event")
        body = _repaired(bytes(loose.object))
        if loose.type == "ERROR":
            return Event("ERROR", None, "", status_of(body) or Status())
        if loose.type in _CHANGES and (not line.isascii() or b"\\u" in line):
            # Text that is no Unicode is worth a second look with the bad parts replaced.
            try:
                item = self._item.decode(body)
                row = self._project(item)
                return Event(loose.type, row, _version(item), None, row.uid)
            except (*UNREADABLE, MalformedObjectError):
                pass
        try:
            meta = _ONLY_META.decode(body).metadata or _OnlyNames()
        except UNREADABLE:
            meta = _OnlyNames()
        return Event(loose.type, None, meta.resourceVersion or "", None, meta.uid or "")


def status_of(body: bytes) -> Status | None:
    """The Status in an answer's body; None if it is something else (text, HTML, another object)."""
    try:
        status = _STATUS.decode(_repaired(body))
    except UNREADABLE:
        return None
    if status.kind not in (None, "Status") or (status.code is None and status.message is None):
        return None
    return status


def _decode(decoder: msgspec.json.Decoder[Any], body: bytes, otherwise: str) -> Any:
    try:
        return decoder.decode(_repaired(body))
    except UNREADABLE:
        raise BadReplyError(otherwise) from None


def _repaired(body: bytes) -> bytes:
    """The bytes with what is not UTF-8, and halves of surrogate pairs, replaced."""
    try:
        body.decode()
    except UnicodeDecodeError:
        body = body.decode("utf-8", "replace").encode()
    return _ESCAPED_HALVES.sub(_paired, body) if b"\\u" in body else body


def _paired(match: re.Match[bytes]) -> bytes:
    return match[1] + _HALF.sub(lambda half: half[1] or rb"\ufffd", match[2])


def _version(item: Any) -> str:
    meta = item.metadata
    return (meta.resourceVersion or "") if meta is not None else ""
