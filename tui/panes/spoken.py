"""What the explanation says, as lines of the screen: cleaned, coloured, cut to the room."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tui.analysis.why_words import Piece, Text
from tui.panes.line import Line, cells, cut
from tui.text import clean


def line_of(text: Iterable[Piece]) -> Line:
    """One text as a line."""
    return [(_clean(p.text), f"bold {p.tone}" if p.strong else p.tone.value) for p in text]


def spoken(forms: Sequence[Text], room: int, label: Line) -> Line:
    """The longest form that fits beside its label; the shortest, cut, where none does."""
    for form in forms:
        line = [*label, *line_of(form)]
        if cells(line) <= room:
            return line
    return cut([*label, *line_of(forms[-1])], room)


def _clean(text: str) -> str:
    """Pieces are parts of a sentence: the blanks at their ends belong to it."""
    before = " " if text[:1] == " " else ""
    after = " " if text[-1:] == " " and len(text) > 1 else ""
    return before + clean(text.strip()) + after
