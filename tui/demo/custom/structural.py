"""Custom objects against the structural schema of their definition.

What is known is kept, what is missing gets its default, what breaks a rule is named. Rules in CEL
(``x-kubernetes-validations``) are not evaluated.
https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final

from tui.demo.api.errors import Cause
from tui.demo.store import Object

_HEAD: Final = ("apiVersion", "kind", "metadata")
_TYPES: Final[dict[str, tuple[type, ...]]] = {
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "array": (list,),
    "object": (dict,),
}
_NAMES: Final = {str: "string", bool: "boolean", int: "integer", float: "number"}
_LONGEST_PATTERN: Final = 2000


def prune(schema: Object, value: Any, unknown: list[str], path: str = "") -> Any:
    """The value without fields that the schema does not have; their paths go to ``unknown``."""
    if isinstance(value, list):
        items = schema.get("items")
        if not isinstance(items, dict):
            return value
        return [prune(items, one, unknown, f"{path}[{i}]") for i, one in enumerate(value)]
    if not isinstance(value, dict):
        return value
    properties = schema.get("properties") or {}
    more = schema.get("additionalProperties")
    keeps = bool(schema.get("x-kubernetes-preserve-unknown-fields")) or more is True
    head = _HEAD if not path or schema.get("x-kubernetes-embedded-resource") else ()
    kept: Object = {}
    for key, inner in value.items():
        where = f"{path}.{key}" if path else key
        if isinstance(properties.get(key), dict) and key != "metadata":
            kept[key] = prune(properties[key], inner, unknown, where)
        elif isinstance(more, dict):
            kept[key] = prune(more, inner, unknown, where)
        elif keeps or key in head:
            kept[key] = inner
        else:
            unknown.append(where)
    return kept


def fill(schema: Object, value: Any) -> Any:
    """The value with the schema's defaults where it is silent; changes it in place."""
    if isinstance(value, list):
        items = schema.get("items")
        if isinstance(items, dict):
            for one in value:
                fill(items, one)
    elif isinstance(value, dict):
        properties = schema.get("properties") or {}
        for key, inner in properties.items():
            if not isinstance(inner, dict):
                continue
            if value.get(key) is None and not (key in value and inner.get("nullable")):
                if "default" not in inner:
                    value.pop(key, None)
                    continue
                value[key] = copy.deepcopy(inner["default"])
            fill(inner, value[key])
        more = schema.get("additionalProperties")
        if isinstance(more, dict):
            for key in value.keys() - properties.keys():
                fill(more, value[key])
    return value


def check(schema: Object, value: Any, path: str = "") -> Iterator[Cause]:
    """What is wrong with a value, in the API server's words."""
    if value is None and schema.get("nullable"):
        return
    type_ = schema.get("type")
    if schema.get("x-kubernetes-int-or-string"):
        if not isinstance(value, (int, str)) or isinstance(value, bool):
            yield _wrong_type(path, value, "integer,string")
            return
    elif type_ in _TYPES and not _is(value, type_):
        yield _wrong_type(path, value, type_)
        return
    enum = schema.get("enum")
    if isinstance(enum, list) and value not in enum:
        yield Cause.unsupported(path, value, [str(one) for one in enum])
    if isinstance(value, str):
        yield from _text(schema, value, path)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield from _number(schema, value, path)
    elif isinstance(value, list):
        yield from _list(schema, value, path)
    elif isinstance(value, dict):
        yield from _map(schema, value, path)
    yield from _combined(schema, value, path)


def _is(value: Any, type_: str) -> bool:
    if isinstance(value, bool):
        return type_ == "boolean"
    if type_ == "integer" and isinstance(value, float):
        return value.is_integer()
    return isinstance(value, _TYPES[type_])


def _wrong_type(path: str, value: Any, wanted: str) -> Cause:
    found = _NAMES.get(type(value), "array" if isinstance(value, list) else "object")
    if value is None:
        found = "null"
    said = f'{path} in body must be of type {wanted}: "{found}"'
    return Cause(path, "FieldValueTypeInvalid", f'Invalid value: "{found}": {said}')


