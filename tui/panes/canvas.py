"""Curves as braille dots: plotext draws them, this turns its picture into lines of ours.

plotext has one global figure and knows nothing of themes. Each layer is drawn in a colour number
that stands for an ink, so a picture can be kept when the theme changes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from tui.analysis.trend import Curve
from tui.panes.line import Line

_SPAN: Final = re.compile(r"\x1b\[([0-9;]*)m([^\x1b\n]*)")
_FIRST: Final = 17
"""Colour numbers below have names of their own in plotext."""


class Layer(NamedTuple):
    """A curve and the style it is drawn in; later layers lie on top."""

    curve: Curve
    ink: str
    low: float
    high: float
    filled: bool = False


def draw(layers: Sequence[Layer], start: float, end: float, width: int, height: int) -> list[Line]:
    """``height`` lines of ``width`` cells. Times from ``start`` to ``end``; each layer's values
    from its own ``low`` (bottom) to ``high`` (top).
    """
    if width < 2 or height < 1 or end <= start:
        return [[(" " * max(0, width), "")] for _ in range(height)]
    import plotext

    figure = plotext.figure
    figure.clear()
    figure.plot_size(width, height)
    figure.canvas("default")
    figure.axes(False)
    figure.ruler([0, 1]).frequency(0)
    figure.ruler("x").lim(0.0, 1.0)
    figure.ruler("y").lim(0.0, 1.0)
    inks: list[str] = []
    for layer in layers:
        if not layer.curve.times:
            continue
        x = [(t - start) / (end - start) for t in layer.curve.times]
        span = (layer.high - layer.low) or 1.0
        y = [min(1.0, max(0.0, (v - layer.low) / span)) for v in layer.curve.values]
        marker = plotext.marker("braille", pixel=_FIRST + len(inks))
        inks.append(layer.ink)
        signal = figure.signal(x, y, marker=marker)
        signal.lines()
        if layer.filled:
            signal.filly()
        figure.draw(signal)
    return _lines(str(figure.build()), inks, width, height)


def _lines(picture: str, inks: Sequence[str], width: int, height: int) -> list[Line]:
    lines: list[Line] = []
    for row in picture.split("\n")[:height]:
        line: Line = []
        for codes, text in _SPAN.findall(row):
            if not text:
                continue
            number = codes.removeprefix("38;5;")
            known = number.isdigit() and 0 <= int(number) - _FIRST < len(inks)
            line.append((text, inks[int(number) - _FIRST] if known else ""))
        lines.append(line)
    while len(lines) < height:
        lines.append([(" " * width, "")])
    return lines
