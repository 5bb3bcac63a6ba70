"""The HorizontalPodAutoscaler's algorithm, as Kubernetes 1.36 runs it every 15 s.

:func:`reconcile` is one sync as a pure function: spec, what was read, what is remembered and the
time go in; the replicas to set, the status to write, the events to emit and the new memory come
out, with every step between. :func:`rescale_failed` is the other ending, when the scale could
not be written.

The names below are all that a caller needs, the reading of API objects among them.
Scaling to zero (the alpha gate HPAScaleToZero) is off, as it is by default.

Source: https://kubernetes.io/docs/concepts/workloads/autoscaling/horizontal-pod-autoscale/
"""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec.structs import replace

from tui.analysis.hpa_decision import (
    ABLE_TO_SCALE,
    SCALED_TO_ZERO,
    Decision,
    Event,
    decide,
    tolerances,
    with_condition,
    without_condition,
)
from tui.analysis.hpa_inputs import (
    DEFAULT_SETTINGS,
    NOTHING_REMEMBERED,
    Behavior,
    Condition,
    ContainerInput,
    ContainerUsage,
    HpaSpec,
    Inputs,
    LabelSelector,
    Levels,
    Memory,
    MetricSpec,
    MetricStatus,
    ObjectReference,
    PodInput,
    PodUsage,
    PodValue,
    Recommendation,
    Scale,
    ScaleEvent,
    ScalingPolicy,
    ScalingRules,
    Settings,
    Status,
    Unavailable,
)
from tui.analysis.hpa_metrics import MetricResult
from tui.analysis.hpa_objects import (
    pod_from_object,
    scale_from_object,
    spec_from_object,
    status_from_object,
    status_to_object,
    usage_from_object,
)
from tui.analysis.pod_groups import PodGroups, Unready
from tui.analysis.replica_calculator import Calculation, Measure, Tolerances, Verdict
from tui.analysis.scaling_behavior import (
    Normalization,
    PolicyBudget,
    RateLimit,
    Stabilization,
    effective_behavior,
    remember_rescale,
)

__all__ = [
    "DEFAULT_SETTINGS",
    "NOTHING_REMEMBERED",
    "SYNC_PERIOD",
    "Behavior",
    "Calculation",
    "Condition",
    "ContainerInput",
    "ContainerUsage",
    "Decision",
    "Event",
    "HpaSpec",
    "Inputs",
    "LabelSelector",
    "Levels",
    "Measure",
    "Memory",
    "MetricResult",
    "MetricSpec",
    "MetricStatus",
    "Normalization",
    "ObjectReference",
    "Outcome",
    "PodGroups",
    "PodInput",
    "PodUsage",
    "PodValue",
    "PolicyBudget",
    "RateLimit",
    "Recommendation",
    "Scale",
    "ScaleEvent",
    "ScalingPolicy",
    "ScalingRules",
    "Settings",
    "Stabilization",
    "Status",
    "Tolerances",
    "Unavailable",
    "Unready",
    "Verdict",
    "decide",
    "effective_behavior",
    "pod_from_object",
    "reconcile",
    "rescale_failed",
    "scale_from_object",
    "spec_from_object",
    "status_from_object",
    "status_to_object",
    "tolerances",
    "usage_from_object",
]

SYNC_PERIOD: Final = 15.0
"""``--horizontal-pod-autoscaler-sync-period``, in seconds."""


class Outcome(msgspec.Struct, frozen=True):
    """What one sync writes and remembers."""

    decision: Decision
    scale_to: int | None
    """``spec.replicas`` to set on the target; None leaves it alone."""
    status: Status
    events: tuple[Event, ...]
    """In the order in which they are emitted."""
    memory: Memory
    error: str = ""
    """Why the sync failed, wholly or for some metrics; the next one tries again either way."""

    @property
    def status_changed(self) -> bool:
        """Whether the status differs from the one before, so that a write is due."""
        return self.status != self.decision.previous


def reconcile(
    spec: HpaSpec, inputs: Inputs, memory: Memory, now: float, settings: Settings = DEFAULT_SETTINGS
) -> Outcome:
    """One sync. The outcome supposes that the scale, where it changes, can be written."""
    decision = decide(spec, inputs, memory, now, settings)
    if decision.current is None:
        status = replace(decision.previous, conditions=decision.conditions)
        return Outcome(decision, None, status, decision.events, decision.memory, decision.error)
    if not decision.rescale:
        desired = decision.previous.desired_replicas if decision.failed else decision.current
        status = _status(decision, decision.current, desired, decision.conditions)
        return Outcome(decision, None, status, decision.events, decision.memory, decision.error)
    desired = decision.desired
    message = f"the HPA controller was able to update the target scale to {desired}"
    conditions = with_condition(
        decision.conditions, ABLE_TO_SCALE, "True", "SucceededRescale", message, now
    )
    conditions = without_condition(conditions, SCALED_TO_ZERO)
    status = _status(decision, decision.current, desired, conditions, now)
    event = Event("Normal", "SuccessfulRescale", f"New size: {desired}; reason: {decision.reason}")
    remembered = remember_rescale(
        spec.behavior, settings, decision.current, desired, decision.memory, now
    )
    events = (*decision.events, event)
    return Outcome(decision, desired, status, events, remembered, decision.error)


def rescale_failed(outcome: Outcome, error: str) -> Outcome:
    """The outcome when the scale could not be written; ``error`` is what the API answered."""
    decision = outcome.decision
    if outcome.scale_to is None or decision.current is None:
        return outcome
    message = f"the HPA controller was unable to update the target scale: {error}"
    conditions = with_condition(
        decision.conditions, ABLE_TO_SCALE, "False", "FailedUpdateScale", message, decision.at
    )
    desired = decision.previous.desired_replicas
    status = _status(decision, decision.current, desired, conditions)
    event = Event(
        "Warning",
        "FailedRescale",
        f"New size: {decision.desired}; reason: {decision.reason}; error: {error}",
    )
    target = decision.spec.target
    return Outcome(
        decision,
        None,
        status,
        (*decision.events, event),
        decision.memory,
        f"failed to rescale {target.kind}/{decision.spec.namespace}/{target.name}: {error}",
    )


def _status(
    decision: Decision,
    current: int,
    desired: int,
    conditions: tuple[Condition, ...],
    rescaled_at: float | None = None,
) -> Status:
    return Status(
        current_replicas=current,
        desired_replicas=desired,
        last_scale_time=decision.previous.last_scale_time if rescaled_at is None else rescaled_at,
        current_metrics=tuple([result.status for result in decision.metrics]),
        conditions=conditions,
    )
