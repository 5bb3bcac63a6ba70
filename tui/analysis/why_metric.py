"""From a metric's sum to a recommendation, as steps."""

from __future__ import annotations

from typing import Final

from tui.analysis import hpa
from tui.analysis.replica_calculator import Calculation, Measure, Verdict
from tui.analysis.why_words import (
    Piece,
    Step,
    Text,
    Tone,
    amount,
    number,
    pods,
    product,
    reading,
    short,
    target,
    title,
)

_NAMED: Final = 12
"""Pods that are named one by one."""


def problem(title_: str, text: str) -> Step:
    """The step at which it ended."""
    return Step("problem", title_, (Piece(text or "unknown", Tone.BAD),))


def metric_steps(result: hpa.MetricResult, found: Calculation) -> list[Step]:
    """Sum, ratio, tolerance, pods, correction."""
    spec, measure = result.spec, found.measured
    listed = [_usage(spec, found)]
    if found.verdict is Verdict.FROM_ZERO:
        return listed
    per = "" if measure.utilization is not None or spec.target_type == "Value" else " per pod"
    listed.append(
        Step(
            "ratio",
            "ratio",
            (
                Piece(reading(spec, measure), Tone.MEASURED),
                Piece(f" ÷ {target(spec, measure)}{per} target = "),
                Piece(_ratio(found, measure), strong=True),
            ),
        )
    )
    listed.append(_tolerance(found, measure))
    groups = found.groups
    odd = groups is not None and (groups.missing or groups.unready or groups.ignored)
    if found.verdict is not Verdict.WITHIN_TOLERANCE or odd:
        listed.append(_times_pods(spec, found))
    if odd:
        listed.append(_correction(spec, found))
    return listed


def _usage(spec: hpa.MetricSpec, found: Calculation) -> Step:
    measure = found.measured
    total = amount(spec, measure.usage)
    if measure.requests is not None:
        says: Text = (
            Piece(total, Tone.MEASURED),
            Piece(f" ÷ {amount(spec, measure.requests)} requested = "),
            Piece(f"{measure.utilization} %", Tone.MEASURED, strong=True),
        )
        heading = f"Σ {title(spec)} ÷ Σ request"
    elif found.usage:
        says = (
            Piece(total, Tone.MEASURED),
            Piece(f" ÷ {pods(len(found.usage))} = "),
            Piece(amount(spec, measure.average), Tone.MEASURED, strong=True),
        )
        heading = f"Σ {title(spec)} ÷ pods"
    elif spec.target_type == "AverageValue":
        says = (
            Piece(total, Tone.MEASURED),
            Piece(f" ÷ {pods(measure.pods, 'replica')} = "),
            Piece(amount(spec, measure.average), Tone.MEASURED, strong=True),
        )
        heading = title(spec)
    else:
        says = (Piece(total, Tone.MEASURED, strong=True),)
        heading = title(spec)
    return Step("usage", heading, says, notes=_each_pod(spec, found))


def _each_pod(spec: hpa.MetricSpec, found: Calculation) -> tuple[Text, ...]:
    """What each pod adds to the sum."""
    if not found.usage:
        return ()
    pieces: list[Piece] = []
    for name, used in list(found.usage.items())[:_NAMED]:
        of = found.requests.get(name)
        whole = f"/{amount(spec, of)}" if of is not None else ""
        pieces.append(Piece(f"{short(name)} {amount(spec, used)}{whole}", Tone.MUTED))
    rest = len(found.usage) - _NAMED
    if rest > 0:
        pieces.append(Piece(f"and {rest} more", Tone.MUTED))
    return (tuple(pieces),)


def _ratio(found: Calculation, measure: Measure) -> str:
    """With enough figures to see on which side of the tolerance it lies."""
    slack = found.tolerances
    return number(measure.ratio, 0.0, 1 - slack.down, 1.0, 1 + slack.up)


