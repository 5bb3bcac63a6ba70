"""Setups on one cluster: plan, apply, delete, look. What the screen and the command line call.

Every method but :meth:`Setups.values` blocks on the network and belongs in a thread. They raise
:class:`SetupError`, whose text is for people, and nothing else. A stopped ``halt`` ends a running
one at once.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import TypeAlias

from tui.cluster.apply import Writer
from tui.cluster.audit import AuditError, AuditLog
from tui.cluster.errors import ApiError
from tui.cluster.guard import Guard, RefusedError
from tui.cluster.halt import Halt
from tui.cluster.objects import Ref
from tui.cluster.transport import Transport
from tui.setups import deleting, planning, status
from tui.setups.applying import Applying
from tui.setups.deleting import Deleting
from tui.setups.model import (
    Answer,
    Catalogue,
    Check,
    Conflict,
    Deletion,
    Outcome,
    Plan,
    Progress,
    SetupError,
    SetupStatus,
    Value,
)
from tui.setups.render import render
from tui.setups.site import Site, told
from tui.setups.values import NAME, complete

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
    ) -> None:
        self.catalogue = catalogue
        self.guard = guard
        self._overrides = overrides or {}
        self._clock = clock
        self._transport = transport
        self._site = Site(transport, Writer(transport, guard, audit, clock), probe)

    def probe_with(self, probe: Probe) -> None:
        """Ask health paths with this from now on."""
        self._site.probe = probe

    def values(self, name: str, given: Mapping[str, str | int] | None = None) -> dict[str, Value]:
        """A value for each placeholder: defaults, then settings, then ``given`` (as typed).

        Raises:
            SetupError: a value that does not fit, or of no placeholder.
        """
        setup = self.catalogue.get(name)
        known = {one.name for one in setup.placeholders}
        # What is set for all setups concerns those that have such a value.
        common = {k: v for k, v in self._overrides.get("", {}).items() if k in known}
        return complete(setup, [common, self._overrides.get(name, {}), given or {}])

    def plan(
        self,
        name: str,
        namespace: str,
        given: Mapping[str, str | int] | None = None,
        halt: Halt | None = None,
    ) -> Plan:
        """What applying would do: a server-side dry run, prerequisites, rights. Writes nothing."""
        values = self.values(name, given)
        setup = self.catalogue.get(name)
        with _in_words("looking at the cluster"):
            return planning.make(self._site, setup, values, _checked(namespace), halt or Halt())

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
        """What deleting would delete. Also for a name the catalogue no longer has."""
        namespace = _checked(namespace)
        known = {setup.name: setup for setup in self.catalogue.setups}
        if not NAME.fullmatch(name):
            raise SetupError(f"{name!r} is no name of a setup.")
        with _in_words("looking at the cluster"):
            manifests = render(known[name], self.values(name), namespace) if name in known else ()
            return deleting.make(self._site, manifests, name, namespace, halt or Halt())

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

    def status(
        self,
        name: str,
        namespace: str,
        given: Mapping[str, str | int] | None = None,
        halt: Halt | None = None,
    ) -> SetupStatus:
        """How the setup is now, from reads alone. Cheap enough for every few seconds.

        A cluster that cannot be read is a status, too: UNKNOWN, with the reason.
        """
        values = self.values(name, given)
        setup = self.catalogue.get(name)
        # What the server writes is of its clock.
        now = self._clock() + self._transport.skew
        try:
            return status.read(self._site, setup, values, _checked(namespace), now, halt or Halt())
        except ApiError as error:
            return status.unreadable(error, name, namespace)


def _checked(namespace: str) -> str:
    if not NAME.fullmatch(namespace):
        raise SetupError(f"{namespace!r} is no name of a namespace.")
    return namespace


@contextlib.contextmanager
def _in_words(doing: str) -> Iterator[None]:
    try:
        yield
    except ApiError as error:
        raise told(error, doing) from None
    except (RefusedError, AuditError) as error:
        raise SetupError(str(error)) from None
