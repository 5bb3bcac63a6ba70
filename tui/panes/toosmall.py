"""What a terminal too small for the dashboard shows."""

from __future__ import annotations

from typing import Final

from textual.content import Content
from textual.widget import Widget

LEAST: Final = (60, 16)
"""Columns and rows the dashboard needs."""


class TooSmall(Widget):
    """Covers the screen while it is smaller than :data:`LEAST`."""

    def render(self) -> Content:
        """One sentence and the next step."""
        size = self.app.size
        return Content(
            f"This terminal has {size.width} columns and {size.height} rows; the dashboard needs "
            f"{LEAST[0]} and {LEAST[1]}. Make the window larger or the font smaller (q quits)."
        )
