"""What a cluster has before anybody uses it: namespaces, nodes, kube-system."""

from __future__ import annotations

import hashlib
from typing import Final

from tui.demo import resources, rights
from tui.demo.api.operations import API_SERVER, KUBELET, Api, Writer
from tui.demo.controllers.volumes import PROVISIONER
from tui.demo.store import Object

KUBELET_VERSION: Final = "v1.36.2"
CONTROL_PLANE: Final = "embedded-control-plane"
WORKER: Final = "embedded-worker"
_KUBEADM: Final = Writer("kubeadm")
_API_ADDRESS: Final = "192.0.2.10"
_MEBI: Final = 1024 * 1024

_IMAGES: Final = (
    ("docker.io/library/caddy:2", "docker.io/library/caddy:2-alpine"),
    (
        "docker.io/tiangolo/uvicorn-gunicorn-fastapi:python3.11",
        "docker.io/tiangolo/uvicorn-gunicorn-fastapi:python3.11-slim",
    ),
    ("docker.io/library/nginx:1.27-alpine", "docker.io/library/nginx:alpine"),
    ("docker.io/library/busybox:1.36", "docker.io/library/busybox:latest"),
    ("docker.io/williamyeh/hey:latest",),
    ("registry.k8s.io/coredns/coredns:v1.12.1",),
    ("registry.k8s.io/metrics-server/metrics-server:v0.9.0",),
    (f"registry.k8s.io/kube-proxy:{KUBELET_VERSION}",),
    (f"registry.k8s.io/kube-apiserver:{KUBELET_VERSION}",),
    (f"registry.k8s.io/kube-controller-manager:{KUBELET_VERSION}",),
    (f"registry.k8s.io/kube-scheduler:{KUBELET_VERSION}",),
    ("registry.k8s.io/etcd:3.6.1-0",),
)


_PRIORITIES: Final = {
    "": 18000,
    "admissionregistration.k8s.io": 16700,
    "apiextensions.k8s.io": 16700,
    "apps": 17800,
    "authentication.k8s.io": 17700,
    "authorization.k8s.io": 17600,
    "autoscaling": 17500,
    "batch": 17400,
    "coordination.k8s.io": 16500,
    "discovery.k8s.io": 16200,
    "events.k8s.io": 17750,
    "networking.k8s.io": 17200,
    "policy": 17100,
    "rbac.authorization.k8s.io": 17000,
    "scheduling.k8s.io": 16600,
    "storage.k8s.io": 16800,
}
"""The order in which clients look for a kind in the API server's own groups."""
_CRITICAL: Final = {
    "system-cluster-critical": (
        2000000000,
        "Used for system critical pods that must run in the cluster, but can be moved to another "
        "node if necessary.",
    ),
    "system-node-critical": (
        2000001000,
        "Used for system critical pods that must not be moved from their current node.",
    ),
}


def create_basics(api: Api) -> None:
    """Namespaces, nodes, rights and the API's own Service."""
    rights.create(api)
    _create_local_api_services(api)
    for critical, (value, description) in _CRITICAL.items():
        data = {"metadata": {"name": critical}, "value": value, "description": description}
        api.create(resources.PRIORITY_CLASSES, "", data, API_SERVER)
    for name in ("kube-system", "kube-public", "kube-node-lease", "default"):
        api.create(resources.NAMESPACES, "", {"metadata": {"name": name}}, API_SERVER)
    create_node(api, 0, CONTROL_PLANE, "control-plane", "2", "4026156Ki")
    create_node(api, 1, WORKER, "worker", "4", "8052312Ki")
    service: Object = {
        "metadata": {
            "name": "kubernetes",
            "labels": {"component": "apiserver", "provider": "kubernetes"},
        },
        "spec": {
            "clusterIP": "10.96.0.1",
            "ports": [{"name": "https", "port": 443, "protocol": "TCP", "targetPort": 6443}],
        },
    }
    api.create(resources.SERVICES, "default", service, API_SERVER)
    port = {"name": "https", "port": 6443, "protocol": "TCP"}
    endpoints: Object = {
        "metadata": {"name": "kubernetes"},
        "subsets": [{"addresses": [{"ip": _API_ADDRESS}], "ports": [port]}],
    }
    api.create(resources.ENDPOINTS, "default", endpoints, API_SERVER)
    behind: Object = {
        "metadata": {"name": "kubernetes", "labels": {"kubernetes.io/service-name": "kubernetes"}},
        "addressType": "IPv4",
        "endpoints": [{"addresses": [_API_ADDRESS], "conditions": {"ready": True}}],
        "ports": [port],
    }
    api.create(resources.ENDPOINT_SLICES, "default", behind, API_SERVER)


