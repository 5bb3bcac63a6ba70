"""Version and discovery: what the server is and which resources it has."""

from __future__ import annotations

from typing import Final

from tui.demo import resources
from tui.demo.api.registry import Registry
from tui.demo.api.requests import Request, Response
from tui.demo.resource import Resource
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
_CONNECT: Final = ("create", "get")
_PROXY: Final = ("create", "delete", "get", "patch", "update")
_SUBRESOURCE_KINDS: Final = {
    "attach": ("", "", "PodAttachOptions", _CONNECT),
    "exec": ("", "", "PodExecOptions", _CONNECT),
    "portforward": ("", "", "PodPortForwardOptions", _CONNECT),
    "proxy": ("", "", "", _PROXY),
    "scale": ("autoscaling", "v1", "Scale", ("get", "patch", "update")),
    "log": ("", "", "Pod", ("get",)),
    "binding": ("", "", "Binding", ("create",)),
    "eviction": ("policy", "v1", "Eviction", ("create",)),
    "ephemeralcontainers": ("", "", "Pod", ("get", "patch", "update")),
    "token": ("authentication.k8s.io", "v1", "TokenRequest", ("create",)),
    "finalize": ("", "", "Namespace", ("update",)),
    "status": ("", "", "", ("get", "patch", "update")),
}
_AGGREGATED: Final = ("v2", "v2beta1")
_HEALTH: Final = ("/healthz", "/livez", "/readyz", "/version", "/openapi/v2", "/openapi/v3")


class Discovery:
    """Answers discovery requests.

    Args:
        registry: what is served.
    """

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def respond(self, path: str, request: Request, metrics: int) -> Response | None:
        """Answer a discovery request; None if the path is not one.

        Args:
            path: of the request.
            request: the request.
            metrics: the status with which the metrics API answers: 404 is not mentioned, 503 is
                stale.
        """
        hidden = resources.POD_METRICS.group if metrics == 404 else ""
        if path == "/version":
            return Response.of(VERSION)
        if path in ("/api", "/apis"):
            aggregated = _aggregated_version(request)
            if aggregated:
                return self._aggregated(path == "/api", aggregated, hidden, metrics == 503)
        if path == "/api":
            return _api_versions(request)
        if path == "/apis":
            groups = self._groups(hidden)
            return Response.of({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups})
        if path == "/":
            return self._paths()
        parts = path.strip("/").split("/")
        if parts[0] == "api" and len(parts) == 2 and parts[1] == "v1":
            return self._resources("", "v1")
        if parts[0] == "apis" and len(parts) == 2:
            found = [group for group in self._groups(hidden) if group["name"] == parts[1]]
            if found:
                return Response.of({"kind": "APIGroup", "apiVersion": "v1", **found[0]})
        if parts[0] == "apis" and len(parts) == 3:
            return self._resources(parts[1], parts[2])
        if len(parts) <= {"api": 2, "apis": 3}.get(parts[0], 0):
            return Response.text("404 page not found\n", 404)
        return None

    def _paths(self) -> Response:
        listed = ["/api", "/api/v1", "/apis"]
        for group, versions in self._registry.versions().items():
            if group:
                listed.append(f"/apis/{group}")
                listed += [f"/apis/{group}/{version}" for version in versions]
        return Response.of({"paths": [*listed, *_HEALTH]})

    def _groups(self, hidden: str) -> list[Object]:
        groups = []
        for group, versions in self._registry.versions().items():
            if group and group != hidden:
                shown = [{"groupVersion": f"{group}/{one}", "version": one} for one in versions]
                groups.append({"name": group, "versions": shown, "preferredVersion": shown[0]})
        return groups

    def _resources(self, group: str, version: str) -> Response:
        served = list(self._registry.in_group(group, version))
        if not served:
            return Response.text("404 page not found\n", 404)
        shown: list[Object] = []
        for resource in served:
            shown.append(_describe(resource))
            shown += [_subresource(resource, name) for name in _subresources(resource)]
        shown.sort(key=lambda one: str(one["name"]))
        return Response.of(
            {
                "kind": "APIResourceList",
                "apiVersion": "v1",
                "groupVersion": served[0].group_version,
                "resources": shown,
            }
        )

    def _aggregated(self, core: bool, version: str, hidden: str, stale: bool) -> Response:
        items: list[Object] = []
        for group, versions in self._registry.versions().items():
            if bool(group) == core or (group and group == hidden):
                continue
            old = stale and group == resources.POD_METRICS.group
            shown: list[Object] = []
            for one in versions:
                served = sorted(self._registry.in_group(group, one), key=lambda r: r.plural)
                entry: Object = {"version": one}
                if not old:
                    entry["resources"] = [_aggregate(resource) for resource in served]
                shown.append(entry | {"freshness": "Stale" if old else "Current"})
            items.append({"metadata": {"name": group} if group else {}, "versions": shown})
        answer = Response.of(
            {
                "kind": "APIGroupDiscoveryList",
                "apiVersion": f"apidiscovery.k8s.io/{version}",
                "metadata": {},
                "items": items,
            }
        )
        parameters = f"g=apidiscovery.k8s.io;v={version};as=APIGroupDiscoveryList"
        answer.content_type = f"application/json;{parameters}"
        answer.headers["Vary"] = "Accept"
        return answer


