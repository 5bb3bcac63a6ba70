"""What the HPA controller looks at in one sync, and what it remembers between two.

Plain frozen values: they know nothing of the API's JSON (``hpa_objects`` reads that) nor of any
store. What there is of every pod is nothing that the search for garbage looks through. Names follow
autoscaling/v2.

Units: quantities in thousandths (CPU in millicores, memory in milli-bytes) as the controller
holds them, utilization in percent of the request, instants in seconds since the epoch, periods
in seconds.

Source: https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/horizontal-pod-autoscaler-v2/
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias

import msgspec

RESOURCE: Final = "Resource"
CONTAINER_RESOURCE: Final = "ContainerResource"
PODS: Final = "Pods"
OBJECT: Final = "Object"
EXTERNAL: Final = "External"


class Settings(msgspec.Struct, frozen=True):
    """What kube-controller-manager is set to, with its defaults."""

    tolerance: float = 0.1
    """``--horizontal-pod-autoscaler-tolerance``, both ways."""
    cpu_initialization_period: float = 300.0
    """``--horizontal-pod-autoscaler-cpu-initialization-period``."""
    initial_readiness_delay: float = 30.0
    """``--horizontal-pod-autoscaler-initial-readiness-delay``."""
    downscale_stabilization: float = 300.0
    """``--horizontal-pod-autoscaler-downscale-stabilization``."""
    scale_up_limit_factor: float = 2.0
    """Without behavior a step up goes to this times the current count…"""
    scale_up_limit_minimum: float = 4.0
    """…or to this, if that is more. Neither is a flag: they are constants of the controller."""
    pace: float = 1.0
    """How many of the controller's seconds pass in one of those that times are given in: more than
    one in an embedded cluster that is quicker than time."""

    def reach(self, seconds: float) -> float:
        """How far back a window or a period of the controller's seconds goes."""
        return seconds / self.pace


DEFAULT_SETTINGS: Final = Settings()


class ObjectReference(msgspec.Struct, frozen=True):
    """A CrossVersionObjectReference."""

    kind: str
    name: str
    api_version: str = ""


class LabelSelector(msgspec.Struct, frozen=True):
    """Which series of a metric are meant. Expressions are ``(key, operator, values)``."""

    match_labels: tuple[tuple[str, str], ...] = ()
    match_expressions: tuple[tuple[str, str, tuple[str, ...]], ...] = ()


class MetricSpec(msgspec.Struct, frozen=True):
    """One entry of ``spec.metrics``."""

    type: str
    """Resource, ContainerResource, Pods, Object or External."""
    name: str
    """The resource (cpu, memory) or the metric's name."""
    container: str = ""
    target_type: str = "Utilization"
    """Utilization, AverageValue or Value."""
    average_utilization: int | None = None
    average_value: int | None = None
    value: int | None = None
    selector: LabelSelector | None = None
    described_object: ObjectReference | None = None


class ScalingPolicy(msgspec.Struct, frozen=True):
    """At most ``value`` pods (or percent) in ``period_seconds``."""

    type: str
    """Pods or Percent."""
    value: int
    period_seconds: int


class ScalingRules(msgspec.Struct, frozen=True):
    """``behavior.scaleUp`` or ``scaleDown``; None where the user left it out."""

    policies: tuple[ScalingPolicy, ...] | None = None
    select_policy: str | None = None
    """Max, Min or Disabled."""
    stabilization_window_seconds: int | None = None
    tolerance: float | None = None


class Behavior(msgspec.Struct, frozen=True):
    """``spec.behavior``."""

    scale_up: ScalingRules | None = None
    scale_down: ScalingRules | None = None


class HpaSpec(msgspec.Struct, frozen=True):
    """A HorizontalPodAutoscaler's name and spec."""

    namespace: str
    name: str
    target: ObjectReference
    max_replicas: int
    min_replicas: int | None = None
    """None counts as 1."""
    metrics: tuple[MetricSpec, ...] = ()
    behavior: Behavior | None = None
    """None takes the older path: 2 × current or 4 per step, whichever is more."""


class ContainerInput(msgspec.Struct, frozen=True, gc=False):
    """A container (or restartable init container) and its ``resources.requests``."""

    name: str
    requests: Mapping[str, int] = msgspec.field(default_factory=dict)


