"""A server on 127.0.0.1 that misbehaves as told, in the event loop of the test."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Self

from tests.cluster.server import CERTS

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


@dataclass
class Exchange:
    """One request, and the ways to answer it."""

    server: Server
    head: bytes
    body: bytes
    writer: asyncio.StreamWriter
    connection: int
    """Which connection of the server's it came over, from 0."""
    number: int
    """Which request of its connection it is, from 0."""

    async def say(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    def close(self) -> None:
        self.writer.close()

    def reset(self) -> None:
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


Behaviour = Callable[[Exchange], Awaitable[None]]


@dataclass
class Server:
    """Use as an asynchronous context manager. What was asked is in ``requests``."""

    behave: Behaviour
    tls: str | None = None
    requests: list[Exchange] = field(default_factory=list)
    connections: int = 0

    async def __aenter__(self) -> Self:
        context = None
        if self.tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(CERTS / f"{self.tls}.pem", CERTS / "server.key")
        self._tasks: set[asyncio.Task[None]] = set()
        self._server = await asyncio.start_server(
            self._serve, "127.0.0.1", 0, ssl=context, backlog=512
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def port(self) -> int:
        return int(self._server.sockets[0].getsockname()[1])

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}/"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        connection, self.connections = self.connections, self.connections + 1
        number = 0
        try:
            while not writer.is_closing():
                head = await reader.readuntil(b"\r\n\r\n")
                length = 0
                for line in head.split(b"\r\n"):
                    if line.lower().startswith(b"content-length:"):
                        length = int(line.split(b":")[1])
                body = await reader.readexactly(length)
                exchange = Exchange(self, head, body, writer, connection, number)
                self.requests.append(exchange)
                number += 1
                await self.behave(exchange)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()
            self._tasks.discard(task)


async def ok(exchange: Exchange) -> None:
    await exchange.say(OK)


def saying(data: bytes, *, then_close: bool = False) -> Behaviour:
    async def behave(exchange: Exchange) -> None:
        await exchange.say(data)
        if then_close:
            exchange.close()

    return behave
