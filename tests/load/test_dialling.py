"""Connections that take their time, or never come: what waits for them is told."""

from __future__ import annotations

import socket

import pytest

from tests.load.running import fire, plan
from tests.load.server import OK, Server, saying
from tests.needs import linux
from tui.load import engine, report


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


@linux
async def test_connections_that_never_open_are_requests_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(engine, "_PREPARE", 0.02)
    monkeypatch.setattr(engine, "DRAIN", 0.02)
    with socket.socket() as full, socket.socket() as first, socket.socket() as second:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        # Nobody accepts: Linux lets none in beyond these, and says nothing.
        for one in (first, second):
            one.setblocking(False)
            one.connect_ex(full.getsockname())
        url = f"http://127.0.0.1:{full.getsockname()[1]}/"
        result = await fire(plan(url, duration=0.1, c=3))
    assert (result.sent, result.unfinished, result.opened) == (3, 3, 0)
    assert "[3]\tgiven up at the end, before there was a connection\n" in report.text(result)
