"""One list and watch: keeps one table of the store equal to the server's.

The protocol is https://kubernetes.io/docs/reference/using-api/api-concepts/ : list in pages, watch
from the list's resourceVersion with bookmarks, resume from the last version seen, list again when
the server has forgotten it (410).
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Final

import msgspec

from tui.cluster import faults
from tui.cluster.backoff import Backoff
from tui.cluster.decode.codec import BadReplyError, Event, Page
from tui.cluster.errors import ApiError, Fault, sentence
from tui.cluster.newest import Newest
from tui.cluster.resources import Resource
from tui.cluster.transport import Transport
from tui.cluster.versions import Versions
from tui.cluster.worker import Worker
from tui.state.beat import LOOK
from tui.state.links import Health
from tui.state.rows import Row
from tui.state.store import Store

PAGES: Final = (100, 250)
"""Sizes of the first pages and of all that follow: first rows soon, and a decode that holds the
interpreter for a few milliseconds at most."""
WATCH_SECONDS: Final = (240, 300)
READ_TIMEOUT: Final = 330.0
"""Beyond the longest watch: silence for longer means that the connection is dead."""
SETTLED: Final = 5.0
"""A stream that lived so long counts as a success."""
READY: Final = 0.03
"""Seconds before a look of the screen by which events that never end are taken over: to wake up for
each of them costs more than to take it over."""
SLOW_RETRY: Final = 60.0
POLL: Final = 10.0
_MOST_PAGES: Final = 20_000
_MOST_BARREN: Final = 20
"""Pages in a row that hold nothing new."""
_RELIST: Final = frozenset({Fault.GONE, Fault.BAD_REPLY, Fault.INVALID})


class Counters(msgspec.Struct):
    """What an informer has done, for tests and for the profile."""

    lists: int = 0
    watches: int = 0
    events: int = 0
    skipped: int = 0
    """Objects that could not be read, or were out of scope."""


class Informer(Worker):
    """Lists and watches one resource in a thread of its own, until it is stopped."""

    def __init__(
        self,
        resource: Resource,
        transport: Transport,
        store: Store,
        namespace: str | None = None,
        *,
        rng: random.Random | None = None,
        wait: Callable[[float], bool] | None = None,
        clock: Callable[[], float] = time.monotonic,
        pages: tuple[int, ...] = PAGES,
    ) -> None:
        """``wait`` sleeps, True if stopped meanwhile; ``clock`` measures how long streams live."""
        super().__init__(f"informer {resource.plural}")
        self.resource = resource
        self.counters = Counters()
        self._transport = transport
        self._store = store
        self._namespace = namespace if resource.namespaced else None
        self._path = resource.path(namespace)
        self._wait = wait or self._halt.wait
        self._clock = clock
        self._rng = rng or random.Random()  # noqa: S311 (jitter)
        self._pages = pages
        self._backoff = Backoff(self._rng)
        self._versions = Versions()
        self._newest = Newest(resource.keep) if resource.keep else None
        self._version = ""
        """Where the next watch goes on; empty when a list is due."""
        self._gathered = 0.0
        """When the stream was last read empty, by the clock."""
        self._fresh_history = True
        """Whether a 410 may be answered with a list at once."""

    def _run(self) -> None:
        self._link(Health.CONNECTING)
        while not self._halt.stopped:
            try:
                self._once()
            except Exception as error:  # a thread that died would leave rows that look alive
                self._version = ""
                self._retry(
                    f"The answer for {self.resource.plural} could not be handled "
                    f"({type(error).__name__}).",
                    self._backoff.next(),
                )
        self._link(Health.STOPPED)

    def _once(self) -> None:
        """List if that is due, and follow one watch to its end."""
        try:
            if not self._version:
                self._version = self._list()
            self._watch()
        except ApiError as error:
            self._recover(error)

    # Listing.

    def _list(self) -> str:
        """Bring the table up to date; returns the version to watch from."""
        self.counters.lists += 1
        uids: set[str] = set()
        tokens: set[str] = set()
        rest = ""
        number = expired = barren = 0
        self._versions.restart()
        while number < _MOST_PAGES:
            try:
                page = self._page(number, rest, whole=expired > 1)
            except ApiError as error:
                if error.kind is not Fault.GONE or not rest:
                    raise
                # The pages took longer than the server's memory: from the start, once more, then
                # in one piece.
                expired += 1
                uids.clear()
                tokens.clear()
                rest = ""
                number = 1
                continue
            known = len(uids)
            uids.update(self._take(page))
            barren = 0 if len(uids) > known else barren + 1
            number += 1
            if not page.rest:
                if not page.version:
                    raise ApiError(Fault.BAD_REPLY, "The server's list has no resourceVersion.")
                keep = self._newest.retain(uids) if self._newest is not None else uids
                self._store.retain(self.resource.kind, keep)
                self._versions.listed(page.version)
                return page.version
            if page.rest in tokens or barren > _MOST_BARREN:
                break
            rest = page.rest
            tokens.add(rest)
        raise ApiError(Fault.BAD_REPLY, "The server's list does not end.")

    def _page(self, number: int, rest: str, *, whole: bool) -> Page:
        query: dict[str, str | int | bool] = {}
        if not whole:
            query["limit"] = self._pages[min(number, len(self._pages) - 1)]
        if rest:
            query["continue"] = rest
        body = self._transport.get(self._path, query, halt=self._halt).body
        try:
            return self.resource.codec.page(body)
        except BadReplyError as error:
            raise ApiError(Fault.BAD_REPLY, sentence(error)) from None

    def _take(self, page: Page) -> list[str]:
        """Put a page's rows into the store; returns their uids."""
        rows: list[Row] = []
        for row, version in zip(page.rows, page.versions, strict=True):
            if self._in_scope(row):
                self._versions.is_news(row.uid, version)
                rows.append(row)
        self.counters.skipped += page.skipped + len(page.rows) - len(rows)
        self._store.put(self.resource.kind, rows)
        if self._newest is not None:
            self._store.drop(self.resource.kind, self._newest.add(rows))
        return [row.uid for row in rows]

    # Watching.

    def _watch(self) -> None:
        """Follow one stream to its end. Raises ApiError unless the server ended it in order."""
        query: dict[str, str | int | bool] = {
            "watch": True,
            "allowWatchBookmarks": True,
            "resourceVersion": self._version,
            "timeoutSeconds": self._rng.randint(*WATCH_SECONDS),
        }
        self.counters.watches += 1
        try:
            stream = self._transport.stream(
                self._path, query, read_timeout=READ_TIMEOUT, halt=self._halt
            )
        except ApiError as error:
            if error.kind is Fault.FORBIDDEN or error.status == 405:
                self._poll()
                return
            raise
        opened = self._clock()
        progress = False
        with stream:
            self._link(Health.LIVE)
            try:
                for batch in stream:
                    self._apply(batch)
                    progress = True
                    if not stream.more:
                        self._gather()
            finally:
                lived = self._clock() - opened
                if lived >= SETTLED:
                    self._backoff.reset()
                    self._fresh_history = True
        if self._halt.stopped:
            return
        if lived < SETTLED:
            self._hold_back(lived, progress)
        elif not progress:
            # Not even a bookmark. From a version that a restored server has yet to reach a watch
            # is silent too, so look.
            self._version = ""

    def _gather(self) -> None:
        """Where events never end, rest until the screen is about to look at the store.

        What comes now and then is taken at once.
        """
        if self._clock() - self._gathered < LOOK:
            self._halt.wait(self._store.beat.rest(READY))
        self._gathered = self._clock()

    def _hold_back(self, lived: float, progress: bool) -> None:
        """A server that ends its streams early must not be asked in a hot loop."""
        if progress:
            self._wait(max(0.0, 1.0 - lived))
        else:
            self._retry(
                f"The server ends the watch of {self.resource.plural} at once.",
                self._backoff.next(),
            )

    def _apply(self, lines: list[bytes]) -> None:
        """Take over a batch of events, each object's last word only, in one step."""
        rows: dict[str, Row] = {}
        gone: list[str] = []
        failure: ApiError | None = None
        for line in lines:
            try:
                event = self.resource.codec.event(line)
                if event.status is None:
                    self._sort_in(event, rows, gone)
            except BadReplyError as error:
                failure = ApiError(Fault.BAD_REPLY, sentence(error))
                break
            if event.status is not None:
                failure = faults.of_status(
                    event.status.code or 500, event.status.reason or "", event.status.message or ""
                )
                break
            if event.version:
                self._version = event.version
        if rows:
            self._store.put(self.resource.kind, rows.values())
            if self._newest is not None:
                gone += self._newest.add(rows.values())
        if gone:
            self._store.drop(self.resource.kind, gone)
        if failure is not None:
            raise failure

    def _sort_in(self, event: Event, rows: dict[str, Row], gone: list[str]) -> None:
        self.counters.events += 1
        row, uid = event.row, event.uid
        if event.type == "BOOKMARK":
            return
        if event.type in ("MODIFIED", "DELETED") and not uid:
            # Whose it is cannot be known, so which row is no longer true cannot either.
            raise BadReplyError(f"the watch of {self.resource.plural} names no object")
        if event.type == "DELETED":
            self._versions.forget(uid)
            self._leave_out(uid, rows, gone)
        elif event.type not in ("ADDED", "MODIFIED"):
            self.counters.skipped += 1
        elif row is None:
            # What cannot be read any more is not shown, as after a list.
            self.counters.skipped += 1
            self._leave_out(uid, rows, gone)
        elif not self._in_scope(row):
            self.counters.skipped += 1
        elif self._versions.is_news(uid, event.version):
            rows[uid] = row

    def _leave_out(self, uid: str, rows: dict[str, Row], gone: list[str]) -> None:
        rows.pop(uid, None)
        gone.append(uid)
        if self._newest is not None:
            self._newest.forget(uid)

    def _in_scope(self, row: Row) -> bool:
        return self._namespace is None or row.namespace == self._namespace

    # Failing.

    def _poll(self) -> None:
        """Listing is allowed, watching is not: list now and then, and try to watch again later."""
        for _ in range(int(SLOW_RETRY / POLL)):
            self._link(
                Health.LIVE,
                f"You may list {self.resource.plural} {self._where()} but not watch them: "
                f"refreshed every {POLL:g} s.",
            )
            if self._wait(POLL) or self._halt.stopped:
                return
            self._version = ""
            self._version = self._list()
        self._backoff.reset()

    def _recover(self, error: ApiError) -> None:
        """Say what happened, wait as long as it takes, and decide where to go on."""
        if self._halt.stopped or error.kind is Fault.STOPPED:
            return
        plural, where = self.resource.plural, self._where()
        if error.kind is Fault.FORBIDDEN:
            why = f"this user lacks the right `list {plural}`"
            if error.anonymous:
                why = "the context has no credentials (system:anonymous)"
            elif self.resource.namespaced and self._namespace is None:
                why += "; one namespace may be allowed (-n NAMESPACE)"
            self._give_up(Health.FORBIDDEN, f"You may not list {plural} {where}: {why}.")
        elif error.kind is Fault.NOT_FOUND:
            self._give_up(
                Health.ABSENT,
                f"This cluster does not serve {plural} ({self.resource.group_version}).",
            )
        elif error.kind is Fault.GONE and self._fresh_history:
            self._fresh_history = False
            self._version = ""
            self._link(
                Health.RETRYING, f"The server's history was cut: listing {plural} again.", now=True
            )
        else:
            if error.kind in _RELIST or error.kind is Fault.SERVER:
                self._version = ""
            pause = self._backoff.next()
            if error.retry_after is not None:
                pause = max(error.retry_after, pause)
            self._retry(error.message, pause)

    def _give_up(self, health: Health, detail: str) -> None:
        """Nothing to see for now: what was shown is no longer known to be true."""
        self._version = ""
        self._store.retain(self.resource.kind, ())
        self._pause(health, detail, SLOW_RETRY * self._rng.uniform(0.9, 1.1))

    def _retry(self, detail: str, pause: float) -> None:
        self._pause(Health.RETRYING, detail, pause)

    def _pause(self, health: Health, detail: str, pause: float) -> None:
        said = self._transport.masked(detail)
        self._store.link(self.resource.kind, health, said, self._store.clock() + pause)
        self._wait(pause)

    def _link(self, health: Health, detail: str = "", *, now: bool = False) -> None:
        at = self._store.clock() if now else None
        self._store.link(self.resource.kind, health, detail, at)

    def _where(self) -> str:
        return self.resource.where(self._namespace)
