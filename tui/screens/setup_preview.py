"""What applying or deleting a setup will do, before it does: read, change values, confirm."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import ClassVar, Final, Protocol

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Grid, Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Button, Input, Static

from tui.cluster.objects import Ref
from tui.panes.line import Line, content
from tui.screens.setup_lines import of_deletion, of_plan, refused
from tui.screens.sheet import Sheet
from tui.setups.plan import Conflict, Deletion, Plan
from tui.text import clean

_LOOK: Final = 0.1
"""Seconds between two looks at whether the server has answered."""
_BUTTONS: Final = 1
"""Rows."""


class Prepared(Protocol):
    """What the door has found out."""

    @property
    def plan(self) -> Plan | None:
        """What applying would do."""

    @property
    def deletion(self) -> Deletion | None:
        """What deleting would delete."""

    @property
    def problem(self) -> str:
        """Why neither can be told."""


class Door(Protocol):
    """What plans and writes."""

    def prepare(
        self, name: str, deleting: bool | None, given: Mapping[str, str | int] | None = None
    ) -> None:
        """Find out, in the background."""

    @property
    def prepared(self) -> Prepared | None:
        """What was asked for last; None while it is being found out."""

    def apply(
        self, plan: Plan, typed: str = "", take_over: Collection[tuple[Ref, Conflict]] = ()
    ) -> None:
        """Carry out a plan."""

    def delete(self, deletion: Deletion, typed: str = "") -> None:
        """Carry out a deletion."""


class SetupPreview(Sheet):
    """The door is asked at once; what it found out is read here and confirmed.

    Args:
        door: plans and writes.
        name: of the setup.
        deleting: None: whichever the setup is not.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "close"),
        Binding("y", "confirm", "do it"),
        Binding("t", "take_over", "take over"),
        Binding("enter", "enter", "look again", priority=True),
        Binding("j,down", "scroll(1)", "down"),
        Binding("k,up", "scroll(-1)", "up"),
        Binding("pagedown", "scroll(10)", "page down"),
        Binding("pageup", "scroll(-10)", "page up"),
    ]

    def __init__(self, door: Door, name: str, deleting: bool | None) -> None:
        super().__init__()
        self._door = door
        self._setup = name
        self._deleting = deleting
        self._found: Plan | Deletion | None = None
        self._problem = ""
        self._waiting = True
        self._taken = False
        self._shown: dict[str, str] = {}
        """The values that were looked at, by placeholder."""

    def compose(self) -> ComposeResult:
        """What will be done, the values it is done with, and what is asked."""
        with Vertical(id="sheet"):
            with VerticalScroll(id="said", can_focus=True):
                yield Static(id="lines")
            yield Grid(id="values")
            yield Input(id="typed", compact=True, placeholder="the context's name")
            yield Static(id="question")
            with Horizontal(id="buttons"):
                yield Button("Do it", id="do", compact=True, variant="primary", disabled=True)
                yield Button("Close", id="close", compact=True)

    def opened(self) -> None:
        """Ask the door."""
        self.query_one("#sheet").border_title = Content(f"Setup {clean(self._setup)}")
        self.query_one("#typed").display = False
        self.query_one("#said").focus()
        self._ask(None)
        self.set_interval(_LOOK, self._look)

    def _ask(self, given: Mapping[str, str | int] | None) -> None:
        self._waiting, self._found, self._problem = True, None, ""
        self._taken = False
        self._shown.update({name: str(value) for name, value in (given or {}).items()})
        self._door.prepare(self._setup, self._deleting, given)
        self._draw()

    async def _look(self) -> None:
        found = self._door.prepared
        if not self._waiting or found is None:
            return
        self._waiting = False
        self._problem = found.problem
        self._found = found.plan or found.deletion
        if self._found is not None:
            self._deleting = isinstance(self._found, Deletion)
        if isinstance(self._found, Plan):
            await self._fields(self._found)
        self._draw()

    async def _fields(self, plan: Plan) -> None:
        """A field for each value, once."""
        grid = self.query_one("#values", Grid)
        titles = {one.name: one.title for one in plan.setup.placeholders}
        self._shown = {name: str(value) for name, value in plan.values.items()}
        if not grid.children:
            for name, value in self._shown.items():
                await grid.mount(
                    Static(Content(clean(titles.get(name, name))), classes="label"),
                    Input(clean(value), id=f"value-{name}", compact=True, select_on_focus=True),
                )

    # What is shown.

    def on_resize(self) -> None:
        """Lines depend on the width."""
        self._draw()

    def _draw(self) -> None:
        if not self.is_mounted:
            return
        typed = self.query_one("#typed")
        asked = bool(self._typed_name) and self._question_is_open and not self._clashes
        if typed.display != asked:
            typed.display = asked
            self.query_one("#typed" if asked else "#said").focus()
        room = max(20, self.query_one("#said").size.width - 2)
        lines, question = self._lines(room), self._question()
        self.query_one("#lines", Static).update(content(lines))
        self.query_one("#question", Static).update(content([question]))
        values = len(self.query("#values Input"))
        beneath = values + bool(values) + asked + _BUTTONS
        self.fit(len(lines), beneath, question)
        button, words = self.query_one("#do", Button), self._button()
        button.disabled = not words
        # What a name that is typed, or the answer, still brings is there already.
        button.display = bool(words) or self._waiting or self._question_is_open
        button.label = Content(words or "Do it")
        button.refresh(layout=True)

    @property
    def _question_is_open(self) -> bool:
        return self._found is not None and not refused(self._found)

    def _button(self) -> str:
        """What the button does now; empty where nothing can be done."""
        if self._waiting:
            return ""
        if self._changed:
            return "Look again"
        if self._found is None or refused(self._found):
            return ""
        if self._clashes:
            return "Take over"
        if self._typed_name and self.query_one("#typed", Input).value != self._typed_name:
            return ""
        return "Delete" if isinstance(self._found, Deletion) else "Apply"

    def _lines(self, room: int) -> list[Line]:
        if self._waiting:
            return [[("asking the server what would change…", "muted")]]
        if self._problem:
            return [[(clean(self._problem), "bad")]]
        if isinstance(self._found, Plan):
            return of_plan(self._found, room)
        return of_deletion(self._found, room) if self._found is not None else []

    def _question(self) -> Line:
        close: Line = [("Esc ", "bold measured"), ("close", "muted")]
        if self._waiting:
            return close
        if self._changed:
            return [("Enter ", "bold measured"), ("look with these values   ", "muted"), *close]
        if self._found is None:
            return close
        if refused(self._found):
            return [("" if self._found.problems else "nothing to do   ", "muted"), *close]
        if self._clashes:
            return [
                ("t ", "bold decided"),
                ("take these fields over from their managers   ", "decided"),
                *close,
            ]
        what = "delete" if isinstance(self._found, Deletion) else "apply"
        if self._taken:
            what = "apply and take over"
        name = self._typed_name
        if name and self.query_one("#typed", Input).value != name:
            return [
                (f"{clean(name)} looks like production: type its name, then Enter   ", "decided"),
                *close,
            ]
        return [
            ("Enter " if name else "y ", "bold measured"),
            (f"{what} in {clean(self._found.namespace)}   ", "bold"),
            *close,
        ]

    # What is confirmed.

    @property
    def _conflicts(self) -> tuple[tuple[Ref, Conflict], ...]:
        return self._found.conflicts if isinstance(self._found, Plan) else ()

    @property
    def _clashes(self) -> bool:
        """Whether there are conflicts that nobody has accepted yet."""
        return bool(self._conflicts) and not self._taken

    @property
    def _typed_name(self) -> str:
        return self._found.typed if self._found is not None else ""

    @property
    def _given(self) -> dict[str, str | int]:
        return {
            name: self.query_one(f"#value-{name}", Input).value.strip()
            for name in self._shown
            if self.query(f"#value-{name}")
        }

    @property
    def _changed(self) -> bool:
        """Whether values were edited since they were looked at."""
        given = self._given
        return any(given.get(name, shown) != shown for name, shown in self._shown.items())

    def on_input_changed(self) -> None:
        """The question depends on what is typed."""
        self._draw()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """With the mouse."""
        if event.button.id == "close":
            self.dismiss()
        elif self._changed:
            self._ask(self._given)
        elif self._clashes:
            self.action_take_over()
        else:
            self.action_confirm()

    def action_take_over(self) -> None:
        """Accept the conflicts that are shown."""
        self._taken = bool(self._conflicts)
        self._draw()

    def action_enter(self) -> None:
        """Look again with other values, or confirm from a field; elsewhere it is pressed too
        lightly to change a cluster.
        """
        if isinstance(self.focused, Button):
            self.focused.press()
        elif self._changed:
            self._ask(self._given)
        elif isinstance(self.focused, Input):
            self.action_confirm()

    def action_confirm(self) -> None:
        """Do it, if everything that must be said has been said."""
        found = self._found
        typed = self.query_one("#typed", Input).value
        if found is None or self._waiting or self._changed or refused(found):
            return
        if self._clashes or (found.typed and typed != found.typed):
            return
        if isinstance(found, Plan):
            self._door.apply(found, typed, self._conflicts if self._taken else ())
        else:
            self._door.delete(found, typed)
        self.dismiss()

    def action_scroll(self, by: int) -> None:
        """Read on."""
        self.query_one("#said").scroll_relative(y=by, animate=False)
