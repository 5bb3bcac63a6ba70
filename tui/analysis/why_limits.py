"""From a recommendation to the size wanted, as steps."""

from __future__ import annotations

from tui.analysis import hpa
from tui.analysis.why_memory import release
from tui.analysis.why_words import Piece, Step, Text, Tone, left, policy, span


def limit_steps(decision: hpa.Decision, now: float) -> list[Step]:
    """Stabilization, rate limit, min and max."""
    limits = decision.normalization
    if limits is None:
        return []
    found = [_window(decision, limits, now)]
    if limits.rate is not None and limits.stabilization.stabilized != limits.current:
        found.append(_rate(limits, limits.rate, now))
    found.append(_bounds(limits))
    return found


def _window(decision: hpa.Decision, limits: hpa.Normalization, now: float) -> Step:
    stable = limits.stabilization
    if stable.stabilized == stable.recommended:
        asked = stable.down_window if limits.recommended < limits.current else stable.up_window
        says: Text = (
            Piece(f"nothing in the last {span(asked)} holds it" if asked else "no window this way"),
        )
        return Step("window", "stabilization", says, stable.stabilized)
    down = stable.stabilized > stable.recommended
    window = stable.down_window if down else stable.up_window
    which = "highest" if down else "lowest"
    pieces = [
        Piece(f"{which} of {span(window)} counts: "),
        Piece(str(stable.stabilized), Tone.DECIDED, strong=True),
    ]
    hold = release(decision)
    if hold is not None and hold.until > now:
        holds = f", so {limits.desired} stays" if limits.desired != stable.stabilized else ""
        pieces.append(Piece(f"{holds} {left(hold.until, now, hold.at_most)} more", Tone.ESTIMATED))
    return Step("window", "stabilization", tuple(pieces), stable.stabilized, estimated=True)


def _rate(limits: hpa.Normalization, rate: hpa.RateLimit, now: float) -> Step:
    count = limits.stabilization.stabilized
    up = count > limits.current
    if not rate.select_policy:  # without behavior only the way up has a limit, a plain one
        if not up:
            return Step("rate", "rate limit", (Piece("none downwards without behavior"),), count)
        says = Piece(f"double, or 4 if more: at most {rate.limit}")
        return Step(
            "rate", "rate limit", (says, *_through(count, rate.limit, up)), min(count, rate.limit)
        )
    notes: list[Text] = []
    for budget in rate.budgets:
        used = budget.added if up else budget.removed
        line = [Piece(f"{policy(budget.policy, up)}: reaches {budget.limit}", Tone.MUTED)]
        if used:
            line.append(Piece(f", {used} of it used", Tone.ESTIMATED))
        if budget.frees_at is not None and budget.frees_at > now:
            line.append(Piece(f", frees in ~{span(budget.frees_at - now)}", Tone.ESTIMATED))
        notes.append(tuple(line))
    if rate.select_policy == "Disabled":
        says = Piece("scaling this way is disabled", Tone.DECIDED)
        return Step("rate", "rate limit", (says,), rate.limit)
    which = "most" if rate.select_policy == "Max" else "least"
    word = f"the {which} of {len(rate.budgets)} policies" if len(rate.budgets) > 1 else "policy"
    limit = rate.limit
    result = min(count, limit) if up else max(count, limit)
    says = Piece(f"{word} reaches {limit}")
    return Step(
        "rate",
        "rate limit",
        (says, *_through(count, limit, up)),
        result,
        tuple(notes),
        estimated=any(b.frees_at is not None for b in rate.budgets),
    )


def _through(count: int, limit: int, up: bool) -> Text:
    if count <= limit if up else count >= limit:
        return (Piece(f", {count} passes"),)
    return (
        Piece(f", {count} becomes "),
        Piece(str(limit), Tone.DECIDED, strong=True),
    )


def _bounds(limits: hpa.Normalization) -> Step:
    low, high = limits.minimum, limits.maximum
    if limits.desired == high < limits.recommended or limits.reason == "TooManyReplicas":
        says: Text = (Piece("max is "), Piece(str(high), Tone.DECIDED, strong=True))
    elif limits.desired == low > limits.recommended or limits.reason == "TooFewReplicas":
        says = (Piece("min is "), Piece(str(low), Tone.DECIDED, strong=True))
    else:
        says = (Piece(f"within {low} … {high}"),)
    return Step("bounds", "min / max", says, limits.desired)
