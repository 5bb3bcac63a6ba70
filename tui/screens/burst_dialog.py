"""Choose a burst: where to, which preset, what to change of it; and see what will be asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, Final, Protocol

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Grid, Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button, Input, OptionList, Static
from textual.widgets.option_list import Option

from tui.analysis.focus import Focus
from tui.cluster.route import Route, Unreachable
from tui.load.choice import Aim, Choice, span
from tui.load.limits import Limits
from tui.load.plan import Plan, PlanError
from tui.load.profile import Profile
from tui.screens.sheet import Sheet
from tui.text import clean

TOGETHER: Final = 2
"""Targets that can be loaded side by side."""
_LOOK: Final = 0.3
"""Seconds between two looks at what is known of the routes."""
_ANYWHERE: Final = "http://127.0.0.1/"


class Door(Protocol):
    """What fires bursts, as far as one chooses here."""

    choice: Choice
    aims: tuple[Aim, ...]

    @property
    def presets(self) -> list[str]:
        """The names of all presets."""

    @property
    def limits(self) -> Limits:
        """The caps."""

    def preset(self, name: str) -> Profile:
        """One of them; raises PlanError."""

    def preview(self, choice: Choice, aim: Aim) -> tuple[str, bool]:
        """What would be asked, as a sentence, and True; or why it cannot be, and False."""

    def known(self, aim: Aim) -> Route | Unreachable | None:
        """The way to a Service as far as it is known."""

    def chosen(self, focus: Focus) -> Sequence[Aim]:
        """What was loaded last, if that was in view then."""

    def look(self, aims: Sequence[Aim]) -> None:
        """Find the ways in the background."""

    def fire(self, choice: Choice, aims: Sequence[Aim], focus: Focus) -> None:
        """Start."""


class Offered(Protocol):
    """What may be loaded at a moment."""

    @property
    def aims(self) -> tuple[Aim, ...]:
        """The targets, in the order in which they are offered."""

    @property
    def focus(self) -> Focus:
        """Whose pods answer in the end."""

    @property
    def waiting(self) -> bool:
        """Whether more is to come."""

    @property
    def absence(self) -> str:
        """Why nothing leads to what is in view, and what to do."""

    @property
    def way(self) -> Sequence[Aim]:
        """The best of the targets that lead to what is in view; none if none does."""


class Targets(OptionList):
    """Targets that are ticked with Space or a click."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("space", "select", "tick")]


