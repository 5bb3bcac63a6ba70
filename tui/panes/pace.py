"""How often something may be drawn: a burst at once, what never ends at a rate."""

from __future__ import annotations

import time
from collections.abc import Callable


class Pace:
    """A turn in each stretch of time, and some to spare.

    What happens now and then is drawn at once. What changes at every look is drawn ``every`` so
    many seconds: nobody reads faster, and drawing is the dearest thing a dashboard does. The
    stretches of all paces begin together, so that what changes all the time is drawn together:
    Textual goes through the whole screen for each part of it.

    Args:
        every: seconds between two turns, in the long run; 0 gives every turn.
        burst: turns that may be taken at once after a rest.
        clock: seconds that only grow.
    """

    def __init__(
        self, every: float, burst: int = 6, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._every = every
        self._most = burst - 1
        self._clock = clock
        self._spare = self._most
        self._stretch = -1

    def take(self) -> bool:
        """Whether it is one's turn; if not, ask again at the next look."""
        if self._every <= 0:
            return True
        stretch = int(self._clock() / self._every)
        passed = stretch - self._stretch
        if passed > 0:
            self._stretch = stretch
            self._spare = min(self._most, self._spare + passed - 1)
            return True
        if self._spare < 1:
            return False
        self._spare -= 1
        return True
