"""The cluster's network: names to addresses, addresses to processes.

A Service's address leads to one of its ready endpoints, chosen at random for each connection, as
kube-proxy's iptables mode does; it is no round robin. With ``sessionAffinity: ClientIP`` an address
keeps the endpoint it was given.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Final

from tui.demo import resources
from tui.demo.dataplane.cores import Machine
from tui.demo.dataplane.costs import HOP, Cost
from tui.demo.dataplane.messages import Reply, Request
from tui.demo.dataplane.process import Process
from tui.demo.store import Event, Key, Object, Store

REFUSED: Final = "refused"
"""Nobody listens there."""
UNREACHABLE: Final = "unreachable"
"""Nothing has this address."""
_FIRST_PORT: Final = 32768
_PORTS: Final = 28232
_DOMAIN: Final = "cluster.local"
_SESSION: Final = 10800.0
_MOST_SESSIONS: Final = 10_000
_SERVICE_LABEL: Final = "kubernetes.io/service-name"

Endpoint = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Broken:
    """A connection that did not come about, and why."""

    why: str
    address: str = ""


class Connection:
    """A connection from one pod to a process in another (or its own)."""

    __slots__ = ("_hop", "_machine", "port", "process", "source")

    def __init__(
        self, process: Process, port: int, source: Endpoint, machine: Machine, hop: Cost
    ) -> None:
        self.process = process
        self.port = port
        self.source = source
        self._machine = machine
        self._hop = hop

    @property
    def usable(self) -> bool:
        """Whether the other end still takes requests on it."""
        return not self.process.draining

    def send(self, request: Request, reply: Reply) -> None:
        """Send a request; ``reply`` is called exactly once."""
        request.client = self.source

        def arrived(alive: bool) -> None:
            if self.process.ended or not alive:
                reply(None)
            else:
                self.process.handle(request, reply, self.port)

        self._machine.passing(self._hop.draw(), arrived)


class Network:
    """Who can be reached, and how.

    Args:
        store: where Services and EndpointSlices are.
        machines: the machine of a node by its name.
        rng: chooses endpoints; the same seed chooses the same.
        now: the simulated second, for sessions that end.
    """

    def __init__(
        self,
        store: Store,
        machines: Callable[[str], Machine],
        rng: Random,
        now: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self._now = now
        self._sessions: dict[tuple[Key, str, str], tuple[Endpoint, float]] = {}
        self._store = store
        self._machines = machines
        self._rng = rng
        self.hop = Cost(HOP, rng)
        """What moving a request along costs a node."""
        self._processes: dict[str, dict[int, Process]] = {}
        self._services: dict[str, Key] = {}
        self._ready: dict[Key, dict[str, list[Endpoint]]] = {}
        self._next_port = rng.randrange(_PORTS)
        self.changed: list[Callable[[Key], None]] = []
        """Called with the key of a Service whose endpoints have changed."""
        store.subscribe(resources.SERVICES.storage, self._on_service)
        store.subscribe(resources.ENDPOINT_SLICES.storage, self._on_slice)

    # -- what is there

    def _on_service(self, event: Event) -> None:
        for entry in (event.previous, event.entry):
            address = entry.spec.get("clusterIP") if entry is not None else None
            if address and address != "None":
                self._services.pop(address, None)
        address = event.entry.spec.get("clusterIP")
        if event.type != "DELETED" and address and address != "None":
            self._services[address] = event.entry.key

    def _on_slice(self, event: Event) -> None:
        service = event.entry.labels.get(_SERVICE_LABEL)
        if service:
            key = (event.entry.namespace, service)
            self._ready.pop(key, None)
            for call in self.changed:
                call(key)

    def attach(self, process: Process) -> None:
        """A process listens at its pod's address."""
        listening = self._processes.setdefault(process.place.ip, {})
        for port in process.ports:
            listening.setdefault(port, process)

    def detach(self, process: Process) -> None:
        """A process does not listen any more."""
        listening = self._processes.get(process.place.ip, {})
        for port in process.ports:
            if listening.get(port) is process:
                del listening[port]
        if not listening:
            self._processes.pop(process.place.ip, None)

    def ready(self, service: Key, port_name: str) -> list[Endpoint]:
        """The ready endpoints of a Service's port."""
        known = self._ready.get(service)
        if known is None:
            known = self._ready[service] = self._read(service)
        return known.get(port_name, [])

    def _read(self, service: Key) -> dict[str, list[Endpoint]]:
        found: dict[str, list[Endpoint]] = {}
        for entry in self._store.entries(resources.ENDPOINT_SLICES.storage, service[0]):
            if entry.labels.get(_SERVICE_LABEL) != service[1]:
                continue
            endpoints: list[Object] = entry.data.get("endpoints") or []
            for port in entry.data.get("ports") or ():
                addresses = found.setdefault(port.get("name") or "", [])
                addresses += [
                    (one["addresses"][0], port["port"])
                    for one in endpoints
                    if (one.get("conditions") or {}).get("ready") is not False
                ]
        return found

    # -- names

    def resolve(self, host: str, namespace: str) -> list[str]:
        """Addresses of a name as seen from a namespace; none if it does not exist."""
        try:
            return [str(ipaddress.IPv4Address(host))]
        except ValueError:
            pass
        host = host.rstrip(".").lower()
        if host == "localhost":
            return ["127.0.0.1"]
        parts = host.removesuffix(f".{_DOMAIN}").split(".")
        if len(parts) == 1:
            key = (namespace, parts[0])
        elif len(parts) == 2 or (len(parts) == 3 and parts[2] == "svc"):
            key = (parts[1], parts[0])
        else:
            return []
        service = self._store.get(resources.SERVICES.storage, *key)
        if service is None:
            return []
        if service.spec.get("type") == "ExternalName":
            return []  # nothing outside is reached from here
        address = service.spec.get("clusterIP", "")
        if address == "None":
            ports = service.spec.get("ports") or [{}]
            return [ip for ip, _ in self.ready(key, ports[0].get("name", ""))]
        return [address] if address else []

    # -- connections

    def dial(self, source: Process, address: str, port: int) -> Connection | Broken:
        """Connect from a process to an address inside the cluster."""
        return self.call(source.place.ip, address, port)

    def call(self, source: str, address: str, port: int) -> Connection | Broken:
        """Connect from a pod, by its address, to an address inside the cluster."""
        own = (source, self._ephemeral())
        if address == "127.0.0.1":
            address = source
        key = self._services.get(address)
        where = f"{address}:{port}"
        if key is not None:
            chosen = self._choose(key, port, source)
            if chosen is None:
                return Broken(REFUSED, where)
            address, port = chosen
        elif address not in self._processes:
            return Broken(UNREACHABLE, where)
        return self._connect(address, port, own, where)

    def accept(self, service: Key, port_name: str, client: Endpoint) -> Connection | Broken:
        """A connection from outside the cluster, at a node port."""
        chosen = self._pick(service, port_name, client[0])
        if chosen is None:
            return Broken(REFUSED)
        address, port = chosen
        # What comes in at a node port carries the node's address when it reaches the pod.
        gateway = address.rpartition(".")[0] + ".1"
        return self._connect(address, port, (gateway, client[1]), f"{address}:{port}")

    def reach(self, address: str, port: int) -> Connection | Broken:
        """A connection from a pod's own loopback, as port-forward makes it."""
        return self._connect(address, port, ("127.0.0.1", self._ephemeral()), f"{address}:{port}")

    def at(self, address: str, port: int) -> Process | None:
        """The process that listens at a pod's address."""
        return self._processes.get(address, {}).get(port)

    def _choose(self, service: Key, port: int, client: str) -> Endpoint | None:
        entry = self._store.get(resources.SERVICES.storage, *service)
        if entry is None:
            return None
        for one in entry.spec.get("ports") or ():
            if one.get("port") == port and one.get("protocol", "TCP") == "TCP":
                return self._pick(service, one.get("name") or "", client)
        return None

    def _pick(self, service: Key, port_name: str, client: str) -> Endpoint | None:
        """One of the ready endpoints: the client's own if the Service has session affinity."""
        endpoints = self.ready(service, port_name)
        if not endpoints:
            return None
        entry = self._store.get(resources.SERVICES.storage, *service)
        if entry is None or entry.spec.get("sessionAffinity") != "ClientIP":
            return self._rng.choice(endpoints)
        config = (entry.spec.get("sessionAffinityConfig") or {}).get("clientIP") or {}
        key, now = (service, port_name, client), self._now()
        kept, seen = self._sessions.get(key, (("", 0), 0.0))
        lasts = float(config.get("timeoutSeconds", _SESSION))
        if kept not in endpoints or now - seen > lasts:
            kept = self._rng.choice(endpoints)
        if len(self._sessions) >= _MOST_SESSIONS:
            self._sessions.clear()
        self._sessions[key] = (kept, now)
        return kept

    def _connect(
        self, address: str, port: int, source: Endpoint, where: str
    ) -> Connection | Broken:
        process = self.at(address, port)
        if process is None or process.draining:
            return Broken(REFUSED, where)
        machine = self._machines(process.place.node)
        return Connection(process, port, source, machine, self.hop)

    def _ephemeral(self) -> int:
        self._next_port = (self._next_port + 1) % _PORTS
        return _FIRST_PORT + self._next_port
