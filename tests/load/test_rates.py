"""Rates with a real server: a busy machine may be late, and what is said of it must stay true.

When exactly each request is sent is held by test_pace, where the test turns the clock.
"""

from __future__ import annotations

import asyncio
import socket

import pytest

from tests.load.running import fire, plan
from tests.load.server import OK, Exchange, Server, ok
from tui.load import report
from tui.load.curve import ramp, steady


@pytest.mark.parametrize("per_connection", [False, True])
async def test_a_rate_is_met_and_not_exceeded(per_connection: bool) -> None:
    async with Server(ok) as server:
        rate = {"rate_per_connection": 25.0} if per_connection else {"rate": steady(100)}
        result = await fire(plan(server, count=50, c=4, **rate))
    assert result.sent == result.good == 50
    assert result.elapsed >= 0.48  # the last one is due at 0.49 s, or staggered at 0.48
    assert result.unsent == 0


async def test_a_ramp_asks_for_its_area() -> None:
    async with Server(ok) as server:
        result = await fire(plan(server, duration=0.6, rate=ramp(0, 200, 0.6)))
    assert result.asked.requests == 60
    assert result.sent + result.unsent == 60
    assert 0 < result.good == result.sent


async def test_count_ends_a_rate() -> None:
    async with Server(ok) as server:
        result = await fire(plan(server, count=15, rate=steady(1000)))
    assert result.good == 15


async def test_all_connections_take_part() -> None:
    async with Server(ok) as server:
        await fire(plan(server, count=20, c=5, rate=steady(50)))
    assert {request.connection for request in server.requests} == set(range(5))


@pytest.mark.parametrize("per_connection", [False, True])
async def test_a_stall_is_charged_to_every_request_that_was_due_in_it(per_connection: bool) -> None:
    """One stall of 0.4 s in a burst of 0.8 s at 250/s: latency falls evenly from 0.4 s to 0.

    Half of the requests were due in it, so the p-th percentile of all is 0.4 × (1 - 2 × (1 - p)).
    A busy machine only adds to these: what holds is how low they cannot be.
    """
    loop = asyncio.get_running_loop()
    begun: list[float] = []
    hung: list[float] = []

    async def stalls(exchange: Exchange) -> None:
        begun.append(loop.time())
        rest = begun[0] + 0.6 - loop.time()
        if 0 < rest <= 0.4:
            hung.append(rest)
            await asyncio.sleep(rest)
        await exchange.say(OK)

    async with Server(stalls) as server:
        rate = {"rate_per_connection": 50.0} if per_connection else {"rate": steady(250)}
        result = await fire(plan(server, count=200, c=5, **rate))
    assert result.good == 200
    latency = result.latency.percentiles
    assert latency["99"] > 0.9 * 0.4 * 0.98
    assert latency["75"] > 0.8 * 0.4 * 0.5
    # Asked politely, one at a time over five connections, only five noticed anything.
    assert len(hung) <= 5
    assert result.service.most >= 0.98 * max(hung, default=0.0)


async def test_an_absent_target_is_not_said_to_have_a_service_time() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/"
        result = await fire(plan(url, duration=0.3, c=1, rate=steady(100)))
    assert result.unsent
    said = report.text(result).splitlines()[-1]
    assert said.endswith("due and never sent.")
    assert "service time" not in said


async def test_a_target_that_cannot_keep_up_shows_as_unsent() -> None:
    async def slow(exchange: Exchange) -> None:
        await asyncio.sleep(0.02)
        await exchange.say(OK)

    async with Server(slow) as server:
        result = await fire(plan(server, duration=0.4, c=2, rate=steady(1000)))
    assert result.asked.requests == 400
    assert result.sent <= 42
    assert result.unsent == 400 - result.sent
    assert result.latency.percentiles["50"] >= result.service.percentiles["50"]
