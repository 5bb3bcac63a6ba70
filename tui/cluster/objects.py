"""Kubernetes objects as they come over the wire, read one by one or by label. Nothing writes here.

Only the kinds of :data:`KINDS` are known: namespaced, without secrets or rights in them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, TypeAlias

Object: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True, order=True)
class KnownKind:
    """A kind that setups may hold."""

    kind: str
    api_version: str
    plural: str


KINDS: Final = tuple(
    KnownKind(*one)
    for one in (
        ("ConfigMap", "v1", "configmaps"),
        ("ServiceAccount", "v1", "serviceaccounts"),
        ("Service", "v1", "services"),
        ("Deployment", "apps/v1", "deployments"),
        ("StatefulSet", "apps/v1", "statefulsets"),
        ("DaemonSet", "apps/v1", "daemonsets"),
        ("HorizontalPodAutoscaler", "autoscaling/v2", "horizontalpodautoscalers"),
        ("PodDisruptionBudget", "policy/v1", "poddisruptionbudgets"),
        ("Ingress", "networking.k8s.io/v1", "ingresses"),
        ("NetworkPolicy", "networking.k8s.io/v1", "networkpolicies"),
    )
)
"""In the order of application: what others refer to comes first."""
_BY_KIND: Final = {known.kind: known for known in KINDS}


@dataclass(frozen=True, slots=True, order=True)
class Ref:
    """Which object, of a kind in :data:`KINDS`."""

    kind: str
    namespace: str
    name: str

    @property
    def known(self) -> KnownKind:
        """Its kind's API version and plural."""
        return _BY_KIND[self.kind]

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


def known_kind(kind: str) -> KnownKind | None:
    """The kind of that name, if setups may hold it."""
    return _BY_KIND.get(kind)
