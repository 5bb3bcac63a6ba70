"""What a manifest decodes to: known fields only, each of its type."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from tui.demo.api import errors, schemas
from tui.demo.custom import structural
from tui.demo.resource import Resource
from tui.demo.store import Object

_MOST_WARNINGS: Final = 20
_INDEX: Final = re.compile(r"\[[0-9]+\]")


class Unknown(list[str]):
    """The fields that the type does not have, as ``spec.replica``."""


def decode(
    resource: Resource, data: Object, schema: Object | None = None
) -> tuple[Object, Unknown]:
    """An object as the API server's decoder leaves it: known fields only, and no nulls.

    Args:
        resource: what it is.
        data: as a client sent it.
        schema: of a custom resource, whose unknown fields are pruned and nulls kept.

    Raises:
        ApiError: 400, a field has the wrong type.
    """
    root = schemas.root_of(resource)
    unknown = Unknown()
    if schema is not None:
        pruned: Object = structural.prune(schema, data, unknown)
        metadata = pruned.pop("metadata", None)
        if metadata is not None:
            pruned["metadata"] = _metadata(resource, metadata, unknown)
        return pruned, unknown
    if not root:
        return data, unknown
    decoded: Object = _Decoder(resource, unknown).struct(root, data, "")
    return decoded, unknown


def _metadata(resource: Resource, data: Any, unknown: Unknown) -> Object:
    decoded: Object = _Decoder(resource, unknown).struct(schemas.META, data, "metadata")
    return decoded


def refuse(resource: Resource, problems: list[str]) -> None:
    """What ``fieldValidation=Strict`` does.

    Raises:
        ApiError: 400, naming every unknown and every repeated field.
    """
    if problems:
        listed = ", ".join(problems[:_MOST_WARNINGS])
        raise _bad(resource, f"strict decoding error: {listed}")


def warnings(problems: list[str]) -> str:
    """The ``Warning`` header of ``fieldValidation=Warn``; empty if there is nothing to warn of."""
    said = [_plain(one).replace('"', '\\"') for one in problems[:_MOST_WARNINGS]]
    return ", ".join(f'299 - "{text}"' for text in said)


def _plain(text: str) -> str:
    return "".join(one for one in text[:200] if one.isascii() and one.isprintable())


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
            raise self._wrong(value, path, name, f"{_package(name)}.{_go_name(name)}")
        fields = schemas.fields(name)
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
                key: self._value(inner, one, path if inner in _TESTS else f"{path}.{key}", struct)
                for key, one in value.items()
                if one is not None
            }
        test = _TESTS.get(kind)
        if test is None:
            return self.struct(kind, value, path)
        if not test(value):
            raise self._wrong(value, path, struct, _GO_TYPES.get(kind, kind))
        if kind == "byte":
            self._check_base64(value)
        elif kind == "time":
            self._check_time(value)
        return value

    def _check_base64(self, value: str) -> None:
        try:
            base64.b64decode("".join(value.split()), validate=True)
        except (binascii.Error, ValueError):
            raise _bad(
                self._resource, f"illegal base64 data at input byte {_bad_byte(value)}"
            ) from None

    def _check_time(self, value: str) -> None:
        try:
            datetime.fromisoformat(value)
        except ValueError:
            said = f'parsing time "{value[:80]}" as "2006-01-02T15:04:05Z07:00"'
            raise _bad(self._resource, f"{said}: cannot parse") from None

    def _wrong(self, value: Any, path: str, struct: str, wanted: str) -> errors.ApiError:
        found = {dict: "object", list: "array", str: "string", bool: "bool"}.get(
            type(value), "number"
        )
        plain = _INDEX.sub("", path) or "(root)"
        if found == "number":
            found = (
                f"number {value}"
                if isinstance(value, (int, float)) and wanted[:3] == "int"
                else found
            )
        return _bad(
            self._resource,
            f"json: cannot unmarshal {found} into Go struct field "
            f"{_go_name(struct)}.{plain} of type {wanted}",
        )


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_int(bits: int) -> Callable[[Any], bool]:
    most = 2 ** (bits - 1)

    def test(value: Any) -> bool:
        return isinstance(value, int) and not isinstance(value, bool) and -most <= value < most

    return test


_TESTS: Final[dict[str, Callable[[Any], bool]]] = {
    "string": _is_text,
    "byte": _is_text,
    "time": _is_text,
    "bool": lambda value: isinstance(value, bool),
    "int32": _is_int(32),
    "int64": _is_int(64),
    "double": _is_number,
    "float64": _is_number,
    "quantity": lambda value: _is_text(value) or _is_number(value),
    "int-or-string": lambda value: _is_text(value) or _is_int(32)(value),
}
_GO_TYPES: Final = {
    "byte": "[]uint8",
    "time": "v1.Time",
    "double": "float64",
    "quantity": "resource.Quantity",
    "int-or-string": "intstr.IntOrString",
}


def _bad_byte(value: str) -> int:
    allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    return next((i for i, one in enumerate(value) if one not in allowed), len(value) & ~3)


def _go_name(name: str) -> str:
    return _GO_TYPES.get(name, name.rpartition(".")[2])


def _package(name: str) -> str:
    return name.split(".")[-2] if "." in name else "v1"
