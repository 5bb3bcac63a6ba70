"""What warnings add to the timeline: a line each, however many events the cluster made of it."""

from __future__ import annotations

import re
from typing import Final

from tui.analysis.entries import Entry, Journal, Mood, short_name
from tui.analysis.words import to_the_point
from tui.state.rows import EventRow

_POD: Final = re.compile(r"\b[a-z0-9][a-z0-9.-]*-[bcdfghjklmnpqrstvwxz2456789]{5}\b")
"""A generated name: its end is of the letters of ``SafeEncodeString`` (k8s.io/apimachinery)."""
_Key = tuple[str, str, str, str, str, str]


class WarningNews:
    """Feed it the warnings of every tick.

    The cluster counts on in one event what repeats word for word. What names another pod each time,
    as ``FailedCreate`` does, and an HPA that lacks a request, comes as an event each; here it is
    one line, too.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._keys: dict[str, _Key] = {}
        """By an event's uid, which line tells it."""
        self._counts: dict[_Key, dict[str, int]] = {}
        """Of each line, how often each of its events has happened, by the events' uids."""
        self._entries: dict[_Key, Entry] = {}

    def tell(self, event: EventRow, time: float, of: str) -> None:
        """Take in a warning, at its ``time``; ``of``: as in :class:`Entry`."""
        key = _key(event)
        if self._keys.get(event.uid) != key:
            self.forget(event)
            self._keys[event.uid] = key
        counts = self._counts.setdefault(key, {})
        if event.count <= counts.get(event.uid, 0):
            return
        counts[event.uid] = event.count
        often = sum(counts.values())
        times = f" (×{often})" if often > 1 else ""
        what = f"{short_name(event.about_name)} {event.reason}{times}"
        told = self._entries.get(key)
        if told is not None:
            self._journal.remove(told)
            time = max(time, told.time)
        entry = Entry(
            time, Mood.BAD, f"{what}: {to_the_point(event.message)}", event.about_name, of=of
        )
        self._entries[key] = entry
        self._journal.add(entry)

    def forget(self, event: EventRow) -> None:
        """The cluster keeps that event no longer; what was told stays told."""
        key = self._keys.pop(event.uid, None)
        if key is None:
            return
        counts = self._counts[key]
        counts.pop(event.uid, None)
        if not counts:
            del self._counts[key], self._entries[key]


def _key(event: EventRow) -> _Key:
    """Warnings that would read alike, of one object."""
    return (
        event.about_kind,
        event.namespace,
        event.about_name,
        event.about_uid,
        event.reason,
        _POD.sub("", to_the_point(event.message)),
    )
