"""``kscale-tui burst svc/NAME`` on the embedded cluster, and what the settings allow."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.load.server import Server, ok
from tests.load.serving import serving
from tui.cli import cli
from tui.commands.burst_target import Aim, UnreachableError, aimed
from tui.load.plan import PlanError


@pytest.fixture(scope="module")
def kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Of an embedded cluster whose pods are ready soon."""
    path = tmp_path_factory.mktemp("cluster") / "kubeconfig"
    command = [sys.executable, "-m", "tui", "cluster", "--ready-json", "--speed", "20"]
    child = subprocess.Popen(
        [*command, "--kubeconfig-out", str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert child.stdout is not None
        assert child.stdout.readline()
        yield path
    finally:
        child.terminate()
        child.communicate(timeout=5)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving(ok) as running:
        yield running


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("KUBECONFIG", raising=False)
    return tmp_path


def burst(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tui", "burst", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert "Traceback" not in done.stderr
    return done


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[object, str]:
    """The exit code and the one sentence of a burst that is never fired."""
    with pytest.raises(SystemExit) as caught:
        cli(["burst", *arguments], prog_name="kscale-tui")
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 1
    return caught.value.code, err


def answered(kubeconfig: Path, service: str, *more: str) -> dict[str, Any]:
    """The result of a burst at a Service whose pods may only just have become ready."""
    for attempt in range(20):
        where = service.format(attempt)
        done = burst(where, "--kubeconfig", str(kubeconfig), "--json", *more)
        if done.returncode == 0:
            found: dict[str, Any] = json.loads(done.stdout)
            return found
    raise AssertionError(done.stderr)


def test_a_service_is_loaded_by_its_route_and_its_pods_are_counted(
    kubeconfig: Path, home: Path
) -> None:
    found = answered(kubeconfig, "svc/caddy-svc", "-n", "60", "-c", "6")
    assert found["asked"]["url"].startswith("http://127.0.0.1:")
    assert found["responses"] == 60
    assert sum(found["pods"].values()) == found["good"] > 0
    assert all(pod.startswith("fastapi-deploy-") for pod in found["pods"])
    # They are compared with one another, not with the proxy that passed the requests on.
    assert set(found["pods"]) <= set(found["chances"])
    assert all(pod.startswith("fastapi-deploy-") for pod in found["chances"])


def test_where_answers_name_no_pod_the_access_logs_tell(kubeconfig: Path, home: Path) -> None:
    # A path of its own each time: this cluster's clock is so fast that lines of before count.
    found = answered(kubeconfig, "svc/nginx-svc/docs?attempt={}", "-n", "40", "-c", "4")
    assert sum(found["pods"].values()) == found["responses"] == 40
    assert all(pod.startswith("nginx-") for pod in found["pods"])
    assert sum(found["chances"].values()) == pytest.approx(1)


def test_a_path_and_a_port_may_follow_the_name(kubeconfig: Path, home: Path) -> None:
    found = answered(kubeconfig, "service/nginx-svc:80/nginx-health", "-n", "4", "-c", "1")
    assert found["asked"]["url"].endswith("/nginx-health")
    assert (found["good"], found["pods"]) == (4, {})


def test_a_service_inside_is_reached_past_kube_proxy_and_that_is_said(
    kubeconfig: Path, home: Path
) -> None:
    answered(kubeconfig, "svc/fastapi-svc", "-n", "1")
    done = burst("svc/fastapi-svc", "--kubeconfig", str(kubeconfig), "-n", "5", "-c", "1")
    assert "port-forward" in done.stderr
    assert "kube-proxy has no part" in done.stderr
    assert "[200]\t5 responses" in done.stdout
    done = burst("svc/fastapi-svc", "--kubeconfig", str(kubeconfig), "-n", "300", "-c", "257")
    assert (done.returncode, done.stdout) == (2, "")
    assert "port-forward to its pods, past the Service carries 256 connections" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["svc/none"], 1, "There is no Service none in namespace default"),
        (["svc/none", "--namespace", "nowhere"], 1, "nowhere does not exist"),
        (["svc/nginx-svc:81"], 1, "81"),
        (["svc/nginx-svc", "--context", "nobodys"], 1, "nobodys"),
        (["svc/nginx-svc", "-c", "1001"], 2, "limit of 1000"),
        (["svc/nginx-svc", "-z", "soon"], 2, "soon"),
        (["pod/web"], 2, "svc/NAME"),
        (["svc/"], 2, "svc/NAME"),
    ],
)
def test_what_cannot_be_is_a_sentence(
    kubeconfig: Path,
    home: Path,
    arguments: list[str],
    code: int,
    said: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    exit_code, sentence = refused(capsys, *arguments, "--kubeconfig", str(kubeconfig))
    assert exit_code == code
    assert said in sentence


def test_no_kubeconfig_is_a_failure_that_says_so(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(home / "none"))
    code, sentence = refused(capsys, "svc/nginx-svc")
    assert (code, str(home / "none") in sentence) == (1, True)


def test_a_url_needs_no_cluster() -> None:
    with aimed("http://127.0.0.1:1/", None, None, None) as aim:
        assert aim == Aim("http://127.0.0.1:1/")
        assert not aim.service
    with pytest.raises(PlanError, match="svc/NAME"), aimed("http://a/", "shop", None, None):
        pass


@pytest.mark.parametrize("path", ["//elsewhere.example/", "/@elsewhere.example", "/?a=b"])
def test_a_path_never_leads_to_another_host(kubeconfig: Path, home: Path, path: str) -> None:
    with (
        contextlib.suppress(UnreachableError),
        aimed(f"svc/nginx-svc{path}", None, None, str(kubeconfig)) as aim,
    ):
        assert aim.url.startswith("http://127.0.0.1:")
        assert aim.url.endswith(path)


# The settings.


def settings(home: Path, text: str) -> list[str]:
    path = home / "settings.toml"
    path.write_text(text)
    return ["--config", str(path)]


def test_only_the_settings_raise_the_limits(
    server: Server, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    raised = settings(home, "[load]\nmax-connections = 1100\n")
    assert refused(capsys, server.url, "-n", "5", "-c", "1001")[0] == 2
    assert burst(server.url, "-n", "1100", "-c", "1001", *raised).returncode == 0
    lowered = settings(home, "[load]\nmax-minutes = 0.01\nmax-rate = 50\n")
    assert "limit of 0.6 s" in refused(capsys, server.url, "-z", "1s", *lowered)[1]
    assert "limit of 50" in refused(capsys, server.url, "-n", "1", "--rate", "60", *lowered)[1]


def test_hosts_of_the_settings_may_be_loaded(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    named = settings(home, '[load]\nallow-hosts = ["nowhere.invalid"]\n')
    url = "http://nowhere.invalid/"
    code, sentence = refused(capsys, url, "-n", "1")
    assert (code, "not loaded" in sentence) == (2, True)
    tried = burst(url, "-n", "1", *named)
    assert (tried.returncode, "cannot find the address" in tried.stderr) == (1, True)


def test_presets_of_the_settings_folder(
    server: Server, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = home / "presets"
    folder.mkdir()
    (folder / "tiny.toml").write_text('title = "Tiny"\nduration = "5s"\ncount = 3\n')
    own = settings(home, f"[load]\ndir = '{folder}'\n")
    assert refused(capsys, server.url, "--profile", "tiny")[0] == 2
    done = burst(server.url, "--profile", "tiny", "--json", *own)
    assert json.loads(done.stdout)["responses"] == 3


@pytest.mark.parametrize("by", ["settings", "variable"])
def test_read_only_forbids_bursts(
    server: Server,
    home: Path,
    by: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    before, more = len(server.requests), []
    if by == "settings":
        more = settings(home, "read-only = true\n")
    else:
        monkeypatch.setenv("KSCALE_READ_ONLY", "1")
    code, sentence = refused(capsys, server.url, "-n", "1", *more)
    assert (code, len(server.requests)) == (2, before)
    assert "read-only" in sentence
