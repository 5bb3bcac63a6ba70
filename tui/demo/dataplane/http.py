"""HTTP/1.1 on sockets: an asyncio protocol on httptools' parser.

A connection belongs to the process it was handed to when it came in, as behind kube-proxy. Its
requests are answered one after the other, in order.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import time
from collections import deque
from collections.abc import Callable
from email.utils import formatdate
from typing import Final

import httptools

from tui.demo.dataplane.messages import Headers, Request, Response, reason
from tui.demo.dataplane.network import Broken, Connection, Endpoint

_LARGEST_HEAD: Final = 32 * 1024
_LARGEST_BODY: Final = 1024 * 1024
_MOST_QUEUED: Final = 32
_HEAD_TIMEOUT: Final = 60.0
"""Real seconds in which a request must have come in whole."""
_LINGER: Final = 2.0
_NO_BODY: Final = frozenset({204, 304})
_CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
_RESET: Final = struct.pack("ii", 1, 0)

Accept = Callable[[Endpoint], Connection | Broken]


class Server(asyncio.Protocol):
    """The server's end of one connection from outside.

    Args:
        accept: finds the process that takes the connection.
        open_connections: everybody's; this one adds and removes itself.
        count: called at each request.
    """

    def __init__(
        self, accept: Accept, open_connections: set[Server], count: Callable[[], None]
    ) -> None:
        self._accept = accept
        self._open = open_connections
        self._count_request = count
        self._transport: asyncio.Transport | None = None
        self._connection: Connection | None = None
        self._parser = httptools.HttpRequestParser(self)
        self._queue: deque[tuple[Request, bool] | int] = deque()
        self._busy = False
        self._full = False
        self._closing = False
        self._target = b""
        self._headers: Headers = []
        self._body: list[bytes] = []
        self._size = 0
        self._refused = 0
        self._deadline: asyncio.TimerHandle | None = None
        self._client: Endpoint = ("127.0.0.1", 0)

    # -- asyncio

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Find who answers; nobody: the connection is reset."""
        self._transport = transport  # type: ignore[assignment]  # uvloop's is none of asyncio's
        peer = transport.get_extra_info("peername")
        if peer:
            self._client = (str(peer[0]), int(peer[1]))
        self._open.add(self)
        found = self._accept(self._client)
        if isinstance(found, Broken):
            self.abort()
            return
        self._connection = found
        found.process.connections[self] = None
        self._wait(_HEAD_TIMEOUT)

    def data_received(self, data: bytes) -> None:
        """Parse what came in and answer what is whole."""
        if self._closing and not self._busy:
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._closing = True
        except httptools.HttpParserError:
            self._queue.append(self._refused or 400)
        if len(self._queue) > _MOST_QUEUED and self._transport is not None:
            self._transport.pause_reading()
        self._next()

    def eof_received(self) -> bool:
        """The other side sends no more: answer what is under way, then close."""
        self._closing = True
        return self._busy

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._open.discard(self)
        if self._deadline is not None:
            self._deadline.cancel()
        if self._connection is not None:
            self._connection.process.connections.pop(self, None)
        self._transport = None
        self._queue.clear()

    def pause_writing(self) -> None:
        """The client does not read: answer nothing more until it does."""
        self._full = True

    def resume_writing(self) -> None:
        """The client reads again."""
        self._full = False
        self._next()

    # -- httptools

    def on_message_begin(self) -> None:
        """A request begins."""
        self._target = b""
        self._headers = []
        self._body = []
        self._size = 0

    def on_url(self, url: bytes) -> None:
        """A part of the target."""
        self._target += url
        self._count(len(url), _LARGEST_HEAD, 414)

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header."""
        self._count(len(name) + len(value), _LARGEST_HEAD, 431)
        self._headers.append((name.decode("latin-1"), value.decode("latin-1")))

    def on_headers_complete(self) -> None:
        """All headers are there."""
        self._size = 0
        for name, value in self._headers:
            if name.lower() == "expect" and value.lower() == "100-continue" and self._transport:
                self._transport.write(_CONTINUE)

    def on_body(self, body: bytes) -> None:
        """A part of the body."""
        self._count(len(body), _LARGEST_BODY, 413)
        self._body.append(body)

    def on_message_complete(self) -> None:
        """A request is whole."""
        parser = self._parser
        request = Request(
            parser.get_method().decode("ascii"),
            self._target.decode("latin-1"),
            self._headers,
            b"".join(self._body),
            parser.get_http_version(),
            self._client,
        )
        self._queue.append((request, parser.should_keep_alive()))

    def _count(self, size: int, most: int, refusal: int) -> None:
        self._size += size
        if self._size > most:
            self._refused = refusal
            raise ValueError("too large")  # ends the parsing; httptools hands it on as its own

    # -- answering

    def _next(self) -> None:
        connection = self._connection
        if self._busy or self._full or not self._queue or connection is None:
            return
        first = self._queue.popleft()
        if isinstance(first, int):
            self._refuse(Response(first))
            return
        request, keep = first
        self._busy = True
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        self._count_request()
        connection.send(request, lambda answer: self._answered(answer, request, keep))

    def _answered(self, response: Response | None, request: Request, keep: bool) -> None:
        self._busy = False
        if self._transport is None:
            return
        if response is None:
            self.abort()
            return
        if self._closing and not self._queue:
            keep = False
        self._send(response, request, keep)
        if keep:
            if self._queue:
                self._transport.resume_reading()
                # Not from here, or a long queue would be a deep stack.
                asyncio.get_running_loop().call_soon(self._next)
            else:
                process = self._connection.process if self._connection else None
                self._wait(process.idle_timeout if process else _HEAD_TIMEOUT)

    def _send(self, response: Response, request: Request, keep: bool) -> None:
        if self._transport is None:
            return
        self._transport.write(encode(response, request, keep, self._server()))
        if not keep:
            self._closing = True
            self._transport.close()

    def _refuse(self, response: Response) -> None:
        """Answer what is no good request, and read the rest of it before closing.

        Closing with something unread would reset the connection, and take the answer with it.
        """
        self._closing = True
        if self._transport is None:
            return
        self._transport.write(encode(response, Request("GET", "/"), False, self._server()))
        if self._transport.can_write_eof():
            self._transport.write_eof()
        self._wait(_LINGER)

    def _server(self) -> str:
        return self._connection.process.server if self._connection is not None else ""

    def _wait(self, seconds: float) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = asyncio.get_running_loop().call_later(seconds, self._idle)

    def _idle(self) -> None:
        if not self._busy and self._transport is not None:
            self._transport.close()

    # -- ending

    def drain(self) -> None:
        """Close once no request is being answered."""
        self._closing = True
        if not self._busy and self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Reset the connection."""
        if self._transport is None:
            return
        raw = self._transport.get_extra_info("socket")
        if raw is not None:
            # Without lingering the kernel sends RST instead of FIN.
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self._transport.abort()