def _api_versions(request: Request) -> Response:
    address = request.headers.get("host", "")
    return Response.of(
        {
            "kind": "APIVersions",
            "versions": ["v1"],
            "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": address}],
        }
    )


def _aggregated_version(request: Request) -> str:
    """The first version of aggregated discovery that the client accepts; empty for none."""
    for accepted in request.headers.get("accept", "").split(","):
        kind, *parameters = (part.strip() for part in accepted.split(";"))
        said = dict(part.partition("=")[::2] for part in parameters)
        if kind == "application/json" and said.get("g") == "apidiscovery.k8s.io":
            if said.get("v") in _AGGREGATED:
                return str(said["v"])
        elif kind == "application/json" and not said:
            return ""
    return ""


def _subresources(resource: Resource) -> list[str]:
    return [name for name in ("status", "scale") if resource.has(name)] + list(resource.others)


def _kind_of(resource: Resource, name: str) -> str:
    kind = _SUBRESOURCE_KINDS[name][2]
    return kind or (f"{resource.kind}ProxyOptions" if name == "proxy" else resource.kind)


def _describe(resource: Resource) -> Object:
    described: Object = {
        "name": resource.plural,
        "singularName": _singular(resource),
        "namespaced": resource.namespaced,
        "kind": resource.kind,
        "verbs": list(resource.verbs),
    }
    if resource.short_names:
        described["shortNames"] = list(resource.short_names)
    if resource.categories:
        described["categories"] = list(resource.categories)
    return described


def _singular(resource: Resource) -> str:
    # metrics-server names none.
    return "" if resource.group == resources.POD_METRICS.group else resource.singular


def _subresource(resource: Resource, name: str) -> Object:
    group, version, _, verbs = _SUBRESOURCE_KINDS[name]
    described: Object = {
        "name": f"{resource.plural}/{name}",
        "singularName": "",
        "namespaced": resource.namespaced,
    }
    if group:
        described |= {"group": group, "version": version}
    return described | {"kind": _kind_of(resource, name), "verbs": list(verbs)}


def _aggregate(resource: Resource) -> Object:
    def kind(group: str, version: str, name: str) -> Object:
        return {"group": group, "version": version, "kind": name}

    described: Object = {
        "resource": resource.plural,
        "responseKind": kind("", "", resource.kind),
        "scope": "Namespaced" if resource.namespaced else "Cluster",
        "singularResource": _singular(resource),
        "verbs": list(resource.verbs),
    }
    if resource.custom:
        described["responseKind"] = kind(resource.group, resource.version, resource.kind)
    if resource.short_names:
        described["shortNames"] = list(resource.short_names)
    if resource.categories:
        described["categories"] = list(resource.categories)
    subresources = [
        {
            "subresource": name,
            "responseKind": kind(*_SUBRESOURCE_KINDS[name][:2], _kind_of(resource, name)),
            "verbs": list(_SUBRESOURCE_KINDS[name][3]),
        }
        for name in sorted(_subresources(resource))
    ]
    if subresources:
        described["subresources"] = subresources
    return described
