"""kubectl attach, and what kubectl run -i and kubectl debug make of it."""

from __future__ import annotations

import asyncio
import ssl
from typing import Any

import msgspec
import pytest

from tests.demo.http import TOKEN, Http
from tests.demo.streams import spdyclient
from tests.demo.streams.spdyclient import SpdyClient
from tui.demo.store import Object

PODS = "/api/v1/namespaces/default/pods"
TYPED = "stdin=true&stdout=true&tty=true"


async def _run(http: Http, *command: str, image: str = "busybox", **more: Any) -> None:
    """A pod as ``kubectl run -i --restart=Never`` makes it, once its process has begun."""
    container = {"name": "x", "image": image, "args": list(command), "stdin": True, **more}
    spec = {"restartPolicy": "Never", "containers": [container]}
    made = await http("POST", PODS, {"metadata": {"name": "x"}, "spec": spec})
    assert made.status == 201, made.text
    while "waiting" in await _state(http):
        await asyncio.sleep(0.02)


async def _state(http: Http) -> Object:
    """Of the container; waiting as long as nobody says so."""
    pod = (await http("GET", f"{PODS}/x")).json
    found: Object = (pod["status"].get("containerStatuses") or [{}])[0].get("state")
    return found or {"waiting": {}}


async def _ended(http: Http) -> int:
    """The code with which it has ended."""
    while "terminated" not in (state := await _state(http)):
        await asyncio.sleep(0.02)
    code: int = state["terminated"]["exitCode"]
    return code


def _attach(http: Http, query: str) -> Any:
    return http.session.ws_connect(
        f"{PODS}/x/attach?{query}",
        headers={"Authorization": f"Bearer {TOKEN}"},
        protocols=("v5.channel.k8s.io",),
    )


async def _until(socket: Any, words: bytes) -> bytes:
    """What is shown, until these words are."""
    found = b""
    while words not in found:
        message: bytes = await socket.receive_bytes()
        if message[:1] == b"\x01":
            found += message[1:]
    return found


async def _rest(socket: Any) -> dict[int, bytes]:
    """What comes on each channel until the end."""
    found = {1: b"", 2: b"", 3: b""}
    async for message in socket:
        found[message.data[0]] += message.data[1:]
    return found


async def test_what_a_task_has_printed_is_shown_to_whoever_started_it(http: Http) -> None:
    await _run(http, "echo", "hello", stdinOnce=True)
    await _ended(http)
    async with _attach(http, "stdin=true&stdout=true") as socket:
        found = await _rest(socket)
    assert found[1] == b"hello\n"
    assert msgspec.json.decode(found[3])["status"] == "Success"


async def test_a_shell_is_typed_into_and_leaves_its_code_and_its_log(http: Http) -> None:
    await _run(http, stdinOnce=True, tty=True)
    async with _attach(http, TYPED) as socket:
        await _until(socket, b"# ")
        await socket.send_bytes(b"\x00hostname\r")
        assert await _until(socket, b"# ") == b"hostname\r\nx\r\n# "
        await socket.send_bytes(b"\x00exit 3\r")
        status = msgspec.json.decode((await _rest(socket))[3])
    assert status["status"] == "Success"  # of the stream: the code is told by the pod
    assert await _ended(http) == 3
    assert (await http("GET", f"{PODS}/x/log")).text == "x\n"


async def test_lines_without_a_terminal_are_run_to_their_end(http: Http) -> None:
    await _run(http, stdinOnce=True)
    async with _attach(http, "stdin=true&stdout=true&stderr=true") as socket:
        await socket.send_bytes(b"\x00pwd\ncat /nothing\n")
        await socket.send_bytes(b"\xff\x00")
        found = await _rest(socket)
    assert found[1] == b"/\n"
    assert b"No such file" in found[2]
    assert await _ended(http) == 1


async def test_a_shell_waits_for_who_comes_back_and_is_left_with_ctrl_d(http: Http) -> None:
    """As that of ``kubectl debug``, whose input stays open."""
    await _run(http, tty=True)
    async with _attach(http, TYPED) as socket:
        await _until(socket, b"# ")
        await socket.send_bytes(b"\x00cd /etc\r")
        await _until(socket, b"# ")
    assert "running" in await _state(http)
    async with _attach(http, TYPED) as socket:
        await _until(socket, b"# ")
        await socket.send_bytes(b"\x00pwd\r")
        assert b"/etc\r\n" in await _until(socket, b"# ")
        await socket.send_bytes(b"\x00\x04")
        await _rest(socket)
    assert await _ended(http) == 0


async def test_an_input_that_closes_with_the_client_ends_the_shell(http: Http) -> None:
    await _run(http, stdinOnce=True, tty=True)
    async with _attach(http, TYPED) as socket:
        await _until(socket, b"# ")
    assert await _ended(http) == 0


async def test_a_shell_ends_with_its_pod(http: Http) -> None:
    await _run(http, tty=True)
    async with _attach(http, TYPED) as socket:
        await _until(socket, b"# ")
        await http("DELETE", f"{PODS}/x?gracePeriodSeconds=0")
        assert msgspec.json.decode((await _rest(socket))[3])["status"] == "Success"


@pytest.mark.parametrize("tty", [True, False])
async def test_what_is_no_shell_is_watched_and_left_with_ctrl_c(http: Http, tty: bool) -> None:
    script = "while true; do echo up; sleep 1; done"
    await _run(http, "sh", "-c", script, tty=tty)
    async with _attach(http, TYPED) as socket:
        await _until(socket, b"up\r\n" if tty else b"up\n")
        await socket.send_bytes(b"\x00no echo\x03")
        if tty:
            await _rest(socket)
    if tty:
        assert await _ended(http) == 130
    else:  # no terminal makes a signal of it
        assert "running" in await _state(http)


async def test_a_shell_by_bare_spdy(http: Http) -> None:
    await _run(http, stdinOnce=True, tty=True)
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    port = int(http.server.url.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    head = (
        f"POST {PODS}/x/attach?{TYPED} HTTP/1.1\r\nHost: x\r\n"
        f"Authorization: Bearer {TOKEN}\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n"
        "X-Stream-Protocol-Version: v4.channel.k8s.io\r\nContent-Length: 0\r\n\r\n"
    )
    writer.write(head.encode())
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
    client = SpdyClient()
    for number, name in ((1, "error"), (3, "stdin"), (5, "stdout")):
        writer.write(client.syn(number, {"streamtype": name}))
    writer.write(spdyclient.data(3, b"hostname\rexit 4\r"))
    found = {1: b"", 3: b"", 5: b""}
    while chunk := await reader.read(4096):
        for number, _, content in client.feed(chunk):
            found[number] += content
        if b"Success" in found[1]:
            break
    assert b"x\r\n" in found[5]
    writer.close()
    assert await _ended(http) == 4
