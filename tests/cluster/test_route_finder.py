"""Finding and remembering routes: with a network that says what it is told to, and real ones."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.cluster.forwarding import Cluster, answering
from tests.cluster.server import Server, eventually, stall, status
from tui.cluster.access import ClusterConfig
from tui.cluster.embedded import Embedded
from tui.cluster.errors import ApiError, Fault
from tui.cluster.forward import MOST_CONNECTIONS, Tally
from tui.cluster.probe import probe
from tui.cluster.route import Found, Route, RouteKind, Routes, Surroundings, Unreachable
from tui.cluster.route_finder import KEEP_FAILURE, KEEP_ROUTE, RealNetwork, RouteFinder
from tui.cluster.route_ingress import IngressPath
from tui.cluster.route_plan import Answer, Backend, Candidate
from tui.cluster.route_session import open_routes
from tui.cluster.transport import Transport
from tui.state.links import Health
from tui.state.rows import EndpointSliceRow, Kind, NodeRow, ServicePort, ServiceRow
from tui.state.store import Store

CONFIG = ClusterConfig("https://cluster.example:6443")
SERVICE = ServiceRow(
    uid="s",
    name="web",
    namespace="shop",
    type="LoadBalancer",
    ports=(ServicePort(80, "http", 30080, target="8080"),),
    selector=(("app", "web"),),
    ingress=("192.0.2.1",),
)
CLUSTER_IP = ServiceRow(
    uid="s", name="web", namespace="shop", ports=(ServicePort(80, "http", target="8080"),)
)
SLICE = EndpointSliceRow(
    uid="e",
    name="web-1",
    namespace="shop",
    service="web",
    ready=("a", "b"),
    ports=(("http", 8080, "TCP"),),
)
NODE = NodeRow(uid="n", name="n", addresses=(("InternalIP", "10.0.0.1"),), ready="True")
INGRESS = IngressPath("front", "app.example", "/", "web", 80, False, ("192.0.2.9",))


@dataclass
class Told:
    """A network of our own making."""

    open: set[str] = field(default_factory=set)
    """Hosts that answer."""
    paths: list[IngressPath] = field(default_factory=list)
    problem: ApiError | None = None
    """Of the Ingresses and of every pod."""
    local: int = 41000
    asked: list[str] = field(default_factory=list)
    backends: Callable[[], Sequence[Backend]] = tuple
    closed: bool = False

    def reach(self, candidates: Sequence[Candidate], loopback: bool) -> list[Answer]:
        self.asked += [f"{c.host}:{c.port}" for c in candidates]
        return [Answer(None if c.host in self.open else "refused") for c in candidates]

    def ingresses(self, namespace: str) -> list[IngressPath]:
        self.asked.append(f"ingresses of {namespace}")
        if self.problem is not None and self.problem.kind is not Fault.FORBIDDEN:
            raise self.problem
        return self.paths

    def check(self, backend: Backend) -> None:
        self.asked.append(f"{backend.pod}:{backend.port}")
        if self.problem is not None:
            raise self.problem

    def forward(self, key: object, backends: Callable[[], Sequence[Backend]]) -> int:
        self.backends = backends
        return self.local

    def tally(self, key: object) -> Tally | None:
        return Tally(accepted=3) if key == ("shop", "web", 80) else None

    def close(self) -> bool:
        self.closed = True
        return True


class World:
    """Rows, a network and a clock, with a finder on top."""

    def __init__(self, **network: Any) -> None:
        self.rows = Surroundings((SERVICE,), (SLICE,), (NODE,), ())
        self.network = Told(**network)
        self.now = 100.0
        self.finder = RouteFinder(CONFIG, lambda: self.rows, self.network, lambda: self.now)

    def find(self, **options: Any) -> Found:
        return self.finder.find("shop", "web", **options)

    def asked(self) -> list[str]:
        asked, self.network.asked = self.network.asked, []
        return asked


def test_the_load_balancer_comes_first() -> None:
    world = World(open={"192.0.2.1", "10.0.0.1"})
    found = world.find()
    assert isinstance(found, Route)
    assert (found.kind, found.url) == (RouteKind.LOAD_BALANCER, "http://192.0.2.1/")
    assert world.asked() == ["192.0.2.1:80", "10.0.0.1:30080"]


def test_then_a_node_port() -> None:
    found = World(open={"10.0.0.1"}).find()
    assert isinstance(found, Route)
    assert (found.kind, found.url) == (RouteKind.NODE_PORT, "http://10.0.0.1:30080/")


def test_then_an_ingress() -> None:
    found = World(open={"192.0.2.9"}, paths=[INGRESS]).find()
    assert isinstance(found, Route)
    assert (found.kind, found.host_header) == (RouteKind.INGRESS, "app.example")


def test_then_a_port_forward() -> None:
    world = World(paths=[INGRESS])
    found = world.find()
    assert isinstance(found, Route)
    assert (found.kind, found.url) == (RouteKind.PORT_FORWARD, "http://127.0.0.1:41000/")
    assert found.bypasses_service
    assert found.most_connections == MOST_CONNECTIONS
    assert found.label == "port-forward to its pods, past the Service"
    assert "firewall" in found.hint
    assert world.asked()[-3:] == ["ingresses of shop", "192.0.2.9:80", "a:8080"]
    assert [b.pod for b in world.network.backends()] == ["a", "b"]
    tally = world.finder.forwarded(found)
    assert tally is not None
    assert tally.accepted == 3


def test_the_pods_of_a_forward_are_followed() -> None:
    world = World()
    world.find()
    ready = world.network.backends
    assert [b.pod for b in ready()] == ["a", "b"]
    fewer = EndpointSliceRow(
        uid="e", name="web-1", namespace="shop", service="web", ready=("b",), ports=SLICE.ports
    )
    world.rows = Surroundings((SERVICE,), (fewer,), (NODE,), ())
    world.now += 1.0
    assert [b.pod for b in ready()] == ["b"]


@pytest.mark.parametrize(
    ("kind", "asked"), [(Fault.FORBIDDEN, ["a:8080"]), (Fault.UNAVAILABLE, ["a:8080", "b:8080"])]
)
def test_and_last_in_words_why_not(kind: Fault, asked: list[str]) -> None:
    world = World(problem=ApiError(kind, "May not."))
    found = world.find()
    assert isinstance(found, Unreachable)
    assert found.reason == "Nothing answers at the Service's addresses. May not."
    assert "30080" in found.next_step
    assert found.tried[:2] == (
        "load balancer 192.0.2.1 (port 80): refused",
        "NodePort 30080 on n (port 30080): refused",
    )
    assert found.tried[-1] == "port-forward: May not."
    assert [a for a in world.asked() if a.startswith(("a:", "b:"))] == asked


def test_an_api_server_that_is_away_is_not_blamed_on_the_service() -> None:
    world = World(problem=ApiError(Fault.REFUSED, "Nobody listens."))
    world.rows = Surroundings((CLUSTER_IP,), (SLICE,), (NODE,), ())
    found = world.find()
    assert isinstance(found, Unreachable)
    assert found.reason == (
        "The Service (ClusterIP) has no address outside the cluster. Nobody listens."
    )
    assert found.next_step.startswith("Check the connection to the API server")
    assert found.tried == ("Ingresses: Nobody listens.", "port-forward: Nobody listens.")


def test_a_route_is_remembered_with_its_age() -> None:
    world = World(open={"10.0.0.1"})
    assert world.finder.known("shop", "web") is None
    assert world.finder.age("shop", "web") is None
    found = world.find()
    world.asked()
    world.now += KEEP_ROUTE - 1
    assert world.find() is found
    assert world.finder.known("shop", "web") is found
    assert world.finder.age("shop", "web") == KEEP_ROUTE - 1
    assert world.asked() == []
    world.now += 2
    world.find()
    assert world.asked() != []
    assert world.finder.age("shop", "web") == 0.0


def test_a_route_that_failed_is_tried_again() -> None:
    world = World(open={"10.0.0.1", "192.0.2.1"})
    first = world.find()
    assert isinstance(first, Route)
    world.network.open = {"10.0.0.1"}
    assert world.find() is first
    world.finder.failed(first)
    second = world.find()
    assert isinstance(second, Route)
    assert second.kind is RouteKind.NODE_PORT
    assert isinstance(world.find(fresh=True), Route)


def test_a_failure_is_not_remembered_for_long() -> None:
    world = World(problem=ApiError(Fault.UNAVAILABLE, "x"))
    assert isinstance(world.find(), Unreachable)
    world.network.open = {"10.0.0.1"}
    assert isinstance(world.find(), Unreachable)
    world.now += KEEP_FAILURE + 1
    assert isinstance(world.find(), Route)


def test_a_service_that_changed_is_looked_at_anew() -> None:
    world = World(open={"192.0.2.1", "192.0.2.2"})
    world.find()
    moved = ServiceRow(
        uid="s",
        name="web",
        namespace="shop",
        type="LoadBalancer",
        ports=SERVICE.ports,
        ingress=("192.0.2.2",),
    )
    world.rows = Surroundings((moved,), (SLICE,), (NODE,), ())
    found = world.find()
    assert isinstance(found, Route)
    assert found.host == "192.0.2.2"
    world.rows = Surroundings((), (SLICE,), (NODE,), ())
    assert isinstance(world.find(), Unreachable)


def test_a_service_that_nothing_could_reach_costs_no_network() -> None:
    world = World()
    world.rows = Surroundings((SERVICE,), (), (NODE,), ())
    found = world.find()
    assert isinstance(found, Unreachable)
    assert "No pod has the labels" in found.reason
    assert world.asked() == []


def test_only_addresses_of_the_cluster_are_ever_asked() -> None:
    hostile = ServiceRow(
        uid="s",
        name="web",
        namespace="shop",
        type="LoadBalancer",
        ports=SERVICE.ports,
        ingress=("169.254.169.254", "127.0.0.1", "localhost", "2130706433", "x/../y"),
        external_name="evil.example",
    )
    node = NodeRow(
        uid="n",
        name="n",
        addresses=(("InternalIP", "127.0.0.1"), ("ExternalIP", "0.0.0.0"), ("Hostname", "evil")),
    )
    world = World(problem=ApiError(Fault.UNAVAILABLE, "x"))
    world.rows = Surroundings((hostile,), (SLICE,), (node,), ())
    world.find()
    assert world.asked() == ["ingresses of shop", "a:8080", "b:8080"]


def test_one_search_for_all_who_ask_at_once() -> None:
    entered, release = threading.Event(), threading.Event()

    class Slow(Told):
        def reach(self, candidates: Sequence[Candidate], loopback: bool) -> list[Answer]:
            entered.set()
            release.wait(5)
            return super().reach(candidates, loopback)

    world = World()
    world.network = Slow(open={"10.0.0.1"})
    world.finder = RouteFinder(CONFIG, lambda: world.rows, world.network, lambda: world.now)
    results: list[Found] = []
    threads = [threading.Thread(target=lambda: results.append(world.find())) for _ in range(4)]
    for thread in threads:
        thread.start()
    assert entered.wait(5)
    release.set()
    for thread in threads:
        thread.join(5)
    assert len(results) == 4
    assert all(found is results[0] for found in results)
    assert len(world.asked()) == 2


def test_closing() -> None:
    world = World()
    assert world.finder.close()
    assert world.network.closed


def test_what_the_store_shows() -> None:
    store = Store()
    unknown = Surroundings.of(store.drain())
    assert unknown == Surroundings()
    store.put(Kind.SERVICES, [SERVICE])
    store.link(Kind.NODES, Health.LIVE)
    store.link(Kind.PODS, Health.FORBIDDEN)
    store.link(Kind.ENDPOINTSLICES, Health.RETRYING)
    known = Surroundings.of(store.drain())
    assert (known.services, known.nodes) == ((SERVICE,), ())
    assert (known.slices, known.pods) == (None, None)


@pytest.fixture
def kubelet() -> Iterator[Cluster]:
    with Cluster() as running:
        yield running


def test_through_real_sockets(kubelet: Cluster) -> None:
    """A node port that is refused, then a forward whose pods all answer."""
    for name in ("a", "b"):
        kubelet.pod(name, 8080, answering(name))
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        closed = held.getsockname()[1]
        config = ClusterConfig(kubelet.url)
        service = ServiceRow(
            uid="s",
            name="web",
            namespace="shop",
            type="NodePort",
            ports=(ServicePort(80, "http", closed),),
        )
        node = NodeRow(uid="n", name="n", addresses=(("InternalIP", "127.0.0.1"),))
        rows = Surroundings((service,), (SLICE,), (node,), ())
        finder: Routes = RouteFinder(config, lambda: rows, RealNetwork(Transport(config)))
        found = finder.find("shop", "web")
        assert isinstance(found, Route)
        assert found.kind is RouteKind.PORT_FORWARD
        seen = {probe(found).served_by for _ in range(40)}
        assert seen == {"a", "b"}
        assert finder.close()
    assert probe(found).problem.startswith("Nothing listens at 127.0.0.1")


def test_the_embedded_cluster_is_reached_by_its_node_ports() -> None:
    child = Embedded()
    try:
        with open_routes(child.config(), "default") as (finder, _, _):

            def probed() -> Route | None:
                found = finder.find("default", "nginx-svc", fresh=True)
                return found if isinstance(found, Route) and probe(found).ok else None

            found = eventually(probed, 20.0)
        assert found.kind is RouteKind.NODE_PORT
        assert found.host == "127.0.0.1"
        assert not found.bypasses_service
    finally:
        child.stop()


def test_lists_that_do_not_come_are_not_waited_for() -> None:
    with Server() as server:
        for plural in ("services", "pods"):
            server.on(f"/api/v1/namespaces/shop/{plural}", status(403, "Forbidden"))
        server.on("/api/v1/nodes", stall)
        began = time.monotonic()
        with open_routes(ClusterConfig(server.url), "shop", within=0.3) as (finder, _, _):
            assert time.monotonic() - began < 3.0
            found = finder.find("shop", "web")
        assert isinstance(found, Unreachable)
        assert "may not be read" in found.reason
    assert not [t for t in threading.enumerate() if t.name.startswith("session")]
