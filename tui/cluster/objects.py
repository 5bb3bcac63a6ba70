"""Kubernetes objects as they come over the wire, read one by one or by label. Nothing writes here.

Only the kinds of :data:`KINDS` are known: namespaced, without secrets or rights in them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from tui.cluster import shapes
from tui.cluster.errors import ApiError, Fault, one_line
from tui.cluster.halt import Halt
from tui.cluster.ownership import Object
from tui.cluster.transport import Transport, path

__all__ = [
    "EVENTS",
    "KINDS",
    "PODS",
    "REPLICA_SETS",
    "KnownKind",
    "Listing",
    "Object",
    "Objects",
    "Ref",
    "known_kind",
    "path_of",
]

_PAGE: Final = 250
_MOST_PAGES: Final = 40
_TAIL: Final = 30
_GRAVE: Final = re.compile(r"(?i)\b(emerg|fatal|panic|error|exception|traceback)\b")


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


@dataclass(frozen=True, slots=True)
class Listing:
    """A collection of objects that are read but never part of a setup."""

    api_version: str
    plural: str


PODS: Final = Listing("v1", "pods")
REPLICA_SETS: Final = Listing("apps/v1", "replicasets")
EVENTS: Final = Listing("v1", "events")


def path_of(api_version: str, plural: str, namespace: str, name: str = "") -> str:
    """The API path of an object, or of a namespace's collection."""
    group = ("apis", *api_version.split("/")) if "/" in api_version else ("api", api_version)
    return path(*group, "namespaces", namespace, plural, *([name] if name else []))


class Objects:
    """Reads whole objects. Every method raises :class:`ApiError` and nothing else; what it returns
    has the shape that :mod:`tui.cluster.shapes` describes.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def get(self, ref: Ref, halt: Halt | None = None) -> Object | None:
        """An object; None if there is none of that name, or no such kind in this cluster."""
        known = ref.known
        where = path_of(known.api_version, known.plural, ref.namespace, ref.name)
        try:
            return shapes.one(self._transport.get(where, halt=halt).body, known.plural)
        except ApiError as error:
            if error.kind is Fault.NOT_FOUND:
                return None
            raise

    def list(
        self,
        what: KnownKind | Listing,
        namespace: str,
        selector: str = "",
        fields: str = "",
        halt: Halt | None = None,
    ) -> list[Object]:
        """A namespace's objects by label and field selector; none where the kind is unknown."""
        where = path_of(what.api_version, what.plural, namespace)
        query: dict[str, str | int | bool] = {"limit": _PAGE}
        if selector:
            query["labelSelector"] = selector
        if fields:
            query["fieldSelector"] = fields
        found: list[Object] = []
        for _ in range(_MOST_PAGES):
            try:
                answer = self._transport.get(where, query, halt=halt)
            except ApiError as error:
                if error.kind is Fault.NOT_FOUND:
                    return []
                raise
            items, token = shapes.page(answer.body, what.plural)
            found += items
            if not token:
                break
            query["continue"] = token
        return found

    def last_line(self, namespace: str, pod: str, container: str, halt: Halt | None = None) -> str:
        """What a container printed last before it ended; empty if that cannot be had."""
        where = path_of("v1", "pods", namespace, pod) + "/log"
        query: dict[str, str | int | bool] = {
            "container": container,
            "previous": True,
            "tailLines": _TAIL,
            "limitBytes": 16_384,
        }
        try:
            body = self._transport.get(where, query, accept="*/*", halt=halt).body
        except ApiError as error:
            if error.kind is Fault.STOPPED:
                raise
            return ""
        lines = [line for line in body.decode("utf-8", "replace").splitlines() if line.strip()]
        # The line that says why, if there is one, is often not the very last.
        grave = [line for line in lines if _GRAVE.search(line)]
        return one_line((grave or lines or [""])[-1])
