"""A decision of the HPA in one sentence, which the last row of a classroom can read."""

from __future__ import annotations

from tui.analysis import hpa
from tui.analysis.replica_calculator import Calculation, Verdict
from tui.analysis.why_memory import release
from tui.analysis.why_steps import deciding
from tui.analysis.why_words import (
    Piece,
    Text,
    Tone,
    fraction,
    left,
    pods,
    product,
    reading,
    share,
    span,
    title,
)

_DOT = Piece(" · ", Tone.MUTED)


def sentences(
    outcome: hpa.Outcome, now: float, next_look: float | None, period: float = hpa.SYNC_PERIOD
) -> tuple[Text, ...]:
    """The sentence, from its longest form to its shortest; the screen takes the first that fits.

    ``2 pods × 87/50 = 3.48 → 4 · inside rate limit (max 4 this step) · next look ~9 s``
    """
    when = _when(now, next_look, period)
    decision = outcome.decision
    long, brief, briefest = [_clauses(decision, now, terse) for terse in (0, 1, 2)]
    forms = ([*long, when], [*brief, when], brief, [*briefest, when], briefest, briefest[-1:])
    return tuple(_joined(clauses) for clauses in forms)


def _clauses(decision: hpa.Decision, now: float, terse: int) -> list[Text]:
    key = deciding(decision)
    current, desired = decision.current, decision.desired
    if key == "problem":
        cause = next((r.cause for r in decision.metrics if r.reason), "") or decision.error
        short = cause.rpartition(": ")[2] if terse else cause
        return [(Piece("no figure: ", Tone.BAD, strong=True), Piece(short, Tone.BAD))]
    if key == "off":
        return [(Piece("off: the target has 0 replicas", Tone.DECIDED, strong=True),)]
    if key == "clamp":
        word = "max" if (current or 0) > decision.maximum else "min"
        return [
            (
                Piece(f"{current} is {'over' if word == 'max' else 'under'} {word} {desired}"),
                Piece(f" → {desired}", Tone.DECIDED, strong=True),
            )
        ]
    found = [_sum(decision, terse, key)]
    verdict = _verdict(decision, now, terse, key)
    if verdict:
        found.append(verdict)
    return found


def _sum(decision: hpa.Decision, terse: int, key: str) -> Text:
    chosen = decision.chosen
    calculation = chosen.calculation if chosen is not None else None
    if chosen is None or calculation is None:
        return (Piece(f"→ {decision.recommended}", Tone.DECIDED),)
    spec = chosen.spec
    name = f"{title(spec)}: " if len(decision.metrics) > 1 and not terse else ""
    measure = calculation.measured
    verdict = calculation.verdict
    if verdict is Verdict.CORRECTED_WITHIN_TOLERANCE and not calculation.assumed:
        verdict = Verdict.WITHIN_TOLERANCE  # a ratio of 1 leaves nothing to assume
    match verdict:
        case Verdict.WITHIN_TOLERANCE:
            slack = calculation.tolerances.up if measure.ratio > 1 else calculation.tolerances.down
            aim = fraction(spec, measure).rpartition("/")[2]
            unit = " %" if measure.utilization is not None else ""
            return (
                Piece(f"{name}{reading(spec, measure)}", Tone.MEASURED, strong=True),
                Piece(f" is within {share(slack)} of {aim}{unit}: "),
                Piece("no change", Tone.DECIDED, strong=True),
            )
        case Verdict.TOTAL:
            exact = measure.usage / measure.target if measure.target else 0.0
            return _equation(f"{name}{product(exact)}", None, calculation, key)
        case (
            Verdict.CORRECTED_WITHIN_TOLERANCE
            | Verdict.CORRECTION_REVERSES
            | Verdict.POD_COUNT_REVERSES
        ):
            redone = calculation.corrected or measure
            count = len(calculation.assumed)
            counts = f"count{'s' if count == 1 else ''} as {_taken(calculation)}"
            return (
                Piece(f"{name}{reading(spec, measure)}", Tone.MEASURED, strong=True),
                Piece(f", but {pods(count)} {counts}: {reading(spec, redone)}, "),
                Piece("no change", Tone.DECIDED, strong=True),
            )
        case Verdict.CORRECTED if calculation.corrected is not None:
            redone = calculation.corrected
            exact = redone.ratio * redone.pods
            taken = _taken(calculation)
            count = len(calculation.assumed)
            verb = "counts" if count == 1 else "count"
            idle = (f" ({count} {verb} as {taken})", f" ({count} at {taken})", "")[terse]
            start = f"{name}{pods(redone.pods)}{idle} × {fraction(spec, redone)}"
            return _equation(start, None if terse else exact, calculation, key)
        case Verdict.FROM_ZERO:
            return _equation(f"{name}{fraction(spec, measure)}", measure.ratio, calculation, key)
        case _:
            exact = measure.ratio * measure.pods
            start = f"{name}{pods(measure.pods)} × {fraction(spec, measure)}"
            return _equation(start, None if terse else exact, calculation, key)


