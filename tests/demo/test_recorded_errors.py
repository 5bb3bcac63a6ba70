"""Requests that a real Kubernetes 1.36 refused (or answered oddly), put to the embedded one."""

from __future__ import annotations

import asyncio
import functools
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.demo.http import Answer, Http
from tui.demo import resources
from tui.demo.api import watching
from tui.demo.api.operations import Writer
from tui.demo.clock import Clock
from tui.demo.cluster import AGE, Cluster
from tui.demo.traffic import Wave

RECORDED = Path(__file__).parents[2] / "fixtures" / "clusters" / "api-errors" / "requests.jsonl"
CASES: list[dict[str, Any]] = [
    msgspec.json.decode(line) for line in RECORDED.read_bytes().splitlines()
]
UID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def _state(name: str) -> str:
    """What was special when a request was recorded."""
    states = {"terminating": "terminating", "410-": "compacted", "metrics-absent": "absent"}
    states["no-endpoints"] = "down"
    return next((state for part, state in states.items() if part in name), "")


@functools.cache
def _cluster(state: str) -> Cluster:
    """A cluster in that state; no request changes it."""
    cluster = Cluster(Clock(history=AGE), wave=Wave())
    cluster.bring_up()
    cluster.clock.advance(60)  # the HPA has scaled, so it owns the replicas
    if state == "terminating":
        cluster.api.create(resources.NAMESPACES, "", {"metadata": {"name": "quota-lab"}}, TEST)
        held = {"metadata": {"name": "held", "finalizers": ["example.org/wait"]}}
        cluster.api.create(resources.CONFIG_MAPS, "quota-lab", held, TEST)
        cluster.api.delete(resources.NAMESPACES, "", "quota-lab")
    if state == "compacted":
        cluster.store.compact()
    if state == "absent":
        cluster.api.delete(resources.API_SERVICES, "", "v1beta1.metrics.k8s.io")
    if state == "down":
        deployment = cluster.api.get(resources.DEPLOYMENTS, "kube-system", "metrics-server")

        def to_zero(data: dict[str, Any]) -> None:
            data["spec"]["replicas"] = 0

        cluster.api.change(resources.DEPLOYMENTS, deployment, to_zero, TEST)
        cluster.clock.advance(10)
    return cluster


TEST = Writer("test")


def _path(cluster: Cluster, path: str) -> str:
    pods = cluster.store.list_at(resources.PODS.storage, "default", None)
    nginx = next(pod.name for pod in pods if pod.name.startswith("nginx-proxy"))
    path = re.sub(r"nginx-proxy-\w+-\w+", nginx, path)
    return re.sub(r"timeoutSeconds=\d+", "timeoutSeconds=1", path)


def _said(status: dict[str, Any]) -> dict[str, Any]:
    """What a Status says, without what differs from cluster to cluster."""
    details = dict(status.get("details") or {})
    causes = sorted(
        (cause.get("field", ""), cause.get("reason", ""), cause["message"])
        for cause in details.pop("causes", ())
    )
    message = UID.sub("UID", status.get("message", ""))
    message = re.sub(r"nginx-proxy-\w+-\w+", "POD", message)
    message = re.sub(r"(too old resource version: \d+ )\(\d+\)", r"\1(N)", message)
    message = re.sub(r"current: \d+", "current: N", message)
    kept = ("status", "reason", "code")
    return {name: status.get(name) for name in kept} | {
        "message": message,
        "causes": causes,
        "details": details,
    }


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
async def test_answers_as_recorded(case: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "LONGEST", 0.2)
    cluster = _cluster(_state(case["name"]))
    request = case["request"]
    headers = {k: v.replace("<scrubbed>", "wrong") for k, v in request.get("headers", {}).items()}
    token = None if case["name"] == "403-anonymous-pods" else "a token for tests"
    async with Http(cluster) as http:
        async with asyncio.timeout(10):
            got = await http(
                request["method"],
                _path(cluster, request["path"]),
                request.get("body"),
                headers,
                token,
            )
    assert (got.status, got.headers["Content-Type"]) == (case["status"], case["contentType"])
    _compare(case, got)


def _compare(case: dict[str, Any], got: Answer) -> None:
    if "text" in case:
        assert got.text == case["text"]
    elif "lines" in case:
        lines = [msgspec.json.decode(line) for line in got.content.splitlines()]
        recorded = [line["type"] for line in case["lines"]]
        assert {line["type"] for line in lines} == set(recorded)
        assert [line["type"] for line in lines][-1:] == recorded[-1:]
        for line, expected in zip(lines, case["lines"], strict=False):
            if expected["type"] == "ERROR":
                assert _said(line["object"]) == _said(expected["object"])
    elif "conditions" in case:
        compared = ("type", "status", "reason", "message")
        conditions = got.json["status"]["conditions"]
        assert [{k: one[k] for k in compared} for one in conditions] == [
            {k: one[k] for k in compared} for one in case["conditions"]
        ]
    elif "managers" in case:
        _compare_apply(case, got)
    elif case["body"]["kind"] == "Status":
        assert _said(got.json) == _said(case["body"])
        assert got.json.get("metadata", {}).keys() == case["body"]["metadata"].keys()
    else:
        assert got.json["items"] == case["body"]["items"]


def _compare_apply(case: dict[str, Any], got: Answer) -> None:
    shown = got.json
    assert _managers(shown["metadata"]["managedFields"]) == _managers(case["managers"])
    assert shown["spec"] == case["spec"]


def _managers(entries: list[dict[str, Any]]) -> dict[tuple[str, str, str], Any]:
    return {
        (one["manager"], one["operation"], one.get("subresource", "")): one["fieldsV1"]
        for one in entries
    }