def create_node(api: Api, index: int, name: str, role: str, cpu: str, memory: str) -> None:
    """A node that is ready; the index gives it its addresses."""
    data: Object = {
        "metadata": {
            "name": name,
            "labels": {
                "beta.kubernetes.io/arch": "amd64",
                "beta.kubernetes.io/os": "linux",
                "kubernetes.io/arch": "amd64",
                "kubernetes.io/hostname": name,
                "kubernetes.io/os": "linux",
                f"node-role.kubernetes.io/{role}": "",
            },
            "annotations": {"node.alpha.kubernetes.io/ttl": "0"},
        },
        "spec": {
            "podCIDR": f"10.244.{index}.0/24",
            "podCIDRs": [f"10.244.{index}.0/24"],
            "providerID": f"kscale://embedded/{name}",
        },
    }
    if role == "control-plane":
        taint = {"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}
        data["spec"]["taints"] = [taint]
    entry = api.create(resources.NODES, "", data, KUBELET)
    status = _node_status(name, index, cpu, memory, api.clock.stamp())

    def alter(data: Object) -> None:
        data["status"] = status

    api.change(resources.NODES, entry, alter, KUBELET)


def _node_status(name: str, index: int, cpu: str, memory: str, now: str) -> Object:
    amounts = {
        "cpu": cpu,
        "ephemeral-storage": "61255492Ki",
        "hugepages-1Gi": "0",
        "hugepages-2Mi": "0",
        "memory": memory,
        "pods": "110",
    }
    healthy = (
        (
            "MemoryPressure",
            "False",
            "KubeletHasSufficientMemory",
            "has sufficient memory available",
        ),
        ("DiskPressure", "False", "KubeletHasNoDiskPressure", "has no disk pressure"),
        ("PIDPressure", "False", "KubeletHasSufficientPID", "has sufficient PID available"),
        ("Ready", "True", "KubeletReady", "is posting ready status"),
    )
    machine = hashlib.sha256(name.encode()).hexdigest()[:32]
    return {
        "capacity": amounts,
        "allocatable": amounts,
        "conditions": [
            {
                "type": type_,
                "status": status,
                "lastHeartbeatTime": now,
                "lastTransitionTime": now,
                "reason": reason,
                "message": f"kubelet {message}",
            }
            for type_, status, reason, message in healthy
        ],
        "addresses": [
            {"type": "InternalIP", "address": f"192.0.2.{10 + index}"},
            {"type": "Hostname", "address": name},
        ],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
        "nodeInfo": {
            "machineID": machine,
            "systemUUID": machine,
            "bootID": machine[::-1],
            "kernelVersion": "6.12.0-simulated",
            "osImage": "kscale-tui embedded cluster (simulated)",
            "containerRuntimeVersion": "containerd://2.1.4",
            "kubeletVersion": KUBELET_VERSION,
            "kubeProxyVersion": "",
            "operatingSystem": "linux",
            "architecture": "amd64",
        },
        "images": [
            {"names": list(names), "sizeBytes": 40 * _MEBI + 9_341_117 * len(names[0])}
            for names in _IMAGES
        ],
    }


_DNS_LABELS: Final = {
    "kubernetes.io/cluster-service": "true",
    "kubernetes.io/name": "CoreDNS",
}
"""What ``kubectl cluster-info`` looks for."""


_METRICS_ARGS: Final = [
    "--cert-dir=/tmp",
    "--secure-port=10250",
    "--kubelet-preferred-address-types=InternalIP,ExternalIP,Hostname",
    "--kubelet-use-node-status-port",
    "--metric-resolution=15s",
]


def create_system(api: Api) -> None:
    """The pods of kube-system, the DNS Service and the metrics API."""
    control = (
        ("etcd", "registry.k8s.io/etcd:3.6.1-0", "100m"),
        ("kube-apiserver", f"registry.k8s.io/kube-apiserver:{KUBELET_VERSION}", "250m"),
        (
            "kube-controller-manager",
            f"registry.k8s.io/kube-controller-manager:{KUBELET_VERSION}",
            "200m",
        ),
        ("kube-scheduler", f"registry.k8s.io/kube-scheduler:{KUBELET_VERSION}", "100m"),
    )
    for component, image, cpu in control:
        labels = {"component": component, "tier": "control-plane"}
        _create_pod(api, f"{component}-{CONTROL_PLANE}", CONTROL_PLANE, image, labels, cpu)
    proxy = f"registry.k8s.io/kube-proxy:{KUBELET_VERSION}"
    _create_daemon_set(api, "kube-proxy", proxy)
    proxy_config = {"metadata": {"name": "kube-proxy"}, "data": {"config.conf": _PROXY_CONFIG}}
    api.create(resources.CONFIG_MAPS, "kube-system", proxy_config, _KUBEADM)
    dns = "registry.k8s.io/coredns/coredns:v1.12.1"
    _create_deployment(
        api, "coredns", {"k8s-app": "kube-dns"}, dns, 2, {"cpu": "100m", "memory": "70Mi"}
    )
    metrics = "registry.k8s.io/metrics-server/metrics-server:v0.9.0"
    amounts = {"cpu": "100m", "memory": "200Mi"}
    _create_deployment(
        api, "metrics-server", {"k8s-app": "metrics-server"}, metrics, 1, amounts, _METRICS_ARGS
    )
    ports = [
        {"name": "dns", "port": 53, "protocol": "UDP", "targetPort": 53},
        {"name": "dns-tcp", "port": 53, "protocol": "TCP", "targetPort": 53},
    ]
    _create_service(api, "kube-dns", {"k8s-app": "kube-dns"}, ports, "10.96.0.10", _DNS_LABELS)
    https = [{"name": "https", "port": 443, "protocol": "TCP", "targetPort": 10250}]
    _create_service(api, "metrics-server", {"k8s-app": "metrics-server"}, https, "")
    _create_api_service(api)
    _create_storage_class(api)


_PROXY_CONFIG: Final = """\
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
clusterCIDR: 10.244.0.0/16
mode: iptables
"""


def _create_pod(
    api: Api, name: str, node: str, image: str, labels: dict[str, str], cpu: str
) -> None:
    container: Object = {"name": labels.get("component") or labels["k8s-app"], "image": image}
    if cpu:
        container["resources"] = {"requests": {"cpu": cpu}}
    spec = {
        "containers": [container],
        "nodeName": node,
        "hostNetwork": True,
        "priorityClassName": "system-node-critical",
        "priority": 2000001000,
        "tolerations": [{"operator": "Exists", "effect": "NoExecute"}],
    }
    data = {"metadata": {"name": name, "labels": labels}, "spec": spec}
    api.create(resources.PODS, "kube-system", data, KUBELET)


def _create_deployment(
    api: Api,
    name: str,
    labels: dict[str, str],
    image: str,
    replicas: int,
    requests: dict[str, str],
    args: list[str] | None = None,
) -> None:
    container: Object = {"name": name, "image": image, "resources": {"requests": requests}}
    if args:
        container["args"] = list(args)
    pod = {
        "containers": [container],
        "tolerations": [
            {"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"},
        ],
        "priorityClassName": "system-cluster-critical",
    }
    data: Object = {
        "metadata": {"name": name, "labels": dict(labels)},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": dict(labels)},
            "template": {"metadata": {"labels": dict(labels)}, "spec": pod},
        },
    }
    api.create(resources.DEPLOYMENTS, "kube-system", data, _KUBEADM)