class BurstDialog(Sheet):
    """Targets and presets side by side, three fields, a sentence; Enter fires from anywhere.

    Args:
        door: what is asked, and told to fire.
        look: what there is to aim at, anew each time; the way to what is in view is ticked unless
            others were loaded last for it.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "close", key_display="Esc"),
        Binding("enter", "fire", "fire", priority=True),
    ]

    def __init__(self, door: Door, look: Callable[[], Offered]) -> None:
        super().__init__()
        self._door = door
        self._offers = look
        self._offer = look()
        self._aims = list(self._offer.aims)
        self._url = next((aim.service for aim in door.aims if not aim.namespace), "")
        self._ticked = self._first()
        self._presets = door.presets
        self._told: list[str] = []

    def compose(self) -> ComposeResult:
        """Where to and how, from top to bottom in the order of Tab."""
        choice = self._door.choice
        with Vertical(id="sheet"):
            with Horizontal(id="lists"):
                with Vertical():
                    yield Static("to  (Space ticks; two run side by side)", classes="label")
                    yield Targets(
                        *[Option(self._row(aim)) for aim in self._aims], id="targets", compact=True
                    )
                with Vertical():
                    yield Static("preset", classes="label")
                    yield OptionList(
                        *[Option(Content(clean(name))) for name in self._presets],
                        id="presets",
                        compact=True,
                    )
            yield Static(id="about")
            with Grid(id="fields"):
                for name, value in (
                    ("connections", _text(choice.connections)),
                    ("requests/s", _text(choice.rate)),
                    ("duration", choice.duration or ""),
                    ("or a URL", self._url),
                ):
                    yield Static(name, classes="label")
                    yield Input(value, id=_id(name), compact=True, select_on_focus=True)
            yield Static(id="asked")
            with Horizontal(id="buttons"):
                yield Button("Fire", id="fire", compact=True, variant="primary")
                yield Button("Close", id="close", compact=True)

    def opened(self) -> None:
        """Say how to use it; look for ways to the targets."""
        sheet = self.query_one("#sheet")
        sheet.border_title = Content("Burst")
        sheet.border_subtitle = Content("Tab next · Space tick · Enter fire · Esc close")
        presets = self.query_one("#presets", OptionList)
        if self._door.choice.preset in self._presets:
            presets.highlighted = self._presets.index(self._door.choice.preset)
        self._door.look(self._aims)
        self.set_interval(_LOOK, self._look)
        self.query_one("#targets" if self._aims else "#url").focus()
        self._show()

    # What is chosen.

    def _first(self) -> list[Aim]:
        """What is ticked as long as nobody has chosen: what was loaded last, or the way there."""
        last = [aim for aim in self._door.chosen(self._offer.focus) if aim in self._aims]
        return last or ([] if self._url else list(self._offer.way))

    @property
    def aims(self) -> list[Aim]:
        """The targets ticked, and the URL."""
        url = self._field("or a URL")
        ticked = [aim for aim in self._aims if aim in self._ticked]
        return [*ticked, Aim("", url)] if url else ticked

    def choice(self) -> Choice:
        """The preset and its changes.

        Raises:
            PlanError: a field is not what it should be.
        """
        at = self.query_one("#presets", OptionList).highlighted
        if at is None:
            raise PlanError("choose a preset")
        connections, rate = self._field("connections"), self._field("requests/s")
        if connections and not connections.isdecimal():
            raise PlanError(f"{connections!r} is not a number of connections")
        try:
            wanted = float(rate.replace(",", "")) if rate else None
        except ValueError:
            raise PlanError(f"{rate!r} is not a number of requests a second") from None
        return Choice(
            self._presets[at],
            int(connections) if connections else None,
            wanted,
            self._field("duration") or None,
        )

    # What happens.

    def on_input_changed(self) -> None:
        """Reckon as one types."""
        self._show()

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """Another preset."""
        if event.option_list.id == "presets":
            self._show()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Tick a target, or take the tick away."""
        if event.option_list.id == "targets":
            aim = self._aims[event.option_index]
            if aim in self._ticked:
                self._ticked.remove(aim)
            else:
                self._ticked.append(aim)
            self._look()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """With the mouse."""
        if event.button.id == "fire":
            self.action_fire()
        else:
            self.dismiss()

    def action_fire(self) -> None:
        """Fire and go, if it can be; on the button that closes, close."""
        if self.focused is not None and self.focused.id == "close":
            self.dismiss()
            return
        try:
            choice, aims = self.choice(), self.aims
        except PlanError:
            return  # the sentence is there already
        if self._problem(choice, aims) is None:
            self._door.fire(choice, aims, self._offer.focus)
            self.dismiss()

    # What is shown.

    def _look(self) -> None:
        """Services are listed and routes are found while one chooses."""
        if self._offer.waiting:
            self._await()
        rows = [self._row(aim) for aim in self._aims]
        told = [row.plain for row in rows]
        if told != self._told:
            self._told = told
            targets = self.query_one("#targets", Targets)
            for at, row in enumerate(rows):
                targets.replace_option_prompt_at_index(at, row)
            self._show()

    def _await(self) -> None:
        """Lists are still being read: offer what has come by now."""
        untouched = self._ticked == self._first()
        self._offer = self._offers()
        if self._aims != list(self._offer.aims):
            self._aims = list(self._offer.aims)
            self._ticked = [aim for aim in self._ticked if aim in self._aims]
            if untouched:
                self._ticked = self._first()
            targets = self.query_one("#targets", Targets)
            targets.clear_options()
            targets.add_options([Option(self._row(aim)) for aim in self._aims])
            self._door.look(self._aims)
        self._show()

    def _row(self, aim: Aim) -> Content:
        tick = ("● ", "bold $measured") if aim in self._ticked else ("○ ", "$muted")
        return Content.assemble(tick, self._target(aim))

    def _target(self, aim: Aim) -> Content:
        known = self._door.known(aim)
        label = Content(clean(aim.label))
        if isinstance(known, Route):
            ink = "$decided" if known.bypasses_service else "$muted"
            return Content.assemble(label, (f"  {clean(known.label)}", ink))
        if isinstance(known, Unreachable):
            return Content.assemble(label, ("  no way there", "$bad"))
        return Content.assemble(label, ("  …", "$muted"))

    def _show(self) -> None:
        if not self.is_mounted:
            return
        self._show_preset()
        asked, button = self.query_one("#asked", Static), self.query_one("#fire", Button)
        try:
            choice, aims = self.choice(), self.aims
            problem = self._problem(choice, aims)
        except PlanError as error:
            problem = str(error)
        button.disabled = problem is not None
        if problem is not None:
            told, waits = clean(problem[:1].upper() + problem[1:]), problem.endswith("…")
            asked.update(
                Content.styled(told if waits else f"{told}.", "$muted" if waits else "$bad")
            )
            return
        sentence, _ = self._door.preview(choice, aims[0])
        parts = [Content.styled(clean(sentence) + "\n", "bold $measured")]
        parts += [Content.assemble(("to ", "$muted"), self._target(aim), "\n") for aim in aims]
        if len(aims) > 1:
            parts.append(Content.styled("both at once, with the same seed and course", "$muted"))
        asked.update(Content("").join(parts))

    def _show_preset(self) -> None:
        """What the preset is about, and what it has for the fields that are left empty."""
        about = self.query_one("#about", Static)
        at = self.query_one("#presets", OptionList).highlighted
        try:
            if at is None:
                raise PlanError("no preset")
            preset = self._door.preset(self._presets[at])
            plan = preset.plan(_ANYWHERE)
        except PlanError as error:
            about.update(Content.styled(clean(str(error)), "$bad"))
            return
        about.update(Content.styled(clean(preset.about or preset.title), "$muted"))
        for name, value in (
            ("connections", span(plan.connections)),
            ("requests/s", _rate(plan)),
            ("duration", preset.duration),
        ):
            self.query_one(f"#{_id(name)}", Input).placeholder = value

    def _problem(self, choice: Choice, aims: Sequence[Aim]) -> str | None:
        """Why it cannot be fired."""
        if not aims and not self._aims:
            more = "waiting for the list of Services…" if self._offer.waiting else ""
            return more or self._offer.absence.replace("with B", "here")
        if not aims:
            return "tick a target, or name a URL of this machine"
        if len(aims) > TOGETHER:
            return "two targets at most can be loaded side by side"
        for aim in aims:
            known = self._door.known(aim)
            if isinstance(known, Unreachable):
                return f"{aim.label}: {known.reason} {known.next_step}".removesuffix(".")
            sentence, good = self._door.preview(choice, aim)
            if not good:
                return sentence
        return None

    def _field(self, name: str) -> str:
        return self.query_one(f"#{_id(name)}", Input).value.strip()


def _id(name: str) -> str:
    return {"requests/s": "rate", "or a URL": "url"}.get(name, name)


def _text(value: float | None) -> str:
    return "" if value is None else f"{value:g}"


def _rate(plan: Plan) -> str:
    if plan.rate is not None:
        return span(plan.rate)
    if plan.rate_per_connection is not None:
        return f"{plan.rate_per_connection:g} each"
    return "no limit"
