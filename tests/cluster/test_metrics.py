"""The metrics poll: its rhythm, its states, its samples."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.cluster import recorded
from tests.cluster.server import AT_ONCE, Behaviour, Server, eventually, stall, status
from tui.cluster.access import ClusterConfig
from tui.cluster.metrics import APISERVICE, ROOT, Rhythm, node_metrics, pod_metrics
from tui.cluster.transport import Transport
from tui.state.links import Health, Link, Source
from tui.state.rows import Kind, PodRow
from tui.state.store import Store

PODS = f"{ROOT}/namespaces/default/pods"
NODES = f"{ROOT}/nodes"
NOW = 1795222092.0


def test_it_learns_the_resolution_and_stays_close_to_it() -> None:
    """A server with new samples every 30 s: asked twice a period, never late by much."""
    rhythm = Rhythm()
    now, asked, late = 3.0, [], []
    while now < 900:
        newest = now // 30 * 30
        if newest > rhythm.newest:
            late.append(now - newest)
        asked.append(now)
        now += rhythm.after(newest or None)
    assert rhythm.resolution == 30
    assert len(asked) < 75
    assert max(late[5:]) <= 1.5


@pytest.mark.parametrize("resolution", [1.5, 5.0, 10.0])
def test_a_quick_server_is_followed_from_the_first_answer(resolution: float) -> None:
    """Asked too seldom at first, it would seem to be slow: all steps would be as long."""
    rhythm = Rhythm()
    now, late = 100.0, []
    while now < 160:
        newest = now // resolution * resolution
        if newest > rhythm.newest:
            late.append(now - newest)
        now += rhythm.after(newest, window=resolution)
    assert len(late) > 0.9 * 60 / resolution
    assert max(late) <= 1.5


def test_the_resolution_is_bounded_and_outliers_do_not_count() -> None:
    rhythm = Rhythm()
    assert rhythm.resolution == 15
    for newest in (100.0, 100.1, 100.2, 100.3):
        rhythm.after(newest)
    assert rhythm.resolution == Rhythm.SHORTEST
    for newest in (1000.0, 2000.0, 3000.0, 4000.0, 5000.0):
        rhythm.after(newest)
    assert rhythm.resolution == Rhythm.LONGEST
    rhythm = Rhythm()
    for newest in (100.0, 115.0, 130.0, 500.0, 515.0, 530.0):
        rhythm.after(newest)
    assert rhythm.resolution == 15


def test_a_server_that_makes_its_samples_when_asked_is_not_asked_ever_faster() -> None:
    """A Prometheus adapter: every answer is of this moment, over a window of a minute."""
    rhythm = Rhythm()
    now, asked = 0.0, 0
    while now < 3600:
        now += rhythm.after(now + 1000, window=60.0)
        asked += 1
    assert asked < 3600 / 25


def test_when_nothing_new_comes_it_asks_less_often() -> None:
    rhythm = Rhythm()
    rhythm.after(100.0)
    pauses = [rhythm.after(100.0) for _ in range(20)]
    assert pauses[0] == 1.0
    assert sum(pauses) > 100


def test_after_a_clock_that_was_set_back_new_samples_are_new() -> None:
    rhythm = Rhythm()
    for newest in (1000.0, 1015.0, 100.0):
        rhythm.after(newest)
    assert rhythm.after(115.0) == rhythm.resolution - 0.5
    assert rhythm.resolution == 15


class Polling:
    """One poll against a server; it sleeps no longer than a moment."""

    def __init__(self, server: Server, source: Source, now: float) -> None:
        self.store = Store(clock=lambda: now)
        self.transport = Transport(ClusterConfig(server.url), clock=lambda: now)
        self.links: list[Link] = []
        self.pauses: list[float] = []
        self.limit = 20
        self.source = source
        self._over = threading.Event()
        options: dict[str, Any] = {"rng": random.Random(1), "wait": self._wait}
        self.store.put(
            Kind.PODS, [PodRow(uid="1", name="caddy-proxy-6f445bcd79-2sbpw", namespace="default")]
        )
        if source is Source.POD_METRICS:
            self.poll: Any = pod_metrics(self.transport, self.store, "default", **options)
        else:
            self.poll = node_metrics(self.transport, self.store, **options)
        sink = self.poll._sink
        self.sunk: list[int] = []
        """How many samples were taken over at a time."""
        self.poll._sink = lambda given: (self.sunk.append(len(given)), sink(given))
        self.poll.start()

    def _wait(self, seconds: float) -> bool:
        self.links.append(self.link)
        self.pauses.append(seconds)
        return self._over.wait(30 if len(self.pauses) > self.limit else 0.001)

    @property
    def link(self) -> Link:
        return self.store.links.get(self.source, Link())

    def stop(self) -> float:
        start = time.monotonic()
        self._over.set()
        self.poll.stop()
        assert self.poll.join(5)
        return time.monotonic() - start


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(date=NOW) as running:
        yield running


def poll(
    server: Server, *behaviours: Behaviour, source: Source = Source.POD_METRICS, now: float = NOW
) -> Polling:
    server.on(PODS if source is Source.POD_METRICS else NODES, *behaviours)
    return Polling(server, source, now)


def sends(body: bytes) -> Behaviour:
    return lambda e: e.reply(200, body)


def recorded_error(name: str) -> Behaviour:
    case = recorded.errors()[name]["response"]
    kind = case["headers"]["Content-Type"]
    return lambda e: e.reply(case["status"], case["body_raw"], kind)


def test_samples_reach_the_store(server: Server) -> None:
    pods = poll(server, sends(recorded.raw("peak/metrics-pods.json")))
    nodes = poll(server, sends(recorded.raw("peak/metrics-nodes.json")), source=Source.NODE_METRICS)
    try:
        eventually(lambda: pods.link.health is Health.LIVE and nodes.link.health is Health.LIVE)
        delta = pods.store.drain()
        assert len(delta.pod_usage) == 12
        assert delta.pod_usage["default", "caddy-proxy-6f445bcd79-2sbpw"].cpu == 361
        assert list(pods.store.cpu("1", 0).values) == [361]
        assert nodes.store.drain().node_usage["lab-node"].cpu == 1971
        assert pods.pauses[0] == pytest.approx(14.494)  # the window, less half a second
    finally:
        pods.stop()
        nodes.stop()


def test_the_recorded_run_is_polled_sample_by_sample(server: Server) -> None:
    entries = recorded.lines("scale-run/metrics-pods.poll.jsonl")
    bodies = [e["body"].encode() for e in entries if e["status"] == 200]
    # As if somebody asked every 5 s: each body once.
    served = iter(bodies)
    last = bodies[-1]
    polling = poll(server, lambda e: sends(next(served, last))(e))
    polling.limit = len(bodies) + 5
    try:
        eventually(lambda: len(polling.pauses) > len(bodies))
        assert polling.poll.rhythm.resolution == pytest.approx(15, abs=1)
        times = polling.store.cpu("1", 0).times
        assert len(times) > 20
        assert list(times) == sorted(set(times))
    finally:
        polling.stop()


def test_not_installed(server: Server) -> None:
    polling = poll(server, recorded_error("metrics-absent-404-pods"))
    try:
        eventually(lambda: polling.link.health is Health.ABSENT)
        assert "not installed" in polling.link.detail
        assert polling.pauses[0] == 30
    finally:
        polling.stop()


@pytest.mark.parametrize(
    ("moment", "reason"),
    [
        ("no-endpoints", "MissingEndpoints"),
        ("connection-refused", "FailedDiscoveryCheck"),
        ("starting", "MissingEndpoints"),
    ],
)
def test_unavailable_says_what_the_apiservice_says(
    server: Server, moment: str, reason: str
) -> None:
    server.on(APISERVICE, recorded_error(f"metrics-unavailable-{moment}-apiservice"))
    polling = poll(server, recorded_error(f"metrics-unavailable-{moment}-pods"))
    try:
        eventually(lambda: polling.link.health is Health.UNAVAILABLE)
        assert reason in polling.link.detail
    finally:
        polling.stop()


def test_unavailable_without_the_right_to_know_why(server: Server) -> None:
    server.on(APISERVICE, status(403, "Forbidden"))
    polling = poll(server, recorded_error("metrics-unavailable-no-endpoints-pods"))
    try:
        eventually(lambda: polling.link.health is Health.UNAVAILABLE)
        assert polling.link.detail.endswith("does not answer.")
    finally:
        polling.stop()


@pytest.mark.parametrize(
    ("source", "name", "right"),
    [
        (Source.POD_METRICS, "403-readonly-metrics-pods", "list pods.metrics.k8s.io in namespace"),
        (Source.NODE_METRICS, "403-readonly-metrics-nodes", "list nodes.metrics.k8s.io"),
    ],
)
def test_forbidden_names_the_right(server: Server, source: Source, name: str, right: str) -> None:
    polling = poll(server, recorded_error(name), source=source)
    try:
        eventually(lambda: polling.link.health is Health.FORBIDDEN)
        assert right in polling.link.detail
        assert polling.pauses[0] == 60
    finally:
        polling.stop()


def test_it_comes_and_goes(server: Server) -> None:
    body = sends(recorded.raw("peak/metrics-pods.json"))
    polling = poll(
        server,
        recorded_error("metrics-absent-404-pods"),
        recorded_error("metrics-unavailable-starting-pods"),
        sends(b'{"kind":"PodMetricsList","items":[]}'),
        body,
        status(500, "InternalError", "oh"),
        lambda e: e.reply(200, "<html>", "text/html"),
        lambda e: e.reply(200, {"kind": "PodMetricsList", "items": 7}),
        body,
    )
    try:
        eventually(lambda: len(polling.links) >= 8)
    finally:
        polling.stop()
    assert [link.health for link in polling.links[:8]] == [
        Health.ABSENT,
        Health.UNAVAILABLE,
        Health.LIVE,
        Health.LIVE,
        Health.RETRYING,
        Health.RETRYING,
        Health.RETRYING,
        Health.LIVE,
    ]
    assert "No samples yet" in polling.links[2].detail
    assert polling.links[4].detail == "oh"


def test_old_samples_are_called_stale(server: Server) -> None:
    server.date = NOW + 300
    polling = poll(server, sends(recorded.raw("peak/metrics-pods.json")), now=NOW + 300)
    try:
        eventually(lambda: polling.link.health is Health.UNAVAILABLE)
        assert "310 s old" in polling.link.detail
    finally:
        polling.stop()


def test_samples_that_come_quickly_may_be_as_late_as_others(server: Server) -> None:
    polling = poll(server, samples({**sample("a", "1m", NOW - 45), "window": "1s"}))
    try:
        eventually(lambda: polling.link.health is Health.LIVE)
        assert polling.poll.rhythm.resolution == 1
    finally:
        polling.stop()


def test_what_is_gone_with_the_metrics_api_comes_back_with_it(server: Server) -> None:
    """Though it is the same as before."""
    same = samples(sample("a", "1m", NOW - 5))
    polling = poll(server, same, same, recorded_error("metrics-absent-404-pods"), same, same)
    try:
        eventually(lambda: len(polling.links) >= 6)
    finally:
        polling.stop()
    assert polling.sunk[:3] == [1, 0, 1]


@pytest.mark.parametrize(("retry_after", "pause"), [("45", 45.0), ("1", 10.0)])
def test_a_metrics_api_that_is_away_may_say_for_how_long(
    server: Server, retry_after: str, pause: float
) -> None:
    away = "503 service unavailable"
    polling = poll(server, lambda e: e.reply(503, away, "text/plain", Retry_After=retry_after))
    try:
        eventually(lambda: polling.link.health is Health.UNAVAILABLE)
        eventually(lambda: polling.pauses)
        assert polling.pauses[0] == pause
    finally:
        polling.stop()


def test_a_clock_that_is_off_makes_no_sample_stale(server: Server) -> None:
    polling = poll(server, sends(recorded.raw("peak/metrics-pods.json")), now=NOW + 600)
    try:
        eventually(lambda: polling.link.health is Health.LIVE)
    finally:
        polling.stop()


def sample(name: str, cpu: str, at: float) -> dict[str, Any]:
    moment = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "metadata": {"name": name, "namespace": "default"},
        "timestamp": moment,
        "window": "15s",
        "containers": [{"name": "app", "usage": {"cpu": cpu, "memory": "1Mi"}}],
    }


def samples(*items: dict[str, Any]) -> Behaviour:
    body = {"kind": "PodMetricsList", "metadata": {}, "items": items}
    return lambda e: e.reply(200, body)


@pytest.mark.parametrize("ahead", [300, 10**6])
def test_one_sample_of_a_clock_that_is_ahead_stops_no_other(server: Server, ahead: float) -> None:
    polling = poll(
        server,
        samples(sample("a", "100m", NOW + ahead), sample("b", "5m", NOW - 15)),
        samples(sample("a", "200m", NOW - 5)),
        samples(sample("a", "300m", NOW - 3)),
    )
    try:
        eventually(
            lambda: {k[1]: u.cpu for k, u in polling.store.drain().pod_usage.items()} == {"a": 300}
        )
        assert polling.link.health is Health.LIVE
    finally:
        polling.stop()


def test_samples_of_the_future_alone_are_not_called_fresh(server: Server) -> None:
    polling = poll(server, samples(sample("a", "100m", NOW + 7200)))
    try:
        eventually(lambda: polling.link.health is Health.UNAVAILABLE)
        assert "7200 s ahead of the server's clock" in polling.link.detail
    finally:
        polling.stop()


def test_what_a_node_says_later_than_another_is_not_lost(server: Server) -> None:
    """Each node has its own moment: the newest of all need not move for one to have news."""
    polling = poll(
        server,
        samples(sample("a", "1m", NOW - 1), sample("b", "2m", NOW - 31)),
        samples(sample("a", "1m", NOW - 1), sample("b", "9m", NOW - 16)),
    )
    try:
        eventually(
            lambda: (
                {k[1]: u.cpu for k, u in polling.store.drain().pod_usage.items()}
                == {"a": 1, "b": 9}
            )
        )
    finally:
        polling.stop()


def test_no_answer_ends_the_thread(server: Server) -> None:
    deep = b'{"kind":"PodMetricsList","items":' + b"[" * 20_000 + b"]" * 20_000 + b"}"
    late = {"details": {"retryAfterSeconds": 10**400}, "code": 429, "message": "later"}
    polling = poll(
        server,
        sends(deep),
        lambda e: e.reply(429, late),
        lambda e: e.reply(503, late),
        sends(recorded.raw("peak/metrics-pods.json")),
    )
    server.on(APISERVICE, sends(deep))
    try:
        eventually(lambda: polling.link.health is Health.LIVE)
        assert max(polling.pauses) <= 3600
    finally:
        polling.stop()


def test_stops_within_a_second_while_the_server_is_silent(server: Server) -> None:
    polling = poll(server, stall)
    eventually(lambda: server.requests)
    assert polling.stop() < AT_ONCE
    assert polling.link.health is Health.STOPPED
