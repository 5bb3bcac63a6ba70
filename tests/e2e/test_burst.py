"""From the key to the pods: a burst in the real program, where nothing else happens."""

from __future__ import annotations

import os
import re
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.processes import alive, children, wait_gone
from tests.e2e.terminal import Terminal

PRESET = """
title = "Gentle"
duration = "60s"
connections = 8
rate = 400
"""


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    """A dashboard whose key fires 400 requests a second."""
    profiles = tmp_path / "kscale-tui" / "profiles"
    profiles.mkdir(parents=True)
    (profiles / "gentle.toml").write_text(PRESET)
    (profiles.parent / "config.toml").write_text('[load]\npreset = "gentle"\n')
    home = {name: str(tmp_path) for name in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME")}
    command = [sys.executable, "-m", "tui", "--demo", "--scenario", "calm", "--speed", "10"]
    with Terminal(command, env={**os.environ, **home}) as opened:
        yield opened


def sender(terminal: Terminal, others: set[int]) -> int:
    """The process that sends, once the screen shows what it achieves."""
    terminal.press("b")
    terminal.wait_for(r"● gentle → \S+-svc")
    terminal.wait_for(r"[1-9]\d*/s of 400 asked")
    (worker,) = set(children(terminal.pid)) - others
    return worker


def test_b_makes_replicas_grow_and_x_or_the_end_stop_it(terminal: Terminal) -> None:
    terminal.wait_for(r"Pods 2/2 ready")  # Services may still be missing: the key waits for them
    others = set(children(terminal.pid))
    worker = sender(terminal, others)
    terminal.wait_for(r"burst begins: gentle at \S+")
    found = terminal.wait_for(r"◆ 2 ▶ (\d+)", timeout=30)
    assert int(found[1]) > 2
    terminal.wait_for(r"Pods [3-9]/[3-9] ready|Pods 10/10 ready", timeout=30)
    terminal.press("x")
    assert wait_gone(worker, 10.0)
    terminal.wait_for(r"burst stopped: \d+/s")
    terminal.wait_for(r"■ gentle")

    os.kill(sender(terminal, others), signal.SIGKILL)
    terminal.wait_for(r"burst failed: a worker process of the load ended")

    worker = sender(terminal, others)
    assert alive(worker)
    os.kill(terminal.pid, signal.SIGKILL)
    terminal.wait_exit()
    assert wait_gone(worker, 10.0)
    assert all(wait_gone(pid, 10.0) for pid in others)
    assert not re.search("Traceback", terminal.text)
