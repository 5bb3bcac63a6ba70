"""Taking an apply back: what it created goes, what it changed becomes what it was."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from tui.cluster import ownership
from tui.cluster.audit import AuditError
from tui.cluster.errors import ApiError, Fault
from tui.cluster.guard import RefusedError
from tui.cluster.halt import Halt
from tui.cluster.objects import Object, Ref
from tui.setups import managed
from tui.setups.deleting import Deleting
from tui.setups.outcome import Failure, Outcome, Progress, Step
from tui.setups.plan import Deletion
from tui.setups.site import Site

_TRIES = 12
_LABELS = (ownership.MANAGED_BY, ownership.SETUP)


def before(live: Object, after: Object) -> Object:
    """What to apply to make an object again what it was before an apply changed it.

    What had been applied to it, and the old values of what that apply took from other managers:
    nobody but us would set those again.

    Args:
        live: as it was.
        after: as the apply left it.
    """
    mine = managed.applied(live, ownership.MANAGER)
    body = managed.extract(live, mine | managed.gained(live, after, ownership.MANAGER))
    # Whoever set them: what has lost them is not ours to restore.
    labels = {name: live["metadata"]["labels"][name] for name in _LABELS}
    body["metadata"]["labels"] = {**(body["metadata"].get("labels") or {}), **labels}
    return body


def run(
    site: Site,
    outcome: Outcome,
    report: Callable[[Progress], None],
    typed: str,
    wait: float,
    halt: Halt,
) -> Outcome:
    """Undo an apply; never raises.

    Args:
        site: the cluster.
        outcome: of the apply.
        report: told every step.
        typed: the context's name, where the guard asks for it.
        wait: seconds until what was created must be gone.
        halt: ends it.
    """
    began = site.steady()
    restored: list[Ref] = []
    failure = None
    try:
        for ref, before in reversed(outcome.before):
            restore = partial(_restore, site, ref, before, outcome.setup, typed, halt)
            site.patiently(restore, halt, lambda words: None)
            restored.append(ref)
            report(Progress(ref, Step.SENT, "as it was before", site.steady() - began))
    except (RefusedError, AuditError) as error:
        failure = Failure(None, "Refused", str(error))
    except ApiError as error:
        stopped = error.kind is Fault.STOPPED
        words = "It was stopped; undo it again." if stopped else error.message
        failure = Failure(None, error.reason or error.kind.value, words)
    created = tuple(reversed(outcome.created))
    if failure is None:
        deletion = Deletion(outcome.setup, outcome.namespace, created)
        ended = Deleting(site, deletion, report, typed=typed, wait=wait, halt=halt).run()
        done, left, failure = ended.done, ended.left, ended.failure
    else:
        done = ()
        left = tuple(ref for ref, _ in (*outcome.before, *created) if ref not in restored)
    return Outcome(
        setup=outcome.setup,
        namespace=outcome.namespace,
        seconds=site.steady() - began,
        done=(*restored, *done),
        left=left,
        failure=failure,
    )


def _restore(site: Site, ref: Ref, before: Object, setup: str, typed: str, halt: Halt) -> None:
    for attempt in range(_TRIES):
        live = site.objects.get(ref, halt)
        if live is None:
            raise ApiError(Fault.NOT_FOUND, f"{ref} was deleted meanwhile; it is not made again.")
        if ownership.setup_of(live) != setup:
            raise RefusedError(f"{ref} belongs to {ownership.owner(live)} now; it stays.")
        try:
            site.writer.apply(ref, before, live, typed=typed, halt=halt)
        except ApiError as error:
            if error.kind is not Fault.CONFLICT or error.causes:
                raise
            if halt.wait(0.02 * (attempt + 1)):
                raise ApiError(Fault.STOPPED, "stopped") from None
            continue
        return
    raise ApiError(Fault.CONFLICT, f"{ref} is changed by others again and again; try once more.")
