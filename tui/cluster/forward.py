"""Port-forwards: listeners on 127.0.0.1 whose connections lead to ready pods, each to another.

One thread runs them all. A pod is chosen anew for every connection that is accepted, so that
load spreads; the Service itself, and what kube-proxy does, is left out.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import os
import secrets
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import CancelledError
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec

from tui.cluster.errors import ApiError, Fault
from tui.cluster.halt import Halt
from tui.cluster.route_plan import Backend
from tui.cluster.transport import Transport

if TYPE_CHECKING:
    from tui.cluster.pod_stream import Dialer, PodStream

T = TypeVar("T")

HOST: Final = "127.0.0.1"
MOST_CONNECTIONS: Final = 256
"""Of one listener, at a time: each costs the API server and the kubelet a stream."""
STOP_WITHIN: Final = 1.0
_HANDSHAKES: Final = 16
"""Connections being opened at a time."""
_TRIES: Final = 3
"""Pods asked for one connection, while the list of them is catching up."""
_PIECE: Final = 32 * 1024
_LINGER: Final = 1.0
"""Seconds without a byte after which a client that closed its side is not waited for."""
_ANSWER: Final = 8.0
"""Seconds for a check; what it waits for is bounded more tightly."""
_PATIENCE: Final = 0.3
"""Seconds in which a node tells that nothing listens in the pod."""
_LOOK: Final = 0.1

Backends = Callable[[], Sequence[Backend]]
Choice = Callable[[Sequence[Backend]], Backend]


class Tally(msgspec.Struct):
    """What went through one listener so far."""

    accepted: int = 0
    refused: int = 0
    """Over the bound, and closed at once."""
    failed: int = 0
    """Accepted, and then no pod could be reached."""
    pods: Counter[str] = msgspec.field(default_factory=Counter)
    """Connections by pod."""
    problem: str = ""
    """Why the last one failed."""


class Forwards:
    """All port-forwards of one cluster. Methods are for other threads than its own.

    Args:
        transport: as whom and how the API server is reached.
        most: connections of one listener at a time.
        choose: picks the pod for a connection; at random, as kube-proxy does.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        most: int = MOST_CONNECTIONS,
        choose: Choice = secrets.choice,
    ) -> None:
        self._transport = transport
        self._most = most
        self._choose = choose
        self._halt = Halt()
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._dialer: Dialer | None = None
        self._listeners: dict[object, _Listener] = {}

    def open(self, key: object, backends: Backends) -> int:
        """The local port of the forward of that key, which is made if it is not there.

        Args:
            key: what it is for.
            backends: the pods to choose from, asked for every connection; must be quick.

        Raises:
            ApiError: nothing can listen here, or it was closed.
        """
        return self._run(self._open(key, backends), STOP_WITHIN)

    def check(self, backend: Backend) -> None:
        """Connect to a pod once, and close again.

        Raises:
            ApiError: why it cannot be reached.
        """
        self._run(self._check(backend), _ANSWER)

    def tally(self, key: object) -> Tally | None:
        """What went through the forward of that key; a copy."""
        listener = self._listeners.get(key)
        if listener is None:
            return None
        said = listener.tally
        return Tally(said.accepted, said.refused, said.failed, Counter(said.pods), said.problem)

    def close(self) -> bool:
        """End every listener and connection; True if the thread has ended within a second."""
        self._halt.stop()
        with self._lock:
            loop, thread = self._loop, self._thread
        if loop is None or thread is None:
            return True
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(loop.stop)
        thread.join(STOP_WITHIN)
        return not thread.is_alive()

    # In the caller's thread.

    def _run(self, work: Coroutine[Any, Any, T], timeout: float) -> T:
        try:
            loop = self._started()
            future = asyncio.run_coroutine_threadsafe(work, loop)
        except (RuntimeError, ApiError):
            work.close()
            raise ApiError(Fault.STOPPED, "stopped") from None
        deadline = time.monotonic() + timeout
        while not self._halt.stopped:
            try:
                return future.result(_LOOK)
            except TimeoutError:
                if time.monotonic() > deadline:
                    break
            except CancelledError:
                break
        future.cancel()
        if self._halt.stopped:
            raise ApiError(Fault.STOPPED, "stopped")
        host = self._transport.config.host
        raise ApiError(Fault.TIMEOUT, f"The server {host} did not answer in time.")

    def _started(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._halt.stopped:
                raise ApiError(Fault.STOPPED, "stopped")
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(
                    target=self._serve, args=(self._loop,), name="port-forward", daemon=True
                )
                self._thread.start()
            return self._loop

    # In the loop's thread.

    def _serve(self, loop: asyncio.AbstractEventLoop) -> None:
        asyncio.set_event_loop(loop)
        try:
            loop.run_forever()
        finally:
            loop.run_until_complete(self._end())
            loop.close()

    async def _end(self) -> None:
        for listener in self._listeners.values():
            listener.close()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOP_WITHIN / 2):
                await asyncio.gather(*tasks, return_exceptions=True)
                if self._dialer is not None:
                    await self._dialer.close()

    def _dialing(self) -> Dialer:
        if self._dialer is None:
            module = importlib.import_module("tui.cluster.pod_stream")
            dialer: Dialer = module.Dialer(self._transport, self._halt)
            self._dialer = dialer
        return self._dialer

    async def _open(self, key: object, backends: Backends) -> int:
        listener = self._listeners.get(key)
        if listener is None:
            listener = _Listener(self._dialing(), backends, self._choose, self._most)
            await listener.listen()
            self._listeners[key] = listener
        return listener.port

    async def _check(self, backend: Backend) -> None:
        stream = await self._dialing().dial(backend)
        try:
            await stream.prove(_PATIENCE)
        finally:
            await stream.close()


