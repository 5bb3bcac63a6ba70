"""Finds the way to a Service: asks the network in turn, and remembers what it found.

In turn: the load balancer's address, the NodePort on each node, an Ingress, and last a
port-forward. What is worth a try is decided in :mod:`tui.cluster.route_plan`; what the network
says comes in by :class:`Network`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Final, Protocol

import msgspec
from msgspec.structs import replace

from tui.cluster import route_ingress, route_knock, route_plan
from tui.cluster.access import ClusterConfig
from tui.cluster.distribution import Place, recognise
from tui.cluster.errors import ApiError, Fault, one_line
from tui.cluster.forward import HOST, MOST_CONNECTIONS, Forwards, Tally
from tui.cluster.halt import Halt
from tui.cluster.route import Found, Route, RouteKind, Surroundings, Unreachable
from tui.cluster.route_ingress import IngressPath
from tui.cluster.route_plan import Answer, Backend, Candidate, Goal
from tui.cluster.transport import Transport

KEEP_ROUTE: Final = 60.0
"""Seconds for which a route is used without being tried again, unless it fails."""
KEEP_FAILURE: Final = 5.0
_BACKENDS_FOR: Final = 0.2
"""Seconds for which a list of ready pods is used."""
_PODS_CHECKED: Final = 3
_OF_ONE_POD: Final = (Fault.NOT_FOUND, Fault.SERVER, Fault.UNAVAILABLE, Fault.BROKEN)
"""What may fail for one pod, or its node, and not for another."""
_OF_THE_SERVER: Final = (Fault.DNS, Fault.TIMEOUT, Fault.TLS, Fault.PROXY, Fault.REFUSED)
_INGRESSES: Final = "Ingresses:"

_Key = tuple[str, str, int | str | None]


class Network(Protocol):
    """What a finder asks of the world."""

    def reach(self, candidates: Sequence[Candidate], loopback: bool) -> list[Answer]:
        """Whether something listens, beside each candidate."""

    def ingresses(self, namespace: str) -> list[IngressPath]:
        """The Ingress paths of a namespace; none where they are absent or forbidden.

        Raises:
            ApiError: the server cannot be asked.
        """

    def check(self, backend: Backend) -> None:
        """Whether a pod can be forwarded to.

        Raises:
            ApiError: why not.
        """

    def forward(self, key: object, backends: Callable[[], Sequence[Backend]]) -> int:
        """The local port of a port-forward.

        Raises:
            ApiError: there is none.
        """

    def tally(self, key: object) -> Tally | None:
        """What went through a port-forward."""

    def close(self) -> bool:
        """End everything within a second; True if it has."""


class RealNetwork:
    """The network as it is, by way of a transport."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._halt = Halt()
        self._forwards = Forwards(transport)

    def reach(self, candidates: Sequence[Candidate], loopback: bool) -> list[Answer]:
        """Connects to all at once."""
        return route_knock.reach(candidates, loopback=loopback, halt=self._halt)

    def ingresses(self, namespace: str) -> list[IngressPath]:
        """Asks the API."""
        return route_ingress.fetch(self._transport, namespace, self._halt)

    def check(self, backend: Backend) -> None:
        """Opens a stream and closes it."""
        self._forwards.check(backend)

    def forward(self, key: object, backends: Callable[[], Sequence[Backend]]) -> int:
        """Listens on 127.0.0.1."""
        return self._forwards.open(key, backends)

    def tally(self, key: object) -> Tally | None:
        """Of the listener with that key."""
        return self._forwards.tally(key)

    def close(self) -> bool:
        """Stops what waits, and the forwards."""
        self._halt.stop()
        return self._forwards.close()


class _Memory(msgspec.Struct, frozen=True):
    found: Found
    at: float
    service: object
    """The Service's row at that time."""


