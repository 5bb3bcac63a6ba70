"""Whole objects as they are read: what is no such object is refused where it enters."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.cluster.server import Server
from tui.cluster.access import ClusterConfig
from tui.cluster.errors import ApiError, Fault
from tui.cluster.objects import EVENTS, PODS, Listing, Objects, Ref, known_kind
from tui.cluster.transport import Transport

DEPLOYMENTS = "/apis/apps/v1/namespaces/here/deployments"
NAMED = {"metadata": {"name": "a"}}


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        yield running


@pytest.fixture
def objects(server: Server) -> Iterator[Objects]:
    transport = Transport(ClusterConfig(server.url))
    yield Objects(transport)
    transport.close()


def answer(server: Server, path: str, body: Any) -> None:
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    server.on(path, lambda exchange: exchange.reply(200, sent))


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        7,
        {},
        {"metadata": None},
        {"metadata": []},
        {"metadata": {}},
        {"metadata": {"name": 5}},
        {"metadata": {"name": "a", "labels": []}},
        {"metadata": {"name": "a", "annotations": {"a": 1}}},
        {"metadata": {"name": "a", "managedFields": [None]}},
        {"metadata": {"name": "a", "ownerReferences": {"a": 1}}},
        {**NAMED, "spec": []},
        {**NAMED, "spec": {"replicas": "x"}},
        {**NAMED, "spec": {"replicas": 10**40}},
        {**NAMED, "spec": {"selector": {"matchLabels": 1}}},
        {**NAMED, "spec": {"template": {"spec": {"containers": [None]}}}},
        {**NAMED, "status": []},
        {**NAMED, "status": {"conditions": {"a": 1}}},
        {**NAMED, "status": {"conditions": [None]}},
        {**NAMED, "status": {"readyReplicas": "many"}},
    ],
    ids=lambda body: str(body)[:60],
)
def test_an_answer_of_another_shape_is_a_bad_reply(
    server: Server, objects: Objects, body: Any
) -> None:
    known = known_kind("Deployment")
    assert known is not None
    answer(server, f"{DEPLOYMENTS}/a", body)
    answer(server, DEPLOYMENTS, {"items": [body]})
    with pytest.raises(ApiError, match="The server's answer for deployments") as one:
        objects.get(Ref("Deployment", "here", "a"))
    with pytest.raises(ApiError, match="The server's answer for deployments") as many:
        objects.list(known, "here")
    assert {one.value.kind, many.value.kind} == {Fault.BAD_REPLY}


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"[" * 5000], ids=lambda body: body[:5])
def test_what_is_no_json_is_a_bad_reply(server: Server, objects: Objects, body: bytes) -> None:
    answer(server, f"{DEPLOYMENTS}/a", body)
    with pytest.raises(ApiError, match="cannot be read") as found:
        objects.get(Ref("Deployment", "here", "a"))
    assert found.value.kind is Fault.BAD_REPLY


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"items": {"a": 1}},
        {"items": "abc"},
        {"items": [None]},
        {"metadata": [], "items": []},
        {"metadata": {"continue": 5}, "items": []},
    ],
    ids=str,
)
def test_what_is_no_list_is_a_bad_reply(server: Server, objects: Objects, body: Any) -> None:
    answer(server, "/api/v1/namespaces/here/pods", body)
    with pytest.raises(ApiError, match="for pods is not what Kubernetes sends") as found:
        objects.list(PODS, "here")
    assert found.value.kind is Fault.BAD_REPLY


@pytest.mark.parametrize(
    ("what", "item"),
    [
        (PODS, {**NAMED, "status": {"containerStatuses": [{"state": {"waiting": "x"}}]}}),
        (PODS, {**NAMED, "status": {"conditions": "x"}}),
        (EVENTS, {**NAMED, "involvedObject": []}),
        (EVENTS, {**NAMED, "message": 5}),
    ],
)
def test_each_kind_is_held_against_its_own_shape(
    server: Server, objects: Objects, what: Listing, item: Any
) -> None:
    answer(server, f"/api/v1/namespaces/here/{what.plural}", {"items": [item]})
    with pytest.raises(ApiError, match="in item 1 of 1"):
        objects.list(what, "here")


def test_it_says_what_was_expected_and_where(server: Server, objects: Objects) -> None:
    answer(server, f"{DEPLOYMENTS}/a", {**NAMED, "spec": {"replicas": "x"}})
    with pytest.raises(ApiError) as found:
        objects.get(Ref("Deployment", "here", "a"))
    assert found.value.message == (
        "The server's answer for deployments is not what Kubernetes sends (expected a whole "
        "number, got text at spec.replicas)."
    )


def test_nulls_and_unknown_fields_pass(server: Server, objects: Objects) -> None:
    body = {
        "metadata": {"name": "a", "labels": None, "creationTimestamp": None, "managedFields": None},
        "spec": {"template": {"metadata": {"creationTimestamp": None}, "spec": {}}, "paused": 1},
        "status": None,
    }
    answer(server, f"{DEPLOYMENTS}/a", body)
    assert objects.get(Ref("Deployment", "here", "a")) == body
    answer(server, "/api/v1/namespaces/here/pods", {"metadata": {}, "items": None})
    assert objects.list(PODS, "here") == []
