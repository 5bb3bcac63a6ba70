"""Telling clusters apart, and the next step for each."""

from __future__ import annotations

from typing import Any

import pytest

from tui.cluster.access import ClusterConfig
from tui.cluster.distribution import (
    Distribution,
    Place,
    expect_load_balancer,
    open_node_port,
    recognise,
)
from tui.state.rows import NodeRow

LOCAL = ClusterConfig("https://127.0.0.1:6443")
FAR = ClusterConfig("https://cluster.example:6443", context="prod")


def node(name: str = "n", **fields: Any) -> NodeRow:
    return NodeRow(uid=name, name=name, **fields)


def labelled(*labels: tuple[str, str]) -> NodeRow:
    return node(labels=labels)


@pytest.mark.parametrize(
    ("row", "found", "name"),
    [
        (node(provider="kscale://embedded/x"), Distribution.EMBEDDED, ""),
        (labelled(("minikube.k8s.io/name", "lab")), Distribution.MINIKUBE, "lab"),
        (labelled(("minikube.k8s.io/name", "x;rm -rf")), Distribution.MINIKUBE, ""),
        (node(provider="kind://docker/lab/lab-control-plane"), Distribution.KIND, "lab"),
        (node("k3d-lab-server-0", version="v1.33.1+k3s1"), Distribution.K3D, "lab"),
        (node(provider="k3s://pi", version="v1.33.1+k3s1"), Distribution.K3S, ""),
        (node("docker-desktop"), Distribution.DESKTOP, ""),
        (node("lima-rancher-desktop", version="v1.33.1+k3s1"), Distribution.DESKTOP, ""),
        (node("colima-lab", version="v1.33.1+k3s1"), Distribution.DESKTOP, ""),
        (node(provider="aws:///eu/i-1", version="v1.33.1-eks-ab"), Distribution.EKS, ""),
        (labelled(("cloud.google.com/gke-nodepool", "p")), Distribution.GKE, ""),
        (labelled(("kubernetes.azure.com/cluster", "c")), Distribution.AKS, ""),
        (node(provider="aws:///eu/i-1"), Distribution.CLOUD, ""),
        (node(provider="openstack:///1"), Distribution.CLOUD, ""),
        (node(roles=("control-plane",)), Distribution.KUBEADM, ""),
        (node(), Distribution.UNKNOWN, ""),
    ],
)
def test_by_the_nodes(row: NodeRow, found: Distribution, name: str) -> None:
    assert recognise([row], FAR) == Place(found, name, False, "cluster.example")


@pytest.mark.parametrize(
    ("context", "found", "name"),
    [
        ("minikube", Distribution.MINIKUBE, ""),
        ("kind-lab", Distribution.KIND, "lab"),
        ("k3d-lab", Distribution.K3D, "lab"),
        ("docker-desktop", Distribution.DESKTOP, ""),
        ("gke_project_zone_name", Distribution.GKE, ""),
        ("arn:aws:eks:eu-west-1:1:cluster/x", Distribution.EKS, ""),
        ("prod", Distribution.UNKNOWN, ""),
        ("not-minikube", Distribution.UNKNOWN, ""),
    ],
)
def test_by_the_context_when_nodes_may_not_be_listed(
    context: str, found: Distribution, name: str
) -> None:
    config = ClusterConfig("https://127.0.0.1:6443", context=context)
    place = recognise(None, config)
    assert (place.distribution, place.name, place.server) == (found, name, "")


def test_the_context_does_not_overrule_the_nodes() -> None:
    config = ClusterConfig("https://127.0.0.1:1", context="minikube")
    assert recognise([node()], config).distribution is Distribution.UNKNOWN


@pytest.mark.parametrize(
    ("found", "config", "publishes"),
    [
        (Distribution.EMBEDDED, LOCAL, True),
        (Distribution.KIND, LOCAL, True),
        (Distribution.KIND, FAR, False),
        (Distribution.KUBEADM, LOCAL, False),
        (Distribution.EMBEDDED, FAR, False),
    ],
)
def test_node_ports_on_this_machine(
    found: Distribution, config: ClusterConfig, publishes: bool
) -> None:
    assert Place(found, "", config.loopback).publishes is publishes


@pytest.mark.parametrize(
    ("place", "words"),
    [
        (Place(Distribution.MINIKUBE, "minikube"), "`minikube service web -n shop --url`"),
        (Place(Distribution.MINIKUBE, "lab"), "`minikube service web -n shop --url -p lab`"),
        (Place(Distribution.KIND, "lab"), "extraPortMappings for containerPort 30080"),
        (Place(Distribution.K3D, "lab"), "k3d cluster edit lab --port-add 30080:30080@load"),
        (Place(Distribution.K3S), "firewall-cmd --add-port=30080/tcp"),
        (Place(Distribution.KUBEADM), "ufw allow 30080/tcp"),
        (Place(Distribution.GKE), "--allow tcp:30080"),
        (Place(Distribution.EKS), "security group"),
        (Place(Distribution.AKS), "network security group"),
        (Place(Distribution.DESKTOP), "localhost:30080"),
        (Place(Distribution.EMBEDDED), "127.0.0.1:30080"),
    ],
)
def test_the_next_step(place: Place, words: str) -> None:
    assert words in open_node_port(place, "shop", "web", 30080)


@pytest.mark.parametrize("found", list(Distribution))
@pytest.mark.parametrize("port", [0, 30080])
def test_every_distribution_has_a_next_step(found: Distribution, port: int) -> None:
    said = open_node_port(Place(found), "shop", "web", port)
    assert said.endswith(".")
    assert ("{" in said) is ('{"spec"' in said)
    assert expect_load_balancer(Place(found)).endswith(".")


def test_a_service_without_a_node_port_is_given_one() -> None:
    said = open_node_port(Place(Distribution.KIND), "shop", "web", 0)
    assert "kubectl -n shop patch service web" in said
    assert "minikube service" in open_node_port(Place(Distribution.MINIKUBE), "shop", "web", 0)
