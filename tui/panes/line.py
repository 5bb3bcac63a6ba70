"""A line of the screen: pieces of plain text, each with the name of its style."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from rich.segment import Segment
from rich.style import Style
from textual.content import Content
from textual.strip import Strip

from tui.panes.ink import Palette
from tui.text import pad, shorten, width

Piece: TypeAlias = tuple[str, str]
"""Text that has been cleaned, and a style's name."""

Line: TypeAlias = list[Piece]


def cells(line: Iterable[Piece]) -> int:
    """How wide a line is."""
    return sum([len(text) if text.isascii() else width(text) for text, _ in line])


def cut(line: Line, room: int) -> Line:
    """The line in at most ``room`` cells, shortened with an ellipsis where it runs out."""
    if cells(line) <= room:
        return line
    kept: Line = []
    for text, style in line:
        taken = width(text)
        if taken >= room:
            kept.append((shorten(text + " " * (taken == room), room), style))
            break
        kept.append((text, style))
        room -= taken
    return kept


def ends(left: Line, right: Line, room: int) -> Line:
    """One piece at each end; the left one gives way."""
    space = room - cells(right)
    left = cut(left, max(0, space - 1))
    return [*left, (pad("", max(0, space - cells(left))), ""), *right]


def flow(words: Iterable[Line], room: int, gap: str = "  ") -> list[Line]:
    """Set pieces side by side, and on a new line where one does not fit whole."""
    lines: list[Line] = []
    for word in words:
        if lines and cells(lines[-1]) + len(gap) + cells(word) <= room:
            lines[-1] = [*lines[-1], (gap, ""), *word]
        else:
            lines.append(cut(word, room))
    return lines


def strip(
    line: Line, palette: Palette, room: int | None = None, base: Style | None = None
) -> Strip:
    """The line as Textual draws it: on ``base``, and in exactly ``room`` cells."""
    styles = palette.on(base)
    made = Strip([Segment(text, styles(style)) for text, style in line if text], cells(line))
    if room is None or made.cell_length == room:
        return made
    return made.adjust_cell_length(room, base)


def content(lines: Iterable[Line]) -> Content:
    """Lines for a widget of Textual's own; their text is never read as markup."""
    pieces: list[str | tuple[str, str]] = []
    for number, line in enumerate(lines):
        if number:
            pieces.append("\n")
        pieces += [(text, " ".join(map(_variable, style.split()))) for text, style in line if text]
    return Content.assemble(*pieces)


def _variable(word: str) -> str:
    if word == "text":
        return "$foreground"
    return word if word in ("bold", "dim", "reverse", "underline") else f"${word}"
