"""Load bursts: throughput and CPU beside wrk, hey and ab; rates; stalls.

All tools load the same nginx (one worker, on a core of its own; the tools have another), in turn
within each round, and ratios are taken within rounds. Nothing is installed: a tool that is not
there is left out, and that is said. Every load is on 127.0.0.1 and lasts ten seconds at most.
"""

from __future__ import annotations

import base64
import json
import os
import re
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from array import array
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from statistics import median

from benchmarks.startup import program
from benchmarks.table import show, verdict

SECONDS = 3
NGINX = """
worker_processes 1; daemon off; pid {folder}/pid; error_log {folder}/log;
events {{ worker_connections 2048; }}
http {{ access_log off; keepalive_requests 1000000000; keepalive_timeout 300;
  client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
  uwsgi_temp_path {folder}; scgi_temp_path {folder};
  server {{ listen 127.0.0.1:{port} backlog=2048; location / {{ return 200 "a small reply"; }} }} }}
"""
Figure = tuple[float, float]
"""(requests a second, CPU seconds a request)"""


def run(rounds: int = 5) -> None:
    """Measure, and print tables."""
    _throughput(rounds)
    _rates()
    _stall()


def _throughput(rounds: int) -> None:
    if not shutil.which("nginx"):
        print("\nnginx is not installed: throughput is left out")
        return
    tools: dict[str, Callable[[str], Figure]] = {"kscale-tui": _ours, "wrk": _wrk, "hey": _hey}
    tools["ab"] = _ab
    for name in ("wrk", "hey", "ab"):
        if not shutil.which(name):
            print(f"\n{name} is not installed: it is left out")
            del tools[name]
    with _nginx() as url:
        got: dict[str, list[Figure]] = {name: [] for name in tools}
        for _ in range(rounds):
            for name, tool in tools.items():
                got[name].append(tool(url))
    ours = got["kscale-tui"]
    goals = {"wrk": (0.9, 1.3), "hey": (2.5, None), "ab": (None, None)}
    rows = []
    for name, figures in got.items():
        row = [name, f"{median(f[0] for f in figures):,.0f}"]
        row.append(f"{1e6 * median(f[1] for f in figures):.2f}")
        if name == "kscale-tui":
            rows.append([*row, "", "", "", "", "", ""])
            continue
        rate = median(o[0] / t[0] for o, t in zip(ours, figures, strict=True))
        cpu = median(o[1] / t[1] for o, t in zip(ours, figures, strict=True))
        least, most = goals[name]
        row += [f"{rate:.2f}", *(["", ""] if least is None else [f"{least}", verdict(least, rate)])]
        row += [f"{cpu:.2f}", *(["", ""] if most is None else [f"{most}", verdict(cpu, most)])]
        rows.append(row)
    show(
        f"Throughput, 50 connections, {SECONDS} s, medians of {rounds} rounds",
        (
            "",
            "requests/s",
            "µs CPU each",
            "rate ratio",
            "least",
            "reached",
            "CPU ratio",
            "most",
            "reached ",
        ),
        rows,
    )


@contextmanager
def _nginx() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="kscale-bench-") as folder:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        os.chmod(folder, 0o755)
        path = Path(folder) / "nginx.conf"
        path.write_text(NGINX.format(folder=folder, port=port))
        server = subprocess.Popen(
            ["nginx", "-c", str(path), "-e", f"{folder}/log"],
            preexec_fn=lambda: _pin(1),
            stderr=subprocess.DEVNULL,
        )
        try:
            _await(port)
            yield f"http://127.0.0.1:{port}/"
        finally:
            server.terminate()
            server.wait(5)


def _pin(core: int) -> None:
    """Keep a process to a core, where there are two and the system lets us."""
    if hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {cores[core % len(cores)]})


def _await(port: int) -> None:
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.02)
    raise TimeoutError("the server never listened")


