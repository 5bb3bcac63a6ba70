"""A sheet over the dashboard: its text scrolls, and what is asked beneath stays in sight."""

from __future__ import annotations

from typing import Final

from textual.widget import Widget

from tui.panes.line import Line, cells

_SHARE: Final = 0.9
"""Of the screen's height that a sheet may have; with more to show it takes all of it."""
_FRAME: Final = 2


def fit(sheet: Widget, lines: int, beneath: int, question: Line) -> None:
    """Give a sheet what it needs; its text has the rest of the screen where that is not enough.

    Args:
        sheet: with a border, its padding one cell at each side.
        lines: of the text.
        beneath: rows of what else stands there, the question left out.
        question: as it is asked, wrapped.
    """
    width = max(1, sheet.size.width - _FRAME)
    rows = lines + beneath + 1 + max(1, -(-cells(question) // width)) + _FRAME
    sheet.set_class(rows > _SHARE * sheet.screen.size.height, "full")
