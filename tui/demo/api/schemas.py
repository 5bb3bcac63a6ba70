"""The published schemas of the served types, read when first asked for.

The file beside this one holds them as Kubernetes 1.36 serves them, one a line.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, Final

import msgspec

from tui.demo.resource import Resource
from tui.demo.store import Object

_NAMED: Final = {
    "io.k8s.apimachinery.pkg.api.resource.Quantity": "quantity",
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": "int-or-string",
    "io.k8s.apimachinery.pkg.apis.meta.v1.Time": "time",
    "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime": "time",
}
_PLAIN: Final = {"integer": "int64", "boolean": "bool", "number": "float64"}
META: Final = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"


@cache
def table() -> dict[str, Object]:
    """Name → schema."""
    content = Path(__file__).with_name("schemas.json").read_bytes()
    found: dict[str, Object] = msgspec.json.decode(content)
    return found


@cache
def _roots() -> dict[tuple[str, str, str], str]:
    return {
        (one["group"], one["version"], one["kind"]): name
        for name, schema in table().items()
        for one in schema.get("x-kubernetes-group-version-kind") or ()
    }


def root_of(resource: Resource) -> str:
    """The name of the schema of a resource's objects; empty if there is none."""
    if resource.custom:
        return ""
    return _roots().get((resource.group, resource.version, resource.kind), "")


@cache
def fields(name: str) -> dict[str, str]:
    """Field → kind of a schema: ``[X]`` is a list of X, ``{X}`` a map of X, ``*`` anything."""
    properties = table()[name].get("properties") or {}
    return {field: kind_of(schema) for field, schema in properties.items()}


def reference(schema: Any) -> str:
    """The name a schema refers to; empty if it refers to none."""
    target = schema.get("$ref") or next((one["$ref"] for one in schema.get("allOf") or ()), "")
    return str(target).rpartition("/")[2]


def kind_of(schema: Object) -> str:
    """The kind of a field: a name of a schema, or ``string``, ``int32``, ``quantity``, `[X]`…"""
    name = reference(schema)
    if name:
        if name in _NAMED:
            return _NAMED[name]
        return name if table()[name].get("properties") else "*"
    type_ = schema.get("type")
    if type_ == "array":
        return f"[{kind_of(schema['items'])}]"
    if type_ == "object":
        inner = schema.get("additionalProperties")
        return f"{{{kind_of(inner)}}}" if isinstance(inner, dict) else "*"
    if type_ == "string":
        return "byte" if schema.get("format") == "byte" else "string"
    if type_ == "integer":
        return str(schema.get("format") or "int64")
    return _PLAIN.get(str(type_), "*")
