"""Start-up: how long from the command to the first frame, and to the first live rows.

The dashboard runs in a pseudo-terminal at 120x36 against a cluster that runs already. Beside it,
in the same minute and in turns, ``kubectl get pods`` asks the same cluster.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

from benchmarks.cluster import running
from benchmarks.table import show, verdict
from tests.e2e.terminal import ALTERNATE_SCREEN, Terminal

FIRST_FRAME, FIRST_ROWS, VERSION = 0.5, 1.5, 0.15
"""Seconds: the figures to reach."""
_FRAME = b"Pods"
_ROW = b"Running"


def run(rounds: int = 9) -> None:
    """Measure, and print a table."""
    dashboards: list[tuple[float, float, float]] = []
    kubectl: list[float] = []
    versions: list[float] = []
    pythons: list[float] = []
    with running() as cluster:
        cluster.keep_replicas(20)
        environment = {**os.environ, "KUBECONFIG": str(cluster.kubeconfig)}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        _dashboard(environment)  # compiles what has changed since the last start
        for _ in range(rounds):
            dashboards.append(_dashboard(environment))
            if shutil.which("kubectl"):
                kubectl.append(_command(["kubectl", "get", "pods"], environment))
            versions.append(_command([program(), "--version"], environment))
            pythons.append(_command([sys.executable, "-c", "pass"], environment))
    opened, frames, rows = zip(*dashboards, strict=True)
    table = [
        _row("python -c pass", pythons),
        _row("kscale-tui --version", versions, VERSION),
        _row("dashboard: terminal taken over", opened),
        _row("dashboard: first frame", frames, FIRST_FRAME),
        _row("dashboard: first pods", rows, FIRST_ROWS),
    ]
    if kubectl:
        table.append(_row("kubectl get pods", kubectl))
    columns = ("ms", "median", "least", "most", "to reach", "reached")
    show(f"Start-up, 20 pods, 120x36, {rounds} rounds", columns, table)


def _row(
    name: str, seconds: list[float] | tuple[float, ...], limit: float | None = None
) -> list[str]:
    figures = [f"{1000 * value:.0f}" for value in (median(seconds), min(seconds), max(seconds))]
    goal = ["", ""] if limit is None else [f"{1000 * limit:.0f}", verdict(median(seconds), limit)]
    return [name, *figures, *goal]


def _dashboard(environment: dict[str, str]) -> tuple[float, float, float]:
    command = [program(), "--target", "deployment/fastapi-deploy"]
    with Terminal(command, env=environment) as terminal:

        def seen(what: bytes) -> float:
            terminal.wait_until(lambda: what in terminal.output, repr(what))
            return time.perf_counter() - terminal.started

        times = seen(ALTERNATE_SCREEN[0]), seen(_FRAME), seen(_ROW)
        terminal.press("q")
        terminal.wait_exit()
    return times


def _command(command: list[str], environment: dict[str, str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - started


def program() -> str:
    """The command as it is installed."""
    return str(Path(sys.executable).with_name("kscale-tui"))
