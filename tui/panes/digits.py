"""Digits large enough for the last row: five by six pixels, two pixels to a cell's height."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

HEIGHT: Final = 3
"""Lines of the screen at scale 1."""

_FONT: Final = {
    "0": (".###.", "##.##", "##.##", "##.##", "##.##", ".###."),
    "1": (".##..", "###..", ".##..", ".##..", ".##..", "####."),
    "2": ("####.", "...##", ".###.", "##...", "##...", "#####"),
    "3": ("####.", "...##", ".###.", "...##", "...##", "####."),
    "4": ("##.##", "##.##", "##.##", "#####", "...##", "...##"),
    "5": ("#####", "##...", "####.", "...##", "...##", "####."),
    "6": (".###.", "##...", "####.", "##.##", "##.##", ".###."),
    "7": ("#####", "...##", "..##.", "..##.", ".##..", ".##.."),
    "8": (".###.", "##.##", ".###.", "##.##", "##.##", ".###."),
    "9": (".###.", "##.##", "##.##", ".####", "...##", ".###."),
    "▶": ("#....", "###..", "#####", "#####", "###..", "#...."),
    "=": (".....", "#####", ".....", ".....", "#####", "....."),
    "–": (".....", ".....", "#####", ".....", ".....", "....."),
    "?": ("####.", "...##", ".###.", ".##..", ".....", ".##.."),
}
_HALF: Final = {("#", "#"): "█", ("#", "."): "▀", (".", "#"): "▄", (".", "."): " "}


@lru_cache(maxsize=64)
def large(text: str, scale: int = 1) -> tuple[str, ...]:
    """The text in ``3 × scale`` lines. Characters without a glyph are left out."""
    glyphs = [_FONT[c] for c in text if c in _FONT]
    rows = [".".join(glyph[y] for glyph in glyphs) for y in range(6)]
    if scale > 1:
        rows = ["".join(pixel * scale for pixel in row) for row in rows for _ in range(scale)]
    return tuple(
        "".join(_HALF[pair] for pair in zip(rows[y], rows[y + 1], strict=True))
        for y in range(0, len(rows), 2)
    )
