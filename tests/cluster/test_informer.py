"""Informers that list and watch: what they ask for and what they make of it."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from tests.cluster.running import EVENTS, PODS, Running
from tests.cluster.server import (
    Exchange,
    Server,
    eventually,
    listing,
    pod,
    status,
    status_object,
    watching,
)
from tui.cluster.halt import Halt
from tui.cluster.informer import READY
from tui.state import store
from tui.state.beat import LOOK, Beat
from tui.state.links import Health
from tui.state.rows import Kind, Row

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


def test_a_history_cut_again_much_later_is_answered_at_once_too(server: Server) -> None:
    now = [0.0]
    begun = threading.Event()

    def forget(exchange: Exchange) -> None:
        begun.wait(10)
        exchange.start_chunked()
        eventually(lambda: running.link.health is Health.LIVE)
        now[0] += 60
        exchange.event("ERROR", status_object(410, "Expired"))
        exchange.end()

    server.on(PODS, *(listing([pod(name)], "102") for name in "abc"))
    server.on(PODS, forget, forget, watching(), watch=True)
    running = Running(server, clock=lambda: now[0])
    begun.set()
    try:
        eventually(lambda: running.names() == {"c"})
        assert running.waits.asked == []
    finally:
        running.stop()


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
                ("DELETED", pod("b", 111)),
                ("MODIFIED", pod("b", 109)),
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


def test_a_watch_that_stays_silent_to_its_end_lists_again(server: Server) -> None:
    now = [0.0]
    begun = threading.Event()

    def silent(exchange: Exchange) -> None:
        exchange.start_chunked()
        begun.wait(10)
        eventually(lambda: running.link.health is Health.LIVE)
        now[0] += 280
        exchange.end()

    server.on(PODS, listing([pod("future")], "99999"), listing([pod("a")], "7"))
    server.on(PODS, silent, watching(), watch=True)
    running = Running(server, clock=lambda: now[0])
    begun.set()
    try:
        eventually(lambda: running.names() == {"a"})
    finally:
        running.stop()


def happening(number: int, version: int = 0) -> dict[str, Any]:
    """An event, the later the higher its number."""
    meta = {"uid": str(number), "name": f"e{number}", "namespace": "default"}
    time = f"2026-11-21T{number // 3600:02}:{number // 60 % 60:02}:{number % 60:02}Z"
    return {"metadata": {**meta, "resourceVersion": str(version or number)}, "lastTimestamp": time}


def test_only_the_newest_events_are_kept(server: Server) -> None:
    old = [happening(n) for n in range(3000)]
    random.Random(3).shuffle(old)
    server.on(EVENTS, listing(old[:1500], "3500", rest="x"), listing(old[1500:], "3500"))
    server.on(EVENTS, watching(("ADDED", happening(4000))), watch=True)
    running = Running(server, Kind.EVENTS)
    try:
        eventually(lambda: "e4000" in running.names())
        kept = sorted(int(uid) for uid in running.store.drain().events.rows)
    finally:
        running.stop()
    assert 1000 <= len(kept) <= 1101
    assert set(range(2001, 3000)) <= set(kept)


def test_events_that_were_deleted_take_no_place_from_others(server: Server) -> None:
    gone = [("DELETED", happening(number, 2000 + number)) for number in range(500, 1000)]
    new = [("ADDED", happening(number, 2000 + number)) for number in range(1000, 1400)]
    server.on(EVENTS, listing([happening(number) for number in range(1000)], "2000"))
    server.on(EVENTS, watching(*gone, *new), watch=True)
    running = Running(server, Kind.EVENTS)
    try:
        eventually(lambda: "e1399" in running.names())
        assert len(running.names()) == 900
    finally:
        running.stop()


def test_a_burst_is_taken_in_batches(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    events = [json.dumps({"type": "ADDED", "object": pod(f"p{n}", n)}) for n in range(200, 700)]
    running = run(listing([], "102"), watch=(watching("\n".join([*events, ""]).encode()),))
    puts: list[int] = []
    put = running.store.put

    def noting(kind: Kind, rows: Sequence[Row]) -> None:
        puts.append(len(rows))
        put(kind, rows)

    monkeypatch.setattr(running.store, "put", noting)
    eventually(lambda: len(running.names()) == 500)
    assert running.informer.counters.events == 500
    assert len(puts) < 50


def test_events_that_never_end_are_let_come_together(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 100.0
    rests: list[float] = []
    wait = Halt.wait

    def noting(self: Halt, seconds: float) -> bool:
        rests.append(seconds)
        return wait(self, seconds)

    def come(exchange: Exchange) -> None:
        exchange.start_chunked()
        for number in range(200):
            exchange.event("ADDED", pod(f"p{number}", 103 + number))
            eventually(lambda number=number: f"p{number}" in running.names())
            if rests:
                break
        told.append(number)
        exchange.stall()

    told: list[int] = []
    monkeypatch.setattr(Halt, "wait", noting)
    monkeypatch.setattr(store, "Beat", lambda: Beat(lambda: now))
    server.on(PODS, listing([], "102"))
    server.on(PODS, come, watch=True)
    running = Running(server, clock=lambda: now)
    try:
        eventually(lambda: told)
        # The first comes after a rest and is taken at once; the clock stands still from there on.
        assert told[0] >= 1
        assert rests == pytest.approx([LOOK - READY] * len(rests))
    finally:
        running.stop()
