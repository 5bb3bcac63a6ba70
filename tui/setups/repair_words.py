"""A repair in words: what it changes, who would set it back, what is against it, how to undo it."""

from __future__ import annotations

from typing import Final, NamedTuple

from tui.analysis.doctor.finding import named
from tui.setups.repair import Repair
from tui.text import clean, wrap

_MOST: Final = 300
"""Characters of a value that are shown."""


class Said(NamedTuple):
    """One line, cleaned."""

    sign: str
    text: str
    ink: str


def words(repair: Repair, room: int, *, done: bool = False, whole: bool = False) -> list[Said]:
    """Problems first, then each field, then what it brings about and what takes it back.

    Args:
        repair: what was looked at, or done.
        room: cells of a line.
        done: whether it was.
        whole: leave commands on one line each, to be copied.
    """
    ref = repair.ref
    sign, what, ink = _state(repair, done)
    said = [Said(sign, f"{named(ref.kind, ref.namespace, ref.name)}  {what}", f"bold {ink}")]
    said += [Said("✕ ", problem, "bad") for problem in repair.problems]
    for change in repair.changes:
        text = f"{change.path}: {_short(change.old)} → {_short(change.new)}"
        said.append(Said("    ", text, "decided"))
    said += [Said("▲ ", sentence, "decided") for sentence in repair.keepers]
    said += [Said("· ", sentence, "muted") for sentence in repair.warnings]
    if repair.undo is not None:
        said += [Said("", "", ""), Said("", "What takes it back:", "muted")]
        said.append(Said("$ ", clean(repair.undo.command), "measured"))
    elif repair.problems:
        said += [Said("", "", ""), Said("", "By hand it would be:", "muted")]
        said.append(Said("$ ", clean(repair.patch.command), "measured"))
    return [
        line
        for one in said
        for line in ([one] if whole and one.sign == "$ " else _wrapped(one, room))
    ]


def _state(repair: Repair, done: bool) -> tuple[str, str, str]:
    if done:
        return "✓ ", "is changed", "good"
    if repair.problems:
        return "✕ ", "cannot be changed", "bad"
    if not repair.changes:
        return "= ", "is like that already", "muted"
    return "~ ", "would change", "decided"


def _short(value: str | None) -> str:
    text = "nothing" if value is None else value
    return text if len(text) <= _MOST else text[:_MOST] + "…"


def _wrapped(said: Said, room: int) -> list[Said]:
    parts = wrap(clean(said.text), max(10, room - len(said.sign))) or [""]
    hang = " " * len(said.sign)
    return [Said(said.sign if n == 0 else hang, part, said.ink) for n, part in enumerate(parts)]
