"""What the dashboard costs while it only watches: CPU of one core, and memory.

20 pods, 120x36, a terminal that takes everything, nobody at the keys. The cluster beside it is a
process of its own; what it costs is printed, not counted.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from benchmarks.cluster import running
from benchmarks.startup import program
from benchmarks.table import show, verdict
from tests.e2e.terminal import Terminal

CPU, RSS = 3.0, 130.0
"""Percent of a core, and MB: the figures to reach."""
PODS = 20


def run(seconds: float = 30.0) -> None:
    """Measure, and print a table."""
    with running() as cluster:
        cluster.keep_replicas(PODS)
        environment = {**os.environ, "KUBECONFIG": str(cluster.kubeconfig)}
        with Terminal([program(), "--target", "deployment/fastapi-deploy"], env=environment) as it:
            it.wait_for(rf"Pods {PODS}/{PODS} ready")
            it.wait_for(r"metrics \d+ s ago", timeout=60)
            _take_in(it, 5.0)
            before = _cpu(it.pid), _cpu(cluster.pid), len(it.output)
            begin = time.perf_counter()
            _take_in(it, seconds)
            lasted = time.perf_counter() - begin
            busy, beside = _cpu(it.pid) - before[0], _cpu(cluster.pid) - before[1]
            drawn = (len(it.output) - before[2]) / lasted
            memory, most = _memory(it.pid, "VmRSS"), _memory(it.pid, "VmHWM")
            cluster_memory = _memory(cluster.pid, "VmRSS")
            threads = _status(it.pid, "Threads")
            it.press("q")
            it.wait_exit()
    percent = 100 * busy / lasted
    show(
        f"Idle, {PODS} pods, 120x36, {lasted:.0f} s",
        ("", "figure", "to reach", "reached"),
        [
            ["dashboard, % of a core", f"{percent:.1f}", f"{CPU:g}", verdict(percent, CPU)],
            ["dashboard, RSS in MB", f"{memory:.0f}", f"{RSS:g}", verdict(memory, RSS)],
            ["dashboard, most RSS in MB", f"{most:.0f}", "", ""],
            ["dashboard, threads", f"{threads}", "", ""],
            ["dashboard, bytes drawn a second", f"{drawn:.0f}", "", ""],
            ["embedded cluster, % of a core", f"{100 * beside / lasted:.1f}", "", ""],
            ["embedded cluster, RSS in MB", f"{cluster_memory:.0f}", "", ""],
        ],
    )


def _take_in(terminal: Terminal, seconds: float) -> None:
    end = time.monotonic() + seconds
    terminal.wait_until(lambda: time.monotonic() > end, "time passes", seconds + 5)


def _cpu(pid: int) -> float:
    """Seconds of processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _memory(pid: int, field: str) -> float:
    """MB."""
    return _status(pid, field) * 1024 / 1e6


def _status(pid: int, field: str) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{field}:"))
