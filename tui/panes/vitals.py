"""``--profile``: one line of how the program itself is doing."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static

from tui.vitals import Figures


class VitalsLine(Static):
    """Stands over the keys."""

    DEFAULT_CSS = """
    VitalsLine {
        dock: bottom;
        height: 1;
        margin-bottom: 1;
        color: $text-muted;
    }
    """

    def show(self, figures: Figures) -> None:
        """Show figures of the last minute: of what is a pair, p99 and the most."""
        f = figures
        self.update(
            Content(
                f" tick {f.tick:.0f}/{f.tick_most:.0f} ms  lag {f.lag:.0f}/{f.lag_most:.0f} ms  "
                f"{f.changes:.0f} changes/s  queue {f.queue}  {f.memory:.0f} MB"
            )
        )
