"""One sync of the HPA up to the point where the target's scale would be written.

Source: ``reconcileAutoscaler`` and ``computeReplicasForMetrics`` of Kubernetes 1.36's
``horizontal.go``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Final

import msgspec

from tui.analysis.hpa_inputs import (
    DEFAULT_SETTINGS,
    NOTHING_REMEMBERED,
    Condition,
    HpaSpec,
    Inputs,
    Memory,
    Recommendation,
    Scale,
    Settings,
    Status,
    Unavailable,
)
from tui.analysis.hpa_metrics import MetricResult, Sync, evaluate
from tui.analysis.replica_calculator import Tolerances
from tui.analysis.scaling_behavior import Normalization, normalize

ABLE_TO_SCALE: Final = "AbleToScale"
_ACTIVE: Final = "ScalingActive"
_LIMITED: Final = "ScalingLimited"
SCALED_TO_ZERO: Final = "ScaledToZero"


class Event(msgspec.Struct, frozen=True):
    """An event on the HPA; ``type`` is Normal or Warning."""

    type: str
    reason: str
    message: str


class Decision(msgspec.Struct, frozen=True):
    """What one sync came to, before anything is written."""

    spec: HpaSpec
    at: float
    previous: Status
    """The status before the sync."""
    current: int | None
    """The target's ``spec.replicas``; None when its scale could not be read."""
    minimum: int
    maximum: int
    tolerances: Tolerances
    metrics: tuple[MetricResult, ...] = ()
    """One per metric; empty where the count is clamped without reading any."""
    chosen: MetricResult | None = None
    """The metric with the highest recommendation."""
    recommended: int | None = None
    """The raw recommendation; None when there is none."""
    normalization: Normalization | None = None
    desired: int = 0
    rescale: bool = False
    reason: str = ""
    """Why it rescales, as the event says it."""
    error: str = ""
    """Why nothing could be decided, or which metrics were left out."""
    failed: bool = False
    """Nothing could be decided."""
    conditions: tuple[Condition, ...] = ()
    events: tuple[Event, ...] = ()
    memory: Memory = NOTHING_REMEMBERED
    settings: Settings = DEFAULT_SETTINGS
    """The controller's."""


def decide(
    spec: HpaSpec,
    inputs: Inputs,
    memory: Memory,
    now: float,
    settings: Settings = DEFAULT_SETTINGS,
) -> Decision:
    """The sync up to the point where the scale would be written."""
    minimum = 1 if spec.min_replicas is None else spec.min_replicas
    allowed = tolerances(spec, settings)
    decision = partial(
        Decision,
        spec=spec,
        at=now,
        previous=inputs.status,
        minimum=minimum,
        maximum=spec.max_replicas,
        tolerances=allowed,
        settings=settings,
    )
    scale = inputs.scale
    conditions = inputs.status.conditions
    if isinstance(scale, Unavailable):
        message = f"the HPA controller was unable to get the target's current scale: {scale.error}"
        return decision(
            current=None,
            conditions=with_condition(
                conditions, ABLE_TO_SCALE, "False", "FailedGetScale", message, now
            ),
            events=(Event("Warning", "FailedGetScale", scale.error),),
            error=scale.error,
            failed=True,
            memory=memory,
        )
    if not memory.recommendations:
        # A moment before the windows are measured, as in the controller.
        first = Recommendation(scale.replicas, math.nextafter(now, -math.inf))
        memory = Memory((first,), memory.scale_up_events, memory.scale_down_events)
    conditions = with_condition(
        conditions,
        ABLE_TO_SCALE,
        "True",
        "SucceededGetScale",
        "the HPA controller was able to get the target's current scale",
        now,
    )
    current = scale.replicas
    reason = ""
    desired = 0
    if current == 0:
        conditions = with_condition(
            conditions,
            _ACTIVE,
            "False",
            "ScalingDisabled",
            "scaling is disabled since the replica count of the target is zero",
            now,
        )
        conditions = without_condition(conditions, SCALED_TO_ZERO)
    elif current > spec.max_replicas:
        reason = "Current number of replicas above Spec.MaxReplicas"
        desired = spec.max_replicas
    elif current < minimum:
        reason = "Current number of replicas below Spec.MinReplicas"
        desired = minimum
    else:
        sync = Sync(spec, inputs, current, scale.status_replicas, allowed, settings, now)
        return _from_metrics(decision, sync, scale, minimum, conditions, memory)
    return decision(
        current=current,
        desired=desired,
        rescale=desired != current,
        reason=reason,
        conditions=conditions,
        memory=memory,
    )


