"""Time series in rings of fixed memory: what the charts draw.

Two sorts. A *gauge* is sampled at the metric resolution; a *step* is written only when its value
changes and holds until the next write (replica counts).
"""

from __future__ import annotations

import struct
from array import array
from bisect import bisect_left
from enum import Enum
from math import ceil
from typing import Final, NamedTuple

import msgspec

HOUR: Final = 3600.0
PLENTY: Final = 2000
"""Usage series beyond which each pod keeps :data:`BRIEF` only: the curves of ten thousand pods,
most of which nobody will look at, must not cost more than all the rest."""
BRIEF: Final = 600.0
"""Seconds."""
LINGER: Final = 300.0
"""Seconds that the series of a pod that has gone stays where there are plenty: the usual window of
a chart."""
_BRIEF_CAPACITY: Final = 40
_CAPACITY: Final = 360
_DOUBLE: Final = struct.Struct("d")
_PACKED: Final = {1: struct.Struct("dd"), 2: struct.Struct("dff")}
"""A point by its arity: the time, then one value in full or two that are right to seven digits."""
_WIDTH: Final = 16
"""Bytes of either."""
_FEW: Final = 16
"""Points after which it is plain how many there will be; half as many are made room for first."""
_MOST: Final = 3e38
"""What fits; nobody has so much, but anybody can claim it."""
_unpack = _DOUBLE.unpack_from


class Points(NamedTuple):
    """Parallel times (seconds since the epoch, ascending) and values."""

    times: array[float]
    values: array[float]

    def __bool__(self) -> bool:
        return len(self.times) > 0


class Ring(msgspec.Struct, gc=False):
    """The newest ``capacity`` points no older than ``span`` seconds before the newest.

    Both bounds may be overstepped by a sixteenth: trimming that much at a time keeps the cost of a
    point constant. The usual capacity is an hour at 10 s, the finest resolution metrics-server can
    be set to. Of ten thousand short-lived pods each takes little, but what has lasted for some
    minutes gets the room it will need at once: hundreds of series that grew a little now and then
    left as much in holes as they took.

    Neither this class nor a bytearray is anything the search for garbage looks through, as arrays
    are: those of ten thousand pods would make it stop the screen for half as long again.
    """

    capacity: int = _CAPACITY
    span: float = HOUR
    arity: int = 1
    """Values that each point has beside its time."""
    points: bytearray = msgspec.field(default_factory=bytearray)
    """As :data:`_PACKED` tells, in the machine's order; then the room for more."""
    size: int = 0
    """Bytes of points."""

    def __len__(self) -> int:
        return self.size // _WIDTH

    @property
    def last_time(self) -> float | None:
        """The newest point's time."""
        newest: float | None = _unpack(self.points, self.size - _WIDTH)[0] if self.size else None
        return newest

    @property
    def last_value(self) -> float | None:
        """The newest point's only value, of a ring of single values."""
        at = self.size - _DOUBLE.size
        newest: float | None = _unpack(self.points, at)[0] if self.size else None
        return newest

    def append(self, time: float, *values: float) -> bool:
        """Add a point. A time not after the newest is no new point: returns False."""
        size = self.size
        if size and time <= _unpack(self.points, size - _WIDTH)[0]:
            return False
        if size == len(self.points):
            self._make_room()
        _PACKED[self.arity].pack_into(self.points, size, time, *values)
        self.size = size + _WIDTH
        if len(self) >= self._limit:
            self._drop(len(self) - self.capacity)
        if _unpack(self.points)[0] < time - self.span * 17 / 16:
            # A step's value before the span is still its value at the span's start: keep one.
            self._drop(max(0, self._first(time - self.span) - 1))
        return True

    def amend(self, value: float) -> None:
        """Put another value in the newest point, of a ring of single values."""
        _DOUBLE.pack_into(self.points, self.size - _DOUBLE.size, value)

    def since(self, start: float, which: int = 0) -> Points:
        """A copy of the points from ``start`` on, and the one before it, with one value each."""
        first = max(0, self._first(start) - 1)
        found = self.points[first * _WIDTH : self.size]
        doubles = array("d", found)
        if self.arity == 1:
            return Points(doubles[::2], doubles[1::2])
        return Points(doubles[::2], array("d", array("f", found)[2 + which :: 4]))

    @property
    def _limit(self) -> int:
        """How many points are too many."""
        return self.capacity + self.capacity // 16 + 1

    def _make_room(self) -> None:
        have = len(self.points) // _WIDTH
        room = _FEW if have else _FEW // 2
        if have >= _FEW:
            # As many a second as so far; at least half as many again, and few different sizes.
            lasted = (self.last_time or 0.0) - float(_unpack(self.points)[0])
            expected = (have - 1) * min(self._limit, self.span * 17 / 16 / lasted) + 2
            room = _FEW * ceil(max(expected, 1.5 * have) / _FEW)
        self.points += bytes(_WIDTH * (min(room, self._limit) - have))

    def _first(self, start: float) -> int:
        """Which point is the first not before ``start``."""
        with (
            memoryview(self.points) as held,
            held.cast("d") as doubles,
            doubles[::2] as times,
        ):
            return bisect_left(times, start, 0, len(self))

    def _drop(self, count: int) -> None:
        gone = count * _WIDTH
        self.points[: self.size - gone] = self.points[gone : self.size]
        self.size -= gone


