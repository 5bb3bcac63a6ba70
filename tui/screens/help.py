"""Help: the keys, from the registry of actions, and what the colours mean."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from tui.actions import ACTIONS, Action
from tui.analysis.doctor.registry import all_rules
from tui.panes.doctor import SIGNS
from tui.panes.ink import Ink
from tui.screens.sheet import Sheet

_COLOURS = (
    (Ink.MEASURED, "measured now"),
    (Ink.DECIDED, "decided by the HPA: desired, its steps, its limits"),
    (Ink.GOOD, "well"),
    (Ink.BAD, "over target, or failing"),
    (Ink.ESTIMATED, "estimated, or simulated"),
    (Ink.MUTED, "may be ignored"),
)


class HelpScreen(Sheet):
    """Over the dashboard, which goes on behind it.

    Args:
        actions: with their keys.
        setups: key → setup, for those that have no action.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark,f1,enter", "dismiss", "close", key_display="Esc"),
        Binding("j", "down", show=False),
        Binding("k", "up", show=False),
    ]

    def __init__(
        self, actions: Iterable[Action] = ACTIONS, setups: Mapping[str, str] | None = None
    ) -> None:
        super().__init__()
        self._setups = setups or {}
        self._actions = tuple(actions)

    def compose(self) -> ComposeResult:
        """One scrolling sheet."""
        with VerticalScroll(id="sheet"):
            yield Static(self._sheet())

    def opened(self) -> None:
        """Say how to leave."""
        sheet = self.query_one("#sheet")
        sheet.border_title = "Help"
        sheet.border_subtitle = "Esc closes"

    def action_down(self) -> None:
        """Scroll down."""
        self.query_one("#sheet").scroll_down(animate=False)

    def action_up(self) -> None:
        """Scroll up."""
        self.query_one("#sheet").scroll_up(animate=False)

    def _sheet(self) -> Content:
        parts: list[Content] = []
        for group, actions in groupby(self._actions, key=lambda a: a.group):
            parts.append(Content.styled(f"{group}\n", "bold $decided"))
            for action in (a for a in actions if not a.twin):
                parts.append(Content.styled(f"  {action.written:>9}  ", "bold $measured"))
                parts.append(Content(f"{action.help}\n"))
            if group == "Setups":
                parts += self._setup_keys()
            parts.append(Content("\n"))
        parts.append(Content.styled("Colours\n", "bold $decided"))
        for ink, meaning in _COLOURS:
            parts.append(Content.styled(f"  {ink.value:>9}  ", f"bold ${ink.value}"))
            parts.append(Content(f"{meaning}\n"))
        parts.append(Content("\n"))
        parts.append(
            Content(
                "The large numbers are the HPA's current ▶ desired replicas. On the chart the left "
                "axis is CPU, the right one replicas; ◆ marks a decision, ▲ the moment CPU went "
                "over the target. Load takes 15 to 75 s to become pods: metrics are sampled every "
                "15 s and the HPA looks every 15 s."
            )
        )
        parts += _rules()
        return Content("").join(parts)

    def _setup_keys(self) -> Iterable[Content]:
        for key, name in self._setups.items():
            yield Content.styled(f"  {key:>9}  ", "bold $measured")
            yield Content(f"Apply or delete {name}, in the pane of setups\n")


def _rules() -> list[Content]:
    """What the doctor looks for, a page a rule."""
    parts = [Content("\n\n"), Content.styled("What the doctor looks for\n", "bold $decided")]
    for rule in all_rules():
        sign, ink = SIGNS[rule.severity]
        colour = " ".join(w if w == "bold" else f"${w}" for w in ink.split())
        parts += [
            Content.styled(f"  {sign} ", colour),
            Content.styled(f"{rule.title} ", "bold"),
            Content.styled(f"({rule.id})\n", "$muted"),
            Content(f"    {rule.page}\n"),
        ]
    return parts
