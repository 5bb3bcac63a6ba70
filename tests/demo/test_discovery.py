"""Discovery and OpenAPI: what clients learn before they ask for anything."""

from __future__ import annotations

from typing import Any

import msgspec

from tests.demo.conftest import Build
from tui.demo import resources
from tui.demo.api import protobuf
from tui.demo.api.operations import Writer
from tui.demo.api.requests import Request, Response
from tui.demo.cluster import Cluster
from tui.demo.openapi import gnostic, v3

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v={};as=APIGroupDiscoveryList,application/json"


def _get(cluster: Cluster, path: str, accept: str = "application/json") -> Response:
    answer = cluster.handlers.respond(Request("GET", path, {}, {"accept": accept}))
    assert isinstance(answer, Response)
    assert answer.status == 200
    return answer


def _json(answer: Response) -> Any:
    return msgspec.json.decode(answer.body)


def test_health_lists_its_checks_when_asked(build: Build) -> None:
    cluster = build()

    def asked(path: str, **query: str) -> Response:
        answer = cluster.handlers.respond(Request("GET", path, query, {}))
        assert isinstance(answer, Response)
        return answer

    for name in ("healthz", "livez", "readyz"):
        assert asked(f"/{name}").body == b"ok"
        lines = asked(f"/{name}", verbose="").body.decode().splitlines()
        assert lines[:3] == ["[+]ping ok", "[+]log ok", "[+]etcd ok"]
        assert "[+]poststarthook/rbac/bootstrap-roles ok" in lines
        assert ("[+]shutdown ok" in lines) is (name == "readyz")
        assert lines[-1] == f"{name} check passed"
    assert asked("/livez/poststarthook/rbac/bootstrap-roles").body == b"ok"
    assert asked("/livez/nonsense").status == asked("/livezz").status == 404
    assert b"[+]etcd excluded: ok\n" in asked("/livez", verbose="", exclude="etcd").body
    assert b'no matches for "x"\nlivez check passed' in (
        asked("/livez", verbose="", exclude="x").body
    )


def test_both_kinds_of_discovery_agree(build: Build) -> None:
    cluster = build()
    for version in ("v2", "v2beta1"):
        accept = AGGREGATED.format(version)
        found: dict[str, tuple[str, ...]] = {}
        for path in ("/api", "/apis"):
            answer = _get(cluster, path, accept)
            assert f"v={version};" in answer.content_type
            for group in _json(answer)["items"]:
                for one in group["versions"]:
                    for resource in one["resources"]:
                        name = (group["metadata"].get("name", ""), one["version"])
                        where = "/".join((*name, resource["resource"]))
                        found[where] = tuple(resource["verbs"])
                        for sub in resource.get("subresources", ()):
                            found[f"{where}/{sub['subresource']}"] = tuple(sub["verbs"])
        classic: dict[str, tuple[str, ...]] = {}
        paths = ["/api/v1"] + [
            f"/apis/{one['groupVersion']}"
            for group in _json(_get(cluster, "/apis"))["groups"]
            for one in group["versions"]
        ]
        for path in paths:
            shown = _json(_get(cluster, path))
            group, _, number = shown["groupVersion"].rpartition("/")
            for resource in shown["resources"]:
                classic[f"{group}/{number}/{resource['name']}"] = tuple(resource["verbs"])
        assert found == classic
        assert "apps/v1/deployments/scale" in found


def test_a_stale_group_is_said_to_be_stale(build: Build) -> None:
    cluster = build()
    deployment = cluster.api.get(resources.DEPLOYMENTS, "kube-system", "metrics-server")

    def to_zero(data: dict[str, Any]) -> None:
        data["spec"]["replicas"] = 0

    cluster.api.change(resources.DEPLOYMENTS, deployment, to_zero, Writer("test"))
    cluster.clock.advance(10)
    groups = _json(_get(cluster, "/apis", AGGREGATED.format("v2")))["items"]
    metrics = next(one for one in groups if one["metadata"]["name"] == "metrics.k8s.io")
    assert metrics["versions"] == [{"version": "v1beta1", "freshness": "Stale"}]


def test_every_reference_of_a_document_is_in_it(build: Build) -> None:
    cluster = build()
    index = _json(_get(cluster, "/openapi/v3"))["paths"]
    assert index["apis/apps/v1"]["serverRelativeURL"].startswith("/openapi/v3/apis/apps/v1?hash=")
    for where in index:
        document = _json(_get(cluster, f"/openapi/v3/{where}"))
        schemas = document["components"]["schemas"]
        assert set(v3.references(document)) <= set(schemas), where
    whole = _json(_get(cluster, "/openapi/v2"))
    assert set(v3.references(whole)) <= set(whole["definitions"])
    container = whole["definitions"]["io.k8s.api.core.v1.Container"]["properties"]
    assert container["ports"]["x-kubernetes-patch-merge-key"] == "containerPort"


def test_the_older_document_as_protobuf(build: Build) -> None:
    answer = _get(build(), "/openapi/v2", gnostic.ASKED_FOR)
    assert answer.content_type == gnostic.MEDIA_TYPE
    document = dict(protobuf._fields(answer.body))
    assert document[1] == b"2.0"
    definitions = [dict(protobuf._fields(value)) for _, value in _parts(document[9])]
    names = {one[1] for one in definitions}
    assert b"io.k8s.api.apps.v1.Deployment" in names
    deployment = next(one for one in definitions if one[1] == b"io.k8s.api.apps.v1.Deployment")
    assert b"Deployment enables declarative updates" in bytes(deployment[2])
    items = [dict(protobuf._fields(value)) for number, value in _parts(document[8]) if number == 2]
    paths = {one[1]: one[2] for one in items}
    deployments = bytes(paths[b"/apis/apps/v1/namespaces/{namespace}/deployments/{name}"])
    assert b"fieldValidation" in deployments
    assert b"x-kubernetes-group-version-kind" in deployments


def _parts(content: Any) -> list[tuple[int, bytes]]:
    return [(number, bytes(value)) for number, value in protobuf._fields(content)]


def test_who_reads_endpoints_is_told_of_slices(build: Build) -> None:
    answer = _get(build(lesson=True), "/api/v1/namespaces/default/endpoints")
    assert "v1 Endpoints is deprecated in v1.33+" in answer.headers["Warning"]
