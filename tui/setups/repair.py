"""What a patch that the doctor advises would do, asked of the server; and doing it.

Nothing here is shown or asked: :meth:`Repairs.look` says what would change, whose the fields are
and what stands against it, and :meth:`Repairs.carry_out` changes just that, or nothing.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from tui.analysis.doctor.finding import NOW, Patch, PatchType
from tui.cluster import patching, rights
from tui.cluster.audit import AuditError, AuditLog
from tui.cluster.errors import ApiError, Fault
from tui.cluster.guard import Guard, RefusedError
from tui.cluster.halt import Halt
from tui.cluster.objects import Object, Ref
from tui.cluster.patching import PATCHABLE, Patcher
from tui.cluster.rights import Right
from tui.cluster.transport import Transport
from tui.setups import diff
from tui.setups.keepers import keepers
from tui.setups.model import FieldChange, SetupError
from tui.setups.planning import outdated
from tui.setups.reverse import reverse
from tui.setups.site import told

_TRIES: Final = 6
"""Looks at an object whose status changes meanwhile, and its version with it."""
_TYPES: Final = {
    PatchType.MERGE: patching.PatchType.MERGE,
    PatchType.STRATEGIC: patching.PatchType.STRATEGIC,
    PatchType.JSON: patching.PatchType.JSON,
}


@dataclass(frozen=True, slots=True)
class Repair:
    """What a patch would do. Text from the cluster: clean it before it is shown."""

    rule: str
    patch: Patch
    ref: Ref
    changes: tuple[FieldChange, ...] = ()
    keepers: tuple[str, ...] = ()
    """Sentences: who manages what changes, and would set it back."""
    warnings: tuple[str, ...] = ()
    """What the API server says of it, and what else it brings about."""
    problems: tuple[str, ...] = ()
    """Why it cannot be done; empty if it can."""
    typed: str = ""
    """The context's name to type before it is done; empty if none is asked for."""
    undo: Patch | None = None
    """What takes it back."""
    live: Object | None = None
    """The version that was looked at."""
    final: bool = False
    """Whether it is a restart, which nothing takes back."""

    @property
    def possible(self) -> bool:
        """Whether there is something to do, and nothing against it."""
        return bool(self.changes) and not self.problems


