"""Informers against a server that misbehaves."""

from __future__ import annotations

import json
import os
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.cluster.server import (
    CERTS,
    Behaviour,
    Exchange,
    Server,
    cut,
    eventually,
    listing,
    not_found,
    pod,
    stall,
    status,
    status_object,
    watching,
)
from tui.cluster.access import ClusterConfig, Tls
from tui.cluster.informer import SLOW_RETRY, Informer
from tui.cluster.resources import RESOURCES
from tui.cluster.transport import Transport
from tui.state.links import Health, Link
from tui.state.rows import Kind
from tui.state.store import Store

PODS = "/api/v1/namespaces/default/pods"
EVENTS = "/api/v1/namespaces/default/events"


class Waits:
    """Stands for the informer's sleeping: notes how long it would, and lets it go on or not."""

    def __init__(self) -> None:
        self.asked: list[float] = []
        self._stopped = threading.Event()
        self.limit = 40

    def __call__(self, seconds: float) -> bool:
        self.asked.append(seconds)
        if len(self.asked) >= self.limit:
            return self._stopped.wait(30)
        return self._stopped.wait(0.001)

    def stop(self) -> None:
        self._stopped.set()


class Running:
    """A server, a store, and one informer between them."""

    def __init__(self, server: Server, kind: Kind = Kind.PODS, **options: Any) -> None:
        self.server = server
        self.store = Store()
        self.links: list[Link] = []
        self.waits = Waits()
        self.config = ClusterConfig(server=server.url, tls=options.pop("tls", Tls()))
        self.transport = Transport(self.config)
        note, put = self._note, self.store.link

        def link(*args: Any, **more: Any) -> None:
            put(*args, **more)
            note()

        self.kind = kind
        self.store.link = link  # type: ignore[method-assign]
        self.informer = Informer(
            RESOURCES[kind],
            self.transport,
            self.store,
            options.pop("namespace", "default"),
            rng=random.Random(1),
            wait=options.pop("wait", self.waits),
            **options,
        )
        self.informer.start()

    def _note(self) -> None:
        self.links.append(self.store.links[self.kind])

    def names(self) -> set[str]:
        return {row.name for row in self.store.drain().tables[self.kind].rows.values()}

    def statuses(self) -> dict[str, str]:
        return {row.name: row.status for row in self.store.drain().pods.rows.values()}

    @property
    def link(self) -> Link:
        return self.store.links.get(self.kind, Link())

    def stop(self) -> float:
        """Stop it; returns the seconds that took."""
        start = time.monotonic()
        self.waits.stop()
        self.informer.stop()
        assert self.informer.join(5)
        taken = time.monotonic() - start
        self.transport.close()
        return taken


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        yield running


@pytest.fixture
def run(server: Server) -> Iterator[Callable[..., Running]]:
    started: list[Running] = []

    def start(*lists: Behaviour, watch: tuple[Behaviour, ...] = (), **options: Any) -> Running:
        if lists:
            server.on(PODS, *lists)
        server.on(PODS, *(watch or (watching(),)), watch=True)
        started.append(Running(server, **options))
        return started[-1]

    yield start
    for running in started:
        running.stop()


Run = Callable[..., Running]


def test_lists_then_watches(run: Run) -> None:
    events = (
        ("ADDED", pod("c", 103)),
        ("MODIFIED", pod("a", 104, phase="Failed")),
        ("DELETED", pod("b", 105)),
        ("BOOKMARK", {"kind": "Pod", "metadata": {"resourceVersion": "110"}}),
    )
    running = run(
        listing([pod("a"), pod("b")], "102"), watch=(watching(*events, then="end"), watching())
    )
    eventually(lambda: running.statuses() == {"a": "Failed", "c": "Running"})
    eventually(lambda: running.link.health is Health.LIVE)
    eventually(lambda: len(running.server.asked(PODS, watch=True)) == 2)
    first, second = running.server.asked(PODS, watch=True)
    assert first.query["resourceVersion"] == "102"
    assert first.query["allowWatchBookmarks"] == "true"
    assert 240 <= int(first.query["timeoutSeconds"]) <= 300
    assert second.query["resourceVersion"] == "110"  # the bookmark's
    assert first.headers["user-agent"].startswith("kscale-tui/")
    assert len(running.server.asked(PODS)) == 1


