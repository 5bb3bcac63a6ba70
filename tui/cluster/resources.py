"""What is listed and watched: where each kind lives in the API and how it is decoded."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import quote

import msgspec

from tui.cluster.decode import events, hpas, nodes, pods, services, workloads
from tui.cluster.decode.codec import Codec
from tui.state.rows import Kind


class Resource(msgspec.Struct, frozen=True):
    """A resource of the Kubernetes API."""

    kind: Kind
    root: str
    """``/api/v1`` or ``/apis/GROUP/VERSION``."""
    codec: Codec[Any]
    namespaced: bool = True
    keep: int | None = None
    """Keep only so many of the newest; None for all."""

    @property
    def plural(self) -> str:
        """The resource's name in paths and in rules of RBAC."""
        return self.kind.value

    @property
    def group_version(self) -> str:
        """``v1`` or ``GROUP/VERSION``."""
        return self.root.removeprefix("/apis/").removeprefix("/api/")

    def path(self, namespace: str | None) -> str:
        """The path of the collection; ``None`` is all namespaces."""
        if namespace is None or not self.namespaced:
            return f"{self.root}/{self.plural}"
        return f"{self.root}/namespaces/{quote(namespace, safe='')}/{self.plural}"

    def where(self, namespace: str | None) -> str:
        """The scope in words."""
        if not self.namespaced:
            return "in the cluster"
        return "in all namespaces" if namespace is None else f"in namespace {namespace}"


_CORE: Final = "/api/v1"
_APPS: Final = "/apis/apps/v1"

RESOURCES: Final[dict[Kind, Resource]] = {
    r.kind: r
    for r in (
        Resource(Kind.PODS, _CORE, Codec(pods.Pod, pods.project)),
        Resource(Kind.HPAS, "/apis/autoscaling/v2", Codec(hpas.Hpa, hpas.project)),
        Resource(Kind.DEPLOYMENTS, _APPS, Codec(workloads.Workload, workloads.deployment)),
        Resource(Kind.REPLICASETS, _APPS, Codec(workloads.Workload, workloads.replicaset)),
        Resource(Kind.STATEFULSETS, _APPS, Codec(workloads.Workload, workloads.statefulset)),
        Resource(Kind.NODES, _CORE, Codec(nodes.Node, nodes.project), namespaced=False),
        Resource(Kind.SERVICES, _CORE, Codec(services.Service, services.service)),
        Resource(
            Kind.ENDPOINTSLICES,
            "/apis/discovery.k8s.io/v1",
            Codec(services.EndpointSlice, services.endpointslice),
        ),
        Resource(Kind.EVENTS, _CORE, Codec(events.Event, events.project), keep=1000),
    )
}
"""In the order in which they are asked for: what the eye looks at first comes first."""
