"""Connections that take their time, or never come: what waits for them is told."""

from __future__ import annotations

import pytest

from tests.load.running import fire, plan
from tests.load.server import OK, Server, saying


@pytest.mark.parametrize("keep_alive", [True, False])
async def test_a_request_that_needs_a_new_connection_waits_for_it(keep_alive: bool) -> None:
    bye = OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1)
    async with Server(saying(bye, then_close=True)) as server:
        result = await fire(plan(server, count=6, c=1, keep_alive=keep_alive))
    assert (result.good, result.opened) == (6, 6)
    dialled = 6 * result.dial.mean
    if keep_alive:
        dialled -= result.dial.most  # the first was opened before the beginning
    rest = 6 * (result.service.mean - result.wait.mean - result.read.mean)
    assert rest >= 0.999 * dialled