def test_pages_are_shown_as_they_come_and_the_first_is_small(run: Run) -> None:
    seen: list[set[str]] = []

    def second(exchange: Exchange) -> None:
        eventually(lambda: running.names() == {"a"})
        seen.append(running.names())
        listing([pod("b")], "5")(exchange)

    ready = threading.Event()

    def first(exchange: Exchange) -> None:
        ready.wait(5)
        listing([pod("a")], "5", rest="more")(exchange)

    running = run(first, second)
    ready.set()
    eventually(lambda: running.names() == {"a", "b"})
    assert seen == [{"a"}]
    sizes = [r.query["limit"] for r in running.server.asked(PODS)]
    assert sizes == ["100", "250"]
    assert running.server.asked(PODS)[1].query["continue"] == "more"


def test_a_relist_drops_what_is_gone(run: Run) -> None:
    gone = ("ERROR", status_object(410, "Expired", "too old resource version: 1 (2)"))
    running = run(
        listing([pod("a"), pod("b")], "102"),
        listing([pod("b"), pod("c")], "200"),
        watch=(watching(gone, then="end"), watching()),
    )
    eventually(lambda: running.names() == {"b", "c"})
    eventually(lambda: running.link.health is Health.LIVE)
    assert any("listing pods again" in link.detail for link in running.links)
    assert running.waits.asked == []  # the first 410 is answered at once


def test_410_as_a_status_relists_too(run: Run) -> None:
    running = run(
        listing([pod("a")], "102"),
        listing([pod("b")], "200"),
        watch=(status(410, "Expired"), watching()),
    )
    eventually(lambda: running.names() == {"b"})


def test_a_410_that_comes_back_is_not_a_hot_loop(run: Run) -> None:
    running = run(listing([pod("a")], "102"), watch=(status(410, "Expired"),))
    eventually(lambda: len(running.waits.asked) >= 8)
    asked = len(running.server.asked(PODS, watch=True))
    assert asked <= len(running.waits.asked) + 2


def test_410_in_the_middle_of_a_list_starts_it_again(run: Run) -> None:
    running = run(
        listing([pod("gone")], "5", rest="old"),
        status(410, "Expired"),
        listing([pod("a")], "9", rest="new"),
        listing([pod("b")], "9"),
    )
    eventually(lambda: running.names() == {"a", "b"})
    assert "continue" not in running.server.asked(PODS)[2].query


def test_a_list_that_always_expires_is_asked_for_whole(run: Run) -> None:
    def serve(exchange: Exchange) -> None:
        if "continue" in exchange.query:
            status(410, "Expired")(exchange)
        elif "limit" in exchange.query:
            listing([pod("a")], "5", rest="x")(exchange)
        else:
            listing([pod("a"), pod("b")], "9")(exchange)

    running = run(serve)
    eventually(lambda: running.names() == {"a", "b"})


def test_a_list_without_an_end_is_given_up(run: Run) -> None:
    running = run(listing([pod("a")], "5", rest="same"))
    eventually(lambda: "does not end" in running.link.detail)
    assert running.link.health is Health.RETRYING


def test_back_off_grows_with_jitter_and_is_said(run: Run) -> None:
    running = run(status(500, "InternalError", "etcd is on fire"))
    eventually(lambda: len(running.waits.asked) >= 30)
    waits = running.waits.asked
    assert all(0.5 <= w <= 30 for w in waits)
    assert max(waits) > 10
    assert len(set(waits)) > 20
    assert running.link.health is Health.RETRYING
    assert running.link.detail == "etcd is on fire"
    assert running.link.retry_at is not None


def test_back_off_starts_afresh_only_after_a_stream_has_lived(server: Server) -> None:
    now = [0.0]

    def live(seconds: float) -> Behaviour:
        def answer(exchange: Exchange) -> None:
            exchange.start_chunked()
            exchange.event("BOOKMARK", pod("x", 105))
            eventually(lambda: running.informer.counters.events >= 1)
            now[0] += seconds
            exchange.cut()

        return answer

    server.on(PODS, listing([], "102"))
    failures = [status(503, "ServiceUnavailable")] * 12
    server.on(PODS, *failures, live(1), *failures[:2], live(9), status(500, "x"), watch=True)
    running = Running(server, clock=lambda: now[0])
    try:
        eventually(lambda: len(running.waits.asked) >= 20)
    finally:
        running.stop()
    waits = running.waits.asked
    assert max(waits[:12]) > 5
    assert waits[12] + waits[13] > 1.5  # the short-lived stream changed nothing
    assert waits[15] <= 1.5  # the long-lived one did


