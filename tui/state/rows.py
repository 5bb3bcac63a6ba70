"""One row a Kubernetes object, with only the fields that are shown or reckoned with.

Units, everywhere in the package: CPU in millicores, memory in bytes, other quantities in
thousandths (as the HPA controller holds them), instants in seconds since the epoch. An absent
figure is ``None``, never 0.

Rows compare by value: a watch event that changes nothing shown makes an equal row, and an equal
row is no change.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import TypeAlias

import msgspec

from tui.state.containers import ConfigMount as ConfigMount
from tui.state.containers import ContainerRow as ContainerRow
from tui.state.containers import Ending as Ending
from tui.state.containers import PodRequests as PodRequests

Labels: TypeAlias = tuple[tuple[str, str], ...]
"""Sorted pairs. Objects with equal labels share one tuple."""


class Kind(StrEnum):
    """The tables of the store: what is listed and watched, one informer each."""

    PODS = "pods"
    DEPLOYMENTS = "deployments"
    REPLICASETS = "replicasets"
    STATEFULSETS = "statefulsets"
    SERVICES = "services"
    ENDPOINTSLICES = "endpointslices"
    HPAS = "horizontalpodautoscalers"
    NODES = "nodes"
    EVENTS = "events"


class Row(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What every row has."""

    uid: str
    name: str
    namespace: str = ""
    created: float = 0.0


class Owner(msgspec.Struct, frozen=True, gc=False):
    """The controller among an object's ownerReferences."""

    kind: str
    name: str
    uid: str


class PodRow(Row, frozen=True, gc=False, kw_only=True):
    """A pod, its status in kubectl's words."""

    labels: Labels = ()
    owner: Owner | None = None
    phase: str = ""
    status: str = ""
    """What ``kubectl get pods`` prints under STATUS: Running, CrashLoopBackOff, Terminating…"""
    message: str = ""
    """Why it waits or failed, as the kubelet or the scheduler put it."""
    containers: tuple[ContainerRow, ...] = ()
    """The containers, and the init containers that stay (sidecars), as the HPA counts them."""
    whole: PodRequests | None = None
    """None where the pod leaves its requests to its containers."""
    placed_by: PodRequests | None = None
    """What the scheduler counts, where that is not the sum over the containers: the pod's own
    requests, more than that for an init container, the runtime's overhead.
    """
    ready_containers: int = 0
    total_containers: int = 0
    ready: bool | None = None
    """The Ready condition; None until the kubelet has set it."""
    unknown: bool = False
    """Whether Ready is Unknown, as on a node that is no longer heard; ``ready`` is False then."""
    ready_since: float | None = None
    """When the Ready condition last changed, either way."""
    scheduled: float | None = None
    started: float | None = None
    deleting: float | None = None
    restarts: int = 0
    last_restart: float | None = None
    ending: Ending | None = None
    """None while no container has ended."""
    node: str = ""
    ip: str = ""

    @property
    def cpu_request(self) -> int | None:
        """The pod's own, else summed over the containers; None when one asks for none.

        So the HPA sees it.
        """
        if self.whole is not None:
            return self.whole.cpu
        return _sum(c.cpu_request for c in self.containers)

    @property
    def cpu_limit(self) -> int | None:
        """Sum over the containers; None when any of them is unlimited."""
        return _sum(c.cpu_limit for c in self.containers)

    @property
    def memory_request(self) -> int | None:
        """The pod's own, else summed over the containers; None when one asks for none."""
        if self.whole is not None:
            return self.whole.memory
        return _sum(c.memory_request for c in self.containers)

    @property
    def memory_limit(self) -> int | None:
        """Sum over the containers; None when any of them is unlimited."""
        return _sum(c.memory_limit for c in self.containers)

    @property
    def placement(self) -> tuple[int, int]:
        """Millicores and bytes that the scheduler keeps for it; what is not asked for is 0."""
        if self.placed_by is not None:
            return self.placed_by.cpu or 0, self.placed_by.memory or 0
        cpu = sum(c.cpu_request or 0 for c in self.containers)
        return cpu, sum(c.memory_request or 0 for c in self.containers)

    @property
    def terminal(self) -> bool:
        """Whether it has run to its end (phase Succeeded or Failed)."""
        return self.phase in ("Succeeded", "Failed")


