"""A decision of the HPA as steps, each with its numbers; one of them decides."""

from __future__ import annotations

from msgspec.structs import replace

from tui.analysis import hpa
from tui.analysis.replica_calculator import Verdict
from tui.analysis.why_limits import limit_steps
from tui.analysis.why_metric import metric_steps, problem
from tui.analysis.why_words import Piece, Step, Text, Tone, title


def steps(outcome: hpa.Outcome, now: float) -> tuple[Step, ...]:
    """Everything from usage to desired. ``now``: for what is left of windows."""
    decision = outcome.decision
    key = deciding(decision)
    found = [*_reckoning(decision), *limit_steps(decision, now)]
    if decision.current is not None and not decision.failed and decision.current > 0:
        found.append(_desired(decision))
    return tuple(replace(s, deciding=True) if s.key == key else s for s in found)


def deciding(decision: hpa.Decision) -> str:
    """The key of the step that the result is owed to."""
    if decision.current is None or decision.failed:
        return "problem"
    if decision.current == 0:
        return "off"
    limits = decision.normalization
    if limits is None:
        return "clamp"
    low, high = limits.minimum, limits.maximum
    stabilized = limits.stabilization.stabilized
    if stabilized != limits.recommended:
        # What would have come to the same without the window is not owed to it.
        if min(max(limits.recommended, low), high) == limits.desired:
            return "bounds"
        if min(max(stabilized, low), high) == limits.desired:
            return "window"
    if limits.limited:
        return "bounds" if limits.reason in ("TooFewReplicas", "TooManyReplicas") else "rate"
    chosen = decision.chosen.calculation if decision.chosen is not None else None
    match chosen.verdict if chosen is not None else None:
        case Verdict.WITHIN_TOLERANCE:
            return "tolerance"
        case (
            Verdict.CORRECTED
            | Verdict.CORRECTED_WITHIN_TOLERANCE
            | Verdict.CORRECTION_REVERSES
            | Verdict.POD_COUNT_REVERSES
        ):
            return "correction"
        case _:
            return "pods"


def _reckoning(decision: hpa.Decision) -> list[Step]:
    if decision.current is None:
        return [problem("target", decision.error)]
    if decision.current == 0:
        says = Piece("the target has 0 replicas, so scaling is off", Tone.DECIDED)
        return [Step("off", "off", (says,))]
    if decision.failed:
        found = [
            problem("no figure", result.cause or result.error)
            for result in decision.metrics
            if result.reason
        ]
        return found or [problem("no figure", decision.error)]
    if decision.normalization is None:
        over = decision.current > decision.maximum
        word, bound = ("above max", decision.maximum) if over else ("below min", decision.minimum)
        says = Piece(
            f"{decision.current} is {word} {bound}: set to it, no metric is read", Tone.DECIDED
        )
        return [Step("clamp", "min / max", (says,), decision.desired)]
    chosen = decision.chosen
    if chosen is None or chosen.calculation is None:
        return [problem("no figure", decision.error)]
    found = metric_steps(chosen, chosen.calculation)
    if len(decision.metrics) > 1:
        found.append(_several(decision, chosen))
    return found


def _several(decision: hpa.Decision, chosen: hpa.MetricResult) -> Step:
    notes: list[Text] = []
    for result in decision.metrics:
        if result.replicas is None:
            says = Piece(f"{title(result.spec)}: no figure ({result.cause})", Tone.BAD)
        else:
            mine = result is chosen
            says = Piece(
                f"{title(result.spec)} → {result.replicas}",
                Tone.DECIDED if mine else Tone.MUTED,
                strong=mine,
            )
        notes.append((says,))
    says_ = (
        Piece("the highest wins: "),
        Piece(f"{title(chosen.spec)} → {chosen.replicas}", Tone.DECIDED),
    )
    return Step("metrics", f"{len(decision.metrics)} metrics", says_, chosen.replicas, tuple(notes))


def _desired(decision: hpa.Decision) -> Step:
    current, desired = decision.current or 0, decision.desired
    if desired == current:
        says: Text = (Piece(f"stays at {current}", Tone.DECIDED, strong=True),)
    else:
        says = (Piece(f"{current} ▶ {desired}", Tone.DECIDED, strong=True),)
    return Step("desired", "desired", says, desired)
