"""Requests counted in access logs: each line once, only ours, and never for ever."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from tests.cluster.server import Exchange, Server, stall, status
from tui.cluster.access import ClusterConfig
from tui.cluster.access_log import AccessLogs
from tui.cluster.transport import Transport

LOG = "/api/v1/namespaces/default/pods/web-1/log"
SINCE = 1_795_269_802.25
"""2026-11-21 14:03:22.25 UTC."""
NGINX = '10.0.0.9 - - [21/Nov/2026:14:03:23 +0000] "GET / HTTP/1.1" 200 13 "-" "kscale-tui"'
UVICORN = '10.0.0.9:5000 - "GET / HTTP/1.1" 200'
CADDY = '{"logger":"http.log.access","request":{"method":"GET","host":"x","uri":"/"},"status":200}'
OTHERS = (
    '10.0.0.9 - "GET /nginx-health HTTP/1.1" 200',
    '10.0.0.9 - "POST / HTTP/1.1" 200',
    '{"request":{"method":"POST","uri":"/"}}',
    "GET",
    "",
)


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        yield running


@pytest.fixture
def logs(server: Server) -> Iterator[AccessLogs]:
    transport = Transport(ClusterConfig(server=server.url))
    yield AccessLogs(transport, "GET", "/", SINCE)
    transport.close()


def stamped(seconds: float, text: str) -> str:
    whole, part = divmod(round(seconds * 1e9), 1_000_000_000)
    fraction = f".{part:09d}".rstrip("0") if part else ""
    return f"2026-11-21T14:03:{whole:02d}{fraction}Z {text}\n"


def saying(server: Server, *logs: str) -> None:
    """Each reading finds the next log, the last for ever."""

    def answer(text: str) -> Callable[[Exchange], None]:
        def reply(exchange: Exchange) -> None:
            exchange.reply(200, text, "text/plain")

        return reply

    server.on(LOG, *[answer(text) for text in logs])


@pytest.mark.parametrize("line", [NGINX, UVICORN, CADDY])
def test_the_access_logs_of_nginx_uvicorn_and_caddy(
    server: Server, logs: AccessLogs, line: str
) -> None:
    texts = [line, *OTHERS, line]
    saying(server, "".join(stamped(23 + n / 10, text) for n, text in enumerate(texts)))
    assert logs.read("default", "web-1", "web") == 2
    (asked,) = server.asked(LOG)
    assert asked.query == {
        "container": "web",
        "timestamps": "true",
        "sinceTime": "2026-11-21T14:03:22Z",
        "limitBytes": str(8 * 1024 * 1024),
    }


def test_lines_from_before_the_burst_do_not_count(server: Server, logs: AccessLogs) -> None:
    saying(server, stamped(22.2, NGINX) + stamped(22.25, NGINX) + stamped(22.250000001, NGINX))
    assert logs.read("default", "web-1", "web") == 1


def test_each_line_counts_once_however_often_one_reads(server: Server, logs: AccessLogs) -> None:
    first = stamped(23, NGINX) + stamped(24.5, NGINX)
    saying(server, first, first, first + stamped(24.500000001, NGINX) + stamped(25, NGINX))
    assert [logs.read("default", "web-1", "web") for _ in range(4)] == [2, 2, 4, 4]
    assert [asked.query["sinceTime"][-3:] for asked in server.asked(LOG)] == [
        "22Z",
        "24Z",
        "24Z",
        "25Z",
    ]


def test_a_line_cut_off_by_the_limit_counts_when_it_is_whole(
    server: Server, logs: AccessLogs
) -> None:
    whole = stamped(23, NGINX) + stamped(24, NGINX)
    saying(server, whole[:-20], whole)
    assert [logs.read("default", "web-1", "web") for _ in range(2)] == [1, 2]


@pytest.mark.parametrize("log", ["", "\n\n", "no time at all\n", "\x00\xff" * 100, "2026 GET /\n"])
def test_what_is_no_log_is_no_request(server: Server, logs: AccessLogs, log: str) -> None:
    saying(server, log)
    assert logs.read("default", "web-1", "web") == 0


def test_a_pod_that_cannot_be_read_keeps_its_count_and_says_why(
    server: Server, logs: AccessLogs
) -> None:
    saying(server, stamped(23, NGINX))
    assert logs.read("default", "web-1", "web") == 1
    server.on(LOG, status(403, "Forbidden", 'pods "web-1" is forbidden'))
    assert logs.read("default", "web-1", "web") == 1
    assert logs.problem
    assert logs.read("default", "../../secrets/x", "web") == 0
    assert not any(
        "secrets" in asked.path and "/log" not in asked.path for asked in server.requests
    )


def test_stopping_ends_a_read_that_waits(server: Server, logs: AccessLogs) -> None:
    server.on(LOG, stall)
    reading = threading.Thread(target=logs.read, args=("default", "web-1", "web"))
    reading.start()
    while not server.asked(LOG):
        time.sleep(0.01)
    began = time.monotonic()
    logs.stop()
    reading.join(3)
    assert not reading.is_alive()
    assert time.monotonic() - began < 3
