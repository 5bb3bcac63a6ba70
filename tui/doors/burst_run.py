"""One burst from its start to its place in the history, written to the store as it goes."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

import msgspec
from msgspec.structs import replace

from tui.doors.pod_counts import AFTER, EVERY, LAST_LINES, PodCounts
from tui.doors.pod_rates import PodRates
from tui.load import report
from tui.load.burst import Burst
from tui.load.history import History, compare
from tui.load.plan import Plan
from tui.load.result import Result
from tui.load.stats import Snapshot
from tui.state.load import BurstRow, LoadChange, LoadPoint

_SHOWN: Final = (50.0, 90.0, 99.0, 99.9)


class Run:
    """One burst. :meth:`start` returns at once; ``show`` is called from threads of the run's own.

    Args:
        plan: what to do.
        row: as it stands before the start.
        show: takes each new row, ten times a second.
        counts: of the pods that may answer.
        history: takes the result.
        clock: seconds since the epoch.
    """

    def __init__(
        self,
        plan: Plan,
        row: BurstRow,
        show: Callable[[BurstRow], None],
        counts: PodCounts,
        history: History,
        clock: Callable[[], float],
    ) -> None:
        self.number = row.number
        self._row = row
        self._show = show
        self._pods = counts
        self._history = history
        self._clock = clock
        self._points: list[LoadPoint] = []
        self._rates = PodRates()
        self._second = 0
        self._counted_until = 0
        self._bad = 0
        self._counts: Mapping[str, int] = {}
        self._by_logs = False
        self._closed = threading.Event()
        self._lock = threading.Lock()
        self._burst = Burst(plan, self._take)
        self._counter = threading.Thread(target=self._count, name="burst-pods", daemon=True)

    @property
    def over(self) -> bool:
        """Whether it sends nothing any more."""
        return self._burst.wait(0)

    @property
    def pids(self) -> list[int]:
        """Of the processes that send."""
        return self._burst.pids

    def start(self) -> None:
        """Begin."""
        self._burst.start()
        self._counter.start()

    def stop(self) -> None:
        """Send nothing more; within 0.2 s."""
        self._burst.stop()

    def close(self) -> None:
        """The program ends: read no more logs either."""
        self._closed.set()
        self._pods.stop()

    # From the burst's thread.

    def _take(self, now: Snapshot) -> None:
        with self._lock:
            self._note_second(now)
            self._row = replace(
                self._row,
                state=now.state,
                problem=now.problem or "",
                elapsed=now.elapsed,
                progress=now.progress,
                asked=now.asked_rate,
                achieved=now.achieved_rate,
                mean=now.mean_rate,
                in_flight=now.in_flight,
                connections=now.connections,
                opened=now.opened,
                responses=now.responses,
                good=now.good,
                failed=now.failed,
                latency=MappingProxyType(now.latency),
                service=MappingProxyType(now.service),
                statuses=MappingProxyType(now.statuses),
                failures=MappingProxyType(now.failures),
                points=self._row.points
                if len(self._row.points) == len(self._points)
                else tuple(self._points),
            )
            if now.pods and not self._by_logs:
                self._row = replace(
                    self._row, pods=MappingProxyType(now.pods), counted="what the answers say"
                )
            row = self._row
        self._show(row)

    def _note_second(self, now: Snapshot) -> None:
        second = int(now.elapsed)
        if second <= self._second or now.state != "running":
            return
        self._second = second
        bad = now.failed + now.responses - now.good
        self._points.append(
            LoadPoint(
                self._clock(),
                now.achieved_rate,
                now.latency.get(50.0, 0.0),
                now.latency.get(99.0, 0.0),
                bad - self._bad,
            )
        )
        self._bad = bad
        self._look(now.responses, now.pods)
        if now.pods and not self._by_logs:
            rates = self._rates.add(now.elapsed, now.pods)
            self._row = replace(self._row, rates=MappingProxyType(rates))

    def _look(self, responses: int, told: Mapping[str, int]) -> None:
        """Who is ready now, and so what each pod is due."""
        ready = self._pods.look(responses, told)
        chances = self._pods.chances
        self._row = replace(
            self._row,
            chances=None if chances is None else MappingProxyType(chances),
            behind=ready,
        )

    # In a thread of its own: pods while it runs, and the end.

    def _count(self) -> None:
        over = self._burst.wait(AFTER)
        while not over and not self._closed.is_set():
            self._choose()
            self._note_pods()
            over = self._burst.wait(EVERY)
        self._choose()
        if self._by_logs:
            self._closed.wait(LAST_LINES)
        if not self._closed.is_set():
            self._note_pods()
        self._finish()

    def _choose(self) -> None:
        """Whether answers or logs tell of the pods; a slow target may answer late."""
        row = self._row
        if not self._by_logs:
            self._by_logs = self._pods.needs_logs(row.responses, bool(row.pods))

    def _note_pods(self) -> None:
        with self._lock:
            self._look(self._row.responses, {} if self._by_logs else self._row.pods)
        counts = self._pods.read(self._closed.is_set) if self._by_logs else {}
        if self._closed.is_set():
            return
        with self._lock:
            if self._by_logs:
                self._row = replace(
                    self._row,
                    pods=MappingProxyType(counts),
                    rates=MappingProxyType(
                        self._rates.add(self._row.elapsed, counts) if counts else {}
                    ),
                    counted="lines of access logs" if counts else "",
                )
            row = self._row
        self._show(row)

    def _finish(self) -> None:
        result = self._burst.result()
        pods = {pod: count for pod, count in self._row.pods.items() if count}
        due = self._row.chances
        chances = None if due is None else dict(due)
        result = msgspec.structs.replace(result, pods=pods, chances=chances)
        before = _comparable(self._history, result)
        with contextlib.suppress(OSError):  # a full disk does not take the summary off the screen
            if result.responses or result.failed:
                self._history.add(result)
        whole, served = result.latency.percentiles, result.service.percentiles
        with self._lock:
            self._row = replace(
                self._row,
                latency=MappingProxyType({p: whole.get(f"{p:g}", 0.0) for p in _SHOWN}),
                service=MappingProxyType({p: served.get(f"{p:g}", 0.0) for p in _SHOWN}),
                summary=tuple(report.text(result).expandtabs(8).splitlines()),
                changes=()
                if before is None
                else tuple(
                    LoadChange(d.name, d.unit, d.before, d.after) for d in compare(before, result)
                ),
            )
            row = self._row
        self._show(row)


def _comparable(history: History, result: Result) -> Result | None:
    """The newest run that asked the same of the same target."""
    asked = result.asked
    for other in history.latest(20):
        if (other.asked.profile, other.asked.url, other.asked.connections, other.asked.rate) == (
            asked.profile,
            asked.url,
            asked.connections,
            asked.rate,
        ):
            return other
    return None
