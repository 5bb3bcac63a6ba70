r"""Reading what Go clients send as protobuf: ``kubectl create`` and ``kubectl autoscale`` do.

A request body is the four bytes ``k8s\0`` and a ``runtime.Unknown`` message that names the kind
and holds the object. The fields come from a table derived from Kubernetes' own ``.proto`` files.
https://kubernetes.io/docs/reference/using-api/api-concepts/#protobuf-encoding
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Final

import msgspec

from tui.demo.store import Object

MEDIA_TYPE: Final = "application/vnd.kubernetes.protobuf"
_MAGIC: Final = b"k8s\x00"
_DEEPEST: Final = 40
Table = dict[str, dict[str, tuple[str, str]]]

# Fields that are pointers in Go, so that nothing and zero differ; of others a zero is nothing.
_POINTERS: Final = frozenset(
    {
        "replicas",
        "minReplicas",
        "maxReplicas",
        "averageUtilization",
        "targetCPUUtilizationPercentage",
        "stabilizationWindowSeconds",
        "terminationGracePeriodSeconds",
        "gracePeriodSeconds",
        "revisionHistoryLimit",
        "progressDeadlineSeconds",
        "activeDeadlineSeconds",
        "tolerationSeconds",
        "defaultMode",
        "mode",
        "partition",
        "priority",
        "runAsUser",
        "runAsGroup",
        "runAsNonRoot",
        "readOnlyRootFilesystem",
        "allowPrivilegeEscalation",
        "automountServiceAccountToken",
        "enableServiceLinks",
        "allocateLoadBalancerNodePorts",
        "controller",
        "blockOwnerDeletion",
        "optional",
        "immutable",
        "orphanDependents",
    }
)


class MalformedError(ValueError):
    """The bytes are not what they say they are."""


@cache
def table() -> Table:
    """Message → field number → name and type; ``[x]`` repeated, ``{x}`` a map, ``<x`` inline."""
    content = Path(__file__).with_name("protobuf.json").read_bytes()
    return msgspec.json.decode(content, type=Table)


def decode(body: bytes) -> Object:
    """The object of a request body, with its ``kind`` and ``apiVersion``.

    Raises:
        MalformedError: it is cut short, or of a kind that is not known.
    """
    if not body.startswith(_MAGIC):
        raise MalformedError("provided data does not appear to be a protobuf message")
    api_version, kind, raw = "", "", b""
    for number, value in _fields(body[len(_MAGIC) :]):
        if number == 1 and isinstance(value, bytes):
            named = dict(_fields(value))
            api_version, kind = _text(named.get(1, b"")), _text(named.get(2, b""))
        elif number == 2 and isinstance(value, bytes):
            raw = value
    name = _message_name(api_version, kind)
    if name not in table():
        raise MalformedError(f'no kind "{kind}" is registered for version "{api_version}"')
    return {"kind": kind, "apiVersion": api_version, **_message(name, raw, 0)}


def _message_name(api_version: str, kind: str) -> str:
    if kind == "DeleteOptions":
        return "meta.v1.DeleteOptions"
    group, _, version = api_version.rpartition("/")
    return f"{group.partition('.')[0] or 'core'}.{version}.{kind}"


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    position = 0
    while position < len(data):
        tag, position = _varint(data, position)
        wire = tag & 7
        if wire == 0:
            number, position = _varint(data, position)
            yield tag >> 3, number
            continue
        if wire == 2:
            size, position = _varint(data, position)
        elif wire in (1, 5):
            size = 8 if wire == 1 else 4
        else:
            raise MalformedError(f"wire type {wire} is not supported")
        if position + size > len(data):
            raise MalformedError("unexpected end of data")
        yield tag >> 3, data[position : position + size]
        position += size


def _varint(data: bytes, position: int) -> tuple[int, int]:
    result, shift = 0, 0
    while position < len(data) and shift < 70:
        byte = data[position]
        position += 1
        result |= (byte & 0x7F) << shift
        if byte < 0x80:
            return result, position
        shift += 7
    raise MalformedError("unexpected end of data")


def _message(name: str, data: bytes, depth: int) -> Object:
    if depth > _DEEPEST:
        raise MalformedError("the message is nested too deeply")
    fields = table()[name]
    found: Object = {}
    for number, value in _fields(data):
        field, kind = fields.get(str(number), ("", ""))
        if not field:
            continue
        if kind[0] == "[":
            found.setdefault(field, []).append(_value(kind[1:-1], value, depth))
        elif kind[0] == "{":
            pair = dict(_fields(_bytes(value)))
            key = _text(pair.get(1, b""))
            found.setdefault(field, {})[key] = _value(kind[1:-1], pair.get(2, b""), depth)
        elif kind[0] == "<":
            found |= _message(kind[1:], _bytes(value), depth + 1)
        else:
            shown = _value(kind, value, depth)
            if shown or isinstance(shown, dict) or field in _POINTERS:
                found[field] = shown
    return found


def _value(kind: str, value: int | bytes, depth: int) -> Any:
    if kind in ("integer", "boolean"):
        if not isinstance(value, int):
            raise MalformedError("a number was expected")
        if kind == "boolean":
            return bool(value)
        return value - (1 << 64) if value >> 63 else value
    data = _bytes(value)
    if kind == "string":
        return _text(data)
    if kind == "bytes":
        return base64.b64encode(data).decode()
    if kind == "quantity":
        return _text(_bytes(dict(_fields(data)).get(1, b"")))
    if kind == "int-or-string":
        parts = dict(_fields(data))
        return _text(parts.get(3, b"")) if parts.get(1) else parts.get(2, 0)
    if kind in ("time", "micro-time"):
        return _time(dict(_fields(data)))
    if kind == "raw":
        text = _bytes(dict(_fields(data)).get(1, b""))
        try:
            return msgspec.json.decode(text) if text else None
        except msgspec.DecodeError as problem:
            raise MalformedError(str(problem)) from None
    return _message(kind, data, depth + 1)


def _time(parts: dict[int, int | bytes]) -> str | None:
    seconds = parts.get(1)
    if not isinstance(seconds, int) or not 0 < seconds < 1 << 36:
        return None
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _bytes(value: int | bytes) -> bytes:
    if not isinstance(value, bytes):
        raise MalformedError("text was expected")
    return value


def _text(value: int | bytes) -> str:
    try:
        return _bytes(value).decode()
    except UnicodeDecodeError:
        raise MalformedError("text is not UTF-8") from None