@pytest.mark.parametrize("retry_after", ["7", "45"])
def test_retry_after_is_obeyed(run: Run, retry_after: str) -> None:
    def throttle(exchange: Exchange) -> None:
        exchange.reply(
            429,
            "Too many requests, please try again later.\n",
            "text/plain",
            Retry_After=retry_after,
        )

    running = run(throttle, listing([pod("a")]))
    eventually(lambda: running.names() == {"a"})
    assert running.waits.asked[0] >= float(retry_after)
    assert any("busy" in link.detail for link in running.links)


def test_forbidden_names_the_right_and_is_asked_for_slowly(run: Run) -> None:
    running = run(status(403, "Forbidden"), status(403, "Forbidden"), listing([pod("a")]))
    eventually(lambda: running.names() == {"a"})
    forbidden = next(link for link in running.links if link.health is Health.FORBIDDEN)
    assert "`list pods`" in forbidden.detail
    assert "in namespace default" in forbidden.detail
    assert all(SLOW_RETRY * 0.9 <= w <= SLOW_RETRY * 1.1 for w in running.waits.asked[:2])


def test_rights_taken_away_take_the_rows_with_them(run: Run) -> None:
    running = run(
        listing([pod("a")], "102"),
        status(403, "Forbidden"),
        watch=(watching(("ADDED", pod("b", 103)), b"garbage\n"), watching()),
    )
    running.waits.limit = 2
    eventually(lambda: running.link.health is Health.FORBIDDEN)
    assert running.names() == set()


def test_an_api_that_is_not_there_is_absent(run: Run) -> None:
    running = run(not_found, listing([pod("a")]))
    eventually(lambda: running.names() == {"a"})
    absent = next(link for link in running.links if link.health is Health.ABSENT)
    assert "does not serve pods" in absent.detail


def test_list_without_watch_polls_and_says_so(run: Run) -> None:
    running = run(
        listing([pod("a")], "1"),
        listing([pod("b")], "2"),
        watch=(status(403, "Forbidden"),),
    )
    eventually(lambda: running.names() == {"b"})
    eventually(lambda: len(running.server.asked(PODS, watch=True)) >= 2)
    link = next(link for link in running.links if link.health is Health.LIVE)
    assert "not watch" in link.detail
    assert set(running.waits.asked) == {10.0}


@pytest.mark.parametrize(
    "tail",
    [
        pytest.param(b"garbage\n", id="garbage"),
        pytest.param(b'{"type":"ADDED","object":{"metadata":{"uid":\n', id="cut in a value"),
        pytest.param(b"\xff\xfe\n", id="not text"),
    ],
)
def test_a_stream_that_cannot_be_read_relists_after_a_pause(run: Run, tail: bytes) -> None:
    running = run(
        listing([pod("a")], "102"),
        listing([pod("z")], "200"),
        watch=(watching(("ADDED", pod("b", 103)), tail), watching()),
    )
    eventually(lambda: running.names() == {"z"})
    assert len(running.waits.asked) == 1
    assert running.waits.asked[0] >= 0.5


def test_a_line_cut_at_the_end_resumes_from_the_last_good_one(run: Run) -> None:
    whole = json.dumps({"type": "ADDED", "object": pod("b", 103)}).encode() + b"\n"
    half = json.dumps({"type": "ADDED", "object": pod("c", 104)}).encode()[:40]
    running = run(
        listing([pod("a")], "102"),
        watch=(watching(whole, half, then="end"), watching(("ADDED", pod("c", 104)))),
    )
    eventually(lambda: running.names() == {"a", "b", "c"})
    assert running.server.asked(PODS, watch=True)[1].query["resourceVersion"] == "103"
    assert len(running.server.asked(PODS)) == 1


def test_what_is_unknown_or_out_of_scope_is_counted_and_passed_over(run: Run) -> None:
    running = run(
        listing([pod("a"), pod("other", namespace="kube-system")], "102"),
        watch=(
            watching(
                ("HIBERNATED", pod("x", 103)),
                ("ADDED", {"metadata": {"uid": 7}}),
                ("ADDED", pod("y", 104, namespace="kube-system")),
                ("ADDED", pod("b", 105)),
            ),
        ),
    )
    eventually(lambda: running.names() == {"a", "b"})
    assert running.informer.counters.skipped == 4
    assert len(running.server.asked(PODS)) == 1


