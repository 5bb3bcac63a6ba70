"""Every action once: its keys, its words, its place. Bindings, footer, palette and help read it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec
from textual.binding import Binding

from tui import key_names


class KeysError(ValueError):
    """Keys that cannot be had. The message is one sentence for people, without a full stop."""


class Action(msgspec.Struct, frozen=True):
    """Something a key does. ``name`` is the method ``action_NAME`` of the dashboard or the app."""

    name: str
    keys: str
    """Textual key names, separated by commas."""
    label: str
    """One or two words for the footer."""
    help: str
    """A sentence for help and palette; ``{name}`` stands for the key of that action."""
    group: str
    shown: str = ""
    """How the keys are written; by default the first of them. ``{name}`` as in ``help``."""
    footer: int = 0
    """1: always in the footer; 2 and more: where there is room; 0: never."""
    app: bool = False
    """Whether the app answers it, not the dashboard."""
    twin: bool = False
    """Whether the help of the action before it speaks of it too."""

    @property
    def call(self) -> str:
        """The action as Textual names it."""
        return f"app.{self.name}" if self.app else self.name

    @property
    def written(self) -> str:
        """The keys as help shows them."""
        return self.shown or key_names.written(self.keys.split(",")[0])


_USUAL: Final = (
    Action("zoom", "z,enter", "zoom", "Give the focused pane the whole screen, and back",
           "Panes", "z", footer=1),
    Action("focus_next", "tab", "next", "Go to the next pane; {focus_previous} to the one before",
           "Panes", "Tab"),
    Action("focus_previous", "shift+tab", "previous", "Go to the pane before", "Panes",
           "Shift+Tab", twin=True),
    Action("back", "escape", "back", "Leave the filter, or the zoomed pane", "Panes", "Esc"),
    Action("nodes", "1", "nodes", "See the nodes in the place that panes share", "Panes"),
    Action("load", "2", "load", "See the bursts in the place that panes share", "Panes"),
    Action("doctor", "d", "doctor", "See what is wrong, and what to do about it", "Panes",
           footer=1),
    Action("copy", "ctrl+y", "copy", "Copy the command the doctor advises", "Panes", "^y"),
    Action("setups", "3", "setups",
           "See the setups; Enter applies or deletes, r reapplies", "Setups",
           footer=2),
    Action("toggle_nginx", "n", "nginx", "Apply nginx in front of the app, or delete it",
           "Setups", footer=2, app=True),
    Action("toggle_caddy", "c", "caddy", "Apply Caddy in front of the app, or delete it",
           "Setups", footer=2, app=True),
    Action("next_hpa", "h", "hpa", "Look at the next HPA; {previous_hpa} at the one before", "HPA",
           footer=1, app=True),
    Action("previous_hpa", "H,shift+h", "previous hpa", "Look at the HPA before", "HPA", "H",
           app=True, twin=True),
    Action("why", "w", "why", "Why it did or did not scale: every step with its numbers", "HPA",
           footer=1),
    Action("what_if", "f", "what if", "Try another target, limits, behavior, request in thought",
           "HPA", app=True),
    Action("burst", "b", "burst", "Fire the last burst at the current target", "Load",
           footer=1, app=True),
    Action("choose_burst", "B,shift+b", "choose burst", "Choose target, preset and rate of a burst",
           "Load", "B", app=True),
    Action("stop_burst", "x", "stop", "Stop all bursts", "Load", footer=1, app=True),
    Action("filter", "slash", "filter", "Show only pods that match: words, !word", "Pods", "/",
           footer=1),
    Action("sort", "s", "sort", "Sort pods by the next column; {reverse} turns the order round",
           "Pods", footer=2),
    Action("reverse", "S,shift+s", "reverse", "Turn the order of pods round", "Pods", "S",
           twin=True),
    Action("everything", "a", "all", "The target's pods, or every pod in scope", "Pods",
           footer=2),
    Action("cursor_down", "j", "down", "Up and down; arrows, page keys and the wheel work too",
           "Pods", "{cursor_down} {cursor_up}"),
    Action("cursor_up", "k", "up", "One pod up", "Pods", "k", twin=True),
    Action("per_pod", "p", "pods", "Chart each pod, or all of them together", "Chart"),
    Action("longer", "minus", "time", "Chart a longer or shorter time: 1, 5, 15, 60 minutes",
           "Chart", "{longer}/{shorter}", footer=2),
    Action("shorter", "plus,equals_sign", "shorter", "Chart a shorter time", "Chart", "+",
           twin=True),
    Action("theme", "T,shift+t", "theme", "Dark, light, high contrast", "Program", "T", app=True),
    Action("help", "question_mark,f1", "help", "What the keys and colours mean", "Program", "?",
           footer=1, app=True),
    Action("palette", "ctrl+p", "palette", "Find an action by name", "Program", "^p", app=True),
    Action("quit", "q,ctrl+c", "quit", "Leave", "Program", "q", footer=1, app=True),
)  # fmt: skip


def effective(overrides: Mapping[str, str]) -> tuple[Action, ...]:
    """The actions with the keys of the settings, everywhere where a key is written.

    Args:
        overrides: action name → keys, separated by commas.

    Raises:
        KeysError: there is no such action or key, or a key would do two things.
    """
    unknown = [name for name in overrides if name not in {action.name for action in _USUAL}]
    if unknown:
        known = ", ".join(sorted(action.name for action in _USUAL))
        raise KeysError(f"[keys] names no action {unknown[0]!r}; there are {known}")
    actions = [
        _with_keys(action, overrides[action.name]) if action.name in overrides else action
        for action in _USUAL
    ]
    _refuse_twice(actions)
    alone = {
        action.name: key_names.written(action.keys.split(",")[0])
        if "{" in action.shown
        else action.written
        for action in actions
    }
    return tuple(
        msgspec.structs.replace(
            action, shown=action.shown.format_map(alone), help=action.help.format_map(alone)
        )
        for action in actions
    )


def _with_keys(action: Action, given: str) -> Action:
    """With Textual's names of those keys, each once."""
    found: dict[str, None] = {}
    for key in given.split(","):
        names = key_names.names(key.strip())
        if not names:
            raise KeysError(
                f"[keys] {action.name} = {given!r}: there is no key {key.strip()!r}; "
                "keys are such as z, Z, /, f5, ctrl+y, space"
            )
        found |= dict.fromkeys(names)
    shown = action.shown if "{" in action.shown else ""
    return msgspec.structs.replace(action, keys=",".join(found), shown=shown)


def _refuse_twice(actions: Iterable[Action]) -> None:
    owners: dict[str, str] = {}
    for action in actions:
        for key in action.keys.split(","):
            owner = owners.setdefault(key, action.name)
            if owner != action.name:
                raise KeysError(
                    f"[keys] {key_names.written(key)} is the key of both {owner} and "
                    f"{action.name}; give one of them another"
                )


ACTIONS: Final = effective({})


def written(actions: Iterable[Action]) -> dict[str, str]:
    """Action name → its keys as they are shown."""
    return {action.name: action.written for action in actions}


def bindings() -> list[Binding]:
    """Textual bindings for the dashboard; ids let a keymap change them."""
    return [
        Binding(
            key=action.keys,
            action=action.call,
            description=action.label,
            show=bool(action.footer),
            key_display=action.written,
            tooltip=action.help,
            id=f"kscale.{action.name}",
        )
        for action in ACTIONS
    ]
