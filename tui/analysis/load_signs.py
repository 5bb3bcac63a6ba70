"""What a burst tells of cause and effect: load rose, answers became slow, a pod answered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tui.analysis.lag import LoadSigns
from tui.state.load import BurstRow, LoadPoint, LoadRow

_JUMP: Final = 1.5
"""How many times the rate of the seconds before is a rise."""
_BEFORE: Final = 5
"""Seconds that a rise is measured against."""
_LEAST: Final = 10.0
"""Requests a second below which nothing counts as load."""
_SLOWER: Final = 2.0
_NOTICED: Final = 0.02
"""Seconds by which a latency has to grow, besides doubling, to be called slow."""


class LoadWatch:
    """Feed it every tick. It keeps when each pod was first seen to answer."""

    def __init__(self) -> None:
        self._served: dict[str, float] = {}
        self._seen: LoadRow | None = None
        self._signs = LoadSigns()

    def feed(self, load: LoadRow, now: float) -> LoadSigns | None:
        """The signs now; None before the first burst."""
        if not load.bursts:
            return None
        if load is self._seen:
            return self._signs
        self._seen = load
        running = [burst for burst in load.bursts if not burst.over] or [load.bursts[-1]]
        for burst in running:
            for pod, count in burst.pods.items():
                if count > 0:
                    self._served.setdefault(pod, now)
        first = min(running, key=lambda burst: burst.began)
        rose = max((_rose(burst) for burst in running), default=first.began)
        slowed = [at for burst in running if (at := _slowed(burst.points, rose)) is not None]
        self._signs = LoadSigns(rose, min(slowed, default=None), dict(self._served))
        return self._signs


def _rose(burst: BurstRow) -> float:
    """The last rise of the rate: the beginning, or a jump within the burst."""
    at = burst.began
    points = burst.points
    for number in range(_BEFORE, len(points)):
        before = points[number - _BEFORE : number]
        usual = sum(point.rate for point in before) / _BEFORE
        higher = max(_JUMP * usual, usual + _LEAST, _JUMP * before[-1].rate)
        if points[number].rate > higher:
            at = points[number].time - 1.0
    return at


def _slowed(points: Sequence[LoadPoint], rose: float) -> float | None:
    """The first second since the rise with twice the latency of the best second before it."""
    best: float | None = None
    for point in points:
        if best is not None and point.time >= rose and point.p99 > _SLOWER * best + _NOTICED:
            return point.time
        if point.rate > 0:
            best = point.p99 if best is None else min(best, point.p99)
    return None
