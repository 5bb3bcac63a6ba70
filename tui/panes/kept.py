"""Widgets that are not asked anew for what they have not changed."""

from __future__ import annotations

from typing import Self

from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget


class Kept(Widget):
    """Gives the compositor the very strips of before until something is to be drawn anew.

    Whenever any part of the screen changes, Textual asks each widget on it for all its lines, and
    puts them together of what it has kept line by line: beside a pane that changes ten times a
    second that is most of what the others cost.
    """

    _kept: tuple[Region, list[Strip]] | None = None

    def forget(self) -> None:
        """What was drawn is out of date."""
        self._kept = None

    def refresh(self, *regions: Region, **how: bool) -> Self:
        """Have regions drawn anew, or all of it."""
        self.forget()
        return super().refresh(*regions, **how)

    def notify_style_update(self) -> None:
        """Other styles: all looks different."""
        self.forget()
        super().notify_style_update()

    def render_lines(self, crop: Region) -> list[Strip]:
        """The lines of that part, as :meth:`textual.widget.Widget.render_lines` makes them."""
        kept = self._kept
        if kept is not None and kept[0] == crop:
            return kept[1]
        made = super().render_lines(crop)
        self._kept = (crop, made)
        return made
