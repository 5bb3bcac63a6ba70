"""A line under the header while the screen does not show what is: why, and since when."""

from __future__ import annotations

from typing import Final

from textual.strip import Strip

from tui.analysis.scene import Scene
from tui.panes.ink import Palette
from tui.panes.kept import Kept
from tui.panes.line import Line, strip
from tui.state.links import Health
from tui.text import clean, span, wrap

_PATIENCE: Final = 3.0
"""Seconds a lost connection may take to come back before it is worth a line."""


class Banner(Kept):
    """Shown only while the connection is not live."""

    def __init__(self) -> None:
        super().__init__(id="banner")
        self.palette = Palette({})
        self._text = ""

    def show(self, scene: Scene) -> None:
        """Take over a scene."""
        text = _sentence(scene)
        if text != self._text:
            self._text = text
            self.set_class(bool(text), "open")
            self.refresh(layout=True)

    def use(self, palette: Palette) -> None:
        """Take over a theme's colours."""
        self.palette = palette
        self.refresh()

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        """One line, or two where the sentence is long."""
        return min(2, max(1, len(wrap(self._text, width))))

    def render_line(self, y: int) -> Strip:
        """Textual asks for a line."""
        room = self.size.width
        lines = wrap(self._text, room)
        line: Line = [(lines[y], "bad")] if y < len(lines) else []
        return strip(line, self.palette).adjust_cell_length(room).apply_style(self.rich_style)


def _sentence(scene: Scene) -> str:
    link = scene.connection
    if link.health in (Health.LIVE, Health.CONNECTING) or scene.now - link.since < _PATIENCE:
        return ""
    seen = f" What is shown was seen {span(scene.now - link.since)} ago."
    if link.health is not Health.RETRYING or not scene.delta.pods.rows:
        seen = ""
    return f"▲ {clean(link.detail)}{seen}" if link.detail else ""