def test_repeated_and_late_events_change_nothing(run: Run) -> None:
    running = run(
        listing([pod("a", 100), pod("b", 101)], "102"),
        watch=(
            watching(
                ("MODIFIED", pod("a", 110, phase="Failed")),
                ("MODIFIED", pod("a", 105, phase="Pending")),
                ("MODIFIED", pod("b", 90, phase="Pending")),
                ("DELETED", pod("b", 111)),
                ("MODIFIED", pod("b", 109)),
                ("DELETED", pod("b", 111)),
                ("ADDED", pod("end", 112)),
            ),
        ),
    )
    eventually(lambda: running.statuses() == {"a": "Failed", "end": "Running"})


def test_a_pod_made_again_under_its_name_is_another(run: Run) -> None:
    running = run(
        listing([pod("a", 100, uid="1")], "102"),
        watch=(watching(("DELETED", pod("a", 103, uid="1")), ("ADDED", pod("a", 104, uid="2"))),),
    )
    eventually(lambda: set(running.store.drain().pods.rows) == {"2"})


def test_an_object_that_becomes_unreadable_is_not_shown_any_more(run: Run) -> None:
    broken = {**pod("a", 103), "status": "odd"}
    running = run(listing([pod("a"), pod("b")], "102"), watch=(watching(("MODIFIED", broken)),))
    eventually(lambda: running.names() == {"b"})


def test_a_line_of_five_megabytes_is_read(run: Run) -> None:
    big = pod("big", 103)
    big["metadata"]["annotations"] = {"x": "y" * 5_000_000}
    running = run(listing([], "102"), watch=(watching(("ADDED", big)),))
    eventually(lambda: running.names() == {"big"})


def test_a_line_without_end_is_given_up(run: Run) -> None:
    def endless(exchange: Exchange) -> None:
        exchange.start_chunked()
        while not exchange.server.stopped.is_set():
            exchange.chunk(b"x" * 1_000_000)

    running = run(listing([pod("a")], "102"), watch=(endless, watching()))
    eventually(lambda: any("16 MB" in link.detail for link in running.links))
    eventually(lambda: running.link.health is Health.LIVE)


def test_lines_may_come_a_byte_at_a_time(run: Run) -> None:
    def drip(exchange: Exchange) -> None:
        exchange.start_chunked()
        data = json.dumps({"type": "ADDED", "object": pod("slow", 103)}).encode() + b"\n"
        coded = b"%x\r\n%b\r\n" % (len(data), data)
        for number in range(len(coded)):
            exchange.write(coded[number : number + 1])
        exchange.stall()

    running = run(listing([], "102"), watch=(drip,))
    eventually(lambda: running.names() == {"slow"})


def test_streams_that_end_at_once_are_held_back(run: Run) -> None:
    running = run(listing([pod("a")], "102"), watch=(watching(then="end"),))
    eventually(lambda: len(running.waits.asked) >= 10)
    assert len(running.server.asked(PODS, watch=True)) <= len(running.waits.asked) + 1
    assert max(running.waits.asked) > 2
    assert any("ends the watch" in link.detail for link in running.links)


def test_streams_that_end_early_with_news_go_on_once_a_second(run: Run) -> None:
    running = run(listing([], "102"), watch=(watching(("MODIFIED", pod("a", 103)), then="end"),))
    eventually(lambda: len(running.waits.asked) >= 5)
    assert all(0.5 < w <= 1 for w in running.waits.asked)
    assert running.link.health is Health.LIVE


def test_a_watch_that_stays_silent_to_its_end_lists_again(server: Server) -> None:
    now = [0.0]

    def silent(exchange: Exchange) -> None:
        exchange.start_chunked()
        eventually(lambda: running.link.health is Health.LIVE)
        now[0] += 280
        exchange.end()

    server.on(PODS, listing([pod("future")], "99999"), listing([pod("a")], "7"))
    server.on(PODS, silent, watching(), watch=True)
    running = Running(server, clock=lambda: now[0])
    try:
        eventually(lambda: running.names() == {"a"})
    finally:
        running.stop()


@pytest.mark.parametrize(
    ("behaviour", "words"),
    [
        (cut, "was cut"),
        (lambda e: e.reply(200, "<html>login</html>", "text/html"), "not a Kubernetes API"),
        (lambda e: e.reply(200, {"kind": "Status"}), "not a list"),
        (lambda e: e.reply(302, "", Location="http://elsewhere/"), "redirect"),
        (lambda e: e.reply(200, {"kind": "PodList", "items": []}), "no resourceVersion"),
        (status(401, "Unauthorized"), "did not accept the credentials"),
        (status(504, "Timeout", "request did not complete"), "request did not complete"),
    ],
)
def test_failures_are_said_in_plain_words(run: Run, behaviour: Behaviour, words: str) -> None:
    running = run(behaviour, behaviour, listing([pod("a")]))
    eventually(lambda: running.names() == {"a"})
    assert any(words in link.detail for link in running.links), running.links
    assert len(running.waits.asked) >= 2


