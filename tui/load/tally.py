"""What a worker counts between two ticks. Built so that a response costs two list appends."""

from __future__ import annotations

from collections import Counter
from typing import Final

from tui.load.histogram import Histogram
from tui.load.stats import Failure, Spread, Tick

_MEMO: Final = 256
_LONGEST: Final = 4096
_PODS: Final = 1000
OTHER_PODS: Final = "other"
"""Counts what names of pods beyond the first thousand would."""


class Seen:
    """A whole response whose bytes are known: what it means, and how often it came again."""

    __slots__ = ("hits", "pod", "size", "status")

    def __init__(self, status: int, pod: str | None, size: int) -> None:
        self.status = status
        self.pod = pod
        self.size = size
        self.hits = 0


class Tally:
    """Counters of one worker. Lists are emptied in place, so their methods may be kept."""

    def __init__(self) -> None:
        self.memo: dict[bytes, Seen] = {}
        """Bytes of a whole response → what they mean.

        A response that equals one parsed before, byte for byte and from its first byte on, means
        the same: parsing is a function of the bytes. Small replies of one server repeat for as
        long as their Date does, and looking one up costs a third of parsing it.
        """
        self.whole: list[float] = []
        """Service times of responses that came in one piece: waiting is all of it."""
        self.parts: list[float] = []
        """Service times of the others; ``waits`` and ``reads`` are their two halves."""
        self.waits: list[float] = []
        self.reads: list[float] = []
        self.late: list[float] = []
        """Latencies from the intended time of sending."""
        self.dials: list[float] = []
        self.received = 0
        self.done = 0
        """Responses and failures from the start, up to the last tick."""
        self.ended = 0.0
        """When the last response or failure came, by the same clock as all times here."""
        self._statuses: Counter[int] = Counter()
        self._pods: Counter[str] = Counter()
        self._known: set[str] = set()
        self._failures: Counter[str] = Counter()
        self._reasons: list[str] = []
        self._told = 0
        self._sent = 0
        self._number = 0

    def response(self, status: int, pod: str | None) -> None:
        """Count a response that was parsed."""
        self._count(status, pod, 1)

    def remember(self, data: bytes, status: int, pod: str | None) -> None:
        """Know these bytes again."""
        if len(data) > _LONGEST or data in self.memo:
            return
        if len(self.memo) >= _MEMO:
            self._fold()
            self.memo.clear()
        self.memo[data] = Seen(status, pod, len(data))

    def failure(self, kind: Failure, reason: str = "") -> None:
        """Count a request that got no whole response."""
        self._failures[kind] += 1
        if reason and reason not in self._reasons and len(self._reasons) < 8:
            self._reasons.append(reason)

    def tick(self, elapsed: float, in_flight: int, connections: int) -> Tick:
        """What was counted since the last tick, and begin anew."""
        self._fold()
        service = Histogram(self.whole)
        service.add(self.parts)
        # The first bytes of what came in one piece were also its last.
        wait, read = Spread(), Spread()
        wait.add(self.whole)
        wait.add(self.waits)
        read.add(self.reads)
        if self.whole:
            read.merge(Spread(len(self.whole), 0.0, 0.0, 0.0))
        dial = Spread()
        dial.add(self.dials)
        self.done += self._statuses.total() + self._failures.total()
        sent = self.done + in_flight
        self._number += 1
        made = Tick(
            number=self._number,
            elapsed=elapsed,
            sent=sent - self._sent,
            latency=bytes(Histogram(self.late)),
            service=bytes(service),
            statuses=dict(self._statuses),
            failures=dict(self._failures),
            pods=dict(self._pods),
            received=self.received,
            in_flight=in_flight,
            connections=connections,
            opened=len(self.dials),
            dial=dial,
            wait=wait,
            read=read,
            reasons=tuple(self._reasons[self._told :]),
        )
        self._sent = sent
        self._told = len(self._reasons)
        for values in (self.whole, self.parts, self.waits, self.reads, self.late, self.dials):
            values.clear()
        for counter in (self._statuses, self._failures, self._pods):
            counter.clear()
        self.received = 0
        return made

    def _fold(self) -> None:
        for seen in self.memo.values():
            if seen.hits:
                self._count(seen.status, seen.pod, seen.hits)
                self.received += seen.hits * seen.size
                seen.hits = 0

    def _count(self, status: int, pod: str | None, number: int) -> None:
        self._statuses[status] += number
        if pod is None:
            return
        if pod not in self._known:
            if len(self._known) >= _PODS:
                pod = OTHER_PODS
            self._known.add(pod)
        self._pods[pod] += number
