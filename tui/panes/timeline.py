"""The timeline: what happened, newest first, with the seconds between cause and effect."""

from __future__ import annotations

import time
from collections.abc import Hashable
from typing import Final

from tui.analysis.entries import whose
from tui.analysis.scene import Scene
from tui.analysis.timeline import Entry, Mood
from tui.panes.line import Line, cells, ends
from tui.panes.pane import Pane, absence
from tui.state.links import Health
from tui.state.rows import Kind
from tui.text import clean, shorten_tail

_LOOK: Final = {
    Mood.DECIDED: ("◆", "decided", "bold decided"),
    Mood.GOOD: ("●", "good", "good"),
    Mood.BAD: ("▲", "bad", "bad"),
    Mood.MEASURED: ("▪", "measured", "measured"),
    Mood.QUIET: ("·", "muted", "muted"),
}


class TimelinePane(Pane):
    """One line an entry."""

    TITLE = "Timeline"
    EVERY = 0.5

    def depends(self, scene: Scene) -> Hashable:
        """The entries and what is in view; where there are none, whether a burst could be fired."""
        link = scene.delta.link(Kind.EVENTS)
        return (scene.told, scene.focus.keys, link, self._inviting(scene))

    def caption(self) -> Line:
        """``Timeline``."""
        return [(self.TITLE, "bold measured")]

    def footnote(self) -> Line:
        """Where events are missing, that they are."""
        link = self.scene.delta.link(Kind.EVENTS)
        if link.health is Health.FORBIDDEN and self.scene.entries:
            return [("without events: not permitted", "bad")]
        return []

    def prepare(self) -> int:
        """Entries, or why there are none."""
        self._none: list[Line] = []
        self._in_view = self.scene.focus.keys
        if not self.scene.entries:
            link = self.scene.delta.link(Kind.EVENTS)
            if link.health is Health.LIVE:
                self._none = [[("nothing has happened yet", "muted")]]
                if self._inviting(self.scene):
                    key = self.keys["burst"]
                    self._none.append([(key, "bold measured"), (" fires a burst of load", "muted")])
            else:
                self._none = absence(link, "events", self.room.width)
        return len(self.scene.entries) or len(self._none)

    def _inviting(self, scene: Scene) -> bool:
        return scene.focus.hpa is not None and not scene.place.read_only

    def line(self, y: int, room: int) -> Line:
        """``14:03:22 ◆ 4 ▶ 8  cpu 347 % over 50 %        +13 s``; of others, whose it is."""
        if self._none:
            return self._none[y]
        entry = self.scene.entries[y]
        sign, sign_ink, ink = _LOOK[entry.mood]
        clock = time.strftime("%H:%M:%S", time.localtime(entry.time))
        left: Line = [
            (f"{clock} ", "muted"),
            (f"{sign} ", sign_ink),
            *self._named(entry, room),
            (clean(entry.text), ink),
        ]
        return ends(left, _lag(entry, room - cells(left)), room)

    def _named(self, entry: Entry, room: int) -> Line:
        name = clean(whose(entry, self._in_view))
        return [(f"{shorten_tail(name, max(6, room // 3))}: ", "muted")] if name else []


def _lag(entry: Entry, space: int) -> Line:
    if entry.after is None:
        return []
    short: Line = [(f"+{entry.after:.0f} s", "decided")]
    full: Line = [*short, (f" after {entry.cause}", "muted")]
    return full if cells(full) < space else short
