"""The door out: what it lets pass, and what it sends along."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.server import Exchange, Server, status
from tui.cluster import ownership, rights
from tui.cluster.access import ClusterConfig
from tui.cluster.apply import Writer
from tui.cluster.audit import AuditError, AuditLog, Entry
from tui.cluster.errors import ApiError, Fault
from tui.cluster.guard import Guard, RefusedError
from tui.cluster.objects import KINDS, Ref, known_kind
from tui.cluster.rights import Right
from tui.cluster.transport import Transport

REF = Ref("ConfigMap", "here", "c")
PATH = "/api/v1/namespaces/here/configmaps/c"
LABELS = {ownership.MANAGED_BY: ownership.MANAGER, ownership.SETUP: "mine"}
LIVE: dict[str, Any] = {"metadata": {"labels": LABELS, "uid": "u-1", "resourceVersion": "77"}}
Make = Callable[..., Writer]


def body(**metadata: Any) -> dict[str, Any]:
    about = {"name": "c", "namespace": "here", "labels": LABELS, **metadata}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": about, "data": {"a": "1"}}


def discovery(*, namespaced: bool = True) -> Callable[[Exchange], None]:
    one = {"name": "configmaps", "kind": "ConfigMap", "namespaced": namespaced}
    return lambda exchange: exchange.reply(200, {"resources": [one]})


def accept(exchange: Exchange) -> None:
    exchange.reply(201, exchange.body, Warning='299 - "old", 299 - "say \\"hi\\""')


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        running.on("/api/v1", discovery())
        running.on(PATH, accept)
        yield running


@pytest.fixture
def make(server: Server, tmp_path: Path) -> Iterator[Make]:
    transports = []

    def build(guard: Guard | None = None, audit: AuditLog | None = None) -> Writer:
        transports.append(Transport(ClusterConfig(server.url, context="lab")))
        log = audit or AuditLog(tmp_path / "audit.jsonl")
        return Writer(transports[-1], guard or Guard("lab"), log, lambda: 0.0)

    yield build
    for transport in transports:
        transport.close()


def sent(server: Server) -> list[Exchange]:
    """What was asked beside discovery."""
    return [one for one in server.requests if one.path != "/api/v1"]


def test_creating_asks_for_a_version_that_no_object_has(server: Server, make: Make) -> None:
    applied = make().apply(REF, body(), None)
    assert applied.created
    assert applied.warnings == ("old", 'say "hi"')
    [asked] = sent(server)
    assert asked.handler.command == "PATCH"
    assert asked.headers["content-type"] == "application/apply-patch+yaml"
    assert asked.query == {
        "fieldManager": "kscale-tui",
        "fieldValidation": "Strict",
        "force": "false",
    }
    assert json.loads(asked.body)["metadata"]["resourceVersion"] == "1"


def test_changing_names_the_version_that_was_read(server: Server, make: Make) -> None:
    make().apply(REF, body(), LIVE, dry_run=True, force=True)
    [asked] = sent(server)
    metadata = json.loads(asked.body)["metadata"]
    assert (metadata["uid"], metadata["resourceVersion"]) == ("u-1", "77")
    assert (asked.query["dryRun"], asked.query["force"]) == ("All", "true")


def test_deleting_names_it_too_and_leaves_dependents_to_the_background(
    server: Server, make: Make
) -> None:
    make().delete(REF, LIVE, "mine")
    [asked] = sent(server)
    assert asked.handler.command == "DELETE"
    assert json.loads(asked.body) == {
        "apiVersion": "v1",
        "kind": "DeleteOptions",
        "propagationPolicy": "Background",
        "preconditions": {"uid": "u-1", "resourceVersion": "77"},
    }


FOREIGN: list[dict[str, Any]] = [
    {},
    {ownership.MANAGED_BY: ownership.MANAGER},
    {ownership.SETUP: "mine"},
    {ownership.MANAGED_BY: "Helm", ownership.SETUP: "mine"},
    {**LABELS, ownership.SETUP: "another"},
]


@pytest.mark.parametrize("labels", FOREIGN, ids=range(len(FOREIGN)))
def test_what_is_not_ours_is_never_asked_about(
    server: Server, make: Make, labels: dict[str, Any]
) -> None:
    live = {"metadata": {**LIVE["metadata"], "labels": labels}}
    for dry_run in (True, False):
        with pytest.raises(RefusedError, match="belongs to"):
            make().apply(REF, body(), live, dry_run=dry_run, force=True)
    with pytest.raises(RefusedError, match="belongs to"):
        make().delete(REF, live, "mine")
    assert sent(server) == []


@pytest.mark.parametrize(
    "wrong",
    [
        body(namespace="elsewhere"),
        body(name="other"),
        body(labels={}),
        {**body(), "kind": "Secret"},
        {**body(), "apiVersion": "v2"},
    ],
    ids=range(5),
)
def test_only_what_was_planned_is_sent(server: Server, make: Make, wrong: dict[str, Any]) -> None:
    with pytest.raises(RefusedError, match="not what was planned"):
        make().apply(REF, wrong, None)
    assert sent(server) == []


def test_a_version_must_have_been_read(server: Server, make: Make) -> None:
    for missing in ("uid", "resourceVersion"):
        metadata = {k: v for k, v in LIVE["metadata"].items() if k != missing}
        with pytest.raises(RefusedError, match="without its version"):
            make().apply(REF, body(), {"metadata": metadata})
    assert sent(server) == []


def test_nothing_beyond_a_namespace_is_written(server: Server, make: Make) -> None:
    server.on("/api/v1", discovery(namespaced=False))
    with pytest.raises(RefusedError, match="belongs to a namespace"):
        make().apply(REF, body(), None)
    server.on("/api/v1", status(404, "NotFound"))
    with pytest.raises(RefusedError, match="belongs to a namespace"):
        make().delete(REF, LIVE, "mine")
    assert sent(server) == []
    # And none of the kinds that may be written is of the cluster, a secret or a right.
    names = {known.kind for known in KINDS}
    assert not names & {"Secret", "Namespace", "Node", "Role", "RoleBinding", "PersistentVolume"}


@pytest.mark.parametrize(
    ("guard", "typed", "says"),
    [
        (Guard("lab", read_only=True), "lab", "read-only"),
        (Guard("shop-eu", protected=("shop-*",)), "shop-eu", "protected"),
        (Guard("x", cluster="shop-eu", protected=("shop-*",)), "x", "protected"),
        (Guard("prod-eu"), "", "typed"),
        (Guard("prod-eu"), "prod", "typed"),
        (Guard("lab", cluster="my-production"), "", "typed"),
        (Guard("bank", production=("b*",)), "", "typed"),
    ],
    ids=range(7),
)
def test_the_guard_stands_before_every_write(
    server: Server, make: Make, tmp_path: Path, guard: Guard, typed: str, says: str
) -> None:
    with pytest.raises(RefusedError, match=says):
        make(guard).apply(REF, body(), None, typed=typed)
    with pytest.raises(RefusedError, match=says):
        make(guard).delete(REF, LIVE, "mine", typed=typed)
    assert server.requests == []
    assert not (tmp_path / "audit.jsonl").exists()


def test_what_the_guard_lets_pass(server: Server, make: Make) -> None:
    make(Guard("prod-eu")).apply(REF, body(), None, typed="prod-eu")
    make(Guard("prod-eu")).apply(REF, body(), None, dry_run=True)
    make(Guard("prod-eu", production=())).apply(REF, body(), None)
    make(Guard("product-lab", production=("prod",))).apply(REF, body(), None)
    assert len(sent(server)) == 4
    with pytest.raises(RefusedError):
        make(Guard("lab", read_only=True)).apply(REF, body(), None, dry_run=True)


def test_conflicts_come_with_managers_and_fields(server: Server, make: Make) -> None:
    causes = [
        {
            "reason": "FieldManagerConflict",
            "message": 'conflict with "kubectl-edit" using v1',
            "field": ".data.a",
        }
    ]
    answer = {
        "kind": "Status",
        "code": 409,
        "reason": "Conflict",
        "message": "Apply failed",
        "details": {"causes": causes},
    }
    server.on(PATH, lambda exchange: exchange.reply(409, answer))
    with pytest.raises(ApiError) as caught:
        make().apply(REF, body(), LIVE)
    assert caught.value.kind is Fault.CONFLICT
    assert [(c.reason, c.field) for c in caught.value.causes] == [
        ("FieldManagerConflict", ".data.a")
    ]


def lines(log: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.read_text().splitlines()]


def test_every_write_is_noted_before_and_after(server: Server, make: Make, tmp_path: Path) -> None:
    heard: list[Entry] = []
    log = AuditLog(tmp_path / "state" / "audit.jsonl", heard.append)
    writer = make(audit=log)
    writer.apply(REF, body(), None, dry_run=True)
    writer.apply(REF, body(), None)
    server.on(PATH, status(403, "Forbidden", "no\x1b[31m way"))
    with pytest.raises(ApiError):
        writer.delete(REF, LIVE, "mine")
    told = [(one["verb"], one["result"], one["uid"]) for one in lines(log.path)]
    assert told == [
        ("apply", "sent", ""),
        ("apply", "ok", ""),
        ("delete", "sent", "u-1"),
        ("delete", "no way", "u-1"),
    ]
    first = lines(log.path)[0]
    assert first["time"] == "1970-01-01T00:00:00.000Z"
    assert (first["context"], first["kind"], first["name"]) == ("lab", "ConfigMap", "c")
    assert [one.result for one in heard] == ["ok", "no way"]
    assert stat.S_IMODE(os.stat(log.path).st_mode) == 0o600
    assert stat.S_IMODE(os.stat(log.path.parent).st_mode) == 0o700


def test_what_cannot_be_noted_is_not_done(server: Server, make: Make, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(AuditError, match="nothing is changed"):
        make(audit=AuditLog(tmp_path / "file" / "audit.jsonl")).apply(REF, body(), None)
    elsewhere = tmp_path / "link.jsonl"
    elsewhere.symlink_to(tmp_path / "target")
    with pytest.raises(AuditError):
        make(audit=AuditLog(elsewhere)).delete(REF, LIVE, "mine")
    assert sent(server) == []
    assert not (tmp_path / "target").exists()


def test_the_log_begins_anew_when_it_is_long(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.cluster.audit._LARGEST", 1000)
    writer = make()
    for _ in range(4):
        writer.apply(REF, body(), None)
    assert (tmp_path / "audit.old.jsonl").exists()
    assert (tmp_path / "audit.jsonl").stat().st_size < 1000


def test_rights_are_asked_for_and_named(server: Server, make: Make) -> None:
    where = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"

    def review(exchange: Exchange) -> None:
        asked = json.loads(exchange.body)["spec"]["resourceAttributes"]
        assert asked["group"] == "apps"
        exchange.reply(201, {"status": {"allowed": asked["verb"] != "delete"}})

    kind = known_kind("Deployment")
    assert kind is not None
    server.on(where, review)
    transport = Transport(ClusterConfig(server.url))
    wanted = [Right(verb, kind, "here") for verb in ("get", "delete")]
    assert [str(one) for one in rights.missing(transport, wanted)] == [
        "delete deployments in namespace here"
    ]
    server.on(where, status(403, "Forbidden"))
    assert rights.missing(transport, wanted) == ()
    server.on(where, status(503, "ServiceUnavailable"))
    with pytest.raises(ApiError):
        rights.missing(transport, wanted)
    transport.close()
