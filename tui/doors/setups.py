"""The door of setups: what the keys plan, apply, delete and undo.

The screen's thread only asks. Looking, planning and writing happen in threads of their own, which
write rows to the store; what is written to the cluster goes through :mod:`tui.cluster.apply`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, Protocol

from tui.cluster.audit import AuditLog
from tui.cluster.errors import unexpected
from tui.cluster.halt import Halt
from tui.cluster.objects import Ref
from tui.cluster.route import Route, Routes
from tui.cluster.transport import Transport
from tui.config import Settings
from tui.doors.guards import guard_of
from tui.doors.setups_board import Board
from tui.setups import catalogue
from tui.setups.asking import ask
from tui.setups.keys import keys
from tui.setups.model import Catalogue, SetupError, SetupStatus, State
from tui.setups.outcome import Outcome
from tui.setups.plan import Conflict, Deletion, Plan
from tui.setups.setups import Report, Setups
from tui.state.place import Place
from tui.state.store import Store

LOOK: Final = 4.0
"""Seconds between two looks at setups while they are on the screen."""
PROBE: Final = 10.0
"""Seconds between two requests to the health path of a setup that is there."""
RIGHTS: Final = 60.0
"""Seconds between two questions what this user may do."""
_SEEN_FOR: Final = 1.5
_PAUSE: Final = 0.2


class Connected(Protocol):
    """What setups need of the connection to a cluster."""

    @property
    def routes(self) -> Routes | None:
        """Ways to its Services; None until it is connected."""

    @property
    def transport(self) -> Transport | None:
        """To its API; None until it is connected."""

    @property
    def place(self) -> Place:
        """Which cluster it is."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a key would do, or why it cannot be told."""

    plan: Plan | None = None
    deletion: Deletion | None = None
    problem: str = ""


