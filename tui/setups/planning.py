"""What applying a setup would do: asked of the server, object by object, without storing."""

from __future__ import annotations

from dataclasses import replace

from tui.cluster import ownership
from tui.cluster.errors import ApiError, Fault
from tui.cluster.guard import RefusedError
from tui.cluster.halt import Halt
from tui.cluster.objects import Object, Ref
from tui.cluster.rights import Right
from tui.setups import diff, needs, scaling
from tui.setups.model import Setup, Values
from tui.setups.plan import Action, Conflict, Manifest, ObjectDiff, Plan
from tui.setups.render import render
from tui.setups.site import Site, Stock, Survey

_FIELD_CONFLICT = "FieldManagerConflict"
_TRIES = 6


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
    objects = [
        _diff(site, one, survey, scaled, setup.name, halt, local=local)
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
        missing_rights=site.missing(_rights(manifests, survey, namespace), halt),
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
    halt: Halt,
    *,
    local: bool,
) -> ObjectDiff:
    ref, live = manifest.ref, survey.live[manifest.ref]
    for _ in range(_TRIES):
        found = _look(site, manifest, live, scaled, setup, halt, local=local)
        if found is not None:
            return found
        # Its status changes all the time, and the version with it.
        live = site.objects.get(ref, halt)
    return ObjectDiff(ref, Action.REFUSED, problem=f"{ref} is changed by others all the time.")


def _look(
    site: Site,
    manifest: Manifest,
    live: Object | None,
    scaled: set[tuple[str, str]],
    setup: str,
    halt: Halt,
    *,
    local: bool,
) -> ObjectDiff | None:
    """What applying would do to the version that was read; None if it is no longer that."""
    ref = manifest.ref
    if live is not None and ownership.setup_of(live) != setup:
        return foreign(ref, live)
    body = site.wanted(manifest, live, scaled)
    if local:
        return _reckoned(ref, body, live)
    try:
        found = site.writer.apply(ref, body, live, dry_run=True, halt=halt)
    except RefusedError as error:
        return ObjectDiff(ref, Action.REFUSED, problem=str(error))
    except ApiError as error:
        clashes = conflicts_of(error)
        if clashes:
            return _forced(site, ref, body, live, clashes, halt)
        if outdated(error):
            return None
        if "dry run" in error.message.lower() and error.kind is Fault.INVALID:
            # An admission webhook with side effects; the real thing goes past it all the same.
            words = f"The server cannot try it out ({error.message.rstrip('.')})."
            return replace(_reckoned(ref, body, live), warnings=(words,))
        if error.kind is Fault.FORBIDDEN:
            # The right that is missing is told by itself.
            return _reckoned(ref, body, live)
        if error.kind in (Fault.CONFLICT, Fault.INVALID, Fault.NOT_FOUND):
            return ObjectDiff(ref, Action.REFUSED, problem=_refusal(ref, error))
        raise
    return _compared(ref, live, found.body, found.warnings)


def _forced(
    site: Site,
    ref: Ref,
    body: Object,
    live: Object | None,
    clashes: tuple[Conflict, ...],
    halt: Halt,
) -> ObjectDiff | None:
    """What it would be if the fields in conflict were taken over."""
    try:
        found = site.writer.apply(ref, body, live, dry_run=True, force=True, halt=halt)
    except ApiError as error:
        if outdated(error):
            return None
        raise
    changes = diff.between(live or {}, found.body)
    return ObjectDiff(ref, Action.CHANGE, changes, clashes, found.warnings)


def _compared(
    ref: Ref, live: Object | None, result: Object, warnings: tuple[str, ...]
) -> ObjectDiff:
    if live is None:
        return ObjectDiff(ref, Action.CREATE, warnings=warnings)
    changes = diff.between(live, result)
    action = Action.CHANGE if changes else Action.UNCHANGED
    return ObjectDiff(ref, action, changes, warnings=warnings)


def _reckoned(ref: Ref, body: Object, live: Object | None) -> ObjectDiff:
    """As good as it can be told without asking the server."""
    if live is None:
        return ObjectDiff(ref, Action.CREATE)
    changes = tuple(
        type(one.change)(one.change.path, one.change.new, one.change.old)
        for one in diff.departures(body, live)
    )
    return ObjectDiff(ref, Action.CHANGE if changes else Action.UNCHANGED, changes)


def _refusal(ref: Ref, error: ApiError) -> str:
    if error.kind is Fault.NOT_FOUND:
        return (
            f"{ref} cannot be created: {error.message.rstrip('.')}. "
            f"Create it with: kubectl create namespace {ref.namespace}"
            if "namespaces" in error.message
            else f"{ref} cannot be created: {error.message}"
        )
    said = f"The API server does not take {ref}: {error.message}"
    if "port is already allocated" in error.message:
        # A request cut off at the wrong moment leaves the port taken until the server's repair
        # loop has found it three times, once every three minutes.
        said += (
            ". Choose another node-port. If no Service has it (kubectl get services -A), the "
            "server frees it by itself within ten minutes."
        )
    return said


def _rights(manifests: tuple[Manifest, ...], survey: Survey, namespace: str) -> list[Right]:
    wanted = list(survey.unseen)
    for ref in dict.fromkeys(one.ref for one in manifests):
        verbs = ["get", "patch"]
        if survey.live.get(ref) is None:
            verbs.append("create")
        wanted += [Right(verb, ref.known, namespace) for verb in verbs]
    wanted += [Right("delete", ref.known, namespace) for ref in survey.leftover]
    # A kind that the setup has nothing of is no loss if it may not be listed.
    used = {one.ref.known for one in manifests}
    return [one for one in dict.fromkeys(wanted) if one.verb != "list" or one.kind in used]


def _is_hpa(ref: Ref) -> bool:
    return ref.kind == "HorizontalPodAutoscaler"
