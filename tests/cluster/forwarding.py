"""An API server that forwards ports as the kubelet does, and pods to forward to.

The protocol is that of k8s.io/cri-streaming/pkg/streaming/portforward/websocket.go.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import struct
import threading
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from aiohttp import WSMsgType, web

from tests.cluster.server import CERTS

PROTOCOL = "v4.channel.k8s.io"

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Cluster:
    """Use as a context manager. Pods are listeners of this process, in a thread of their own."""

    def __init__(
        self,
        *,
        tls: bool = False,
        client_ca: bool = False,
        token: str | None = None,
        protocol: str = PROTOCOL,
    ) -> None:
        self.token = token
        self.status: dict[str, int] = {}
        """Pods whose forwarding is refused with an HTTP status."""
        self.requests: list[dict[str, str]] = []
        self.end: Callable[[web.WebSocketResponse], Awaitable[Any]] = lambda ws: ws.close()
        """How a stream ends once the pod has closed."""
        self.sent = 0
        """Bytes taken from pods."""
        self._protocol = protocol
        self._context = _context(client_ca) if tls else None
        self._pods: dict[tuple[str, int], int] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self.port = 0

    def __enter__(self) -> Cluster:
        self._thread.start()
        self.run(self._start())
        return self

    def __exit__(self, *_: object) -> None:
        async def stop() -> None:
            tasks = asyncio.all_tasks() - {asyncio.current_task()}
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

        self.run(stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    @property
    def url(self) -> str:
        return f"{'https' if self._context else 'http'}://127.0.0.1:{self.port}"

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    def pod(self, name: str, port: int, serve: Serve) -> None:
        """A pod that serves a port."""

        async def listen() -> int:
            server = await asyncio.start_server(serve, "127.0.0.1", 0)
            return int(server.sockets[0].getsockname()[1])

        self._pods[name, port] = self.run(listen())

    async def _start(self) -> None:
        app = web.Application()
        app.router.add_get(
            "/api/v1/namespaces/{namespace}/pods/{pod}/portforward", self._portforward
        )
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=self._context)
        await site.start()
        self.port = runner.addresses[0][1]

    async def _portforward(self, request: web.Request) -> web.StreamResponse:
        pod, port = request.match_info["pod"], int(request.query["ports"])
        self.requests.append({"pod": pod, "port": str(port), **request.headers})
        if self.token and request.headers.get("Authorization") != f"Bearer {self.token}":
            return web.json_response({"kind": "Status", "code": 401}, status=401)
        if status := self.status.get(pod):
            return web.json_response({"kind": "Status", "code": status}, status=status)
        if not any(name == pod for name, _ in self._pods):
            return web.json_response({"kind": "Status", "code": 404}, status=404)
        ws = web.WebSocketResponse(protocols=(self._protocol,))
        await ws.prepare(request)
        for channel in (b"\0", b"\1"):
            await ws.send_bytes(channel + struct.pack("<H", port))
        local = self._pods.get((pod, port))
        if local is None:
            await ws.send_bytes(
                b"\1error forwarding port %d to pod x, uid : failed to connect to localhost: "
                b"connect: connection refused" % port
            )
            await ws.close()
            return ws
        reader, writer = await asyncio.open_connection("127.0.0.1", local)
        down = asyncio.create_task(self._carry_down(reader, ws))
        try:
            async for message in ws:
                if message.type is WSMsgType.BINARY and message.data[:1] == b"\0":
                    writer.write(message.data[1:])
                    await writer.drain()
        finally:
            down.cancel()
            writer.transport.abort()
        return ws

    async def _carry_down(self, reader: asyncio.StreamReader, ws: web.WebSocketResponse) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(32768):
                await ws.send_bytes(b"\0" + data)
                self.sent += len(data)
            await self.end(ws)


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A pod that gives back what it gets."""
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()


def saying(name: str) -> Serve:
    """A pod that says its name, and stays."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(name.encode())
        await reader.read()
        writer.close()

    return serve


def answering(name: str, status: str = "200 OK", *headers: str) -> Serve:
    """A pod that answers each connection's first request over HTTP, and closes."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = [f"HTTP/1.1 {status}", f"X-Served-By: {name}", f"Content-Length: {len(name)}"]
        head += [*headers, "Connection: close"]
        writer.write("\r\n".join([*head, "", name]).encode())
        await writer.drain()
        writer.close()

    return serve


def _context(client_ca: bool) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTS / "server.pem", CERTS / "server.key")
    if client_ca:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(CERTS / "ca.pem")
    return context
