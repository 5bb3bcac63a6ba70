"""Digits large enough for the last row: five by six pixels, two pixels to a cell's height."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

_FONT: Final[dict[str, tuple[str, ...]]] = {
    "0": (".###.", "##.##", "##.##", "##.##", "##.##", ".###."),
    "1": ("..##.", ".###.", "..##.", "..##.", "..##.", ".####"),
    "2": ("####.", "...##", ".###.", "##...", "##...", "#####"),
    "3": ("####.", "...##", ".###.", "...##", "...##", "####."),
    "4": ("##.##", "##.##", "##.##", "#####", "...##", "...##"),
    "5": ("#####", "##...", "####.", "...##", "...##", "####."),
    "6": (".###.", "##...", "####.", "##.##", "##.##", ".###."),
    "7": ("#####", "...##", "..##.", "..##.", ".##..", ".##.."),
    "8": (".###.", "##.##", ".###.", "##.##", "##.##", ".###."),
    "9": (".###.", "##.##", "##.##", ".####", "...##", ".###."),
    "▶": ("...", "#..", "###", "###", "#..", "..."),
    "=": (".....", "#####", ".....", ".....", "#####", "....."),
    "–": (".....", ".....", "#####", ".....", ".....", "....."),
    "?": ("####.", "...##", ".###.", ".##..", ".....", ".##.."),
}
_HALF: Final = {("#", "#"): "█", ("#", "."): "▀", (".", "#"): "▄", (".", "."): " "}


_TALL: Final = (0, 1, 1, 2, 2, 3, 3, 4, 4, 5)
_WIDE: Final = {5: (0, 1, 2, 2, 2, 3, 4), 3: (0, 1, 1, 2)}


@lru_cache(maxsize=64)
def large(text: str, height: int = 3) -> tuple[str, ...]:
    """The text in 3, 5 or 6 lines: the largest of these that ``height`` allows.

    Characters without a glyph are left out.
    """
    glyphs = [_FONT[c] for c in text if c in _FONT]
    if height >= 6:
        glyphs = [tuple("".join(p * 2 for p in row) for row in g for _ in (0, 1)) for g in glyphs]
    elif height == 5:
        glyphs = [tuple("".join(g[y][x] for x in _WIDE[len(g[y])]) for y in _TALL) for g in glyphs]
    gap = ".." if height >= 6 else "."
    rows = [gap.join(row) for row in zip(*glyphs, strict=True)]
    return tuple(
        "".join(_HALF[pair] for pair in zip(rows[y], rows[y + 1], strict=True))
        for y in range(0, len(rows), 2)
    )
