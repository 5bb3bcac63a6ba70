"""The clock that ages are told by: the cluster's, which wrote the times in the rows."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

_LOOSE: Final = 2.0
"""Seconds by which what is measured may differ before it is taken over: it jumps seldom."""


class ClusterClock:
    """Seconds since the epoch, as the API server counts them once that is known.

    Args:
        wall: this machine's clock.
    """

    def __init__(self, wall: Callable[[], float] = time.time) -> None:
        self.wall = wall
        self._ahead = 0.0

    def __call__(self) -> float:
        """Now, by the cluster's clock."""
        return self.wall() + self._ahead

    def learn(self, ahead: float) -> None:
        """The cluster's clock is so many seconds ahead of ours, as the Date of answers tells."""
        if ahead == 0 or abs(ahead - self._ahead) > _LOOSE:
            self._ahead = float(ahead)
