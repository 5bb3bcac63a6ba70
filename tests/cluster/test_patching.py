"""The door for objects that are not ours: what it lets pass, and what it sends along."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.server import Exchange, Server, status
from tui.cluster.access import ClusterConfig
from tui.cluster.audit import AuditError, AuditLog
from tui.cluster.errors import ApiError
from tui.cluster.guard import Guard, RefusedError
from tui.cluster.objects import Ref
from tui.cluster.patching import PATCHABLE, Patch, Patcher, PatchType
from tui.cluster.transport import Transport

REF = Ref("HorizontalPodAutoscaler", "here", "web")
PATH = "/apis/autoscaling/v2/namespaces/here/horizontalpodautoscalers/web"
LIVE: dict[str, Any] = {
    "apiVersion": "autoscaling/v2",
    "kind": "HorizontalPodAutoscaler",
    "metadata": {"namespace": "here", "name": "web", "uid": "u-1", "resourceVersion": "77"},
    "spec": {"maxReplicas": 2},
}
WIDER: Patch = {"spec": {"maxReplicas": 4}}
Make = Callable[..., Patcher]


@pytest.fixture
def server() -> Iterator[Server]:
    one = {"name": REF.known.plural, "kind": REF.kind, "namespaced": True}
    with Server() as running:
        running.on("/apis/autoscaling/v2", lambda e: e.reply(200, {"resources": [one]}))
        running.on(PATH, lambda e: e.reply(200, LIVE, Warning='299 - "old"'))
        yield running


@pytest.fixture
def make(server: Server, tmp_path: Path) -> Iterator[Make]:
    transports = []

    def build(guard: Guard | None = None, log: Path | None = None) -> Patcher:
        transports.append(Transport(ClusterConfig(server.url, context="lab")))
        audit = AuditLog(log or tmp_path / "audit.jsonl")
        return Patcher(transports[-1], guard or Guard("lab"), audit, lambda: 0.0)

    yield build
    for transport in transports:
        transport.close()


def written(server: Server) -> list[Exchange]:
    return [one for one in server.requests if one.path == PATH]


def test_a_patch_names_the_version_that_was_read(server: Server, make: Make) -> None:
    patched = make().patch(REF, WIDER, PatchType.MERGE, LIVE, dry_run=True)
    assert patched.warnings == ("old",)
    [asked] = written(server)
    assert asked.headers["content-type"] == "application/merge-patch+json"
    assert asked.query == {
        "fieldManager": "kscale-tui",
        "fieldValidation": "Strict",
        "dryRun": "All",
    }
    assert json.loads(asked.body) == {
        "metadata": {"uid": "u-1", "resourceVersion": "77"},
        "spec": {"maxReplicas": 4},
    }


def test_so_do_operations(server: Server, make: Make) -> None:
    operation = {"op": "replace", "path": "/spec/maxReplicas", "value": 4}
    make().patch(REF, [operation], PatchType.JSON, LIVE)
    [asked] = written(server)
    assert json.loads(asked.body) == [
        {"op": "test", "path": "/metadata/uid", "value": "u-1"},
        {"op": "replace", "path": "/metadata/resourceVersion", "value": "77"},
        operation,
    ]


BEYOND: list[tuple[Patch, PatchType]] = [
    ({"spec": {}, "metadata": {"labels": {"a": "b"}}}, PatchType.MERGE),
    ({"status": {}}, PatchType.MERGE),
    ({"spec": None}, PatchType.MERGE),
    ({"spec": {}}, PatchType.JSON),
    ([{"op": "replace", "path": "/metadata/labels", "value": {}}], PatchType.JSON),
    ([{"op": "copy", "from": "/metadata/name", "path": "/spec/x"}], PatchType.JSON),
    ([{"op": "add", "path": "/specs", "value": 1}], PatchType.JSON),
    ([{"op": "add", "path": "/spec/x", "value": 1}], PatchType.MERGE),
]


@pytest.mark.parametrize(("patch", "type"), BEYOND, ids=range(len(BEYOND)))
def test_only_the_spec_is_changed(
    server: Server, make: Make, patch: Patch, type: PatchType
) -> None:
    with pytest.raises(RefusedError, match="only change its spec"):
        make().patch(REF, patch, type, LIVE, dry_run=True)
    assert server.requests == []


def test_only_a_few_kinds_are(server: Server, make: Make) -> None:
    for kind in ("Secret", "ConfigMap", "Service", "ServiceAccount", "Role", "Node", "Pod"):
        assert kind not in PATCHABLE
        ref = Ref(kind, "here", "x")
        with pytest.raises(RefusedError, match="never patched"):
            make().patch(ref, WIDER, PatchType.MERGE, LIVE)
        with pytest.raises(RefusedError, match="never patched"):
            make().read(ref)
    assert server.requests == []


def test_the_version_must_be_of_that_object(server: Server, make: Make) -> None:
    metadata = LIVE["metadata"]
    for wrong, says in (
        ({**LIVE, "kind": "Deployment"}, "not what was read"),
        ({**LIVE, "metadata": {**metadata, "namespace": "there"}}, "not what was read"),
        ({**LIVE, "metadata": {**metadata, "name": "other"}}, "not what was read"),
        ({**LIVE, "metadata": {**metadata, "uid": ""}}, "without its version"),
        ({**LIVE, "metadata": {**metadata, "resourceVersion": None}}, "without its version"),
    ):
        with pytest.raises(RefusedError, match=says):
            make().patch(REF, WIDER, PatchType.MERGE, wrong)
    with pytest.raises(RefusedError, match="no name"):
        make().patch(Ref(REF.kind, "", "web"), WIDER, PatchType.MERGE, LIVE)
    assert server.requests == []


@pytest.mark.parametrize(
    ("guard", "typed", "says"),
    [
        (Guard("lab", read_only=True), "lab", "read-only"),
        (Guard("shop-eu", protected=("shop-*",)), "shop-eu", "protected"),
        (Guard("prod-eu"), "prod", "typed"),
    ],
    ids=range(3),
)
def test_the_guard_stands_before_every_patch(
    server: Server, make: Make, tmp_path: Path, guard: Guard, typed: str, says: str
) -> None:
    with pytest.raises(RefusedError, match=says):
        make(guard).patch(REF, WIDER, PatchType.MERGE, LIVE, typed=typed)
    assert server.requests == []
    assert not (tmp_path / "audit.jsonl").exists()


def test_every_patch_is_noted_with_what_takes_it_back(
    server: Server, make: Make, tmp_path: Path
) -> None:
    patcher = make(Guard("prod-eu"))
    patcher.patch(REF, WIDER, PatchType.MERGE, LIVE, dry_run=True)
    server.on(PATH, lambda e: e.reply(200, LIVE), status(409, "Conflict", "it is another"))
    undo = '{"spec":{"maxReplicas":2}}'
    patcher.patch(REF, WIDER, PatchType.MERGE, LIVE, rule="min-is-max", undo=undo, typed="prod-eu")
    with pytest.raises(ApiError):
        patcher.patch(REF, WIDER, PatchType.MERGE, LIVE, typed="prod-eu")
    log = [json.loads(line) for line in (tmp_path / "audit.jsonl").read_text().splitlines()]
    assert [(one["verb"], one["result"]) for one in log] == [
        ("patch", "sent"),
        ("patch", "ok"),
        ("patch", "sent"),
        ("patch", "it is another"),
    ]
    assert (log[0]["rule"], log[0]["patch"], log[0]["undo"], log[0]["uid"]) == (
        "min-is-max",
        '{"spec":{"maxReplicas":4}}',
        undo,
        "u-1",
    )
    assert "rule" not in log[2]


def test_what_cannot_be_noted_is_not_done(server: Server, make: Make, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(AuditError, match="nothing is changed"):
        make(log=tmp_path / "file" / "x").patch(REF, WIDER, PatchType.MERGE, LIVE)
    assert written(server) == []


def test_what_the_cluster_does_not_have_is_not_there(server: Server, make: Make) -> None:
    server.on(PATH, status(404, "NotFound"))
    assert make().read(REF) is None
    vpa = Ref("VerticalPodAutoscaler", "here", "web")
    assert make().read(vpa) is None
    live = {**LIVE, "apiVersion": "autoscaling.k8s.io/v1", "kind": vpa.kind}
    with pytest.raises(RefusedError, match="has no VerticalPodAutoscaler"):
        make().patch(vpa, WIDER, PatchType.MERGE, live)
