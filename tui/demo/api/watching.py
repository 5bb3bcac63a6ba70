"""Watches: a stream of JSON lines from a resourceVersion on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from random import Random
from typing import Final

import msgspec

from tui.demo import resources
from tui.demo.api import errors, list_options
from tui.demo.api.listing import Filter, revision_of
from tui.demo.api.representation import Shape
from tui.demo.api.requests import Request, Stream
from tui.demo.resource import Resource
from tui.demo.store import CompactedError, Entry, Event, Object, Store

BOOKMARK_EVERY: Final = 60.0
"""Real seconds between bookmarks."""
LONGEST: Final = 3600
"""Real seconds a watch may ask to last."""
_MOST_WAITING: Final = 100_000
_INITIAL_END: Final = {"k8s.io/initial-events-end": "true"}

_EMPTY: Final[dict[str, Object]] = {
    "Pod": {"spec": {"containers": None}, "status": {}},
    "HorizontalPodAutoscaler": {
        "spec": {"scaleTargetRef": {"kind": "", "name": ""}, "maxReplicas": 0},
        "status": {"desiredReplicas": 0, "currentMetrics": None},
    },
}
"""What the Go types of a bookmark's empty object write even so."""

_encode = msgspec.json.Encoder().encode


def watch(
    store: Store,
    resource: Resource,
    namespace: str | None,
    name: str,
    request: Request,
    rng: Random,
    shape: Shape,
) -> Stream:
    """Answer a watch request.

    Raises:
        ApiError: 400 or 422 for bad parameters. What is too old is said in the stream.
    """
    list_options.check(request, watches=True)
    chosen = Filter(request, resource)
    revision = revision_of(request)
    if not revision and request.query.get("sendInitialEvents") and not _initial(request):
        revision = store.revision  # from now on, without what is there
    asked = request.number("timeoutSeconds")
    lasts = min(asked, LONGEST) if asked else rng.uniform(0.5, 1.0) * LONGEST

    def selected(entry: Entry) -> bool:
        return (
            (namespace is None or entry.namespace == namespace)
            and (not name or entry.name == name)
            and chosen(entry)
        )

    watcher = _Watcher(store, resource, selected, shape)
    bookmarks = request.flag("allowWatchBookmarks") and resource is not resources.EVENTS
    initial_end = bookmarks and _initial(request)
    # Subscribe now, not when the stream is first read: no commit may fall in between.
    watcher.begin(None if _initial(request) else revision, initial_end)
    return Stream(watcher.chunks(float(lasts), bookmarks))


def _initial(request: Request) -> bool:
    return request.flag("sendInitialEvents")


class _Watcher:
    def __init__(
        self,
        store: Store,
        resource: Resource,
        selected: Callable[[Entry], bool],
        shape: Shape,
    ) -> None:
        self._shape = shape
        self._store = store
        self._resource = resource
        self._selected = selected
        self._waiting: list[bytes] = []
        self._woken = asyncio.Event()
        self._after = 0
        self._ended = False
        self._unsubscribe: Callable[[], None] = lambda: None

    def begin(self, revision: int | None, initial_end: bool) -> None:
        storage = self._resource.storage
        self._unsubscribe = self._store.subscribe(storage, self._commit)
        if not revision:
            self._after = self._store.revision
            for entry in self._store.list_at(storage, None, None):
                if self._selected(entry):
                    self._send(b"ADDED", self._shape.event(entry))
            if initial_end:
                self._bookmark(_INITIAL_END)
            return
        self._after = revision
        try:
            for event in self._store.since(storage, revision):
                self._commit(event)
        except CompactedError as problem:
            message = str(problem)
            if self._resource is resources.EVENTS:
                message = "The resourceVersion for the provided watch is too old."
            self._send(b"ERROR", _encode(errors.expired(message).status()))
            self._end()

    def _commit(self, event: Event) -> None:
        if self._ended or event.entry.revision <= self._after:
            return
        now = event.type != "DELETED" and self._selected(event.entry)
        before = event.previous is not None and self._selected(event.previous)
        if now:
            kind = b"MODIFIED" if before else b"ADDED"
        elif before:
            kind = b"DELETED"
        else:
            return
        entry = event.entry
        self._send(kind, self._shape.event(entry))

    def _send(self, kind: bytes, body: bytes) -> None:
        self._waiting.append(b'{"type":"%s","object":%s}\n' % (kind, body))
        self._woken.set()
        if len(self._waiting) > _MOST_WAITING:
            self._end()

    def _bookmark(self, annotations: dict[str, str] | None = None) -> None:
        metadata: dict[str, object] = {
            "resourceVersion": str(max(self._after, self._store.revision))
        }
        if annotations:
            metadata["annotations"] = annotations
        data = {"metadata": metadata, **_EMPTY.get(self._resource.kind, {})}
        self._send(b"BOOKMARK", self._shape.bookmark(data))

    def _end(self) -> None:
        self._ended = True
        self._unsubscribe()
        self._woken.set()

    async def chunks(self, lasts: float, bookmarks: bool) -> AsyncIterator[bytes]:
        loop = asyncio.get_running_loop()
        end = loop.time() + lasts
        next_bookmark = loop.time() + BOOKMARK_EVERY
        try:
            while True:
                if self._waiting:
                    chunk = b"".join(self._waiting)
                    self._waiting.clear()
                    yield chunk
                    continue
                if self._ended or loop.time() >= end:
                    return
                self._woken.clear()
                until = min(end, next_bookmark) if bookmarks else end
                try:
                    async with asyncio.timeout_at(until):
                        await self._woken.wait()
                except TimeoutError:
                    if bookmarks and loop.time() >= next_bookmark:
                        next_bookmark = loop.time() + BOOKMARK_EVERY
                        self._bookmark()
        finally:
            self._end()
