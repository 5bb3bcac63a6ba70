"""From a raw recommendation to the replicas wanted: stabilization, rate limits, min and max.

Two paths, as in Kubernetes 1.36's ``horizontal.go``: with ``spec.behavior`` (windows and policies
in both directions) and without (a window down, and at most double or 4 per step up). Every step
is kept in :class:`Normalization`.

Source: https://kubernetes.io/docs/concepts/workloads/autoscaling/horizontal-pod-autoscale/#configurable-scaling-behavior
and KEP-853.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import msgspec
from msgspec.structs import replace

from tui.analysis.go_numbers import ceil_int32, int32, truncated_int32
from tui.analysis.hpa_inputs import (
    Behavior,
    Memory,
    Recommendation,
    ScaleEvent,
    ScalingPolicy,
    ScalingRules,
    Settings,
)

_UP_DEFAULTS: Final = ScalingRules(
    policies=(ScalingPolicy("Pods", 4, 15), ScalingPolicy("Percent", 100, 15)),
    select_policy="Max",
    stabilization_window_seconds=0,
)
_DOWN_DEFAULTS: Final = ScalingRules(
    policies=(ScalingPolicy("Percent", 100, 15),), select_policy="Max"
)
_READY: Final = ("ReadyForNewScale", "recommended size matches current size")
_UP_STABILIZED: Final = (
    "ScaleUpStabilized",
    "recent recommendations were lower than current one, applying the lowest recent recommendation",
)
_DOWN_STABILIZED: Final = (
    "ScaleDownStabilized",
    "recent recommendations were higher than current one, "
    "applying the highest recent recommendation",
)
_WITHIN: Final = ("DesiredWithinRange", "the desired count is within the acceptable range")
_TOO_FEW: Final = (
    "TooFewReplicas",
    "the desired replica count is less than the minimum replica count",
)
_TOO_MANY: Final = (
    "TooManyReplicas",
    "the desired replica count is more than the maximum replica count",
)
_UP_LIMIT: Final = (
    "ScaleUpLimit",
    "the desired replica count is increasing faster than the maximum scale rate",
)
_DOWN_LIMIT: Final = (
    "ScaleDownLimit",
    "the desired replica count is decreasing faster than the maximum scale rate",
)


class Direction(StrEnum):
    """Which way a rate limit holds."""

    UP = "up"
    DOWN = "down"


class Stabilization(msgspec.Struct, frozen=True):
    """The recommendation held to the window of recent ones."""

    recommended: int
    stabilized: int
    lowest: int
    """Of those in the window up, this one included; scaling up goes no further."""
    highest: int
    """Of those in the window down, this one included; scaling down goes no further."""
    up_window: float
    down_window: float
    held_until: float | None
    """When the last remembered recommendation that holds the count leaves its window."""
    reason: str
    """ReadyForNewScale, ScaleUpStabilized or ScaleDownStabilized."""
    message: str


class PolicyBudget(msgspec.Struct, frozen=True):
    """How far one policy lets the count go now."""

    policy: ScalingPolicy
    added: int
    """Replicas added within the policy's period."""
    removed: int
    period_start: int
    """Replicas at the start of the period, by what is remembered."""
    limit: int
    """The count that this policy allows."""
    frees_at: float | None
    """When the oldest rescale within the period leaves it; None if there is none."""


class RateLimit(msgspec.Struct, frozen=True):
    """What the policies of one direction allow together."""

    direction: Direction
    select_policy: str
    """Max, Min or Disabled; empty for the limit without behavior."""
    budgets: tuple[PolicyBudget, ...]
    limit: int
    """The count that may be reached in this step, never on the other side of the current one."""


class Normalization(msgspec.Struct, frozen=True):
    """A raw recommendation through every limit, step by step."""

    current: int
    recommended: int
    stabilization: Stabilization
    rate: RateLimit | None
    """None where behavior is set and the stabilized count is the current one."""
    minimum: int
    maximum: int
    desired: int
    limited: bool
    """Whether a limit changed the stabilized count (status of ScalingLimited)."""
    reason: str
    """DesiredWithinRange, TooFewReplicas, TooManyReplicas, ScaleUpLimit or ScaleDownLimit."""
    message: str


def effective_behavior(behavior: Behavior, settings: Settings) -> Behavior:
    """The behavior with Kubernetes' defaults for all that the user left out."""
    down = _with_defaults(behavior.scale_down, _DOWN_DEFAULTS)
    if down.stabilization_window_seconds is None:
        down = replace(down, stabilization_window_seconds=int(settings.downscale_stabilization))
    return Behavior(_with_defaults(behavior.scale_up, _UP_DEFAULTS), down)