class SetupsDoor:
    """No method waits for the network. See :class:`tui.setups.setups.Setups` for what is done.

    Args:
        store: what is written to.
        feed: the cluster.
        settings: values, folder, protected contexts.
        taken: keys that setups may not have.
        own: a folder of the user's setups, in place of the settings' one.
        audit: where writes are noted.
        clock: seconds since the epoch.
    """

    def __init__(
        self,
        store: Store,
        feed: Connected,
        settings: Settings,
        *,
        taken: Collection[str] = (),
        own: Path | None = None,
        audit: AuditLog | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._feed = feed
        self._settings = settings
        self._taken = taken
        self._own = own or (Path(settings.setups.dir) if settings.setups.dir else None)
        self._audit = audit
        self._clock = clock
        self._board = Board(store, store.clock)
        self._halt = Halt()
        self._lock = threading.Lock()
        self._setups: Setups | None = None
        self._prepared: Prepared | None = None
        self._asked = 0
        self._given: dict[str, dict[str, str | int]] = {}
        self._outcomes: dict[str, Outcome] = {}
        self._seen = 0.0
        self._due = 0.0
        self._probed: dict[str, float] = {}
        self._rights_due = 0.0
        self._typed: dict[str, str] = {}
        """The context's name as it was typed for the last apply of a setup."""
        self.watching: threading.Thread | None = None

    # Looking.

    def look(self) -> None:
        """The setups are on the screen: keep them up to date for a while."""
        self._seen = time.monotonic()
        if self.watching is None and not self._halt.stopped:
            self.watching = threading.Thread(target=self._watch, name="setups", daemon=True)
            self.watching.start()

    def close(self) -> None:
        """The program ends. What is under way stops; apply or delete completes it another time."""
        self._halt.stop()

    def _watch(self) -> None:
        while not self._halt.wait(_PAUSE):
            now = time.monotonic()
            if now - self._seen > _SEEN_FOR or now < self._due:
                continue
            try:
                setups = self._ready()
                if setups is None:
                    continue
                self._refresh(setups)
            except SetupError as error:
                self._board.notice(str(error))
            except Exception as error:  # a thread that died would leave rows that look alive
                self._board.lost(f"How it is cannot be told ({unexpected(error)}).")
            self._due = time.monotonic() + LOOK

    def _refresh(self, setups: Setups) -> None:
        self._ask_rights(setups)
        for status in setups.statuses(self.namespace, halt=self._halt):
            if self._halt.stopped:
                return
            self._board.status(status)
            self._probe(status)

    def _ask_rights(self, setups: Setups) -> None:
        if time.monotonic() < self._rights_due:
            return
        try:
            self._board.rights(setups.missing_rights(self.namespace, self._halt))
        except SetupError:
            return  # the statuses say why nothing can be read
        self._rights_due = time.monotonic() + RIGHTS

    def _probe(self, status: SetupStatus) -> None:
        """Ask the health path of what is there, now and then."""
        routes, now = self._feed.routes, time.monotonic()
        there = status.state in (State.HEALTHY, State.DEGRADED, State.DRIFTED)
        if routes is None or status.health is None or not there:
            self._probed.pop(status.setup, None)
            return
        if now - self._probed.get(status.setup, -PROBE) < PROBE:
            return
        self._probed[status.setup] = now
        answer = ask(routes, self.namespace, status.health)
        known = routes.known(self.namespace, status.health.service, status.health.port)
        self._board.probe(status.setup, answer, known if isinstance(known, Route) else None)

    @property
    def namespace(self) -> str:
        """Where setups are applied: the one that is watched, the context's where it is all."""
        transport = self._feed.transport
        usual = transport.config.namespace if transport is not None else "default"
        return self._feed.place.namespace or usual or "default"

    # Preparing.

    def prepare(
        self, name: str, deleting: bool | None, given: Mapping[str, str | int] | None = None
    ) -> None:
        """Find out what applying or deleting would do; :attr:`prepared` has it when it is known.

        Args:
            name: of the setup.
            deleting: None: delete what is there, apply what is not.
            given: values, as typed.
        """
        with self._lock:
            self._prepared = None
            self._asked += 1
            number = self._asked
        values = self._given.get(name) if given is None else dict(given)
        threading.Thread(
            target=self._prepare, args=(number, name, deleting, values), daemon=True
        ).start()

    @property
    def prepared(self) -> Prepared | None:
        """What was asked for last; None while it is being found out."""
        return self._prepared

    def _prepare(
        self,
        number: int,
        name: str,
        deleting: bool | None,
        given: Mapping[str, str | int] | None,
    ) -> None:
        try:
            found = self._find_out(name, deleting, given)
        except SetupError as error:
            found = Prepared(problem=str(error))
        except Exception as error:  # without an answer the screen would wait for ever
            found = Prepared(problem=f"What it would do cannot be told ({unexpected(error)}).")
        with self._lock:
            if given is not None and not found.problem:
                self._given[name] = dict(given)
            if number == self._asked:
                self._prepared = found

    def _find_out(
        self, name: str, deleting: bool | None, given: Mapping[str, str | int] | None
    ) -> Prepared:
        setups = self._ready()
        if setups is None:
            return Prepared(problem="The cluster is not connected yet; try again in a moment.")
        if deleting is None:
            status = setups.status(name, self.namespace, halt=self._halt)
            deleting = bool(status.objects or status.leftover)
        if deleting:
            return Prepared(deletion=setups.deletion(name, self.namespace, self._halt))
        return Prepared(plan=setups.plan(name, self.namespace, given, self._halt))

    # Writing.

    def apply(
        self, plan: Plan, typed: str = "", take_over: Collection[tuple[Ref, Conflict]] = ()
    ) -> None:
        """Carry a plan out that was shown and confirmed."""
        self._typed[plan.setup.name] = typed
        self._write(
            plan.setup.name,
            "applying",
            lambda setups, report: setups.apply(
                plan, report, typed=typed, take_over=take_over, halt=self._halt
            ),
        )

    def delete(self, deletion: Deletion, typed: str = "") -> None:
        """Carry a deletion out that was shown and confirmed."""
        self._write(
            deletion.setup,
            "deleting",
            lambda setups, report: setups.delete(deletion, report, typed=typed, halt=self._halt),
        )

    def undo(self, name: str) -> None:
        """Take back an apply that failed; what was typed for that apply holds for this, too."""
        typed = self._typed.get(name, "")
        outcome = self._outcomes.get(name)
        if outcome is None or not outcome.undo:
            self._board.notice(f"There is nothing of {name} to undo.")
            return
        self._write(
            name,
            "undoing",
            lambda setups, report: setups.undo(outcome, report, typed=typed, halt=self._halt),
        )

    def _write(self, name: str, what: str, do: Callable[[Setups, Report], Outcome]) -> None:
        if not self._board.begin(name, what):
            return
        threading.Thread(target=self._carry_out, args=(name, what, do), daemon=True).start()

    def _carry_out(self, name: str, what: str, do: Callable[[Setups, Report], Outcome]) -> None:
        try:
            setups = self._ready()
            if setups is None:
                raise SetupError("The cluster is not connected.")
            ended = do(setups, partial(self._board.step, name))
        except SetupError as error:
            self._board.failed(name, what, str(error))
        except Exception as error:  # the setup would be busy for ever
            self._board.failed(
                name,
                what,
                f"It ended half way ({unexpected(error)}). Look at what is there, then apply or "
                "delete it again.",
            )
        else:
            self._outcomes[name] = ended
            self._board.ended(name, what, ended)
        self._probed.pop(name, None)
        self._due = 0.0

    # The cluster.

    def _ready(self) -> Setups | None:
        """The setups on the cluster; None until it is connected.

        Raises:
            SetupError: the user's folder cannot be read.
        """
        transport = self._feed.transport
        if transport is None:
            return None
        with self._lock:
            if self._setups is None:
                found = catalogue.load(self._own)
                self._setups = self._made(transport, found)
                chosen = keys(found.setups, self._taken)
                self._board.catalogue(found, chosen, self._setups.guard.refusal)
            routes = self._feed.routes
            if routes is not None:
                self._setups.probe_with(partial(ask, routes))
            return self._setups

    def _made(self, transport: Transport, found: Catalogue) -> Setups:
        config, settings = transport.config, self._settings
        guard = guard_of(config, settings)
        overrides = settings.setups.overrides()
        audit = self._audit or AuditLog()
        return Setups(transport, found, guard, audit, overrides=overrides, clock=self._clock)
