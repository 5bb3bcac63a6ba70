"""From a request that wants streams to the streams: WebSocket with channels, WebSocket with SPDY
inside, or bare SPDY, whichever the client asks for.

kubectl from 1.30 on tunnels SPDY through a WebSocket to forward ports and speaks
``v5.channel.k8s.io`` to run commands; older ones upgrade to SPDY; the Python client and browsers
use channels.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from aiohttp import WSMsgType, web

from tui.demo.api import errors
from tui.demo.api.requests import Response, Upgrade
from tui.demo.streams import attaching, commands, proxy
from tui.demo.streams.forwarding import ChannelForwarding, SpdyForwarding
from tui.demo.streams.sessions import PodSessions
from tui.demo.streams.shell import PROMPT
from tui.demo.streams.spdy import Session, SpdyError
from tui.demo.streams.spdy import Stream as SpdyStream

if TYPE_CHECKING:
    from tui.demo.store import Entry

_TUNNEL: Final = "SPDY/3.1+portforward.k8s.io"
_CHANNELS: Final = ("v5.channel.k8s.io", "v4.channel.k8s.io", "channel.k8s.io")
_SPDY_FORWARD: Final = "portforward.k8s.io"
_SPDY_COMMAND: Final = ("v4.channel.k8s.io", "v3.channel.k8s.io")
_MOST_PORTS: Final = 64
_MOST_WAITING: Final = 4096
_CLOSE_CHANNEL: Final = 255
_STREAMS: Final = {
    "stdin": commands.STDIN,
    "stdout": commands.STDOUT,
    "stderr": commands.STDERR,
    "error": commands.ERROR,
}


async def serve(incoming: web.BaseRequest, wanted: Upgrade) -> web.StreamResponse:
    """Carry out an upgrade until one side ends it."""
    sessions = wanted.sessions
    assert isinstance(sessions, PodSessions)
    try:
        if wanted.kind == "proxy":
            return await proxy.serve(
                incoming, sessions.network, wanted.pod, wanted.port, wanted.path
            )
        if wanted.kind == "attach":
            sessions.process(wanted.pod, incoming.query.get("container", ""))
        elif wanted.kind == "exec":
            sessions.container(wanted.pod, incoming.query.get("container", ""))
    except errors.ApiError as problem:
        return _refused(problem)
    if incoming.headers.get("Upgrade", "").lower() == "websocket":
        if wanted.kind == "portforward":
            return await _forward_by_websocket(incoming, wanted.pod, sessions)
        return await _run_by_websocket(incoming, wanted, sessions)
    return await _by_spdy(incoming, wanted, sessions)


def _refused(problem: errors.ApiError) -> web.Response:
    answer = Response.of(problem.status(), problem.code)
    return web.Response(
        status=answer.status, body=answer.body, headers={"Content-Type": answer.content_type}
    )


# -- WebSocket


class _Socket:
    """A WebSocket with a queue in front of it, so that whoever sends need not wait."""

    def __init__(self, socket: web.WebSocketResponse) -> None:
        self._socket = socket
        self._waiting: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._task = asyncio.get_running_loop().create_task(self._write())

    def send(self, data: bytes) -> None:
        """Send one message; who does not read is disconnected."""
        if self._waiting.qsize() < _MOST_WAITING:
            self._waiting.put_nowait(data)
        else:
            self._task.cancel()

    def on_channel(self, channel: int, data: bytes) -> None:
        """Send bytes on a channel."""
        self.send(bytes((channel,)) + data)

    async def _write(self) -> None:
        with contextlib.suppress(ConnectionError, RuntimeError):
            while (data := await self._waiting.get()) is not None:
                await self._socket.send_bytes(data)
            await self._socket.close()

    def end(self) -> None:
        """Close when all is sent."""
        self._waiting.put_nowait(None)

    async def stop(self) -> None:
        """Wait until all is sent, or the other side is gone."""
        if self._socket.closed:
            self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task


async def _open(incoming: web.BaseRequest, protocols: Sequence[str]) -> web.WebSocketResponse:
    socket = web.WebSocketResponse(protocols=tuple(protocols), max_msg_size=1 << 21, compress=False)
    await socket.prepare(incoming)
    return socket


async def _forward_by_websocket(
    incoming: web.BaseRequest, pod: Entry, sessions: PodSessions
) -> web.StreamResponse:
    socket = await _open(incoming, (_TUNNEL, *_CHANNELS[1:]))
    out = _Socket(socket)
    address = str(pod.status.get("podIP", ""))
    received: Callable[[bytes], None]
    close: Callable[[], None]
    if socket.ws_protocol == _TUNNEL:
        forwarding = SpdyForwarding(sessions.network, address, pod.name)
        session = Session(out.send, forwarding.opened)
        received, close = session.feed, session.close
    else:
        ports = [int(one) for one in _listed(incoming, "ports") if one.isdigit()]
        ports = [one for one in ports if 0 < one < 65536][:_MOST_PORTS]
        channels = ChannelForwarding(sessions.network, address, pod.name, ports, out.on_channel)
        channels.on_closed(out.end)

        def received(data: bytes) -> None:
            if data:
                channels.received(data[0], data[1:])

        close = channels.close
    try:
        async for message in socket:
            if message.type is WSMsgType.BINARY:
                received(message.data)
    except SpdyError:
        pass
    finally:
        close()
        out.end()
        await out.stop()
    return socket


def _listed(incoming: web.BaseRequest, name: str) -> list[str]:
    """Values of a query that may be given several times, or once with commas."""
    return [one for text in incoming.query.getall(name, ()) for one in text.split(",")]


def _asked(incoming: web.BaseRequest, name: str) -> bool:
    """Whether a flag of the query is set."""
    return incoming.query.get(name) in ("true", "1")


_Run: TypeAlias = Callable[[], Awaitable[None]]


def _begin(
    incoming: web.BaseRequest, wanted: Upgrade, sessions: PodSessions, send: commands.Send
) -> tuple[commands.Terminal, _Run]:
    """What takes the words of exec or attach, and what then is to be run to its end."""

    def echo(data: bytes) -> None:
        send(commands.STDOUT, data)

    name = incoming.query.get("container", "")
    stdin, tty = _asked(incoming, "stdin"), _asked(incoming, "tty")
    if wanted.kind == "attach":
        process = sessions.process(wanted.pod, name)
        # Nobody reads what is typed to a process without a standard input.
        reads = stdin and tty and process.reads and process.tty
        prompt = PROMPT if process.shell is not None else ""
        terminal = commands.Terminal(echo if reads else None, prompt=prompt)
        return terminal, partial(attaching.attach, process, terminal, send, stdin=stdin)
    container = sessions.container(wanted.pod, name)
    command = list(incoming.query.getall("command", ())) or ["sh"]
    terminal = commands.Terminal(echo if tty else None, whole=not commands.shell_alone(command))
    shell = sessions.shell(wanted.pod, container)
    run = partial(commands.execute, shell, command, terminal, send, stdin=stdin, tty=tty)
    return terminal, run


async def _run_by_websocket(
    incoming: web.BaseRequest, wanted: Upgrade, sessions: PodSessions
) -> web.StreamResponse:
    socket = await _open(incoming, _CHANNELS)
    out = _Socket(socket)
    terminal, run = _begin(incoming, wanted, sessions, out.on_channel)
    out.on_channel(commands.STDOUT, b"")  # tells the client that it is connected

    async def work() -> None:
        await run()
        out.end()

    task = asyncio.get_running_loop().create_task(work())
    try:
        async for message in socket:
            if message.type is not WSMsgType.BINARY or not message.data:
                continue
            channel, data = message.data[0], message.data[1:]
            if channel == commands.STDIN:
                terminal.received(data)
            elif channel == _CLOSE_CHANNEL and data == bytes((commands.STDIN,)):
                terminal.finished()
    finally:
        task.cancel()
        out.end()
        await out.stop()
    return socket


# -- SPDY


class _Raw(asyncio.Protocol):
    """The bytes of a connection that is HTTP no more.

    Args:
        former: the protocol that had the connection, which is told of its end.
    """

    def __init__(self, former: asyncio.BaseProtocol) -> None:
        self._former = former
        self.session: Session | None = None
        self.transport: Any = None
        self.ended = asyncio.Event()

    def data_received(self, data: bytes) -> None:
        """Hand on what has come."""
        if self.session is not None:
            try:
                self.session.feed(data)
            except SpdyError:
                self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone."""
        if self.session is not None:
            self.session.close()
        self.ended.set()
        self._former.connection_lost(exc)


