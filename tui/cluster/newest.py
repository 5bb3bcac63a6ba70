"""Keeping only the newest of what is listed without end (events)."""

from __future__ import annotations

from collections.abc import Iterable

from tui.state.rows import EventRow, Row


class Newest:
    """Tells which rows to drop so that at most ``limit`` remain, give or take a tenth."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._slack = max(1, limit // 10)
        self._times: dict[str, float] = {}

    def add(self, rows: Iterable[Row]) -> list[str]:
        """Note rows; returns the uids of those that are now too old."""
        for row in rows:
            self._times[row.uid] = row.last_seen if isinstance(row, EventRow) else row.created
        if len(self._times) <= self._limit + self._slack:
            return []
        by_age = sorted(self._times, key=self._times.__getitem__)
        old = by_age[: len(by_age) - self._limit]
        for uid in old:
            del self._times[uid]
        return old

    def forget(self, uid: str) -> None:
        """A row is gone."""
        self._times.pop(uid, None)

    def retain(self, uids: set[str]) -> set[str]:
        """After a full list: forget what it did not hold; returns what is kept of it."""
        self._times = {uid: t for uid, t in self._times.items() if uid in uids}
        return set(self._times)
