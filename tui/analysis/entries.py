"""The lines of the timeline, and the book they are kept in."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from enum import StrEnum
from typing import Final, NamedTuple

CAPACITY: Final = 500
_GENERATED: Final = re.compile(r"-[a-z0-9]{6,10}-[a-z0-9]{5}$")


class Mood(StrEnum):
    """What sort of thing happened; the screen gives each a colour and a sign."""

    MEASURED = "measured"
    DECIDED = "decided"
    GOOD = "good"
    BAD = "bad"
    QUIET = "quiet"


class Entry(NamedTuple):
    """One line. ``after`` is seconds since ``cause`` where the cause is known."""

    time: float
    mood: Mood
    text: str
    about: str = ""
    """The object's name, for filters."""
    after: float | None = None
    cause: str = ""
    """``decision`` or ``cpu over target``."""
    mark: bool = False
    """Whether a chart marks it."""
    of: str = ""
    """The HPA or the workload that it happens to, as ``Kind/namespace/name``; empty where that
    makes no difference, or the text names it already.
    """


class Journal:
    """The latest :data:`CAPACITY` entries. ``generation`` grows whenever they read differently."""

    def __init__(self) -> None:
        self.generation = 0
        self._entries: dict[int, Entry] = {}
        """By the number of their coming."""
        self._seconds: dict[int, int] = {}
        """The second of each, by its number."""
        self._numbers: dict[int, int] = {}
        """By the ``id`` of the entry: thousands are taken out again when pods do alike."""
        self._last = 0

    @property
    def entries(self) -> list[Entry]:
        """Newest first; among those of one second, the latest seen first."""
        order = sorted(self._entries, key=self._seconds.__getitem__)
        return [self._entries[number] for number in reversed(order)]

    def add(self, entry: Entry) -> None:
        """Take in a line."""
        self._last += 1
        self._put(self._last, entry)
        if len(self._entries) > CAPACITY:
            oldest = next(iter(self._entries))
            del self._seconds[oldest]
            self._numbers.pop(id(self._entries.pop(oldest)), None)

    def remove(self, entry: Entry) -> None:
        """Take out this very line, if it is still there."""
        number = self._numbers.pop(id(entry), None)
        if number is not None:
            del self._entries[number], self._seconds[number]
            self.generation += 1

    def replace(self, entry: Entry, by: Entry) -> None:
        """Put another line in the place of this very one, if it is still there."""
        number = self._numbers.pop(id(entry), None)
        if number is not None:
            self._put(number, by)

    def _put(self, number: int, entry: Entry) -> None:
        self._entries[number] = entry
        self._seconds[number] = int(entry.time)
        self._numbers[id(entry)] = number
        self.generation += 1


def whose(entry: Entry, in_view: Collection[str]) -> str:
    """The name to put before a line that is not of what is in view; else empty.

    Args:
        entry: the line.
        in_view: the HPA and the workload, as ``Kind/namespace/name``.
    """
    if not entry.of or entry.of in in_view:
        return ""
    _, namespace, name = entry.of.split("/", 2)
    if any(name == key.rpartition("/")[2] for key in in_view):
        name = f"{namespace}/{name}"
    return "" if entry.text.startswith(name) else name


def marks(
    entries: Iterable[Entry], since: float, in_view: Collection[str] | None = None
) -> list[Entry]:
    """What a chart marks from ``since`` on: not what another HPA decides than the one in view.

    ``in_view``: as :func:`whose` takes it; None for all.
    """
    return [
        e
        for e in entries
        if e.mark and e.time >= since and (in_view is None or not e.of or e.of in in_view)
    ]


def short_name(name: str) -> str:
    """A ReplicaSet's pod by the part that tells it from its siblings: ``…vqnl8``."""
    return f"…{name[-5:]}" if _GENERATED.search(name) else name