def _timed(command: list[str]) -> tuple[str, float]:
    """What a command says, and the CPU seconds of it and its children."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        command, capture_output=True, text=True, preexec_fn=lambda: _pin(0), check=True
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return done.stdout, used


def _ours(url: str) -> Figure:
    # Starting Python and importing is no part of a request: a burst of one request costs that.
    _, start = _timed([program(), "burst", url, "-n", "1", "--json"])
    said, cpu = _timed([program(), "burst", url, "-z", f"{SECONDS}s", "-c", "50", "--json"])
    found = json.loads(said)
    assert found["failures"] == {}
    return found["rate"], max(0.0, cpu - start) / found["responses"]


def _wrk(url: str) -> Figure:
    said, cpu = _timed(["wrk", "-t1", "-c50", f"-d{SECONDS}s", url])
    requests = _number(r"(\d+) requests in", said)
    return _number(r"Requests/sec:\s+([\d.]+)", said), cpu / requests


def _hey(url: str) -> Figure:
    said, cpu = _timed(["hey", "-z", f"{SECONDS}s", "-c", "50", url])
    rate = _number(r"Requests/sec:\s+([\d.]+)", said)
    return rate, cpu / (rate * _number(r"Total:\s+([\d.]+)", said))


def _ab(url: str) -> Figure:
    said, cpu = _timed(["ab", "-q", "-k", "-c", "50", "-t", str(SECONDS), "-n", "100000000", url])
    return _number(r"Requests per second:\s+([\d.]+)", said), cpu / _number(
        r"Complete requests:\s+(\d+)", said
    )


def _number(pattern: str, text: str) -> float:
    found = re.search(pattern, text)
    assert found is not None, text
    return float(found[1])


class Target:
    """The server of benchmarks.target, or of another module, on the second core."""

    def __init__(self, *arguments: str, module: str = "benchmarks.target") -> None:
        self._child = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            preexec_fn=lambda: _pin(1),
        )
        assert self._child.stdout is not None
        self.url = f"http://127.0.0.1:{int(self._child.stdout.readline())}/"

    def arrivals(self) -> array[float]:
        """When each request came; ends the server."""
        said, _ = self._child.communicate(timeout=10)
        times = array("d")
        times.frombytes(base64.b64decode(said))
        return times


_SLEEP = """
import time
late = []
for _ in range(250):
    when = time.perf_counter() + 0.01
    time.sleep(0.01)
    late.append(time.perf_counter() - when)
print(1000 * sorted(late)[247])
"""


def _rates(rounds: int = 5) -> None:
    rows = []
    for rate in (100, 1_000, 5_000, 20_000):
        achieved, jitters, seen, sleeps = [], [], [], []
        for _ in range(rounds):
            target = Target(module="benchmarks.stamped")
            sleeper = subprocess.Popen(
                [sys.executable, "-c", _SLEEP],
                stdout=subprocess.PIPE,
                text=True,
                preexec_fn=lambda: _pin(0),
            )
            said, _ = _timed(
                [
                    program(),
                    "burst",
                    target.url,
                    "-z",
                    "3s",
                    "-c",
                    "50",
                    "--rate",
                    f"{rate}",
                    "--json",
                ]
            )
            sleeps.append(float(sleeper.communicate(timeout=10)[0]))
            found = json.loads(said)
            achieved.append(100 * found["responses"] / (rate * 3))
            times = target.arrivals()
            jitters.append(_jitter(times[::2], rate))
            seen.append(_jitter(times[1::2], rate))
        off = max(abs(100 - value) for value in achieved)
        jitter = median(jitters)
        limit = 2.0 if rate <= 5_000 else None
        rows.append(
            [
                f"{rate}",
                f"{median(achieved):.2f}",
                f"{off:.2f}",
                "1",
                verdict(off, 1),
                f"{jitter:.2f}",
                "" if limit is None else f"{limit:g}",
                "" if limit is None else verdict(jitter, limit),
                f"{median(seen):.2f}",
                f"{median(sleeps):.2f}",
            ]
        )
    show(
        f"Rate over 50 connections, 3 s, {rounds} runs; p99 in ms of the jitter of sending, of the "
        "same as the target saw it, and of how late a sleep beside it ended",
        (
            "asked/s",
            "achieved %",
            "worst off %",
            "most",
            "reached",
            "jitter",
            "most ",
            "reached ",
            "seen",
            "sleep",
        ),
        rows,
    )


def _jitter(times: Iterable[float], rate: float) -> float:
    """How far gaps are from even ones, p99 in ms."""
    gaps = sorted(abs(after - before - 1 / rate) for before, after in pairwise(sorted(times)))
    return 1000 * gaps[int(len(gaps) * 0.99)]


def _stall(rounds: int = 3) -> None:
    rows = []
    # A fifth of all requests are due in a stall and wait from 1 s down to 0, evenly.
    analytic = 1 - 0.01 / 0.2
    for _ in range(rounds):
        target = Target("1", "5")
        said, _ = _timed(
            [program(), "burst", target.url, "-z", "10s", "-c", "5", "--rate", "200", "--json"]
        )
        found = json.loads(said)
        target.arrivals()
        corrected = found["latency"]["percentiles"]["99"]
        off = 100 * abs(corrected / analytic - 1)
        service = found["service"]["percentiles"]["99"]
        rows.append(
            [
                "stalls 1 s in every 5, 200/s",
                f"{1000 * corrected:.0f}",
                f"{1000 * analytic:.0f}",
                f"{off:.1f}",
                "10",
                verdict(off, 10),
                f"{1000 * service:.0f}",
            ]
        )
    show(
        "Coordinated omission: p99 in ms",
        ("", "corrected", "analytic", "off %", "most", "reached", "service"),
        rows,
    )


def resident(pid: int) -> float:
    """Memory of a process, in MB; 0 if there is none."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