def normalize(
    behavior: Behavior | None,
    settings: Settings,
    current: int,
    recommended: int,
    minimum: int,
    maximum: int,
    memory: Memory,
    now: float,
) -> tuple[Normalization, Memory]:
    """The replicas wanted, and the memory with this recommendation in it."""
    if behavior is None:
        return _normalize_plainly(settings, current, recommended, minimum, maximum, memory, now)
    rules = effective_behavior(behavior, settings)
    up, down = rules.scale_up or _UP_DEFAULTS, rules.scale_down or _DOWN_DEFAULTS
    stable, remembered = _stabilize(up, down, settings, current, recommended, memory, now)
    count = stable.stabilized
    desired, why = count, _WITHIN
    rate = None
    if count > current:
        rate = rate_limit(Direction.UP, up, settings, current, memory, now)
        allowed = min(maximum, rate.limit)
        if count > allowed:
            desired, why = allowed, _UP_LIMIT if maximum > rate.limit else _TOO_MANY
    elif count < current:
        rate = rate_limit(Direction.DOWN, down, settings, current, memory, now)
        allowed = max(minimum, rate.limit)
        if count < allowed:
            desired, why = allowed, _DOWN_LIMIT if minimum < rate.limit else _TOO_FEW
    return _normalization(current, stable, rate, minimum, maximum, desired, why), remembered


def rate_limit(
    direction: Direction,
    rules: ScalingRules,
    settings: Settings,
    current: int,
    memory: Memory,
    now: float,
) -> RateLimit:
    """How far one direction's policies allow to go, given the rescales remembered."""
    select_policy = rules.select_policy or "Max"
    budgets = _budgets(direction, rules, settings, current, memory, now)
    limits = [budget.limit for budget in budgets]
    nearest, furthest = (min, max) if direction is Direction.UP else (max, min)
    if select_policy == "Disabled" or not limits:
        bound = current
    else:
        bound = nearest(limits) if select_policy == "Min" else furthest(limits)
    # A budget that is used up stops the change; it does not turn it round.
    return RateLimit(direction, select_policy, budgets, furthest(bound, current))


def remember_rescale(
    behavior: Behavior | None,
    settings: Settings,
    previous: int,
    replicas: int,
    memory: Memory,
    now: float,
) -> Memory:
    """The memory after a rescale. Without behavior nothing is kept, as nothing is asked."""
    if behavior is None:
        return memory
    rules = effective_behavior(behavior, settings)
    if replicas > previous:
        events = _with_event(
            memory.scale_up_events, rules.scale_up, settings, replicas - previous, now
        )
        return replace(memory, scale_up_events=events)
    events = _with_event(
        memory.scale_down_events, rules.scale_down, settings, previous - replicas, now
    )
    return replace(memory, scale_down_events=events)


def _with_defaults(rules: ScalingRules | None, defaults: ScalingRules) -> ScalingRules:
    if rules is None:
        return defaults
    window = rules.stabilization_window_seconds
    return ScalingRules(
        policies=defaults.policies if rules.policies is None else rules.policies,
        select_policy=rules.select_policy or defaults.select_policy,
        stabilization_window_seconds=(
            defaults.stabilization_window_seconds if window is None else window
        ),
        tolerance=rules.tolerance,
    )


def _normalize_plainly(
    settings: Settings,
    current: int,
    recommended: int,
    minimum: int,
    maximum: int,
    memory: Memory,
    now: float,
) -> tuple[Normalization, Memory]:
    window = settings.downscale_stabilization
    cutoff = now - settings.reach(window)
    recent = [r for r in memory.recommendations if r.at >= cutoff]
    highest = max((r.replicas for r in recent), default=recommended)
    highest = max(highest, recommended)
    old = [i for i, r in enumerate(memory.recommendations) if r.at < cutoff]
    reason, message = _DOWN_STABILIZED if highest != recommended else _READY
    held_until = None
    if highest != recommended:
        held_until = max(r.at for r in recent if r.replicas == highest) + settings.reach(window)
    stable = Stabilization(
        recommended, highest, recommended, highest, 0.0, window, held_until, reason, message
    )
    limit = truncated_int32(
        max(settings.scale_up_limit_factor * float(current), settings.scale_up_limit_minimum)
    )
    rate = RateLimit(Direction.UP, "", (), limit)
    allowed = min(maximum, limit)
    desired, why = highest, _WITHIN
    if highest < minimum:
        desired, why = minimum, _TOO_FEW
    elif highest > allowed:
        desired, why = allowed, _UP_LIMIT if maximum > limit else _TOO_MANY
    result = _normalization(current, stable, rate, minimum, maximum, desired, why)
    return result, _with_recommendation(memory, recommended, old, now)


