"""Informers against a server that fails, and informers that are told to stop."""

from __future__ import annotations

import json
import os
import random
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.cluster.running import PODS, Running
from tests.cluster.server import (
    AT_ONCE,
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
    watching,
)
from tui.cluster.access import Auth, ClusterConfig, Tls
from tui.cluster.informer import SLOW_RETRY, Informer
from tui.cluster.resources import RESOURCES
from tui.cluster.transport import Transport
from tui.state.links import Health
from tui.state.rows import Kind
from tui.state.store import Store

Run = Callable[..., Running]


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


@pytest.mark.parametrize("seconds", [10**9, 10**12, 10**400, -5])
def test_no_wait_that_a_server_asks_for_is_without_end(run: Run, seconds: int) -> None:
    told = {"kind": "Status", "code": 429, "message": "later"}
    told["details"] = {"retryAfterSeconds": seconds}
    running = run(lambda e: e.reply(429, told), listing([pod("a")]))
    eventually(lambda: running.names() == {"a"})
    assert 0 <= max(running.waits.asked) <= 3600


def test_a_token_that_a_watch_repeats_is_not_shown(server: Server) -> None:
    echo = {"kind": "Status", "code": 500, "message": "upstream refused: Bearer canary-of-a-token"}
    server.on(PODS, listing([pod("a")]))
    server.on(PODS, watching(("ERROR", echo)), watch=True)
    running = Running(server, auth=Auth(token="canary-of-a-token"))
    try:
        eventually(lambda: running.link.health is Health.RETRYING)
        assert {link.detail for link in running.links} >= {"upstream refused: Bearer ..."}
    finally:
        running.stop()


def test_continue_tokens_that_lead_in_a_circle_end_the_list(run: Run) -> None:
    running = run(
        listing([pod("a")], rest="x"),
        listing([pod("b")], rest="y"),
        listing([pod("c")], rest="x"),
        listing([pod("d")]),
    )
    eventually(lambda: running.names() == {"d"})
    assert "The server's list does not end." in {link.detail for link in running.links}
    assert len(running.server.asked(PODS)) == 4


def test_pages_without_end_that_hold_nothing_new_end_the_list(run: Run) -> None:
    pages = iter(range(10_000))
    running = run(lambda e: listing([pod("a")], rest=str(next(pages)))(e))
    eventually(lambda: running.link.health is Health.RETRYING)
    assert running.link.detail == "The server's list does not end."
    assert len(running.server.asked(PODS)) < 60


@pytest.mark.parametrize("type_", ["DELETED", "MODIFIED"])
@pytest.mark.parametrize("metadata", [None, {"name": "a"}, {"uid": 7, "name": "a"}])
def test_an_event_that_names_no_object_leads_to_a_list(run: Run, type_: str, metadata: Any) -> None:
    """Else the row it was about would stay, and look alive."""
    running = run(
        listing([pod("a"), pod("b")], "102"),
        listing([pod("b")], "105"),
        watch=(watching((type_, {"metadata": metadata})), watching()),
    )
    eventually(lambda: running.names() == {"b"} and running.link.health is Health.LIVE)


@pytest.mark.parametrize("headers", [{"Content-Length": "0"}, {"Content-Encoding": "gzip"}])
def test_a_watch_that_says_nothing_is_not_live(run: Run, headers: dict[str, str]) -> None:
    def answer(exchange: Exchange) -> None:
        exchange.handler.send_response(200)
        for name, value in {"Content-Type": "application/json", **headers}.items():
            exchange.handler.send_header(name, value)
        exchange.handler.end_headers()
        if "Content-Length" not in headers:
            exchange.stall()

    running = run(listing([pod("a")]), watch=(answer,))
    eventually(lambda: running.link.health is Health.RETRYING)
    assert "watch" in running.link.detail


def test_an_answer_nested_without_end_is_no_answer(run: Run) -> None:
    deep = b'{"kind":"PodList","items":[{"spec":' + b"[" * 20_000 + b"]" * 20_000 + b"}]}"
    line = b'{"type":"MODIFIED","object":{"spec":' + b"[" * 20_000 + b"]" * 20_000 + b"}}\n"
    running = run(
        lambda e: e.reply(200, deep),
        listing([pod("a")]),
        listing([pod("b")]),
        watch=(watching(line), watching()),
    )
    eventually(lambda: running.names() == {"b"} and running.link.health is Health.LIVE)


class Longest(random.Random):
    """Draws the longest wait each time."""

    def uniform(self, a: float, b: float) -> float:
        return b


