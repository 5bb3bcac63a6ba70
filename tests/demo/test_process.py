"""The embedded cluster as a process: how it begins, what it tells, when it ends."""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
import stat
import subprocess
import sys
import threading
import time
import urllib.request
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests.needs import posix
from tui.demo import kubeconfig
from tui.demo.main import command

COMMAND = [sys.executable, "-m", "tui.demo", "--ready-json"]


def _start(*arguments: str, **options: Any) -> tuple[subprocess.Popen[str], dict[str, str]]:
    process = subprocess.Popen(
        [*COMMAND, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, process.stderr and process.stderr.read()
    ready: dict[str, str] = json.loads(line)
    return process, ready


def _get(kubeconfig: Path, path: str) -> Any:
    config = json.loads(kubeconfig.read_text())
    assert config["current-context"] == "embedded"
    cluster = config["clusters"][0]["cluster"]
    trusted = b64decode(cluster["certificate-authority-data"]).decode()
    token = config["users"][0]["user"]["token"]
    request = urllib.request.Request(
        cluster["server"] + path, headers={"Authorization": f"Bearer {token}"}
    )
    context = ssl.create_default_context(cadata=trusted)
    with urllib.request.urlopen(request, context=context, timeout=5) as response:
        return json.load(response)


@posix
def test_it_serves_tells_only_its_owner_and_cleans_up() -> None:
    process, ready = _start("--speed", "20")
    try:
        kubeconfig = Path(ready["kubeconfig"])
        assert stat.S_IMODE(kubeconfig.stat().st_mode) == 0o600
        assert stat.S_IMODE(kubeconfig.parent.stat().st_mode) == 0o700
        assert ready["server"].startswith("https://127.0.0.1:")
        pods = _get(kubeconfig, "/api/v1/namespaces/default/pods")["items"]
        assert len(pods) == 4
        port = int(ready["server"].rpartition(":")[2])
        for nonsense in (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01\xff", b""):
            with socket.create_connection(("127.0.0.1", port)) as stranger:
                stranger.sendall(nonsense)
        token = json.loads(kubeconfig.read_text())["users"][0]["user"]["token"]
        command_line = Path(f"/proc/{process.pid}/cmdline")
        if command_line.exists():
            assert token not in command_line.read_text()
    finally:
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=10)
    assert process.returncode == 0
    assert out == ""
    assert "Traceback" not in err
    assert token not in err
    assert not kubeconfig.parent.exists()


@posix
def test_it_ends_when_its_input_ends() -> None:
    process, ready = _start()
    assert process.stdin is not None
    process.stdin.close()
    start = time.monotonic()
    process.wait(timeout=10)
    assert time.monotonic() - start < 3  # a second, and what a busy machine adds
    assert not Path(ready["kubeconfig"]).exists()


@posix
def test_it_lives_on_when_only_the_thread_that_started_it_ends() -> None:
    started: list[subprocess.Popen[str]] = []

    def start() -> None:
        process, _ = _start("--parent-pid", str(os.getpid()))
        started.append(process)

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    [process] = started
    try:
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(timeout=0.7)
    finally:
        process.terminate()
        process.communicate(timeout=10)
    assert process.returncode == 0


@posix
def test_it_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    kubeconfig = tmp_path / "kubeconfig"
    pids = tmp_path / "pids"
    # The parent gives its child no pipe, so only the process id tells of its end.
    parent = f"""
import os, subprocess, sys, time
child = subprocess.Popen({COMMAND!r} + ["--parent-pid", str(os.getpid()), "--kubeconfig-out",
    {str(kubeconfig)!r}], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
child.stdout.readline()
open({str(pids)!r}, "w").write(str(child.pid))
time.sleep(60)
"""
    process = subprocess.Popen([sys.executable, "-c", parent])
    _until(lambda: pids.exists() and pids.read_text() != "", 20)
    child = int(pids.read_text())
    process.kill()
    process.wait()
    start = time.monotonic()
    _until(lambda: not _alive(child), 10)
    assert time.monotonic() - start < 3  # a second, and what a busy machine adds
    _until(lambda: not kubeconfig.exists(), 1)


def _until(condition: Any, limit: float) -> None:
    end = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.02)


def _alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
        return not Path("/proc/self").exists()
    return state != "Z"


def test_a_port_that_is_taken_is_one_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        second = CliRunner().invoke(command, ["--port", str(port)])
    assert second.exit_code == 1
    assert second.output.count("\n") == 1
    assert f"cannot listen on 127.0.0.1:{port} (Address already in use); try" in second.output


def test_a_kubeconfig_of_the_users_own_is_left_alone(tmp_path: Path) -> None:
    own = tmp_path / "config"
    own.write_text("apiVersion: v1\nkind: Config\ncurrent-context: work\n")
    before = own.read_text()
    refused = CliRunner().invoke(command, ["--kubeconfig-out", str(own)])
    assert refused.exit_code == 1
    assert "is not the kubeconfig of an embedded cluster" in refused.output
    assert own.read_text() == before


def test_only_ones_own_kubeconfig_is_replaced_and_removed(tmp_path: Path) -> None:
    path = tmp_path / "config"
    kubeconfig.write(path, "https://127.0.0.1:1", "first", "PEM")
    kubeconfig.write(path, "https://127.0.0.1:2", "second", "PEM")
    kubeconfig.remove(path, "first")  # a later cluster's by now
    assert path.exists()
    kubeconfig.remove(path, "second")
    assert not path.exists()
    assert list(tmp_path.iterdir()) == []


def test_wrong_usage_is_told() -> None:
    runner = CliRunner()
    unknown = runner.invoke(command, ["--scenario", "nowhere"])
    assert unknown.exit_code == 2
    assert "no scenario named 'nowhere'" in unknown.output
    assert runner.invoke(command, ["--speed", "0"]).exit_code == 2
    missing = runner.invoke(command, ["--kubeconfig-out", "/no/such/directory/config"])
    assert missing.exit_code == 1
    assert "cannot write the kubeconfig" in missing.output
