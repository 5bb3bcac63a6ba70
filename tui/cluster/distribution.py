"""What kind of cluster it is, from its nodes, and how one gets at its NodePorts from outside."""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

import msgspec

from tui.cluster.access import ClusterConfig
from tui.state.rows import NodeRow


class Distribution(StrEnum):
    """Who made the cluster."""

    EMBEDDED = "the embedded cluster"
    MINIKUBE = "minikube"
    KIND = "kind"
    K3D = "k3d"
    K3S = "k3s"
    DESKTOP = "a desktop cluster"
    """Docker Desktop, Rancher Desktop, Colima, OrbStack."""
    EKS = "EKS"
    GKE = "GKE"
    AKS = "AKS"
    CLOUD = "a cloud"
    KUBEADM = "kubeadm"
    UNKNOWN = "Kubernetes"


class Place(msgspec.Struct, frozen=True):
    """Which cluster this is, as far as routes care."""

    distribution: Distribution = Distribution.UNKNOWN
    name: str = ""
    """The cluster's (profile's) name in the distribution's own commands; may be empty."""
    loopback: bool = False
    """Whether its API server is reached on this machine."""
    server: str = ""
    """The API server's host, which the user chose; empty if that is this machine."""

    @property
    def publishes(self) -> bool:
        """Whether its NodePorts may be found on 127.0.0.1, since its nodes are containers or
        threads of this machine.
        """
        return self.loopback and self.distribution in _PUBLISHING


_PUBLISHING: Final = frozenset(
    {
        Distribution.EMBEDDED,
        Distribution.MINIKUBE,
        Distribution.KIND,
        Distribution.K3D,
        Distribution.DESKTOP,
    }
)
_PROVIDERS: Final = (
    ("kscale://", Distribution.EMBEDDED),
    ("kind://", Distribution.KIND),
    ("k3s://", Distribution.K3S),
    ("aws://", Distribution.CLOUD),
    ("gce://", Distribution.CLOUD),
    ("azure://", Distribution.CLOUD),
)
_LABELS: Final = (
    ("minikube.k8s.io/", Distribution.MINIKUBE),
    ("eks.amazonaws.com/", Distribution.EKS),
    ("cloud.google.com/gke-", Distribution.GKE),
    ("kubernetes.azure.com/", Distribution.AKS),
)
_VERSIONS: Final = (
    ("+k3s", Distribution.K3S),
    ("-eks-", Distribution.EKS),
    ("-gke.", Distribution.GKE),
)
_CONTEXTS: Final = (
    (re.compile(r"minikube"), Distribution.MINIKUBE),
    (re.compile(r"kind-(?P<name>.+)"), Distribution.KIND),
    (re.compile(r"k3d-(?P<name>.+)"), Distribution.K3D),
    (
        re.compile(r"docker-(desktop|for-desktop)|rancher-desktop|colima.*|orbstack"),
        Distribution.DESKTOP,
    ),
    (re.compile(r"gke_.+"), Distribution.GKE),
    (re.compile(r"arn:aws[\w-]*:eks:.+|.+\.eksctl\.io"), Distribution.EKS),
)
_K3D_NODE: Final = re.compile(r"k3d-(?P<name>.+)-(server|agent)-\d+")
_DESKTOP_NODE: Final = re.compile(r"docker-desktop|lima-rancher-desktop|colima(-.+)?|orbstack")
_PLAIN: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?")
"""A name that needs no quoting in a shell."""


def recognise(nodes: Sequence[NodeRow] | None, config: ClusterConfig) -> Place:
    """Tell the distribution by its nodes; by the context's name if they may not be listed."""
    found, name = Distribution.UNKNOWN, ""
    for node in (nodes or ())[:8]:
        found, name = _of_node(node)
        if found is not Distribution.UNKNOWN:
            break
    if not nodes:
        found, name = _of_context(config.context)
    if _PLAIN.fullmatch(name) is None:
        name = ""
    server = "" if config.loopback else urlsplit(config.server).hostname or ""
    return Place(found, name, config.loopback, server)


def _of_node(node: NodeRow) -> tuple[Distribution, str]:
    labels = dict(node.labels)
    if k3d := _K3D_NODE.fullmatch(node.name):
        return Distribution.K3D, k3d["name"]
    if _DESKTOP_NODE.fullmatch(node.name):
        return Distribution.DESKTOP, ""
    for prefix, found in _LABELS:
        if any(label.startswith(prefix) for label in labels):
            return found, labels.get("minikube.k8s.io/name", "")
    for mark, found in _VERSIONS:
        if mark in node.version:
            return found, ""
    for scheme, found in _PROVIDERS:
        if node.provider.startswith(scheme):
            # kind://docker/CLUSTER/NODE
            parts = node.provider.removeprefix(scheme).split("/")
            return found, parts[1] if found is Distribution.KIND and len(parts) > 2 else ""
    if "control-plane" in node.roles and not node.provider:
        return Distribution.KUBEADM, ""
    return (Distribution.CLOUD if node.provider else Distribution.UNKNOWN), ""


