"""Every action once: its keys, its words, its place. Bindings, footer, palette and help read it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from textual.binding import Binding


@dataclass(frozen=True, slots=True)
class Action:
    """Something a key does. ``name`` is the method ``action_NAME`` of the dashboard."""

    name: str
    keys: str
    """Textual key names, separated by commas."""
    label: str
    """One or two words for the footer."""
    help: str
    """A sentence for help and palette."""
    group: str
    shown: str = ""
    """How the keys are written; by default the first of them."""
    footer: bool = False

    @property
    def written(self) -> str:
        """The keys as help shows them."""
        return self.shown or self.keys.split(",")[0]


ACTIONS: Final = (
    Action("zoom", "z,enter", "zoom", "Give the focused pane the whole screen, and back",
           "Panes", "z", footer=True),
    Action("focus_next", "tab", "next", "Go to the next pane", "Panes", "Tab"),
    Action("focus_previous", "shift+tab", "previous", "Go to the pane before", "Panes",
           "Shift+Tab"),
    Action("back", "escape", "back", "Leave the filter, or the zoomed pane", "Panes", "Esc"),
    Action("next_hpa", "h", "hpa", "Look at the next HPA", "HPA", footer=True),
    Action("previous_hpa", "H,shift+h", "previous hpa", "Look at the HPA before", "HPA", "H"),
    Action("filter", "slash", "filter", "Show only pods that match: words, !word", "Pods", "/",
           footer=True),
    Action("sort", "s", "sort", "Sort pods by the next column; a click on a title works too",
           "Pods", footer=True),
    Action("reverse", "S,shift+s", "reverse", "Turn the order of pods round", "Pods", "S"),
    Action("everything", "a", "all", "The target's pods, or every pod in scope", "Pods",
           footer=True),
    Action("cursor_down", "j", "down", "One pod down; arrows and page keys work too", "Pods", "j"),
    Action("cursor_up", "k", "up", "One pod up", "Pods", "k"),
    Action("per_pod", "p", "pods", "Chart each pod, or all of them together", "Chart",
           footer=True),
    Action("longer", "minus", "time", "Chart a longer time: 1, 5, 15, 60 minutes", "Chart", "-/+",
           footer=True),
    Action("shorter", "plus,equals_sign", "shorter", "Chart a shorter time", "Chart", "+"),
    Action("theme", "T,shift+t", "theme", "Dark, light, high contrast", "Program", "T"),
    Action("help", "question_mark,f1", "help", "What the keys and colours mean", "Program", "?",
           footer=True),
    Action("palette", "ctrl+p", "palette", "Find an action by name", "Program", "^p"),
    Action("quit", "q,ctrl+c", "quit", "Leave", "Program", "q", footer=True),
)  # fmt: skip


def bindings() -> list[Binding]:
    """Textual bindings for the dashboard; ids let a keymap change them."""
    return [
        Binding(
            key=action.keys,
            action=action.name,
            description=action.label,
            show=action.footer,
            key_display=action.written,
            tooltip=action.help,
            id=f"kscale.{action.name}",
            priority=action.name in ("focus_next", "focus_previous", "quit")
            and "ctrl" in action.keys,
        )
        for action in ACTIONS
    ]
