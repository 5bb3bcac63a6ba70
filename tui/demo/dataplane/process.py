"""What listens in a container: the base of apps and proxies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from tui.demo.dataplane.cores import Share
from tui.demo.dataplane.messages import Reply, Request, Response

MOST_WAITING: Final = 4096
"""Requests a process keeps waiting for CPU before it resets further ones."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a container runs."""

    namespace: str
    pod: str
    uid: str
    container: str
    node: str
    ip: str


class Accepted(Protocol):
    """The server's end of a connection."""

    def drain(self) -> None:
        """Close once no request is being answered."""

    def abort(self) -> None:
        """Reset the connection."""


class Process:
    """A server in a container.

    Args:
        place: where it runs.
        cpu: what it may use.
        log: prints lines in the name of the container.
        ports: it listens on.
    """

    server = ""
    """What it calls itself in ``Server`` headers of answers it makes up itself."""
    idle_timeout = 75.0
    """Seconds after which an idle connection is closed."""

    def __init__(
        self, place: Place, cpu: Share, log: Callable[[str], None], ports: frozenset[int]
    ) -> None:
        self.place = place
        self.cpu = cpu
        self.print = log
        self.ports = ports
        self.draining = False
        self.ended = False
        self.connections: dict[Accepted, None] = {}

    def handle(self, request: Request, reply: Reply, port: int) -> None:
        """Answer a request that came in on a port; ``reply`` is called exactly once."""
        raise NotImplementedError

    def begin(self) -> None:
        """It listens from now on."""

    def work(self, cost: float, done: Callable[[], None], reply: Reply) -> None:
        """Have CPU work done and go on; if the process ends before, the connection breaks."""
        if self.cpu.waiting >= MOST_WAITING:
            reply(None)
            return
        self.cpu.submit(cost, lambda alive: done() if alive else reply(None))

    def drain(self) -> None:
        """Asked to end: take no new connections, finish what is being answered."""
        self.draining = True
        for connection in list(self.connections):
            connection.drain()

    def end(self) -> None:
        """The process is gone, and its connections with it."""
        self.draining = self.ended = True
        self.cpu.end()
        for connection in list(self.connections):
            connection.abort()
        self.connections.clear()


def text(status: int, body: str, content_type: str = "text/plain; charset=utf-8") -> Response:
    """A response with a body of text."""
    return Response(status, [("Content-Type", content_type)], body.encode())
