"""Bars of eighth blocks, with a tick where the target is."""

from __future__ import annotations

from typing import Final

from tui.panes.ink import Ink
from tui.panes.line import Line

_EIGHTHS: Final = " ▏▎▍▌▋▊▉█"
_EMPTY: Final = "░"


def bar(fraction: float, room: int, ink: str = Ink.MEASURED) -> Line:
    """``fraction`` of ``room`` cells filled; more than 1 fills it all."""
    filled = max(0.0, min(1.0, fraction)) * room
    whole = int(filled)
    part = _EIGHTHS[int((filled - whole) * 8)].strip()
    rest = room - whole - len(part)
    return [("█" * whole + part, ink), (_EMPTY * rest, Ink.FAINT)]


def target_bar(value: float, target: float, room: int) -> Line:
    """A bar with the target at its middle: measured up to it, over it in the colour of trouble.

    What is more than twice the target ends in an arrow head.
    """
    middle = room // 2
    scale = middle / target if target else 0.0
    filled = value * scale
    below = bar(min(1.0, filled / middle) if middle else 0.0, middle)
    room_above = room - middle - 1
    above = max(0.0, filled - middle)
    line: Line = [*below, ("│", f"bold {Ink.DECIDED}")]
    if above > room_above:
        return [*line, ("█" * (room_above - 1) + "▶", Ink.BAD)]
    return [*line, *bar(above / room_above if room_above else 0.0, room_above, Ink.BAD)]
