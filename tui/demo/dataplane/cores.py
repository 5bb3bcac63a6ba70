"""CPU time, shared out: jobs in pods, pods on machines.

A pod's jobs share its CPU evenly (processor sharing), bounded by how many of them can run at once
and by its limit, which is a quota per 100 ms as the kernel's CFS bandwidth control has it: a pod
that has used its quota stands still until the next period. Pods on one machine share its CPUs by
weight, as cgroup shares do, and what one does not want goes to the others.

Sharing is reckoned in steps of a millisecond. In each, a pod's virtual time moves on by the work
given to each of its jobs; a job is done when virtual time has passed by what it costs. See
Parekh and Gallager, *A Generalized Processor Sharing Approach to Flow Control* (1993).
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from tui.demo.clock import Clock, Timer

STEP: Final = 0.001
"""Real seconds between reckonings while somebody waits for an answer."""
_SLOW_STEP: Final = 0.05
PERIOD: Final = 0.1
"""Seconds a quota is for."""
_NOTHING: Final = 1e-9
"""Core-seconds too few to matter: what rounding may leave of a job."""

Done = Callable[[bool], None]
"""Called when a job is done; False: its process has ended before."""


@dataclass(slots=True)
class _Burn:
    """Threads that compute without end, such as those of ``stress``."""

    until: float
    threads: int


class Share:
    """The CPU of one container.

    Args:
        machine: where it runs.
        limit: cores; None for no limit.
        workers: jobs that can run at once.
        weight: against others on the machine, when there is not enough for all.
        spend: told the core-seconds used.
        phase: seconds by which its periods are shifted; the kernel begins them with the container.
    """

    __slots__ = (
        "_budget",
        "_burns",
        "_jobs",
        "_limit",
        "_machine",
        "_order",
        "_pending",
        "_period",
        "_phase",
        "_spend",
        "_virtual",
        "_workers",
        "weight",
    )

    def __init__(
        self,
        machine: Machine,
        limit: float | None,
        workers: float,
        weight: float,
        spend: Callable[[float], None],
        phase: float = 0.0,
    ) -> None:
        self._machine = machine
        self._phase = phase
        self._limit = limit
        self._workers = workers
        self.weight = weight
        self._spend = spend
        self._budget = (limit or 0.0) * PERIOD
        self._period = 0
        self._virtual = 0.0
        self._pending = 0.0
        self._jobs: list[tuple[float, int, Done]] = []
        self._order = itertools.count()
        self._burns: list[_Burn] = []

    @property
    def waiting(self) -> int:
        """Jobs that are not done."""
        return len(self._jobs)

    @property
    def burning(self) -> bool:
        """Whether some thread computes without end."""
        return bool(self._burns)

    @property
    def idle(self) -> bool:
        """Whether nothing wants CPU."""
        return not self._jobs and not self._burns

    def submit(self, cost: float, done: Done) -> None:
        """Have work of ``cost`` core-seconds done."""
        heapq.heappush(self._jobs, (self._virtual + cost, next(self._order), done))
        self._pending += cost
        self._machine.wake(self)

    def burn(self, seconds: float, threads: int) -> None:
        """Compute on so many threads for so long."""
        self._burns.append(_Burn(self._machine.now() + seconds, threads))
        self._machine.wake(self)

    def end(self) -> None:
        """The process is gone: nothing will be done any more."""
        jobs, self._jobs = self._jobs, []
        self._pending = 0.0
        self._burns.clear()
        for _, _, done in jobs:
            done(False)

    def refresh(self, now: float) -> None:
        """Wake up after a while: in a new period the quota is whole again."""
        period = int((now + self._phase) / PERIOD)
        if period != self._period:
            self._period = period
            self._budget = (self._limit or 0.0) * PERIOD

    def wanted(self, elapsed: float, now: float) -> float:
        """Core-seconds that could be used in a step, the quota considered."""
        if self._burns:
            self._burns = [one for one in self._burns if one.until > now]
        want = self._parallel() * elapsed
        if not self._burns:
            want = min(want, self._pending)
        if self._limit is None:
            return want
        period = int((now + self._phase) / PERIOD)
        if period != self._period:
            # More than one if the step came late: what was due then is due now.
            self._budget += (period - self._period) * self._limit * PERIOD
            self._period = period
        return min(want, self._budget)

    def _parallel(self) -> float:
        burning = sum(one.threads for one in self._burns)
        return min(len(self._jobs), self._workers) + burning

    def give(self, work: float) -> list[Done]:
        """Use core-seconds; returns who is done."""
        jobs, finished = self._jobs, []
        part = work if jobs else 0.0
        if self._burns and jobs:
            part *= min(len(jobs), self._workers) / self._parallel()
        left = part
        while jobs and left > 0.0:
            count = len(jobs)
            need = (jobs[0][0] - self._virtual) * count
            if need > left + _NOTHING:
                self._virtual += left / count
                left = 0.0
                break
            left -= max(0.0, need)  # by rounding it may be below nothing
            self._virtual = jobs[0][0]
            finished.append(heapq.heappop(jobs)[2])
        done = part - max(0.0, left)
        self._pending = self._pending - done if jobs else 0.0
        used = work if self._burns else done
        if self._limit is not None:
            # What a period leaves over is lost.
            self._budget = min(self._budget - used, self._limit * PERIOD)
        if used > 0.0:
            self._spend(used)
        return finished


class Machine:
    """The CPUs of one node.

    Args:
        clock: of the cluster; a step is `STEP` in real time at any of its speeds.
        cores: how many.
        spend: told the core-seconds that `passing` work used.
    """

    def __init__(self, clock: Clock, cores: float, spend: Callable[[float], None]) -> None:
        self._clock = clock
        self.cores = cores
        self._active: dict[Share, None] = {}
        self._last = 0.0
        self._timer: Timer | None = None
        self._slow = False
        self._kernel = Share(self, None, cores, 1000.0, spend)
        self._spend = spend
        self._owed = 0.0
        self._full = False
        self._stopped = False

    def now(self) -> float:
        """Real seconds."""
        return self._clock.now() / self._clock.speed

    def stop(self) -> None:
        """It has lost its power: nothing is done from now on, and nobody is told."""
        self._stopped = True

    def passing(self, cost: float, done: Done) -> None:
        """Have the kernel move a request along, which takes time only on a full machine."""
        if self._stopped:
            return
        if self._full or self._kernel.waiting:
            self._kernel.submit(cost, done)
            return
        self._owed += cost
        self._spend(cost)
        self._wake()
        done(True)

    def wake(self, share: Share) -> None:
        """A share wants CPU."""
        if share not in self._active:
            self._active[share] = None
            share.refresh(self.now())
        if self._slow and share.waiting and self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._wake()

    def _wake(self) -> None:
        if self._timer is None and not self._stopped:
            if not self._slow:
                self._last = self.now()
            self._arm()

    def _arm(self) -> None:
        self._slow = bool(self._active) and not any(share.waiting for share in self._active)
        delay = _SLOW_STEP if self._slow else STEP
        self._timer = self._clock.call_later(delay * self._clock.speed, self._step)

    def _step(self) -> None:
        self._timer = None
        if self._stopped:
            return
        now = self.now()
        elapsed, self._last = now - self._last, now
        room = self.cores * elapsed
        paid = min(self._owed, room)
        self._owed -= paid
        room -= paid
        active = list(self._active)
        wants = [share.wanted(elapsed, now) for share in active]
        self._full = sum(wants) > room
        given = _by_weight(active, wants, room) if self._full else wants
        finished: list[Done] = []
        for share, work in zip(active, given, strict=True):
            finished += share.give(work)
            if share.idle:
                del self._active[share]
        # Armed before anybody is told: those who are submit more work, from now on.
        if self._active or self._owed:
            self._arm()
        else:
            self._slow = False
        for done in finished:
            done(True)


def _by_weight(shares: list[Share], wants: list[float], room: float) -> list[float]:
    """Weighted max-min fairness: nobody gets more than wanted, and nothing is left over."""
    given = [0.0] * len(shares)
    # Whoever is content with less than its part leaves the rest to those after it.
    order = sorted(range(len(shares)), key=lambda i: wants[i] / shares[i].weight)
    weights = sum(share.weight for share in shares)
    for i in order:
        given[i] = min(wants[i], room * shares[i].weight / weights)
        room -= given[i]
        weights -= shares[i].weight
    return given
