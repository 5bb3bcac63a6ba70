"""Which ways to a Service are worth a try, and which is taken: pure functions of rows.

Sources: https://kubernetes.io/docs/concepts/services-networking/service/ (types, externalIPs,
externalTrafficPolicy, headless, ExternalName) and KEP-1860 (``ipMode``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final
from urllib.parse import quote, urlsplit

import msgspec
from msgspec.structs import replace

from tui.cluster.distribution import Distribution, Place, expect_load_balancer, open_node_port
from tui.cluster.errors import one_line
from tui.cluster.route import Route, RouteKind, Surroundings, Unreachable
from tui.cluster.route_address import for_url, is_object_name, usable
from tui.cluster.route_ingress import IngressPath
from tui.state.rows import EndpointSliceRow, NodeRow, PodRow, ServicePort, ServiceRow

MOST_CANDIDATES: Final = 16
"""Addresses tried for one kind of way: a cluster of a thousand nodes has one NodePort."""
_HTTP_PORTS: Final = (80, 8080, 8000, 3000)
_HTTPS_PORTS: Final = (443, 8443)
_NODE_ADDRESSES: Final = ("ExternalIP", "InternalIP", "ExternalDNS")


class Candidate(msgspec.Struct, frozen=True):
    """A place to connect to, and the route it would be."""

    host: str
    port: int
    route: Route
    named: bool = False
    """Whether it may be an address of the whole internet: the user named it, or it is a node's.
    What an object says of itself, its author may have made up.
    """


class Answer(msgspec.Struct, frozen=True):
    """What came of connecting to a candidate."""

    failure: str | None = None
    """None: something listens there; else why not, in a few words."""
    peer: str = ""
    """The address that was connected to; it may be connected to again."""


class Backend(msgspec.Struct, frozen=True):
    """A ready pod and the port on which it serves."""

    namespace: str
    pod: str
    port: int


class Goal(msgspec.Struct, frozen=True):
    """A Service and the port of it that is wanted."""

    service: ServiceRow
    port: ServicePort
    place: Place
    allowed: frozenset[str] = frozenset()
    """Hosts that the user named."""

    def named(self, *hosts: str | None) -> bool:
        """Whether the user named any of the hosts: in the settings, or as the API server's."""
        return not {self.place.server, *self.allowed}.isdisjoint(h for h in hosts if h)

    @property
    def scheme(self) -> str:
        """``https`` if the port says so by appProtocol, name or number; else ``http``."""
        said = (self.port.app_protocol or self.port.name).lower()
        if said.startswith("https"):
            return "https"
        if self.port.app_protocol or said.startswith("http"):
            return "http"
        return "https" if self.port.port in _HTTPS_PORTS else "http"

    def route(
        self, kind: RouteKind, host: str, port: int, label: str, scheme: str = "", path: str = "/"
    ) -> Route:
        """A route of this goal."""
        scheme = scheme or self.scheme
        default = {"http": 80, "https": 443}[scheme] == port
        authority = for_url(host) + ("" if default else f":{port}")
        return Route(
            service=self.service.name,
            namespace=self.service.namespace,
            port=self.port.port,
            kind=kind,
            url=f"{scheme}://{authority}{path}",
            label=label,
            bypasses_service=kind is RouteKind.PORT_FORWARD,
        )


def aim(
    namespace: str, name: str, port: int | str | None, around: Surroundings, place: Place
) -> Goal | Unreachable:
    """The Service's row and port, or why it can be no target at all."""
    where = f"{namespace}/{name}"
    if not (is_object_name(namespace) and is_object_name(name)):
        return Unreachable("?", "That is no name of a Service.", "Name it as NAMESPACE/NAME.")
    if around.services is None:
        return Unreachable(
            where,
            "The cluster's Services are not known: the list has not come yet, or may not be read.",
            f"Check with `kubectl -n {namespace} auth can-i list services`.",
        )
    row = next(
        (s for s in around.services if s.name == name and s.namespace == namespace),
        None,
    )
    if row is None:
        return Unreachable(
            where,
            f"There is no Service {name} in namespace {namespace}.",
            f"See those that are there: `kubectl -n {namespace} get services`.",
        )
    if row.type == "ExternalName":
        host = usable(row.external_name, loopback=False) or "no valid name"
        return Unreachable(
            where,
            f"The Service is an alias (ExternalName) of {host}, outside this cluster.",
            "Aim at that host by its own URL, if it is yours to load.",
        )
    chosen = _port(row, port, where)
    if isinstance(chosen, Unreachable):
        return chosen
    goal = Goal(row, chosen, place)
    return _empty(goal, around) or goal


