"""When the controller looks at an HPA, and when there are new samples, told from what is seen.

The controller puts an HPA back in its queue 15 s after each look, so the looks of one HPA follow
each other by 15 s and the time that a look takes. A look shows only when it changes the status.
"""

from __future__ import annotations

import math
import statistics
from collections import deque
from collections.abc import Iterable
from typing import Final

from tui.analysis.hpa import SYNC_PERIOD

_LOOSE: Final = 1.5
"""Seconds off the expected moment beyond which a look belongs to another rhythm: a restart."""
_LONGEST: Final = 1.05
"""How much longer than asked a period may be, for the time a look takes."""
_LEARN: Final = 0.3
_LEAST: Final = 0.5
"""Seconds; what is shorter is two writes of one look."""
_LASTING: Final = 40
"""Periods after which the phase of a look long past is no longer believed."""


class SyncRhythm:
    """The looks at one HPA. ``period``: seconds between two, learned from those seen."""

    def __init__(self, period: float = SYNC_PERIOD) -> None:
        self.period = period
        self._shortest = period
        self._last: float | None = None
        self._short: float | None = None

    @property
    def known(self) -> bool:
        """Whether a look has been seen."""
        return self._last is not None

    def seen(self, at: float) -> None:
        """A look happened then, which wrote something."""
        before, self._last = self._last, at
        if before is None or at <= before:
            return
        if self._is_shorter(at - before):
            return
        count = round((at - before) / self.period)
        if not 1 <= count <= _LASTING or abs(at - before - count * self.period) > _LOOSE:
            return
        measured = min(max((at - before) / count, self._shortest), self._shortest * _LONGEST)
        self.period += _LEARN * (measured - self.period)

    def _is_shorter(self, interval: float) -> bool:
        """Whether the controller is set to look more often: two short intervals alike say so."""
        short, self._short = self._short, interval
        if interval > 0.9 * self._shortest or interval < _LEAST:
            return False
        if short is not None and abs(short - interval) < 0.1 * interval:
            self.period = self._shortest = interval
        return True

    def next(self, after: float) -> float | None:
        """The first look expected after that moment; None while none has been seen."""
        if self._last is None:
            return None
        periods = math.floor((after - self._last) / self.period) + 1
        return self._last + max(1, periods) * self.period

    def sure(self, at: float) -> bool:
        """Whether the phase was seen recently enough to count on it."""
        return self._last is not None and at - self._last <= _LASTING * self.period


class SampleRhythm:
    """The samples of the metrics API: how far apart they are and when the next should come."""

    def __init__(self, step: float = 15.0) -> None:
        self._default = step
        self._newest = 0.0
        self._came = 0.0
        self._steps: deque[float] = deque(maxlen=7)

    @property
    def step(self) -> float:
        """Seconds between two samples."""
        return statistics.median(self._steps) if self._steps else self._default

    def feed(self, times: Iterable[float], now: float) -> bool:
        """Take in the times of the samples now; True if there are newer ones."""
        newest = max(times, default=0.0)
        if newest <= self._newest:
            return False
        if self._newest and newest - self._newest < 4 * self._default:
            self._steps.append(newest - self._newest)
        self._newest, self._came = newest, now
        return True

    def next(self, now: float) -> float | None:
        """When the next sample should be here; None if there was none or it is overdue."""
        if not self._newest:
            return None
        due = self._came + self.step
        return due if due > now - self.step else None
