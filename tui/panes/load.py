"""The load: bursts that run or have ended, two of them side by side."""

from __future__ import annotations

import re
from collections.abc import Hashable

from tui.analysis.scene import Scene
from tui.panes.line import Line, flow
from tui.panes.load_lines import answering, changes, one, together
from tui.panes.load_strip import strips
from tui.panes.pane import Pane
from tui.text import clean, wrap

_AXIS = 8
_FIRES = "fires a burst at the target"


class LoadPane(Pane):
    """The bursts fired last; zoomed, their course over time and their summary too."""

    TITLE = "Load"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.window = 300
        """Seconds of the course, as the chart has them."""
        self._lines: list[Line] = []

    def depends(self, scene: Scene) -> Hashable:
        """The figures, twice a second while they change: faster cannot be read."""
        load = scene.delta.load
        return (
            self.window,
            load.noticed,
            load.notice,
            scene.place.read_only,
            tuple((b.number, b.state, b.counted, bool(b.summary)) for b in load.group)
            if load.bursts
            else (),
            int(2 * scene.now) if load.running else sum(map(len, (b.pods for b in load.bursts))),
        )

    def caption(self) -> Line:
        """``Load``, and whether it runs."""
        load = self.scene.delta.load
        line: Line = [("Load", "bold measured")]
        if load.running:
            line.append((f"  {self.keys['stop_burst']} stops", "decided"))
        return line

    def prepare(self) -> int:
        """All lines at once: they are few."""
        width, height = self.room
        self._lines = self._all(width, height)
        return len(self._lines)

    def line(self, y: int, room: int) -> Line:
        """A line made by :meth:`prepare`."""
        return self._lines[y]

    def _all(self, room: int, height: int) -> list[Line]:
        load = self.scene.delta.load
        lines: list[Line] = []
        if load.notice:
            waits = load.notice.endswith("…")
            ink = "muted" if waits else "bold bad"
            lines += [[(text, ink)] for text in wrap(clean(load.notice), room)]
        if not load.bursts:
            return lines or self._idle(room)
        bursts = load.group
        lines += one(bursts[0], room) if len(bursts) == 1 else together(bursts, room)
        if self.zoomed:
            course = strips(bursts, self.scene.now - self.window, self.scene.now, _AXIS, room - 9)
            if course:
                title: Line = [
                    (f"the last {self.window // 60} min", "bold measured"),
                    ("   requests/s above, p99 below", "muted"),
                ]
                lines += [[], title, *course, []]
        lines += answering(bursts, room)
        for burst in bursts:
            more = changes(burst, room)
            lines += [[], *more] if more else []
            if burst.summary and self.zoomed:
                lines += [[], [(clean(burst.target), "bold measured")]]
                lines += [[(_clean(text), "")] for text in burst.summary]
        return lines

    def _idle(self, room: int) -> list[Line]:
        if self.scene.place.read_only:
            return [[("read-only: bursts are not fired", "muted")]]
        return flow(
            [
                [(f"{self.keys['burst']} ", "bold measured"), (_FIRES, "muted")],
                [(f"{self.keys['choose_burst']} ", "bold measured"), ("chooses another", "muted")],
                [(f"{self.keys['stop_burst']} ", "bold measured"), ("stops it", "muted")],
            ],
            room,
            "   ",
        )


def _clean(text: str) -> str:
    """Cleaned, with the blanks that keep its columns."""
    return "".join(clean(part) if part.strip(" ") else part for part in re.split("( +)", text))