def load_balancers(goal: Goal) -> list[Candidate]:
    """The addresses that the Service's load balancer was given."""
    found = []
    for address in goal.service.ingress:
        host = usable(address, loopback=goal.place.loopback)
        if host is not None:
            label = f"load balancer {host}"
            route = goal.route(RouteKind.LOAD_BALANCER, host, goal.port.port, label)
            found.append(Candidate(host, goal.port.port, route, goal.named(host)))
    return found[:MOST_CANDIDATES]


def node_ports(goal: Goal, around: Surroundings) -> list[Candidate]:
    """The NodePort on the nodes' addresses, those first that are likeliest to answer."""
    number = goal.port.node_port
    if not 0 < number < 65536:
        return []
    found: dict[str, str] = {}
    if goal.place.distribution is not Distribution.EMBEDDED:
        for node in _nodes(goal, around):
            for host in _addresses(node, goal.place.loopback):
                found.setdefault(host, f"NodePort {number} on {one_line(node.name, 60)}")
        if around.nodes is None and goal.place.server:
            # In a small cluster the API server's machine is a node.
            found[goal.place.server] = f"NodePort {number} on the API server's machine"
    # Last, for something else of this machine may listen there.
    if goal.place.publishes:
        found.setdefault("127.0.0.1", f"NodePort {number} on this machine")
    names = list(found)
    if len(names) > MOST_CANDIDATES:
        names = names[: MOST_CANDIDATES - 1] + names[-1:]
    return [
        Candidate(host, number, goal.route(RouteKind.NODE_PORT, host, number, found[host]), True)
        for host in names
    ]


def ingresses(goal: Goal, paths: Iterable[IngressPath]) -> list[Candidate]:
    """The Ingress rules that lead to the Service's port."""
    found = []
    for path in paths:
        if path.service != goal.service.name or path.port not in (goal.port.port, goal.port.name):
            continue
        rule = usable(path.host) if path.host else None
        if path.host and rule is None:
            continue
        for address in path.addresses or ((rule,) if rule else ()):
            host = usable(address, loopback=goal.place.loopback)
            if host is None:
                continue
            # By address a certificate could not be checked: TLS goes by the name.
            if path.tls and rule is not None:
                host = rule
            scheme, port = ("https", 443) if path.tls else ("http", 80)
            label = f"Ingress {one_line(path.name, 60)} ({rule or host})"
            where = quote(path.path, safe="/-._~!$&'()*+,;=:@")
            route = goal.route(RouteKind.INGRESS, host, port, label, scheme, where)
            if rule is not None and rule != host:
                route = replace(route, host_header=rule)
            found.append(Candidate(host, port, route, goal.named(host, rule)))
    return found[:MOST_CANDIDATES]


def choose(candidates: Sequence[Candidate], answers: Sequence[Answer]) -> Route | None:
    """The route of the first that answered.

    A name was looked up to connect to it. Whoever answers for the name could say something else
    the next time, so the route keeps the address, and the name as its Host; with TLS, whose
    certificates go by names, the address stands beside the URL.

    Args:
        candidates: in the order of preference.
        answers: beside each.
    """
    for candidate, answer in zip(candidates, answers, strict=True):
        if answer.failure is None:
            route = candidate.route
            if not answer.peer or answer.peer == candidate.host:
                return route
            if route.url.startswith("https:"):
                return replace(route, address=answer.peer)
            parts = urlsplit(route.url)
            port = f":{parts.port}" if parts.port else ""
            pinned = parts._replace(netloc=for_url(answer.peer) + port).geturl()
            return replace(route, url=pinned, host_header=route.host_header or parts.netloc)
    return None


def backends(goal: Goal, around: Surroundings) -> list[Backend]:
    """The ready pods behind the Service, with the port each serves on. Sorted, no pod twice."""
    found: dict[str, int] = {}
    if around.slices is not None:
        for piece in _slices(goal.service, around.slices):
            port = _slice_port(piece, goal.port)
            if port:
                for pod in piece.ready:
                    if is_object_name(pod):
                        found.setdefault(pod, port)
    elif around.pods is not None and goal.port.target.isdigit():
        for row in _selected(goal.service, around.pods):
            if row.ready and row.deleting is None and is_object_name(row.name):
                found[row.name] = int(goal.port.target)
    return [Backend(goal.service.namespace, pod, port) for pod, port in sorted(found.items())]