class RouteFinder:
    """Ways to the Services of one cluster. Safe from any thread; see :class:`Routes`.

    Args:
        config: of the cluster; tells the distribution if nodes may not be listed.
        around: the rows as they are now; quick, and safe from any thread.
        network: what is asked; :class:`RealNetwork` of the session's transport.
        clock: seconds, steady.
        allowed: hosts that the user named; of public addresses, no others are connected to.
    """

    def __init__(
        self,
        config: ClusterConfig,
        around: Callable[[], Surroundings],
        network: Network,
        clock: Callable[[], float] = time.monotonic,
        allowed: Iterable[str] = (),
    ) -> None:
        self._config = config
        self._around = around
        self._network = network
        self._clock = clock
        self._allowed = frozenset(host.strip().strip("[]").rstrip(".").lower() for host in allowed)
        self._lock = threading.Lock()
        self._busy: dict[_Key, threading.Lock] = {}
        self._memories: dict[_Key, _Memory] = {}
        self._closed = False

    @property
    def place(self) -> Place:
        """What kind of cluster it is."""
        return recognise(self._around().nodes, self._config)

    def find(
        self, namespace: str, service: str, port: int | str | None = None, *, fresh: bool = False
    ) -> Found:
        """See :meth:`Routes.find`."""
        key = (namespace, service, port)
        with self._lock:
            busy = self._busy.setdefault(key, threading.Lock())
        with busy:
            around = self._around()
            place = recognise(around.nodes, self._config)
            goal = route_plan.aim(namespace, service, port, around, place)
            if isinstance(goal, Unreachable):
                return self._remember(key, goal, None)
            goal = replace(goal, allowed=self._allowed)
            memory = self._memories.get(key)
            if memory is not None and not fresh and self._lasts(memory, goal):
                return memory.found
            return self._remember(key, self._search(key, goal, around), goal.service)

    def known(self, namespace: str, service: str, port: int | str | None = None) -> Found | None:
        """See :meth:`Routes.known`."""
        memory = self._memories.get((namespace, service, port))
        return memory.found if memory is not None else None

    def age(self, namespace: str, service: str, port: int | str | None = None) -> float | None:
        """See :meth:`Routes.age`."""
        memory = self._memories.get((namespace, service, port))
        return max(0.0, self._clock() - memory.at) if memory is not None else None

    def failed(self, route: Route) -> None:
        """See :meth:`Routes.failed`."""
        with self._lock:
            for key in [k for k, memory in self._memories.items() if memory.found == route]:
                del self._memories[key]

    def forwarded(self, route: Route) -> Tally | None:
        """What went through the port-forward of a route; None if it is no such route."""
        if route.kind is not RouteKind.PORT_FORWARD:
            return None
        return self._network.tally((route.namespace, route.service, route.port))

    def close(self) -> bool:
        """See :meth:`Routes.close`."""
        self._closed = True
        return self._network.close()

    def _lasts(self, memory: _Memory, goal: Goal) -> bool:
        keep = KEEP_ROUTE if isinstance(memory.found, Route) else KEEP_FAILURE
        return memory.service == goal.service and self._clock() - memory.at < keep

    def _remember(self, key: _Key, found: Found, service: object) -> Found:
        with self._lock:
            self._memories[key] = _Memory(found, self._clock(), service)
        return found

    def _search(self, key: _Key, goal: Goal, around: Surroundings) -> Found:
        """Each kind of way in turn, until one answers."""
        tried: list[str] = []
        direct = [*route_plan.load_balancers(goal), *route_plan.node_ports(goal, around)]
        route = self._knock(direct, goal, tried)
        if route is None:
            route = self._knock(route_plan.ingresses(goal, self._paths(goal, tried)), goal, tried)
        return route or self._forward(goal, around, tried)

    def _knock(self, candidates: list[Candidate], goal: Goal, tried: list[str]) -> Route | None:
        if not candidates or self._closed:
            return None
        answers = self._network.reach(candidates, goal.place.loopback)
        for candidate, answer in zip(candidates, answers, strict=True):
            if answer.failure is not None:
                where = f"{candidate.route.label} (port {candidate.port})"
                tried.append(f"{where}: {answer.failure}")
                if route_knock.PUBLIC in answer.failure:
                    tried[-1] += f": --allow-host {candidate.host}, or allow-hosts in the settings"
        return route_plan.choose(candidates, answers)

    def _paths(self, goal: Goal, tried: list[str]) -> list[IngressPath]:
        try:
            return self._network.ingresses(goal.service.namespace)
        except ApiError as error:
            tried.append(f"{_INGRESSES} {error.message}")
            return []

    def _forward(self, goal: Goal, around: Surroundings, tried: list[str]) -> Found:
        service = goal.service
        where = f"{service.namespace}/{service.name}"
        public = next((line for line in tried if route_knock.PUBLIC in line), "")
        better = f"{public}." if public else route_plan.missing(goal, around)
        pods = route_plan.backends(goal, around)
        if not pods:
            reason = "No ready pod is known that ports could be forwarded to."
            return Unreachable(where, f"{_outside(goal, tried)} {reason}", better, tuple(tried))
        try:
            self._check(pods[:_PODS_CHECKED])
            key = (service.namespace, service.name, goal.port.port)
            local = self._network.forward(key, self._ready(goal))
        except ApiError as error:
            reason = f"{_outside(goal, tried)} {error.message}"
            tried.append(f"port-forward: {error.message}")
            if error.kind in _OF_THE_SERVER:
                better = "Check the connection to the API server; what is shown may be old."
            return Unreachable(where, reason, better, tuple(tried))
        # Not to how many: it follows the pods, and the route may be in use for minutes.
        label = "port-forward to its pods, past the Service"
        return replace(
            goal.route(RouteKind.PORT_FORWARD, HOST, local, label),
            hint=better,
            most_connections=MOST_CONNECTIONS,
        )

    def _check(self, pods: Sequence[Backend]) -> None:
        """One pod that answers is enough.

        Raises:
            ApiError: of the last, if none does.
        """
        for number, pod in enumerate(pods, 1):
            try:
                return self._network.check(pod)
            except ApiError as error:
                if error.kind not in _OF_ONE_POD or number == len(pods):
                    raise

    def _ready(self, goal: Goal) -> Callable[[], Sequence[Backend]]:
        """The ready pods as they are at each call, reckoned anew a few times a second at most."""
        known: tuple[float, list[Backend]] = (float("-inf"), [])

        def now() -> Sequence[Backend]:
            nonlocal known
            if self._clock() - known[0] > _BACKENDS_FOR:
                known = (self._clock(), route_plan.backends(goal, self._around()))
            return known[1]

        return now


def _outside(goal: Goal, tried: Sequence[str]) -> str:
    """What came of the Service's own addresses, as a sentence."""
    if any(not line.startswith(_INGRESSES) for line in tried):
        return "Nothing answers at the Service's addresses."
    kind = one_line(goal.service.type, 20)
    return f"The Service ({kind}) has no address outside the cluster."
