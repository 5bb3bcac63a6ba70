"""The engine in the test's own process and event loop."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

from tests.load.server import Server
from tui.load import result
from tui.load.curve import steady
from tui.load.engine import Engine
from tui.load.ledger import Ledger
from tui.load.plan import Plan
from tui.load.stats import Tick

MOMENT = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)


def plan(server: Server | str, **more: Any) -> Plan:
    """A small burst: ten requests over two connections, unless told otherwise."""
    if "count" not in more and "duration" not in more:
        more["count"] = 10
    connections = more.pop("connections", steady(more.pop("c", 2)))
    url = server if isinstance(server, str) else server.url
    return Plan(url=url, connections=connections, **more)


async def fire(what: Plan, *, until: asyncio.Event | None = None) -> result.Result:
    """Run a plan to its end, or until something has happened."""
    ledger = Ledger(what)
    ticks: list[Tick] = []
    engine = Engine(what, "127.0.0.1", 0, ticks.append)
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        running = group.create_task(engine.run())
        if until is not None:
            await until.wait()
            engine.stop()
        await running
    for tick in ticks:
        ledger.add(0, tick)
    assert ticks[-1].ended is not None
    return result.of(ledger, MOMENT, "done", None, 0.001)