def missing(goal: Goal, around: Surroundings) -> str:
    """Which better way than a port-forward could be had, and how; for a route's hint."""
    service, place = goal.service, goal.place
    if service.type == "LoadBalancer" and not service.ingress:
        return f"The load balancer has no address yet. {expect_load_balancer(place)}"
    if service.cluster_ip == "None":
        return "The Service is headless: it has no address of its own to come in by."
    if goal.port.node_port and not around.nodes and not place.publishes:
        return (
            f"The Service has NodePort {goal.port.node_port}, but the addresses of the nodes may "
            "not be read: ask for the right to list nodes."
        )
    return open_node_port(place, service.namespace, service.name, goal.port.node_port)


def _port(row: ServiceRow, asked: int | str | None, where: str) -> ServicePort | Unreachable:
    ports = [p for p in row.ports if 0 < p.port < 65536]
    listed = one_line(
        ", ".join(f"{p.name + ' ' if p.name else ''}{p.port}/{p.protocol}" for p in ports)
    )
    if not ports:
        return Unreachable(where, "The Service has no ports.", "Give it one in spec.ports.")
    if asked is not None:
        wanted = [p for p in ports if asked in (p.port, p.name) or str(asked) == str(p.port)]
        if not wanted:
            return Unreachable(
                where, f"The Service has no port {asked}.", f"It has these: {listed}."
            )
    else:
        wanted = ports
    usable_ports = [p for p in wanted if p.protocol == "TCP"]
    if not usable_ports:
        protocol = one_line(wanted[0].protocol, 20)
        return Unreachable(
            where,
            f"Port {wanted[0].port} is {protocol}, and HTTP needs TCP."
            if len(wanted) == 1
            else f"The Service has no TCP port ({listed}), and HTTP needs TCP.",
            "Choose a Service, or a port of it, that speaks HTTP over TCP.",
        )
    return min(usable_ports, key=_likeness)


def _likeness(port: ServicePort) -> tuple[bool, bool, int]:
    """Sorts ports by how much they look like HTTP; equals keep their order."""
    name = (port.app_protocol or port.name).lower()
    numbers = (*_HTTP_PORTS, *_HTTPS_PORTS)
    rank = numbers.index(port.port) if port.port in numbers else len(numbers)
    return (not name.startswith(("http", "web")), rank == len(numbers), rank)


def _empty(goal: Goal, around: Surroundings) -> Unreachable | None:
    """Whether nothing could answer, however the Service is reached."""
    service = goal.service
    if around.slices is None:
        return None
    pieces = _slices(service, around.slices)
    if any(piece.ready or piece.others for piece in pieces):
        return None
    where = f"{service.namespace}/{service.name}"
    waiting = sum(len(piece.not_ready) for piece in pieces)
    if waiting:
        return Unreachable(
            where,
            f"No pod behind the Service is ready ({waiting} not ready).",
            f"See why: `kubectl -n {service.namespace} describe pods`, under Events.",
        )
    if not service.selector:
        return Unreachable(
            where,
            "The Service has no selector and no endpoints.",
            "Give it a selector, or an EndpointSlice with addresses.",
        )
    terms = one_line(",".join(f"{key}={value}" for key, value in service.selector))
    return Unreachable(
        where,
        f"No pod has the labels that the Service selects ({terms}).",
        "Compare the Service's selector with the labels of the pods: "
        f"`kubectl -n {service.namespace} get pods --show-labels`.",
    )


def _slices(service: ServiceRow, slices: Iterable[EndpointSliceRow]) -> list[EndpointSliceRow]:
    return [s for s in slices if s.service == service.name and s.namespace == service.namespace]


def _slice_port(piece: EndpointSliceRow, port: ServicePort) -> int:
    """The pods' port for a Service's port: they have the same name."""
    return next((n for name, n, proto in piece.ports if name == port.name and proto == "TCP"), 0)


def _selected(service: ServiceRow, pods: Iterable[PodRow]) -> list[PodRow]:
    terms = set(service.selector)
    return [p for p in pods if terms and p.namespace == service.namespace and terms <= {*p.labels}]


def _nodes(goal: Goal, around: Surroundings) -> list[NodeRow]:
    """Ready ones first; with ``externalTrafficPolicy: Local`` only those that have a pod."""
    rows = list(around.nodes or ())
    if goal.service.local_only and around.slices is not None:
        holding = {n for piece in _slices(goal.service, around.slices) for n in piece.nodes}
        rows = [node for node in rows if node.name in holding]
    return sorted(rows, key=lambda node: (node.ready != "True", node.name))


def _addresses(node: NodeRow, loopback: bool) -> list[str]:
    found = []
    for kind in _NODE_ADDRESSES:
        for type_, text in node.addresses:
            host = usable(text, loopback=loopback) if type_ == kind else None
            if host is not None:
                found.append(host)
    return found