class Requirement(msgspec.Struct, frozen=True, gc=False):
    """One term of a label selector; ``op`` is In, NotIn, Exists or DoesNotExist."""

    key: str
    op: str
    values: tuple[str, ...] = ()

    @property
    def written(self) -> str:
        """As ``kubectl -l`` and the API take it: ``app=web``, ``tier in (a,b)``, ``!old``."""
        values = ",".join(self.values)
        match self.op:
            case "In" if len(self.values) == 1:
                return f"{self.key}={values}"
            case "In":
                return f"{self.key} in ({values})"
            case "NotIn":
                return f"{self.key} notin ({values})"
            case "DoesNotExist":
                return f"!{self.key}"
            case _:
                return self.key


class Condition(msgspec.Struct, frozen=True, gc=False):
    """A status condition; ``status`` is True, False or Unknown."""

    type: str
    status: str
    reason: str = ""
    message: str = ""
    since: float | None = None


class WorkloadRow(Row, frozen=True, gc=False, kw_only=True):
    """A Deployment, ReplicaSet or StatefulSet."""

    kind: str
    owner: Owner | None = None
    selector: tuple[Requirement, ...] = ()
    revision: str = ""
    replicas: int = 1
    """``spec.replicas``."""
    current: int = 0
    """``status.replicas``."""
    ready: int = 0
    updated: int = 0
    available: int = 0
    failure: Condition | None = None
    """ReplicaFailure, while it is True: why pods cannot be created, or deleted."""


class ServicePort(msgspec.Struct, frozen=True, gc=False):
    """One entry of a Service's ``spec.ports``."""

    port: int
    name: str = ""
    node_port: int = 0
    """0 where there is none."""
    protocol: str = "TCP"
    target: str = ""
    """``targetPort``: a number in digits, or the name of a container's port."""
    app_protocol: str = ""


class ServiceRow(Row, frozen=True, gc=False, kw_only=True):
    """A Service: where its traffic enters and which pods it selects."""

    type: str = "ClusterIP"
    cluster_ip: str = ""
    """``None`` for a headless Service, as the API has it."""
    ports: tuple[ServicePort, ...] = ()
    selector: Labels = ()
    ingress: tuple[str, ...] = ()
    """Addresses of the load balancer, IP or host name, as the cluster wrote them: not trusted."""
    external_name: str = ""
    local_only: bool = False
    """``externalTrafficPolicy: Local``: only nodes with a ready pod answer."""


class EndpointSliceRow(Row, frozen=True, gc=False, kw_only=True):
    """An EndpointSlice, reduced to the pods behind a Service."""

    service: str = ""
    ready: tuple[str, ...] = ()
    """Names of the pods that get traffic."""
    not_ready: tuple[str, ...] = ()
    ports: tuple[tuple[str, int, str], ...] = ()
    """``(name, port, protocol)``: the Service's port names and the ports that these pods have."""
    nodes: tuple[str, ...] = ()
    """Names of the nodes with a ready endpoint, sorted."""
    others: int = 0
    """Ready endpoints that are no pods: addresses that somebody entered."""


