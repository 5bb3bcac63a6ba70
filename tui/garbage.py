"""When Python looks for garbage in all there is: not while lists come in, and never in what stays.

Such a search holds the interpreter, and with it the screen: beside ten thousand pods for 40-140 ms,
every few seconds.
"""

from __future__ import annotations

import gc
from typing import Final

SETTLED: Final = 15.0
"""Seconds after which what the start made, and what the first lists brought, will stay."""
_YOUNG: Final = 4000
_MIDDLE: Final = 20
"""Objects more than at the last search, and such searches, before the next and one of the middle
generation: a look makes hundreds that are gone without a search."""
_NEVER: Final = 1_000_000
"""Searches of the middle generation to one of the oldest."""


class Garbage:
    """From :meth:`start` to :meth:`settle` nothing old is searched, then only what is newer."""

    def __init__(self) -> None:
        self._usual: tuple[int, int, int] | None = None
        self._settled = False

    def start(self) -> None:
        """Much is made, and all of it stays: search only what is young."""
        if self._usual is None:
            self._usual, self._settled = gc.get_threshold(), False
            gc.set_threshold(_YOUNG, _MIDDLE, _NEVER)

    def settle(self) -> None:
        """Search once, leave out for good what is still there, and search what is newer."""
        if self._usual is not None and not self._settled:
            self._settled = True
            gc.collect()
            gc.freeze()
            gc.set_threshold(_YOUNG, _MIDDLE, self._usual[2])

    def stop(self) -> None:
        """As it was before the start."""
        if self._usual is not None:
            gc.set_threshold(*self._usual)
            self._usual = None
