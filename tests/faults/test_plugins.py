"""Credential plugins that misbehave: what is told, soon, and what is left behind."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tests.e2e.processes import children, wait_gone
from tests.thorough import SOAK
from tui.cluster import plugin
from tui.cluster.access import ExecPlugin
from tui.cluster.errors import ApiError, Fault
from tui.text import clean

ANSWER = (
    '{"kind": "ExecCredential", "apiVersion": "client.authentication.k8s.io/v1", '
    '"status": {"token": "t"}}'
)
NULL, NUMBER = ANSWER.replace('"t"', "null"), ANSWER.replace('"t"', "1")
ODDITIES = {
    "without end": ("yes", "prints without end"),
    "hangs": ("sleep 60", "did not answer within"),
    "hangs, deaf": ("trap '' TERM INT HUP; sleep 60", "did not answer within"),
    "hangs, mute": ("exec >&- 2>&-; sleep 60", "did not answer within"),
    "bytes": ("head -c 3000 /dev/urandom", "did not print an ExecCredential"),
    "nested": ("head -c 300000 /dev/zero | tr '\\0' '['", "did not print an ExecCredential"),
    "nothing": ("true", "did not print an ExecCredential"),
    "fails": (
        "printf 'log \\033]0;x\\007in\\342\\200\\256 [bold]first' >&2; exit 1",
        "failed with code 1: log",
    ),
    "killed": ("kill -9 $$", "failed with code -9"),
    "a null": (f"echo '{NULL}'", "neither token nor certificate"),
    "a number": (f"echo '{NUMBER}'", "did not print an ExecCredential"),
    "the terminal": ("stty sane </dev/tty || exit 3; echo hello >/dev/tty", "failed with code"),
}

if SOAK:  # both of us are busy until its time is over
    ODDITIES["complains without end"] = ("yes >&2", "did not answer within")


def shell(script: str, timeout: float = 20.0) -> ExecPlugin:
    return ExecPlugin("/bin/sh", ("-c", script), timeout=timeout)


@pytest.mark.parametrize("oddity", ODDITIES)
def test_a_plugin_that_misbehaves(oddity: str, capfd: pytest.CaptureFixture[str]) -> None:
    script, words = ODDITIES[oddity]
    before = set(children(os.getpid()))
    began = time.monotonic()
    with pytest.raises(ApiError) as caught:
        plugin.run(shell(script, 0.2 if "did not answer" in words else 20.0))
    assert time.monotonic() - began < 10
    assert caught.value.kind is Fault.CREDENTIALS
    assert words in caught.value.message
    assert caught.value.message == clean(caught.value.message)
    assert len(caught.value.message) < 500
    assert capfd.readouterr() == ("", "")
    assert all(wait_gone(pid, 5) for pid in set(children(os.getpid())) - before)


def test_a_plugin_may_say_much_and_answer_all_the_same() -> None:
    script = (
        f"head -c 3000000 /dev/zero >&2; echo '{ANSWER}'; head -c 900000 /dev/zero | tr '\\0' ' '"
    )
    assert plugin.run(shell(script)).token == "t"


def test_what_a_plugin_left_running_is_not_waited_for(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    script = f"sleep 60 & echo $! >{pid}; echo '{ANSWER}'"
    began = time.monotonic()
    try:
        assert plugin.run(shell(script)).token == "t"
        assert time.monotonic() - began < 10
    finally:
        os.kill(int(pid.read_text()), 9)
