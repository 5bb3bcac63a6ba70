"""CustomResourceDefinitions: what a definition serves, its defaults and its rules.

https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from tui.demo.api.errors import Cause
from tui.demo.resource import Resource
from tui.demo.store import Entry, Object

FINALIZER: Final = "customresourcecleanup.apiextensions.k8s.io"
"""Holds a definition that is deleted until its objects are gone."""
_VERSION: Final = re.compile(r"v([1-9][0-9]*)(?:(alpha|beta)([1-9][0-9]*))?")
_STABILITY: Final = {None: 2, "beta": 1, "alpha": 0}


def is_established(entry: Entry) -> bool:
    """Whether the API server serves what the definition says."""
    return any(
        one.get("type") == "Established" and one.get("status") == "True"
        for one in entry.status.get("conditions") or ()
    )


def defaults(data: Object) -> None:
    """Fill in what a definition leaves out."""
    spec = data["spec"]
    names = spec.setdefault("names", {})
    kind = names.get("kind")
    if isinstance(kind, str) and kind:
        names.setdefault("singular", kind.lower())
        names.setdefault("listKind", f"{kind}List")
    spec.setdefault("conversion", {}).setdefault("strategy", "None")
    data.setdefault("status", {"conditions": None, "acceptedNames": {}, "storedVersions": None})


def resources_of(entry: Entry) -> list[Resource]:
    """The served versions, the preferred first; the others are aliases of the stored one."""
    spec = entry.spec
    versions = spec["versions"]
    stored = next(one for one in versions if one.get("storage"))
    base = _resource(spec, stored, None)
    found = [
        base if one is stored else _resource(spec, one, base)
        for one in versions
        if one.get("served")
    ]
    return sorted(found, key=lambda one: _priority(one.version), reverse=True)


def _resource(spec: Object, version: Object, alias: Resource | None) -> Resource:
    names = spec["names"]
    subresources = version.get("subresources") or {}
    return Resource(
        spec["group"],
        version["name"],
        names["plural"],
        names["kind"],
        spec["scope"] == "Namespaced",
        tuple(names.get("shortNames") or ()),
        tuple(names.get("categories") or ()),
        status="status" in subresources,
        scale="scale" in subresources,
        alias_of=alias,
        counts_generation=True,
        custom=True,
        singular_name=names.get("singular") or "",
        list_kind_name=names.get("listKind") or "",
    )


def _priority(version: str) -> tuple[int, int, int, str]:
    """Kubernetes' order of versions: v2, v1, v1beta2, v1beta1, v1alpha1, then the others."""
    match = _VERSION.fullmatch(version)
    if match is None:
        return (-1, 0, 0, version)
    return (_STABILITY[match[2]], int(match[1]), int(match[3] or 0), "")


def version_of(entry: Entry, name: str) -> Object:
    """One version of a definition; empty if it has none of that name."""
    found: Object = next((one for one in entry.spec["versions"] if one["name"] == name), {})
    return found


def schema_of(entry: Entry, version: str) -> Object:
    """The schema of one version, which lets everything through if it has none."""
    schema = (version_of(entry, version).get("schema") or {}).get("openAPIV3Schema")
    return schema or {"type": "object", "x-kubernetes-preserve-unknown-fields": True}


def check(data: Object, old: Object | None) -> Iterator[Cause]:
    """The rules of a definition."""
    spec: Object = data["spec"]
    names: Object = spec.get("names") or {}
    group, plural = spec.get("group"), names.get("plural")
    for value, field in ((group, "spec.group"), (plural, "spec.names.plural")):
        if not value:
            yield Cause.required(field)
    if not names.get("kind"):
        yield Cause.required("spec.names.kind")
    if group and plural and data["metadata"]["name"] != f"{plural}.{group}":
        said = 'must be spec.names.plural+"."+spec.group'
        yield Cause.invalid("metadata.name", data["metadata"]["name"], said)
    scopes = ("Cluster", "Namespaced")
    if spec.get("scope") not in scopes:
        yield Cause.unsupported("spec.scope", spec.get("scope", ""), scopes)
    versions: list[Any] = spec.get("versions") or []
    if not versions:
        yield Cause.required("spec.versions")
    elif sum(bool(one.get("storage")) for one in versions) != 1:
        said = "must have exactly one version marked as storage version"
        yield Cause.invalid("spec.versions", versions, said)
    seen: set[str] = set()
    for index, version in enumerate(versions):
        where = f"spec.versions[{index}]"
        name = version.get("name", "")
        if not name or name in seen:
            yield (
                Cause.duplicate(f"{where}.name", name) if name else Cause.required(f"{where}.name")
            )
        seen.add(name)
        schema = (version.get("schema") or {}).get("openAPIV3Schema")
        if schema is None:
            yield Cause.required(f"{where}.schema.openAPIV3Schema", "schemas are required")
        elif schema.get("type") != "object":
            detail = "must be object at the root"
            field = f"{where}.schema.openAPIV3Schema.type"
            yield (
                Cause.invalid(field, schema["type"], detail)
                if schema.get("type")
                else Cause.required(field, "must not be empty at the root")
            )
    if old is not None:
        for name in ("group", "scope"):
            if old["spec"].get(name) != spec.get(name):
                yield Cause.invalid(f"spec.{name}", spec.get(name), "field is immutable")
