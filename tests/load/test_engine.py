"""The engine against servers that misbehave."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest

from tests.cluster.server import CERTS
from tests.load.running import fire, plan
from tests.load.server import OK, Exchange, Server, ok, saying
from tui.load.curve import steady, step
from tui.load.plan import Pattern
from tui.load.stats import Failure

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


async def against(behaviour: Any, *, tls: str | None = None, **more: Any) -> tuple[Any, Server]:
    async with Server(behaviour, tls) as server:
        return await fire(plan(server, **more)), server


async def test_count_is_kept_exactly_and_connections_are_reused() -> None:
    result, server = await against(ok, count=57, c=5)
    assert (result.sent, result.responses, result.good) == (57, 57, 57)
    assert result.statuses == {"200": 57}
    assert len(server.requests) == 57
    assert server.connections == 5
    assert result.received == 57 * len(OK)
    assert result.latency.count == 57
    assert result.failures == {}


async def test_fewer_requests_than_connections() -> None:
    result, server = await against(ok, count=2, c=5)
    assert (result.responses, server.connections) == (2, 2)


async def test_never_more_than_one_request_is_out_on_a_connection() -> None:
    out: dict[int, int] = {}

    async def slow(exchange: Exchange) -> None:
        assert exchange.writer is not None
        out[exchange.connection] = out.get(exchange.connection, 0) + 1
        assert out[exchange.connection] == 1
        await asyncio.sleep(0.002)
        out[exchange.connection] -= 1
        await exchange.say(OK)

    result, _ = await against(slow, count=40, c=4, rate=steady(5000))
    assert result.good == 40


@pytest.mark.parametrize(
    "reply",
    [
        CHUNKED + b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n",
        CHUNKED + b"1\r\nx\r\n0\r\nTrailer: yes\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" + OK,
        b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n" + OK,
    ],
    ids=["chunked", "trailer", "empty", "204", "304", "100", "103+100"],
)
@pytest.mark.parametrize("piecemeal", [False, True], ids=["whole", "1-byte segments"])
async def test_every_framing_keeps_the_connection(reply: bytes, piecemeal: bool) -> None:
    async def by_byte(exchange: Exchange) -> None:
        for at in range(len(reply)):
            await exchange.say(reply[at : at + 1])
            await asyncio.sleep(0)

    result, server = await against(by_byte if piecemeal else saying(reply), count=6)
    assert result.failures == {}
    assert result.responses == 6
    assert result.good == 6
    assert server.connections == 2
    assert result.received == 6 * len(reply)


async def test_head_has_no_body_whatever_the_headers_say() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"
    result, server = await against(saying(head), method="HEAD")
    assert (result.good, server.connections, result.failures) == (10, 2, {})
    assert server.requests[0].head.startswith(b"HEAD / HTTP/1.1\r\n")


async def test_a_megabyte_comes_whole_and_reading_it_is_told_apart_from_waiting() -> None:
    body = bytes(1_000_000)

    async def big(exchange: Exchange) -> None:
        await exchange.say(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + body[:5])
        await asyncio.sleep(0.03)
        await exchange.say(body[5:])

    result, _ = await against(big, count=6)
    assert result.good == 6
    assert result.received > 6_000_000
    assert result.read.count == result.wait.count == 6
    # A busy machine may read the first bytes late, but not of every answer.
    assert result.read.most >= 0.02
    assert result.wait.mean + result.read.mean == pytest.approx(result.service.mean)


async def test_a_megabyte_is_sent_whole() -> None:
    body = bytes(range(256)) * 4096
    headers = (("Expect", "100-continue"),)
    result, server = await against(
        saying(b"HTTP/1.1 100 Continue\r\n\r\n" + OK),
        method="POST",
        body=body,
        headers=headers,
        count=4,
    )
    assert result.good == 4
    assert all(request.body == body for request in server.requests)


async def test_body_that_ends_with_the_connection() -> None:
    result, server = await against(
        saying(b"HTTP/1.1 200 OK\r\n\r\nuntil the end", then_close=True), count=6
    )
    assert (result.good, result.failures, server.connections) == (6, {}, 6)


async def test_codes_are_counted_and_are_no_failures() -> None:
    async def varied(exchange: Exchange) -> None:
        code = (200, 302, 404, 503)[exchange.number % 4]
        await exchange.say(b"HTTP/1.1 %d X\r\nContent-Length: 0\r\n\r\n" % code)

    result, _ = await against(varied, count=8, c=1)
    assert result.statuses == {"200": 2, "302": 2, "404": 2, "503": 2}
    assert (result.good, result.failed) == (4, 0)


async def test_close_after_some_requests_costs_nothing_when_announced() -> None:
    async def five_each(exchange: Exchange) -> None:
        if exchange.number == 4:
            await exchange.say(OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1))
            exchange.close()
        else:
            await exchange.say(OK)

    result, server = await against(five_each, count=40)
    assert (result.good, result.failures) == (40, {})
    assert server.connections == 8


async def test_close_without_a_word_costs_one_request_each() -> None:
    async def five_each(exchange: Exchange) -> None:
        if exchange.number == 5:
            exchange.close()
        else:
            await exchange.say(OK)

    result, server = await against(five_each, count=36)
    assert result.failures == {Failure.CLOSED: 6}
    assert (result.good, server.connections) == (30, 6)


@pytest.mark.parametrize(
    ("partial", "kind"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhal", Failure.CLOSED),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel", Failure.CLOSED),
        (b"HTTP/1.1 200", Failure.CLOSED),
        (b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", Failure.MALFORMED),
        (b"\x00\x01\x02 garbage \xff\r\n\r\n", Failure.MALFORMED),
        (b"SSH-2.0-OpenSSH_9.2\r\n", Failure.MALFORMED),
    ],
)
async def test_half_and_wrong_responses(partial: bytes, kind: Failure) -> None:
    result, _ = await against(saying(partial, then_close=True), count=4)
    assert result.failures == {kind: 4}
    assert result.responses == result.latency.count == 0


async def test_headers_without_end_are_malformed() -> None:
    async def endless(exchange: Exchange) -> None:
        await exchange.say(b"HTTP/1.1 200 OK\r\n")
        for _ in range(40):
            await exchange.say(b"X: " + b"y" * 4000 + b"\r\n")

    result, _ = await against(endless, count=2)
    assert result.failures == {Failure.MALFORMED: 2}


async def test_more_than_was_asked_for_closes_the_connection() -> None:
    result, server = await against(saying(OK + OK), count=6, c=1)
    assert (result.responses, result.failures) == (6, {})
    assert server.connections == 6


async def test_resets_cost_their_requests_and_not_the_burst() -> None:
    async def every_third(exchange: Exchange) -> None:
        if len(exchange.server.requests) % 3 == 0:
            exchange.reset()
        else:
            await exchange.say(OK)

    result, _ = await against(every_third, count=30)
    assert result.failures == {Failure.RESET: 10}
    assert result.good == 20


async def test_server_that_never_answers_times_out() -> None:
    async def silent(_: Exchange) -> None:
        await asyncio.sleep(30)

    result, server = await against(silent, count=4, timeout=0.05)
    assert result.failures == {Failure.TIMEOUT: 4}
    assert result.elapsed < 10
    assert server.connections == 4


async def test_refused_connections_are_counted_and_not_hammered() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/"
        result = await fire(plan(url, count=8))
        assert result.failures == {Failure.REFUSED: 8}
        result = await fire(plan(url, duration=0.3))
    # 0, 10, 20, 40, 80, 160 ms at most, half of that at least: a dozen tries, not thousands.
    assert 4 <= result.failures[Failure.REFUSED] <= 40
    assert result.sent == result.failed


async def test_server_that_comes_back_is_loaded_again() -> None:
    async with Server(ok) as first:
        what, again = plan(first, duration=60.0), asyncio.Event()
        running = asyncio.create_task(fire(what, until=again))
        while len(first.requests) < 20:
            await asyncio.sleep(0.005)
        for request in list(first.requests[-2:]):
            request.reset()
        first._server.close()
        while True:
            await asyncio.sleep(0.02)
            try:
                back = await asyncio.start_server(
                    lambda r, w: first._serve(r, w), "127.0.0.1", int(what.url.split(":")[2][:-1])
                )
                break
            except OSError:
                continue
        count = len(first.requests)
        while len(first.requests) < count + 20:
            await asyncio.sleep(0.005)
        again.set()
        result = await running
        back.close()
    assert result.good > count
    assert set(result.failures) <= {Failure.RESET, Failure.REFUSED, Failure.CLOSED}


async def test_keep_alive_off_takes_a_connection_for_each_request() -> None:
    result, server = await against(ok, count=12, keep_alive=False)
    assert (result.good, server.connections, result.opened) == (12, 12, 12)
    assert b"\r\nConnection: close\r\n" in server.requests[0].head
    assert result.service.least >= result.dial.least


async def test_words_said_while_idle_are_nobodys_response() -> None:
    async def chatty(exchange: Exchange) -> None:
        await exchange.say(OK)
        await asyncio.sleep(0.01)
        await exchange.say(b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n")

    result, server = await against(chatty, count=3, c=1, rate=steady(4))
    assert result.statuses == {"200": 3}
    assert server.connections == 3


async def test_greeting_before_the_request_is_malformed_once() -> None:
    async with Server(ok) as server:

        async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"220 mail.example ESMTP\r\n")
            await reader.read()
            writer.close()

        greeter = await asyncio.start_server(greet, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{greeter.sockets[0].getsockname()[1]}/"
        result = await fire(plan(url, count=3, c=1))
        greeter.close()
        assert server.requests == []
    assert (result.sent, result.failed) == (3, 3)


@pytest.mark.parametrize(
    ("certificate", "more", "good"),
    [
        ("server", {"cacert": str(CERTS / "ca.pem")}, True),
        ("server", {"verify": False}, True),
        ("server", {}, False),
        ("expired", {"cacert": str(CERTS / "ca.pem")}, False),
        ("other", {"cacert": str(CERTS / "ca.pem")}, False),
        ("other", {"verify": False}, True),
    ],
)
async def test_tls(certificate: str, more: dict[str, Any], good: bool) -> None:
    result, _ = await against(ok, tls=certificate, count=4, **more)
    if good:
        assert (result.good, result.failures) == (4, {})
        assert result.opened == 2
    else:
        assert result.failures == {Failure.TLS: 4}
        assert result.reasons
        assert all(reason.isprintable() for reason in result.reasons)


async def test_tls_to_a_server_without_it() -> None:
    async with Server(ok) as server:
        url = server.url.replace("http:", "https:")
        result = await fire(plan(url, count=12, c=4, timeout=0.1))
    assert result.failures == {Failure.TIMEOUT: 12}


async def test_stop_gives_up_what_is_under_way() -> None:
    all_came = asyncio.Event()

    async def slow(exchange: Exchange) -> None:
        if len(exchange.server.requests) == 3:
            all_came.set()
        await asyncio.sleep(60)

    async with Server(slow) as server:
        result = await fire(plan(server, duration=60, c=3), until=all_came)
    assert (result.sent, result.unfinished, result.failed) == (3, 3, 0)
    assert result.elapsed < 25


async def test_stragglers_are_waited_for_but_not_for_long() -> None:
    async def one_hangs(exchange: Exchange) -> None:
        await asyncio.sleep(30 if exchange.connection == 0 else 0.05)
        await exchange.say(OK)

    result, _ = await against(one_hangs, duration=0.2, c=3)
    assert result.unfinished == 1
    assert result.failed == 0
    assert result.good == result.sent - 1
    assert 0.2 <= result.elapsed < 10


async def test_connections_follow_their_curve() -> None:
    async def slowly(exchange: Exchange) -> None:
        await asyncio.sleep(0.002)
        await exchange.say(OK)

    async with Server(slowly) as server:
        up = await fire(plan(server, duration=0.4, connections=step([1, 12], 0.4)))
        assert server.connections == 12
        assert {request.connection for request in server.requests[:5]} == {0}
        down = await fire(plan(server, duration=0.4, connections=step([6, 1], 0.4)))
        assert server.connections == 18
        assert server.requests[-1].connection == 12
    assert up.failures == down.failures == {}
    assert (up.good, down.good) == (up.sent, down.sent)


@pytest.mark.parametrize("header", ["X-Served-By", None])
async def test_pods_are_told_by_header_or_body(header: str | None) -> None:
    async def served(exchange: Exchange) -> None:
        name = b"fastapi-deploy-%d" % (len(exchange.server.requests) % 3)
        body = b"Served from pod: <strong>%s</strong>" % name
        await exchange.say(
            b"HTTP/1.1 200 OK\r\nX-Served-By: pod %s\r\nContent-Length: %d\r\n\r\n%s"
            % (name, len(body), body)
        )

    pattern = Pattern("pod (.+)" if header else "<strong>(.+?)<", header)
    result, _ = await against(served, count=30, pattern=pattern)
    assert result.pods == {f"fastapi-deploy-{n}": 10 for n in range(3)}


async def test_names_of_pods_are_not_trusted() -> None:
    name = b"a\x1b[31m\xe2\x80\xae" + b"b" * 500
    reply = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(name), name)
    result, _ = await against(saying(reply), count=3, pattern=Pattern("(.+)"))
    (told,) = result.pods
    assert told.isprintable()
    assert len(told) <= 253


async def test_the_same_reply_to_many_and_different_ones_count_alike() -> None:
    async def mixed(exchange: Exchange) -> None:
        number = len(exchange.server.requests)
        unique = b"X-Id: %d\r\n" % number if number % 2 else b""
        await exchange.say(b"HTTP/1.1 200 OK\r\n" + unique + b"Content-Length: 2\r\n\r\nhi")

    result, server = await against(mixed, count=1500, c=4)
    assert result.good == 1500
    ids = sum(len(b"X-Id: %d\r\n" % number) for number in range(1, 1501, 2))
    assert result.received == 1500 * len(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi") + ids
    assert server.connections == 4
