"""How long to wait before the next try."""

from __future__ import annotations

import random
from typing import Final

FLOOR: Final = 0.5
CEILING: Final = 30.0


class Backoff:
    """Decorrelated jitter: each wait is drawn between the floor and thrice the last one.

    Many clients that lost the same server come back spread out, and none asks more often than
    twice a second. See https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/.
    """

    def __init__(self, rng: random.Random, floor: float = FLOOR, ceiling: float = CEILING) -> None:
        self._rng = rng
        self._floor = floor
        self._ceiling = ceiling
        self._last = floor
        self.tries = 0
        """Waits since the last reset."""

    def next(self) -> float:
        """Seconds to wait now."""
        self.tries += 1
        self._last = min(self._ceiling, self._rng.uniform(self._floor, self._last * 3))
        return self._last

    def reset(self) -> None:
        """It works again."""
        self._last = self._floor
        self.tries = 0
