"""Carrying a plan out: object by object, then waiting until it is rolled out and answers.

Each object is written in one request that carries its labels, and every decision is made anew from
what is there, so that a run that was killed at any moment is completed by another apply, or undone
by a delete.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import partial
from typing import TypeVar

from tui.cluster import ownership
from tui.cluster.apply import Applied
from tui.cluster.audit import AuditError
from tui.cluster.errors import ApiError, Fault
from tui.cluster.guard import RefusedError
from tui.cluster.halt import Halt
from tui.cluster.objects import KINDS, Object, Ref
from tui.setups import planning, rollout, scaling, undoing
from tui.setups.deleting import held, remove
from tui.setups.model import Answer
from tui.setups.outcome import STOPPED, Failure, Outcome, Progress, Step, Telling
from tui.setups.plan import Conflict, Manifest, Plan
from tui.setups.render import WORKLOADS, filled
from tui.setups.site import Site

Report = Callable[[Progress], None]
T = TypeVar("T")
_TRIES = 12
_HPA = next(known for known in KINDS if known.kind == "HorizontalPodAutoscaler")
_REACH = 6.0
"""Seconds to look for a way to a Service that has just been made."""


class FailedError(Exception):
    """The apply ended; carries why."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.sentence)
        self.failure = failure


class Applying:
    """One run.

    Args:
        site: the cluster.
        plan: what was shown and confirmed.
        report: told every step.
        typed: the context's name, where the guard asks for it.
        take_over: conflicts that were shown and accepted.
        wait: seconds for the rollout and the answer.
        halt: ends it.
    """

    def __init__(
        self,
        site: Site,
        plan: Plan,
        report: Report,
        *,
        typed: str,
        take_over: Collection[tuple[Ref, Conflict]],
        wait: float,
        halt: Halt,
    ) -> None:
        self._site = site
        self._plan = plan
        self._typed = typed
        self._accepted = frozenset(take_over)
        self._wait = wait
        self._halt = halt
        self._began = site.steady()
        self._say = Telling(report, lambda: self._seconds).say
        self._done: list[Ref] = []
        self._created: dict[Ref, str] = {}
        self._unanswered: set[Ref] = set()
        """What was to be created when the answer was lost: it may be there by now."""
        self._before: dict[Ref, Object] = {}
        self._probe = ""

    def run(self) -> Outcome:
        """Do it; never raises."""
        failure = None
        try:
            self._run()
        except FailedError as failed:
            failure = failed.failure
        except (RefusedError, AuditError) as error:
            failure = Failure(None, "Refused", str(error))
        except ApiError as error:
            failure = self._of(error, None)
        refs = [*(one.ref for one in self._plan.manifests), *self._plan.leftover]
        return Outcome(
            setup=self._plan.setup.name,
            namespace=self._plan.namespace,
            seconds=self._seconds,
            done=tuple(dict.fromkeys(self._done)),
            left=tuple(ref for ref in refs if ref not in self._done) if failure else (),
            failure=failure,
            undo=self._undo() if failure else "",
            probe=self._probe,
            created=tuple(self._created.items()),
            before=tuple(self._before.items()),
        )

    @property
    def _seconds(self) -> float:
        return self._site.steady() - self._began

    def _run(self) -> None:
        plan, guard = self._plan, self._site.writer.guard
        guard.permit(self._typed)
        if plan.problems:
            raise FailedError(Failure(None, "Refused", plan.problems[0]))
        scaled = self._scaled()
        for manifest in plan.manifests:
            self._patiently(manifest.ref, partial(self._write, manifest, scaled))
        deadline = self._began + self._wait
        for ref in (one.ref for one in plan.manifests):
            if ref.kind in WORKLOADS:
                self._roll_out(ref, deadline)
            else:
                self._say(ref, Step.READY, "in place")
        self._answer(deadline)
        # Last: pods of the old version may still read it, and nothing brings it back.
        for ref in plan.leftover:
            self._patiently(ref, partial(self._prune, ref))

    # -- writing

    def _write(self, manifest: Manifest, scaled: set[tuple[str, str]]) -> None:
        """Apply one object as the version that is there now, looking again when it changed."""
        ref = manifest.ref
        for attempt in range(_TRIES):
            live = self._live(ref)
            if live is not None and ownership.setup_of(live) != self._plan.setup.name:
                raise FailedError(Failure(ref, "NotOurs", planning.foreign(ref, live).problem))
            body = self._site.wanted(manifest, live, scaled)
            try:
                applied = self._send(ref, body, live)
            except ApiError as error:
                if not planning.outdated(error):
                    if live is None:
                        self._unanswered.add(ref)
                    raise
                if self._halt.wait(0.02 * (attempt + 1)):
                    raise ApiError(Fault.STOPPED, "stopped") from None
                continue
            self._done.append(ref)
            same = live is not None and _version(live) == _version(applied.body)
            if applied.created or ref in self._unanswered:
                self._created[ref] = str(applied.body["metadata"].get("uid", ""))
            elif live is not None and not same and ref not in self._created:
                self._before.setdefault(ref, undoing.before(live, applied.body))
            words = "created" if ref in self._created else "unchanged" if same else "changed"
            told = "".join(f"; warning: {text}" for text in applied.warnings)
            self._say(ref, Step.SENT, words + told)
            return
        raise FailedError(
            Failure(ref, "Conflict", f"{ref} was changed by others again and again; try once more.")
        )

    def _send(self, ref: Ref, body: Object, live: Object | None) -> Applied:
        writer = self._site.writer
        try:
            return writer.apply(ref, body, live, typed=self._typed, halt=self._halt)
        except ApiError as error:
            clashes = planning.conflicts_of(error)
            if not clashes:
                raise
            new = [one for one in clashes if (ref, one) not in self._accepted]
            if new:
                fields = ", ".join(f"{one.field} ({one.manager})" for one in new)
                raise FailedError(
                    Failure(
                        ref,
                        "FieldConflict",
                        f"{ref} has fields that others manage: {fields}. "
                        "Take them over explicitly, or leave them to their managers.",
                    )
                ) from None
        # The same version still: what is taken over is what was just told.
        return writer.apply(ref, body, live, force=True, typed=self._typed, halt=self._halt)

    def _live(self, ref: Ref) -> Object | None:
        """The object as it is, once it is not being deleted."""
        while True:
            live = self._site.objects.get(ref, self._halt)
            if live is None or not (live.get("metadata") or {}).get("deletionTimestamp"):
                return live
            if self._seconds > self._wait:
                raise FailedError(
                    Failure(
                        ref,
                        "Timeout",
                        f"{ref} is being deleted and not gone after {self._wait:.0f} s"
                        f"{held(live)}.",
                    )
                )
            self._say(ref, Step.WAITING, "the old one is being deleted")
            self._pause()

    def _prune(self, ref: Ref) -> None:
        live = self._site.objects.get(ref, self._halt)
        if live is None or ownership.setup_of(live) != self._plan.setup.name:
            return
        remove(self._site, ref, live, self._plan.setup.name, self._typed, self._halt)
        self._done.append(ref)
        self._say(ref, Step.GONE, "left behind by an older version; deleted")

    def _scaled(self) -> set[tuple[str, str]]:
        stock = self._patiently(
            None,
            partial(self._site.stock, self._plan.namespace, (_HPA,), self._halt),
        )
        own = [
            one.body for one in self._plan.manifests if one.ref.kind == "HorizontalPodAutoscaler"
        ]
        return scaling.targets([*stock.hpas, *own])

    def _patiently(self, ref: Ref | None, attempt: Callable[[], T]) -> T:
        """Through an outage of the API server, from reading on."""

        def say(words: str) -> None:
            if ref is not None:
                self._say(ref, Step.WAITING, words)

        try:
            return self._site.patiently(attempt, self._halt, say)
        except ApiError as error:
            raise FailedError(self._of(error, ref)) from None

    # -- waiting

    def _roll_out(self, ref: Ref, deadline: float) -> None:
        hopeless_since = None
        while True:
            live = self._patiently(ref, partial(self._site.objects.get, ref, self._halt))
            if live is None:
                raise FailedError(Failure(ref, "Deleted", f"{ref} was deleted meanwhile."))
            verdict = self._patiently(
                ref, partial(self._site.verdict, live, self._plan.namespace, self._halt)
            )
            self._say(ref, Step.READY if verdict.done else Step.ROLLING_OUT, verdict.sentence)
            if verdict.done:
                return
            now = self._site.steady()
            if verdict.trouble is not None and verdict.trouble.hopeless:
                hopeless_since = now if hopeless_since is None else hopeless_since
                if now - hopeless_since >= self._site.grace:
                    raise FailedError(self._stuck(ref, verdict.trouble))
            else:
                hopeless_since = None
            if now >= deadline:
                if verdict.trouble is not None:
                    raise FailedError(self._stuck(ref, verdict.trouble))
                raise FailedError(
                    Failure(
                        ref,
                        "Timeout",
                        f"{ref} is not rolled out after {self._wait:.0f} s: {verdict.sentence}. "
                        "It may still come; look again with status.",
                    )
                )
            self._pause()

    def _answer(self, deadline: float) -> None:
        health, probe = self._plan.setup.health, self._site.probe
        if health is None or probe is None:
            return
        known = {**self._plan.values, "namespace": self._plan.namespace}
        check = filled(health, known)
        ref = Ref("Service", self._plan.namespace, check.service)
        began = self._site.steady()
        while True:
            found: Answer = probe(self._plan.namespace, check)
            self._probe = found.sentence
            if found.good:
                self._say(ref, Step.ANSWERING, found.sentence)
                return
            self._say(ref, Step.WAITING, found.sentence)
            if not found.reached and self._site.steady() - began > _REACH:
                # Rolled out it is; from here nobody can see more.
                return
            if self._site.steady() >= deadline:
                raise FailedError(
                    Failure(
                        ref,
                        "NoAnswer",
                        f"{ref} is rolled out, but {check.path} is not answered: {found.sentence}",
                    )
                )
            self._pause()

    # -- words

    def _pause(self) -> None:
        if self._halt.wait(self._site.look):
            raise ApiError(Fault.STOPPED, "stopped")

    def _of(self, error: ApiError, ref: Ref | None) -> Failure:
        if error.kind is Fault.STOPPED:
            return Failure(ref, STOPPED, "It was stopped; apply again, or delete, completes it.")
        if ref is not None and error.kind in planning.REFUSALS:
            words = planning.refusal(ref, error)
        else:
            words = f"{'The cluster' if ref is None else ref}: {error.message}"
        return Failure(ref, error.reason or error.kind.value, words)

    def _stuck(self, ref: Ref, trouble: rollout.Trouble) -> Failure:
        step = rollout.next_step(trouble.reason)
        sentence = f"{ref}: {trouble.sentence.rstrip('.')}."
        if trouble.container:
            namespace = self._plan.namespace
            line = self._site.objects.last_line(
                namespace, trouble.pod, trouble.container, self._halt
            )
            if line:
                return Failure(ref, trouble.reason, f"{sentence} It said: {line}")
        return Failure(ref, trouble.reason, f"{sentence} {step}".rstrip())

    def _undo(self) -> str:
        words = []
        if self._created:
            words.append(f"Created: {', '.join(map(str, self._created))}; undoing deletes that.")
        if self._before:
            names = ", ".join(map(str, self._before))
            words.append(f"Changed: {names}; undoing applies what was there before.")
        return " ".join(words)


def _version(body: Object) -> str:
    return str((body.get("metadata") or {}).get("resourceVersion", ""))
