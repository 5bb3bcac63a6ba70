"""A cluster whose streams are opened over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.demo.http import Http
from tui.demo.clock import RealClock
from tui.demo.cluster import AGE, Cluster


@pytest.fixture
async def http() -> AsyncIterator[Http]:
    clock = RealClock(50, AGE)
    cluster = Cluster(clock, wave=None)
    cluster.bring_up()
    clock.go_live(asyncio.get_running_loop())
    async with Http(cluster) as client, asyncio.timeout(20):
        yield client
    clock.stop()
