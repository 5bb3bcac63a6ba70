"""Curves as braille dots: plotext draws them, this turns its picture into lines of ours.

plotext has one global figure and knows nothing of themes. Each layer is drawn in a colour number
that stands for an ink, so a picture can be kept when the theme changes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple, TypeAlias

from tui.analysis.trend import Curve
from tui.panes.line import Line
from tui.panes.plotting import library

_SPAN: Final = re.compile(r"\x1b\[([0-9;]*)m([^\x1b\n]*)")
_FIRST: Final = 17
"""Colour numbers below have names of their own in plotext."""


_BLANK: Final = " \u2800"


class Layer(NamedTuple):
    """A curve and the style it is drawn in; later layers lie on top."""

    curve: Curve
    ink: str
    low: float
    high: float
    wash: str = ""
    """The style of the area below the curve, if that is to be filled."""
    dotted: bool = False
    """Whether its points stand alone: what is estimated is no line."""


def draw(layers: Sequence[Layer], start: float, end: float, width: int, height: int) -> list[Line]:
    """``height`` lines of ``width`` cells.

    Times from ``start`` to ``end``; each layer's values from its own ``low`` (bottom) to ``high``
    (top). Areas are a picture of their own below the curves, so that no cell mixes the two.
    """
    if width < 2 or height < 1 or end <= start:
        return [[(" " * max(0, width), "")] for _ in range(height)]
    areas: list[_Stroke] = []
    curves: list[_Stroke] = []
    for layer in layers:
        if not layer.curve.times:
            continue
        span = (layer.high - layer.low) or 1.0
        x = [(t - start) / (end - start) for t in layer.curve.times]
        y = [min(1.0, max(0.0, (v - layer.low) / span)) for v in layer.curve.values]
        if layer.wash:
            areas.append(_Stroke(*_below(x, y, width), layer.wash))
        curves.append(_Stroke(x, y, layer.ink, layer.dotted))
    below = _picture(areas, width, height) if areas else None
    above = _picture(curves, width, height)
    return [_runs(row, below[y] if below else []) for y, row in enumerate(above)]


class _Stroke(NamedTuple):
    """A line through points, both ways from 0 to 1."""

    x: Sequence[float]
    y: Sequence[float]
    ink: str
    dotted: bool = False


_Cells: TypeAlias = list[tuple[str, str]]
"""A row of single characters with their inks."""


def _picture(strokes: Sequence[_Stroke], width: int, height: int) -> list[_Cells]:
    plotext = library()
    figure = plotext.figure
    figure.clear()
    plotext.terminal.limit(False, False)
    figure.plot_size(width, height)
    figure.canvas("default")
    figure.axes(False)
    figure.ruler([0, 1]).frequency(0)
    figure.ruler("x").lim(0.0, 1.0)
    figure.ruler("y").lim(0.0, 1.0)
    for number, stroke in enumerate(strokes):
        marker = plotext.marker("braille", pixel=_FIRST + number)
        signal = figure.signal(list(stroke.x), list(stroke.y), marker=marker)
        if not stroke.dotted:
            signal.lines()
        figure.draw(signal)
    rows: list[_Cells] = []
    for row in str(figure.build()).split("\n")[:height]:
        cells: _Cells = []
        for codes, text in _SPAN.findall(row):
            number = codes.removeprefix("38;5;")
            known = number.isdigit() and 0 <= int(number) - _FIRST < len(strokes)
            ink = strokes[int(number) - _FIRST].ink if known else ""
            cells.extend((char, ink) for char in text)
        rows.append((cells + [(" ", "")] * width)[:width])
    rows += [[(" ", "")] * width] * (height - len(rows))
    return rows


def _runs(above: _Cells, below: _Cells) -> Line:
    """One line from two pictures; neighbours of one ink become one piece."""
    line: Line = []
    for x, cell in enumerate(above):
        char, ink = below[x] if below and cell[0] in _BLANK else cell
        if line and line[-1][1] == ink:
            line[-1] = (line[-1][0] + char, ink)
        else:
            line.append((char, ink))
    return line


def _below(x: Sequence[float], y: Sequence[float], width: int) -> tuple[list[float], list[float]]:
    """One stroke up and down under a curve, at every second column of dots."""
    across: list[float] = []
    up: list[float] = []
    at = 0
    for column in range(width):
        here = (column + 0.25) / width
        if not x[0] <= here <= x[-1]:
            continue
        while at + 1 < len(x) - 1 and x[at + 1] < here:
            at += 1
        reach = x[min(at + 1, len(x) - 1)] - x[at]
        share = (here - x[at]) / reach if reach > 0 else 0.0
        level = y[at] + min(1.0, max(0.0, share)) * (y[min(at + 1, len(y) - 1)] - y[at])
        across += [here, here, here]
        up += [0.0, level, 0.0]
    return across or [x[0]], up or [y[0]]