def test_back_off_starts_afresh_only_after_a_stream_has_lived(server: Server) -> None:
    now = [0.0]

    def live(seconds: float) -> Behaviour:
        def answer(exchange: Exchange) -> None:
            seen = running.informer.counters.events
            exchange.start_chunked()
            exchange.event("BOOKMARK", pod("x", 105))
            eventually(lambda: running.informer.counters.events > seen)
            now[0] += seconds
            exchange.cut()

        return answer

    down = status(503, "ServiceUnavailable")
    server.on(PODS, listing([], "102"))
    server.on(PODS, down, down, live(1), down, live(9), down, down, down, watch=True)
    running = Running(server, clock=lambda: now[0], rng=Longest())
    try:
        eventually(lambda: len(running.waits.asked) >= 9)
    finally:
        running.stop()
    assert running.waits.asked[:9] == [1.5, 4.5, 13.5, 30, 1.5, 4.5, 13.5, 30, 30]


@pytest.mark.parametrize("retry_after", ["0", "7", "45"])
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
    assert running.waits.asked[0] >= max(0.5, float(retry_after))
    assert any("busy" in link.detail for link in running.links)


@pytest.mark.parametrize(("code", "lists"), [(500, 2), (503, 1)])
def test_a_server_that_fails_is_listed_again_and_one_that_is_away_is_not(
    run: Run, code: int, lists: int
) -> None:
    running = run(
        listing([pod("a")], "102"),
        listing([pod("a")], "102"),
        watch=(status(code, "Trouble"), watching(("ADDED", pod("b", 103)))),
    )
    eventually(lambda: running.names() == {"a", "b"})
    assert len(running.server.asked(PODS)) == lists


def test_forbidden_names_the_right_and_is_asked_for_slowly(run: Run) -> None:
    running = run(status(403, "Forbidden"), status(403, "Forbidden"), listing([pod("a")]))
    eventually(lambda: running.names() == {"a"})
    forbidden = next(link for link in running.links if link.health is Health.FORBIDDEN)
    assert "`list pods`" in forbidden.detail
    assert "in namespace default" in forbidden.detail
    first, second = running.waits.asked[:2]
    assert SLOW_RETRY * 0.9 <= first != second <= SLOW_RETRY * 1.1  # not all clients at once


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


def test_a_line_without_end_is_given_up(run: Run) -> None:
    def endless(exchange: Exchange) -> None:
        exchange.start_chunked()
        while not exchange.server.stopped.is_set():
            exchange.chunk(b"x" * 1_000_000)

    running = run(listing([pod("a")], "102"), watch=(endless, watching()))
    eventually(lambda: any("16 MB" in link.detail for link in running.links))
    eventually(lambda: running.link.health is Health.LIVE)


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
    assert running.stop() < AT_ONCE
    assert running.link.health is Health.STOPPED


def test_stops_within_a_second_while_the_list_drips(server: Server) -> None:
    def drip(exchange: Exchange) -> None:
        exchange.start(Content_Length="100000")
        while not exchange.server.stopped.wait(0.01):
            exchange.write(b" ")

    server.on(PODS, drip)
    running = Running(server)
    eventually(lambda: server.requests)
    assert running.stop() < AT_ONCE


def test_stops_within_a_second_while_watching_a_stalled_stream(run: Run) -> None:
    running = run(listing([pod("a")]))
    eventually(lambda: running.link.health is Health.LIVE)
    assert running.stop() < AT_ONCE


def test_stops_within_a_second_while_backing_off(server: Server) -> None:
    server.on(PODS, status(500, "InternalError", Retry_After="30"))
    running = Running(server, wait=None)
    eventually(lambda: running.link.health is Health.RETRYING)
    assert running.stop() < AT_ONCE


def test_stops_within_a_second_during_a_tls_handshake() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = ClusterConfig(server=f"https://127.0.0.1:{listener.getsockname()[1]}")
        store = Store()
        informer = Informer(RESOURCES[Kind.PODS], Transport(config), store)
        informer.start()
        connection, _ = listener.accept()
        start = time.monotonic()
        informer.stop()
        assert informer.join(5)
        assert time.monotonic() - start < AT_ONCE
        connection.close()


def test_reconnects_when_told_that_the_connection_may_be_dead(run: Run) -> None:
    running = run(
        listing([pod("a")], "102"), watch=(watching(), watching(("ADDED", pod("b", 103))))
    )
    eventually(lambda: running.link.health is Health.LIVE)
    running.informer.reconnect()
    eventually(lambda: running.names() == {"a", "b"})
