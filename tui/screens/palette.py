"""What the palette offers of ours: every action that is worth finding by name."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator
from functools import partial
from typing import Final

from textual.app import SystemCommand

from tui.actions import Action

_LEFT_OUT: Final = ("palette", "back", "cursor_up", "cursor_down")


def commands(
    actions: Iterable[Action], run: Callable[[str], Awaitable[object]]
) -> Iterator[SystemCommand]:
    """The actions as commands.

    Args:
        actions: with their keys.
        run: does what an action calls.
    """
    for action in actions:
        if action.name not in _LEFT_OUT:
            title = f"{action.label.capitalize()}  ({action.written})"
            yield SystemCommand(title, action.help, partial(run, action.call))
