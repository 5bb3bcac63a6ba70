"""A key for each setup: its own wish, else a letter of its name that means nothing else."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final

from tui.setups.model import Setup
from tui.state.setups import SetupRow
from tui.text import clean

USUAL: Final = {
    "nginx": "n",
    "caddy": "c",
    "fastapi": "4",
    "load-app": "5",
    "hpa-cpu": "6",
    "hpa-behavior": "7",
    "hpa-memory": "8",
}
"""Of the built-in setups: letters for the two proxies, which any pane toggles; the digits follow
those of the panes.
"""


def keys(setups: Iterable[Setup], taken: Collection[str]) -> dict[str, str]:
    """Setup → key, a single character; none for those beyond the alphabet.

    Args:
        setups: built-in ones first.
        taken: keys that mean something else.
    """
    found: dict[str, str] = {}
    used = set(taken)
    waiting: list[Setup] = []
    for setup in setups:
        wish = setup.key or (USUAL.get(setup.name, "") if setup.builtin else "")
        if len(wish) == 1 and wish.isalnum() and wish not in used:
            found[setup.name] = wish
            used.add(wish)
        else:
            waiting.append(setup)
    for setup in waiting:
        letters = [*setup.name, *"abcdefghijklmnopqrstuvwxyz"]
        free = next((one for one in letters if one.isalpha() and one not in used), None)
        if free is not None:
            found[setup.name] = free
            used.add(free)
    return found


def shown(rows: Iterable[SetupRow], taken: Collection[str]) -> dict[str, str]:
    """Key → setup, as the screen writes it: what the rows say, or the usual ones where none is yet.

    Args:
        rows: of the setups that are known.
        taken: keys that mean something else.
    """
    found = {row.key: row.name for row in rows} or {key: name for name, key in USUAL.items()}
    return {key: clean(name) for key, name in found.items() if key and key not in taken}
