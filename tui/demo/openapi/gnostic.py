"""An OpenAPI v2 document as protobuf, the only form in which older kubectl reads it.

The messages are those of ``openapiv2/OpenAPIv2.proto`` in google/gnostic-models; what is written
is what `v2` makes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from tui.demo.store import Object

ASKED_FOR: Final = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"
MEDIA_TYPE: Final = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
"""What it is called in the answer: Go reads no media type with an ``@``."""

# Numbers of the fields of openapi.v2.Schema that are text, truth or whole numbers.
_TEXTS: Final = {"$ref": 1, "format": 2, "title": 3, "description": 4, "pattern": 13}
_NUMBERS: Final = {
    "maxLength": 11,
    "minLength": 12,
    "maxItems": 14,
    "minItems": 15,
    "uniqueItems": 16,
    "maxProperties": 17,
    "minProperties": 18,
}
_METHODS: Final = {"get": 2, "put": 3, "post": 4, "delete": 5, "patch": 8}


def encode(document: Object) -> bytes:
    """The document as an ``openapi.v2.Document`` message."""
    info = _text(1, document["info"]["title"]) + _text(2, document["info"]["version"])
    paths = (_named(2, name, _path_item(item)) for name, item in document["paths"].items())
    definitions = _named_schemas(document["definitions"])
    return b"".join(
        (
            _text(1, document["swagger"]),
            _part(2, info),
            _part(8, b"".join(paths)),
            _part(9, definitions),
        )
    )


def _varint(number: int) -> bytes:
    number &= (1 << 64) - 1
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _part(field: int, content: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(content)) + content


def _text(field: int, text: str) -> bytes:
    return _part(field, text.encode())


def _any(field: int, value: Any) -> bytes:
    """An ``Any``: JSON is YAML, which is how the reader takes it."""
    return _part(field, _text(2, msgspec.json.encode(value).decode()))


def _named(field: int, name: str, content: bytes) -> bytes:
    return _part(field, _text(1, name) + _part(2, content))


def _extensions(field: int, holder: Mapping[str, Any]) -> Iterable[bytes]:
    for key, value in holder.items():
        if key.startswith("x-"):
            yield _part(field, _text(1, key) + _any(2, value))


def _path_item(item: Object) -> bytes:
    return b"".join(_part(_METHODS[method], _operation(one)) for method, one in item.items())


def _operation(operation: Object) -> bytes:
    parameters = (_part(8, _parameter(one)) for one in operation.get("parameters") or ())
    answer = _part(1, _text(1, operation["responses"]["200"]["description"]))
    return b"".join((*parameters, _part(9, _named(1, "200", answer)), *_extensions(13, operation)))


def _parameter(parameter: Object) -> bytes:
    """ParametersItem > Parameter > NonBodyParameter > QueryParameterSubSchema."""
    query = b"".join(
        (
            _text(2, parameter["in"]),
            _text(4, parameter["name"]),
            _text(6, parameter["type"]),
            _number(20, int(parameter["uniqueItems"])),
        )
    )
    return _part(1, _part(2, _part(3, query)))


def _named_schemas(schemas: Mapping[str, Object]) -> bytes:
    return b"".join(_named(1, name, _schema(one)) for name, one in schemas.items())


def _schema(schema: Object) -> bytes:
    out = [_text(number, str(schema[key])) for key, number in _TEXTS.items() if key in schema]
    out += [_number(number, int(schema[key])) for key, number in _NUMBERS.items() if key in schema]
    if "default" in schema:
        out.append(_any(5, schema["default"]))
    out += [_text(19, one) for one in schema.get("required") or ()]
    out += [_any(20, one) for one in schema.get("enum") or ()]
    more = schema.get("additionalProperties")
    if isinstance(more, bool):
        out.append(_part(21, _number(2, int(more))))
    elif isinstance(more, dict):
        out.append(_part(21, _part(1, _schema(more))))
    if isinstance(schema.get("type"), str):
        out.append(_part(22, _text(1, schema["type"])))
    if isinstance(schema.get("items"), dict):
        out.append(_part(23, _part(1, _schema(schema["items"]))))
    out += [_part(24, _schema(one)) for one in schema.get("allOf") or ()]
    if schema.get("properties"):
        out.append(_part(25, _named_schemas(schema["properties"])))
    out += _extensions(31, schema)
    return b"".join(out)