def _stabilize(
    up: ScalingRules,
    down: ScalingRules,
    settings: Settings,
    current: int,
    recommended: int,
    memory: Memory,
    now: float,
) -> tuple[Stabilization, Memory]:
    up_window = float(up.stabilization_window_seconds or 0)
    down_window = float(down.stabilization_window_seconds or 0)
    up_reach, down_reach = settings.reach(up_window), settings.reach(down_window)
    up_cutoff, down_cutoff = now - up_reach, now - down_reach
    lowest = highest = recommended
    old: list[int] = []
    for index, each in enumerate(memory.recommendations):
        if each.at > up_cutoff:
            lowest = min(lowest, each.replicas)
        if each.at > down_cutoff:
            highest = max(highest, each.replicas)
        if each.at < up_cutoff and each.at < down_cutoff:
            old.append(index)
    count = min(max(current, lowest), highest)
    reason, message = _READY
    held_until = None
    if count != recommended:
        rising = recommended >= current
        reason, message = _UP_STABILIZED if rising else _DOWN_STABILIZED
        reach, bound = (up_reach, lowest) if rising else (down_reach, highest)
        holding = [
            r.at for r in memory.recommendations if r.replicas == bound and r.at > now - reach
        ]
        held_until = max(holding) + reach if holding else None
    stable = Stabilization(
        recommended, count, lowest, highest, up_window, down_window, held_until, reason, message
    )
    return stable, _with_recommendation(memory, recommended, old, now)


def _with_recommendation(memory: Memory, recommended: int, old: list[int], now: float) -> Memory:
    """The newest takes the place of one that no window reaches any more, if there is one."""
    kept = list(memory.recommendations)
    newest = Recommendation(recommended, now)
    if old:
        kept[old[-1]] = newest
    else:
        kept.append(newest)
    return Memory(tuple(kept), memory.scale_up_events, memory.scale_down_events)


def _budgets(
    direction: Direction,
    rules: ScalingRules,
    settings: Settings,
    current: int,
    memory: Memory,
    now: float,
) -> tuple[PolicyBudget, ...]:
    budgets: list[PolicyBudget] = []
    for policy in rules.policies or ():
        reach = settings.reach(policy.period_seconds)
        cutoff = now - reach
        added = [e for e in memory.scale_up_events if e.at > cutoff]
        removed = [e for e in memory.scale_down_events if e.at > cutoff]
        plus = int32(sum(e.change for e in added))
        minus = int32(sum(e.change for e in removed))
        start = int32(current - plus + minus)
        limit = _policy_limit(direction, policy, start)
        oldest = min((e.at for e in (*added, *removed)), default=None)
        frees_at = None if oldest is None else oldest + reach
        budgets.append(PolicyBudget(policy, plus, minus, start, limit, frees_at))
    return tuple(budgets)


def _policy_limit(direction: Direction, policy: ScalingPolicy, start: int) -> int:
    sign = 1 if direction is Direction.UP else -1
    if policy.type == "Pods":
        return int32(start + sign * policy.value)
    reached = float(start) * (1 + sign * (float(policy.value) / 100))
    return ceil_int32(reached) if direction is Direction.UP else truncated_int32(reached)


def _with_event(
    events: tuple[ScaleEvent, ...],
    rules: ScalingRules | None,
    settings: Settings,
    change: int,
    now: float,
) -> tuple[ScaleEvent, ...]:
    policies = (rules.policies if rules else None) or ()
    cutoff = now - settings.reach(max((p.period_seconds for p in policies), default=0))
    kept = [replace(e, outdated=True) if e.at < cutoff else e for e in events]
    newest = ScaleEvent(change, now)
    places = [i for i, e in enumerate(kept) if e.outdated]
    if places:
        kept[places[-1]] = newest
    else:
        kept.append(newest)
    return tuple(kept)


def _normalization(
    current: int,
    stable: Stabilization,
    rate: RateLimit | None,
    minimum: int,
    maximum: int,
    desired: int,
    why: tuple[str, str],
) -> Normalization:
    return Normalization(
        current=current,
        recommended=stable.recommended,
        stabilization=stable,
        rate=rate,
        minimum=minimum,
        maximum=maximum,
        desired=desired,
        limited=desired != stable.stabilized,
        reason=why[0],
        message=why[1],
    )
