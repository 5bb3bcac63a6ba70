"""The real program in a terminal, on the embedded cluster that it starts itself."""

from __future__ import annotations

import os
import re
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.processes import children, wait_gone
from tests.e2e.terminal import Terminal
from tests.thorough import SOAK

LIVE = r"SIMULATED .*● live"
RUNNING = r"1/1 Running"
STORM = 500 if SOAK else 50
"""How often the window is resized, at up to 100 times a second."""


@pytest.fixture
def dashboard(tmp_path: Path) -> Iterator[Callable[..., Terminal]]:
    """Opens a dashboard whose pods run; closes it at the end, whatever happened."""
    opened: list[Terminal] = []
    home = {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path), "TMPDIR": str(tmp_path)}

    def start(*, speed: int = 20, columns: int = 120, rows: int = 36) -> Terminal:
        command = [sys.executable, "-m", "tui", "--demo", "--speed", str(speed), "--seed", "7"]
        terminal = Terminal(command, columns, rows, env={**os.environ, **home})
        opened.append(terminal)
        terminal.wait_for(LIVE)
        terminal.wait_for(RUNNING)
        return terminal

    yield start
    for terminal in opened:
        terminal.close()


def test_load_makes_replicas_grow_until_sigterm(
    dashboard: Callable[..., Terminal], tmp_path: Path
) -> None:
    terminal = dashboard(speed=8)  # the load comes 20 simulated seconds after the start
    terminal.wait_for(r"Pods 2/2 ready")
    terminal.wait_for(r"◆ 2 ▶ 4 +cpu \d+ % over 50 %")

    def grown() -> bool:
        found = re.search(r"Pods (\d+)/(\d+) ready", terminal.text)
        rows = len(re.findall(RUNNING, terminal.text))
        return found is not None and 4 <= int(found[1]) == int(found[2]) == rows

    terminal.wait_until(grown, "four pods or more, all of them ready, a row each")
    _ends_like_quit(terminal, signal.SIGTERM, tmp_path)


def test_resize_too_small_and_back_until_sighup(
    dashboard: Callable[..., Terminal], tmp_path: Path
) -> None:
    terminal = dashboard()
    terminal.resize(50, 12)
    terminal.wait_for(r"50 columns and 12 rows")
    assert not re.search(RUNNING, terminal.text)
    terminal.resize(120, 36)
    terminal.wait_for(LIVE)
    terminal.wait_for(RUNNING)
    for turn in range(STORM):  # as somebody drags the corner of the window
        terminal.resize(60 + turn * 7 % 90, 16 + turn * 5 % 30)
        terminal.rest(0.01)
    terminal.resize(80, 24)
    terminal.wait_for(RUNNING)
    _ends_like_quit(terminal, signal.SIGHUP, tmp_path)


def test_keys_work_and_quit_leaves_terminal_and_machine_clean(
    dashboard: Callable[..., Terminal], tmp_path: Path
) -> None:
    terminal = dashboard()
    (cluster,) = children(terminal.pid)
    assert not terminal.restored()

    terminal.press("?")
    terminal.wait_for(r"Esc closes")
    terminal.press("esc")
    terminal.wait_gone(r"Esc closes")

    terminal.press("z")  # the pods pane has the focus
    terminal.wait_gone(r"HPA fastapi-hpa")
    terminal.wait_for(RUNNING)
    terminal.press("z")
    terminal.wait_for(r"HPA fastapi-hpa")

    terminal.press("/")
    terminal.wait_for(r"Enter keeps it, Esc clears it")
    terminal.press("no such pod")
    terminal.wait_gone(RUNNING)
    terminal.press("esc")
    terminal.wait_for(RUNNING)

    terminal.press("q")
    assert terminal.wait_exit() == 0
    assert terminal.restored()
    assert wait_gone(cluster, 0.0)
    assert list(tmp_path.iterdir()) == []  # neither kubeconfig nor crash report


def _ends_like_quit(terminal: Terminal, number: int, home: Path) -> None:
    (cluster,) = children(terminal.pid)
    os.kill(terminal.pid, number)
    terminal.wait_exit()
    assert terminal.restored()
    assert wait_gone(cluster, 2.0)
    assert list(home.iterdir()) == []


def test_a_killed_cluster_is_told_and_a_closed_window_ends_it(
    dashboard: Callable[..., Terminal], tmp_path: Path
) -> None:
    terminal = dashboard()
    (cluster,) = children(terminal.pid)
    os.kill(cluster, signal.SIGKILL)
    terminal.wait_for(r"▲ stale \d+ s, retry in")
    terminal.wait_for(r"Nothing listens at 127\.0\.0\.1:\d+.* What is shown was seen")
    terminal.wait_for(RUNNING)
    terminal.hang_up()
    terminal.wait_exit()
    assert children(terminal.pid) == []
    assert list(tmp_path.iterdir()) == []


def test_cluster_never_outlives_a_killed_dashboard(
    dashboard: Callable[..., Terminal], tmp_path: Path
) -> None:
    terminal = dashboard()
    (cluster,) = children(terminal.pid)
    os.kill(terminal.pid, signal.SIGKILL)
    assert terminal.wait_exit() == -signal.SIGKILL
    assert wait_gone(cluster, 2.0)
    assert list(tmp_path.iterdir()) == []
