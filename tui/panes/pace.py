"""How often something may be drawn: a burst at once, what never ends at a rate."""

from __future__ import annotations

import time
from collections.abc import Callable


class Pace:
    """A bucket of turns that fills again with time.

    What happens now and then is drawn at once. What changes at every look is drawn ``every`` so
    many seconds: nobody reads faster, and drawing is the dearest thing a dashboard does.

    Args:
        every: seconds between two turns, in the long run; 0 gives every turn.
        burst: turns that may be taken at once after a rest.
        clock: seconds that only grow.
    """

    def __init__(
        self, every: float, burst: int = 6, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._every = every
        self._burst = burst
        self._clock = clock
        self._turns = float(burst)
        self._last = clock()

    def take(self) -> bool:
        """Whether it is one's turn; if not, ask again at the next look."""
        if self._every <= 0:
            return True
        now = self._clock()
        self._turns = min(self._burst, self._turns + (now - self._last) / self._every)
        self._last = now
        if self._turns < 1:
            return False
        self._turns -= 1
        return True
