"""Node ports: sockets on 127.0.0.1 that come and go with their Services.

A port without a ready endpoint is held but does not listen, so that connections are refused as
kube-proxy has them refused. A port that another program has is exchanged for the next free one,
and the Service's own ``nodePort`` is changed to it: the objects say the truth.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import socket
import sys
from dataclasses import dataclass, field
from typing import Final

from tui.demo import resources
from tui.demo.api.allocation import NODE_PORTS
from tui.demo.api.errors import ApiError
from tui.demo.api.operations import Api, Writer
from tui.demo.dataplane.http import Server
from tui.demo.dataplane.network import Broken, Connection, Endpoint, Network
from tui.demo.store import Entry, Event, Key, Object

HOST: Final = "127.0.0.1"
LISTENS: Final = "kscale.dev/listens"
"""Annotation of a Service whose node port is reached at another port than it says."""
_BACKLOG: Final = 512
_MOST_CONNECTIONS: Final = 4096
_EMBEDDED: Final = Writer("kscale-dataplane")

_Name = tuple[Key, str]
"""A Service and the name of its port."""


@dataclass(slots=True)
class _Port:
    asked: int
    held: socket.socket | None
    number: int
    server: asyncio.Server | None = None
    open: set[Server] = field(default_factory=set)


class NodePorts:
    """Listens where Services of type NodePort say.

    Args:
        api: where Services are, and where a port that had to change is told.
        network: who takes the connections.
        any_port: listen on whatever port is free, and tell by the annotation `LISTENS`; for
            running several clusters at once.
    """

    def __init__(self, api: Api, network: Network, *, any_port: bool = False) -> None:
        self._api = api
        self._network = network
        self._any_port = any_port
        self.served = 0
        """Requests that have come in so far."""
        self._ports: dict[_Name, _Port] = {}
        self._changed = asyncio.Event()
        self._working = False
        self._task: asyncio.Task[None] | None = None

    def number(self, namespace: str, service: str, port_name: str = "") -> int | None:
        """The port on 127.0.0.1 that leads to a Service's port; None if none is held."""
        found = self._ports.get(((namespace, service), port_name))
        return found.number if found else None

    @property
    def settled(self) -> bool:
        """Whether the sockets are as the Services and their endpoints want them."""
        return not self._changed.is_set() and not self._working

    def listening(self, namespace: str, service: str, port_name: str = "") -> bool:
        """Whether connections to a Service's port are taken now."""
        found = self._ports.get(((namespace, service), port_name))
        return found is not None and found.server is not None

    async def open(self) -> None:
        """Listen where there is something to listen for, and follow the Services from here on."""
        self._api.store.subscribe(resources.SERVICES.storage, self._on_service)
        self._network.changed.append(lambda key: self._changed.set())
        await self._reconcile()
        self._task = asyncio.get_running_loop().create_task(self._follow())

    async def close(self) -> None:
        """Give all ports back and reset what is connected."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        for port in self._ports.values():
            self._shut(port)
        self._ports.clear()

    def _on_service(self, event: Event) -> None:
        self._changed.set()

    async def _follow(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            self._working = True
            try:
                await self._reconcile()
            except (OSError, ApiError) as problem:
                sys.stderr.write(f"node ports: {problem}; will try again at the next change\n")
            finally:
                self._working = False

    async def _reconcile(self) -> None:
        wanted = self._wanted()
        for name in [name for name in self._ports if name not in wanted]:
            self._shut(self._ports.pop(name))
        for name, asked in wanted.items():
            port = self._ports.get(name)
            if port is not None and asked not in (port.asked, port.number):
                self._shut(self._ports.pop(name))
                port = None
            if port is None:
                port = self._ports[name] = self._hold(asked)
                self._tell(name, port)
            await self._match(name, port)

    def _count(self) -> None:
        self.served += 1

    def _wanted(self) -> dict[_Name, int]:
        found: dict[_Name, int] = {}
        for entry in self._api.store.entries(resources.SERVICES.storage):
            if entry.spec.get("type") not in ("NodePort", "LoadBalancer") or entry.deleting:
                continue
            for port in entry.spec.get("ports") or ():
                if port.get("nodePort") and port.get("protocol", "TCP") == "TCP":
                    found[(entry.key, port.get("name") or "")] = port["nodePort"]
        return found

    # -- sockets

    def _hold(self, asked: int) -> _Port:
        if self._any_port:
            held = _bound(0)
            return _Port(asked, held, held.getsockname()[1])
        taken = {
            port.get("nodePort")
            for entry in self._api.store.entries(resources.SERVICES.storage)
            for port in entry.spec.get("ports") or ()
        } | {port.number for port in self._ports.values()}
        start = asked - NODE_PORTS[0]
        for step in range(len(NODE_PORTS)):
            number = NODE_PORTS[(start + step) % len(NODE_PORTS)]
            if step and number in taken:
                continue
            try:
                return _Port(asked, _bound(number), number)
            except OSError as problem:
                if problem.errno not in (errno.EADDRINUSE, errno.EACCES):
                    raise
        raise OSError(errno.EADDRINUSE, "no port from 30000 to 32767 is free on 127.0.0.1")

    async def _match(self, name: _Name, port: _Port) -> None:
        """Listen if somebody would answer, refuse if not."""
        service, port_name = name
        if self._network.ready(service, port_name):
            if port.server is None and port.held is not None:
                loop = asyncio.get_running_loop()

                def accept(client: Endpoint) -> Connection | Broken:
                    return self._network.accept(service, port_name, client)

                def serve() -> asyncio.BaseProtocol:
                    return Server(accept, port.open, self._count)

                try:
                    port.server = await loop.create_server(serve, sock=port.held, backlog=_BACKLOG)
                except OSError as problem:
                    if problem.errno != errno.EADDRINUSE:
                        raise
                    # Another held it too, and was the first to listen.
                    port.held.close()
                    moved = self._hold(port.number + 1)
                    port.held, port.number = moved.held, moved.number
                    self._tell(name, port)
                    self._changed.set()
                    return
                port.held = None
        elif port.server is not None:
            port.server.close()
            port.server = None
            with contextlib.suppress(OSError):
                port.held = _bound(port.number)

    @staticmethod
    def _shut(port: _Port) -> None:
        if port.server is not None:
            port.server.close()
        if port.held is not None:
            port.held.close()
        for connection in list(port.open):
            connection.abort()

    # -- telling

    def _tell(self, name: _Name, port: _Port) -> None:
        """Have the Service say where it is reached, if that is elsewhere than it says."""
        if port.number == port.asked:
            return
        (namespace, service), port_name = name
        entry: Entry | None = self._api.store.get(resources.SERVICES.storage, namespace, service)
        if entry is None:
            return

        def alter(data: Object) -> None:
            if self._any_port:
                notes = data["metadata"].setdefault("annotations", {})
                said = dict(
                    word.partition("=")[::2] for word in notes.get(LISTENS, "").split() if word
                )
                said[port_name or str(port.asked)] = f"{HOST}:{port.number}"
                notes[LISTENS] = " ".join(f"{key}={value}" for key, value in said.items())
                return
            for one in data["spec"]["ports"]:
                if (one.get("name") or "") == port_name:
                    one["nodePort"] = port.number

        self._api.change(resources.SERVICES, entry, alter, _EMBEDDED)


def _bound(number: int) -> socket.socket:
    """A socket that has the port and does not listen yet.

    Raises:
        OSError: somebody else has it.
    """
    held = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        if os.name == "posix":
            # Connections of a moment ago must not keep the port from us.
            held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.setblocking(False)
        held.bind((HOST, number))
    except OSError:
        held.close()
        raise
    return held
