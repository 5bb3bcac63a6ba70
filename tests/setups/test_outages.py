"""Answers that get lost, servers that go away, programs that are killed: nothing stays half."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.needs import posix
from tests.setups.place import Place
from tui.cluster.access import ClusterConfig
from tui.cluster.errors import ApiError, Fault
from tui.cluster.halt import Halt
from tui.cluster.transport import Response, Transport

NGINX = {"ConfigMap nginx-config", "Service nginx-svc", "Deployment nginx-proxy"}


class Lossy(Transport):
    """Loses one request: before it is sent, or its answer."""

    def __init__(self, config: ClusterConfig, which: int, *, after: bool) -> None:
        super().__init__(config)
        self.left = which
        self.after = after
        self.lost = ""

    def request(self, method: str, path: str, *args: Any, **more: Any) -> Response:
        self.left -= 1
        if self.left == 0:
            self.lost = f"{method} {path}"
            if self.after:
                super().request(method, path, *args, **more)
            raise ApiError(Fault.BROKEN, "The connection was cut.")
        return super().request(method, path, *args, **more)


@pytest.fixture
def app(place: Place) -> Place:
    place.create("Service", "fastapi-svc", spec={"selector": {"app": "x"}, "ports": [{"port": 80}]})
    return place


@pytest.mark.parametrize("after", [False, True], ids=["request lost", "answer lost"])
def test_an_apply_and_a_delete_get_over_any_lost_request(app: Place, after: bool) -> None:
    config = app.transport.config
    plan = app.setups().plan("nginx", app.namespace, {"node-port": app.port})
    lost = []
    for which in range(1, 9):
        lossy = Lossy(config, which, after=after)
        ended = app.setups(transport=lossy).apply(plan, app.steps.append, wait=20)
        assert ended.good, (lossy.lost, ended.failure)
        assert app.labelled() == NGINX
        lost.append(lossy.lost)
        deletion = app.setups().deletion("nginx", app.namespace)
        lossy = Lossy(config, which, after=after)
        gone = app.setups(transport=lossy).delete(deletion, app.steps.append, wait=20)
        assert gone.good, (lossy.lost, gone.failure)
        assert app.labelled() == set()
        lost.append(lossy.lost)
    assert {one.partition(" ")[0] for one in lost} >= {"GET", "PATCH", "DELETE"}


def test_what_was_made_when_the_answer_was_lost_is_taken_back_too(app: Place) -> None:
    plan = app.setups().plan("nginx", app.namespace, {"node-port": app.port})
    for which in range(1, 9):
        lossy = Lossy(app.transport.config, which, after=True)
        ended = app.setups(transport=lossy).apply(plan, app.steps.append, wait=20)
        assert {str(ref) for ref, _ in ended.created} == NGINX, lossy.lost
        assert app.setups().undo(ended, app.steps.append).good
        assert app.labelled() == set()


def test_a_stopped_apply_is_completed_by_another_or_deleted(app: Place) -> None:
    setups = app.setups()
    plan = setups.plan("nginx", app.namespace, {"node-port": app.port})
    halt = Halt()

    def stop(step: Any) -> None:
        app.steps.append(step)
        halt.stop()

    ended = setups.apply(plan, stop, halt=halt)
    assert ended.failure is not None
    assert ended.failure.reason == "Stopped"
    assert app.labelled() == {"ConfigMap nginx-config"}
    assert [str(ref) for ref in ended.left] == ["Service nginx-svc", "Deployment nginx-proxy"]
    assert app.apply("nginx").good
    assert app.delete("nginx").good


def test_a_server_that_stays_away_is_told(app: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.setups.site.OUTAGE", 0.1)
    setups = app.setups()
    plan = setups.plan("nginx", app.namespace, {"node-port": app.port})
    away = Transport(ClusterConfig("http://127.0.0.1:9"))
    ended = app.setups(transport=away).apply(plan, app.steps.append)
    assert ended.failure is not None
    assert "127.0.0.1:9" in ended.failure.sentence
    assert len(ended.left) == 3
    assert app.labelled() == set()
    found = app.setups(transport=away).statuses(app.namespace)
    assert {one.state.value for one in found} == {"unknown"}


@posix
@pytest.mark.parametrize("seed", range(3))
def test_killed_at_any_moment_it_can_be_deleted(app: Place, seed: int, tmp_path: Path) -> None:
    rng = random.Random(seed)
    line, delay = rng.randrange(1, 7), rng.uniform(0, 0.01)
    stranger = app.raw("Service", "fastapi-svc")
    command = [sys.executable, "-m", "tui", "setups", "apply", "nginx", "--yes"]
    command += ["--kubeconfig", app.transport.config.source, "-n", app.namespace]
    command += ["--set", f"node-port={app.port}", "--wait", "20"]
    audit = tmp_path / "killed.jsonl"
    child = subprocess.Popen(
        command,
        env={**os.environ, "KSCALE_AUDIT_LOG": str(audit)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    deadline = time.monotonic() + 30
    while child.poll() is None and time.monotonic() < deadline:
        if audit.exists() and audit.read_bytes().count(b"\n") >= line:
            break
        time.sleep(0.001)
    time.sleep(delay)
    child.send_signal(signal.SIGKILL)
    _, said = child.communicate()
    assert audit.exists(), said
    if seed % 2:
        assert app.apply("nginx").good
        assert app.labelled() == NGINX
    assert app.delete("nginx").good
    assert app.labelled() == set()
    assert app.raw("Service", "fastapi-svc") == stranger
