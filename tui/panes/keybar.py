"""The bottom line: the keys worth knowing, from the registry of actions; a click presses one.

Textual's Footer is composed anew, widget by widget, whenever the focus moves. This one is a line
of text, which is what it costs.
"""

from __future__ import annotations

from collections.abc import Iterable

from textual.events import Click
from textual.strip import Strip

from tui.actions import ACTIONS, Action
from tui.panes.ink import Palette
from tui.panes.kept import Kept
from tui.panes.line import Line, cells, ends, strip


class KeyBar(Kept):
    """One line. What does not fit is left out, the least needful first; the palette always fits."""

    def __init__(self, actions: Iterable[Action] = ACTIONS) -> None:
        super().__init__(id="keybar")
        actions = tuple(actions)
        self._shown = [action for action in actions if action.footer]
        self._last = next(action for action in actions if action.name == "palette")
        self.palette = Palette({})

    def use(self, palette: Palette) -> None:
        """Take over a theme's colours."""
        self.palette = palette
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Textual asks for the line."""
        room = self.size.width
        left = [piece for pieces, _ in self._placed() for piece in pieces]
        made = strip(ends(left, _pieces(self._last), room), self.palette)
        return made.adjust_cell_length(room).apply_style(self.rich_style)

    async def on_click(self, event: Click) -> None:
        """Do what the key under the pointer does."""
        ends_at = 0
        for pieces, action in self._placed():
            ends_at += cells(pieces)
            if event.x < ends_at:
                await self._run(action)
                return
        if event.x >= self.size.width - cells(_pieces(self._last)):
            await self._run(self._last)

    async def _run(self, action: Action) -> None:
        await self.run_action(action.call if action.app else f"screen.{action.call}")

    def _placed(self) -> list[tuple[Line, Action]]:
        """Each action's text, from the left; set closer where that makes all of them fit."""
        room = self.size.width - cells(_pieces(self._last)) - 1
        placed = [(_pieces(action), action) for action in self._shown]
        if sum(cells(pieces) for pieces, _ in placed) > room:
            placed = [(pieces[:-1], action) for pieces, action in placed]
        while placed and sum(cells(pieces) for pieces, _ in placed) > room:
            least = max(action.footer for _, action in placed)
            at = max(n for n, (_, action) in enumerate(placed) if action.footer == least)
            placed.pop(at)
        return placed


def _pieces(action: Action) -> Line:
    return [(f" {action.written} ", "bold measured"), (action.label, "muted"), (" ", "")]
