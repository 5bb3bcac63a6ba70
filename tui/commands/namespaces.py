"""Which namespace a command looks at, and what to say where it does not exist."""

from __future__ import annotations

from typing import Final

import msgspec

from tui.config import Settings, source

ALL: Final = "or pass -A for all"
"""Where a command knows ``-A``."""


class Chosen(msgspec.Struct, frozen=True):
    """A namespace, and who chose it."""

    name: str | None
    """None: the context's own."""
    hint: str
    """What to do if it does not exist; names the settings where they chose it."""


def choose(given: str | None, settings: Settings, advice: str = "and name one with -n") -> Chosen:
    """The command line's namespace, else the settings', else the context's own.

    Args:
        given: on the command line.
        settings: the file's, and the environment's before it.
        advice: the end of what to do if it does not exist.
    """
    hint = f"List them with `kubectl get namespaces`, {advice}."
    if given or not settings.namespace:
        return Chosen(given or None, hint)
    return Chosen(settings.namespace, f"{source('namespace')} names it. {hint}")