def _of_context(context: str) -> tuple[Distribution, str]:
    for pattern, found in _CONTEXTS:
        if match := pattern.fullmatch(context):
            return found, match.groupdict().get("name") or ""
    return Distribution.UNKNOWN, ""


def open_node_port(place: Place, namespace: str, service: str, node_port: int) -> str:
    """The next step that makes a NodePort reachable from here, which it was not.

    Args:
        place: the cluster.
        namespace: the Service's; a valid name.
        service: its name; a valid one.
        node_port: its port on the nodes; 0 if it has none.
    """
    if not node_port:
        return _give_node_port(place, namespace, service)
    return _STEPS[place.distribution].format(
        ns=namespace,
        svc=service,
        port=node_port,
        name=place.name,
        k3d=place.name or "NAME",
        profile=f" -p {place.name}" if place.name not in ("", "minikube") else "",
    )


def _give_node_port(place: Place, namespace: str, service: str) -> str:
    if place.distribution is Distribution.MINIKUBE:
        return _STEPS[Distribution.MINIKUBE].format(
            ns=namespace,
            svc=service,
            profile=f" -p {place.name}" if place.name not in ("", "minikube") else "",
        )
    patch = '{"spec":{"type":"NodePort"}}'
    return (
        f"Give the Service a NodePort: `kubectl -n {namespace} patch service {service} "
        f"-p '{patch}'`."
    )


def expect_load_balancer(place: Place) -> str:
    """The next step for a load balancer that has no address, or one that does not answer."""
    return _BALANCERS.get(place.distribution, _NO_BALANCER)


_FIREWALL: Final = (
    "Open TCP {port} in the firewall of the nodes (`sudo firewall-cmd --add-port={port}/tcp`, "
    "`sudo ufw allow {port}/tcp`), or use a machine in their network."
)
_STEPS: Final = {
    Distribution.EMBEDDED: (
        "Ask whether the embedded cluster still runs; it answers on 127.0.0.1:{port} once a pod "
        "is ready."
    ),
    Distribution.MINIKUBE: (
        "Run `minikube service {svc} -n {ns} --url{profile}` and leave it running: with the "
        "docker driver on macOS and Windows the node cannot be reached from outside."
    ),
    Distribution.KIND: (
        "Make the kind cluster anew with extraPortMappings for containerPort {port} and hostPort "
        "{port} in its config: its nodes are containers, and ports cannot be added later."
    ),
    Distribution.K3D: (
        "Run `k3d cluster edit {k3d} --port-add {port}:{port}@loadbalancer`, or create the "
        'cluster with `-p "{port}:{port}@server:0"`.'
    ),
    Distribution.K3S: _FIREWALL,
    Distribution.KUBEADM: _FIREWALL,
    Distribution.UNKNOWN: _FIREWALL,
    Distribution.DESKTOP: (
        "Ask whether the desktop program (Docker Desktop, Rancher Desktop, Colima, OrbStack) runs "
        "and publishes NodePorts on localhost:{port}; some publish only type LoadBalancer."
    ),
    Distribution.EKS: (
        "Allow TCP {port} from your address in the nodes' security group (the nodes need public "
        "addresses), or make the Service type LoadBalancer."
    ),
    Distribution.GKE: (
        "Run `gcloud compute firewall-rules create kscale-{port} --allow tcp:{port} "
        "--source-ranges YOUR_IP/32` (the nodes need public addresses), or make the Service type "
        "LoadBalancer."
    ),
    Distribution.AKS: (
        "Allow TCP {port} from your address in the nodes' network security group (the nodes need "
        "public addresses), or make the Service type LoadBalancer."
    ),
    Distribution.CLOUD: (
        "Allow TCP {port} from your address in the cloud's firewall (the nodes need public "
        "addresses), or make the Service type LoadBalancer."
    ),
}
_CLOUD_BALANCER: Final = (
    "See what the cloud says: `kubectl describe service`, under Events; a new one takes minutes."
)
_NO_BALANCER: Final = (
    "The cluster has no load balancer of its own: install one (MetalLB), or use type NodePort."
)
_BALANCERS: Final = {
    Distribution.MINIKUBE: "Run `minikube tunnel` and leave it running.",
    Distribution.KIND: "Run `cloud-provider-kind` and leave it running, or use type NodePort.",
    Distribution.EMBEDDED: "The embedded cluster has no load balancer: use type NodePort.",
    Distribution.EKS: _CLOUD_BALANCER,
    Distribution.GKE: _CLOUD_BALANCER,
    Distribution.AKS: _CLOUD_BALANCER,
    Distribution.CLOUD: _CLOUD_BALANCER,
}
