"""The door of bursts: real bursts at servers of the test's own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.server import Exchange as ApiExchange
from tests.cluster.server import Server as ApiServer
from tests.doors.connected import Connected, Ways, connected, way
from tests.e2e.processes import alive, children, wait_gone
from tests.load.server import Server, ok, saying
from tests.load.serving import serving
from tests.samples import NAMES, deployment, pod
from tui.analysis.focus import Focus
from tui.cluster.access import ClusterConfig
from tui.cluster.route import Found
from tui.cluster.transport import Transport
from tui.config import LoadSettings
from tui.doors import burst
from tui.doors.aims import Offer
from tui.doors.burst import BurstDoor
from tui.load.choice import Aim, Choice
from tui.load.history import History
from tui.state.links import Health
from tui.state.load import BurstRow, LoadRow
from tui.state.rows import Kind
from tui.state.store import Store

NGINX, CADDY = Aim("default", "nginx-svc"), Aim("default", "caddy-svc")
BRIEF = Choice("class-burst", connections=4, rate=200.0, duration="500ms")
LONG = Choice("class-burst", connections=4, rate=200.0, duration="60s")
JSON = b'{"message":"hello","node":"lab","pod":"%s"}'


def named(name: str) -> bytes:
    """What the sample app answers."""
    body = JSON % name.encode()
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


def offering(*aims: Aim, focus: Focus | None = None) -> Callable[[], Offer]:
    """What leads to what is in view, known from the start."""
    return lambda: Offer(aims, focus or Focus(), leading=len(aims))


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving(saying(named(NAMES[0]))) as running:
        yield running


class Room:
    """A door, the store it writes to, and what can be seen there."""

    def __init__(self, place: Path, feed: Connected, **more: Any) -> None:
        self.store = Store()
        self.history = History(place)
        settings = LoadSettings(**more)
        self.read_only = False
        self.door = BurstDoor(
            self.store, feed, settings, read_only=lambda: self.read_only, history=self.history
        )

    @property
    def load(self) -> LoadRow:
        return self.store.drain().load

    @property
    def rows(self) -> tuple[BurstRow, ...]:
        return self.load.bursts

    def until(self, seen: Callable[[LoadRow], object], seconds: float = 40.0) -> LoadRow:
        end = time.monotonic() + seconds
        while not seen(load := self.load):
            assert time.monotonic() < end, load
            time.sleep(0.01)
        return load

    def fire(self, choice: Choice, *aims: Aim, focus: Focus | None = None) -> None:
        self.door.fire(choice, aims, focus or Focus())

    def finished(self, count: int = 1) -> tuple[BurstRow, ...]:
        """So many bursts, once all of them are over and summed up."""

        def seen(now: LoadRow) -> bool:
            return len(now.bursts) == count and all(b.over and b.summary for b in now.bursts)

        return self.until(seen).bursts

    def sending(self, count: int = 1) -> LoadRow:
        return self.until(lambda now: sum(b.responses > 0 for b in now.bursts) >= count)


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Callable[..., Room]]:
    made: list[Room] = []

    def make(feed: Connected, **more: object) -> Room:
        made.append(Room(tmp_path / "history", feed, **more))
        return made[-1]

    yield make
    for one in made:
        one.door.close()


def test_an_error_that_nobody_expected_is_said_and_the_next_burst_fires(
    room: Callable[..., Room], server: Server
) -> None:
    class Odd(Ways):
        def find(self, *_: object, **__: object) -> Found:
            raise RuntimeError("half an answer")

    there = room(connected(way("nginx-svc", server.url)))
    feed = there.door._feed
    feed.routes, good = Odd(), feed.routes
    there.fire(BRIEF, NGINX)
    said = "The burst could not begin (RuntimeError: half an answer); fire it again."
    there.until(lambda now: now.notice == said)
    feed.routes = good
    there.fire(BRIEF, NGINX)
    assert there.finished()[0].responses > 0


def test_from_the_key_to_the_history(server: Server, room: Callable[..., Room]) -> None:
    there = room(connected(way("nginx-svc", server.url)))
    there.fire(BRIEF, NGINX)
    (row,) = there.finished()
    assert (row.state, row.target, row.profile) == ("done", "nginx-svc", "class-burst")
    assert (row.route, row.bypasses) == ("NodePort on lab-worker", False)
    assert row.responses == row.good > 0
    assert row.asked == 200
    assert dict(row.statuses) == {200: row.responses}
    assert (dict(row.pods), row.counted) == ({NAMES[0]: row.good}, "what the answers say")
    assert row.summary[0] == "Summary:"
    (kept,) = there.history.latest()
    assert (kept.responses, kept.pods) == (row.responses, {NAMES[0]: row.good})


def test_the_second_run_is_compared_with_the_first(
    server: Server, room: Callable[..., Room]
) -> None:
    there = room(connected(way("nginx-svc", server.url)))
    there.fire(BRIEF, NGINX)
    (first,) = there.finished()
    assert first.changes == ()
    there.door.again(offering(CADDY))  # what was fired last, where it was
    *_, second = there.until(lambda now: len(now.bursts) == 2 and now.bursts[1].changes).bursts
    by_name = {change.name: change for change in second.changes}
    assert (by_name["answered"].before, by_name["answered"].after) == (
        first.responses,
        second.responses,
    )


def test_what_is_in_view_now_is_aimed_at(server: Server, room: Callable[..., Room]) -> None:
    there = room(connected(way("nginx-svc", server.url), way("caddy-svc", server.url)))
    there.fire(BRIEF, NGINX)
    there.finished()
    there.door.again(offering(CADDY, focus=Focus(workload=deployment(2, 2))))
    assert [row.target for row in there.finished(2)] == ["nginx-svc", "caddy-svc"]


def test_what_leads_elsewhere_is_fired_at_only_if_it_was_chosen(
    server: Server, room: Callable[..., Room]
) -> None:
    there = room(connected(way("caddy-svc", server.url)))
    no = "nothing leads to nosvc; B chooses a target"
    before, look = len(server.requests), lambda: Offer((CADDY,), Focus(), absence=no)
    there.door.again(look)
    assert there.load.notice == no
    assert (there.rows, len(server.requests)) == ((), before)
    there.fire(BRIEF, CADDY)
    there.finished()
    there.door.again(look)
    assert [row.target for row in there.finished(2)] == ["caddy-svc", "caddy-svc"]


def test_nor_once_the_lists_have_come(room: Callable[..., Room]) -> None:
    there, lists = room(connected(way("caddy-svc", "http://127.0.0.1:1/"))), Reading()
    there.door.again(lists)
    there.until(lambda now: lists.looks > 1)
    lists.offer = Offer((CADDY,), Focus(), absence="nothing leads to nosvc; B chooses a target")
    there.until(lambda now: "nothing leads to nosvc" in now.notice)
    assert there.rows == ()


def test_two_targets_side_by_side(server: Server, room: Callable[..., Room]) -> None:
    with serving(ok) as other:
        there = room(connected(way("nginx-svc", server.url), way("caddy-svc", other.url)))
        there.fire(BRIEF, NGINX, CADDY)
        one, two = there.finished(2)
    assert (one.target, two.target) == ("nginx-svc", "caddy-svc")
    assert one.group == two.group
    assert abs(one.began - two.began) < 1
    assert one.responses > 0
    assert two.responses > 0
    kept = [result.asked for result in there.history.latest()]
    asked = {(each.seed, each.rate, each.duration) for each in kept}
    assert asked == {(1, 200.0, 0.5)}


def test_stop_ends_all_of_them(server: Server, room: Callable[..., Room]) -> None:
    there = room(connected(way("nginx-svc", server.url), way("caddy-svc", server.url)))
    there.fire(LONG, NGINX, CADDY)
    there.sending(2)
    began = time.monotonic()
    assert there.door.stop()
    assert time.monotonic() - began < 5  # 0.2 s where the machine is not busy
    came = len(server.requests)
    assert [row.state for row in there.finished(2)] == ["stopped", "stopped"]
    assert len(server.requests) == came
    assert not there.door.stop()


def test_stopped_before_its_way_was_found(server: Server, room: Callable[..., Room]) -> None:
    ways = Ways({"nginx-svc": way("nginx-svc", server.url)})
    there = room(Connected(ways))
    before = len(server.requests)
    there.fire(BRIEF, NGINX)
    there.until(lambda now: "finding the way" in now.notice)
    there.door.stop()
    ways.open.set()
    there.until(lambda now: now.notice == "")
    assert (there.rows, len(server.requests)) == ((), before)
    there.fire(BRIEF, NGINX)  # and then it fires again
    assert there.finished()[0].responses > 0


class Reading:
    """Lists that are being read: nothing is offered until ``come`` says what."""

    def __init__(self) -> None:
        self.offer = Offer((), Focus(), waiting=True, absence="the list has not come; name a URL")
        self.looks = 0

    def come(self, *aims: Aim, absence: str = "") -> None:
        self.offer = Offer(aims, Focus(), absence=absence, leading=len(aims))

    def __call__(self) -> Offer:
        self.looks += 1
        return self.offer


def test_it_waits_for_the_list_of_services(server: Server, room: Callable[..., Room]) -> None:
    there, lists = room(connected(way("nginx-svc", server.url))), Reading()
    there.door.again(lists)
    there.until(lambda now: now.notice == "waiting for the list of Services…")
    there.door.again(lists)  # pressed twice, it fires once
    lists.come(NGINX, CADDY)
    (row,) = there.sending().bursts
    assert row.target == "nginx-svc"
    assert there.door.stop()


def test_stopped_while_it_waits(room: Callable[..., Room]) -> None:
    there, lists = room(connected(way("nginx-svc", "http://127.0.0.1:1/"))), Reading()
    there.door.again(lists)
    there.until(lambda now: lists.looks > 1)
    there.door.stop()
    there.until(lambda now: now.notice == "")
    lists.come(NGINX)
    assert there.rows == ()


@pytest.mark.parametrize("comes", [True, False])
def test_why_there_is_nothing_to_fire_at(
    comes: bool, room: Callable[..., Room], monkeypatch: pytest.MonkeyPatch
) -> None:
    there, lists = room(connected()), Reading()
    if not comes:
        monkeypatch.setattr(burst, "_LISTED_WITHIN", 0.2)
    there.door.again(lists)
    there.until(lambda now: "waiting" in now.notice)
    if comes:
        lists.come(absence="You may not list services; give a URL with B")
        there.until(lambda now: "You may not list services" in now.notice)
    there.until(lambda now: "URL" in now.notice)
    assert there.rows == ()


def test_one_wish_at_a_time(server: Server, room: Callable[..., Room]) -> None:
    there = room(connected(way("nginx-svc", server.url)))
    there.fire(LONG, NGINX)
    there.sending()
    there.fire(BRIEF, NGINX)
    assert "x stops it" in there.load.notice
    assert len(there.rows) == 1


def test_read_only_is_held_here(server: Server, room: Callable[..., Room]) -> None:
    there = room(connected(way("nginx-svc", server.url)))
    there.read_only = True
    before = len(server.requests)
    there.fire(BRIEF, NGINX)
    assert "read-only forbids" in there.load.notice
    assert "read-only forbids" in there.door.preview(BRIEF, NGINX)[0]
    assert (there.rows, len(server.requests)) == ((), before)


@pytest.mark.parametrize(
    ("choice", "aim", "said"),
    [
        (BRIEF, Aim("", "http://192.0.2.1/"), "neither this machine nor a route"),
        (BRIEF, Aim("", "not a URL"), "not a URL"),
        (BRIEF, Aim("default", "none"), "Nothing answers. Give it a NodePort."),
        (Choice("class-burst", connections=1001), NGINX, "limit of 1000"),
        (Choice("class-burst", rate=1e9), NGINX, "limit of 100,000"),
        (Choice("class-burst", duration="31m"), NGINX, "limit of 1800 s"),
        (Choice("class-burst", connections=0), NGINX, "at least one connection"),
        (Choice("no-such"), NGINX, "no profile 'no-such'"),
    ],
)
def test_what_may_not_or_cannot_be_is_said(
    server: Server, room: Callable[..., Room], choice: Choice, aim: Aim, said: str
) -> None:
    there = room(connected(way("nginx-svc", server.url)))
    before = len(server.requests)
    there.fire(choice, aim)
    there.until(lambda now: said in now.notice)
    assert (there.rows, len(server.requests)) == ((), before)


def test_the_settings_alone_raise_the_caps(server: Server, room: Callable[..., Room]) -> None:
    there = room(connected(way("nginx-svc", server.url)), max_connections=1100, max_rate=50.0)
    assert there.door.preview(Choice("class-burst", connections=1001), NGINX)[1]
    assert "limit of 50" in there.door.preview(BRIEF, NGINX)[0]


def test_without_a_cluster_or_a_target(room: Callable[..., Room]) -> None:
    there = room(Connected(None))
    there.fire(BRIEF)
    assert "choose a target with B" in there.load.notice
    there.fire(BRIEF, NGINX)
    there.until(lambda now: "not connected yet" in now.notice)


def test_this_machine_needs_no_cluster(server: Server, room: Callable[..., Room]) -> None:
    there = room(Connected(None))
    there.fire(BRIEF, Aim("", server.url))
    (row,) = there.finished()
    assert (row.route, row.good > 0) == ("this machine", True)


def test_a_way_where_nothing_answers_is_sought_anew(room: Callable[..., Room]) -> None:
    with serving(ok) as gone:
        url = gone.url
    feed = connected(way("nginx-svc", url))
    there = room(feed)
    there.fire(BRIEF, NGINX)
    (row,) = there.finished()
    assert (row.responses, row.failed > 0) == (0, True)
    assert feed.routes is not None
    assert feed.routes.given_up[:1] == [way("nginx-svc", url)]


# Requests per pod, where no answer tells.


def test_requests_are_counted_in_the_logs_of_the_pods_that_scale(
    room: Callable[..., Room],
) -> None:
    def log(number: int) -> Callable[[ApiExchange], None]:
        def reply(exchange: ApiExchange) -> None:
            # The cluster's time is known to about half a second: what seems a little early counts.
            (row,) = there.load.bursts
            stamps = [row.began - 0.3 + n / 1e6 for n in range(number)]
            times = [datetime.fromtimestamp(at, UTC) for at in stamps]
            line = '{:%Y-%m-%dT%H:%M:%S.%f}Z 10.0.0.1:5 - "GET / HTTP/1.1" 200\n'
            exchange.reply(200, "".join(map(line.format, times)), "text/plain")

        return reply

    with serving(ok) as plain, ApiServer() as api:
        transport = Transport(ClusterConfig(server=api.url))
        there = room(connected(way("nginx-svc", plain.url), transport=transport))
        for name, number in zip(NAMES[:2], (30, 12), strict=True):
            api.on(f"/api/v1/namespaces/default/pods/{name}/log", log(number))
        there.store.put(Kind.PODS, [pod(name, age=100) for name in NAMES[:2]])
        there.store.link(Kind.PODS, Health.LIVE)
        there.fire(
            Choice("class-burst", connections=4, rate=200.0, duration="2500ms"),
            NGINX,
            focus=Focus(workload=deployment(2, 2)),
        )
        (row,) = there.finished()
        transport.close()
    assert row.counted == "lines of access logs"
    assert dict(row.pods) == {NAMES[0]: 30, NAMES[1]: 12}
    assert row.behind == 2
    assert dict(row.chances) == {NAMES[0]: 0.5, NAMES[1]: 0.5}


# However the program ends.


def test_closing_the_door_ends_bursts(server: Server, room: Callable[..., Room]) -> None:
    there = room(connected(way("nginx-svc", server.url)))
    known = set(children(os.getpid()))
    there.fire(LONG, NGINX)
    there.sending()
    (worker,) = set(children(os.getpid())) - known
    there.door.close()
    assert wait_gone(worker, 10.0)
    there.fire(BRIEF, NGINX)
    assert len(there.rows) == 1


KILLED = """
import sys, time
from tests.doors.connected import connected, way
from tui.analysis.focus import Focus
from tui.config import LoadSettings
from tui.doors.burst import BurstDoor
from tui.load.choice import Aim, Choice
from tui.state.store import Store

store = Store()
door = BurstDoor(store, connected(way("nginx-svc", sys.argv[1])), LoadSettings())
door.fire(Choice("class-burst", connections=2, rate=50.0, duration="60s"),
          [Aim("default", "nginx-svc")], Focus())
while not any(row.responses for row in store.drain().bursts):
    time.sleep(0.01)
print("sends", flush=True)
time.sleep(60)
"""


def test_killed_without_warning_it_leaves_nobody_sending(server: Server, tmp_path: Path) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", KILLED, server.url],
        stdout=subprocess.PIPE,
        env={**os.environ, "XDG_DATA_HOME": str(tmp_path)},
    )
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == b"sends\n"
        (worker,) = children(child.pid)
        assert alive(worker)
    finally:
        os.kill(child.pid, signal.SIGKILL)
        child.communicate(timeout=5)
    assert wait_gone(worker, 10.0)
