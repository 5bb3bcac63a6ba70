"""OpenAPI v3 of the served types: enough for ``kubectl apply`` and ``kubectl explain``."""

from __future__ import annotations

import hashlib
from functools import cache
from typing import Final

import msgspec

from tui.demo import resources
from tui.demo.api import schema, types
from tui.demo.api.requests import Response
from tui.demo.resources import Resource
from tui.demo.store import Object

_ROOT: Final = "/openapi/v3"
_PLAIN: Final = frozenset({"string", "integer", "boolean", "number"})
_VERBS: Final = {"get": "get", "update": "put", "patch": "patch", "delete": "delete"}
_QUERY: Final = ("dryRun", "fieldManager", "fieldValidation", "force")


def respond(path: str) -> Response | None:
    """Answer a request for OpenAPI; None if the path is none of its."""
    if path == _ROOT:
        return Response.of({"paths": _index()})
    if not path.startswith(_ROOT + "/"):
        return None
    document = _document(path.removeprefix(_ROOT + "/"))
    return None if document is None else Response(200, document)


def _group_path(resource: Resource) -> str:
    prefix = "apis" if resource.group else "api"
    return f"{prefix}/{resource.group_version}"


@cache
def _index() -> Object:
    paths: Object = {}
    for resource in resources.SERVED:
        where = _group_path(resource)
        document = _document(where) or b""
        digest = hashlib.sha256(document).hexdigest().upper()
        paths[where] = {"serverRelativeURL": f"{_ROOT}/{where}?hash={digest}"}
    return paths


@cache
def _document(where: str) -> bytes | None:
    served = [one for one in resources.SERVED if _group_path(one) == where]
    if not served:
        return None
    paths: Object = {}
    schemas: Object = {}
    for resource in served:
        paths |= _paths(resource)
        root = types.root_of(resource)
        if root:
            _add(root, schemas, resource.kind)
            kind = {"group": resource.group, "version": resource.version, "kind": resource.kind}
            schemas[_name(root)]["x-kubernetes-group-version-kind"] = [kind]
    return msgspec.json.encode(
        {
            "openapi": "3.0.0",
            "info": {"title": "Kubernetes", "version": "v1.36.2"},
            "paths": paths,
            "components": {"schemas": schemas},
        }
    )


def _paths(resource: Resource) -> Object:
    base = f"/{_group_path(resource)}"
    if resource.namespaced:
        base += "/namespaces/{namespace}"
    base += f"/{resource.plural}"
    kind = {"group": resource.group, "version": resource.version, "kind": resource.kind}
    parameters = [
        {"name": name, "in": "query", "schema": {"type": "string", "uniqueItems": True}}
        for name in _QUERY
    ]

    def operation(action: str) -> Object:
        shown: Object = {
            "x-kubernetes-action": action,
            "x-kubernetes-group-version-kind": kind,
            "responses": {"200": {"description": "OK"}},
        }
        if action in ("post", "put", "patch"):
            shown["parameters"] = parameters
        return shown

    found: Object = {}
    if "list" in resource.verbs:
        found[base] = {"get": operation("list")}
    if "create" in resource.verbs:
        found.setdefault(base, {})["post"] = operation("post")
    single = {
        method: operation(method) for verb, method in _VERBS.items() if verb in resource.verbs
    }
    if single:
        found[base + "/{name}"] = single
    return found


def _name(type_: str) -> str:
    return f"io.k8s.{type_}"


def _add(type_: str, schemas: Object, kind: str) -> None:
    name = _name(type_)
    if name in schemas:
        return
    properties: Object = {}
    schemas[name] = {"type": "object", "properties": properties}
    for field, inner in types.table()[type_].items():
        shown = _schema(inner, schemas, kind)
        if inner.startswith("["):
            above = "containers" if type_ == "V1Container" else ""
            key = schema.strategic_key((above, field), kind)
            if key is not None:
                shown["x-kubernetes-patch-merge-key"] = key
                shown["x-kubernetes-patch-strategy"] = "merge"
        properties[field] = shown


def _schema(type_: str, schemas: Object, kind: str) -> Object:
    if type_ == "*":
        return {}
    if type_ in _PLAIN:
        return {"type": type_}
    if type_.startswith("["):
        return {"type": "array", "items": _schema(type_[1:-1], schemas, kind)}
    if type_.startswith("{"):
        return {"type": "object", "additionalProperties": _schema(type_[1:-1], schemas, kind)}
    _add(type_, schemas, kind)
    return {"allOf": [{"$ref": f"#/components/schemas/{_name(type_)}"}], "default": {}}
