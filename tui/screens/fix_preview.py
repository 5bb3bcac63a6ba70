"""What a fix of the doctor's will change, before it does: read, confirm, take back."""

from __future__ import annotations

from typing import ClassVar, Final, Protocol

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Input, Static

from tui.analysis.doctor.finding import Finding, Patch
from tui.panes.line import Line, content
from tui.screens.sheet import Sheet
from tui.setups.repair import Repair
from tui.setups.repair_words import words
from tui.text import clean, wrap

_LOOK: Final = 0.1
"""Seconds between two looks at whether the server has answered."""


class Seen(Protocol):
    """What the door has found out, or done."""

    @property
    def repair(self) -> Repair | None:
        """What was looked at."""

    @property
    def done(self) -> bool:
        """Whether it was applied."""

    @property
    def problem(self) -> str:
        """Why neither can be told."""


class Door(Protocol):
    """What looks and writes."""

    def look(self, rule: str, patch: Patch) -> None:
        """Find out, in the background."""

    @property
    def seen(self) -> Seen | None:
        """What came of what was asked last; None while it is being found out."""

    def apply(self, repair: Repair, typed: str = "") -> None:
        """Carry it out, in the background."""


class FixPreview(Sheet):
    """The door is asked at once; what it found out is read here and confirmed.

    Args:
        door: looks and writes.
        finding: one whose fix is a patch.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "close"),
        Binding("y", "confirm", "apply"),
        Binding("u", "undo", "take back"),
        Binding("r", "again", "look again"),
        Binding("ctrl+y", "copy", "copy", priority=True),
        Binding("j,down", "scroll(1)", "down"),
        Binding("k,up", "scroll(-1)", "up"),
        Binding("pagedown", "scroll(10)", "page down"),
        Binding("pageup", "scroll(-10)", "page up"),
    ]

    def __init__(self, door: Door, finding: Finding) -> None:
        super().__init__()
        if finding.fix.patch is None:
            raise ValueError("there is no patch to preview")
        self._door = door
        self._finding = finding
        self._patch = finding.fix.patch
        self._undoing = False
        """Whether it is the undo that is looked at."""
        self._seen: Seen | None = None
        self._applying = False
        self._copied = False

    def compose(self) -> ComposeResult:
        """What will change, and what is asked."""
        with Vertical(id="sheet"):
            with VerticalScroll(id="said", can_focus=True):
                yield Static(id="lines")
            yield Input(id="typed", compact=True, placeholder="the context's name")
            yield Static(id="question")

    def opened(self) -> None:
        """Ask the door."""
        self.query_one("#sheet").border_title = Content(f"Fix {clean(self._finding.id)}")
        self._ask()
        self.set_interval(_LOOK, self._look)

    def _ask(self) -> None:
        self._seen, self._applying, self._copied = None, False, False
        self._door.look(self._finding.id, self._patch)
        self._draw()

    def _look(self) -> None:
        if self._seen is not None or self._door.seen is None:
            return
        self._seen, self._applying = self._door.seen, False
        self._draw()

    # What is shown.

    def on_resize(self) -> None:
        """Lines depend on the width."""
        self._draw()

    def _draw(self) -> None:
        if not self.is_mounted:
            return
        field = self.query_one("#typed", Input)
        shown = bool(self._ready is not None and self._ready.typed)
        if field.display != shown:
            field.display = shown
            self.query_one("#typed" if shown else "#said").focus()
        room = max(20, self.query_one("#said").size.width - 2)
        lines, question = self._lines(room), self._question()
        self.query_one("#lines", Static).update(content(lines))
        self.query_one("#question", Static).update(content([question]))
        self.fit(len(lines), int(shown), question)

    @property
    def _repair(self) -> Repair | None:
        return self._seen.repair if self._seen is not None else None

    @property
    def _ready(self) -> Repair | None:
        """What may be confirmed now."""
        seen = self._seen
        if seen is None or seen.done or seen.repair is None or not seen.repair.possible:
            return None
        return seen.repair

    def _lines(self, room: int) -> list[Line]:
        advice = "Take the change back." if self._undoing else self._finding.fix.words
        lines: list[Line] = []
        if not self._undoing:
            lines += [[(text, "bold")] for text in wrap(clean(self._finding.title), room)]
        lines += [[(text, "muted")] for text in wrap(clean(advice), room)]
        lines.append([])
        if self._seen is None:
            doing = "applying…" if self._applying else "asking the server what would change…"
            return [*lines, [(doing, "muted")]]
        if self._seen.problem:
            return [*lines, *([(t, "bad")] for t in wrap(clean(self._seen.problem), room))]
        if self._repair is None:
            return lines
        for sign, text, ink in words(self._repair, room, done=self._seen.done):
            lines.append([(sign, ink), (text, ink)])
        return lines

    def _question(self) -> Line:
        line: Line = []
        ready = self._ready
        if ready is not None:
            name = ready.typed
            if name and self.query_one("#typed", Input).value != name:
                asked = f"{clean(name)} looks like production: type its name, then Enter   "
                line.append((asked, "decided"))
            else:
                line += [("Enter " if name else "y ", "bold measured"), ("apply   ", "bold")]
        elif self._seen is not None and self._seen.done:
            if self._repair is not None and self._repair.undo is not None:
                line += [("u ", "bold measured"), ("take it back   ", "bold")]
        elif self._seen is not None:
            line += [("r ", "bold measured"), ("look again   ", "muted")]
        if self._command:
            undo = self._repair is not None and self._repair.undo is not None
            asked = "copy what takes it back   " if undo else "copy the command   "
            done = "copied   " if self._copied else asked
            line += [("^y ", "bold measured"), (done, "good" if self._copied else "muted")]
        return [*line, ("Esc ", "bold measured"), ("close", "muted")]

    @property
    def _command(self) -> str:
        """The command that is on the sheet."""
        repair = self._repair
        if repair is None:
            return ""
        if repair.undo is not None:
            return repair.undo.command
        return repair.patch.command if repair.problems else ""

    # What is confirmed.

    def on_input_changed(self) -> None:
        """The question depends on what is typed."""
        self._draw()

    def on_input_submitted(self) -> None:
        """Enter after the context's name."""
        self.action_confirm()

    def action_confirm(self) -> None:
        """Apply it, if everything that must be said has been said."""
        ready = self._ready
        if ready is None:
            return
        typed = self.query_one("#typed", Input).value if ready.typed else ""
        if typed != ready.typed:
            return
        self._seen, self._applying, self._copied = None, True, False
        self._door.apply(ready, typed)
        self._draw()

    def action_undo(self) -> None:
        """Look at what would take it back, which is confirmed like any other."""
        seen = self._seen
        if seen is None or not seen.done or seen.repair is None or seen.repair.undo is None:
            return
        self._patch, self._undoing = seen.repair.undo, not self._undoing
        self.query_one("#typed", Input).value = ""
        self._ask()

    def action_again(self) -> None:
        """Look again, where it could not be told or done."""
        if self._seen is not None and not self._seen.done and self._ready is None:
            self._ask()

    def action_copy(self) -> None:
        """Put the command that is shown on the clipboard."""
        if self._command:
            self.app.copy_to_clipboard(clean(self._command))
            self._copied = True
            self._draw()

    def action_scroll(self, by: int) -> None:
        """Read on."""
        self.query_one("#said").scroll_relative(y=by, animate=False)
