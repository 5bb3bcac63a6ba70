"""A connection to a simulated process whose other end is no socket but a stream."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final

from tui.demo.dataplane.http import Server
from tui.demo.dataplane.network import Broken, Connection, Endpoint, Network

LOCAL: Final = ("127.0.0.1", 0)


class Pipe(asyncio.Transport):
    """What the process's HTTP server takes for a socket.

    Args:
        send: takes what the process writes.
        ended: called once, when the process's side is closed.
    """

    def __init__(self, send: Callable[[bytes], None], ended: Callable[[], None]) -> None:
        super().__init__()
        self._send = send
        self._ended = ended
        self._closing = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Hand on what the process writes."""
        if not self._closing:
            self._send(bytes(data))

    def can_write_eof(self) -> bool:
        """It can, by closing."""
        return True

    def write_eof(self) -> None:
        """The process writes no more."""
        self.close()

    def close(self) -> None:
        """The process closes the connection."""
        if not self._closing:
            self._closing = True
            self._ended()

    def abort(self) -> None:
        """The process resets the connection."""
        self.close()

    def is_closing(self) -> bool:
        """Whether nothing more is taken."""
        return self._closing

    def pause_reading(self) -> None:
        """Nothing to do: what has come is parsed already."""

    def resume_reading(self) -> None:
        """Nothing to do."""

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """The address of the other end; there is no socket."""
        return LOCAL if name == "peername" else default


class Tunnel:
    """Bytes to and from a port of a pod.

    Args:
        network: where the pod's processes listen.
        address: the pod's.
        port: the port.
        send: takes what the process writes.
        ended: called once, when the process closes.
    """

    def __init__(
        self,
        network: Network,
        address: str,
        port: int,
        send: Callable[[bytes], None],
        ended: Callable[[], None],
    ) -> None:
        self.problem = ""
        """Why nothing is connected; empty if something is."""
        found = network.reach(address, port)
        self._server: Server | None = None
        if isinstance(found, Broken):
            self.problem = (
                f"failed to connect to localhost:{port} inside namespace, IPv4: dial tcp4 "
                f"127.0.0.1:{port}: connect: connection refused IPv6 dial tcp6: address localhost: "
                "no suitable address found"
            )
            return
        connection: Connection = found

        def accept(_: Endpoint) -> Connection | Broken:
            return connection

        self._server = Server(accept, set(), lambda: None)
        self._server.connection_made(Pipe(send, ended))

    def feed(self, data: bytes) -> None:
        """Take bytes from the client."""
        if self._server is not None:
            self._server.data_received(data)

    def finish(self) -> None:
        """The client sends no more."""
        if self._server is not None:
            self._server.eof_received()

    def close(self) -> None:
        """The client is gone."""
        if self._server is not None:
            self._server.connection_lost(None)
            self._server = None