def _create_daemon_set(api: Api, name: str, image: str) -> None:
    labels = {"k8s-app": name}
    pod = {
        "containers": [{"name": name, "image": image}],
        "hostNetwork": True,
        "priorityClassName": "system-node-critical",
        "tolerations": [{"operator": "Exists"}],
    }
    template = {"metadata": {"labels": dict(labels)}, "spec": pod}
    spec = {"selector": {"matchLabels": dict(labels)}, "template": template}
    data: Object = {"metadata": {"name": name, "labels": labels}, "spec": spec}
    api.create(resources.DAEMON_SETS, "kube-system", data, _KUBEADM)


def _create_service(
    api: Api,
    name: str,
    selector: dict[str, str],
    ports: list[Object],
    address: str,
    more: dict[str, str] | None = None,
) -> None:
    spec: Object = {"selector": selector, "ports": ports}
    if address:
        spec["clusterIP"] = address
    data: Object = {
        "metadata": {"name": name, "labels": {**selector, **(more or {})}},
        "spec": spec,
    }
    api.create(resources.SERVICES, "kube-system", data, _KUBEADM)


def _create_storage_class(api: Api) -> None:
    notes = {"storageclass.kubernetes.io/is-default-class": "true"}
    data: Object = {
        "metadata": {"name": "standard", "annotations": notes},
        "provisioner": PROVISIONER,
    }
    api.create(resources.STORAGE_CLASSES, "", data, _KUBEADM)


def _create_local_api_services(api: Api) -> None:
    own = {(one.group, one.version) for one in api.registry.all() if one.group in _PRIORITIES}
    for group, version in sorted(own):
        order = 30 if version == "v2" else 1 if not group else 15
        data: Object = {
            "metadata": {
                "name": f"{version}.{group}",
                "labels": {"kube-aggregator.kubernetes.io/automanaged": "onstart"},
            },
            "spec": {
                **({"group": group} if group else {}),
                "version": version,
                "groupPriorityMinimum": _PRIORITIES[group],
                "versionPriority": order,
            },
        }
        api.create(resources.API_SERVICES, "", data, API_SERVER)


def _create_api_service(api: Api) -> None:
    data: Object = {
        "metadata": {"name": "v1beta1.metrics.k8s.io", "labels": {"k8s-app": "metrics-server"}},
        "spec": {
            "service": {"namespace": "kube-system", "name": "metrics-server", "port": 443},
            "group": "metrics.k8s.io",
            "version": "v1beta1",
            "insecureSkipTLSVerify": True,
            "groupPriorityMinimum": 100,
            "versionPriority": 100,
        },
    }
    api.create(resources.API_SERVICES, "", data, _KUBEADM)