class _Standard:
    """The streams of a command over SPDY, by their type."""

    def __init__(self) -> None:
        self.by_channel: dict[int, SpdyStream] = {}
        self.terminal: commands.Terminal | None = None
        self.changed = asyncio.Event()

    def opened(self, stream: SpdyStream) -> None:
        """The client has opened a stream."""
        channel = _STREAMS.get(stream.headers.get("streamtype", ""))
        if channel is not None:
            self.by_channel[channel] = stream
        if channel == commands.STDIN:
            stream.listener = self
        self.changed.set()

    def received(self, data: bytes) -> None:
        """Something was typed."""
        if self.terminal is not None:
            self.terminal.received(data)

    def finished(self) -> None:
        """No more will be typed."""
        if self.terminal is not None:
            self.terminal.finished()

    def lost(self) -> None:
        """The client is gone."""
        if self.terminal is not None:
            self.terminal.lost()

    def send(self, channel: int, data: bytes) -> None:
        """Send bytes on the stream of a channel."""
        stream = self.by_channel.get(channel)
        if stream is not None:
            stream.send(data)


async def _by_spdy(
    incoming: web.BaseRequest, wanted: Upgrade, sessions: PodSessions
) -> web.StreamResponse:
    forwards = wanted.kind == "portforward"
    offered = [one.strip() for one in incoming.headers.getall("X-Stream-Protocol-Version", ())]
    known = (_SPDY_FORWARD,) if forwards else _SPDY_COMMAND
    chosen = next((one for one in known if one in offered), "")
    if not chosen:
        message = f"unable to upgrade: unable to negotiate protocol: client supports {offered}"
        return _refused(errors.ApiError(403, "Forbidden", f"{message}, server accepts {known}"))
    transport = incoming.transport
    assert transport is not None
    raw = _Raw(transport.get_protocol())
    raw.transport = transport
    standard = _Standard()
    if forwards:
        address = str(wanted.pod.status.get("podIP", ""))
        opened = SpdyForwarding(sessions.network, address, wanted.pod.name).opened
    else:
        opened = standard.opened
        standard.terminal, run = _begin(incoming, wanted, sessions, standard.send)
    raw.session = Session(transport.write, opened)
    head = (
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n"
        f"X-Stream-Protocol-Version: {chosen}\r\n\r\n"
    )
    transport.set_protocol(raw)
    transport.write(head.encode())
    transport.resume_reading()
    if forwards:
        await raw.ended.wait()
    else:
        await _run_by_spdy(incoming, run, standard, raw)
    transport.close()
    return web.Response(status=101)


async def _run_by_spdy(
    incoming: web.BaseRequest, run: _Run, standard: _Standard, raw: _Raw
) -> None:
    needed = 1 + sum(_asked(incoming, name) for name in ("stdin", "stdout", "stderr"))
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(10):
            while len(standard.by_channel) < needed and not raw.ended.is_set():
                standard.changed.clear()
                await standard.changed.wait()
    await run()
    for stream in standard.by_channel.values():
        stream.close()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(2):
            await raw.ended.wait()