_dates: dict[int, str] = {}


def date() -> str:
    """Now, as a ``Date`` header has it."""
    second = int(time.time())
    found = _dates.get(second)
    if found is None:
        _dates.clear()
        found = _dates[second] = formatdate(second, usegmt=True)
    return found


def encode(response: Response, request: Request, keep: bool, server: str) -> bytes:
    """A response as it is sent."""
    status = response.status
    lines = [f"HTTP/1.1 {status} {reason(status)}"]
    known = set()
    for name, value in response.headers:
        lowered = name.lower()
        known.add(lowered)
        if lowered not in ("content-length", "connection", "transfer-encoding"):
            lines.append(f"{name}: {_clean(value)}")
    if server and "server" not in known:
        lines.append(f"Server: {server}")
    if "date" not in known:
        lines.append(f"Date: {date()}")
    if status not in _NO_BODY and status >= 200:
        lines.append(f"Content-Length: {len(response.body)}")
    if not keep:
        lines.append("Connection: close")
    elif request.version == "1.0":
        lines.append("Connection: keep-alive")
    head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")
    if request.method == "HEAD" or status in _NO_BODY:
        return head
    return head + response.body


def _clean(value: str) -> str:
    """A header's value cannot end its line."""
    return value.replace("\r", " ").replace("\n", " ") if "\n" in value or "\r" in value else value
