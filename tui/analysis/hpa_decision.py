"""One sync of the HPA up to the point where the target's scale would be written.

Source: ``reconcileAutoscaler`` and ``computeReplicasForMetrics`` of Kubernetes 1.36's
``horizontal.go``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final

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


@dataclass(frozen=True, slots=True)
class Event:
    """An event on the HPA; ``type`` is Normal or Warning."""

    type: str
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Decision:
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


def decide(
    spec: HpaSpec, inputs: Inputs, memory: Memory, now: float, settings: Settings = DEFAULT_SETTINGS
) -> Decision:
    """The sync up to the point where the scale would be written."""
    minimum = 1 if spec.min_replicas is None else spec.min_replicas
    base = Decision(
        spec=spec,
        at=now,
        previous=inputs.status,
        current=None,
        minimum=minimum,
        maximum=spec.max_replicas,
        tolerances=tolerances(spec, settings),
        conditions=inputs.status.conditions,
        memory=memory,
    )
    scale = inputs.scale
    if isinstance(scale, Unavailable):
        return _scale_unavailable(base, scale)
    if not memory.recommendations:
        # A moment before the windows are measured, as in the controller.
        before = math.nextafter(now, -math.inf)
        memory = replace(memory, recommendations=(Recommendation(scale.replicas, before),))
    able = Condition(
        ABLE_TO_SCALE,
        "True",
        "SucceededGetScale",
        "the HPA controller was able to get the target's current scale",
        now,
    )
    conditions = with_condition(base.conditions, able)
    current = scale.replicas
    base = replace(base, current=current, conditions=conditions, memory=memory)
    if current == 0:
        disabled = Condition(
            _ACTIVE,
            "False",
            "ScalingDisabled",
            "scaling is disabled since the replica count of the target is zero",
            now,
        )
        conditions = without_condition(with_condition(conditions, disabled), SCALED_TO_ZERO)
        return replace(base, conditions=conditions)
    if current > spec.max_replicas:
        reason = "Current number of replicas above Spec.MaxReplicas"
        return replace(base, desired=spec.max_replicas, rescale=True, reason=reason)
    if current < minimum:
        reason = "Current number of replicas below Spec.MinReplicas"
        return replace(base, desired=minimum, rescale=True, reason=reason)
    return _from_metrics(base, scale, inputs, settings)


def tolerances(spec: HpaSpec, settings: Settings = DEFAULT_SETTINGS) -> Tolerances:
    """The tolerance per direction: the behavior's where set, else the controller's."""
    up = spec.behavior.scale_up if spec.behavior else None
    down = spec.behavior.scale_down if spec.behavior else None
    return Tolerances(
        up=settings.tolerance if up is None or up.tolerance is None else up.tolerance,
        down=settings.tolerance if down is None or down.tolerance is None else down.tolerance,
    )


def _from_metrics(base: Decision, scale: Scale, inputs: Inputs, settings: Settings) -> Decision:
    spec, now, current = base.spec, base.at, scale.replicas
    problem = _selector_problem(scale, inputs)
    if problem is not None:
        event, condition = problem
        failed = Event("Warning", "FailedComputeMetricsReplicas", event.message)
        return replace(
            base,
            conditions=with_condition(base.conditions, replace(condition, since=now)),
            events=(event, failed),
            error=event.message,
            failed=True,
        )
    sync = Sync(spec, inputs, current, scale.status_replicas, base.tolerances, settings, now)
    results = tuple(evaluate(index, sync) for index in range(len(spec.metrics)))
    chosen: MetricResult | None = None
    highest = 0
    for result in results:
        replicas = result.replicas
        if replicas is not None and (highest == 0 or replicas > highest):
            highest, chosen = replicas, result
    invalid = [result for result in results if result.reason]
    error = ""
    if invalid:
        error = (
            f"invalid metrics ({len(invalid)} invalid out of {len(results)}), "
            f"first error is: {invalid[0].error}"
        )
    events = tuple(Event("Warning", result.reason, result.cause) for result in invalid)
    base = replace(base, metrics=results, events=events, error=error)
    if len(invalid) >= len(results) or (invalid and highest < current):
        return _metrics_failed(base, invalid)
    name = chosen.name if chosen else ""
    message = f"the HPA was able to successfully calculate a replica count from {name}"
    active = Condition(_ACTIVE, "True", "ValidMetricFound", message, now)
    base = replace(base, conditions=with_condition(base.conditions, active))
    return _limited(base, current, highest, chosen, settings)


def _limited(
    base: Decision, current: int, highest: int, chosen: MetricResult | None, settings: Settings
) -> Decision:
    """The raw recommendation through stabilization, rate limits, min and max."""
    recommended = max(highest, 0)
    reason = ""
    if recommended > current:
        reason = f"{chosen.name if chosen else ''} above target"
    elif recommended < current:
        reason = "All metrics below target"
    result, remembered = normalize(
        base.spec.behavior,
        settings,
        current,
        recommended,
        base.minimum,
        base.maximum,
        base.memory,
        base.at,
    )
    stable = result.stabilization
    able = Condition(ABLE_TO_SCALE, "True", stable.reason, stable.message, base.at)
    status = "True" if result.limited else "False"
    limited = Condition(_LIMITED, status, result.reason, result.message, base.at)
    return replace(
        base,
        chosen=chosen,
        recommended=recommended,
        normalization=result,
        desired=result.desired,
        rescale=result.desired != current,
        reason=reason,
        conditions=with_condition(with_condition(base.conditions, able), limited),
        memory=remembered,
    )


def _metrics_failed(base: Decision, invalid: list[MetricResult]) -> Decision:
    conditions = base.conditions
    if invalid:
        first = invalid[0]
        message = f"the HPA was unable to compute the replica count: {first.cause}"
        condition = Condition(_ACTIVE, "False", first.reason, message, base.at)
        conditions = with_condition(conditions, condition)
    event = Event("Warning", "FailedComputeMetricsReplicas", base.error)
    return replace(base, conditions=conditions, events=(*base.events, event), failed=True)


def _scale_unavailable(base: Decision, scale: Unavailable) -> Decision:
    message = f"the HPA controller was unable to get the target's current scale: {scale.error}"
    condition = Condition(ABLE_TO_SCALE, "False", "FailedGetScale", message, base.at)
    return replace(
        base,
        conditions=with_condition(base.conditions, condition),
        events=(Event("Warning", "FailedGetScale", scale.error),),
        error=scale.error,
        failed=True,
    )


def _selector_problem(scale: Scale, inputs: Inputs) -> tuple[Event, Condition] | None:
    if not scale.selector:
        message = "the HPA target's scale is missing a selector"
        return (
            Event("Warning", "SelectorRequired", "selector is required"),
            Condition(_ACTIVE, "False", "InvalidSelector", message),
        )
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
    return Event("Warning", reason, message), Condition(_ACTIVE, "False", reason, message)


def with_condition(
    conditions: tuple[Condition, ...], condition: Condition
) -> tuple[Condition, ...]:
    """Set in place by type; ``since`` moves only when the status changes."""
    for index, each in enumerate(conditions):
        if each.type == condition.type:
            if each.status == condition.status:
                condition = replace(condition, since=each.since)
            return (*conditions[:index], condition, *conditions[index + 1 :])
    return (*conditions, condition)


def without_condition(conditions: tuple[Condition, ...], type_: str) -> tuple[Condition, ...]:
    """The conditions but those of that type."""
    return tuple(each for each in conditions if each.type != type_)
