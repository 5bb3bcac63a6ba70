"""Derives the schemas of the served types from the OpenAPI documents of a real API server.

``python -m tests.demo.schematable DIRECTORY``, with what a Kubernetes API server answers at each
``/openapi/v3/...`` in a file of its own, writes ``tui/demo/api/schemas.json`` anew: one schema a
line. (The ``api/openapi-spec/v3`` directory of a release lacks the values of enumerations.)
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

TABLE = Path(__file__).parents[2] / "tui" / "demo" / "api" / "schemas.json"
_API = "io.k8s.api"
_META = "io.k8s.apimachinery.pkg.apis.meta.v1"
_KINDS = {
    f"{_API}.core.v1": (
        "Namespace Node Pod Service Endpoints ConfigMap Secret ServiceAccount ResourceQuota Event "
        "PersistentVolume PersistentVolumeClaim LimitRange Binding"
    ),
    f"{_API}.apps.v1": "Deployment ReplicaSet StatefulSet DaemonSet ControllerRevision",
    f"{_API}.batch.v1": "Job CronJob",
    f"{_API}.policy.v1": "PodDisruptionBudget Eviction",
    f"{_API}.rbac.v1": "Role RoleBinding ClusterRole ClusterRoleBinding",
    f"{_API}.storage.v1": "StorageClass",
    f"{_API}.coordination.v1": "Lease",
    f"{_API}.scheduling.v1": "PriorityClass",
    f"{_API}.networking.v1": "NetworkPolicy IngressClass Ingress",
    f"{_API}.admissionregistration.v1": (
        "ValidatingWebhookConfiguration MutatingWebhookConfiguration"
    ),
    f"{_API}.autoscaling.v1": "HorizontalPodAutoscaler Scale",
    f"{_API}.autoscaling.v2": "HorizontalPodAutoscaler",
    f"{_API}.discovery.v1": "EndpointSlice",
    f"{_API}.events.v1": "Event",
    f"{_API}.authentication.v1": "SelfSubjectReview",
    f"{_API}.authorization.v1": (
        "SelfSubjectAccessReview SelfSubjectRulesReview SubjectAccessReview "
        "LocalSubjectAccessReview"
    ),
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1": "CustomResourceDefinition",
    "io.k8s.kube-aggregator.pkg.apis.apiregistration.v1": "APIService",
    _META: "Status DeleteOptions",
}
Schemas = dict[str, dict[str, Any]]


def read(directory: Path) -> Schemas:
    """All schemas of all documents."""
    found: Schemas = {}
    for path in sorted(directory.glob("*.json")):
        document = msgspec.json.decode(path.read_bytes())
        found |= document.get("components", {}).get("schemas", {})
    return found


def references(schema: Any) -> Iterator[str]:
    """The names that a schema refers to."""
    if isinstance(schema, list):
        for one in schema:
            yield from references(one)
    elif isinstance(schema, dict):
        for key, one in schema.items():
            if key == "$ref" and isinstance(one, str):
                yield one.rpartition("/")[2]
            else:
                yield from references(one)


def table(everything: Schemas) -> Schemas:
    """What can be reached from the served kinds."""
    found: Schemas = {}
    waiting = [f"{package}.{kind}" for package, kinds in _KINDS.items() for kind in kinds.split()]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = everything[name]
            waiting += references(everything[name])
    found[f"{_META}.DeleteOptions"].pop("x-kubernetes-group-version-kind", None)
    return dict(sorted(found.items()))


if __name__ == "__main__":
    lines = [
        f'"{name}":{msgspec.json.encode(schema, order="sorted").decode()}'
        for name, schema in table(read(Path(sys.argv[1]))).items()
    ]
    TABLE.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
