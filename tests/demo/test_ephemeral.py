"""Ephemeral containers, as ``kubectl debug`` adds them to a pod that runs."""

from __future__ import annotations

import msgspec

from tests.demo.conftest import Build
from tui.demo import resources
from tui.demo.api.operations import Writer
from tui.demo.api.requests import Request, Response
from tui.demo.cluster import Cluster
from tui.demo.store import Object

BY = Writer("test")
PATH = "/api/v1/namespaces/default/pods/one/ephemeralcontainers"
STRATEGIC = {"content-type": "application/strategic-merge-patch+json"}
ECHO: Object = {"name": "look", "image": "busybox", "command": ["echo", "hi"]}


def _answer(cluster: Cluster, method: str, body: Object | None = None) -> tuple[int, Object]:
    sent = msgspec.json.encode(body) if body is not None else b""
    got = cluster.handlers.respond(Request(method, PATH, {}, STRATEGIC, sent))
    assert isinstance(got, Response)
    answer: Object = msgspec.json.decode(got.body)
    return got.status, answer


def _add(cluster: Cluster, *containers: Object) -> tuple[int, Object]:
    return _answer(cluster, "PATCH", {"spec": {"ephemeralContainers": list(containers)}})


def _with_pod(build: Build) -> Cluster:
    cluster = build()
    container = {"name": "c", "image": "nginx"}
    pod = {"metadata": {"name": "one"}, "spec": {"containers": [container]}}
    cluster.api.create(resources.PODS, "default", pod, BY)
    cluster.clock.advance(30)
    return cluster


def test_one_runs_once_and_leaves_its_log(build: Build) -> None:
    cluster = _with_pod(build)
    status, pod = _add(cluster, ECHO)
    assert (status, pod["spec"]["ephemeralContainers"][0]["imagePullPolicy"]) == (200, "Always")
    cluster.clock.advance(30)
    _, pod = _answer(cluster, "GET")
    [shown] = pod["status"]["ephemeralContainerStatuses"]
    assert (shown["name"], shown["restartCount"]) == ("look", 0)
    assert shown["state"]["terminated"]["reason"] == "Completed"
    assert (pod["status"]["phase"], pod["status"]["containerStatuses"][0]["ready"]) == (
        "Running",
        True,
    )
    log = Request("GET", "/api/v1/namespaces/default/pods/one/log", {"container": "look"}, {})
    answered = cluster.handlers.respond(log)
    assert isinstance(answered, Response)
    assert answered.body == b"hi\n"
    assert "Started" in {
        event.data["reason"]
        for event in cluster.store.list_at(resources.EVENTS.storage, "default", None)
        if "ephemeralContainers{look}" in event.data["involvedObject"].get("fieldPath", "")
    }
    cluster.api.delete(resources.PODS, "default", "one")
    cluster.clock.advance(60)
    assert _answer(cluster, "GET")[0] == 404


def test_they_neither_change_nor_go_nor_come_with_the_pod(build: Build) -> None:
    cluster = _with_pod(build)
    _add(cluster, ECHO)
    for changed, why in (
        (ECHO | {"image": "other"}, '"look" may not be changed'),
        ({"name": "c", "image": "busybox"}, 'Duplicate value: "c"'),
        ({"name": "more"}, "Required value"),
        ({"name": "m", "image": "i", "targetContainerName": "x"}, 'Not found: "x"'),
        ({"name": "look", "$patch": "delete"}, '"look" may not be removed'),
    ):
        status, told = _add(cluster, changed)
        assert (status, why in told["message"]) == (422, True), told
    pod = {"name": "b", "image": "busybox"}
    body = {
        "metadata": {"name": "two"},
        "spec": {"containers": [pod], "ephemeralContainers": [pod]},
    }
    request = Request("POST", "/api/v1/namespaces/default/pods", {}, {}, msgspec.json.encode(body))
    refused = cluster.handlers.respond(request)
    assert isinstance(refused, Response)
    assert (refused.status, b"cannot be set on create" in refused.body) == (422, True)
