"""What applying a setup would do: asked of the server, object by object, without storing."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Final

from tui.cluster import ownership
from tui.cluster.errors import ApiError, Fault
from tui.cluster.guard import RefusedError
from tui.cluster.halt import Halt
from tui.cluster.objects import KnownKind, Object, Ref
from tui.cluster.rights import Right, in_words
from tui.setups import diff, needs, scaling
from tui.setups.model import Setup, Values
from tui.setups.plan import Action, Conflict, Manifest, ObjectDiff, Plan
from tui.setups.render import render
from tui.setups.site import Site, Stock, Survey

_FIELD_CONFLICT = "FieldManagerConflict"
_TRIES = 6
REFUSALS: Final = frozenset({Fault.INVALID, Fault.NOT_FOUND, Fault.FORBIDDEN, Fault.SERVER})
"""What concerns one object alone: by quotas and webhooks the server refuses with 403 and 500."""
_STEPS: Final = {
    # A request cut off at the wrong moment leaves the port taken until the server's repair loop
    # has found it three times, once every three minutes.
    "port is already allocated": (
        "Choose another node-port. If no Service has it (kubectl get services -A), the server "
        "frees it by itself within ten minutes."
    ),
    "exceeded quota": ("Raise the quota (kubectl describe quota -n {namespace}), or ask for less."),
    "because it is being terminated": (
        "Choose another namespace, or wait until it is gone and create it again."
    ),
    "failed calling webhook": "What stands behind that webhook has to answer first.",
    "field is immutable": "Delete the setup, and apply it again.",
    "updates to statefulset spec": "Delete the setup, and apply it again.",
    'namespaces "': "Create it with: kubectl create namespace {namespace}",
}
"""By what the server says: what to do next."""


def make(
    site: Site, setup: Setup, values: Values, namespace: str, stock: Stock, halt: Halt
) -> Plan:
    """The plan to apply a setup in a namespace.

    Raises:
        ApiError: the cluster cannot be read at all.
        SetupError: the setup cannot be rendered.
    """
    manifests = render(setup, values, namespace)
    survey = site.survey(manifests, setup.name, namespace, halt, stock)
    local = bool(site.writer.guard.refusal)
    scaled = scaling.targets([*survey.hpas, *(one.body for one in manifests if _is_hpa(one.ref))])
    lacking = site.missing(_rights(manifests, survey, namespace), halt)
    denied = frozenset(right.kind for right in lacking)
    objects = [
        _diff(site, one, survey, scaled, setup.name, denied, halt, local=local)
        for one in manifests
        if one.ref in survey.live
    ]
    objects += [ObjectDiff(ref, Action.PRUNE) for ref in sorted(survey.leftover, reverse=True)]
    known = {**values, "namespace": namespace}
    return Plan(
        setup=setup,
        values=values,
        namespace=namespace,
        manifests=manifests,
        objects=tuple(objects),
        prerequisites=needs.check(
            site, setup.needs, known, manifests, namespace, survey.hpas, halt
        ),
        missing_rights=in_words(lacking),
        local=local,
        guard=site.writer.guard.refusal,
        typed=site.writer.guard.typed,
    )


def conflicts_of(error: ApiError) -> tuple[Conflict, ...]:
    """The managers and fields that a refused apply names; none if that was not why."""
    found = []
    for cause in error.causes:
        if cause.reason == _FIELD_CONFLICT:
            _, quote, rest = cause.message.partition('"')
            manager = rest.partition('"')[0] if quote else cause.message
            found.append(Conflict(manager, cause.field.lstrip(".")))
    return tuple(dict.fromkeys(found))


def outdated(error: ApiError) -> bool:
    """Whether the version that was read is no longer the one that is there."""
    if error.kind is Fault.CONFLICT:
        return not conflicts_of(error)
    return error.kind is Fault.INVALID and any(c.field == "metadata.uid" for c in error.causes)


def foreign(ref: Ref, live: Object) -> ObjectDiff:
    """An object that is there and not ours."""
    owner = ownership.owner(live)
    problem = (
        f"{ref} in namespace {ref.namespace} is not ours: it belongs to {owner}, and is left as it "
        "is. Choose another namespace, or delete it yourself."
    )
    return ObjectDiff(ref, Action.REFUSED, problem=problem, owner=owner)


def _diff(
    site: Site,
    manifest: Manifest,
    survey: Survey,
    scaled: set[tuple[str, str]],
    setup: str,
    denied: Collection[KnownKind],
    halt: Halt,
    *,
    local: bool,
) -> ObjectDiff:
    ref, live = manifest.ref, survey.live[manifest.ref]
    for _ in range(_TRIES):
        found = _look(site, manifest, live, scaled, setup, denied, halt, local=local)
        if found is not None:
            return found
        # Its status changes all the time, and the version with it.
        live = site.objects.get(ref, halt)
    words = f"{ref} is changed by others all the time; look again in a moment."
    return ObjectDiff(ref, Action.REFUSED, problem=words)


def _look(
    site: Site,
    manifest: Manifest,
    live: Object | None,
    scaled: set[tuple[str, str]],
    setup: str,
    denied: Collection[KnownKind],
    halt: Halt,
    *,
    local: bool,
) -> ObjectDiff | None:
    """What applying would do to the version that was read; None if it is no longer that."""
    ref = manifest.ref
    if live is not None and ownership.setup_of(live) != setup:
        return foreign(ref, live)
    if live is not None and (live.get("metadata") or {}).get("deletionTimestamp"):
        words = "The old one is being deleted; applying waits until it is gone."
        return ObjectDiff(ref, Action.CREATE, note=words)
    body = site.wanted(manifest, live, scaled)
    if local:
        return _reckoned(ref, body, live)
    clashes: tuple[Conflict, ...] = ()
    try:
        try:
            found = site.writer.apply(ref, body, live, dry_run=True, halt=halt)
        except ApiError as error:
            clashes = conflicts_of(error)
            if not clashes:
                raise
            # What it would be if the fields in conflict were taken over.
            found = site.writer.apply(ref, body, live, dry_run=True, force=True, halt=halt)
    except RefusedError as error:
        return ObjectDiff(ref, Action.REFUSED, problem=str(error))
    except ApiError as error:
        if outdated(error):
            return None
        if "dry run" in error.message.lower() and error.kind is Fault.INVALID:
            # An admission webhook with side effects; the real thing goes past it all the same.
            words = f"The server cannot try it out ({error.message.rstrip('.')})."
            return replace(_reckoned(ref, body, live), note=words)
        if error.kind is Fault.FORBIDDEN and ref.known in denied:
            # The right that is missing is told by itself.
            return _reckoned(ref, body, live)
        if error.kind in REFUSALS:
            return ObjectDiff(ref, Action.REFUSED, problem=refusal(ref, error))
        raise
    if live is None:
        return ObjectDiff(ref, Action.CREATE, warnings=found.warnings)
    changes = diff.between(live, found.body)
    action = Action.CHANGE if changes or clashes else Action.UNCHANGED
    return ObjectDiff(ref, action, changes, clashes, found.warnings)


def _reckoned(ref: Ref, body: Object, live: Object | None) -> ObjectDiff:
    """As good as it can be told without asking the server."""
    if live is None:
        return ObjectDiff(ref, Action.CREATE)
    changes = tuple(
        type(one.change)(one.change.path, one.change.new, one.change.old)
        for one in diff.departures(body, live)
    )
    return ObjectDiff(ref, Action.CHANGE if changes else Action.UNCHANGED, changes)


def refusal(ref: Ref, error: ApiError) -> str:
    """That the server does not take an object, why, and what to do about it."""
    said = f"The API server does not take {ref}: {error.message}"
    for words, step in _STEPS.items():
        if words in error.message:
            return f"{said.rstrip('.')}. {step.format(namespace=ref.namespace)}"
    return said


def _rights(manifests: tuple[Manifest, ...], survey: Survey, namespace: str) -> list[Right]:
    wanted = list(survey.unseen)
    for ref in dict.fromkeys(one.ref for one in manifests):
        wanted += [Right(verb, ref.known, namespace, ref.name) for verb in ("get", "patch")]
        if survey.live.get(ref) is None:
            wanted.append(Right("create", ref.known, namespace))
    wanted += [Right("delete", ref.known, namespace, ref.name) for ref in survey.leftover]
    # A kind that the setup has nothing of is no loss if it may not be listed.
    used = {one.ref.known for one in manifests}
    return [one for one in dict.fromkeys(wanted) if one.verb != "list" or one.kind in used]


def _is_hpa(ref: Ref) -> bool:
    return ref.kind == "HorizontalPodAutoscaler"
