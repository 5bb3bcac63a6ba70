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
from tui.demo import faults, resources
from tui.demo.api import watching
from tui.demo.api.operations import Writer
from tui.demo.clock import Clock
from tui.demo.cluster import AGE, Cluster
from tui.demo.traffic import Wave

RECORDED = Path(__file__).parents[2] / "fixtures" / "clusters" / "api-errors" / "requests.jsonl"
CASES: list[dict[str, Any]] = [
    msgspec.json.decode(line) for line in RECORDED.read_bytes().splitlines()
]
ADDRESS = re.compile(r"\b10(\.\d+){3}\b")
UID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def _state(name: str) -> str:
    """What was special when a request was recorded."""
    states = {"connection-refused": "refused", "too-many": "throttled"}
    states |= {"terminating": "terminating", "410-": "compacted", "metrics-absent": "absent"}
    states |= {
        "metrics-unavailable": "down",
        "pod-count": "full",
        "quota": "quota",
        "pdb": "budget",
    }
    states |= {"webhook": "webhook", "-namespace": "emptying", "readonly": "reader"}
    if "again" in name:
        return "terminating"
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
    if state in ("quota", "full", "emptying"):
        cluster.api.create(resources.NAMESPACES, "", {"metadata": {"name": "quota-lab"}}, TEST)
    if state in ("quota", "full"):
        hard = {"requests.cpu": "200m", "pods": "1"}
        quota = {"metadata": {"name": "small"}, "spec": {"hard": hard}}
        cluster.api.create(resources.RESOURCE_QUOTAS, "quota-lab", quota, TEST)
    if state == "full":
        asked = {"requests": {"cpu": "10m"}}
        container = {"name": "a", "image": "busybox:latest", "resources": asked}
        pod = {"metadata": {"name": "c"}, "spec": {"containers": [container]}}
        cluster.api.create(resources.PODS, "quota-lab", pod, TEST)
    if state == "budget":
        selector = {"matchLabels": {"app": "caddy-proxy"}}
        budget = {"metadata": {"name": "lab-pdb"}, "spec": {"minAvailable": 1}}
        budget["spec"]["selector"] = selector
        cluster.api.create(resources.DISRUPTION_BUDGETS, "default", budget, TEST)
        cluster.clock.advance(5)
    if state == "webhook":
        cluster.api.create(resources.VALIDATING_WEBHOOKS, "", WEBHOOK, TEST)
    if state == "reader":
        _grant(cluster)
    if state == "absent":
        cluster.api.delete(resources.API_SERVICES, "", "v1beta1.metrics.k8s.io")
    if state == "refused":
        service = cluster.api.get(resources.SERVICES, "kube-system", "metrics-server")

        def elsewhere(data: dict[str, Any]) -> None:
            data["spec"]["ports"][0]["targetPort"] = 9999

        cluster.api.change(resources.SERVICES, service, elsewhere, TEST)
        cluster.clock.advance(10)
    if state == "down":
        deployment = cluster.api.get(resources.DEPLOYMENTS, "kube-system", "metrics-server")

        def to_zero(data: dict[str, Any]) -> None:
            data["spec"]["replicas"] = 0

        cluster.api.change(resources.DEPLOYMENTS, deployment, to_zero, TEST)
        cluster.clock.advance(10)
    return cluster


TEST = Writer("test")
WEBHOOK: dict[str, Any] = {
    "metadata": {"name": "lab"},
    "webhooks": [
        {
            "name": "hook.lab.example",
            "clientConfig": {"url": "https://127.0.0.1:9/x"},
            "timeoutSeconds": 2,
            "objectSelector": {"matchLabels": {"lab": "hook"}},
            "rules": [
                {
                    "operations": ["CREATE"],
                    "apiGroups": [""],
                    "apiVersions": ["v1"],
                    "resources": ["configmaps"],
                }
            ],
        }
    ],
}


def _grant(cluster: Cluster) -> None:
    """The rights of the reader who was recorded."""
    read = ["get", "list", "watch"]
    groups = {"apps": "deployments", "autoscaling": "horizontalpodautoscalers"}
    rules = [{"verbs": read, "apiGroups": [""], "resources": ["pods", "events"]}]
    rules += [
        {"verbs": read, "apiGroups": [group], "resources": [name]} for group, name in groups.items()
    ]
    rules.append({"verbs": read, "apiGroups": ["events.k8s.io"], "resources": ["events"]})
    nodes = [{"verbs": read, "apiGroups": [""], "resources": ["nodes"]}]
    subjects = [{"kind": "User", "name": "student-readonly"}]
    for role, binding, kind, where, given in (
        (resources.ROLES, resources.ROLE_BINDINGS, "Role", "default", rules),
        (resources.CLUSTER_ROLES, resources.CLUSTER_ROLE_BINDINGS, "ClusterRole", "", nodes),
    ):
        name = {"name": "readonly"}
        cluster.api.create(role, where, {"metadata": dict(name), "rules": given}, TEST)
        reference = {"roleRef": {"kind": kind, "name": "readonly"}, "subjects": subjects}
        cluster.api.create(binding, where, {"metadata": dict(name)} | reference, TEST)


