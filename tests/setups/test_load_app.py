"""The load app as it runs in a pod: the very file that its ConfigMap holds."""

from __future__ import annotations

import http.client
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tui.demo.dataplane import app as simulated
from tui.setups import catalogue

SCRIPT = catalogue.builtin_folder() / "load-app" / "load_app.py"


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    child = subprocess.Popen(
        [sys.executable, "-u", str(SCRIPT)],
        env={**os.environ, "PORT": "0", "NODE_NAME": "<node>"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert child.stdout is not None
    found = re.search(r"port (\d+)", child.stdout.readline())
    assert found is not None
    yield int(found[1])
    child.send_signal(signal.SIGTERM)
    assert child.wait(10) == 0, "it ends when a pod ends"


def ask(port: int, method: str, path: str, body: str = "") -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    headers = {"Content-Type": "application/x-www-form-urlencoded"} if body else {}
    connection.request(method, path, body or None, headers)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text


def test_it_says_where_it_runs_and_counts_visitors(port: int) -> None:
    first, second = (ask(port, "GET", "/")[1] for _ in range(2))
    assert "Server node: <strong>&lt;node&gt;</strong>" in first
    assert "Served from pod: <strong>" in first
    numbers = [int(*re.findall(r"number: <strong>(\d+)", text)) for text in (first, second)]
    assert numbers[1] == numbers[0] + 1
    assert ask(port, "GET", "/health") == (200, "ok")
    assert ask(port, "GET", "/nothing")[0] == 404


def test_it_burns_cpu_for_as_long_as_it_is_told(port: int) -> None:
    status, text = ask(port, "POST", "/load", "duration=1")
    assert status == 200
    assert "CPUs for 1 seconds" in text


@pytest.mark.parametrize("body", ["", "duration=0", "duration=301", "duration=x", "duration=-1"])
def test_what_is_no_duration_is_refused(port: int, body: str) -> None:
    assert ask(port, "POST", "/load", body)[0] == 422


def test_a_form_beyond_bounds_is_refused(port: int) -> None:
    assert ask(port, "POST", "/load", "duration=1&x=" + "y" * 20_000)[0] == 413


def test_the_simulated_one_answers_alike() -> None:
    text = SCRIPT.read_text()
    assert simulated._PAGE in text.replace('PAGE = """\\\n', "")
    assert simulated._LOADING in text