class Replicas(NamedTuple):
    """The replica steps of one scale target."""

    current: Points
    desired: Points
    ready: Points


class Keep(Enum):
    """How much of a usage series is kept."""

    WHOLE = "whole"
    """The whole span, however many there are: what the chart shows first."""
    FITTING = "fitting"
    """The whole span, or :data:`BRIEF` where there are plenty."""
    BRIEF = "brief"
    """:data:`BRIEF`."""


class Member(msgspec.Struct, frozen=True, gc=False):
    """A pod that counted towards a workload's usage: what its line on a chart needs."""

    uid: str
    name: str
    cpu_request: int | None
    """Millicores; None when a container asks for none."""


class History:
    """Every series the dashboard keeps, by the uid (pods, HPAs, workloads) or name (nodes).

    Not locked: the store that owns it is.
    """

    def __init__(self, span: float = HOUR) -> None:
        self._span = span
        self._usage: dict[str, Ring] = {}
        """CPU and memory."""
        self._whole: set[str] = set()
        """Those of :attr:`Keep.WHOLE`."""
        self._steps: dict[tuple[str, str], Ring] = {}
        self._members: dict[str, dict[str, Member]] = {}
        self._ended: dict[str, float] = {}

    def member(self, workload: str, member: Member) -> None:
        """Remember that a pod belongs to a workload, for as long as its own series lasts."""
        self._members.setdefault(workload, {})[member.uid] = member

    def members(self, workload: str) -> list[Member]:
        """The pods with a series, gone ones too, oldest first."""
        return list(self._members.get(workload, {}).values())

    def usage(
        self,
        key: str,
        time: float,
        cpu: float,
        memory: float,
        keep: Keep = Keep.FITTING,
    ) -> bool:
        """Add a sample of CPU (millicores) and memory (bytes). False if it is not newer."""
        ring = self._usage.get(key)
        if ring is None:
            plenty = keep is Keep.FITTING and len(self._usage) >= PLENTY
            capacity = _BRIEF_CAPACITY if plenty or keep is Keep.BRIEF else _CAPACITY
            ring = self._usage[key] = Ring(capacity, self._span, 2)
            if keep is Keep.WHOLE:
                self._whole.add(key)
        return ring.append(time, min(cpu, _MOST), min(memory, _MOST))

    def step(self, key: str, name: str, time: float, value: float) -> None:
        """Note a step series' value; an unchanged one is not written again."""
        ring = self._steps.get((key, name))
        if ring is None:
            ring = self._steps[key, name] = Ring(capacity=1024, span=self._span)
        # A clock that was set back must not lose the value, which no later write would mend.
        if ring.last_value != value and not ring.append(time, value):
            ring.amend(value)

    def lives(self, key: str) -> None:
        """The object of these step series is there, or is there again."""
        self._ended.pop(key, None)

    def ended(self, key: str, time: float) -> None:
        """The object of these step series is gone: they may be forgotten once that is old."""
        self._ended[key] = time

    def forget_before(self, time: float) -> int:
        """Drop usage series whose newest sample is older; returns how many went.

        ``time`` is a span ago; where there are plenty of series, for pods :data:`LINGER` ago
        counts. Step series go when their object was gone before then.
        """
        over = {key for key, at in self._ended.items() if at < time}
        if over:
            self._steps = {k: ring for k, ring in self._steps.items() if k[0] not in over}
            self._ended = {k: at for k, at in self._ended.items() if k not in over}
        plenty = len(self._usage) > PLENTY
        pods = time + max(0.0, self._span - LINGER) if plenty else time
        stale = [
            key
            for key, ring in self._usage.items()
            if (ring.last_time or 0.0) < (time if key in self._whole else pods)
        ]
        for key in stale:
            del self._usage[key]
            self._whole.discard(key)
            self._steps.pop((key, "request"), None)
        if stale:
            gone = set(stale)
            for workload, members in list(self._members.items()):
                for uid in members.keys() & gone:
                    del members[uid]
                if not members:
                    del self._members[workload]
        return len(stale)

    def cpu(self, key: str, start: float) -> Points:
        """CPU in millicores from ``start`` on."""
        return self._read(key, 0, start)

    def memory(self, key: str, start: float) -> Points:
        """Memory in bytes from ``start`` on."""
        return self._read(key, 1, start)

    def steps(self, key: str, name: str, start: float) -> Points:
        """A step series from ``start`` on, with the value that held at it."""
        ring = self._steps.get((key, name))
        return ring.since(start) if ring else Points(array("d"), array("d"))

    def _read(self, key: str, which: int, start: float) -> Points:
        ring = self._usage.get(key)
        return ring.since(start, which) if ring else Points(array("d"), array("d"))