def _tolerance(found: Calculation, measure: Measure) -> Step:
    slack = found.tolerances
    low, high = number(1 - slack.down, 1.0), number(1 + slack.up, 1.0)
    if slack.within(measure.ratio):
        return Step(
            "tolerance",
            "tolerance",
            (
                Piece(f"{_ratio(found, measure)} is within {low} … {high}: "),
                Piece("near enough, no change", Tone.DECIDED),
            ),
            found.replicas if found.verdict is Verdict.WITHIN_TOLERANCE else None,
        )
    return Step(
        "tolerance",
        "tolerance",
        (Piece(f"{_ratio(found, measure)} is outside {low} … {high}: act"),),
    )


def _times_pods(spec: hpa.MetricSpec, found: Calculation) -> Step:
    measure = found.measured
    if found.verdict is Verdict.TOTAL:
        exact = measure.usage / measure.target if measure.target else 0.0
        says: Text = (
            Piece(f"{amount(spec, measure.usage)} ÷ {amount(spec, measure.target)} per pod = "),
            Piece(product(exact)),
            Piece(" → "),
            Piece(str(found.replicas), Tone.DECIDED, strong=True),
        )
        return Step("pods", "total ÷ target", says, found.replicas)
    exact = measure.ratio * measure.pods
    final = found.verdict is Verdict.SCALED
    raw = found.replicas if final else -int(-exact // 1)
    return Step(
        "pods",
        "× pods that count",
        (
            Piece(f"{_ratio(found, measure)} × {pods(measure.pods)} = {product(exact)} → "),
            Piece(str(raw), Tone.DECIDED if final else Tone.MUTED, strong=final),
        ),
        found.replicas if final else None,
    )


def _correction(spec: hpa.MetricSpec, found: Calculation) -> Step:
    groups = found.groups or hpa.PodGroups(0)
    odd = [
        *[
            f"{short(n)}: {'has ended' if n in groups.ended else 'no sample yet'}"
            f"{_taken(spec, found, n)}"
            for n in groups.missing
        ],
        *[f"{short(n)}: {w.value}{_taken(spec, found, n)}" for n, w in groups.unready.items()],
        *[f"{short(n)}: going or failed, left out" for n in groups.ignored],
    ]
    if len(odd) > _NAMED:
        odd[_NAMED:] = [f"and {len(odd) - _NAMED} more"]
    notes: list[Text] = [(Piece(line, Tone.MUTED),) for line in odd]
    heading = "missing, unready"
    redone = found.corrected
    if redone is None:
        left_out = len(groups.missing) + len(groups.unready) + len(groups.ignored)
        says: Text = (Piece(f"{pods(left_out)} left out; nothing to correct"),)
        return Step("correction", heading, says, None, tuple(notes))
    sums: list[Piece] = [
        Piece(amount(spec, redone.usage), Tone.MEASURED),
    ]
    if redone.requests is not None:
        sums.append(Piece(f" ÷ {amount(spec, redone.requests)}"))
    else:
        sums.append(Piece(f" ÷ {pods(redone.pods)}"))
    sums += [
        Piece(f" = {reading(spec, redone)}, {_ratio(found, redone)}"),
    ]
    match found.verdict:
        case Verdict.CORRECTED:
            exact = product(redone.ratio * redone.pods)
            sums += [
                Piece(f" × {redone.pods} = {exact} → "),
                Piece(str(found.replicas), Tone.DECIDED, strong=True),
            ]
        case Verdict.CORRECTED_WITHIN_TOLERANCE:
            sums.append(Piece(": within tolerance, no change", Tone.DECIDED))
        case Verdict.CORRECTION_REVERSES:
            sums.append(Piece(": points the other way, no change", Tone.DECIDED))
        case _:
            sums.append(Piece(": the pods counted point the other way, no change", Tone.DECIDED))
    return Step("correction", heading, tuple(sums), found.replicas, tuple(notes))


def _taken(spec: hpa.MetricSpec, found: Calculation, name: str) -> str:
    taken = found.assumed.get(name)
    if taken is None:
        return ", left out"
    if not taken:
        return ", taken as 0"
    return f", taken as {amount(spec, taken)}"
