"""The session as a whole: what it watches, how it ends, what it says of itself."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.cluster.server import (
    AT_ONCE,
    CERTS,
    Behaviour,
    Server,
    eventually,
    listing,
    not_found,
    pod,
    stall,
    status,
    watching,
)
from tui.cluster.access import Auth, ClusterConfig, Tls
from tui.cluster.errors import ClusterError
from tui.cluster.resources import RESOURCES
from tui.cluster.session import Session, probe
from tui.cluster.summary import connection
from tui.state.links import Health, Link, Source
from tui.state.rows import Kind
from tui.state.store import Store

VERSION = {"gitVersion": "v1.36.2", "major": "1"}


def serve(server: Server, namespace: str | None, **lists: Behaviour) -> None:
    """A cluster that has one pod, all APIs and the namespaces ``default`` and ``shop``."""
    for kind, resource in RESOURCES.items():
        objects = [pod("a", namespace=namespace or "default")] if kind is Kind.PODS else []
        path = resource.path(namespace)
        server.on(path, lists.get(kind.value, listing(objects, "5", kind="XList")))
        server.on(path, watching(), watch=True)
    server.on("/version", lambda e: e.reply(200, VERSION))
    for name in ("default", "shop"):
        server.on(f"/api/v1/namespaces/{name}", lambda e: e.reply(200, {"kind": "Namespace"}))


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        yield running


def started(server: Server, namespace: str | None, **more: Any) -> Session:
    session = Session(
        ClusterConfig(server.url, context="here"), Store(), namespace=namespace, **more
    )
    session.start()
    return session


def store_of(session: Session) -> Store:
    return session._store


@pytest.mark.parametrize("namespace", [None, "shop"])
def test_only_what_is_in_scope_is_asked_for(server: Server, namespace: str | None) -> None:
    serve(server, namespace)
    scope = "" if namespace is None else f"/namespaces/{namespace}"
    wanted = {
        f"/api/v1{scope}/pods",
        f"/api/v1{scope}/services",
        f"/api/v1{scope}/events",
        "/api/v1/nodes",
        f"/apis/apps/v1{scope}/deployments",
        f"/apis/apps/v1{scope}/replicasets",
        f"/apis/apps/v1{scope}/statefulsets",
        f"/apis/discovery.k8s.io/v1{scope}/endpointslices",
        f"/apis/autoscaling/v2{scope}/horizontalpodautoscalers",
        f"/apis/metrics.k8s.io/v1beta1{scope}/pods",
        "/apis/metrics.k8s.io/v1beta1/nodes",
    }
    session = started(server, namespace)
    try:
        eventually(lambda: session.connection.health is Health.LIVE and session.version)
        eventually(lambda: wanted <= {r.path for r in server.requests})
    finally:
        assert session.stop()
    assert session.version == "v1.36.2"
    assert session.server == f"127.0.0.1:{server.port}"
    assert session.context == "here"
    asked = {r.path for r in server.requests}
    assert asked - {"/version", "/api/v1/namespaces/shop"} == wanted


def test_tables_that_are_not_wanted_are_not_asked_for(server: Server) -> None:
    serve(server, None)
    session = started(server, None, kinds=[Kind.PODS])
    try:
        eventually(lambda: store_of(session).drain().pods.rows)
    finally:
        session.stop()
    assert not [r for r in server.requests if r.path.endswith("events")]


def test_rights_in_one_namespace_only(server: Server) -> None:
    serve(
        server,
        "default",
        nodes=status(403, "Forbidden"),
        events=status(403, "Forbidden"),
        statefulsets=not_found,
    )
    server.on(RESOURCES[Kind.NODES].path(None), status(403, "Forbidden"))
    session = started(server, "default")
    try:
        eventually(lambda: store_of(session).links[Source.POD_METRICS].health is Health.ABSENT)
        eventually(lambda: session.connection.health is Health.LIVE)
        links = store_of(session).links
        assert links[Kind.NODES].health is Health.FORBIDDEN
        assert "`list nodes`" in links[Kind.NODES].detail
        assert links[Kind.EVENTS].health is Health.FORBIDDEN
        assert links[Kind.STATEFULSETS].health is Health.ABSENT
        assert session.connection.detail == "Not allowed: events, nodes."
    finally:
        session.stop()


def test_a_namespace_that_does_not_exist_is_said(server: Server) -> None:
    serve(server, "shopp")
    server.on("/api/v1/namespaces/shopp", status(404, "NotFound", 'namespaces "shopp" not found'))
    session = started(server, "shopp")
    try:
        eventually(lambda: session.connection.health is Health.ABSENT)
        assert session.connection.detail == "The namespace shopp does not exist in this cluster."
    finally:
        session.stop()


def test_nobody_there() -> None:
    with Server() as gone:
        config = ClusterConfig(gone.url)
    session = Session(config, Store())
    session.start()
    try:
        eventually(lambda: session.connection.health is Health.RETRYING)
        assert "Nothing listens at 127.0.0.1" in session.connection.detail
        assert session.connection.retry_at is not None
    finally:
        assert session.stop()


def test_it_ends_within_a_second_and_leaves_nothing_behind(server: Server) -> None:
    serve(server, None, events=stall, services=status(500, "InternalError"))
    server.on("/version", stall)
    before = set(threading.enumerate())
    session = started(server, None)
    eventually(lambda: len(store_of(session).drain().pods.rows) == 1)
    eventually(lambda: len(server.requests) > 15)
    start = time.monotonic()
    assert session.stop()
    assert time.monotonic() - start < AT_ONCE
    ours = [t for t in threading.enumerate() if t not in before and "process_request" not in t.name]
    assert ours == []
    assert all(link.health is Health.STOPPED for link in store_of(session).links.values())


def test_stopping_one_that_was_never_started() -> None:
    assert Session(ClusterConfig("http://127.0.0.1:1"), Store()).stop()


# The summary.

LIVE = Link(Health.LIVE, 5)
LOST = Link(Health.RETRYING, 3, "Nothing listens at h.", 9)


@pytest.mark.parametrize(
    ("links", "health", "detail"),
    [
        ({}, Health.CONNECTING, ""),
        ({Kind.PODS: Link(), Kind.NODES: LIVE}, Health.CONNECTING, ""),
        ({Kind.PODS: LIVE, Source.POD_METRICS: LOST}, Health.LIVE, ""),
        ({Kind.PODS: LIVE, Kind.NODES: LOST, Kind.EVENTS: LIVE, Kind.HPAS: LIVE}, Health.RETRYING,
         "nodes: Nothing listens at h."),
        ({Kind.PODS: LOST, Kind.NODES: LOST}, Health.RETRYING, "Nothing listens at h."),
        ({Kind.PODS: Link(Health.FORBIDDEN, 1, "No."), Kind.NODES: LIVE}, Health.LIVE,
         "Not allowed: pods."),
        ({Kind.PODS: Link(Health.FORBIDDEN, 1, "No.")}, Health.FORBIDDEN, "No."),
        ({Kind.PODS: Link(Health.STOPPED)}, Health.STOPPED, ""),
    ],
)  # fmt: skip
def test_the_connection_in_one_word(links: Any, health: Health, detail: str) -> None:
    found = connection(links)
    assert (found.health, found.detail) == (health, detail)


def test_a_problem_of_the_whole_stands_above_live_but_below_lost() -> None:
    problem = Link(Health.ABSENT, 1, "No such namespace.")
    assert connection({Kind.PODS: LIVE}, problem) is problem
    assert connection({Kind.PODS: LOST}, problem).health is Health.RETRYING


# The probe.


def refusal(server: Server, **more: Any) -> ClusterError:
    namespace = more.pop("namespace", None)
    timeout = more.pop("timeout", 5.0)
    with pytest.raises(ClusterError) as caught:
        probe(ClusterConfig(server.url, **more), namespace, timeout)
    return caught.value


@pytest.mark.parametrize(
    "body",
    [b'{"etcdserver":"3.6.0","etcdcluster":"3.6.0"}', b"[" * 20_000 + b"]" * 20_000],
    ids=["etcd", "nested without end"],
)
def test_probe_of_something_else_that_speaks_json(server: Server, body: bytes) -> None:
    server.on("/version", lambda e: e.reply(200, body))
    assert "not a Kubernetes API" in refusal(server).message
    session = started(server, None)
    try:
        eventually(lambda: "not a Kubernetes API" in session.connection.detail)
    finally:
        session.stop()


def test_probe_without_credentials(server: Server) -> None:
    serve(server, None)
    anonymous = 'namespaces "default" is forbidden: User "system:anonymous" cannot get resource'
    server.on("/api/v1/namespaces/default", status(403, "Forbidden", anonymous))
    server.on(RESOURCES[Kind.PODS].path(None), status(403, "Forbidden", anonymous))
    error = refusal(server, namespace="default")
    assert "system:anonymous" in error.message
    assert "Log in" in error.hint
    session = started(server, None)
    try:
        eventually(lambda: store_of(session).links[Kind.PODS].health is Health.FORBIDDEN)
        assert "no credentials" in store_of(session).links[Kind.PODS].detail
    finally:
        session.stop()


def test_probe_of_a_server_that_fails(server: Server) -> None:
    server.on("/version", status(500, "InternalError", "etcd is away"))
    assert str(refusal(server)) == "etcd is away. Try again in a moment."


def test_probe(server: Server) -> None:
    serve(server, None)
    probe(ClusterConfig(server.url), "default")
    server.on("/api/v1/namespaces/nowhere", status(404, "NotFound"))
    error = refusal(server, namespace="nowhere")
    assert "nowhere does not exist" in error.message
    assert "kubectl get namespaces" in error.hint
    server.on("/api/v1/namespaces/default", status(403, "Forbidden"))
    probe(ClusterConfig(server.url), "default")
    server.on("/api/v1/namespaces/default", status(401, "Unauthorized"))
    error = refusal(server, namespace="default", auth=Auth(token="x"))
    assert "credentials" in error.message
    assert error.hint
    assert str(error).lower().count("log in") == 1
    server.on("/version", lambda e: e.reply(200, "<html>", "text/html"))
    assert "not a Kubernetes API" in refusal(server).message
    server.on("/version", stall)
    error = refusal(server, timeout=0.2)
    assert "within 0.2 s" in error.message


def test_probe_of_an_expired_certificate() -> None:
    with Server(tls="expired") as server:
        error = refusal(server, tls=Tls(ca_file=str(CERTS / "ca.pem")))
    assert "has expired" in error.message
