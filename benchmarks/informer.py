"""What an informer does with bytes: pages of a list, lines of a watch, decoded and stored.

10,000 pods made from the recorded ones (Kubernetes 1.36, managedFields and all). The peer is
``json.loads`` of the very same bytes, which is where a client that keeps dictionaries begins; it
stores nothing, but keeps what it made. Each runs in a process of its own, so that memory is told
apart.
"""

from __future__ import annotations

import gc
import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.table import show
from tests.cluster.recorded import document

PODS, PAGE, EVENTS, BATCH = 10_000, 250, 5_000, 20
Figures = tuple[float, float, float, float]
"""In the order of the table: seconds, MB, seconds, seconds."""


def run(rounds: int = 3) -> None:
    """Measure, and print a table."""
    size = sum(map(len, _pages())) / PODS / 1000
    ours, theirs = _medians(_informer, rounds), _medians(_json, rounds)
    rows: list[tuple[str, float]] = [
        ("list, ms in all", 1000),
        ("list, MB kept", 1),
        ("list, ms for the longest page", 1000),
        ("watch, µs an event", 1e6 / EVENTS),
    ]
    show(
        f"Informer, {PODS:,} pods of {size:.1f} kB, pages of {PAGE}, {rounds} rounds",
        ("", "rows in the store", "json.loads alone", "ratio"),
        [
            [name, _figure(our * by), _figure(their * by), f"{our / their:.2f}"]
            for (name, by), our, their in zip(rows, ours, theirs, strict=True)
        ],
    )


def _figure(value: float) -> str:
    return f"{value:.0f}" if value >= 10 else f"{value:.1f}"


def _medians(measure: Callable[[], Figures], rounds: int) -> Figures:
    spawn = get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn, max_tasks_per_child=1) as pool:
        all_of_them = [pool.submit(measure).result() for _ in range(rounds)]
    a, b, c, d = (median(figures) for figures in zip(*all_of_them, strict=True))
    return a, b, c, d


def _informer() -> Figures:
    from tui.cluster.resources import RESOURCES
    from tui.state.rows import Kind, Row
    from tui.state.store import Store

    codec, store = RESOURCES[Kind.PODS].codec, Store()

    def take(page: bytes) -> None:
        store.put(Kind.PODS, codec.page(page).rows)

    def follow(lines: list[bytes]) -> None:
        rows: dict[str, Row] = {}
        for line in lines:
            event = codec.event(line)
            if event.row is not None:
                rows[event.uid] = event.row
        store.put(Kind.PODS, rows.values())
        store.drain()

    return _measure(take, follow)


def _json() -> Figures:
    kept: list[Any] = []
    return _measure(
        lambda page: kept.append(json.loads(page)), lambda lines: [json.loads(x) for x in lines]
    )


def _measure(take: Callable[[bytes], object], follow: Callable[[list[bytes]], object]) -> Figures:
    events = list(_events())
    times: list[float] = []
    before = _resident()
    for page in _pages():
        begin = time.perf_counter()
        take(page)
        times.append(time.perf_counter() - begin)
        del page
    gc.collect()
    memory = _resident() - before
    begin = time.perf_counter()
    for at in range(0, len(events), BATCH):
        follow(events[at : at + BATCH])
    return sum(times), memory, max(times), time.perf_counter() - begin


def _pages() -> Iterator[bytes]:
    for first in range(0, PODS, PAGE):
        items = [_pod(number) for number in range(first, first + PAGE)]
        listed = {"kind": "PodList", "apiVersion": "v1", "metadata": {"resourceVersion": "1"}}
        yield json.dumps({**listed, "items": items}, separators=(",", ":")).encode()


def _events() -> Iterator[bytes]:
    for number in range(EVENTS):
        event = {"type": "MODIFIED", "object": _pod(number, version=PODS + number)}
        yield json.dumps(event, separators=(",", ":")).encode()


def _pod(number: int, version: int = 0) -> dict[str, Any]:
    """A recorded pod under another name, uid and version; a later version has restarted."""
    recorded = _recorded()
    pod: dict[str, Any] = json.loads(recorded[number % len(recorded)])
    meta = pod["metadata"]
    meta["name"] = f"{meta['name'][:-5]}{number:05d}"
    meta["uid"] = f"{number:08d}-0000-4000-8000-000000000000"
    meta["resourceVersion"] = str(version or number + 1)
    if version:
        for status in pod["status"].get("containerStatuses") or ():
            status["restartCount"] += 1
    return pod


@cache
def _recorded() -> list[str]:
    return [json.dumps(pod) for pod in document("peak/pods.json")["items"]]


def _resident() -> float:
    """MB."""
    status = Path("/proc/self/status").read_text().splitlines()
    return next(int(x.split()[1]) for x in status if x.startswith("VmRSS")) * 1024 / 1e6
