"""The fields of the served types: what is decoded, what is unknown, what has the wrong type.

The table beside this file was derived from the published models of Kubernetes.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, Final

import msgspec

from tui.demo.api import errors
from tui.demo.resources import Resource
from tui.demo.store import Object

Table = dict[str, dict[str, str]]

_GO_NAMES: Final = {"integer": "int32", "boolean": "bool", "number": "float64"}
_PREFIXES: Final = ("Apiregistration", "Discovery", "Core", "V1", "V2")
_MOST_WARNINGS: Final = 20


@cache
def table() -> Table:
    """Type → field → type; ``[X]`` is a list of X, ``{X}`` a map of X, ``*`` anything."""
    content = Path(__file__).with_name("types.json").read_bytes()
    return msgspec.json.decode(content, type=Table)


def root_of(resource: Resource) -> str:
    """The type of a resource's objects; empty if the table does not have it."""
    for name in (f"{resource.kind}.{resource.version}", resource.kind):
        if name in table():
            return name
    return ""


class Unknown(list[str]):
    """The fields that the type does not have, as ``spec.replica``."""


def decode(resource: Resource, data: Object) -> tuple[Object, Unknown]:
    """An object as the API server's decoder leaves it: known fields only, and no nulls.

    Raises:
        ApiError: 400, a field has the wrong type.
    """
    root = root_of(resource)
    unknown = Unknown()
    if not root:
        return data, unknown
    decoded: Object = _Decoder(resource, unknown).struct(root, data, "")
    return decoded, unknown


def refuse_unknown(resource: Resource, unknown: Unknown) -> None:
    """What ``fieldValidation=Strict`` does.

    Raises:
        ApiError: 400, naming every unknown field.
    """
    if unknown:
        listed = ", ".join(f'unknown field "{path}"' for path in unknown[:_MOST_WARNINGS])
        raise _bad(resource, f"strict decoding error: {listed}")


def warnings(unknown: Unknown) -> str:
    """The ``Warning`` header of ``fieldValidation=Warn``; empty if there is nothing to warn of."""
    said = [f'unknown field \\"{_plain(path)}\\"' for path in unknown[:_MOST_WARNINGS]]
    return ", ".join(f'299 - "{text}"' for text in said)


def _plain(text: str) -> str:
    return "".join(one for one in text[:200] if one.isascii() and one.isprintable() and one != '"')


def _bad(resource: Resource, problem: str) -> errors.ApiError:
    kind = resource.kind
    return errors.bad_request(
        f'{kind} in version "{resource.version}" cannot be handled as a {kind}: {problem}'
    )


class _Decoder:
    def __init__(self, resource: Resource, unknown: Unknown) -> None:
        self._resource = resource
        self._unknown = unknown

    def struct(self, name: str, value: Any, path: str) -> Any:
        if not isinstance(value, dict):
            raise self._wrong(value, path, name, f"v1.{_go_name(name)}")
        fields = table()[name]
        decoded: Object = {}
        for key, inner in value.items():
            where = f"{path}.{key}" if path else key
            kind = fields.get(key)
            if kind is None:
                self._unknown.append(where)
            elif inner is not None:
                decoded[key] = self._value(kind, inner, where, name)
        return decoded

    def _value(self, kind: str, value: Any, path: str, struct: str) -> Any:
        if kind == "*":
            return value
        if kind[0] == "[":
            if not isinstance(value, list):
                raise self._wrong(value, path, struct, f"[]{_go_name(kind[1:-1])}")
            inner = kind[1:-1]
            return [
                self._value(inner, one, f"{path}[{index}]", struct)
                for index, one in enumerate(value)
                if one is not None
            ]
        if kind[0] == "{":
            if not isinstance(value, dict):
                raise self._wrong(value, path, struct, f"map[string]{_go_name(kind[1:-1])}")
            inner = kind[1:-1]
            return {
                key: self._value(inner, one, f"{path}.{key}", struct)
                for key, one in value.items()
                if one is not None
            }
        if kind == "string":
            good = isinstance(value, str)
        elif kind == "boolean":
            good = isinstance(value, bool)
        elif kind == "integer":
            good = isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63
        elif kind == "number":
            good = isinstance(value, (int, float)) and not isinstance(value, bool)
        else:
            return self.struct(kind, value, path)
        if not good:
            raise self._wrong(value, path, struct, _GO_NAMES.get(kind, kind))
        return value

    def _wrong(self, value: Any, path: str, struct: str, wanted: str) -> errors.ApiError:
        found = {dict: "object", list: "array", str: "string", bool: "bool"}.get(
            type(value), "number"
        )
        plain = path.partition("[")[0] or "(root)"
        return _bad(
            self._resource,
            f"json: cannot unmarshal {found} into Go struct field "
            f"{_go_name(struct)}.{plain} of type {wanted}",
        )


def _go_name(name: str) -> str:
    name = name.partition(".")[0]
    for prefix in _PREFIXES:
        name = name.removeprefix(prefix)
    return _GO_NAMES.get(name, name)
