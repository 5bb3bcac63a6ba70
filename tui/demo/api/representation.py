"""Entries as bytes, in the version asked for."""

from __future__ import annotations

from functools import lru_cache

import msgspec

from tui.demo.api import hpa_v1
from tui.demo.resources import Resource
from tui.demo.store import Entry, Object

_encode = msgspec.json.Encoder().encode


@lru_cache(maxsize=128)
def _prefix(resource: Resource) -> bytes:
    kind = {"kind": resource.kind, "apiVersion": resource.group_version}
    return _encode(kind)[:-1] + b","


def item(resource: Resource, entry: Entry) -> bytes:
    """An object as lists show it, without kind and apiVersion."""
    return _encode(hpa_v1.from_v2(entry.copy())) if resource.alias_of else entry.raw


def whole(resource: Resource, entry: Entry) -> bytes:
    """An object as a get or a watch shows it."""
    return _prefix(resource) + item(resource, entry)[1:]


def whole_of(resource: Resource, data: Object) -> bytes:
    """Like `whole`, for an object that is not stored."""
    return _prefix(resource) + _encode(data)[1:]


def to_stored(resource: Resource, data: Object) -> Object:
    """What a client sent, in the stored version."""
    return hpa_v1.to_v2(data) if resource.alias_of else data


def listed(resource: Resource, metadata: Object, items: list[bytes]) -> bytes:
    """A list of objects."""
    head = {"kind": f"{resource.kind}List", "apiVersion": resource.group_version}
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
