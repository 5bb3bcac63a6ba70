"""A quantity over time, made of straight pieces: connections, or requests a second."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

Points = tuple[tuple[float, float], ...]
"""(seconds since the start, value), in order; two points at one time are a jump."""

_WAVE_PIECES: Final = 48


class Curve:
    """Straight lines between points. The last value goes on for ever."""

    def __init__(self, points: Points) -> None:
        if not points:
            raise ValueError("a curve needs a point")
        self.points = points
        self._times = [time for time, _ in points]
        self._sums = [0.0]
        """The integral up to each point."""
        for (t0, v0), (t1, v1) in pairwise(points):
            self._sums.append(self._sums[-1] + (t1 - t0) * (v0 + v1) / 2)

    @property
    def most(self) -> float:
        """The highest value."""
        return max(value for _, value in self.points)

    @property
    def least(self) -> float:
        """The lowest value."""
        return min(value for _, value in self.points)

    def at(self, time: float) -> float:
        """The value at a time; after a jump, at the very time of it."""
        index = bisect_right(self._times, time) - 1
        if index < 0:
            return self.points[0][1]
        value, slope = self._piece(index)
        return value + slope * (time - self._times[index])

    def total(self, time: float) -> float:
        """The integral from 0 to ``time``: of requests a second, how many requests."""
        index = max(0, bisect_right(self._times, time) - 1)
        value, slope = self._piece(index)
        after = time - self._times[index]
        return self._sums[index] + after * (value + slope * after / 2)

    def when(self, total: float, start: int = 0) -> tuple[float, int]:
        """When the integral reaches ``total``; the inverse of :meth:`total`.

        Args:
            total: zero or more.
            start: the piece to look from, as returned before: for totals that only grow.

        Returns:
            Seconds (infinity when it never does), and the piece.
        """
        index = start
        last = len(self.points) - 1
        while index < last and self._sums[index + 1] <= total:
            index += 1
        value, slope = self._piece(index)
        missing = total - self._sums[index]
        if missing <= 0 and (value > 0 or slope > 0):
            return self._times[index], index
        # value·x + slope·x²/2 = missing, in the form that survives a slope near zero.
        root = value * value + 2 * slope * missing
        divisor = value + math.sqrt(root) if root >= 0 else 0.0
        if divisor <= 0:
            return math.inf, index
        return self._times[index] + 2 * missing / divisor, index

    def _piece(self, index: int) -> tuple[float, float]:
        """Value and slope at the start of the piece that follows a point."""
        t0, v0 = self.points[index]
        if index + 1 == len(self.points):
            return v0, 0.0
        t1, v1 = self.points[index + 1]
        return v0, (v1 - v0) / (t1 - t0) if t1 > t0 else 0.0


def steady(value: float) -> Points:
    """The same all the time."""
    return ((0.0, value),)


def ramp(first: float, last: float, duration: float) -> Points:
    """From one value to another, evenly."""
    return ((0.0, first), (duration, last))


def step(values: Sequence[float], duration: float) -> Points:
    """Each value for an equal part of the time."""
    part = duration / len(values)
    return tuple(
        point
        for at, value in enumerate(values)
        for point in ((at * part, value), ((at + 1) * part, value))
    )


def spike(base: float, peak: float, begin: float, lasting: float) -> Points:
    """Base, then at once peak, then base again."""
    end = begin + lasting
    return ((0.0, base), (begin, base), (begin, peak), (end, peak), (end, base))


def wave(low: float, high: float, period: float, duration: float) -> Points:
    """A sine that begins at its lowest, drawn with 48 straight pieces a period."""
    number = max(1, math.ceil(duration / period * _WAVE_PIECES))
    middle, swing = (low + high) / 2, (high - low) / 2
    times = [min(duration, at * period / _WAVE_PIECES) for at in range(number + 1)]
    return tuple((time, middle - swing * math.cos(2 * math.pi * time / period)) for time in times)
