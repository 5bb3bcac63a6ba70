"""A burst, and a probe, go where the user points: nothing in the cluster can aim them elsewhere.

Authors of Services and Ingresses choose host names; several controllers copy an annotation into a
load balancer's status. Only what such a name leads to decides, before anything is connected.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from typing import Any, Final

import pytest
from msgspec.structs import replace

from tests.cluster.server import CERTS, Exchange, Server
from tui.cluster import dial, route_plan
from tui.cluster.access import ClusterConfig
from tui.cluster.distribution import Place
from tui.cluster.errors import ApiError, Fault
from tui.cluster.probe import probe
from tui.cluster.route import Found, Route, RouteKind, Surroundings, Unreachable
from tui.cluster.route_address import is_public
from tui.cluster.route_finder import RealNetwork, RouteFinder
from tui.cluster.transport import Transport
from tui.load.burst import Burst
from tui.load.plan import Plan
from tui.state.rows import EndpointSliceRow, NodeRow, ServicePort, ServiceRow

INGRESSES = "/apis/networking.k8s.io/v1/namespaces/shop/ingresses"
VICTIM = "93.184.215.14"
NAMES = {
    "victim.example": VICTIM,
    "mixed.example": VICTIM,
    "metadata.example": "169.254.169.254",
    "mine.example": "127.0.0.1",
    "six.example": "2606:2800:21f:cb07:6820:80da:af6b:8b2c",
    "mapped.example": f"::ffff:{VICTIM}",
}
SERVICE = ServiceRow(
    uid="s",
    name="web",
    namespace="shop",
    type="LoadBalancer",
    ports=(ServicePort(80, "http", target="8080"),),
    selector=(("app", "web"),),
)
SLICE = EndpointSliceRow(
    uid="e", name="web-1", namespace="shop", service="web", ready=("a",),
    ports=(("http", 8080, "TCP"),),
)  # fmt: skip


class World:
    """An API server, name servers that lie as told, and every address that was connected to."""

    def __init__(self, patch: pytest.MonkeyPatch, api: Server, *allowed: str) -> None:
        self.connected: list[str] = []
        self.rows = Surroundings((SERVICE,), (SLICE,), (), ())
        self._truth = socket.getaddrinfo
        patch.setattr(socket, "getaddrinfo", self._resolve)
        patch.setattr(dial, "_connect", self._connect)
        self._really = RealNetwork(Transport(ClusterConfig(api.url)))
        # The port-forward is another story: here there is none.
        patch.setattr(self._really, "check", self._nothing)
        far = ClusterConfig("https://cluster.example:6443")
        self.finder = RouteFinder(far, lambda: self.rows, self._really, allowed=allowed)

    def _resolve(self, host: str, port: int, *more: Any, **named: Any) -> Any:
        address = NAMES.get(host)
        if address is None:
            return self._truth(host, port, *more, **named)
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        found = [(family, socket.SOCK_STREAM, 6, "", (address, port))]
        if host == "mixed.example":
            found.append((socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.9.9.9", port)))
        return found

    def _connect(self, sock: socket.socket, address: Any, *_: Any) -> None:
        host = str(address[0])
        if host == "127.0.0.1":  # the API server
            sock.connect(address)
            return
        self.connected.append(host)
        raise ConnectionRefusedError(111, "Connection refused")

    @staticmethod
    def _nothing(_: object) -> None:
        raise ApiError(Fault.FORBIDDEN, "You may not forward ports.")

    def find(self) -> Found:
        try:
            return self.finder.find("shop", "web")
        finally:
            self.finder.close()


def ingress(*hosts: str, tls: bool = False, address: str = "") -> Callable[[Exchange], None]:
    backend = {"service": {"name": "web", "port": {"number": 80}}}
    paths = {"paths": [{"path": "/", "backend": backend}]}
    spec: dict[str, Any] = {"rules": [{"host": host, "http": paths} for host in hosts]}
    if tls:
        spec["tls"] = [{"hosts": list(hosts)}]
    given = [{"ip": address}] if address else []
    status = {"loadBalancer": {"ingress": given}}
    item = {"metadata": {"name": "front"}, "spec": spec, "status": status}
    return lambda exchange: exchange.reply(200, {"items": [item]})


ODD: Final = (*NAMES, VICTIM, "0x5db8d70e", "1572394766", f"[::ffff:{VICTIM}]", "127.0.0.1")


@pytest.mark.parametrize("where", ["load balancer", "Ingress", "Ingress with TLS"])
def test_no_name_in_the_cluster_leads_out_of_it(
    where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Server() as api:
        world = World(monkeypatch, api)
        if where == "load balancer":
            world.rows = replace(world.rows, services=(_balanced(*ODD),))
        else:
            # That its status has a decent address helps nobody with TLS, which goes by the name.
            tls = where.endswith("TLS")
            api.on(INGRESSES, ingress(*ODD, tls=tls, address="10.0.0.7" if tls else ""))
        found = world.find()
    assert isinstance(found, Unreachable)
    assert world.connected == ["10.9.9.9"]  # the decent one of several
    assert where.removesuffix(" with TLS") in found.next_step
    assert "is a public address" in found.next_step
    assert "--allow-host victim.example" in found.next_step


def _balanced(*addresses: str) -> ServiceRow:
    return replace(SERVICE, ingress=addresses)


def test_an_external_name_and_external_ips_are_no_way(monkeypatch: pytest.MonkeyPatch) -> None:
    alias = replace(
        SERVICE, type="ExternalName", external_name="victim.example", ingress=("10.0.0.7",)
    )
    with Server() as api:
        world = World(monkeypatch, api)
        world.rows = replace(world.rows, services=(alias,))
        found = world.find()
        assert isinstance(found, Unreachable)
        assert "alias" in found.reason
        assert (world.connected, api.requests) == ([], [])


@pytest.mark.parametrize("allowed", ["victim.example", "Victim.Example."])
def test_what_the_user_named_is_connected_to(allowed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with Server() as api:
        world = World(monkeypatch, api, allowed)
        world.rows = replace(world.rows, services=(_balanced("victim.example", "six.example"),))
        world.find()
    assert world.connected == [VICTIM]


def test_addresses_of_the_clusters_own_are_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    port = ServicePort(80, "http", 30080, target="8080")
    service = replace(_balanced("10.0.0.7", "100.64.0.7", "fd00::7"), ports=(port,))
    node = NodeRow(uid="n", name="n", addresses=(("ExternalIP", "34.1.2.3"),), ready="True")
    with Server() as api:
        world = World(monkeypatch, api)
        world.rows = replace(world.rows, services=(service,), nodes=(node,))
        world.find()
    assert set(world.connected) == {"10.0.0.7", "100.64.0.7", "fd00::7", "34.1.2.3"}


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True),
        ("2001:4860:4860::8888", True),
        ("10.0.0.1", False),
        ("192.168.49.2", False),
        ("172.18.255.200", False),
        ("100.64.0.1", False),
        ("fd00::1", False),
        ("no address", False),
    ],
)
def test_public_addresses(address: str, public: bool) -> None:
    assert is_public(address) is public


def test_a_name_with_tls_is_held_to_the_address_that_was_judged() -> None:
    port = ServicePort(443, "https", target="8443")
    service = replace(_balanced("mixed.example"), ports=(port,))
    goal = route_plan.aim("shop", "web", None, Surroundings((service,), (SLICE,)), Place())
    assert isinstance(goal, route_plan.Goal)
    (candidate,) = route_plan.load_balancers(goal)
    chosen = route_plan.choose([candidate], [route_plan.Answer(peer="10.9.9.9")])
    assert chosen is not None
    assert (chosen.url, chosen.address) == ("https://mixed.example/", "10.9.9.9")


def test_neither_a_redirect_nor_a_name_server_moves_a_probe_or_a_burst(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []
    truth = socket.getaddrinfo

    def resolve(host: str, *more: Any, **named: Any) -> Any:
        asked.append(host)
        return truth(host, *more, **named)

    with Server() as trap, Server(tls="server") as target:
        monkeypatch.setattr(socket, "getaddrinfo", resolve)
        target.on("/", lambda e: e.reply(307, b"", Location=trap.url))
        url = f"https://localhost:{target.port}/"
        route = Route("web", "shop", 443, RouteKind.NODE_PORT, url, address="127.0.0.1")
        trusting = ssl.create_default_context(cafile=str(CERTS / "ca.pem"))
        trusting.verify_flags &= ~ssl.VERIFY_X509_STRICT
        told = probe(route, verify=trusting)
        assert (told.problem, told.status, told.redirect) == ("", 307, trap.url)
        ca = str(CERTS / "ca.pem")
        burst = Burst(Plan(url=url, count=3, address=route.address, cacert=ca))
        burst.start()
        assert burst.wait(20)
        assert burst.result().statuses == {"307": 3}
        assert {r.headers["host"] for r in target.requests} == {f"localhost:{target.port}"}
        assert trap.requests == []
    assert "localhost" not in asked
