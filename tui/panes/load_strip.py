"""Rate and latency of bursts as strips of columns, on whatever time axis stands below them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Final

from tui.panes.line import Line
from tui.state.load import BurstRow, LoadPoint
from tui.text import pad

_COLUMNS: Final = " ▁▂▃▄▅▆▇█"


def strips(
    bursts: Sequence[BurstRow], start: float, end: float, axis: int, room: int
) -> list[Line]:
    """Two lines, requests per second and p99; none if no burst ran in that time.

    Args:
        bursts: of any time.
        start: of the time axis, in seconds since the epoch.
        end: of the time axis.
        axis: cells for the label at the left.
        room: cells for the time axis itself.
    """
    points = [p for burst in bursts for p in burst.points if start <= p.time <= end]
    if not points or room < 1:
        return []
    rates = _columns(points, start, end, room, lambda p: p.rate, sum)
    late = _columns(points, start, end, room, lambda p: p.p99, max)
    bad = _columns(points, start, end, room, lambda p: p.failed, sum)
    return [
        _strip(f"{_short(max(rates))}/s", rates, bad, axis, "measured"),
        _strip(_brief(max(late)), late, bad, axis, "text"),
    ]


def _columns(
    points: Sequence[LoadPoint],
    start: float,
    end: float,
    room: int,
    value: Callable[[LoadPoint], float],
    join: Callable[[list[float]], float],
) -> list[float]:
    """A value for each cell: the mean of its seconds in which a burst ran, or their worst; 0 where
    none did.
    """
    found: list[list[LoadPoint]] = [[] for _ in range(room)]
    for point in points:
        column = min(room - 1, int((point.time - start) / (end - start) * room))
        found[column].append(point)
    wide = (end - start) / room
    made = [join([value(p) for p in cell]) if cell else 0.0 for cell in found]
    if join is sum:
        made = [total / _seconds(cell) for total, cell in zip(made, found, strict=True)]
    if wide < 1:  # a second is wider than a cell: it fills those up to the next
        for column in range(1, room):
            if not found[column] and made[column - 1] and column - wide < room:
                nearest = [p for p in points if 0 <= start + column * wide - p.time < 1.2]
                made[column] = join([value(p) for p in nearest]) if nearest else 0.0
    return made


def _seconds(points: Sequence[LoadPoint]) -> float:
    """How many seconds they tell of: those of bursts side by side tell of the same ones."""
    times = sorted(point.time for point in points)
    return 1.0 + sum(min(1.0, after - before) for before, after in pairwise(times))


def _strip(label: str, values: list[float], bad: list[float], axis: int, ink: str) -> Line:
    most = max(values) or 1.0
    line: Line = [(pad(label, axis, right=True)[:axis], ink)]
    for value, failed in zip(values, bad, strict=True):
        height = max(1, round(8 * value / most)) if value else 0
        line.append((_COLUMNS[height], "bad" if failed and value else ink))
    return line


def _brief(seconds: float) -> str:
    """In at most six cells."""
    return f"{1000 * seconds:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


def _short(rate: float) -> str:
    return f"{rate:.0f}" if rate < 1000 else f"{rate / 1000:.1f}k"
