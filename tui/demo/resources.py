"""The types the embedded cluster serves: one `Resource` for each group, version and plural."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_READ: Final = ("get", "list")
_ALL: Final = (
    "create",
    "delete",
    "deletecollection",
    "get",
    "list",
    "patch",
    "update",
    "watch",
)


@dataclass(frozen=True, slots=True)
class Resource:
    """One served type."""

    group: str
    """API group; ``""`` is the core group."""
    version: str
    plural: str
    kind: str
    namespaced: bool = True
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    status: bool = False
    """Has a status subresource, so a plain update leaves the status alone."""
    scale: bool = False
    others: tuple[str, ...] = ()
    """Further subresources, such as ``log``."""
    verbs: tuple[str, ...] = _ALL
    alias_of: str = ""
    """The storage name, where another version of the same objects is the one stored."""
    counts_generation: bool = False
    """A change of the spec raises ``metadata.generation``."""

    @property
    def group_version(self) -> str:
        """``apps/v1``; the core group has the version alone."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def qualified(self) -> str:
        """``deployments.apps``, the name errors use; the core group has the plural alone."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def qualified_kind(self) -> str:
        """``Deployment.apps``."""
        return f"{self.kind}.{self.group}" if self.group else self.kind

    @property
    def storage(self) -> str:
        """The name under which the store keeps the objects."""
        return self.alias_of or self.qualified

    @property
    def stored(self) -> bool:
        """False for what is computed at each request, such as metrics."""
        return self.verbs != _READ and self.verbs != ("create",)

    @property
    def singular(self) -> str:
        """The name a user may type instead of the plural."""
        return self.kind.lower()

    def has(self, subresource: str) -> bool:
        """Whether the subresource is served."""
        return (
            (subresource == "status" and self.status)
            or (subresource == "scale" and self.scale)
            or subresource in self.others
        )


_ALL_CATEGORY: Final = ("all",)

NAMESPACES: Final = Resource(
    "", "v1", "namespaces", "Namespace", False, ("ns",), status=True, others=("finalize",)
)
NODES: Final = Resource("", "v1", "nodes", "Node", False, ("no",), status=True)
PODS: Final = Resource(
    "",
    "v1",
    "pods",
    "Pod",
    True,
    ("po",),
    _ALL_CATEGORY,
    status=True,
    others=("log", "binding", "eviction"),
    counts_generation=True,
)
SERVICES: Final = Resource(
    "", "v1", "services", "Service", True, ("svc",), _ALL_CATEGORY, status=True
)
ENDPOINTS: Final = Resource("", "v1", "endpoints", "Endpoints", True, ("ep",))
CONFIG_MAPS: Final = Resource("", "v1", "configmaps", "ConfigMap", True, ("cm",))
SECRETS: Final = Resource("", "v1", "secrets", "Secret")
RESOURCE_QUOTAS: Final = Resource(
    "", "v1", "resourcequotas", "ResourceQuota", True, ("quota",), status=True
)
SERVICE_ACCOUNTS: Final = Resource("", "v1", "serviceaccounts", "ServiceAccount", True, ("sa",))
EVENTS: Final = Resource("", "v1", "events", "Event", True, ("ev",))
ENDPOINT_SLICES: Final = Resource(
    "discovery.k8s.io", "v1", "endpointslices", "EndpointSlice", counts_generation=True
)
DEPLOYMENTS: Final = Resource(
    "apps",
    "v1",
    "deployments",
    "Deployment",
    True,
    ("deploy",),
    _ALL_CATEGORY,
    status=True,
    scale=True,
    counts_generation=True,
)
REPLICA_SETS: Final = Resource(
    "apps",
    "v1",
    "replicasets",
    "ReplicaSet",
    True,
    ("rs",),
    _ALL_CATEGORY,
    status=True,
    scale=True,
    counts_generation=True,
)
STATEFUL_SETS: Final = Resource(
    "apps",
    "v1",
    "statefulsets",
    "StatefulSet",
    True,
    ("sts",),
    _ALL_CATEGORY,
    status=True,
    scale=True,
    counts_generation=True,
)
HPAS: Final = Resource(
    "autoscaling",
    "v2",
    "horizontalpodautoscalers",
    "HorizontalPodAutoscaler",
    True,
    ("hpa",),
    _ALL_CATEGORY,
    status=True,
)
HPAS_V1: Final = Resource(
    "autoscaling",
    "v1",
    "horizontalpodautoscalers",
    "HorizontalPodAutoscaler",
    True,
    ("hpa",),
    _ALL_CATEGORY,
    status=True,
    alias_of=HPAS.qualified,
)
INGRESSES: Final = Resource(
    "networking.k8s.io",
    "v1",
    "ingresses",
    "Ingress",
    True,
    ("ing",),
    status=True,
    counts_generation=True,
)
API_SERVICES: Final = Resource(
    "apiregistration.k8s.io", "v1", "apiservices", "APIService", False, status=True
)
NODE_METRICS: Final = Resource(
    "metrics.k8s.io", "v1beta1", "nodes", "NodeMetrics", False, verbs=_READ
)
POD_METRICS: Final = Resource("metrics.k8s.io", "v1beta1", "pods", "PodMetrics", verbs=_READ)
ACCESS_REVIEWS: Final = Resource(
    "authorization.k8s.io",
    "v1",
    "selfsubjectaccessreviews",
    "SelfSubjectAccessReview",
    False,
    verbs=("create",),
)

SERVED: Final[tuple[Resource, ...]] = (
    NAMESPACES,
    NODES,
    PODS,
    SERVICES,
    ENDPOINTS,
    CONFIG_MAPS,
    SECRETS,
    SERVICE_ACCOUNTS,
    RESOURCE_QUOTAS,
    EVENTS,
    API_SERVICES,
    DEPLOYMENTS,
    REPLICA_SETS,
    STATEFUL_SETS,
    ACCESS_REVIEWS,
    HPAS,
    HPAS_V1,
    INGRESSES,
    ENDPOINT_SLICES,
    NODE_METRICS,
    POD_METRICS,
)

_BY_PATH: Final = {(r.group, r.version, r.plural): r for r in SERVED}
_BY_KIND: Final = {(r.group_version, r.kind): r for r in SERVED}


def find(group: str, version: str, plural: str) -> Resource | None:
    """The resource at ``/apis/group/version/plural``."""
    return _BY_PATH.get((group, version, plural))


def find_kind(group_version: str, kind: str) -> Resource | None:
    """The resource whose objects carry this ``apiVersion`` and ``kind``."""
    return _BY_KIND.get((group_version, kind))


def versions() -> dict[str, list[str]]:
    """Group → its versions, the preferred first, in order of service."""
    found: dict[str, list[str]] = {}
    for resource in SERVED:
        seen = found.setdefault(resource.group, [])
        if resource.version not in seen:
            seen.append(resource.version)
    return found


def in_group(group: str, version: str) -> Iterator[Resource]:
    """What one group version serves."""
    return (r for r in SERVED if r.group == group and r.version == version)


def find_stored(resource: Resource) -> Resource:
    """The resource whose version is the stored one; mostly the same."""
    if not resource.alias_of:
        return resource
    return next(r for r in SERVED if r.qualified == resource.alias_of and not r.alias_of)
