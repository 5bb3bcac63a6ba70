"""Ingress rules, asked for on demand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.cluster.server import Server, not_found, status
from tui.cluster.access import ClusterConfig
from tui.cluster.errors import ApiError
from tui.cluster.route_ingress import IngressPath, decode, fetch
from tui.cluster.transport import Transport

WHERE = "/apis/networking.k8s.io/v1/namespaces/shop/ingresses"


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        yield running


def backend(service: str = "web", **port: Any) -> dict[str, Any]:
    return {"service": {"name": service, "port": port or {"number": 80}}}


def ingress(*rules: dict[str, Any], **spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": "front"}, "spec": {"rules": list(rules), **spec}}


def rule(host: str | None, *paths: tuple[str | None, dict[str, Any]]) -> dict[str, Any]:
    listed = [{"path": where, "pathType": "Prefix", "backend": to} for where, to in paths]
    return {"host": host, "http": {"paths": listed}}


def body(*items: Any) -> bytes:
    return json.dumps({"kind": "IngressList", "items": list(items)}).encode()


def test_paths_of_rules() -> None:
    one = ingress(
        rule("a.example", ("/", backend()), ("/api", backend("api", name="http"))),
        rule(None, (None, backend())),
        tls=[{"hosts": ["a.example"], "secretName": "x"}],
        defaultBackend=backend("rest"),
    )
    one["status"] = {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}, {"hostname": "x.y"}]}}
    at = ("192.0.2.1", "x.y")
    assert decode(body(one)) == [
        IngressPath("front", "a.example", "/", "web", 80, True, at),
        IngressPath("front", "a.example", "/api", "api", "http", True, at),
        IngressPath("front", "", "/", "web", 80, False, at),
        IngressPath("front", "", "/", "rest", 80, False, at),
    ]


@pytest.mark.parametrize("where", ["/a(/|$)(.*)", "/*", "relative", "/x{1}", "~ ^/a"])
def test_patterns_are_not_paths(where: str) -> None:
    assert decode(body(ingress(rule("a.example", (where, backend()))))) == []


@pytest.mark.parametrize(
    "item",
    [
        None,
        [],
        {},
        {"spec": None},
        {"spec": {"rules": [{"http": {"paths": [{"backend": {"resource": {"kind": "x"}}}]}}]}},
        {"spec": {"rules": "x"}},
        {"spec": {"rules": [rule("h", ("/", {"service": {"name": "web"}}))]}},
    ],
)
def test_what_cannot_be_read_is_left_out(item: Any) -> None:
    good = ingress(rule("a.example", ("/", backend())))
    assert [found.host for found in decode(body(item, good))] == ["a.example"]


@pytest.mark.parametrize("text", [b"", b"404 page not found", b"[]", b"\xff", b"[" * 100_000])
def test_no_list_no_paths(text: bytes) -> None:
    assert decode(text) == []


def test_the_namespace_is_asked(server: Server) -> None:
    server.on(WHERE, lambda e: e.reply(200, body(ingress(rule("a.example", ("/", backend()))))))
    found = fetch(Transport(ClusterConfig(server.url)), "shop")
    assert [path.service for path in found] == ["web"]


@pytest.mark.parametrize("answer", [not_found, status(403, "Forbidden"), status(404, "NotFound")])
def test_absent_and_forbidden_are_none(server: Server, answer: Any) -> None:
    server.on(WHERE, answer)
    assert fetch(Transport(ClusterConfig(server.url)), "shop") == []


def test_a_server_that_fails_is_told(server: Server) -> None:
    server.on(WHERE, status(500, "InternalError"))
    with pytest.raises(ApiError):
        fetch(Transport(ClusterConfig(server.url)), "shop")
