"""Version and discovery: what the server is and which resources it has."""

from __future__ import annotations

from typing import Final

from tui.demo import resources
from tui.demo.api.requests import Request, Response
from tui.demo.resources import Resource
from tui.demo.store import Object

VERSION: Final = {
    "major": "1",
    "minor": "36",
    "emulationMajor": "1",
    "emulationMinor": "36",
    "minCompatibilityMajor": "1",
    "minCompatibilityMinor": "35",
    "gitVersion": "v1.36.2",
    "gitCommit": "98b35193b2ac7a23a673325f5e9b830ecd5ba406",
    "gitTreeState": "clean",
    "buildDate": "2026-07-23T00:00:00Z",
    "goVersion": "go1.27.3",
    "compiler": "gc",
    "platform": "linux/amd64",
}
_SUBRESOURCE_KINDS: Final = {
    "scale": ("autoscaling", "v1", "Scale", ("get", "patch", "update")),
    "log": ("", "", "Pod", ("get",)),
    "binding": ("", "", "Binding", ("create",)),
    "eviction": ("policy", "v1", "Eviction", ("create",)),
    "finalize": ("", "", "Namespace", ("update",)),
    "status": ("", "", "", ("get", "patch", "update")),
}


def respond(path: str, request: Request, hidden: str = "") -> Response | None:
    """Answer a discovery request; None if the path is not one.

    Args:
        path: of the request.
        request: the request.
        hidden: a group that is not to be mentioned.
    """
    if path == "/version":
        return Response.of(VERSION)
    if path == "/api":
        return Response.of(
            {
                "kind": "APIVersions",
                "versions": ["v1"],
                "serverAddressByClientCIDRs": [
                    {"clientCIDR": "0.0.0.0/0", "serverAddress": request.headers.get("host", "")}
                ],
            }
        )
    if path == "/apis":
        return Response.of({"kind": "APIGroupList", "apiVersion": "v1", "groups": _groups(hidden)})
    if path == "/":
        listed = ["/api", "/api/v1", "/apis"]
        for group in filter(None, resources.versions()):
            listed.append(f"/apis/{group}")
            listed += [f"/apis/{group}/{version}" for version in resources.versions()[group]]
        return Response.of({"paths": [*listed, "/healthz", "/livez", "/readyz", "/version"]})
    parts = path.strip("/").split("/")
    if parts[0] == "api" and len(parts) == 2 and parts[1] == "v1":
        return _resources("", "v1")
    if parts[0] == "apis" and len(parts) == 2:
        found = [group for group in _groups(hidden) if group["name"] == parts[1]]
        if found:
            return Response.of({"kind": "APIGroup", "apiVersion": "v1", **found[0]})
    if parts[0] == "apis" and len(parts) == 3:
        return _resources(parts[1], parts[2])
    if len(parts) <= {"api": 2, "apis": 3}.get(parts[0], 0):
        return Response.text("404 page not found\n", 404)
    return None


def _groups(hidden: str) -> list[Object]:
    groups = []
    for group, versions in resources.versions().items():
        if group and group != hidden:
            shown = [{"groupVersion": f"{group}/{one}", "version": one} for one in versions]
            groups.append({"name": group, "versions": shown, "preferredVersion": shown[0]})
    return groups


def _resources(group: str, version: str) -> Response:
    served = list(resources.in_group(group, version))
    if not served:
        return Response.text("404 page not found\n", 404)
    shown: list[Object] = []
    for resource in served:
        shown.append(_describe(resource))
        names = [name for name in ("status", "scale") if resource.has(name)]
        shown += [_subresource(resource, name) for name in (*names, *resource.others)]
    shown.sort(key=lambda one: str(one["name"]))
    return Response.of(
        {
            "kind": "APIResourceList",
            "apiVersion": "v1",
            "groupVersion": served[0].group_version,
            "resources": shown,
        }
    )


def _describe(resource: Resource) -> Object:
    described: Object = {
        "name": resource.plural,
        "singularName": resource.singular if resource.stored else "",
        "namespaced": resource.namespaced,
        "kind": resource.kind,
        "verbs": list(resource.verbs),
    }
    if resource.short_names:
        described["shortNames"] = list(resource.short_names)
    if resource.categories:
        described["categories"] = list(resource.categories)
    return described


def _subresource(resource: Resource, name: str) -> Object:
    group, version, kind, verbs = _SUBRESOURCE_KINDS[name]
    described: Object = {
        "name": f"{resource.plural}/{name}",
        "singularName": "",
        "namespaced": resource.namespaced,
    }
    if group:
        described |= {"group": group, "version": version}
    return described | {"kind": kind or resource.kind, "verbs": list(verbs)}
