"""What a large cluster costs: time to the first and to all rows, CPU, memory, lag, latency.

The cluster is synthetic (``kscale-tui cluster --pods N --nodes N/10 --churn R``) and runs beside
the dashboard, which watches all namespaces, shows every pod, in a terminal of 120x36 that takes
everything. The figures to reach are for two cores that nobody else uses.

``python -m benchmarks.scale --pods 10000`` measures beside one of them alone, ``--soak M`` goes on
with M minutes of :mod:`benchmarks.scale_soak`.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from benchmarks.cluster import Cluster, running
from benchmarks.idle import _cpu, _memory, _take_in
from benchmarks.startup import program
from benchmarks.table import machine, show, verdict
from tests.e2e.terminal import Terminal
from tests.samples import pod as sample_pod
from tui.panes.pod_list import Choice, PodList

MEASURED = 30.0
"""Seconds over which CPU is taken."""
WRITES, KEYS, STARTS = 40, 40, 7
_READY = re.compile(r"Pods (\d+)/(\d+) ready")


class Size(NamedTuple):
    """A cluster, and the figures to reach beside it."""

    pods: int
    churn: int
    first: float
    everything: float
    cpu: float
    rss: float
    write: float
    lag: float
    lag_most: float
    key: float
    sort: float


SIZES = (
    Size(1_000, 50, 1.0, 1.2, 8, 140, 200, 20, 100, 50, 20),
    Size(10_000, 500, 1.5, 3.5, 35, 200, 300, 30, 150, 80, 80),
)
EVENT_RATIO = 1.3
"""CPU per event in the large cluster, against the small one."""


@dataclass
class Found:
    """What was measured beside one cluster."""

    first: list[float] = field(default_factory=list)
    everything: list[float] = field(default_factory=list)
    cpu: float = 0.0
    cluster_cpu: float = 0.0
    rss: float = 0.0
    cluster_rss: float = 0.0
    writes: list[float] = field(default_factory=list)
    keys: list[float] = field(default_factory=list)
    vitals: dict[str, Any] = field(default_factory=dict)
    sorts: list[float] = field(default_factory=list)


def run(sizes: Sequence[Size] = SIZES) -> None:
    """Measure, and print a table."""
    found = {size.pods: _measure(size) for size in sizes}
    rows: list[list[str]] = []
    columns = ["", *[f"{s.pods:,} pods, {s.churn}/s" for s in sizes]]
    for name, limit, value, digits in (
        ("start → first rows, median, s", "first", lambda f: median(f.first), 2),
        ("start → all rows, median, s", "everything", lambda f: median(f.everything), 2),
        ("CPU, % of a core", "cpu", lambda f: f.cpu, 1),
        ("RSS, MB", "rss", lambda f: f.rss, 0),
        ("API write → on screen, p99, ms", "write", lambda f: _p99(f.writes), 0),
        ("event-loop lag, p99, ms", "lag", lambda f: f.vitals.get("lag", 0.0), 1),
        ("event-loop lag, most, ms", "lag_most", lambda f: f.vitals.get("lag_most", 0.0), 0),
        ("key → repaint, p99, ms", "key", lambda f: _p99(f.keys), 0),
        ("sort or filter all rows, most, ms", "sort", lambda f: max(f.sorts), 0),
    ):
        row = [name]
        for size in sizes:
            got, wanted = value(found[size.pods]), getattr(size, limit)
            row.append(f"{got:.{digits}f} (≤ {wanted:g}) {verdict(got, wanted)}")
        rows.append(row)
    rows.append([f"the slowest of {STARTS} starts, first / all rows, s", *_each(
        found, lambda f: f"{max(f.first):.2f} / {max(f.everything):.2f}")])  # fmt: skip
    rows.append(["cluster beside it, % of a core", *_each(found, lambda f: f"{f.cluster_cpu:.1f}")])
    rows.append(["cluster beside it, RSS, MB", *_each(found, lambda f: f"{f.cluster_rss:.0f}")])
    if len(sizes) > 1:
        per_event = [found[s.pods].cpu / s.churn for s in sizes]
        ratio = per_event[-1] / per_event[0]
        rows.append(["CPU per event, against the smaller", "1", f"{ratio:.2f} (≤ {EVENT_RATIO}) "
                     f"{verdict(ratio, EVENT_RATIO)}"])  # fmt: skip
    show(f"Large clusters, all pods shown, 120x36, {MEASURED:.0f} s", columns, rows)


def _each(found: dict[int, Found], value: Any) -> list[str]:
    return [value(each) for each in found.values()]


def _p99(seconds: list[float]) -> float:
    ordered = sorted(seconds)
    return 1000 * ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))] if ordered else 0.0


def _measure(size: Size) -> Found:
    found = Found()
    extra = ["--pods", str(size.pods), "--nodes", str(size.pods // 10), "--churn", str(size.churn)]
    with running(options=extra) as cluster:
        environment = {**os.environ, "KUBECONFIG": str(cluster.kubeconfig)}
        _start_times(size, environment, found)
        with Terminal([program(), "-A"], env=environment) as it:
            _bring_up(it, size)
            before = _cpu(it.pid), _cpu(cluster.pid), time.perf_counter()
            _take_in(it, MEASURED)
            lasted = time.perf_counter() - before[2]
            found.cpu = 100 * (_cpu(it.pid) - before[0]) / lasted
            found.cluster_cpu = 100 * (_cpu(cluster.pid) - before[1]) / lasted
            found.rss, found.cluster_rss = _memory(it.pid, "VmRSS"), _memory(cluster.pid, "VmRSS")
            it.press("a")
            found.writes = _writes(it, cluster)
            it.press("a")
            found.keys = _keys(it)
            it.press("q")
            it.wait_exit()
        found.vitals = _vitals(size, environment)
    found.sorts = _sorts(size.pods)
    return found


def _bring_up(it: Terminal, size: Size) -> None:
    it.wait_for("Running")
    it.press("a")
    it.wait_until(lambda: all_there(it, size.pods), "all pods are there", 60)
    _take_in(it, 5.0)


def _vitals(size: Size, environment: dict[str, str]) -> dict[str, Any]:
    """What the program says of itself over a minute, in a run of its own: to look at the clock
    fifty times a second takes as much of a core as a small cluster does.
    """
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        with Terminal([program(), "-A"], env={**environment, "KSCALE_LOG": str(log)}) as it:
            _bring_up(it, size)
            _take_in(it, 65.0)  # the log tells of the last minute: let the start be older
            it.press("q")
            it.wait_exit()
        lines = [json.loads(line) for line in log.read_text().splitlines()]
    return next((line for line in reversed(lines) if line["event"] == "vitals"), {})


def _start_times(size: Size, environment: dict[str, str], found: Found) -> None:
    """In terminals of their own. The first start is not counted: it compiles what has changed."""
    for number in range(STARTS + 1):
        with Terminal([program(), "-A"], env=environment) as it:
            it.wait_for("Running")
            first = time.perf_counter() - it.started
            it.press("a")
            it.wait_until(lambda: all_there(it, size.pods), "all pods are there", 60)
            everything = time.perf_counter() - it.started
            it.press("q")
            it.wait_exit()
        if number:
            found.first.append(first)
            found.everything.append(everything)


def all_there(terminal: Terminal, pods: int) -> bool:
    """Some pods are always on their way out."""
    match = _READY.search(terminal.text)
    return match is not None and int(match[2]) >= 0.97 * pods


def _writes(terminal: Terminal, cluster: Cluster) -> list[float]:
    """Seconds from the answer to a write until its word is drawn, of pods in sight."""
    taken: list[float] = []
    for number in range(WRITES):
        _take_in(terminal, 0.3)
        name = _pod_in_sight(terminal, cluster)
        if name is None:
            continue
        word = f"Word{number:03}"
        path = f"/api/v1/namespaces/{name[0]}/pods/{name[1]}/status"
        mark = len(terminal.output)
        began = time.perf_counter()
        cluster.call("PATCH", path, {"status": {"reason": word}})
        try:
            # Not the screen, which takes longer to make sense of than to draw.
            terminal.wait_until(lambda: word.encode() in terminal.output[mark:], "drawn", 2)  # noqa: B023 (asked before the next round)
        except AssertionError:
            continue  # the churn was quicker and replaced the pod
        taken.append(time.perf_counter() - began)
    return taken


def _pod_in_sight(terminal: Terminal, cluster: Cluster) -> tuple[str, str] | None:
    """Namespace and name of a pod of the first app that is on the screen and runs."""
    listed = cluster.call("GET", "/api/v1/namespaces/default/pods?labelSelector=app%3Dapp-0001")
    text = terminal.text
    for item in listed["items"]:
        name = item["metadata"]["name"]
        if re.search(rf"{name[-5:]} +1/1 Running", text):
            return item["metadata"]["namespace"], name
    return None


def _keys(terminal: Terminal) -> list[float]:
    """Seconds from the key that turns the order round until the pane says so."""
    taken = []
    for number in range(KEYS):
        _take_in(terminal, 0.15)
        wanted = f"by age {'↑' if number % 2 else '↓'}".encode()
        mark = len(terminal.output)
        began = time.perf_counter()
        terminal.press("S")
        terminal.wait_until(lambda: wanted in terminal.output[mark:], "it is drawn", 5)  # noqa: B023 (as above)
        taken.append(time.perf_counter() - began)
    return taken


def _sorts(count: int) -> list[float]:
    """Seconds to sort by each column, and to filter, all rows."""
    pods = [
        sample_pod(f"app-{n % 300:04}-{n:05}", age=n % 997, node=f"node-{n % 1000}")
        for n in range(count)
    ]
    taken = []
    for choice in (Choice("age"), Choice("name"), Choice("status"), Choice("node", True),
                   Choice("restarts"), Choice("age", False, "app-01 !999")):  # fmt: skip
        shown = PodList()
        began = time.process_time()
        shown.remake(pods, {}, choice)
        taken.append(1000 * (time.process_time() - began))
    return taken


def main() -> None:
    """Of the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pods", type=int, choices=[size.pods for size in SIZES])
    parser.add_argument("--soak", type=float, default=0.0, metavar="MINUTES")
    given = parser.parse_args()
    print(machine())
    run([size for size in SIZES if given.pods in (None, size.pods)])
    if given.soak:
        from benchmarks import scale_soak

        scale_soak.run(given.soak)


if __name__ == "__main__":
    main()