def test_only_the_newest_events_are_kept(server: Server) -> None:
    def happening(number: int) -> dict[str, Any]:
        meta = {"uid": str(number), "name": f"e{number}", "namespace": "default"}
        time = f"2026-11-21T{number // 3600:02}:{number // 60 % 60:02}:{number % 60:02}Z"
        return {"metadata": {**meta, "resourceVersion": str(number)}, "lastTimestamp": time}

    old = [happening(n) for n in range(3000)]
    random.Random(3).shuffle(old)
    server.on(EVENTS, listing(old[:1500], "9000", rest="x"), listing(old[1500:], "9000"))
    server.on(EVENTS, watching(("ADDED", {**happening(4000)})), watch=True)
    running = Running(server, Kind.EVENTS)
    try:
        eventually(lambda: "e4000" in running.names())
        kept = sorted(int(uid) for uid in running.store.drain().events.rows)
    finally:
        running.stop()
    assert 1000 <= len(kept) <= 1101
    assert set(range(2001, 3000)) <= set(kept)


def test_a_burst_is_taken_in_batches(run: Run) -> None:
    events = [json.dumps({"type": "ADDED", "object": pod(f"p{n}", n)}) for n in range(200, 700)]
    running = run(listing([], "102"), watch=(watching("\n".join([*events, ""]).encode()),))
    puts: list[int] = []
    put = running.store.put
    running.store.put = lambda kind, rows: (puts.append(len(rows)), put(kind, rows))  # type: ignore[assignment, arg-type, return-value]
    eventually(lambda: len(running.names()) == 500)
    assert running.informer.counters.events == 500
    assert len(puts) < 50


def test_connections_that_break_leave_no_descriptor_and_no_thread_behind() -> None:
    ca = Tls(ca_file=str(CERTS / "ca.pem"))
    with Server(tls="server") as server:
        server.on(PODS, listing([pod("a")], "102"))
        server.on(PODS, watching(then="end"), watching(then="cut"), *[cut] * 3, watch=True)
        running = Running(server, tls=ca)
        try:
            running.waits.limit = 400
            eventually(lambda: len(running.waits.asked) >= 20)
            before = (len(os.listdir("/dev/fd")), threading.active_count())
            eventually(lambda: len(running.waits.asked) >= 120)
            after = (len(os.listdir("/dev/fd")), threading.active_count())
        finally:
            running.stop()
    assert after[0] <= before[0] + 8
    assert after[1] <= before[1] + 4


# Stopping.


def test_stops_within_a_second_while_the_list_is_stalled(server: Server) -> None:
    server.on(PODS, stall)
    running = Running(server)
    eventually(lambda: server.requests)
    assert running.stop() < 1
    assert running.link.health is Health.STOPPED


def test_stops_within_a_second_while_the_list_drips(server: Server) -> None:
    def drip(exchange: Exchange) -> None:
        exchange.start(Content_Length="100000")
        while not exchange.server.stopped.wait(0.01):
            exchange.write(b" ")

    server.on(PODS, drip)
    running = Running(server)
    eventually(lambda: server.requests)
    assert running.stop() < 1


def test_stops_within_a_second_while_watching_a_stalled_stream(run: Run) -> None:
    running = run(listing([pod("a")]))
    eventually(lambda: running.link.health is Health.LIVE)
    assert running.stop() < 1


def test_stops_within_a_second_while_backing_off(server: Server) -> None:
    server.on(PODS, status(500, "InternalError"))
    running = Running(server, wait=None)
    eventually(lambda: running.link.health is Health.RETRYING)
    assert running.stop() < 1


def test_stops_within_a_second_during_a_tls_handshake() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = ClusterConfig(server=f"https://127.0.0.1:{listener.getsockname()[1]}")
        store = Store()
        informer = Informer(RESOURCES[Kind.PODS], Transport(config), store)
        informer.start()
        listener.accept()
        start = time.monotonic()
        informer.stop()
        assert informer.join(5)
        assert time.monotonic() - start < 1


def test_reconnects_when_told_that_the_connection_may_be_dead(run: Run) -> None:
    running = run(
        listing([pod("a")], "102"), watch=(watching(), watching(("ADDED", pod("b", 103))))
    )
    eventually(lambda: running.link.health is Health.LIVE)
    running.informer.reconnect()
    eventually(lambda: running.names() == {"a", "b"})
