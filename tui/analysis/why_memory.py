"""The controller's memory, rebuilt from outside: an estimate, and corrected by what it says.

Recommendations and rescales live in the controller alone. What was made before the dashboard came
is unknown; but the conditions tell whether something remembered holds the count.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from msgspec.structs import replace

from tui.analysis import hpa
from tui.analysis.scaling_behavior import effective_behavior, remember_rescale


class Inferred(hpa.Recommendation, frozen=True):
    """One that was not seen made, but has to be remembered; it was made then at the latest."""


class Hold(NamedTuple):
    """Until when what is remembered holds the size."""

    until: float
    at_most: bool
    """Whether it may end sooner, as it was not seen when it began."""


_UP, _DOWN, _FREE = "ScaleUpStabilized", "ScaleDownStabilized", "ReadyForNewScale"


def first(
    decision: hpa.Decision, status: hpa.Status, now: float, created: float = 0.0
) -> hpa.Memory:
    """What the controller must remember when it is seen for the first time.

    A hold was recommended at the latest now, so it ends at the latest a window from now. Where the
    controller comes to no size, it remembers the one it found when it met the HPA.

    Args:
        decision: what follows from the same inputs with nothing remembered.
        status: what the controller wrote.
        now: when it is seen.
        created: when the HPA was made.
    """
    if not _reason(status):
        return hpa.NOTHING_REMEMBERED  # the controller has not looked yet
    held = _reason(status) in (_UP, _DOWN, "SucceededRescale")
    count = status.desired_replicas if held else decision.recommended
    if count is None:
        return hpa.Memory((hpa.Recommendation(status.current_replicas, created),))
    return hpa.Memory((Inferred(count, now),))


def with_rescales(
    memory: hpa.Memory,
    spec: hpa.HpaSpec,
    sizes: Iterable[tuple[float, int]],
    settings: hpa.Settings = hpa.DEFAULT_SETTINGS,
) -> hpa.Memory:
    """The memory with rescales that events tell of: ``(when, new size)``, oldest first."""
    before: int | None = None
    for at, size in sizes:
        if before is not None and size != before:
            memory = remember_rescale(spec.behavior, settings, before, size, memory, at)
        before = size
    return memory


def corrected(
    memory: hpa.Memory,
    decision: hpa.Decision,
    status: hpa.Status,
    since: float,
    same: bool = True,
) -> hpa.Memory:
    """The memory, made to agree with what the controller says of its own.

    Args:
        memory: as estimated, with this decision's recommendation.
        decision: our reckoning of the look.
        status: what the controller wrote at it.
        since: from when on we have watched: what we did not see made was made before.
        same: whether our reckoning read the figures that it read.
    """
    limits = decision.normalization
    said = _reason(status)
    kept = memory.recommendations
    if said == "SucceededRescale":
        # It went there, so nothing it remembers holds it further up, or further down: not even
        # what it has just recommended, by a sample that may have been another than ours.
        reach = decision.settings.reach(windows(decision.spec, decision.settings)[0])
        size, start = status.desired_replicas, decision.at - reach
        down = size < status.current_replicas
        kept = tuple(
            r
            for r in kept
            if (same or r.at != decision.at)
            and (
                (r.replicas <= size if down else r.replicas >= size) or (not down and r.at <= start)
            )
        )
        if all(r.at != decision.at for r in kept):
            kept = (*kept, Inferred(size, decision.at))
        return replace(memory, recommendations=kept)
    if limits is None:
        return memory
    if said not in (_UP, _DOWN, _FREE) or said == limits.stabilization.reason:
        return memory
    recommended = limits.recommended
    if said == _FREE:
        # Nothing it remembers holds this recommendation.
        kept = tuple(r for r in kept if r.at == decision.at or not _holds(r, recommended, limits))
    else:
        stable = limits.stabilization
        reach = decision.settings.reach(stable.up_window if said == _UP else stable.down_window)
        # It was made within the window, and not while we watched.
        at = max(min(since, decision.at), decision.at - reach + decision.settings.reach(1.0))
        kept = (*kept, Inferred(status.desired_replicas, at))
    return replace(memory, recommendations=kept)


def made_none(status: hpa.Status) -> bool:
    """Whether the look that wrote it came to no recommendation, for want of figures."""
    active = status.condition("ScalingActive")
    return active is not None and active.status == "False"


def without(memory: hpa.Memory, at: float) -> hpa.Memory:
    """The memory without what was recommended at that moment."""
    kept = tuple(r for r in memory.recommendations if r.at != at)
    return replace(memory, recommendations=kept)


def recent(
    memory: hpa.Memory,
    spec: hpa.HpaSpec,
    now: float,
    settings: hpa.Settings = hpa.DEFAULT_SETTINGS,
) -> tuple[hpa.Recommendation, ...]:
    """The recommendations that a window still reaches, oldest first."""
    start = now - settings.reach(max(windows(spec, settings)))
    return tuple(sorted((r for r in memory.recommendations if r.at > start), key=lambda r: r.at))


def release(decision: hpa.Decision) -> Hold | None:
    """How long what is remembered holds the size at least as far as it does now.

    None where no window holds it.
    """
    limits = decision.normalization
    if limits is None or limits.stabilization.stabilized == limits.recommended:
        return None
    stable, bound = limits.stabilization, limits.desired
    down = stable.stabilized > stable.recommended
    reach = decision.settings.reach(stable.down_window if down else stable.up_window)
    holding = [
        r
        for r in decision.memory.recommendations
        if (r.at < decision.at or isinstance(r, Inferred))  # not the one just made
        and r.at > decision.at - reach
        and (r.replicas >= bound if down else r.replicas <= bound)
    ]
    if not holding:
        return None if stable.held_until is None else Hold(stable.held_until, False)
    last = max(holding, key=lambda r: r.at)
    return Hold(last.at + reach, isinstance(last, Inferred))


def leaving(
    memory: hpa.Memory,
    spec: hpa.HpaSpec,
    now: float,
    settings: hpa.Settings = hpa.DEFAULT_SETTINGS,
) -> tuple[tuple[int, float], ...]:
    """How the highest recommendation in the window down falls: ``(count, until when)``."""
    reach = settings.reach(windows(spec, settings)[1])
    found: list[tuple[int, float]] = []
    for each in reversed(recent(memory, spec, now, settings)):  # the newest leaves last
        if each.at + reach <= now:
            continue
        if not found or each.replicas > found[-1][0]:
            found.append((each.replicas, each.at + reach))
    return tuple(reversed(found))


def windows(
    spec: hpa.HpaSpec, settings: hpa.Settings = hpa.DEFAULT_SETTINGS
) -> tuple[float, float]:
    """The stabilization windows up and down, in the controller's seconds."""
    if spec.behavior is None:
        return 0.0, settings.downscale_stabilization
    rules = effective_behavior(spec.behavior, settings)
    up, down = rules.scale_up, rules.scale_down
    return (
        float((up.stabilization_window_seconds if up else None) or 0),
        float((down.stabilization_window_seconds if down else None) or 0),
    )


def _holds(each: hpa.Recommendation, recommended: int, limits: hpa.Normalization) -> bool:
    higher, lower = each.replicas > recommended, each.replicas < recommended
    return (
        higher
        if recommended < limits.current
        else lower
        if recommended > limits.current
        else (higher or lower)
    )


def _reason(status: hpa.Status) -> str:
    able = status.condition("AbleToScale")
    return able.reason if able is not None else ""
