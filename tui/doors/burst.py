"""The door of bursts: what the keys start, watch and stop.

The screen's thread only asks; finding a route, firing and counting happen in threads of their own,
which write to the store and nowhere else.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Sequence
from typing import Final, Protocol

import msgspec

from tui.analysis.focus import Focus
from tui.cluster.access_log import AccessLogs
from tui.cluster.errors import unexpected
from tui.cluster.route import Route, Routes, Unreachable
from tui.cluster.transport import Transport
from tui.config import LoadSettings
from tui.doors.aims import Offer
from tui.doors.answering import answering
from tui.doors.burst_run import Run
from tui.doors.kin import Kin
from tui.doors.pod_counts import DOUBT, PodCounts
from tui.load.choice import Aim, Choice, in_words
from tui.load.history import History
from tui.load.limits import Limits, excess, refusal
from tui.load.plan import Plan, PlanError, target
from tui.load.profile import Profile, folders, load, names
from tui.state.load import BurstRow, LoadRow
from tui.state.rows import Kind, PodRow
from tui.state.store import Store

KEPT: Final = 6
"""Bursts that are shown after their end."""
TOGETHER: Final = 2
"""Targets that are loaded at once, side by side."""
_STOP_WITHIN: Final = 0.25
_LISTED_WITHIN: Final = 15.0
"""Seconds for which the lists are waited for that say what may be loaded."""
_LOOK: Final = 0.1


class Connected(Protocol):
    """What bursts need of the connection to a cluster."""

    @property
    def routes(self) -> Routes | None:
        """Ways to its Services; None until it is connected."""

    @property
    def transport(self) -> Transport | None:
        """To its API; None until it is connected."""


class BurstDoor:
    """Every method may be called from the screen's thread: none of them waits, but :meth:`stop`.

    Args:
        store: what is written to.
        feed: the cluster.
        settings: caps, hosts, the preset to begin with.
        read_only: nothing is ever fired.
        history: where runs are kept.
        clock: seconds since the epoch; the store's by default, which is the cluster's.
    """

    def __init__(
        self,
        store: Store,
        feed: Connected,
        settings: LoadSettings,
        *,
        read_only: Callable[[], bool] = lambda: False,
        history: History | None = None,
        clock: Callable[[], float] | None = None,
    ) -> None:
        self._store = store
        self._feed = feed
        self._settings = settings
        self._places = folders(settings.dir)
        self._read_only = read_only
        self._history = history or History()
        self._clock = clock or store.clock
        self._lock = threading.Lock()
        self._runs: list[Run] = []
        self._rows: dict[int, BurstRow] = {}
        self._notice = ""
        self._noticed = 0
        self._number = 0
        self._closed = False
        self._firing = False
        self._stops = 0
        """Grows with every wish to stop, which counts for a burst whose way is still sought."""
        self.choice = Choice(settings.preset)
        """What was asked for last."""
        self.aims: tuple[Aim, ...] = ()
        """What was loaded last."""
        self._aimed_for = ""
        """The uid of what was in view then."""

    @property
    def presets(self) -> list[str]:
        """The names of all presets, as they are on disk now."""
        return names(self._places)

    @property
    def limits(self) -> Limits:
        """The caps."""
        return self._settings.limits

    def preset(self, name: str) -> Profile:
        """One of them.

        Raises:
            PlanError: there is none of that name, or its file is wrong.
        """
        return load(name, self._places)

    def preview(self, choice: Choice, aim: Aim) -> tuple[str, bool]:
        """What a choice would ask, as a sentence; or why it cannot be, and False."""
        if self._read_only():
            return "read-only forbids bursts", False
        found = self.known(aim)
        url = found.url if isinstance(found, Route) else "http://127.0.0.1/"
        try:
            plan = choice.plan(aim.service if not aim.namespace else url, places=self._places)
            no = self._refusal(plan, aim, found if isinstance(found, Route) else None)
        except PlanError as error:
            return str(error), False
        return (no, False) if no else (in_words(plan), True)

    def known(self, aim: Aim) -> Route | Unreachable | None:
        """The way to a Service as far as it is known, without waiting for the network."""
        routes = self._feed.routes
        if routes is None or not aim.namespace:
            return None
        return routes.known(aim.namespace, aim.service)

    def chosen(self, focus: Focus) -> tuple[Aim, ...]:
        """What was loaded last, if that was in view then; else nothing."""
        return self.aims if self._aimed_for == _uid(focus) else ()

    def look(self, aims: Sequence[Aim]) -> None:
        """Find the ways to these in the background, so that they are known soon."""

        def find(routes: Routes) -> None:
            for aim in aims:
                if aim.namespace and not self._closed:
                    routes.find(aim.namespace, aim.service)

        routes = self._feed.routes
        if routes is not None:
            threading.Thread(target=find, args=(routes,), name="routes", daemon=True).start()

    def again(self, look: Callable[[], Offer]) -> None:
        """Fire what was fired last: where it was, or at the best way to what is in view now.

        What leads elsewhere is fired at only if it was chosen.

        Args:
            look: what may be loaded, anew each time; called from another thread too.
        """
        now = look()
        if last := self.chosen(now.focus):
            self.fire(self.choice, last, now.focus)
        elif now.waiting:
            self._begin("waiting for the list of Services…", self._await, look)
        elif now.way:
            self.fire(self.choice, now.way, now.focus)
        else:
            self._begin(now.absence)

    def fire(self, choice: Choice, aims: Sequence[Aim], focus: Focus) -> None:
        """Start a burst at each of one or two targets, all at once.

        Args:
            choice: the same for all.
            aims: the targets.
            focus: whose pods answer in the end; requests are counted per pod of it.
        """
        if not aims:
            self._say("nothing was chosen to load; choose a target with B")
            return
        wanted = tuple(aims[:TOGETHER])
        self._begin(_finding(wanted), self._fire, choice, wanted, focus)

    def _begin(self, sentence: str, work: Callable[..., None] | None = None, *more: object) -> None:
        """Say what happens and do it in a thread, unless nothing may be fired now."""
        if self._read_only():
            self._say("read-only forbids bursts: they change what the cluster does")
            return
        with self._lock:
            if self._firing or self._closed:
                return
            if any(not row.over for row in self._rows.values()):
                sentence, work = "a burst is under way; x stops it", None
            self._firing = work is not None
            stops = self._stops
        self._say(sentence)
        if work is not None:
            args = (stops, *more)
            threading.Thread(target=self._do, args=(work, args), name="fire", daemon=True).start()

    def stop(self) -> bool:
        """End all bursts within 0.2 s; whether there were any, under way or about to be."""
        with self._lock:
            self._stops += 1
            running = [run for run in self._runs if not run.over]
            begins = self._firing
        threads = [threading.Thread(target=run.stop, daemon=True) for run in running]
        for thread in threads:
            thread.start()
        deadline = time.monotonic() + _STOP_WITHIN
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        return begins or bool(running)

    def close(self) -> None:
        """The program ends: so do bursts."""
        self._closed = True
        self.stop()
        with self._lock:
            runs = list(self._runs)
        for run in runs:
            run.close()

    # In the thread that fires.

    def _do(self, work: Callable[..., None], args: tuple[object, ...]) -> None:
        problem = ""
        try:
            work(*args)
        except PlanError as error:
            problem = str(error)
        except Exception as error:  # without an answer the screen would wait for ever
            problem = f"The burst could not begin ({unexpected(error)}); fire it again."
        self._firing = False  # before it is told: who reads it may fire at once
        if problem:
            self._say(problem)

    def _await(self, stops: int, look: Callable[[], Offer]) -> None:
        """Fire at the best way once it is known which that is."""
        give_up = time.monotonic() + _LISTED_WITHIN
        while (now := look()).waiting and time.monotonic() < give_up:
            if self._stops != stops or self._closed:
                self._say("")
                return
            time.sleep(_LOOK)
        if not now.way:
            raise PlanError(now.absence)
        self._say(_finding(now.way))
        self._fire(stops, self.choice, now.way, now.focus)

    def _fire(self, stops: int, choice: Choice, aims: tuple[Aim, ...], focus: Focus) -> None:
        self.choice, self.aims, self._aimed_for = choice, aims, _uid(focus)
        made = [self._prepare(choice, aim) for aim in aims]
        for run in self._admit(choice, aims, made, focus, stops):
            run.start()

    def _admit(
        self,
        choice: Choice,
        aims: tuple[Aim, ...],
        made: list[tuple[Plan, Route | None]],
        focus: Focus,
        stops: int,
    ) -> list[Run]:
        """Give each its place among the rows; none once the program ends, or it was stopped."""
        with self._lock:
            if self._closed:
                return []
            self._notice = ""
            if self._stops != stops:
                self._put()
                return []
            group = self._number + 1
            runs = []
            for aim, (plan, route) in zip(aims, made, strict=True):
                self._number += 1
                row = BurstRow(
                    number=self._number,
                    group=group,
                    target=aim.label,
                    route=route.label if route is not None else "this machine",
                    bypasses=route is not None and route.bypasses_service,
                    profile=choice.preset,
                    began=self._clock(),
                    duration=plan.duration,
                )
                self._rows[row.number] = row
                runs.append(self._run(plan, row, aim, route, focus))
            self._runs += runs
            for run in self._runs[:-KEPT]:
                self._rows.pop(run.number, None)
            self._runs = self._runs[-KEPT:]
            self._put()
            return runs

    def _prepare(self, choice: Choice, aim: Aim) -> tuple[Plan, Route | None]:
        """The plan for one target.

        Raises:
            PlanError: it cannot be reached, or must not be loaded.
        """
        route: Route | None = None
        url = aim.service
        if aim.namespace:
            routes = self._feed.routes
            if routes is None:
                raise PlanError("the cluster is not connected yet")
            found = routes.find(aim.namespace, aim.service)
            if isinstance(found, Unreachable):
                raise PlanError(f"{aim.label} cannot be reached: {found.reason} {found.next_step}")
            route, url = found, found.url
        plan = choice.plan(url, route.host_header if route is not None else None, self._places)
        no = self._refusal(plan, aim, route)
        if no:
            raise PlanError(no)
        if route is not None and route.address and target(plan.url).host == route.host:
            plan = msgspec.structs.replace(plan, address=route.address)
        if route is not None and route.most_connections is not None:
            most, asked = route.most_connections, plan.most_connections
            if asked > most:
                raise PlanError(f"a {route.kind} carries {most} connections, not {asked}")
        return plan, route

    def _refusal(self, plan: Plan, aim: Aim, route: Route | None) -> str | None:
        allowed: Collection[str] = self._settings.allow_hosts
        if route is not None:
            allowed = (*allowed, route.host)
        no = None if aim.namespace and route is None else refusal(target(plan.url).host, allowed)
        return no or excess(plan, self._settings.limits)

    def _run(self, plan: Plan, row: BurstRow, aim: Aim, route: Route | None, focus: Focus) -> Run:
        transport, routes = self._feed.transport, self._feed.routes
        logs = None
        if transport is not None and aim.namespace:
            # Lines of logs carry the cluster's time.
            since = self._store.clock.wall() + transport.skew - DOUBT
            logs = AccessLogs(transport, plan.method, target(plan.url).path, since)

        def pods() -> list[PodRow]:
            return answering(self._store, aim.namespace, aim.service, focus.workload)

        def show(row: BurstRow) -> None:
            self._show(row)
            if row.over and row.failed and not row.responses and route is not None and routes:
                routes.failed(route)  # nothing came back: try the ways anew the next time

        kin = Kin(lambda: self._store.rows(Kind.PODS) or (), aim.namespace)
        return Run(plan, row, show, PodCounts(logs, pods, kin), self._history, self._clock)

    # What is shown.

    def _show(self, row: BurstRow) -> None:
        with self._lock:
            if row.number in self._rows:
                self._rows[row.number] = row
                self._put()

    def _say(self, sentence: str) -> None:
        with self._lock:
            self._notice = sentence
            self._noticed += 1
            self._put()

    def _put(self) -> None:
        rows = tuple(self._rows[number] for number in sorted(self._rows))
        self._store.put_load(LoadRow(rows, self._notice, self._noticed))


def _finding(aims: Sequence[Aim]) -> str:
    return f"finding the way to {' and '.join(aim.label for aim in aims)}…"


def _uid(focus: Focus) -> str:
    found = focus.hpa or focus.workload
    return found.uid if found is not None else ""