class MetricRow(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One entry of an HPA's ``spec.metrics`` with what its status says of it.

    ``target`` and ``current`` are in percent of the request for Utilization, in thousandths for
    AverageValue and Value (millicores for CPU, milli-bytes for memory).
    """

    type: str
    """Resource, ContainerResource, Pods, Object or External."""
    name: str
    container: str = ""
    object: str = ""
    """``kind/name`` an Object metric is read from."""
    object_version: str = ""
    """The ``apiVersion`` of that object."""
    target_type: str = "Utilization"
    """The one that the controller goes by; empty where none is set that it would."""
    target: int = 0
    current: int | None = None
    """None: the controller has no figure, kubectl prints ``<unknown>``."""
    current_average: int | None = None
    """The mean per pod in thousandths, beside a Utilization."""
    selector: tuple[Requirement, ...] = ()


class Policy(msgspec.Struct, frozen=True, gc=False):
    """A scaling policy; ``type`` is Pods or Percent."""

    type: str
    value: int
    period: int


class Direction(msgspec.Struct, frozen=True, gc=False):
    """``behavior.scaleUp`` or ``scaleDown`` as the API server stored it."""

    policies: tuple[Policy, ...] = ()
    select: str = "Max"
    window: int | None = None
    tolerance: float | None = None
    """As a share of the target: 0.1 is 10 %."""


class HpaRow(Row, frozen=True, gc=False, kw_only=True):
    """A HorizontalPodAutoscaler (autoscaling/v2)."""

    target_kind: str = ""
    target_name: str = ""
    min: int = 1
    max: int = 1
    current: int | None = None
    desired: int | None = None
    last_scale: float | None = None
    metrics: tuple[MetricRow, ...] = ()
    conditions: tuple[Condition, ...] = ()
    scale_up: Direction | None = None
    scale_down: Direction | None = None

    def condition(self, type: str) -> Condition | None:
        """The condition of that type, if the controller has set it."""
        return next((c for c in self.conditions if c.type == type), None)

    @property
    def wants(self) -> int | None:
        """The size its last look set or found right. None where that look came to no size: the
        status then goes on showing one from before.
        """
        able, active = self.condition("AbleToScale"), self.condition("ScalingActive")
        if able is not None and able.reason == "SucceededRescale":
            return self.desired
        failed = any(c is not None and c.status == "False" for c in (able, active))
        return None if failed else self.desired

    @property
    def has_behavior(self) -> bool:
        """Whether ``spec.behavior`` is set at all, which changes every default."""
        return self.scale_up is not None or self.scale_down is not None


class NodeRow(Row, frozen=True, gc=False, kw_only=True):
    """A node: what it can hold and how it is."""

    ready: str = "Unknown"
    """The Ready condition's status: True, False or Unknown."""
    ready_since: float | None = None
    """When that last changed."""
    problems: tuple[str, ...] = ()
    """Conditions that should not be True but are (MemoryPressure, DiskPressure…)."""
    unschedulable: bool = False
    roles: tuple[str, ...] = ()
    version: str = ""
    cpu_capacity: int = 0
    cpu_allocatable: int = 0
    memory_capacity: int = 0
    memory_allocatable: int = 0
    pods_allocatable: int = 0
    provider: str = ""
    """``spec.providerID``."""
    addresses: tuple[tuple[str, str], ...] = ()
    """``(type, address)``, such as InternalIP, as the cluster wrote them: not trusted."""
    labels: Labels = ()


class EventRow(Row, frozen=True, gc=False, kw_only=True):
    """An Event, of either API shape; a series is one row whose count grows."""

    type: str = "Normal"
    reason: str = ""
    message: str = ""
    count: int = 1
    last_seen: float = 0.0
    about_kind: str = ""
    about_name: str = ""
    about_uid: str = ""
    source: str = ""


class PodUsage(msgspec.Struct, frozen=True, gc=False):
    """A pod's sample from metrics.k8s.io."""

    namespace: str
    name: str
    time: float
    window: float
    """Seconds the CPU figure is the mean of."""
    containers: tuple[tuple[str, int | None, int | None], ...]
    """``(container, CPU millicores, memory bytes)``; None where the sample does not tell."""

    @property
    def cpu(self) -> int:
        """Millicores, all containers."""
        return sum(c[1] or 0 for c in self.containers)

    @property
    def memory(self) -> int:
        """Bytes, all containers."""
        return sum(c[2] or 0 for c in self.containers)


class NodeUsage(msgspec.Struct, frozen=True, gc=False):
    """A node's sample from metrics.k8s.io."""

    name: str
    time: float
    window: float
    cpu: int
    memory: int


def _sum(values: Iterable[int | None]) -> int | None:
    total = 0
    seen = False
    for value in values:
        if value is None:
            return None
        total += value
        seen = True
    return total if seen else None
