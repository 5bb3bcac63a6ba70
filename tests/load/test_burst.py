"""Bursts with real worker processes: they begin, are watched, are stopped, and never linger."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from tests.load.running import plan
from tests.load.server import OK, Exchange, Server, ok
from tests.load.serving import serving
from tests.needs import linux
from tui.load.burst import Burst
from tui.load.curve import Points, steady
from tui.load.stats import Failure, Snapshot


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving(ok) as running:
        yield running


def eventually(what: Callable[[], bool], within: float = 30) -> None:
    end = time.monotonic() + within
    while not what():
        assert time.monotonic() < end
        time.sleep(0.005)


def alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_burst_ends_by_itself_and_tells_ten_times_a_second(server: Server) -> None:
    seen: list[Snapshot] = []
    before = len(server.requests)
    burst = Burst(plan(server, duration=0.6), seen.append)
    assert burst.snapshot.state == "starting"
    burst.start()
    assert burst.wait(30)
    result = burst.result()
    assert result.state == burst.snapshot.state == "done"
    assert result.good == result.sent == len(server.requests) - before
    assert result.elapsed >= 0.59  # and longer only where the machine is busy
    eventually(lambda: seen[-1].over)
    assert 2 <= sum(snapshot.state == "running" for snapshot in seen) <= 10 * result.elapsed + 2
    assert [s.responses for s in seen] == sorted(s.responses for s in seen)
    assert seen[-1].progress == 1
    running = [s for s in seen if s.state == "running" and s.in_flight and s.achieved_rate]
    assert {s.connections for s in running} == {2}
    assert all(0 < s.latency[50.0] <= s.latency[99.9] for s in running)
    assert not any(alive(pid) for pid in burst.pids)


def test_workers_share_connections_and_requests(server: Server) -> None:
    before = server.connections
    burst = Burst(plan(server, count=101, c=5, workers=3))
    burst.start()
    assert burst.wait(30)
    assert len(burst.pids) == 3
    assert burst.result().good == 101
    assert server.connections - before == 5


@pytest.mark.parametrize(("count", "rate"), [(24, None), (24, steady(500))])
def test_more_workers_than_connections_leave_nothing_unsent(
    server: Server, count: int, rate: Points | None
) -> None:
    burst = Burst(plan(server, count=count, c=2, workers=4, rate=rate))
    burst.start()
    assert burst.wait(30)
    assert len(burst.pids) == burst.result().asked.workers == 2
    assert burst.result().good == count


def test_two_bursts_run_at_once(server: Server) -> None:
    with serving(ok) as other:
        bursts = [Burst(plan(where, duration=0.4)) for where in (server, other)]
        for burst in bursts:
            burst.start()
        assert all(burst.wait(30) for burst in bursts)
        assert other.requests
    assert all(burst.result().good for burst in bursts)


def test_stop_is_over_at_once(server: Server) -> None:
    burst = Burst(plan(server, duration=60, c=20))
    burst.start()
    eventually(lambda: burst.snapshot.responses > 0)
    began = time.monotonic()
    burst.stop()
    took = time.monotonic() - began
    count = len(server.requests)
    assert took < 5  # 0.2 s, and what a busy machine adds; benchmarks.firing measures it
    assert burst.wait(30)
    assert burst.result().state == "stopped"
    assert burst.result().good > 0
    assert not any(alive(pid) for pid in burst.pids)
    assert len(server.requests) <= count + 20
    burst.stop()


def test_stop_does_not_wait_for_workers_that_hang(server: Server) -> None:
    burst = Burst(plan(server, duration=60))
    burst.start()
    eventually(lambda: burst.snapshot.responses > 0)
    os.kill(burst.pids[0], signal.SIGSTOP)
    began = time.monotonic()
    burst.stop()
    assert time.monotonic() - began < 5  # it hangs; it is not waited for
    assert burst.wait(30)
    assert burst.snapshot.state == "stopped"
    assert not alive(burst.pids[0])


def test_stop_before_and_right_after_the_start(server: Server) -> None:
    never = Burst(plan(server, duration=60))
    never.stop()
    assert never.wait(0)
    hardly = Burst(plan(server, duration=60))
    hardly.start()
    hardly.stop()
    assert hardly.wait(30)
    assert (never.snapshot.state, hardly.snapshot.state) == ("stopped", "stopped")


def test_a_worker_that_dies_fails_the_burst_in_a_sentence(server: Server) -> None:
    burst = Burst(plan(server, duration=60))
    burst.start()
    eventually(lambda: burst.snapshot.responses > 0)
    os.kill(burst.pids[0], signal.SIGKILL)
    assert burst.wait(30)
    assert burst.snapshot.state == "failed"
    assert "unexpectedly" in (burst.snapshot.problem or "")
    assert burst.result().good > 0


@linux
def test_workers_end_with_a_parent_that_is_killed(server: Server) -> None:
    script = (
        "import time\n"
        "from tui.load.burst import Burst\n"
        "from tui.load.plan import Plan\n"
        f"burst = Burst(Plan(url={server.url!r}, duration=60.0, workers=2))\n"
        "burst.start()\n"
        "while burst.snapshot.responses == 0: time.sleep(0.01)\n"
        "print(*burst.pids, flush=True)\n"
        "time.sleep(60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pids = [int(pid) for pid in parent.stdout.readline().split()]
    assert len(pids) == 2
    assert all(alive(pid) for pid in pids)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    eventually(lambda: not any(alive(pid) for pid in pids))


def test_names_that_lead_nowhere_are_told() -> None:
    burst = Burst(plan("http://no-such-host.invalid/"))
    burst.start()
    assert burst.wait(30)
    assert burst.snapshot.state == "failed"
    assert "no-such-host.invalid" in (burst.snapshot.problem or "")
    assert burst.pids == []


def test_authorities_that_are_none_are_told(server: Server) -> None:
    burst = Burst(plan("https://127.0.0.1:1/", cacert=__file__))
    burst.start()
    assert burst.wait(30)
    assert __file__ in (burst.snapshot.problem or "")


def test_a_pod_that_dies_costs_its_requests_and_not_the_burst() -> None:
    dying = threading.Event()

    async def dies_once(exchange: Exchange) -> None:
        if dying.is_set():
            dying.clear()
            exchange.reset()
        else:
            await asyncio.sleep(0.001)
            await exchange.say(OK)

    with serving(dies_once) as pods:
        burst = Burst(plan(pods, duration=60, c=4))
        burst.start()
        eventually(lambda: burst.snapshot.responses > 50)
        dying.set()
        eventually(lambda: burst.snapshot.failed > 0)
        count = burst.snapshot.responses
        eventually(lambda: burst.snapshot.responses > count + 50)
        burst.stop()
    assert burst.result().failures == {Failure.RESET: 1}