def _said(path: str, value: Any, what: str) -> Cause:
    return Cause.invalid(path, value, f"{path} in body {what}")


@lru_cache(maxsize=256)
def _pattern(text: str) -> re.Pattern[str] | None:
    if len(text) > _LONGEST_PATTERN:
        return None
    try:
        return re.compile(text)
    except re.error:  # Go's syntax has what Python's has not
        return None


def _text(schema: Object, value: str, path: str) -> Iterator[Cause]:
    least, most = schema.get("minLength"), schema.get("maxLength")
    if isinstance(least, int) and len(value) < least:
        yield _said(path, value, f"should be at least {least} chars long")
    if isinstance(most, int) and len(value) > most:
        yield Cause(path, "FieldValueTooLong", f"Too long: may not be more than {most} bytes")
    found = _pattern(schema["pattern"]) if isinstance(schema.get("pattern"), str) else None
    if found is not None and len(value) < _LONGEST_PATTERN and not found.search(value):
        yield _said(path, value, f"should match '{schema['pattern']}'")


def _number(schema: Object, value: float, path: str) -> Iterator[Cause]:
    least, most = schema.get("minimum"), schema.get("maximum")
    if isinstance(least, (int, float)):
        strict = bool(schema.get("exclusiveMinimum"))
        if value < least or (strict and value == least):
            how = "greater than" if strict else "greater than or equal to"
            yield _said(path, value, f"should be {how} {least}")
    if isinstance(most, (int, float)):
        strict = bool(schema.get("exclusiveMaximum"))
        if value > most or (strict and value == most):
            how = "less than" if strict else "less than or equal to"
            yield _said(path, value, f"should be {how} {most}")


def _list(schema: Object, value: list[Any], path: str) -> Iterator[Cause]:
    least, most = schema.get("minItems"), schema.get("maxItems")
    if isinstance(least, int) and len(value) < least:
        yield _said(path, len(value), f"should have at least {least} items")
    if isinstance(most, int) and len(value) > most:
        yield Cause(
            path, "FieldValueTooMany", f"Too many: {len(value)}: must have at most {most} items"
        )
    items = schema.get("items")
    if isinstance(items, dict):
        for index, one in enumerate(value):
            yield from check(items, one, f"{path}[{index}]")
    keys = schema.get("x-kubernetes-list-map-keys") or ()
    seen: list[Any] = []
    if schema.get("x-kubernetes-list-type") == "map" and keys:
        for index, one in enumerate(value):
            key = {name: one.get(name) for name in keys} if isinstance(one, dict) else one
            if key in seen:
                yield Cause.duplicate(f"{path}[{index}]", key)
            seen.append(key)


def _map(schema: Object, value: Object, path: str) -> Iterator[Cause]:
    prefix = f"{path}." if path else ""
    for name in schema.get("required") or ():
        if name not in value and not (not path and name in _HEAD):
            yield Cause.required(f"{prefix}{name}")
    properties = schema.get("properties") or {}
    more = schema.get("additionalProperties")
    for key, inner in value.items():
        known = properties.get(key, more)
        if isinstance(known, dict) and not (not path and key in _HEAD):
            yield from check(known, inner, f"{prefix}{key}")


def _combined(schema: Object, value: Any, path: str) -> Iterator[Cause]:
    for one in schema.get("allOf") or ():
        yield from check(one, value, path)
    either = schema.get("anyOf")
    if schema.get("x-kubernetes-int-or-string"):
        either = None
    if either and all(any(True for _ in check(one, value, path)) for one in either):
        yield _said(path, value, "must validate at least one schema (anyOf)")
    exactly = schema.get("oneOf")
    if exactly and sum(not any(True for _ in check(one, value, path)) for one in exactly) != 1:
        yield _said(path, value, "must validate one and only one schema (oneOf)")
    never = schema.get("not")
    if isinstance(never, dict) and never and not any(True for _ in check(never, value, path)):
        yield _said(path, value, "must not validate the schema (not)")
