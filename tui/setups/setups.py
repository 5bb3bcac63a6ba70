"""Setups on one cluster: plan, apply, delete, look. What the screen and the command line call.

Every method but :meth:`Setups.values` blocks on the network and belongs in a thread. They raise
:class:`SetupError`, whose text is for people, and nothing else. A stopped ``halt`` ends a running
one at once.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from tui.cluster.halt import Halt
from tui.cluster.objects import Ref
from tui.cluster.transport import Transport
from tui.setups.model import (
    Catalogue,
    Check,
    Conflict,
    Deletion,
    Outcome,
    Plan,
    Progress,
    SetupStatus,
    Value,
)

Report: TypeAlias = Callable[[Progress], None]
"""Is told each step, in the calling thread."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a probe of a :class:`Check` found."""

    good: bool
    sentence: str
    """``200 in 3 ms, X-Served-By: nginx``, or what went wrong."""


Probe: TypeAlias = Callable[[str, Check], Answer]
"""Asks a check in a namespace, once, within a few seconds."""


class Setups:
    """The setups of a catalogue on one cluster.

    Args:
        transport: the cluster.
        catalogue: what there is.
        guard: what may be written at all (:class:`tui.cluster.guard.Guard`).
        audit: where writes are noted (:class:`tui.cluster.audit.AuditLog`).
        overrides: values by setup name, or by ``""`` for all, from the settings.
        probe: asks health paths; None: being rolled out is all there is to know.
    """

    def __init__(
        self,
        transport: Transport,
        catalogue: Catalogue,
        guard: object,
        audit: object,
        *,
        overrides: Mapping[str, Mapping[str, Value]] | None = None,
        probe: Probe | None = None,
    ) -> None:
        raise NotImplementedError

    def values(self, name: str, given: Mapping[str, str | int] | None = None) -> dict[str, Value]:
        """A value for each placeholder: defaults, then settings, then ``given`` (as typed).

        Raises:
            SetupError: a value that does not fit, or of no placeholder.
        """
        raise NotImplementedError

    def plan(
        self,
        name: str,
        namespace: str,
        given: Mapping[str, str | int] | None = None,
        halt: Halt | None = None,
    ) -> Plan:
        """What applying would do: a server-side dry run, prerequisites, rights. Writes nothing."""
        raise NotImplementedError

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
        raise NotImplementedError

    def deletion(self, name: str, namespace: str, halt: Halt | None = None) -> Deletion:
        """What deleting would delete. Also for a name the catalogue no longer has."""
        raise NotImplementedError

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
        raise NotImplementedError

    def status(
        self,
        name: str,
        namespace: str,
        given: Mapping[str, str | int] | None = None,
        halt: Halt | None = None,
    ) -> SetupStatus:
        """How the setup is now, from reads alone. Cheap enough for every few seconds."""
        raise NotImplementedError
