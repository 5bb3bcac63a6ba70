"""Answers a second of each pod, from counts that only grow."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Final

_OVER: Final = 3.0
"""Seconds over which a rate is taken; more where counts come less often."""


class PodRates:
    """Feed it the counts; each time it says the rates by then."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, Mapping[str, int]]] = deque()

    def add(self, at: float, counts: Mapping[str, int]) -> dict[str, float]:
        """Args:
            at: seconds, growing.
            counts: answers so far by pod.

        Returns:
            Answers a second by pod; nothing before the second look.
        """
        self._seen.append((at, dict(counts)))
        while len(self._seen) > 2 and self._seen[1][0] <= at - _OVER:
            self._seen.popleft()
        since, before = self._seen[0]
        over = at - since
        if over <= 0:
            return {}
        return {pod: max(0, n - before.get(pod, 0)) / over for pod, n in counts.items()}
