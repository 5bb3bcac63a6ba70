"""What a burst does to whoever fires it: how soon it stops, how late the screen is, what it keeps.

The dashboard runs in a pseudo-terminal on an embedded cluster; ``b`` fires at its Service as fast
as it goes, which saturates the other core. How fast a burst stops is told by the target: when its
last request came.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from array import array
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from benchmarks.burst import Target, resident
from benchmarks.cluster import running
from benchmarks.table import show, verdict
from tests.e2e.processes import alive, children
from tests.e2e.terminal import Terminal
from tui.load.burst import STOP_WITHIN, Burst
from tui.load.curve import steady
from tui.load.plan import Plan

LAG, GROWTH = 50.0, 5.0
"""Milliseconds, and MB: the figures to reach."""
_WARM = 0.2
"""The share of a burst after which memory has to stay as it is."""


def run(minutes: float = 0.5, rate: float | None = None) -> None:
    """Measure, and print tables.

    Args:
        minutes: how long the burst of the dashboard lasts.
        rate: requests a second of it, in all; None: as fast as it goes. With a rate only the
            dashboard is looked at.
    """
    if rate is None:
        _stops()
    _dashboard(minutes, rate)


def _stops(rounds: int = 9) -> None:
    rows = []
    for name, rate in (("as fast as it goes", None), ("1,000/s", steady(1_000.0))):
        took, last = [], []
        for _ in range(rounds):
            target = Target()
            plan = Plan(url=target.url, duration=60.0, connections=steady(50), rate=rate)
            burst = Burst(plan)
            burst.start()
            while burst.snapshot.elapsed < 0.5:
                time.sleep(0.01)
            asked = time.perf_counter()
            burst.stop()
            took.append(1000 * (time.perf_counter() - asked))
            last.append(1000 * max(0.0, max(target.arrivals()) - asked))
        limit = 1000 * STOP_WITHIN
        rows.append(
            [
                name,
                f"{median(last):.1f}",
                f"{max(last):.1f}",
                f"{limit:.0f}",
                verdict(max(last), limit),
                f"{max(took):.1f}",
            ]
        )
    show(
        f"From stop() to the last request, ms, 50 connections, {rounds} bursts",
        ("", "median", "worst", "most", "reached", "worst stop()"),
        rows,
    )


@dataclass
class _Seen:
    """What was seen of the dashboard and its burst."""

    began: float = 0.0
    ended: float = 0.0
    stopped: float = 0.0
    """Seconds from the key to the end of the process that sends."""
    dashboard: list[float] = field(default_factory=list)
    worker: list[float] = field(default_factory=list)
    """MB, second by second."""
    lags: list[float] = field(default_factory=list)
    """Milliseconds, of the wakings while the burst ran."""
    before: list[float] = field(default_factory=list)
    """The same before it."""


def _dashboard(minutes: float, rate: float | None) -> None:
    with running() as cluster, _home(minutes, rate) as home, tempfile.NamedTemporaryFile() as file:
        environment = {**os.environ, **home, "KUBECONFIG": str(cluster.kubeconfig)}
        command = ["-m", "benchmarks.lagging", file.name, "--target", "deployment/fastapi-deploy"]
        with Terminal([sys.executable, *command], env=environment) as it:
            it.wait_for(r"Pods (\d+)/\1 ready", timeout=60)
            it.wait_for(r"metrics \d+ s ago", timeout=60)
            _take_in(it, 3.0)
            seen = _burst(it, 60 * minutes)
            it.press("q")
            it.wait_exit()
        wakings = array("d")
        wakings.frombytes(Path(file.name).read_bytes())
    for at, late in zip(wakings[::2], wakings[1::2], strict=True):
        if seen.began <= at <= seen.ended:
            seen.lags.append(1000 * late)
        elif at < seen.began:
            seen.before.append(1000 * late)
    _report(seen, minutes, rate)


def _burst(it: Terminal, seconds: float) -> _Seen:
    """Fire with the key, look on, stop with the key."""
    known = set(children(it.pid))
    it.press("b")
    (worker,) = it.wait_until(
        lambda: set(children(it.pid)) - known, "a process that sends starts", 20
    )
    it.wait_for(r"/s\b", timeout=20)
    seen = _Seen(began=time.perf_counter())
    while time.perf_counter() < seen.began + seconds:
        _take_in(it, 1.0)
        seen.dashboard.append(resident(it.pid))
        seen.worker.append(resident(worker))
    seen.ended = time.perf_counter()
    assert alive(worker), it.text
    asked = time.perf_counter()
    it.press("x")
    while alive(worker) and time.perf_counter() < asked + 5:
        time.sleep(0.002)
    seen.stopped = time.perf_counter() - asked
    return seen


def _report(seen: _Seen, minutes: float, rate: float | None) -> None:
    lag, before = _p99(seen.lags), _p99(seen.before)
    worker, dashboard = _growth(seen.worker), _growth(seen.dashboard)
    stopped = 1000 * seen.stopped
    limit = 1000 * STOP_WITHIN
    asked = "as fast as it goes" if rate is None else f"at {rate:,g}/s"
    show(
        f"A burst of {minutes:g} min, {asked}, fired with b, the dashboard at 120x36",
        ("", "figure", "most", "reached"),
        [
            ["event-loop lag of the screen, p99 in ms", f"{lag:.1f}", "50", verdict(lag, LAG)],
            ["the same before the burst", f"{before:.1f}", "", ""],
            ["key x to the end of the sender, ms", f"{stopped:.0f}", "", verdict(stopped, limit)],
            ["sender, RSS in MB", f"{seen.worker[-1]:.1f}", "", ""],
            ["sender, change after warming up, MB", f"{worker:+.2f}", "5", _flat(worker)],
            ["dashboard, RSS in MB", f"{seen.dashboard[-1]:.1f}", "", ""],
            ["dashboard, change after warming up, MB", f"{dashboard:+.2f}", "5", _flat(dashboard)],
        ],
    )


def _flat(change: float) -> str:
    return verdict(abs(change), GROWTH)


def _growth(sizes: Sequence[float]) -> float:
    """From the end of the warming up to the end, each as the median of a tenth."""
    tenth = max(1, len(sizes) // 10)
    first = int(len(sizes) * _WARM)
    return median(sizes[-tenth:]) - median(sizes[first : first + tenth])


def _p99(values: Sequence[float]) -> float:
    return sorted(values)[int(len(values) * 0.99)] if values else 0.0


@contextmanager
def _home(minutes: float, rate: float | None) -> Iterator[dict[str, str]]:
    """Settings whose first preset lasts long enough, and places for what is kept."""
    with tempfile.TemporaryDirectory(prefix="kscale-bench-") as folder:
        presets = Path(folder) / "kscale-tui" / "profiles"
        presets.mkdir(parents=True)
        (presets / "long.toml").write_text(
            f'title = "Long"\nduration = "{round(60 * minutes) + 60}s"\nconnections = 50\n'
            + ("" if rate is None else f"rate = {rate:g}\n")
        )
        (presets.parent / "config.toml").write_text(
            f'[load]\npreset = "long"\nmax-minutes = {minutes + 2}\n'
        )
        yield {"XDG_CONFIG_HOME": folder, "XDG_DATA_HOME": folder}


def _take_in(terminal: Terminal, seconds: float) -> None:
    end = time.monotonic() + seconds
    terminal.wait_until(lambda: time.monotonic() > end, "time passes", seconds + 5)
