"""Names of keys: as a user writes them, as Textual has them, as they are shown."""

from __future__ import annotations

import string
from typing import Final

from textual.binding import Binding
from textual.keys import Keys, format_key

_MODIFIERS: Final = frozenset({"ctrl", "shift", "alt", "super", "hyper", "meta"})
_SIGNS: Final = {
    **{
        sign: binding.key
        for sign in string.punctuation.replace(",", "")
        for binding in Binding.make_bindings([Binding(sign, "")])
    },
    ",": "comma",
    " ": "space",
}
"""A character that is neither letter nor digit → its name."""
_NAMED: Final = frozenset(key.value for key in Keys if key.value.isalnum()) | {*_SIGNS.values()}
_SHORT: Final = {"escape": "Esc", "enter": "Enter", "pageup": "PgUp", "pagedown": "PgDn"}


def names(text: str) -> tuple[str, ...]:
    """Textual's names of a key, all that a terminal may send; none if there is no such key.

    Args:
        text: one key: a character, a name, or either after modifiers and ``+``.
    """
    if text in _SIGNS:
        return (_SIGNS[text],)
    *modifiers, key = text.split("+")
    modifiers = [each.lower() for each in modifiers]
    if len(key) > 1:
        key = key.lower()
    if not _MODIFIERS.issuperset(modifiers) or not (_letter(key) or key in _NAMED):
        return ()
    if not modifiers and _letter(key) and key != key.lower():
        return (key, f"shift+{key.lower()}")
    return ("+".join([*modifiers, key]),)


def written(key: str) -> str:
    """A key of Textual's as help shows it: ``z``, ``/``, ``F5``, ``^y``, ``Shift+Tab``."""
    *modifiers, last = key.split("+")
    shown = _SHORT.get(last) or format_key(last)
    if len(shown) > 1 and last not in _SHORT:
        shown = last.capitalize()
    if modifiers == ["ctrl"] and len(shown) == 1:
        return f"^{shown}"
    return "+".join([*(each.capitalize() for each in modifiers), shown])


def _letter(key: str) -> bool:
    return len(key) == 1 and key.isalnum()
