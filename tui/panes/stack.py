"""Panes that share a place: as many as fit stand side by side, the rest wait behind them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.events import Resize

from tui.actions import ACTIONS, written
from tui.panes.pane import Pane

EACH: Final = 46
"""Cells a pane needs to say its thing."""


class Stack(Horizontal):
    """Shows the panes that were asked for last, in the order they were given.

    Where there is room for one only, the caller's keys leaf through them; where there is room for
    all, asking for one just puts the focus there.
    """

    def __init__(
        self, *panes: Pane, id: str | None = None, keys: Mapping[str, str] = written(ACTIONS)
    ) -> None:
        super().__init__(id=id)
        self._keys = keys
        """A pane's id is the name of the action that brings it to the front."""
        self.panes = panes
        self._asked = list(panes)
        """The one asked for last comes first."""

    def compose(self) -> ComposeResult:
        """All of them; those behind are not displayed and cost nothing."""
        yield from self.panes

    @property
    def front(self) -> Pane:
        """The pane that was asked for last."""
        return self._asked[0]

    def bring(self, pane: Pane) -> None:
        """Put a pane where it can be seen; the focus follows if it was on one that goes."""
        self._asked.remove(pane)
        self._asked.insert(0, pane)
        focused = self.screen.focused
        self._arrange()
        if isinstance(focused, Pane) and focused in self.panes and not focused.display:
            pane.focus()

    def on_mount(self) -> None:
        """Before the first frame."""
        self._arrange()

    def on_resize(self, event: Resize) -> None:
        """More or fewer fit."""
        self._arrange(event.size.width)

    def _arrange(self, width: int | None = None) -> None:
        places = max(1, (self.size.width if width is None else width) // EACH)
        seen = self._asked[:places]
        behind: list[tuple[str, str]] = []
        for pane in self.panes:
            pane.display = pane in seen
            if not pane.display:
                behind.append((self._keys.get(pane.id or "", ""), pane.id or ""))
        first = next(pane for pane in self.panes if pane.display)
        for pane in self.panes:
            pane.show_tabs(behind if pane is first else [])
