"""Which ways to a Service are worth a try: rows in, candidates or words out."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from tui.cluster.distribution import Distribution, Place
from tui.cluster.route import RouteKind, Surroundings, Unreachable
from tui.cluster.route_ingress import IngressPath
from tui.cluster.route_plan import (
    MOST_CANDIDATES,
    Answer,
    Backend,
    Goal,
    aim,
    backends,
    choose,
    ingresses,
    load_balancers,
    missing,
    node_ports,
)
from tui.state.rows import EndpointSliceRow, NodeRow, PodRow, ServicePort, ServiceRow

FAR = Place(Distribution.KUBEADM)
HTTP = ServicePort(80, "http", 30080, target="8080")


def service(*ports: ServicePort, **fields: Any) -> ServiceRow:
    given = {"selector": (("app", "web"),), "type": "NodePort", **fields}
    return ServiceRow(uid="s", name="web", namespace="shop", ports=ports or (HTTP,), **given)


def piece(*ready: str, **fields: Any) -> EndpointSliceRow:
    given: dict[str, Any] = {"ports": (("http", 8080, "TCP"),), "namespace": "shop", **fields}
    given.setdefault("name", "web-1")
    return EndpointSliceRow(uid=given["name"], service="web", ready=ready, **given)


def node(name: str, *addresses: tuple[str, str], ready: str = "True") -> NodeRow:
    return NodeRow(uid=name, name=name, addresses=addresses, ready=ready)


def around(row: ServiceRow, *slices: EndpointSliceRow, **fields: Any) -> Surroundings:
    return Surroundings((row,), slices or (piece("a"),), **fields)


def goal(row: ServiceRow | None = None, place: Place = FAR, port: int | None = None) -> Goal:
    row = row or service()
    found = aim("shop", "web", port, around(row, piece("a", others=1)), place)
    assert isinstance(found, Goal)
    return found


def refused(row: ServiceRow, port: int | str | None = None, *slices: EndpointSliceRow) -> str:
    found = aim("shop", "web", port, around(row, *slices), FAR)
    assert isinstance(found, Unreachable)
    assert found.service == "shop/web"
    assert found.next_step
    return found.reason


@pytest.mark.parametrize(
    ("ports", "asked", "number"),
    [
        ([ServicePort(9090, "metrics"), ServicePort(8080, "http")], None, 8080),
        ([ServicePort(9090, "metrics"), ServicePort(80)], None, 80),
        ([ServicePort(9090), ServicePort(9091)], None, 9090),
        ([ServicePort(443, "https"), ServicePort(80, "http")], None, 80),
        ([ServicePort(53, "dns", protocol="UDP"), ServicePort(5000)], None, 5000),
        ([ServicePort(80), ServicePort(81, "admin")], "admin", 81),
        ([ServicePort(80), ServicePort(81, "admin")], 81, 81),
        ([ServicePort(80), ServicePort(81, "admin")], "81", 81),
    ],
)
def test_the_port(ports: list[ServicePort], asked: int | str | None, number: int) -> None:
    found = aim("shop", "web", asked, Surroundings((service(*ports),)), FAR)
    assert isinstance(found, Goal)
    assert found.port.port == number


def test_ports_that_are_no_use() -> None:
    udp = ServicePort(53, "dns", protocol="UDP")
    sctp = ServicePort(99, protocol="SCTP")
    assert refused(service(udp)) == "Port 53 is UDP, and HTTP needs TCP."
    assert refused(service(udp, sctp)).startswith("The Service has no TCP port (dns 53/UDP, 99/")
    assert refused(service(HTTP, sctp), 99) == "Port 99 is SCTP, and HTTP needs TCP."
    assert refused(service(HTTP), 81) == "The Service has no port 81."
    assert refused(service(ServicePort(0))) == "The Service has no ports."


@pytest.mark.parametrize(
    ("port", "scheme"),
    [
        (ServicePort(80), "http"),
        (ServicePort(443), "https"),
        (ServicePort(443, "http"), "http"),
        (ServicePort(9000, "https-admin"), "https"),
        (ServicePort(9000, "x", app_protocol="HTTPS"), "https"),
        (ServicePort(443, "x", app_protocol="kubernetes.io/h2c"), "http"),
    ],
)
def test_the_scheme(port: ServicePort, scheme: str) -> None:
    assert Goal(service(port), port, FAR).scheme == scheme


def test_services_that_lead_nowhere() -> None:
    alias = service(type="ExternalName", external_name="db.example.org")
    assert "alias (ExternalName) of db.example.org" in refused(alias)
    hostile = service(type="ExternalName", external_name="x\x1b[2J")
    assert "no valid name" in refused(hostile)
    assert refused(service(), None, piece(not_ready=("a", "b"))) == (
        "No pod behind the Service is ready (2 not ready)."
    )
    assert "app=web" in refused(service(), None, piece())
    assert "no selector" in refused(service(selector=()), None, piece())
    assert isinstance(aim("shop", "web", None, around(service(), piece(others=1)), FAR), Goal)


def test_what_the_cluster_wrote_is_made_printable() -> None:
    bad = "\x1b[2J\u202e\n[/]" + "x" * 5000
    odd = ServicePort(80, bad, protocol=bad)
    for row, port in ((service(odd), None), (service(odd), 81), (service(odd), 80)):
        found = aim("shop", "web", port, around(row), FAR)
        assert isinstance(found, Unreachable)
        for said in (found.reason, found.next_step):
            assert said.isprintable()
            assert len(said) < 600
    row = service(selector=((bad, bad),))
    assert refused(row, None, piece()).isprintable()
    named = IngressPath(bad, "app.example", "/", "web", 80)
    (candidate,) = ingresses(goal(), [named])
    assert candidate.route.label.isprintable()
    nodes = (node(bad, ("InternalIP", "10.0.0.1")),)
    assert node_ports(goal(), around(service(), nodes=nodes))[0].route.label.isprintable()


def test_names_that_are_none() -> None:
    for namespace, name in (("../x", "web"), ("shop", "web;reboot"), ("", "web")):
        found = aim(namespace, name, None, Surroundings(()), FAR)
        assert isinstance(found, Unreachable)
        assert found.reason == "That is no name of a Service."


def test_a_service_that_is_not_there_and_one_that_may_not_be_seen() -> None:
    absent = aim("shop", "other", None, around(service()), FAR)
    unknown = aim("shop", "web", None, Surroundings(), FAR)
    assert isinstance(absent, Unreachable)
    assert isinstance(unknown, Unreachable)
    assert absent.reason == "There is no Service other in namespace shop."
    assert "not known" in unknown.reason


def test_endpoints_that_may_not_be_listed_are_no_reason_to_give_up() -> None:
    assert isinstance(aim("shop", "web", None, Surroundings((service(),)), FAR), Goal)


def test_load_balancers() -> None:
    row = service(
        type="LoadBalancer",
        ingress=("169.254.169.254", "127.0.0.1", "2001:db8::5", "lb.example.org", "a/b"),
    )
    found = load_balancers(goal(row))
    assert [c.route.url for c in found] == ["http://[2001:db8::5]/", "http://lb.example.org/"]
    assert {c.route.kind for c in found} == {RouteKind.LOAD_BALANCER}
    assert not any(c.route.bypasses_service for c in found)
    local = load_balancers(goal(row, replace(FAR, loopback=True)))
    assert [c.host for c in local] == ["127.0.0.1", "2001:db8::5", "lb.example.org"]


def test_node_ports_in_order_of_likelihood() -> None:
    nodes = (
        node("b", ("InternalIP", "10.0.0.2"), ("Hostname", "b"), ready="False"),
        node("a", ("InternalIP", "10.0.0.1"), ("ExternalIP", "192.0.2.1"), ("ExternalDNS", "a.x")),
        node("c", ("InternalIP", "fd00::3"), ("InternalIP", "169.254.1.1")),
    )
    found = node_ports(goal(), around(service(), nodes=nodes))
    assert [c.host for c in found] == ["192.0.2.1", "10.0.0.1", "a.x", "fd00::3", "10.0.0.2"]
    assert found[3].route.url == "http://[fd00::3]:30080/"
    assert found[0].route.label == "NodePort 30080 on a"
    assert found[0].route.host == "192.0.2.1"


def test_no_node_port_no_candidates() -> None:
    row = service(ServicePort(80, "http"))
    assert node_ports(goal(row), around(row, nodes=(node("a", ("InternalIP", "10.0.0.1")),))) == []


def test_local_traffic_is_asked_of_nodes_that_have_a_pod() -> None:
    row = service(local_only=True)
    nodes = tuple(node(n, ("InternalIP", f"10.0.0.{i}")) for i, n in enumerate("abc", 1))
    found = node_ports(goal(row), around(row, piece("p", nodes=("b",)), nodes=nodes))
    assert [c.host for c in found] == ["10.0.0.2"]


def test_a_thousand_nodes_are_not_all_tried() -> None:
    nodes = tuple(
        node(f"n{i}", ("InternalIP", f"10.0.{i // 250}.{i % 250 + 1}")) for i in range(1000)
    )
    place = Place(Distribution.KIND, loopback=True)
    found = node_ports(goal(place=place), around(service(), nodes=nodes))
    assert len(found) == MOST_CANDIDATES
    assert found[-1].host == "127.0.0.1"


def test_clusters_of_this_machine() -> None:
    nodes = (node("x", ("InternalIP", "172.18.0.2")),)
    kind = node_ports(
        goal(place=Place(Distribution.KIND, loopback=True)), around(service(), nodes=nodes)
    )
    assert [c.host for c in kind] == ["172.18.0.2", "127.0.0.1"]
    far = node_ports(goal(place=Place(Distribution.KIND)), around(service(), nodes=nodes))
    assert [c.host for c in far] == ["172.18.0.2"]
    embedded = node_ports(
        goal(place=Place(Distribution.EMBEDDED, loopback=True)), around(service(), nodes=nodes)
    )
    assert [c.route.url for c in embedded] == ["http://127.0.0.1:30080/"]


def test_nodes_that_may_not_be_listed() -> None:
    place = Place(Distribution.UNKNOWN, server="k8s.example")
    found = node_ports(goal(place=place), around(service()))
    assert [c.host for c in found] == ["k8s.example"]
    assert "nodes may not be read" in missing(goal(place=place), around(service()))


def path(host: str = "app.example", **fields: Any) -> IngressPath:
    given: dict[str, Any] = {"path": "/", "service": "web", "port": 80, **fields}
    return IngressPath("front", host, **given)


def test_an_ingress_by_address_is_asked_with_its_host() -> None:
    (found,) = ingresses(goal(), [path(addresses=("192.0.2.9",), path="/shop")])
    assert found.route.url == "http://192.0.2.9/shop"
    assert found.route.host_header == "app.example"
    assert (found.host, found.port) == ("192.0.2.9", 80)


def test_an_ingress_without_an_address_is_asked_by_its_name() -> None:
    (found,) = ingresses(goal(), [path()])
    assert (found.route.url, found.route.host_header) == ("http://app.example/", None)


def test_an_ingress_with_tls_is_asked_by_the_name_of_its_certificate() -> None:
    (found,) = ingresses(goal(), [path(tls=True, addresses=("192.0.2.9",))])
    assert (found.route.url, found.port) == ("https://app.example/", 443)


def test_ingresses_that_are_not_ours_or_cannot_be_asked() -> None:
    paths = [
        path(service="other"),
        path(port=81),
        path("*.example"),
        path("x\r\nHost: evil", addresses=("192.0.2.9",)),
        path("", addresses=("169.254.169.254",)),
        path(""),
        path("localhost"),
    ]
    assert ingresses(goal(), paths) == []
    (named,) = ingresses(goal(), [path(port="http")])
    assert named.route.kind is RouteKind.INGRESS


def test_a_path_cannot_leave_its_url() -> None:
    (found,) = ingresses(goal(), [path(path="/a b?x=1\r\n\x1b")])
    assert found.route.url == "http://app.example/a%20b%3Fx=1%0D%0A%1B"


def test_the_first_that_answers_is_taken() -> None:
    nodes = tuple(node(n, ("InternalIP", f"10.0.0.{i}")) for i, n in enumerate("abc", 1))
    found = node_ports(goal(), around(service(), nodes=nodes))
    chosen = choose(found, [Answer("refused"), Answer(peer="10.0.0.2"), Answer()])
    assert chosen is found[1].route
    assert choose(found, [Answer("x"), Answer("y"), Answer("z")]) is None
    assert choose([], []) is None


@pytest.mark.parametrize(
    ("port", "peer", "url", "host"),
    [
        (80, "192.0.2.8", "http://192.0.2.8/", "lb.example"),
        (8080, "192.0.2.8", "http://192.0.2.8:8080/", "lb.example:8080"),
        (8080, "2001:db8::8", "http://[2001:db8::8]:8080/", "lb.example:8080"),
        (443, "192.0.2.8", "https://lb.example/", None),
    ],
)
def test_a_name_is_held_to_the_address_that_answered(
    port: int, peer: str, url: str, host: str | None
) -> None:
    row = service(ServicePort(port), type="LoadBalancer", ingress=("lb.example",))
    chosen = choose(load_balancers(goal(row)), [Answer(peer=peer)])
    assert chosen is not None
    assert (chosen.url, chosen.host_header) == (url, host)
    assert chosen.label == "load balancer lb.example"


def test_the_host_of_an_ingress_outlives_the_name_of_its_address() -> None:
    found = ingresses(goal(), [path(addresses=("lb.example",), path="/shop")])
    chosen = choose(found, [Answer(peer="192.0.2.8")])
    assert chosen is not None
    assert (chosen.url, chosen.host_header) == ("http://192.0.2.8/shop", "app.example")


def test_backends_by_port_name() -> None:
    slices = (
        piece("a", "b", not_ready=("c",)),
        piece("d", name="web-2", ports=(("http", 9090, "TCP"), ("dns", 53, "UDP"))),
        piece("a", name="web-v6"),
        piece("x", name="foreign", namespace="other"),
        piece("../../secrets", name="hostile"),
    )
    assert backends(goal(), around(service(), *slices)) == [
        Backend("shop", "a", 8080),
        Backend("shop", "b", 8080),
        Backend("shop", "d", 9090),
    ]


def test_backends_by_selector_when_slices_may_not_be_listed() -> None:
    def pod(name: str, ready: bool = True, app: str = "web", **fields: Any) -> PodRow:
        labels = (("app", app), ("tier", "x"))
        return PodRow(uid=name, name=name, namespace="shop", labels=labels, ready=ready, **fields)

    rows = (pod("b"), pod("a"), pod("c", ready=False), pod("d", app="z"), pod("e", deleting=1.0))
    known = Surroundings((service(),), None, None, rows)
    assert backends(goal(), known) == [Backend("shop", "a", 8080), Backend("shop", "b", 8080)]
    named = service(ServicePort(80, "http", 30080, target="web"))
    assert backends(goal(named), replace(known, services=(named,))) == []
    bare = service(selector=())
    assert backends(goal(bare), replace(known, services=(bare,))) == []


def test_what_would_be_better_than_a_port_forward() -> None:
    waiting = service(type="LoadBalancer")
    known = around(service(), nodes=(node("a"),))
    assert "MetalLB" in missing(goal(waiting), known)
    tunnel = missing(goal(waiting, Place(Distribution.MINIKUBE)), known)
    assert "minikube tunnel" in tunnel
    assert "headless" in missing(goal(service(cluster_ip="None")), known)
    assert "firewall" in missing(goal(), known)
