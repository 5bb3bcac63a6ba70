"""A burst in lines: what is asked and achieved, how long answers take, which pods give them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from tui.load.share import Shares, shares
from tui.panes.bar import bar
from tui.panes.line import Line, cells, ends, flow
from tui.state.load import BurstRow, LoadChange
from tui.text import clean, pad, shorten_tail, span, width, wrap

PERCENTS: Final = (50.0, 90.0, 99.0, 99.9)
_STATES: Final = {
    "starting": ("…", "muted"),
    "running": ("●", "measured"),
    "done": ("✓", "good"),
    "stopped": ("■", "decided"),
    "failed": ("✕", "bad"),
}
_LABEL: Final = 10
_COLUMN: Final = 14


def one(burst: BurstRow, room: int) -> list[Line]:
    """A burst on its own, but for its pods."""
    lines = [
        title(burst, room),
        *flow(_rate(burst), room),
        *flow(_latency(burst), room),
        *flow(_answers(burst), room),
    ]
    if burst.problem:
        lines += [[(text, "bad")] for text in wrap(clean(burst.problem), room)]
    ink = "decided" if burst.bypasses else "muted"
    return lines + [[(text, ink)] for text in wrap(f"by {clean(burst.route)}", room)]


def title(burst: BurstRow, room: int) -> Line:
    """``● class-burst → nginx-svc  ████░░  32 s left``."""
    sign, ink = _STATES.get(burst.state, ("?", "muted"))
    rest: Line = []
    if burst.over:
        rest = [(f"{burst.state} after {span(burst.elapsed)}", ink)]
    elif burst.left is not None:
        rest = [(f" {span(burst.left)} left", "text")]
    target: Line = [(clean(burst.target), "bold measured")]
    left: Line = [(f"{sign} ", ink), (clean(burst.profile) or "burst", "bold"), (" → ", "muted")]
    if cells([*left, *target, *rest]) >= room:
        left = left[:1]  # where to is worth more than what
    left += target
    if burst.over:
        return ends(left, rest, room)
    length = min(24, room - cells(left) - cells(rest) - 2)
    if length >= 6:
        rest = [*bar(burst.progress, length), *rest]
    return ends(left, rest, room)


def _rate(burst: BurstRow) -> list[Line]:
    rate = burst.mean if burst.over else burst.achieved
    words: list[Line] = [[(f"{rate:,.0f}/s", "bold measured")]]
    if burst.asked is not None and not burst.over:
        behind = burst.state == "running" and burst.elapsed > 2 and rate < 0.9 * burst.asked
        words[0].append((f" of {burst.asked:,.0f} asked", "bold bad" if behind else "muted"))
    if not burst.over:
        words.append([(f"{burst.in_flight}", ""), (" in flight", "muted")])
    words.append([(f"{burst.responses:,}", ""), (" answers", "muted")])
    return words


def _latency(burst: BurstRow) -> list[Line]:
    if not any(burst.latency.values()):
        return [[("no answer yet" if not burst.over else "no answer", "muted")]]
    words: list[Line] = [
        [(f"p{percent:g} ", "muted"), (duration(burst.latency.get(percent, 0.0)), "measured")]
        for percent in PERCENTS
    ]
    service = burst.service.get(99.0, 0.0)
    if service and burst.latency.get(99.0, 0.0) > 1.2 * service:
        # With a rate set, waiting to be sent counts too; the difference is the queue at our side.
        words.append([("served p99 ", "muted"), (duration(service), "")])
    return words


def _answers(burst: BurstRow) -> list[Line]:
    words: list[Line] = []
    for code, count in burst.statuses.items():
        ink = "good" if 200 <= code < 400 else "bold bad"
        words.append([(f"{code} ", ink), (f"{count:,}", "" if ink == "good" else "bad")])
    for kind, count in burst.failures.items():
        words.append([(f"{clean(kind)} ", "bold bad"), (f"{count:,}", "bad")])
    return words


def _percentile(percent: float, burst: BurstRow) -> str:
    return duration(burst.latency.get(percent, 0.0))


def _quickness(percent: float, burst: BurstRow) -> float:
    return -burst.latency.get(percent, 0.0)


def pods(burst: BurstRow, room: int) -> list[Line]:
    """Requests per pod, against what random choice gives."""
    if not burst.pods:
        return []
    found = shares(burst.pods, burst.opened, burst.behind, chances=burst.chances)
    lines: list[Line] = [
        ends(
            [("requests per pod", "bold measured")],
            [(f"from {clean(burst.counted)}", "muted")],
            room,
        )
    ]
    names = min(max(width(clean(p.pod)) for p in found.pods), max(8, room // 3))
    most = found.pods[0].requests or 1
    for pod in found.pods:
        name = pad(shorten_tail(clean(pod.pod), names), names)
        ink = "measured" if pod.inside else "decided"
        right: Line = [(f"{pod.requests:,}", ink), (f"{100 * pod.share:4.0f} %", "muted")]
        line: Line = [(name, ""), (" ", "")]
        length = min(30, room - cells(line) - cells(right) - 1)
        if length >= 4:
            line += [*bar(pod.requests / most, length, ink), (" ", "")]
        lines.append(ends(line, right, room))
    lines += _verdict(found, room)
    return lines


def _verdict(found: Shares, room: int) -> list[Line]:
    lines: list[Line] = []
    if found.judged and len(found.pods) > 1:
        alike = len({(pod.low, pod.high) for pod in found.pods}) == 1
        each = "each" if alike else "by how long each was ready"
        text = f"random choice: {found.low:,} to {found.high:,} {each}"
        lines += [[(part, "muted")] for part in wrap(text, room)]
    calm = all(pod.inside for pod in found.pods)
    ink = "muted" if calm else "decided"
    return lines + [[(text, ink)] for text in wrap(found.sentence, room)]


def together(bursts: Sequence[BurstRow], room: int) -> list[Line]:
    """Two bursts side by side, figure by figure, but for their pods; the better one stands out."""
    column = max(8, min(_COLUMN + 8, (room - _LABEL) // len(bursts) - 1))

    def row(
        label: str,
        text: Callable[[BurstRow], str],
        worth: Callable[[BurstRow], float] | None = None,
        ink: str = "",
    ) -> Line:
        line: Line = [(pad(label, _LABEL), "muted")]
        values = [worth(b) for b in bursts] if worth is not None else []
        best = max(values) if values and len(set(values)) > 1 else None
        for number, burst in enumerate(bursts):
            stands = best is not None and values[number] == best
            shown = pad(shorten_tail(text(burst), column), column, right=True)
            line += [(" ", ""), (shown, "bold measured" if stands else ink)]
        return line

    def rate(burst: BurstRow) -> float:
        return burst.mean if burst.over else burst.achieved

    lines = [
        row("", lambda b: clean(b.target), ink="bold"),
        row("", lambda b: f"{span(b.left)} left" if b.left and not b.over else b.state),
        row("requests", lambda b: f"{rate(b):,.0f}/s", rate),
    ]
    if any(b.asked is not None for b in bursts):
        lines.append(row("asked", lambda b: f"{b.asked:,.0f}/s" if b.asked else "–"))
    lines += [
        row(f"p{percent:g}", partial(_percentile, percent), partial(_quickness, percent))
        for percent in PERCENTS
    ]
    lines += [
        row("in flight", lambda b: str(b.in_flight)),
        row("good", lambda b: f"{b.good:,}"),
        row("bad", lambda b: f"{b.failed + b.responses - b.good:,}"),
    ]
    for burst in bursts:
        lines += [
            [(text, "muted")]
            for text in wrap(f"{clean(burst.target)} by {clean(burst.route)}", room)
        ]
    return lines


def answering(bursts: Sequence[BurstRow], room: int) -> list[Line]:
    """Requests per pod of one burst, or of several under the names of their targets."""
    if len(bursts) == 1:
        return pods(bursts[0], room)
    lines: list[Line] = []
    for burst in bursts:
        if burst.pods:
            lines += [[(clean(burst.target), "bold")], *pods(burst, room)]
    return lines


def changes(burst: BurstRow, room: int) -> list[Line]:
    """Against the run before with the same preset and target."""
    if not burst.changes:
        return []
    lines: list[Line] = [[("against the run before", "bold measured")]]
    for change in burst.changes:
        if change.before == change.after == 0:
            continue
        lines.append(
            [
                (pad(change.name, 15), "muted"),
                (pad(_figure(change, change.before), 9, right=True), "muted"),
                (" ▶ ", "muted"),
                (pad(_figure(change, change.after), 9, right=True), ""),
                (pad(_ratio(change), 7, right=True), "muted"),
            ]
        )
    return lines


def _figure(change: LoadChange, value: float) -> str:
    if change.unit == "s":
        return duration(value)
    return f"{value:,.0f}" + ("/s" if change.unit == "1/s" else "")


def _ratio(change: LoadChange) -> str:
    return f"{100 * (change.after / change.before - 1):+.0f} %" if change.before else ""


def duration(seconds: float) -> str:
    """Three figures and a unit, such as ``13.6 ms``; a dash for none."""
    if seconds <= 0:
        return "–"
    if seconds < 0.001:
        return f"{1e6 * seconds:.0f} µs"
    if seconds < 1:
        milli = 1000 * seconds
        return f"{milli:.0f} ms" if milli >= 100 else f"{milli:.1f} ms"
    return f"{seconds:.2f} s"