class Repairs:
    """Every method blocks on the network and belongs in a thread.

    Args:
        transport: the cluster.
        guard: what may be written at all.
        audit: where writes are noted.
        clock: seconds since the epoch.
    """

    def __init__(
        self,
        transport: Transport,
        guard: Guard,
        audit: AuditLog,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._transport = transport
        self._patcher = Patcher(transport, guard, audit, clock)
        self._guard = guard
        self._clock = clock

    def look(self, rule: str, patch: Patch, halt: Halt | None = None) -> Repair:
        """What the patch would do: a dry run on the server, of the version that is there now.

        Writes nothing. What stands against it is in :attr:`Repair.problems`.

        Raises:
            SetupError: the cluster cannot be read.
        """
        ref = Ref(patch.kind, patch.namespace, patch.name)
        passing = NOW in patch.body
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self._clock()))
        patch = Patch(
            patch.api_version, patch.kind, patch.namespace, patch.name,
            patch.body.replace(NOW, now), patch.type,
        )  # fmt: skip
        made = Repair(rule, patch, ref, typed=self._guard.typed, final=passing)
        if self._guard.refusal:
            return _refused(made, self._guard.refusal)
        try:
            return self._tried(made, halt or Halt())
        except ApiError as error:
            raise told(error, "looking at the cluster") from None
        except (RefusedError, AuditError) as error:
            return _refused(made, str(error))

    def carry_out(self, shown: Repair, typed: str = "", halt: Halt | None = None) -> Repair:
        """Do what was shown: if the object has changed since so that it would do anything else,
        nothing is done.

        Returns:
            What was done, with the patch that takes it back.

        Raises:
            SetupError: it was refused, or it is not known whether it was done: what happened, and
                what to do next.
        """
        halt, at = halt or Halt(), shown
        try:
            for _ in range(_TRIES):
                if not at.possible or at.live is None:
                    raise SetupError(" ".join(at.problems) or f"{at.ref} needs no change any more.")
                if (at.changes, _uid(at)) != (shown.changes, _uid(shown)):
                    raise SetupError(
                        f"{shown.ref} has been changed since it was looked at; nothing was "
                        "changed. Look again."
                    )
                try:
                    self._send(at, typed, halt)
                except ApiError as error:
                    if not outdated(error) and error.kind is not Fault.NOT_FOUND:
                        raise
                    at = self._tried(replace(at, live=None), halt)
                else:
                    return at
        except ApiError as error:
            raise _failed(shown.ref, error) from None
        except (RefusedError, AuditError) as error:
            raise SetupError(str(error)) from None
        raise SetupError(f"{shown.ref} is changed by others all the time; nothing was changed.")

    def _send(self, repair: Repair, typed: str, halt: Halt) -> None:
        self._patcher.patch(
            repair.ref,
            json.loads(repair.patch.body),
            _TYPES[repair.patch.type],
            repair.live or {},
            rule=repair.rule,
            undo=repair.undo.body if repair.undo is not None else "",
            typed=typed,
            halt=halt,
        )

    def _tried(self, made: Repair, halt: Halt) -> Repair:
        """What the server makes of it."""
        body = json.loads(made.patch.body)
        for _ in range(_TRIES):
            try:
                live = self._patcher.read(made.ref, halt)
            except ApiError as error:
                if error.kind is not Fault.FORBIDDEN:
                    raise
                return _refused(made, *self._lacking(made.ref, halt) or [error.message])
            if live is None:
                return _refused(made, f"{made.ref} is not there any more.")
            lacking = self._lacking(made.ref, halt)
            if lacking:
                return _refused(made, *lacking)
            try:
                found = self._patcher.patch(
                    made.ref, body, _TYPES[made.patch.type], live, dry_run=True, halt=halt
                )
            except ApiError as error:
                if outdated(error):
                    continue
                if error.kind in (Fault.CONFLICT, Fault.INVALID, Fault.FORBIDDEN, Fault.NOT_FOUND):
                    said = f"The API server does not take it: {error.message}"
                    return _refused(made, said)
                raise
            return _compared(made, live, found.body, found.warnings)
        return _refused(made, f"{made.ref} is changed by others all the time.")

    def _lacking(self, ref: Ref, halt: Halt) -> list[str]:
        known = PATCHABLE.get(ref.kind)
        if known is None:
            return []
        wanted = [Right(verb, known, ref.namespace, ref.name) for verb in ("get", "patch")]
        found = rights.missing(self._transport, wanted, halt)
        return [f"You may not {right} ({ref.name})." for right in found]


def _compared(made: Repair, live: Object, after: Object, warnings: tuple[str, ...]) -> Repair:
    found = diff.below_spec(live, after)
    warned = tuple(f"the API server warns: {text}" for text in warnings)
    if any(one.change.path.startswith("spec.template.") for one in found):
        said = "All its pods are replaced, one after the other: it is their template."
        warned = (said, *warned)
    strategic = made.patch.type is not PatchType.MERGE
    back = reverse(live.get("spec") or {}, after.get("spec") or {}, strategic=strategic)
    patch = made.patch
    undo = Patch(
        patch.api_version, patch.kind, patch.namespace, patch.name,
        json.dumps({"spec": back}, separators=(",", ":")),
        PatchType.STRATEGIC if strategic else PatchType.MERGE,
    )  # fmt: skip
    return replace(
        made,
        changes=tuple(one.change for one in found),
        keepers=keepers(live, found),
        warnings=warned,
        undo=undo if back and not made.final else None,
        live=live,
    )


def _refused(made: Repair, *problems: str) -> Repair:
    return replace(made, changes=(), problems=tuple(problems), undo=None, live=None)


def _uid(repair: Repair) -> str:
    return str(((repair.live or {}).get("metadata") or {}).get("uid", ""))


def _failed(ref: Ref, error: ApiError) -> SetupError:
    if error.kind in (Fault.TIMEOUT, Fault.BROKEN, Fault.STOPPED, Fault.BAD_REPLY):
        return SetupError(
            f"The answer did not come ({error.message.rstrip('.')}): {ref} may have been changed. "
            "Look again before you try once more."
        )
    return SetupError(f"{ref} was not changed: {error.message}")
