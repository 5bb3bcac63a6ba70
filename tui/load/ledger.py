"""The ticks of all workers, added up and looked at."""

from __future__ import annotations

from collections import deque
from typing import Final

from tui.load.histogram import Histogram
from tui.load.plan import Plan
from tui.load.stats import PERCENTS, SecondsMaker, Snapshot, Tick, Totals, merged

_WINDOW: Final = 1.0
"""Seconds over which rates and percentiles of the moment are taken."""


class Ledger:
    """Everything that is known of one burst. Not thread-safe: its owner locks."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.totals = Totals()
        self.elapsed = 0.0
        self.ended: float | None = None
        """When the last request ended, in seconds, once a worker has said its last."""
        self._seconds = SecondsMaker(plan.asked)
        self._last: dict[int, Tick] = {}
        self._number = 0
        self._since = 0.0
        self._recent: deque[tuple[float, int, Histogram, Histogram]] = deque()

    def add(self, worker: int, tick: Tick) -> bool:
        """Take in a tick.

        Returns:
            Whether it is time to look: once for each round of ticks, whichever worker is first.

        Raises:
            ValueError: it is not whole.
        """
        service = Histogram.of_bytes(tick.service)
        late = service if self.plan.most_rate is None else Histogram.of_bytes(tick.latency)
        self.elapsed = max(self.elapsed, tick.elapsed)
        self._seconds.add(worker, tick, late, service)
        self.totals.add(tick, late, service)
        self._last[worker] = tick
        self._recent.append((tick.elapsed, sum(tick.statuses.values()), late, service))
        while self._recent and self._recent[0][0] <= self.elapsed - _WINDOW:
            self._since = self._recent.popleft()[0]
        if tick.ended is not None:
            self.ended = max(self.ended or 0.0, tick.ended)
        news = tick.number > self._number
        self._number = max(self._number, tick.number)
        return news

    @property
    def lasted(self) -> float:
        """Seconds that the burst took, so far or in all."""
        return self.elapsed if self.ended is None else self.ended

    @property
    def seconds(self) -> SecondsMaker:
        """The burst second by second."""
        return self._seconds

    def snapshot(self, state: str, problem: str | None) -> Snapshot:
        """The burst at this moment."""
        totals, plan = self.totals, self.plan
        lasted = self.lasted
        over = self.elapsed - self._since
        recent = sum(number for _, number, _, _ in self._recent)
        live = [tick for tick in self._last.values() if tick.ended is None]
        return Snapshot(
            state=state,
            problem=problem,
            elapsed=lasted,
            duration=plan.duration,
            count=plan.count,
            sent=totals.sent,
            responses=totals.responses,
            good=totals.good,
            failed=totals.failed,
            asked_total=plan.asked(lasted),
            asked_rate=plan.asked_rate(lasted),
            achieved_rate=recent / over if over else 0.0,
            mean_rate=totals.responses / lasted if lasted else 0.0,
            in_flight=sum(tick.in_flight for tick in live),
            connections=sum(tick.connections for tick in live),
            opened=totals.opened,
            latency=dict(merged(r[2] for r in self._recent).percentiles(PERCENTS)),
            service=dict(merged(r[3] for r in self._recent).percentiles(PERCENTS)),
            statuses=dict(sorted(totals.statuses.items())),
            failures=dict(totals.failures.most_common()),
            pods=dict(sorted(totals.pods.items())),
        )
