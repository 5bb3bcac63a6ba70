"""A sheet over the dashboard, which goes on behind it."""

from __future__ import annotations

from typing import Final

from textual.screen import ModalScreen

from tui.panes.line import Line, cells

_SHARE: Final = 0.9
"""Of the screen's height that a sheet may have; with more to show it takes all of it."""
_FRAME: Final = 2


class Sheet(ModalScreen[None]):
    """Holds one widget, ``#sheet``, with a border and a cell of padding at each side."""

    def on_mount(self) -> None:
        """A program that is about to end puts nothing on it any more."""
        if self.query("#sheet"):
            self.opened()

    def opened(self) -> None:
        """What there is to show is in place."""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Nothing but to leave, for keys pressed before there is anything on the sheet."""
        early = not (self.is_mounted and self.query("#sheet")) and action != "dismiss"
        return False if early else super().check_action(action, parameters)

    def fit(self, lines: int, beneath: int, question: Line) -> None:
        """Take the room that is needed: the text scrolls, what is asked stays in sight.

        Args:
            lines: of the text.
            beneath: rows of what else stands there, the question left out.
            question: as it is asked, wrapped.
        """
        sheet = self.query_one("#sheet")
        width = max(1, sheet.size.width - 2)
        rows = lines + beneath + 1 + max(1, -(-cells(question) // width)) + _FRAME
        sheet.set_class(rows > _SHARE * self.size.height, "full")
