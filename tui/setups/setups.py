"""Setups on one cluster: plan, apply, delete, look. What the screen and the command line call.

Every method but :meth:`Setups.values` blocks on the network and belongs in a thread. They raise
:class:`SetupError`, whose text is for people, and nothing else; where what was asked for cannot be
meant, it is a :class:`UsageError`, before the network is asked. A stopped ``halt`` ends a running
one at once.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import TypeAlias

from tui.cluster.apply import Writer
from tui.cluster.audit import AuditError, AuditLog
from tui.cluster.errors import ApiError, Fault
from tui.cluster.guard import Guard, RefusedError
from tui.cluster.halt import Halt
from tui.cluster.objects import KINDS, Ref
from tui.cluster.rights import Right, in_words
from tui.cluster.transport import Transport
from tui.setups import deleting, planning, status, undoing
from tui.setups.applying import Applying
from tui.setups.deleting import Deleting
from tui.setups.model import (
    Answer,
    Catalogue,
    Check,
    Setup,
    SetupError,
    SetupStatus,
    State,
    UsageError,
    Value,
)
from tui.setups.outcome import Outcome, Progress
from tui.setups.plan import Conflict, Deletion, Manifest, Plan
from tui.setups.render import render
from tui.setups.site import Site, Stock, told
from tui.setups.values import NAME, complete, fit

_HPA = "HorizontalPodAutoscaler"
Report: TypeAlias = Callable[[Progress], None]
"""Is told each step, in the calling thread."""


Probe: TypeAlias = Callable[[str, Check], Answer]
"""Asks a check in a namespace, once, within a few seconds."""


class Setups:
    """The setups of a catalogue on one cluster.

    Args:
        transport: the cluster.
        catalogue: what there is.
        guard: what may be written at all.
        audit: where writes are noted.
        overrides: values by setup name, or by ``""`` for all, from the settings.
        probe: asks health paths; None: being rolled out is all there is to know.
        clock: seconds since the epoch.
        look: seconds between two looks at what is being waited for.
        grace: seconds that a trouble which seems hopeless may last before it counts.
    """

    def __init__(
        self,
        transport: Transport,
        catalogue: Catalogue,
        guard: Guard,
        audit: AuditLog,
        *,
        overrides: Mapping[str, Mapping[str, Value]] | None = None,
        probe: Probe | None = None,
        clock: Callable[[], float] = time.time,
        look: float = 0.5,
        grace: float = 5.0,
    ) -> None:
        self.catalogue = catalogue
        self.guard = guard
        self._overrides = overrides or {}
        self._clock = clock
        self._transport = transport
        self._site = Site(
            transport, Writer(transport, guard, audit, clock), probe, look=look, grace=grace
        )

    def probe_with(self, probe: Probe) -> None:
        """Ask health paths with this from now on."""
        self._site.probe = probe

    def values(self, name: str, given: Mapping[str, str | int] | None = None) -> dict[str, Value]:
        """A value for each placeholder: defaults, then settings, then ``given`` (as typed).

        Raises:
            SetupError: a value that does not fit, or of no placeholder.
        """
        return self._complete(self.catalogue.get(name), {}, given)

    def plan(
        self,
        name: str,
        namespace: str,
        given: Mapping[str, str | int] | None = None,
        halt: Halt | None = None,
    ) -> Plan:
        """What applying would do: a server-side dry run, prerequisites, rights. Writes nothing."""
        setup, halt = self.catalogue.get(name), halt or Halt()
        self.values(name, given)
        with _in_words("looking at the cluster"):
            stock = self._site.stock(_checked(namespace), KINDS, halt)
            values = self._remembering(setup, stock, given)
            return planning.make(self._site, setup, values, namespace, stock, halt)

    def apply(
        self,
        plan: Plan,
        report: Report,
        *,
        typed: str = "",
        take_over: Collection[tuple[Ref, Conflict]] = (),
        wait: float = 120.0,
        halt: Halt | None = None,
    ) -> Outcome:
        """Carry a plan out, and wait until it is rolled out and answers.

        Args:
            plan: what was shown. Each object is looked at again: what became foreign or gained
                conflicts since is refused.
            report: told every step.
            typed: the context's name as typed, where ``plan.typed`` asks for it.
            take_over: conflicts that were shown and accepted (a subset of ``plan.conflicts``).
            wait: seconds to wait for the rollout and the answer.
            halt: ends it; what is applied stays, and apply or delete completes.
        """
        return Applying(
            self._site,
            plan,
            report,
            typed=typed,
            take_over=take_over,
            wait=wait,
            halt=halt or Halt(),
        ).run()

    def deletion(self, name: str, namespace: str, halt: Halt | None = None) -> Deletion:
        """What deleting would delete. Also for a name the catalogue no longer has, as long as
        something is there.
        """
        namespace = _checked(namespace)
        known = {setup.name: setup for setup in self.catalogue.setups}
        if not NAME.fullmatch(name):
            raise UsageError(f"{name!r} is no name of a setup.")
        halt = halt or Halt()
        with _in_words("looking at the cluster"):
            stock = self._site.stock(namespace, KINDS, halt)
            manifests: tuple[Manifest, ...] = ()
            if name in known:
                values = self._remembering(known[name], stock, None)
                manifests = render(known[name], values, namespace)
            found = deleting.make(self._site, manifests, name, namespace, stock, halt)
        if found.empty and name not in known:
            self.catalogue.get(name)  # mistyped, or it cannot be used: that is told
        return found

    def delete(
        self,
        deletion: Deletion,
        report: Report,
        *,
        typed: str = "",
        wait: float = 60.0,
        halt: Halt | None = None,
    ) -> Outcome:
        """Delete just these objects, by uid, dependents in the background; wait until gone."""
        return Deleting(
            self._site, deletion, report, typed=typed, wait=wait, halt=halt or Halt()
        ).run()

    def undo(
        self,
        outcome: Outcome,
        report: Report,
        *,
        typed: str = "",
        wait: float = 60.0,
        halt: Halt | None = None,
    ) -> Outcome:
        """Take back an apply that failed: delete what it created, by uid, and apply again what
        was applied before to what it changed. What somebody has changed since is refused.
        """
        return undoing.run(self._site, outcome, report, typed, wait, halt or Halt())

    def status(
        self,
        name: str,
        namespace: str,
        given: Mapping[str, str | int] | None = None,
        halt: Halt | None = None,
    ) -> SetupStatus:
        """How the setup is now, from reads alone; see :meth:`statuses` for many at once.

        A cluster that cannot be read is a status, too: UNKNOWN, with the reason. What was applied
        with other values than the defaults is held against those.
        """
        [found] = self.statuses(namespace, [name], {name: given or {}}, halt)
        return found

    def statuses(
        self,
        namespace: str,
        names: Iterable[str] | None = None,
        given: Mapping[str, Mapping[str, str | int]] | None = None,
        halt: Halt | None = None,
    ) -> list[SetupStatus]:
        """How setups are now, all of them by default: one list a kind, and a look at each object
        that is not ours. Cheap enough for every few seconds.
        """
        halt, namespace = halt or Halt(), _checked(namespace)
        chosen = [self.catalogue.get(n) for n in names or [s.name for s in self.catalogue.setups]]
        for name, typed in (given or {}).items():
            self.values(name, typed)
        kinds = {str(template["kind"]) for setup in chosen for template in setup.templates}
        used = [one for one in KINDS if one.kind in kinds or one.kind == _HPA]
        found = []
        try:
            stock = self._site.stock(namespace, used, halt)
        except ApiError as error:
            return [status.unreadable(error, setup.name, namespace) for setup in chosen]
        # What the server writes is of its clock.
        now = self._clock() + self._transport.skew
        for setup in chosen:
            asked = (given or {}).get(setup.name)
            try:
                values = self._remembering(setup, stock, asked)
                found.append(status.read(self._site, setup, values, namespace, now, stock, halt))
            except RecursionError:
                found.append(status.unreadable(_too_deep(), setup.name, namespace))
            except ApiError as error:
                found.append(status.unreadable(error, setup.name, namespace))
            except SetupError as error:
                if asked is not None:
                    raise
                # A value in the settings that does not fit is no reason to tell nothing of others.
                found.append(SetupStatus(setup.name, namespace, State.UNKNOWN, str(error)))
        return found

    def missing_rights(
        self, namespace: str, halt: Halt | None = None
    ) -> dict[str, tuple[str, ...]]:
        """What this user lacks to apply and delete each setup, in words. Writes nothing.

        Raises:
            SetupError: the server cannot be asked.
        """
        namespace = _checked(namespace)
        known = {one.kind: one for one in KINDS}
        wanted = {
            setup.name: [
                Right(verb, known[kind], namespace)
                for kind in dict.fromkeys(str(one["kind"]) for one in setup.templates)
                for verb in ("create", "patch", "delete")
            ]
            for setup in self.catalogue.setups
        }
        every = dict.fromkeys(right for rights in wanted.values() for right in rights)
        with _in_words("asking what is allowed"):
            lacking = set(self._site.missing(every, halt or Halt()))
        return {
            name: in_words(right for right in rights if right in lacking)
            for name, rights in wanted.items()
        }

    def _remembering(
        self, setup: Setup, stock: Stock, given: Mapping[str, str | int] | None
    ) -> dict[str, Value]:
        """Values, those the setup was applied with before in the place of the defaults."""
        known = {one.name: one for one in setup.placeholders}
        kept: dict[str, str | int] = {}
        for name, value in stock.values(setup.name).items():
            # What does not fit any more is as good as forgotten.
            with contextlib.suppress(SetupError):
                if name in known and isinstance(value, str | int):
                    kept[name] = fit(known[name], value)
        return self._complete(setup, kept, given)

    def _complete(
        self,
        setup: Setup,
        kept: Mapping[str, str | int],
        given: Mapping[str, str | int] | None,
    ) -> dict[str, Value]:
        known = {one.name for one in setup.placeholders}
        # What is set for all setups concerns those that have such a value.
        common = {k: v for k, v in self._overrides.get("", {}).items() if k in known}
        return complete(setup, [kept, common, self._overrides.get(setup.name, {}), given or {}])


def _checked(namespace: str) -> str:
    if not NAME.fullmatch(namespace):
        raise UsageError(f"{namespace!r} is no name of a namespace.")
    return namespace


@contextlib.contextmanager
def _in_words(doing: str) -> Iterator[None]:
    try:
        yield
    except RecursionError:
        raise told(_too_deep(), doing) from None
    except ApiError as error:
        raise told(error, doing) from None
    except (RefusedError, AuditError) as error:
        raise SetupError(str(error)) from None


def _too_deep() -> ApiError:
    """Of fields that are compared without being known: no kind of ours goes as deep as Python."""
    return ApiError(Fault.BAD_REPLY, "An object in the server's answer is nested too deeply.")
