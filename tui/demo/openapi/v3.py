"""OpenAPI v3: paths with their operations, and the schemas they need."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from tui.demo.api import schemas
from tui.demo.resource import Resource
from tui.demo.store import Object

_SINGLE: Final = {"get": "get", "update": "put", "patch": "patch", "delete": "delete"}
_WRITTEN: Final = ("dryRun", "fieldManager", "fieldValidation")
_PATCHES: Final = (
    "application/apply-patch+yaml",
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
)
_REF: Final = "#/components/schemas/"
SchemaOf = Callable[[Resource], Object]
"""The schema of a custom resource."""


def group_path(resource: Resource) -> str:
    """``api/v1`` or ``apis/apps/v1``."""
    prefix = "apis" if resource.group else "api"
    return f"{prefix}/{resource.group_version}"


def schema_name(resource: Resource) -> str:
    """The name of a resource's schema; a custom one's is its group backwards."""
    if not resource.custom:
        return schemas.root_of(resource)
    backwards = ".".join(reversed(resource.group.split(".")))
    return f"{backwards}.{resource.version}.{resource.kind}"


def document(served: list[Resource], schema_of: SchemaOf) -> Object:
    """The document of some resources."""
    paths: Object = {}
    needed: Object = {}
    for resource in served:
        paths |= _paths(resource)
        name = schema_name(resource)
        if resource.custom:
            needed[name] = _custom(resource, schema_of(resource))
            _add(schemas.META, needed)
        elif name:
            _add(name, needed)
    return {
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": "v1.36.2"},
        "paths": paths,
        "components": {"schemas": needed},
    }


def _add(name: str, needed: Object) -> None:
    if name in needed:
        return
    needed[name] = schemas.table()[name]
    for inner in references(needed[name]):
        _add(inner, needed)


def references(schema: Any) -> Iterator[str]:
    """The names a schema refers to."""
    if isinstance(schema, list):
        for one in schema:
            yield from references(one)
    elif isinstance(schema, dict):
        for key, one in schema.items():
            if key == "$ref" and isinstance(one, str):
                yield one.rpartition("/")[2]
            else:
                yield from references(one)


def _custom(resource: Resource, schema: Object) -> Object:
    own = {key: value for key, value in schema.items() if key != "properties"}
    meta = {"allOf": [{"$ref": _REF + schemas.META}], "description": "Standard object's metadata."}
    properties = {
        **(schema.get("properties") or {}),
        "apiVersion": {"type": "string", "description": _API_VERSION},
        "kind": {"type": "string", "description": _KIND},
        "metadata": meta,
    }
    kind = {"group": resource.group, "version": resource.version, "kind": resource.kind}
    return {**own, "properties": properties, "x-kubernetes-group-version-kind": [kind]}


_CONVENTIONS: Final = (
    "https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md"
)
_API_VERSION: Final = (
    "APIVersion defines the versioned schema of this representation of an object. Servers should "
    "convert recognized schemas to the latest internal value, and may reject unrecognized values. "
    f"More info: {_CONVENTIONS}#resources"
)
_KIND: Final = (
    "Kind is a string value representing the REST resource this object represents. Servers may "
    "infer this from the endpoint the client submits requests to. Cannot be updated. In "
    f"CamelCase. More info: {_CONVENTIONS}#types-kinds"
)


def _paths(resource: Resource) -> Object:
    base = f"/{group_path(resource)}"
    if resource.namespaced:
        base += "/namespaces/{namespace}"
    base += f"/{resource.plural}"
    found: Object = {}
    if "list" in resource.verbs:
        found[base] = {"get": _operation(resource, "list")}
    if "create" in resource.verbs:
        found.setdefault(base, {})["post"] = _operation(resource, "post")
    single = {
        method: _operation(resource, method)
        for verb, method in _SINGLE.items()
        if verb in resource.verbs
    }
    if single:
        found[base + "/{name}"] = single
    return found


def _operation(resource: Resource, action: str) -> Object:
    kind = {"group": resource.group, "version": resource.version, "kind": resource.kind}
    name = schema_name(resource)
    content = {"application/json": {"schema": {"$ref": _REF + name}}} if name else {}
    answer: Object = {"description": "OK"}
    if content and action in ("get", "post", "put", "patch"):
        answer["content"] = content
    shown: Object = {
        "x-kubernetes-action": action,
        "x-kubernetes-group-version-kind": kind,
        "responses": {"200": answer},
    }
    if action in ("post", "put", "patch"):
        names = (*_WRITTEN, "force") if action == "patch" else _WRITTEN
        shown["parameters"] = [
            {"name": one, "in": "query", "schema": {"type": "string", "uniqueItems": True}}
            for one in names
        ]
        body = content
        if action == "patch":
            # kubectl looks here for how an object may be patched.
            kinds = [one for one in _PATCHES if not (resource.custom and "strategic" in one)]
            body = {one: {"schema": {"type": "object"}} for one in kinds}
        shown["requestBody"] = {"content": body}
    return shown
