"""The setups: which are there, how they are, how to reach them, and the keys that toggle them."""

from __future__ import annotations

from collections.abc import Hashable
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message

from tui.analysis.scene import Scene
from tui.panes.line import Line, cells, ends
from tui.panes.pane import Pane
from tui.state.setups import ObjectStep, SetupRow
from tui.text import ago, clean, pad, span, width, wrap

_SIGNS = {
    "healthy": ("●", "good"),
    "degraded": ("▲", "bad"),
    "drifted": ("≠", "decided"),
    "not ours": ("–", "muted"),
    "absent": ("○", "muted"),
    "unknown": ("?", "muted"),
}
_STEPS = {
    "ready": ("✓", "good"),
    "answering": ("✓", "good"),
    "gone": ("✓", "good"),
    "failed": ("✕", "bad"),
    "waiting": ("·", "muted"),
}


class SetupsPane(Pane):
    """A line a setup; beneath the chosen one what is to say of it. Zoomed, of all of them."""

    TITLE = "Setups"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,space", "wish('')", "apply or delete"),
        Binding("r", "wish('apply')", "apply again"),
        Binding("delete,backspace", "wish('delete')", "delete"),
        Binding("u", "undo", "undo"),
    ]

    class Wished(Message):
        """The user wants something done with a setup."""

        def __init__(self, setup: str, what: str) -> None:
            super().__init__()
            self.setup = setup
            self.what = what
            """``apply``, ``delete``, ``undo``, or empty for whichever it is not."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._lines: list[Line] = []
        self._starts: list[int] = []
        """The line at which each setup begins."""
        self._chosen = 0
        self._grown: tuple[str, str, int, bool] | None = None

    def depends(self, scene: Scene) -> Hashable:
        """The rows, and the age of what was probed."""
        return (scene.delta.setups, self._chosen, int(scene.now), self.has_focus, self.zoomed)

    def caption(self) -> Line:
        """``Setups``, and what is under way."""
        setups = self.scene.delta.setups
        there = sum(row.state in ("healthy", "degraded", "drifted") for row in setups.rows)
        line: Line = [("Setups", "bold measured")]
        if setups.busy:
            line.append(("  pending…", "decided"))
        elif there:
            line.append((f" {there} applied", "measured"))
        return line

    def footnote(self) -> Line:
        """What the keys do here."""
        if self.scene.delta.setups.refusal:
            return [("read-only here", "decided")]
        if not self.has_focus:
            return []
        words = ["Enter apply/delete", "r again", f"{self.keys['zoom']} zoom"]
        if any(row.undo for row in self.scene.delta.setups.rows):
            words.insert(0, "u undo")
        while len(words) > 1 and len(" · ".join(words)) > self.room.width - 4:
            words.pop()
        return [(" · ".join(words), "muted")]

    def prepare(self) -> int:
        """All lines at once: they are few."""
        setups, room = self.scene.delta.setups, self.room.width
        lines: list[Line] = []
        self._starts = []
        if setups.notice:
            lines += [[(text, "bad")] for text in wrap(clean(setups.notice), room)]
        if not setups.rows and not setups.notice:
            lines.append([("reading setups…", "muted")])
        self._chosen = max(0, min(self._chosen, len(setups.rows) - 1))
        for number, row in enumerate(setups.rows):
            self._starts.append(len(lines))
            lines.append(self._title(row, room))
            if (
                self.zoomed
                or row.busy
                or row.failure
                or (number == self._chosen and self.has_focus)
            ):
                lines += self._details(row, room)
        self._lines = lines
        self.cursor = self._starts[self._chosen] if self._starts else None
        return len(lines)

    def line(self, y: int, room: int) -> Line:
        """A line made by :meth:`prepare`."""
        return self._lines[y]

    def _title(self, row: SetupRow, room: int) -> Line:
        sign, ink = _SIGNS.get(row.state, ("?", "muted"))
        state = row.state
        denied = bool(row.missing) and row.state in ("absent", "unknown")
        if denied:
            state = f"may not {row.missing[0].partition(' in namespace')[0]}"
        if row.busy:
            sign, ink, state = "…", "decided", row.busy
        elif row.answers is False:
            sign, ink, state = "▲", "bad", f"{row.state}, no answer"
        names = max(width(clean(one.name)) for one in self.scene.delta.setups.rows)
        left: Line = [
            (pad(row.key or " ", 2), "muted" if denied else "bold measured"),
            (f"{sign} ", ink),
            (pad(clean(row.name), min(names, 16)), "bold" if ink != "muted" else ""),
            (f" {clean(state)}", ink),
        ]
        right: Line = []
        if row.wanted is not None and row.state != "absent":
            right = [(f" {row.ready or 0}/{row.wanted}", "good" if row.ready else "bad")]
            if cells(left) + cells(right) >= room:
                right = []
        if row.url and cells(left) + len(row.url) + cells(right) + 3 < room:
            right = [(f" {clean(row.url)}", "measured"), *right]
        return ends(left, right, room)

    def _details(self, row: SetupRow, room: int) -> list[Line]:
        said: list[tuple[str, str]] = []
        if row.failure:
            said.append((row.failure, "bad"))
            if row.undo:
                said.append((f"u undoes it: {row.undo}", "decided"))
        elif row.state == "absent" and row.summary:
            said.append((row.summary, "muted"))
        elif not row.busy and not (row.state == "healthy" and row.probe):
            said.append((row.sentence or row.summary, "muted"))
            if row.missing:
                said.append((f"You may not {', nor '.join(row.missing[:3])}.", "decided"))
        if row.url:
            way = f"{row.url} by {row.route}" if row.route else row.url
            said.append((way, "measured"))
        if row.probe:
            when = f" ({ago(self.scene.now - row.probed)})" if row.probed is not None else ""
            said.append((row.probe + when, "bad" if row.answers is False else "good"))
        if row.seconds is not None:
            said.append((f"ready {span(row.seconds)} after the key", "muted"))
        lines = [line for step in row.steps for line in self._step(step, room)]
        for text, ink in said:
            lines += [[("    ", ""), (part, ink)] for part in wrap(clean(text), max(10, room - 4))]
        return lines

    def _step(self, step: ObjectStep, room: int) -> list[Line]:
        sign, ink = _STEPS.get(step.step, ("…", "decided"))
        name, said = clean(step.name), clean(step.sentence)
        line: Line = [("    ", ""), (f"{sign} ", ink), (name, "")]
        how = "bad" if ink == "bad" else "muted"
        if cells(line) + 2 + width(said) <= room:
            return [[*line, ("  ", ""), (said, how)]]
        parts = wrap(said, max(10, room - 6))
        return [line, *([("      ", ""), (part, how)] for part in parts)]

    # What the user chooses.

    @property
    def chosen(self) -> SetupRow | None:
        """The setup under the cursor."""
        rows = self.scene.delta.setups.rows
        return rows[self._chosen] if self._chosen < len(rows) else None

    def move(self, by: int) -> None:
        """Go to another setup."""
        last = max(0, len(self.scene.delta.setups.rows) - 1)
        self._chosen = max(0, min(last, self._chosen + by))
        self.redraw()
        self._reveal()

    def choose(self, name: str) -> None:
        """Go to the setup of that name."""
        names = [row.name for row in self.scene.delta.setups.rows]
        if name in names:
            self.move(names.index(name) - self._chosen)

    def redraw(self, *, hurry: bool = True) -> None:
        """What is under way grows: keep it in sight."""
        super().redraw(hurry=hurry)
        row = self.chosen
        grown = (row.name, row.busy, len(row.steps), bool(row.failure)) if row else None
        if grown != self._grown:
            self._grown = grown
            self._reveal()

    def _reveal(self) -> None:
        """Scroll until the chosen setup is in sight with all that is said of it."""
        if not self._starts:
            return
        top, height = self._starts[self._chosen], self.room.height
        end = [*self._starts[1:], len(self._lines)][self._chosen]
        lowest = min(top, max(self.scroll_offset.y, end - height))
        if lowest != self.scroll_offset.y:
            self.scroll_to(y=lowest, animate=False)

    def action_scroll_down(self) -> None:
        """The down arrow."""
        self.move(1)

    def action_scroll_up(self) -> None:
        """The up arrow."""
        self.move(-1)

    def action_wish(self, what: str) -> None:
        """Ask for something to be done with the chosen setup."""
        if self.chosen is not None:
            self.post_message(self.Wished(self.chosen.name, what))

    def action_undo(self) -> None:
        """Take back an apply that failed."""
        self.action_wish("undo")

    def on_key(self, event: object) -> None:
        """A setup's own key."""
        character = getattr(event, "character", None)
        for row in self.scene.delta.setups.rows:
            if character and row.key == character:
                self.post_message(self.Wished(row.name, ""))
                stop = getattr(event, "stop", None)
                if callable(stop):
                    stop()
                return

    def on_click(self, event: object) -> None:
        """A click chooses; another one on the same line asks."""
        y = int(getattr(event, "y", 0)) - 1 + self.scroll_offset.y
        at = [n for n, start in enumerate(self._starts) if start <= y]
        if at and getattr(event, "chain", 1) == 1:
            self._chosen = at[-1]
            self.redraw()
        super().on_click(event)
