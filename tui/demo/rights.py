"""The roles a cluster begins with, and who has them."""

from __future__ import annotations

from typing import Any, Final

from tui.demo import resources
from tui.demo.api.operations import API_SERVER, Api
from tui.demo.store import Object

_GROUP: Final = "rbac.authorization.k8s.io"
_READ: Final = ["get", "list", "watch"]
_WRITE: Final = ["create", "delete", "deletecollection", "patch", "update"]
_BOOTSTRAP: Final = {"kubernetes.io/bootstrapping": "rbac-defaults"}
_HEALTH: Final = ["/healthz", "/livez", "/readyz", "/version", "/version/"]

_SEEN: Final[dict[str, list[str]]] = {
    "": [
        *("configmaps", "endpoints", "events", "limitranges", "namespaces", "pods", "pods/log"),
        *("pods/status", "persistentvolumeclaims", "resourcequotas", "serviceaccounts"),
        *("services", "services/status"),
    ],
    "apps": [
        *("controllerrevisions", "daemonsets", "deployments", "deployments/scale"),
        *("replicasets", "replicasets/scale", "statefulsets", "statefulsets/scale"),
    ],
    "autoscaling": ["horizontalpodautoscalers", "horizontalpodautoscalers/status"],
    "batch": ["cronjobs", "jobs"],
    "discovery.k8s.io": ["endpointslices"],
    "events.k8s.io": ["events"],
    "metrics.k8s.io": ["pods", "nodes"],
    "networking.k8s.io": ["ingresses", "networkpolicies"],
    "policy": ["poddisruptionbudgets"],
}
_EDITED: Final[dict[str, list[str]]] = {
    "": [
        *("configmaps", "events", "persistentvolumeclaims", "pods", "pods/attach", "pods/eviction"),
        *("pods/exec", "pods/portforward", "pods/proxy", "secrets", "serviceaccounts"),
        *("services", "services/proxy"),
    ],
    **{group: names for group, names in _SEEN.items() if group not in ("", "metrics.k8s.io")},
}


def _rules(table: dict[str, list[str]], verbs: list[str]) -> list[Object]:
    return [
        {"apiGroups": [group], "resources": names, "verbs": verbs} for group, names in table.items()
    ]


def _roles() -> dict[str, list[Object]]:
    view = _rules(_SEEN, _READ)
    secrets = [{"apiGroups": [""], "resources": ["secrets"], "verbs": _READ}]
    edit = [*view, *secrets, *_rules(_EDITED, _WRITE)]
    own: list[Object] = [
        {"apiGroups": [_GROUP], "resources": ["roles", "rolebindings"], "verbs": _READ + _WRITE}
    ]
    every = ["*"]
    return {
        "cluster-admin": [
            {"apiGroups": every, "resources": every, "verbs": every},
            {"nonResourceURLs": every, "verbs": every},
        ],
        "admin": [*edit, *own],
        "edit": edit,
        "view": view,
        "system:basic-user": [
            {
                "apiGroups": ["authorization.k8s.io"],
                "resources": ["selfsubjectaccessreviews", "selfsubjectrulesreviews"],
                "verbs": ["create"],
            },
            {
                "apiGroups": ["authentication.k8s.io"],
                "resources": ["selfsubjectreviews"],
                "verbs": ["create"],
            },
        ],
        "system:public-info-viewer": [{"nonResourceURLs": _HEALTH, "verbs": ["get"]}],
        "system:discovery": [
            {
                "nonResourceURLs": [
                    *("/api", "/api/*", "/apis", "/apis/*", "/healthz", "/livez"),
                    *("/openapi", "/openapi/*", "/readyz", "/version", "/version/"),
                ],
                "verbs": ["get"],
            }
        ],
    }


_BINDINGS: Final = {
    "cluster-admin": "system:masters",
    "system:basic-user": "system:authenticated",
    "system:discovery": "system:authenticated",
    "system:public-info-viewer": "system:authenticated",
}


def create(api: Api) -> None:
    """Make the roles and bindings."""
    for name, rules in _roles().items():
        data: dict[str, Any] = {"metadata": {"name": name, "labels": dict(_BOOTSTRAP)}}
        api.create(resources.CLUSTER_ROLES, "", data | {"rules": rules}, API_SERVER)
    for name, group in _BINDINGS.items():
        binding: Object = {
            "metadata": {"name": name, "labels": dict(_BOOTSTRAP)},
            "roleRef": {"apiGroup": _GROUP, "kind": "ClusterRole", "name": name},
            "subjects": [{"kind": "Group", "apiGroup": _GROUP, "name": group}],
        }
        api.create(resources.CLUSTER_ROLE_BINDINGS, "", binding, API_SERVER)
