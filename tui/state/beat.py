"""When the store is looked at, so that what is written to it can be there just before."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

LOOK: Final = 0.125
"""Seconds between two looks of the screen at the store."""
_DRIFT: Final = LOOK / 100
"""Seconds by which a look that was late moves those to come: some are late now and then, but if all
are, it is their time that has moved."""


class Beat:
    """The moments of the looks, as a display's vertical sync tells those of its pictures.

    What comes without end is taken over once a look and not more often: that costs no time until it
    is seen, and spares a thread from waking up for what nobody would look at yet.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._at = clock()
        """When the last look was due."""

    def looked(self) -> None:
        """A look begins, in time or late."""
        now = self._clock()
        due = self._at + LOOK * max(1, int((now - self._at) / LOOK))
        self._at = min(now, due + _DRIFT)

    def rest(self, before: float) -> float:
        """Seconds from now until so many before a look; up to those between two looks."""
        return (self._at - before - self._clock()) % LOOK