def _path(cluster: Cluster, path: str) -> str:
    pods = cluster.store.list_at(resources.PODS.storage, "default", None)
    nginx = next(pod.name for pod in pods if pod.name.startswith("nginx-proxy"))
    path = re.sub(r"nginx-proxy-\w+-\w+", nginx, path)
    caddy = next(pod.name for pod in pods if pod.name.startswith("caddy-proxy"))
    path = re.sub(r"caddy-proxy-\w+-\w+", caddy, path)
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
    state = _state(case["name"])
    cluster = _cluster(state)
    request = case["request"]
    headers = {k: v.replace("<scrubbed>", "wrong") for k, v in request.get("headers", {}).items()}
    token = None if case["name"] == "403-anonymous-pods" else "a token for tests"
    if "readonly" in case["name"]:
        headers["Impersonate-User"] = "student-readonly"
    async with Http(cluster) as http:
        if state == "throttled":
            http.server.faulty.set(faults.parse(f"throttle:after={case['retryAfter']}"))
        async with asyncio.timeout(10):
            got = await http(
                request["method"],
                _path(cluster, request["path"]),
                request.get("body"),
                headers,
                token,
            )
    assert (got.status, got.headers["Content-Type"]) == (case["status"], case["contentType"])
    assert got.headers.get("Retry-After") == case.get("retryAfter")
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
        shown = got.json["status"]["conditions"]
        assert [{k: ADDRESS.sub("IP", one[k]) for k in compared} for one in shown] == [
            {k: ADDRESS.sub("IP", one[k]) for k in compared} for one in case["conditions"]
        ]
    elif "freshness" in case:
        groups = got.json["items"]
        fresh = {
            f"{group['metadata']['name']}/{version['version']}": version["freshness"]
            for group in groups
            for version in group["versions"]
        }
        assert fresh.items() <= case["freshness"].items()
        assert case["stale"] in groups
    elif "namespace" in case:
        shown = got.json
        assert shown["spec"] == case["namespace"]["spec"]
        assert shown["status"]["phase"] == case["namespace"]["status"]["phase"]
        assert shown["metadata"]["labels"] == case["namespace"]["labels"]
    elif "review" in case:
        _compare_review(case["review"], got.json)
    elif "managers" in case:
        _compare_apply(case, got)
    elif case["body"].get("kind", "Status") == "Status":
        assert _said(got.json) == _said(case["body"])
        assert got.json.get("metadata", {}).keys() == case["body"]["metadata"].keys()
    else:
        assert got.json["items"] == case["body"]["items"]


def _compare_review(review: dict[str, Any], shown: dict[str, Any]) -> None:
    rules = review["status"].pop("resourceRules", [])
    others = review["status"].pop("nonResourceRules", [])
    assert {part: shown[part] for part in ("kind", "spec")} == {
        part: review[part] for part in ("kind", "spec")
    }

    def verbs(listed: list[dict[str, Any]], key: str) -> set[tuple[str, ...]]:
        return {
            (verb, *one.get("apiGroups", ()), name)
            for one in listed
            for verb in one["verbs"]
            for name in one[key]
        }

    status = shown["status"]
    mine, mine_too = status.pop("resourceRules", []), status.pop("nonResourceRules", [])
    assert status == review["status"]
    assert verbs(mine, "resources") == verbs(rules, "resources")
    # This cluster has no OpenID issuer, whose path the real one lets everybody read.
    known = {one for one in verbs(others, "nonResourceURLs") if "well-known" not in one[-1]}
    assert verbs(mine_too, "nonResourceURLs") == known


def _compare_apply(case: dict[str, Any], got: Answer) -> None:
    shown = got.json
    assert _managers(shown["metadata"]["managedFields"]) == _managers(case["managers"])
    assert shown["spec"] == case["spec"]


def _managers(entries: list[dict[str, Any]]) -> dict[tuple[str, str, str], Any]:
    return {
        (one["manager"], one["operation"], one.get("subresource", "")): one["fieldsV1"]
        for one in entries
    }
