"""OpenAPI v2, made of the v3 document: the same schemas in the older dialect."""

from __future__ import annotations

from typing import Any, Final

from tui.demo.api import schemas
from tui.demo.store import Object

_OLD: Final = "#/components/schemas/"
_NEW: Final = "#/definitions/"
# What v2 cannot say: a value of two types.
_LEFT_OUT: Final = frozenset({"oneOf", "anyOf", "not", "nullable"})


def document(newer: Object) -> Object:
    """The v2 document that says what a v3 document says."""
    return {
        "swagger": "2.0",
        "info": newer["info"],
        "paths": {
            path: {method: _operation(one) for method, one in operations.items()}
            for path, operations in newer["paths"].items()
        },
        "definitions": {
            name: _definition(name, schema)
            for name, schema in newer["components"]["schemas"].items()
        },
    }


def _operation(newer: Object) -> Object:
    shown = {key: value for key, value in newer.items() if key.startswith("x-")}
    shown["responses"] = {"200": {"description": "OK"}}
    if "parameters" in newer:
        shown["parameters"] = [
            {"name": one["name"], "in": "query", "type": "string", "uniqueItems": True}
            for one in newer["parameters"]
        ]
    return shown


def _definition(name: str, schema: Object) -> Object:
    shown: Object = older(schema)
    if name.rpartition(".")[2] in ("Quantity", "IntOrString") and name in schemas.table():
        shown["type"] = "string"
    return shown


def older(schema: Any) -> Any:
    """A schema in the older dialect: references stand alone, defaults of structs are left out."""
    if isinstance(schema, list):
        return [older(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    shown: Object = {}
    for key, value in schema.items():
        if key in _LEFT_OUT or (key == "default" and value == {}):
            continue
        if key == "properties":
            shown[key] = {name: older(one) for name, one in value.items()}
        elif key == "allOf" and len(value) == 1 and "$ref" in value[0]:
            shown["$ref"] = value[0]["$ref"].replace(_OLD, _NEW)
        elif key == "$ref" and isinstance(value, str):
            shown[key] = value.replace(_OLD, _NEW)
        else:
            shown[key] = older(value)
    return shown
