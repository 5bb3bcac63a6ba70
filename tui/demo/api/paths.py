"""Request paths: which resource, namespace, name and subresource."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import unquote

from tui.demo.api import errors
from tui.demo.api.registry import Registry
from tui.demo.resource import Resource


class Target(NamedTuple):
    """What a path names."""

    resource: Resource
    namespace: str | None
    """None: all namespaces, or a cluster-wide resource."""
    name: str
    subresource: str
    watches: bool
    """The old ``/watch/`` form of the path."""
    rest: str = ""
    """What follows ``/proxy/``."""

    @property
    def where(self) -> str:
        """The namespace for keys: ``""`` for cluster-wide objects."""
        return self.namespace or ""


class UnknownGroupError(Exception):
    """The path names a group that nobody serves; the answer is plain text."""


def parse(path: str, registry: Registry) -> Target:
    """The target of a path below ``/api`` or ``/apis``.

    Raises:
        UnknownGroupError: nothing serves the group.
        ApiError: 404, the group does not serve the resource.
    """
    parts = [unquote(part) for part in path.strip("/").split("/")]
    if parts[0] == "api":
        group, version, rest = "", parts[1], parts[2:]
    else:
        group, version, rest = parts[1], parts[2], parts[3:]
    if group not in registry.versions():
        raise UnknownGroupError
    watches = bool(rest) and rest[0] == "watch"
    if watches:
        rest = rest[1:]
    namespace: str | None = None
    if len(rest) > 2 and rest[0] == "namespaces" and rest[2] not in ("status", "finalize"):
        namespace, rest = rest[1], rest[2:]
    beyond = ""
    if len(rest) > 2 and rest[2] == "proxy":
        beyond, rest = "/".join(rest[3:]), rest[:3]
    if not rest or len(rest) > 3:
        raise errors.no_such_path()
    resource = registry.find(group, version, rest[0])
    if resource is None or (namespace is not None and not resource.namespaced):
        raise errors.no_such_path()
    name = rest[1] if len(rest) > 1 else ""
    subresource = rest[2] if len(rest) > 2 else ""
    if name and resource.namespaced and namespace is None:
        raise errors.no_such_path()
    if subresource and not resource.has(subresource):
        raise errors.no_such_path()
    return Target(resource, namespace, name, subresource, watches, beyond)
