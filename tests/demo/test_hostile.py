"""Bodies that no honest client sends: each gets an answer, and the cluster goes on."""

from __future__ import annotations

import copy
from random import Random
from typing import Any

import msgspec
import pytest

from tests.demo import recorded
from tests.demo.conftest import Build
from tests.demo.fuzzing import answered
from tests.demo.http import Http
from tui.demo import classroom, resources
from tui.demo.api.requests import Request, Response
from tui.demo.cluster import Cluster

JUNK: list[Any] = [
    *(None, "", "x" * 300, -1, 0, 2**70, True, 1.5, [], {}, [None], [[]], {"a": None}),
    *("\x1b[31m", "\u202e", "[/]", "1e400", "../../etc/passwd", "100m", "50%", {"$patch": "x"}),
]
TYPES = [
    "application/json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
    "application/json-patch+json",
    "application/apply-patch+yaml",
    "application/vnd.kubernetes.protobuf",
    "text/plain",
]
QUERIES = [
    {},
    {"limit": "-3"},
    {"fieldManager": "x", "force": "true"},
    {"watch": "x"},
    {"continue": "{"},
    {"resourceVersion": "-1"},
    {"labelSelector": "a in (,)"},
    {"fieldSelector": "=,=="},
]


def _somewhere(rng: Random, node: Any) -> list[tuple[Any, Any]]:
    """A random way down into a document: containers and the keys taken."""
    way: list[tuple[Any, Any]] = []
    while isinstance(node, (dict, list)) and node:
        key = rng.choice(list(node)) if isinstance(node, dict) else rng.randrange(len(node))
        way.append((node, key))
        node = node[key]
        if rng.random() < 0.25:
            break
    return way


def _spoiled(rng: Random, data: Any) -> Any:
    copied = msgspec.json.decode(msgspec.json.encode(data))
    for _ in range(rng.randrange(1, 4)):
        way = _somewhere(rng, copied)
        if way:
            holder, key = way[-1]
            if rng.random() < 0.2:
                del holder[key]
            else:
                holder[key] = copy.deepcopy(rng.choice(JUNK))
    return copied


def _manifests() -> list[tuple[str, str, dict[str, Any]]]:
    """Collection, name and manifest of honest objects."""
    found = []
    for resource, data in classroom.manifests():
        prefix = "apis" if resource.group else "api"
        path = f"/{prefix}/{resource.group_version}/namespaces/default/{resource.plural}"
        found.append((path, data["metadata"]["name"], data))
    pod = recorded.read("idle/pods")["items"][0]
    pod["metadata"] = {"name": "p"}
    found.append(("/api/v1/namespaces/default/pods", "p", pod))
    rule = {"http": {"paths": [{"path": "/", "pathType": "Prefix"}]}}
    ingress = {"metadata": {"name": "i"}, "spec": {"rules": [rule]}}
    found.append(("/apis/networking.k8s.io/v1/namespaces/default/ingresses", "i", ingress))
    scale = {"metadata": {"name": "fastapi-deploy"}, "spec": {"replicas": 2}}
    deployments = "/apis/apps/v1/namespaces/default/deployments"
    found.append((f"{deployments}/fastapi-deploy", "scale", scale))
    found.append((f"{deployments}/fastapi-deploy", "status", {"status": {"replicas": 1}}))
    return found


def _invariants(cluster: Cluster) -> None:
    for resource in resources.SERVED:
        if not resource.stored or resource.alias_of:
            continue
        entries = cluster.store.list_at(resource.storage, None, None)
        assert len({entry.uid for entry in entries}) == len(entries)
        for entry in entries:
            assert msgspec.json.decode(entry.raw)["metadata"]["name"] == entry.name


@pytest.mark.parametrize("seed", range(4))
def test_spoiled_manifests(build: Build, seed: int, capsys: pytest.CaptureFixture[str]) -> None:
    rng = Random(seed)
    cluster = build(lesson=True)
    manifests = _manifests()
    for step in range(700):
        path, name, data = rng.choice(manifests)
        method = rng.choice(["POST", "PUT", "PATCH", "PATCH"])
        body = msgspec.json.encode(_spoiled(rng, data))
        if rng.random() < 0.05:
            body = body[: rng.randrange(len(body))]
        request = Request(
            method,
            path if method == "POST" else f"{path}/{name}",
            rng.choice(QUERIES),
            {"content-type": rng.choice(TYPES if method == "PATCH" else TYPES[:1])},
            body,
        )
        answer = cluster.handlers.respond(request)
        assert isinstance(answer, Response)
        assert answer.status < 500 or answered(answer), (answer.body, body)
        if step % 50 == 0:
            cluster.clock.advance(3)
    cluster.clock.advance(60)
    _invariants(cluster)
    assert capsys.readouterr().err == ""


async def test_odd_paths_and_sizes(build: Build) -> None:
    async with Http(build()) as http:
        for path in (
            "/",
            "//",
            "/api/",
            "/api/v1/",
            "/apis//v1/x",
            "/apis/apps",
            "/apis/apps/v1/a/b/c/d/e/f",
            "/api/v1/namespaces/%00/pods/%2e%2e/log",
            "/api/v1/namespaces/default/pods/x/nothing",
            "/api/v1/watch/pods?timeoutSeconds=x",
            "/%ff%fe",
            "/openapi/v3/../../etc/passwd",
        ):
            answer = await http("GET", path)
            assert answer.status in (200, 400, 404), path
        huge = await http("POST", "/api/v1/namespaces/default/configmaps", {"a": "x" * 4_000_000})
        assert huge.status == 413
        deep = "[" * 5000 + "]" * 5000
        answer = await http("POST", "/api/v1/namespaces/default/configmaps", deep)
        assert answer.status == 400


def test_malformed_protobuf(build: Build) -> None:
    rng = Random(5)
    cluster = build()
    path = "/api/v1/namespaces"
    good = b'k8s\x00\n\x0f\n\x02v1\x12\tNamespace\x12\n\n\x06\n\x04lab1\x12\x00\x1a\x00"\x00'
    headers = {"content-type": "application/vnd.kubernetes.protobuf"}
    made = cluster.handlers.respond(Request("POST", path, {}, headers, good))
    assert isinstance(made, Response)
    assert made.status == 201
    for _ in range(2000):
        body = bytearray(good)
        for _ in range(rng.randrange(1, 4)):
            body[rng.randrange(4, len(body))] = rng.randrange(256)
        answer = cluster.handlers.respond(
            Request("POST", path, {}, headers, bytes(body[: rng.randrange(5, len(body) + 1)]))
        )
        assert isinstance(answer, Response)
        assert answer.status < 500, (answer.body, body)