def tolerances(spec: HpaSpec, settings: Settings = DEFAULT_SETTINGS) -> Tolerances:
    """The tolerance per direction: the behavior's where set, else the controller's."""
    up = spec.behavior.scale_up if spec.behavior else None
    down = spec.behavior.scale_down if spec.behavior else None
    return Tolerances(
        up=settings.tolerance if up is None or up.tolerance is None else up.tolerance,
        down=settings.tolerance if down is None or down.tolerance is None else down.tolerance,
    )


def with_condition(
    conditions: tuple[Condition, ...],
    type_: str,
    status: str,
    reason: str,
    message: str,
    now: float,
) -> tuple[Condition, ...]:
    """Set in place by type; ``since`` moves only when the status changes."""
    for index, each in enumerate(conditions):
        if each.type == type_:
            since = each.since if each.status == status else now
            condition = Condition(type_, status, reason, message, since)
            return (*conditions[:index], condition, *conditions[index + 1 :])
    return (*conditions, Condition(type_, status, reason, message, now))


def without_condition(conditions: tuple[Condition, ...], type_: str) -> tuple[Condition, ...]:
    """The conditions but those of that type."""
    return tuple(each for each in conditions if each.type != type_)


def _from_metrics(
    decision: Callable[..., Decision],
    sync: Sync,
    scale: Scale,
    minimum: int,
    conditions: tuple[Condition, ...],
    memory: Memory,
) -> Decision:
    spec, now, current = sync.spec, sync.now, sync.replicas
    problem = _selector_problem(scale, sync.inputs)
    if problem is not None:
        event, reason, message = problem
        return decision(
            current=current,
            conditions=with_condition(conditions, _ACTIVE, "False", reason, message, now),
            events=(event, Event("Warning", "FailedComputeMetricsReplicas", event.message)),
            error=event.message,
            failed=True,
            memory=memory,
        )
    results = tuple(evaluate(index, sync) for index in range(len(spec.metrics)))
    chosen, highest = _highest(results)
    invalid = [result for result in results if result.reason]
    events = tuple(Event("Warning", result.reason, result.cause) for result in invalid)
    error = ""
    if invalid:
        error = (
            f"invalid metrics ({len(invalid)} invalid out of {len(results)}), "
            f"first error is: {invalid[0].error}"
        )
    if chosen is None or (invalid and highest < current):
        if invalid:
            message = f"the HPA was unable to compute the replica count: {invalid[0].cause}"
            conditions = with_condition(
                conditions, _ACTIVE, "False", invalid[0].reason, message, now
            )
        return decision(
            current=current,
            metrics=results,
            conditions=conditions,
            events=(*events, Event("Warning", "FailedComputeMetricsReplicas", error)),
            error=error,
            failed=True,
            memory=memory,
        )
    message = f"the HPA was able to successfully calculate a replica count from {chosen.name}"
    conditions = with_condition(conditions, _ACTIVE, "True", "ValidMetricFound", message, now)
    recommended = max(highest, 0)
    reason = ""
    if recommended > current:
        reason = f"{chosen.name} above target"
    elif recommended < current:
        reason = "All metrics below target"
    limits, memory = normalize(
        spec.behavior,
        sync.settings,
        current,
        recommended,
        minimum,
        spec.max_replicas,
        memory,
        now,
    )
    stable = limits.stabilization
    conditions = with_condition(
        conditions, ABLE_TO_SCALE, "True", stable.reason, stable.message, now
    )
    status = "True" if limits.limited else "False"
    conditions = with_condition(conditions, _LIMITED, status, limits.reason, limits.message, now)
    return decision(
        current=current,
        metrics=results,
        chosen=chosen,
        recommended=recommended,
        normalization=limits,
        desired=limits.desired,
        rescale=limits.desired != current,
        reason=reason,
        error=error,
        conditions=conditions,
        events=events,
        memory=memory,
    )


def _highest(results: tuple[MetricResult, ...]) -> tuple[MetricResult | None, int]:
    chosen: MetricResult | None = None
    highest = 0
    for result in results:
        replicas = result.replicas
        if replicas is not None and (chosen is None or highest == 0 or replicas > highest):
            highest, chosen = replicas, result
    return chosen, highest


def _selector_problem(scale: Scale, inputs: Inputs) -> tuple[Event, str, str] | None:
    """The event, and the reason and message of the condition."""
    if not scale.selector:
        event = Event("Warning", "SelectorRequired", "selector is required")
        return event, "InvalidSelector", "the HPA target's scale is missing a selector"
    if scale.selector_error:
        reason = "InvalidSelector"
        message = (
            "couldn't convert selector into a corresponding internal selector object: "
            f"{scale.selector_error}"
        )
    elif len(inputs.selecting_hpas) > 1:
        reason = "AmbiguousSelector"
        message = (
            f"pods by selector {scale.selector} are controlled by multiple HPAs: "
            f"[{' '.join(inputs.selecting_hpas)}]"
        )
    else:
        return None
    return Event("Warning", reason, message), reason, message