class _Listener:
    """One local port, and the connections that came in by it."""

    def __init__(self, dialer: Dialer, backends: Backends, choose: Choice, most: int) -> None:
        self.tally = Tally()
        self.port = 0
        self._dialer = dialer
        self._backends = backends
        self._choose = choose
        self._most = most
        self._open = 0
        self._handshakes = asyncio.Semaphore(_HANDSHAKES)
        self._server: asyncio.Server | None = None

    async def listen(self) -> None:
        """Take connections on a free port.

        Raises:
            ApiError: no port can be had.
        """
        try:
            self._server = await asyncio.start_server(
                self._accepted, HOST, 0, limit=2 * _PIECE, backlog=512
            )
        except OSError as error:
            why = error.strerror or "no port is free"
            raise ApiError(Fault.REFUSED, f"Nothing can listen on {HOST}: {why}.") from None
        self.port = self._server.sockets[0].getsockname()[1]

    def close(self) -> None:
        """Take no more connections."""
        if self._server is not None:
            self._server.close()

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._open >= self._most:
            self.tally.refused += 1
            self.tally.problem = f"More than {self._most} connections at a time."
            _reset(writer)
            return
        self._open += 1
        self.tally.accepted += 1
        try:
            stream = await self._reach()
            try:
                await _relay(reader, writer, stream)
                writer.close()
            finally:
                await stream.close()
        except ApiError as error:
            self.tally.failed += 1
            self.tally.problem = error.message
        except (OSError, asyncio.CancelledError):
            # The client has gone, or everything ends.
            pass
        finally:
            self._open -= 1
            if not writer.is_closing():
                _reset(writer)

    async def _reach(self) -> PodStream:
        """A stream to a ready pod; another pod if one has just gone.

        Raises:
            ApiError: none is ready, or none could be reached.
        """
        left = list(self._backends())
        failure = ApiError(Fault.REFUSED, "No pod behind the Service is ready.")
        for _ in range(_TRIES):
            if not left:
                break
            backend = self._choose(left)
            left.remove(backend)
            try:
                async with self._handshakes:
                    stream = await self._dialer.dial(backend)
            except ApiError as error:
                failure = error
                if error.kind not in (Fault.NOT_FOUND, Fault.SERVER, Fault.UNAVAILABLE):
                    break
            else:
                self.tally.pods[backend.pod] += 1
                return stream
        raise failure


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close with a reset, so that a client does not take it for an answer's end."""
    sock = writer.get_extra_info("socket")
    with contextlib.suppress(OSError):
        linger = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    writer.transport.abort()


async def _relay(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, stream: PodStream
) -> None:
    """Carry bytes both ways until the pod closes, or the client has and nothing more comes.

    Raises:
        ApiError: the way to the pod broke.
        OSError: the client is gone.
    """
    up = asyncio.create_task(_carry_up(reader, stream))
    down = asyncio.create_task(_carry_down(stream, writer))
    try:
        await asyncio.wait({up, down}, return_when=asyncio.FIRST_COMPLETED)
        before = -1
        while not down.done() and before != stream.received:
            # The client may have closed its half alone, and still want the answer.
            before = stream.received
            await asyncio.wait({down}, timeout=_LINGER)
        for task in (down, up):
            if task.done():
                task.result()
    finally:
        for task in (up, down):
            task.cancel()
        await asyncio.gather(up, down, return_exceptions=True)


async def _carry_up(reader: asyncio.StreamReader, stream: PodStream) -> None:
    while data := await reader.read(_PIECE):
        await stream.write(data)


async def _carry_down(stream: PodStream, writer: asyncio.StreamWriter) -> None:
    while data := await stream.read():
        writer.write(data)
        await writer.drain()
