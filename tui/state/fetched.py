"""What is asked of the cluster beyond the tables: declared as values, answered one by one.

A rule of the doctor says what it needs as a :data:`Fetch`; a thread performs it and puts an
:class:`Answer` into the store. Fetches compare by value, so two rules that need the same share it.
A Secret is never among them.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TypeAlias

import msgspec


class ApiServiceFetch(msgspec.Struct, frozen=True):
    """The state of an aggregated API, such as ``v1beta1.metrics.k8s.io``."""

    name: str


class ConfigMapFetch(msgspec.Struct, frozen=True):
    """A ConfigMap that a pod mounts."""

    namespace: str
    name: str


class AutoscalersFetch(msgspec.Struct, frozen=True):
    """The VerticalPodAutoscalers of a namespace."""

    namespace: str


class ReplicasOwnersFetch(msgspec.Struct, frozen=True):
    """Who manages ``spec.replicas`` of a workload."""

    kind: str
    """Deployment, ReplicaSet or StatefulSet."""
    namespace: str
    name: str


class LogFetch(msgspec.Struct, frozen=True):
    """Lines at the end of a container's log that hold one of some words. The rest is not kept."""

    namespace: str
    pod: str
    """A pod's name; empty: the newest pod that has :attr:`labels`."""
    words: tuple[str, ...]
    container: str = ""
    labels: str = ""
    """A label selector, such as ``k8s-app=metrics-server``."""
    previous: bool = False
    """Of the run before as well, as of a container that has just crashed."""


class PathFetch(msgspec.Struct, frozen=True):
    """GET of a path of a Service, by whatever way leads there from here."""

    namespace: str
    service: str
    port: int
    path: str


class NodePortFetch(msgspec.Struct, frozen=True):
    """Whether a Service's node port can be connected to from here."""

    namespace: str
    service: str
    port: int
    """The Service's port."""


class ClockFetch(msgspec.Struct, frozen=True):
    """How far the API server's clock is from ours, by the Date of its answers."""


class IngressesFetch(msgspec.Struct, frozen=True):
    """The Ingresses of a namespace that rewrite paths."""

    namespace: str


Fetch: TypeAlias = (
    ApiServiceFetch
    | ConfigMapFetch
    | AutoscalersFetch
    | ReplicasOwnersFetch
    | LogFetch
    | PathFetch
    | NodePortFetch
    | ClockFetch
    | IngressesFetch
)


class ApiServiceFact(msgspec.Struct, frozen=True):
    """The Available condition of an APIService, and who stands behind it."""

    available: str
    """True, False or Unknown."""
    reason: str = ""
    """``MissingEndpoints``, ``FailedDiscoveryCheck``, ``ServiceNotFound``…"""
    message: str = ""
    service: str = ""
    """``namespace/name`` of the backend; empty for one built into the API server."""
    since: float | None = None


class ConfigMapFact(msgspec.Struct, frozen=True):
    """A ConfigMap's text."""

    data: tuple[tuple[str, str], ...]
    """Keys with their text, sorted; long texts are cut."""
    changed: float
    """When its data was last written: by managedFields, else its creation."""


class AutoscalerFact(msgspec.Struct, frozen=True):
    """A VerticalPodAutoscaler."""

    name: str
    target_kind: str
    target_name: str
    mode: str
    """``updatePolicy.updateMode``: Auto, Recreate, InPlaceOrRecreate, Initial or Off."""
    resources: tuple[str, ...]
    """What it sets: cpu, memory."""


class AutoscalersFact(msgspec.Struct, frozen=True):
    """The VerticalPodAutoscalers of a namespace."""

    found: tuple[AutoscalerFact, ...] = ()


class ReplicasOwner(msgspec.Struct, frozen=True):
    """A field manager that owns ``spec.replicas``."""

    manager: str
    operation: str
    """Apply or Update."""
    at: float | None = None


class ReplicasOwnersFact(msgspec.Struct, frozen=True):
    """Who last wrote ``spec.replicas``, and who will again."""

    owners: tuple[ReplicasOwner, ...] = ()
    applied: bool = False
    """Whether the manifest that ``kubectl apply`` keeps in an annotation has the field."""
    labels: tuple[tuple[str, str], ...] = ()
    """Of those that Helm, Argo CD and Flux put on what they manage."""


class LogFact(msgspec.Struct, frozen=True):
    """Lines of a log, oldest first, each cut."""

    pod: str
    lines: tuple[str, ...] = ()


class PathFact(msgspec.Struct, frozen=True):
    """The answer to a GET."""

    status: int
    way: str
    """By which way it was asked, in a few words."""


class NodePortFact(msgspec.Struct, frozen=True):
    """Whether a node port could be connected to."""

    port: int
    reached: bool
    tried: tuple[str, ...] = ()
    """Each address that was tried, and how it failed."""
    hint: str = ""
    """What opens it on this kind of cluster, as a sentence."""


class ClockFact(msgspec.Struct, frozen=True):
    """Whole seconds by which the API server's clock is ahead of ours."""

    ahead: int


class IngressFact(msgspec.Struct, frozen=True):
    """An Ingress with a rewriting annotation."""

    name: str
    rewrite: str
    paths: tuple[str, ...] = ()


class IngressesFact(msgspec.Struct, frozen=True):
    """The rewriting Ingresses of a namespace."""

    found: tuple[IngressFact, ...] = ()


Fact: TypeAlias = (
    ApiServiceFact
    | ConfigMapFact
    | AutoscalersFact
    | ReplicasOwnersFact
    | LogFact
    | PathFact
    | NodePortFact
    | ClockFact
    | IngressesFact
)


class Result(StrEnum):
    """How a fetch ended."""

    FOUND = "found"
    ABSENT = "absent"
    """404: it is known not to be there."""
    FORBIDDEN = "forbidden"
    FAILED = "failed"
    """No answer, or one that could not be read. Nothing follows from it."""


class Answer(msgspec.Struct, frozen=True):
    """What a fetch brought. One that says the same as before is the same object."""

    result: Result
    fact: Fact | None = None
    """Set where the result is FOUND."""
    at: float = 0.0
    """When it was first so."""
