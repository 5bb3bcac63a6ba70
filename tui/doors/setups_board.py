"""What is known of every setup, kept in one place and put into the store as it changes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Final

from msgspec.structs import replace

from tui.cluster.route import Route
from tui.setups.model import Answer, Catalogue, SetupStatus, State
from tui.setups.outcome import Outcome, Progress, Step
from tui.state.setups import ObjectStep, SetupRow, SetupsRow, SetupWrite
from tui.state.store import Store

KEPT: Final = 200
"""Writes that are remembered."""
_WRITTEN: Final = {Step.SENT, Step.DELETING, Step.GONE}


class Board:
    """Safe from any thread."""

    def __init__(self, store: Store, clock: Callable[[], float]) -> None:
        self._store = store
        self._clock = clock
        self._lock = threading.Lock()
        self._row = SetupsRow()
        self._rows: dict[str, SetupRow] = {}
        self._usable: tuple[str, ...] = ()

    def catalogue(self, found: Catalogue, keys: Mapping[str, str], refusal: str) -> None:
        """What setups there are."""
        with self._lock:
            self._usable = tuple(setup.name for setup in found.setups)
            for setup in found.setups:
                self._rows[setup.name] = SetupRow(
                    setup.name, keys.get(setup.name, ""), setup.title, setup.summary
                )
            notice = ""
            for broken in found.broken:
                if broken.name in self._usable:  # the built-in one of that name can be used
                    notice = broken.problem
                else:
                    self._rows[broken.name] = SetupRow(broken.name, sentence=broken.problem)
            self._row = replace(self._row, refusal=refusal, notice=notice)
            self._put()

    def notice(self, sentence: str) -> None:
        """Something to tell that is of no setup."""
        with self._lock:
            if sentence != self._row.notice:
                self._row = replace(self._row, notice=sentence, noticed=self._row.noticed + 1)
                self._put()

    def lost(self, sentence: str) -> None:
        """How they are is not known any more."""
        with self._lock:
            known = self._usable
            for name in known:
                self._rows[name] = replace(
                    self._rows[name],
                    state=State.UNKNOWN.value,
                    sentence=sentence,
                    ready=None,
                    wanted=None,
                    answers=None,
                )
            self._put()
        if not known:
            self.notice(sentence)

    def status(self, found: SetupStatus) -> None:
        """How one is."""
        with self._lock:
            row = self._rows.get(found.setup)
            if row is None:
                return
            there = bool(found.objects)
            gone = not (there or found.leftover) and found.state is not State.UNKNOWN
            if row.undo and gone and not row.busy:
                # Nothing is left of an apply that failed half way. What was refused before
                # anything was written stands until something else is tried.
                row = replace(row, failure="", undo="", steps=())
            self._rows[found.setup] = replace(
                row,
                state=found.state.value,
                sentence=found.sentence,
                ready=found.ready,
                wanted=found.wanted,
                url=row.url if there else "",
                route=row.route if there else "",
                probe=row.probe if there else "",
                answers=row.answers if there else None,
                probed=row.probed if there else None,
                seconds=row.seconds if there else None,
            )
            self._put()

    def rights(self, missing: Mapping[str, tuple[str, ...]]) -> None:
        """What this user may not do."""
        with self._lock:
            for name, lacking in missing.items():
                if name in self._rows:
                    self._rows[name] = replace(self._rows[name], missing=lacking)
            self._put()

    def probe(self, name: str, answer: Answer, route: Route | None) -> None:
        """What its health path answered, and the way that was taken."""
        url, label = (route.url, route.label) if route is not None else (answer.url, "")
        with self._lock:
            row = self._rows.get(name)
            if row is not None:
                self._rows[name] = replace(
                    row,
                    url=url,
                    route=label,
                    probe=answer.sentence.replace(f" ({label})", ""),
                    answers=answer.good if answer.reached else None,
                    probed=self._clock(),
                )
                self._put()

    def begin(self, name: str, what: str) -> bool:
        """Something is to be done with it; False if something is being done already."""
        with self._lock:
            row = self._rows.get(name) or SetupRow(name)
            if row.busy:
                self._row = replace(
                    self._row,
                    notice=f"{name} is being worked on ({row.busy}); wait for it to end",
                    noticed=self._row.noticed + 1,
                )
                self._put()
                return False
            self._rows[name] = replace(row, busy=what, steps=(), failure="", undo="")
            self._row = replace(self._row, notice="")
            self._put()
            return True

    def step(self, name: str, step: Progress) -> None:
        """One object of it got on."""
        with self._lock:
            row = self._rows[name]
            made = ObjectStep(f"{step.ref.kind}/{step.ref.name}", step.step.value, step.sentence)
            steps = [one for one in row.steps if one.name != made.name]
            at = next((n for n, one in enumerate(row.steps) if one.name == made.name), len(steps))
            steps.insert(at, made)
            self._rows[name] = replace(row, steps=tuple(steps))
            if step.step in _WRITTEN and "unchanged" not in step.sentence:
                self._note(name, f"{made.name} {step.sentence}", True)
            self._put()

    def ended(self, name: str, what: str, outcome: Outcome) -> None:
        """It is done, or stopped half way."""
        failure = outcome.failure
        with self._lock:
            applied = what == "applying" and failure is None
            row = self._rows[name]
            self._rows[name] = replace(
                row,
                busy="",
                steps=row.steps if failure is not None else (),
                failure=failure.sentence if failure is not None else "",
                undo=outcome.undo,
                seconds=outcome.seconds if applied else None,
                probe=outcome.probe or row.probe,
            )
            done = {"applying": "applied", "deleting": "deleted", "undoing": "undone"}[what]
            self._note(
                name,
                f"setup {name} {done} in {outcome.seconds:.0f} s"
                if failure is None
                else f"setup {name}: {failure.sentence}",
                failure is None,
            )
            self._put()

    def failed(self, name: str, what: str, sentence: str) -> None:
        """It could not even begin."""
        with self._lock:
            self._rows[name] = replace(self._rows[name], busy="", failure=sentence)
            self._note(name, f"setup {name}, {what}: {sentence}", False)
            self._put()

    def _note(self, name: str, text: str, good: bool) -> None:
        write = SetupWrite(self._clock(), name, text, good)
        writes = (*self._row.writes, write)[-KEPT:]
        self._row = replace(self._row, writes=writes, written=self._row.written + 1)

    def _put(self) -> None:
        self._row = replace(self._row, rows=tuple(self._rows.values()))
        self._store.put_setups(self._row)
