"""Rows of one kind by uid, with the changes since the last look."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from types import MappingProxyType
from typing import Generic, NamedTuple, TypeVar

import msgspec

from tui.state.rows import Kind, Row

R = TypeVar("R", bound=Row)


class Change(NamedTuple):
    """A row before and after; None where it was not there. ``at``: when it was first seen."""

    kind: Kind
    before: Row | None
    after: Row | None
    at: float


class TableView(msgspec.Struct, Generic[R], frozen=True):
    """A table as it was at one drain. The mapping never changes; a change makes a new view."""

    generation: int
    rows: Mapping[str, R]


class Table(Generic[R]):
    """Rows by uid. The view's ``generation`` grows with every drain that found a change."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self._rows: dict[str, R] = {}
        self._pending: dict[str, Change] = {}
        self._view: TableView[R] = TableView(0, MappingProxyType({}))

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def uids(self) -> Set[str]:
        """Of the rows now, drained or not."""
        return self._rows.keys()

    @property
    def now(self) -> tuple[R, ...]:
        """The rows now, drained or not."""
        return tuple(self._rows.values())

    def get(self, uid: str) -> R | None:
        """The row now, drained or not."""
        return self._rows.get(uid)

    def put(self, row: R, now: float) -> bool:
        """Add or replace a row. False if an equal one is there: nothing changed."""
        before = self._rows.get(row.uid)
        if before == row:
            return False
        self._rows[row.uid] = row
        self._note(row.uid, before, row, now)
        return True

    def drop(self, uid: str, now: float) -> bool:
        """Remove a row. False if there is none."""
        before = self._rows.pop(uid, None)
        if before is None:
            return False
        self._note(uid, before, None, now)
        return True

    def retain(self, uids: Iterable[str], now: float) -> int:
        """Remove every row not named, as a full list tells; returns how many went."""
        gone = self._rows.keys() - set(uids)
        for uid in gone:
            self.drop(uid, now)
        return len(gone)

    def drain(self) -> tuple[TableView[R], tuple[Change, ...]]:
        """The rows now, and what changed since the last drain, one change a uid, in order.

        What came and went in between, or changed and changed back, is no change: a reader gets
        the very view of the drain before.
        """
        changes = tuple(c for c in self._pending.values() if c.before != c.after)
        self._pending = {}
        if changes:
            rows = MappingProxyType(self._rows.copy())
            self._view = TableView(self._view.generation + 1, rows)
        return self._view, changes

    def _note(self, uid: str, before: R | None, after: R | None, now: float) -> None:
        earlier = self._pending.get(uid)
        if earlier is not None:
            self._pending[uid] = Change(self.kind, earlier.before, after, earlier.at)
        else:
            self._pending[uid] = Change(self.kind, before, after, now)
