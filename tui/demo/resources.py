"""The types the embedded cluster serves: one `Resource` for each group, version and plural."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tui.demo.resource import ALL_BUT_COLLECTION, CREATE_ONLY, READ_ONLY
from tui.demo.resource import Resource as Resource

_ALL_CATEGORY: Final = ("all",)
_API_EXTENSIONS: Final = ("api-extensions",)

NAMESPACES: Final = Resource(
    "",
    "v1",
    "namespaces",
    "Namespace",
    False,
    short_names=("ns",),
    status=True,
    others=("finalize",),
    verbs=ALL_BUT_COLLECTION,
)
NODES: Final = Resource("", "v1", "nodes", "Node", False, short_names=("no",), status=True)
PODS: Final = Resource(
    "",
    "v1",
    "pods",
    "Pod",
    short_names=("po",),
    categories=_ALL_CATEGORY,
    status=True,
    others=(
        "log",
        "binding",
        "eviction",
        "exec",
        "attach",
        "portforward",
        "proxy",
        "ephemeralcontainers",
    ),
    counts_generation=True,
)
SERVICES: Final = Resource(
    "",
    "v1",
    "services",
    "Service",
    short_names=("svc",),
    categories=_ALL_CATEGORY,
    status=True,
    others=("proxy",),
)
ENDPOINTS: Final = Resource("", "v1", "endpoints", "Endpoints", short_names=("ep",))
CONFIG_MAPS: Final = Resource("", "v1", "configmaps", "ConfigMap", short_names=("cm",))
SECRETS: Final = Resource("", "v1", "secrets", "Secret")
RESOURCE_QUOTAS: Final = Resource(
    "", "v1", "resourcequotas", "ResourceQuota", short_names=("quota",), status=True
)
LIMIT_RANGES: Final = Resource("", "v1", "limitranges", "LimitRange", short_names=("limits",))
SERVICE_ACCOUNTS: Final = Resource(
    "", "v1", "serviceaccounts", "ServiceAccount", short_names=("sa",), others=("token",)
)
VOLUMES: Final = Resource(
    "", "v1", "persistentvolumes", "PersistentVolume", False, short_names=("pv",), status=True
)
VOLUME_CLAIMS: Final = Resource(
    "", "v1", "persistentvolumeclaims", "PersistentVolumeClaim", short_names=("pvc",), status=True
)
EVENTS: Final = Resource("", "v1", "events", "Event", short_names=("ev",))
EVENTS_V1: Final = Resource(
    "events.k8s.io", "v1", "events", "Event", short_names=("ev",), alias_of=EVENTS
)
ENDPOINT_SLICES: Final = Resource(
    "discovery.k8s.io", "v1", "endpointslices", "EndpointSlice", counts_generation=True
)
DEPLOYMENTS: Final = Resource(
    "apps",
    "v1",
    "deployments",
    "Deployment",
    short_names=("deploy",),
    categories=_ALL_CATEGORY,
    status=True,
    scale=True,
    counts_generation=True,
)
REPLICA_SETS: Final = Resource(
    "apps",
    "v1",
    "replicasets",
    "ReplicaSet",
    short_names=("rs",),
    categories=_ALL_CATEGORY,
    status=True,
    scale=True,
    counts_generation=True,
)
STATEFUL_SETS: Final = Resource(
    "apps",
    "v1",
    "statefulsets",
    "StatefulSet",
    short_names=("sts",),
    categories=_ALL_CATEGORY,
    status=True,
    scale=True,
    counts_generation=True,
)
DAEMON_SETS: Final = Resource(
    "apps",
    "v1",
    "daemonsets",
    "DaemonSet",
    short_names=("ds",),
    categories=_ALL_CATEGORY,
    status=True,
    counts_generation=True,
)
CONTROLLER_REVISIONS: Final = Resource("apps", "v1", "controllerrevisions", "ControllerRevision")
JOBS: Final = Resource(
    "batch", "v1", "jobs", "Job", categories=_ALL_CATEGORY, status=True, counts_generation=True
)
CRON_JOBS: Final = Resource(
    "batch",
    "v1",
    "cronjobs",
    "CronJob",
    short_names=("cj",),
    categories=_ALL_CATEGORY,
    status=True,
    counts_generation=True,
)
HPAS: Final = Resource(
    "autoscaling",
    "v2",
    "horizontalpodautoscalers",
    "HorizontalPodAutoscaler",
    short_names=("hpa",),
    categories=_ALL_CATEGORY,
    status=True,
)
HPAS_V1: Final = Resource(
    "autoscaling",
    "v1",
    "horizontalpodautoscalers",
    "HorizontalPodAutoscaler",
    short_names=("hpa",),
    categories=_ALL_CATEGORY,
    status=True,
    alias_of=HPAS,
)
DISRUPTION_BUDGETS: Final = Resource(
    "policy",
    "v1",
    "poddisruptionbudgets",
    "PodDisruptionBudget",
    short_names=("pdb",),
    status=True,
    counts_generation=True,
)
INGRESSES: Final = Resource(
    "networking.k8s.io",
    "v1",
    "ingresses",
    "Ingress",
    short_names=("ing",),
    status=True,
    counts_generation=True,
)
INGRESS_CLASSES: Final = Resource(
    "networking.k8s.io", "v1", "ingressclasses", "IngressClass", False, counts_generation=True
)
NETWORK_POLICIES: Final = Resource(
    "networking.k8s.io",
    "v1",
    "networkpolicies",
    "NetworkPolicy",
    short_names=("netpol",),
    counts_generation=True,
)
ROLES: Final = Resource("rbac.authorization.k8s.io", "v1", "roles", "Role")
ROLE_BINDINGS: Final = Resource("rbac.authorization.k8s.io", "v1", "rolebindings", "RoleBinding")
CLUSTER_ROLES: Final = Resource(
    "rbac.authorization.k8s.io", "v1", "clusterroles", "ClusterRole", False
)
CLUSTER_ROLE_BINDINGS: Final = Resource(
    "rbac.authorization.k8s.io", "v1", "clusterrolebindings", "ClusterRoleBinding", False
)
STORAGE_CLASSES: Final = Resource(
    "storage.k8s.io", "v1", "storageclasses", "StorageClass", False, short_names=("sc",)
)
PRIORITY_CLASSES: Final = Resource(
    "scheduling.k8s.io",
    "v1",
    "priorityclasses",
    "PriorityClass",
    False,
    short_names=("pc",),
    counts_generation=True,
)
LEASES: Final = Resource("coordination.k8s.io", "v1", "leases", "Lease")
VALIDATING_WEBHOOKS: Final = Resource(
    "admissionregistration.k8s.io",
    "v1",
    "validatingwebhookconfigurations",
    "ValidatingWebhookConfiguration",
    False,
    categories=_API_EXTENSIONS,
    counts_generation=True,
)
MUTATING_WEBHOOKS: Final = Resource(
    "admissionregistration.k8s.io",
    "v1",
    "mutatingwebhookconfigurations",
    "MutatingWebhookConfiguration",
    False,
    categories=_API_EXTENSIONS,
    counts_generation=True,
)
DEFINITIONS: Final = Resource(
    "apiextensions.k8s.io",
    "v1",
    "customresourcedefinitions",
    "CustomResourceDefinition",
    False,
    short_names=("crd", "crds"),
    categories=_API_EXTENSIONS,
    status=True,
    counts_generation=True,
)
API_SERVICES: Final = Resource(
    "apiregistration.k8s.io",
    "v1",
    "apiservices",
    "APIService",
    False,
    categories=_API_EXTENSIONS,
    status=True,
)
NODE_METRICS: Final = Resource(
    "metrics.k8s.io", "v1beta1", "nodes", "NodeMetrics", False, verbs=READ_ONLY
)
POD_METRICS: Final = Resource("metrics.k8s.io", "v1beta1", "pods", "PodMetrics", verbs=READ_ONLY)
ACCESS_REVIEWS: Final = Resource(
    "authorization.k8s.io",
    "v1",
    "selfsubjectaccessreviews",
    "SelfSubjectAccessReview",
    False,
    verbs=CREATE_ONLY,
)
RULES_REVIEWS: Final = Resource(
    "authorization.k8s.io",
    "v1",
    "selfsubjectrulesreviews",
    "SelfSubjectRulesReview",
    False,
    verbs=CREATE_ONLY,
)
SUBJECT_ACCESS_REVIEWS: Final = Resource(
    "authorization.k8s.io",
    "v1",
    "subjectaccessreviews",
    "SubjectAccessReview",
    False,
    verbs=CREATE_ONLY,
)
LOCAL_ACCESS_REVIEWS: Final = Resource(
    "authorization.k8s.io",
    "v1",
    "localsubjectaccessreviews",
    "LocalSubjectAccessReview",
    verbs=CREATE_ONLY,
)
SELF_REVIEWS: Final = Resource(
    "authentication.k8s.io",
    "v1",
    "selfsubjectreviews",
    "SelfSubjectReview",
    False,
    verbs=CREATE_ONLY,
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
    LIMIT_RANGES,
    VOLUMES,
    VOLUME_CLAIMS,
    EVENTS,
    API_SERVICES,
    DEPLOYMENTS,
    REPLICA_SETS,
    STATEFUL_SETS,
    DAEMON_SETS,
    CONTROLLER_REVISIONS,
    EVENTS_V1,
    SELF_REVIEWS,
    ACCESS_REVIEWS,
    RULES_REVIEWS,
    SUBJECT_ACCESS_REVIEWS,
    LOCAL_ACCESS_REVIEWS,
    HPAS,
    HPAS_V1,
    JOBS,
    CRON_JOBS,
    INGRESSES,
    INGRESS_CLASSES,
    NETWORK_POLICIES,
    DISRUPTION_BUDGETS,
    ROLES,
    ROLE_BINDINGS,
    CLUSTER_ROLES,
    CLUSTER_ROLE_BINDINGS,
    STORAGE_CLASSES,
    VALIDATING_WEBHOOKS,
    MUTATING_WEBHOOKS,
    DEFINITIONS,
    PRIORITY_CLASSES,
    LEASES,
    ENDPOINT_SLICES,
    NODE_METRICS,
    POD_METRICS,
)

_BY_PATH: Final = {(r.group, r.version, r.plural): r for r in SERVED}
_BY_KIND: Final = {(r.group_version, r.kind): r for r in SERVED}


def find(group: str, version: str, plural: str) -> Resource | None:
    """The built-in resource at ``/apis/group/version/plural``."""
    return _BY_PATH.get((group, version, plural))


def find_kind(group_version: str, kind: str) -> Resource | None:
    """The built-in resource whose objects carry this ``apiVersion`` and ``kind``."""
    return _BY_KIND.get((group_version, kind))


def stored() -> Iterator[Resource]:
    """The built-in resources that have objects of their own in the store."""
    return (r for r in SERVED if r.stored and not r.alias_of)
