"""One object store: immutable entries, one counter of revisions, a bounded history.

The store knows nothing of kinds. An entry keeps the object as encoded JSON without ``kind`` and
``apiVersion`` (a list leaves them out, a watch adds them), so that lists and watches copy bytes
and never encode twice. The decoded form is made when asked for and belongs to everybody: it is
read, never changed. To change an object, take `Entry.copy`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, Literal, NamedTuple

import msgspec

Object = dict[str, Any]
"""A decoded Kubernetes object or a part of one."""

EventType = Literal["ADDED", "MODIFIED", "DELETED"]
Key = tuple[str, str]
"""Namespace (``""`` for cluster-wide objects) and name."""

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


class CompactedError(Exception):
    """The history no longer reaches back to the revision asked for."""

    def __init__(self, asked: int, oldest: int) -> None:
        super().__init__(f"too old resource version: {asked} ({oldest})")
        self.asked = asked
        self.oldest = oldest


class Entry:
    """One version of one object."""

    __slots__ = ("_data", "labels", "name", "namespace", "raw", "revision", "uid")

    def __init__(self, data: Object, revision: int) -> None:
        metadata = data["metadata"]
        self.namespace: str = metadata.get("namespace", "")
        self.name: str = metadata["name"]
        self.uid: str = metadata["uid"]
        self.labels: dict[str, str] = metadata.get("labels") or {}
        self.revision = revision
        self.raw: bytes = _encode(data)
        self._data: Object | None = data

    @property
    def key(self) -> Key:
        """Namespace and name."""
        return (self.namespace, self.name)

    @property
    def data(self) -> Object:
        """The decoded object, shared: do not change it."""
        if self._data is None:
            self._data = _decode(self.raw)
        return self._data

    @property
    def metadata(self) -> Object:
        """The object's metadata, shared: do not change it."""
        metadata: Object = self.data["metadata"]
        return metadata

    @property
    def spec(self) -> Object:
        """The object's spec, shared; empty if it has none."""
        spec: Object = self.data.get("spec") or {}
        return spec

    @property
    def status(self) -> Object:
        """The object's status, shared; empty if it has none."""
        status: Object = self.data.get("status") or {}
        return status

    @property
    def deleting(self) -> bool:
        """Whether deletion has been asked for."""
        return "deletionTimestamp" in self.metadata

    def copy(self) -> Object:
        """The decoded object, the caller's own."""
        copied: Object = _decode(self.raw)
        return copied

    def forget_decoded(self) -> None:
        """Keep the bytes alone: what has been superseded is seldom read."""
        self._data = None


class Event(NamedTuple):
    """One committed change."""

    type: EventType
    entry: Entry
    previous: Entry | None


Listener = Callable[[Event], None]


class _Table:
    __slots__ = ("compacted", "entries", "history", "listeners", "snapshot")

    def __init__(self) -> None:
        self.entries: dict[Key, Entry] = {}
        self.history: deque[Event] = deque()
        self.listeners: list[Listener] = []
        self.compacted = 0
        self.snapshot: tuple[tuple[str | None, int], list[Entry]] | None = None
        """The last list of one moment and namespace."""


class Store:
    """All objects, by storage name and key.

    Args:
        history: events kept for each storage name.
    """

    def __init__(self, history: int = 4096) -> None:
        self.revision = 0
        self._history = history
        self._floor = 0
        self._tables: dict[str, _Table] = {}

    def _table(self, storage: str) -> _Table:
        table = self._tables.get(storage)
        if table is None:
            table = self._tables[storage] = _Table()
        return table

    def get(self, storage: str, namespace: str, name: str) -> Entry | None:
        """The current version of an object."""
        return self._table(storage).entries.get((namespace, name))

    def storages(self) -> list[str]:
        """The storage names in use."""
        return list(self._tables)

    def count(self, storage: str) -> int:
        """How many objects there are."""
        return len(self._table(storage).entries)

    def entries(self, storage: str, namespace: str | None = None) -> Iterable[Entry]:
        """The current objects in no particular order; of all namespaces if None."""
        entries = list(self._table(storage).entries.values())
        if namespace is None:
            return entries
        return [entry for entry in entries if entry.namespace == namespace]

    def list_at(self, storage: str, namespace: str | None, revision: int | None) -> list[Entry]:
        """The objects as they were at a revision (None: now), sorted by key.

        The list is shared, do not change it: the pages of one list are cut from one.

        Raises:
            CompactedError: the history does not reach back so far.
        """
        table = self._table(storage)
        entries = table.entries
        at = self.revision if revision is None else min(revision, self.revision)
        if at < self.revision:
            self._check(table, at)
        if table.snapshot is not None and table.snapshot[0] == (namespace, at):
            return table.snapshot[1]
        if at < self.revision:
            entries = dict(entries)
            for event in reversed(table.history):
                if event.entry.revision <= at:
                    break
                if event.previous is None:
                    entries.pop(event.entry.key, None)
                else:
                    entries[event.entry.key] = event.previous
        wanted = entries if namespace is None else [k for k in entries if k[0] == namespace]
        # In the order of etcd's keys, where "a-b/x" comes before "a/x".
        found = [entries[key] for key in sorted(wanted, key="/".join)]
        table.snapshot = ((namespace, at), found)
        return found

    def put(self, storage: str, data: Object) -> Entry:
        """Create or replace an object, giving it the next resourceVersion.

        ``data`` belongs to the store from here on.
        """
        table = self._table(storage)
        self.revision += 1
        data["metadata"]["resourceVersion"] = str(self.revision)
        entry = Entry(data, self.revision)
        previous = table.entries.get(entry.key)
        table.entries[entry.key] = entry
        self._commit(table, Event("MODIFIED" if previous else "ADDED", entry, previous))
        return entry

    def remove(self, storage: str, namespace: str, name: str) -> Entry:
        """Remove an object; the returned last version carries the revision of its removal.

        Raises:
            KeyError: there is no such object.
        """
        table = self._table(storage)
        previous = table.entries.pop((namespace, name))
        self.revision += 1
        last = previous.copy()
        last["metadata"]["resourceVersion"] = str(self.revision)
        entry = Entry(last, self.revision)
        self._commit(table, Event("DELETED", entry, previous))
        return entry

    def _commit(self, table: _Table, event: Event) -> None:
        table.history.append(event)
        if len(table.history) > self._history:
            table.compacted = table.history.popleft().entry.revision
        if event.previous is not None:
            event.previous.forget_decoded()
        for listener in tuple(table.listeners):
            listener(event)

    def subscribe(self, storage: str, listener: Listener) -> Callable[[], None]:
        """Call the listener at each commit, in order; the returned call ends it."""
        listeners = self._table(storage).listeners
        listeners.append(listener)

        def unsubscribe() -> None:
            if listener in listeners:
                listeners.remove(listener)

        return unsubscribe

    def since(self, storage: str, revision: int) -> list[Event]:
        """The events after a revision, oldest first.

        Raises:
            CompactedError: the history does not reach back so far.
        """
        table = self._table(storage)
        self._check(table, revision)
        return [event for event in table.history if event.entry.revision > revision]

    def compact(self, revision: int | None = None) -> None:
        """Forget the history up to a revision (None: all of it), as etcd's compaction does."""
        self._floor = self.revision if revision is None else max(self._floor, revision)
        for table in self._tables.values():
            while table.history and table.history[0].entry.revision <= self._floor:
                table.history.popleft()

    def _check(self, table: _Table, revision: int) -> None:
        oldest = max(table.compacted, self._floor)
        if revision < oldest:
            raise CompactedError(revision, oldest)