def _taken(calculation: Calculation) -> str:
    """What the pods without a sample that counts are taken to use."""
    measure = calculation.measured
    if measure.ratio > 1:
        return "0"
    if measure.utilization is None:
        return "the target"
    return "full" if measure.target <= 100 else f"{measure.target} %"


def _equation(start: str, exact: float | None, found: Calculation, key: str) -> Text:
    exactly = "" if exact is None else product(exact)
    middle = f" = {exactly}" if exactly not in ("", str(found.replicas)) else ""
    return (
        Piece(start, Tone.MEASURED),
        Piece(middle),
        Piece(f" → {found.replicas}", Tone.DECIDED, strong=key in ("pods", "correction")),
    )


def _verdict(decision: hpa.Decision, now: float, terse: int, key: str) -> Text:
    limits = decision.normalization
    if limits is None:
        return ()
    current, desired = limits.current, limits.desired
    match key:
        case "window":
            stable = limits.stabilization
            window = max(stable.down_window, stable.up_window)
            if stable.stabilized > stable.recommended:
                window = stable.down_window
            elif stable.stabilized < stable.recommended:
                window = stable.up_window
            found = [
                Piece(f"{span(window)} window holds "),
                Piece(str(desired), Tone.DECIDED, strong=True),
            ]
            hold = release(decision)
            if hold is not None and hold.until > now:
                more = "" if terse else " more"
                rest = left(hold.until, now, hold.at_most)
                found.append(Piece(f", {rest}{more}", Tone.ESTIMATED))
            return tuple(found)
        case "rate" if limits.rate is not None and limits.rate.select_policy == "Disabled":
            return (
                Piece("scaling this way is disabled: "),
                Piece(f"stays {current}", Tone.DECIDED, strong=True),
            )
        case "rate":
            return (
                Piece("rate limit: "),
                Piece(f"{desired} this step", Tone.DECIDED, strong=True),
            )
        case "bounds":
            word = "max" if desired == limits.maximum else "min"
            return (Piece(f"{word} is ", Tone.TEXT), Piece(str(desired), Tone.DECIDED, strong=True))
        case _ if desired > current and limits.rate is not None and not terse:
            return (Piece(f"inside rate limit (max {limits.rate.limit} this step)", Tone.MUTED),)
        case "pods" | "correction" if desired == current:
            return (Piece(f"stays {current}", Tone.DECIDED),)
        case _:
            return ()


def _when(now: float, next_look: float | None, period: float) -> Text:
    if next_look is None:
        return (Piece(f"next look within {span(period)}", Tone.ESTIMATED),)
    rest = next_look - now
    if rest < 1.0:
        return (Piece("looking now", Tone.ESTIMATED),)
    return (Piece(f"next look ~{span(rest)}", Tone.ESTIMATED),)


def _joined(clauses: list[Text]) -> Text:
    found: list[Piece] = []
    for clause in clauses:
        if found:
            found.append(_DOT)
        found.extend(clause)
    return tuple(p for p in found if p.text)