class PodInput(msgspec.Struct, frozen=True, gc=False):
    """A pod that the target's selector matches."""

    name: str
    phase: str
    ready: str | None
    """The Ready condition's status: True, False, Unknown; None when it is not set."""
    ready_since: float | None = None
    """The Ready condition's ``lastTransitionTime``."""
    started: float | None = None
    """``status.startTime``."""
    deleting: bool = False
    containers: tuple[ContainerInput, ...] = ()
    pod_requests: Mapping[str, int] | None = None
    """Requests of the pod as a whole where ``spec.resources.requests`` is set, else None."""
    created: float | None = None
    """When it was made, where that is known. The controller does not ask."""


class ContainerUsage(msgspec.Struct, frozen=True, gc=False):
    """What a container used."""

    name: str
    usage: Mapping[str, int]


class PodUsage(msgspec.Struct, frozen=True, gc=False):
    """A pod's sample from metrics.k8s.io."""

    pod: str
    timestamp: float
    window: float
    containers: tuple[ContainerUsage, ...]


class PodValue(msgspec.Struct, frozen=True, gc=False):
    """A pod's sample from custom.metrics.k8s.io. The API's default window is a minute."""

    pod: str
    value: int
    timestamp: float = 0.0
    window: float = 60.0


class Levels(msgspec.Struct, frozen=True):
    """The values of an Object metric (one) or an External metric (one a series)."""

    values: tuple[int, ...]


class Unavailable(msgspec.Struct, frozen=True):
    """Something could not be read; ``error`` is what the API answered, as a client prints it."""

    error: str


Reading: TypeAlias = tuple[PodValue, ...] | Levels | Unavailable


class Scale(msgspec.Struct, frozen=True):
    """The target's scale subresource."""

    replicas: int
    """``spec.replicas``."""
    status_replicas: int
    selector: str
    selector_error: str = ""
    """Why the selector does not parse, if it does not."""


class Condition(msgspec.Struct, frozen=True):
    """A condition of the HPA; ``since`` is its ``lastTransitionTime``."""

    type: str
    status: str
    reason: str
    message: str
    since: float | None = None


class MetricStatus(msgspec.Struct, frozen=True):
    """One entry of ``status.currentMetrics``; ``type`` is empty where there is no figure."""

    type: str = ""
    name: str = ""
    container: str = ""
    selector: LabelSelector | None = None
    described_object: ObjectReference | None = None
    average_utilization: int | None = None
    average_value: int | None = None
    value: int | None = None


class Status(msgspec.Struct, frozen=True):
    """The HPA's status."""

    current_replicas: int = 0
    desired_replicas: int = 0
    last_scale_time: float | None = None
    current_metrics: tuple[MetricStatus, ...] = ()
    conditions: tuple[Condition, ...] = ()

    def condition(self, type_: str) -> Condition | None:
        """The condition of that type, if it is set."""
        return next((c for c in self.conditions if c.type == type_), None)


NEVER_SYNCED: Final = Status()


class Inputs(msgspec.Struct, frozen=True):
    """Everything read from the API in one sync."""

    scale: Scale | Unavailable
    pods: tuple[PodInput, ...] = ()
    """Pods in the HPA's namespace that match the scale's selector."""
    usage: tuple[PodUsage, ...] | Unavailable = ()
    """The answer of metrics.k8s.io for that selector."""
    readings: Mapping[int, Reading] = msgspec.field(default_factory=dict)
    """Values of Pods, Object and External metrics, by position in ``spec.metrics``."""
    selecting_hpas: tuple[str, ...] = ()
    """``namespace/name`` of every HPA whose selector matches one of the pods."""
    status: Status = NEVER_SYNCED
    """The HPA's status before the sync."""


class Recommendation(msgspec.Struct, frozen=True):
    """A raw recommendation and when it was made."""

    replicas: int
    at: float


class ScaleEvent(msgspec.Struct, frozen=True):
    """How many replicas one rescale added or removed (never negative), and when."""

    change: int
    at: float
    outdated: bool = False
    """Older than every policy's period: its place is free for the next event."""


class Memory(msgspec.Struct, frozen=True):
    """What the controller remembers of one HPA. It is lost when the controller restarts."""

    recommendations: tuple[Recommendation, ...] = ()
    scale_up_events: tuple[ScaleEvent, ...] = ()
    scale_down_events: tuple[ScaleEvent, ...] = ()


NOTHING_REMEMBERED: Final = Memory()
