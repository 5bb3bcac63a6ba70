"""How a setup is: from what is there, without asking anybody to change anything."""

from __future__ import annotations

from datetime import datetime

from tui.cluster import ownership
from tui.cluster.errors import ApiError, Fault
from tui.cluster.halt import Halt
from tui.cluster.objects import Object, Ref
from tui.setups import drift as drifts
from tui.setups import scaling
from tui.setups.model import Drift, Setup, SetupStatus, State, Values
from tui.setups.plan import Manifest
from tui.setups.render import WORKLOADS, filled, render
from tui.setups.rollout import Verdict
from tui.setups.site import Site, Stock
from tui.text import plural

_YOUNG = 120.0
"""Seconds after its creation for which a workload that is not ready counts as being applied."""


def read(
    site: Site,
    setup: Setup,
    values: Values,
    namespace: str,
    now: float,
    stock: Stock,
    halt: Halt,
) -> SetupStatus:
    """The status of a setup in a namespace.

    Raises:
        ApiError: the cluster cannot be read at all.
        SetupError: the setup cannot be rendered.
    """
    manifests = render(setup, values, namespace)
    survey = site.survey(manifests, setup.name, namespace, halt, stock)
    scaled = scaling.targets([*survey.hpas, *(m.body for m in manifests if _is_hpa(m.ref))])
    ours: dict[Ref, Object] = {}
    missing, foreign = [], []
    found: list[Drift] = []
    for manifest in manifests:
        live = survey.live.get(manifest.ref)
        if manifest.ref not in survey.live:
            continue
        if live is None:
            missing.append(manifest.ref)
        elif ownership.setup_of(live) != setup.name:
            foreign.append((manifest.ref, ownership.owner(live)))
        else:
            ours[manifest.ref] = live
            found += _drift(site, manifest, live, scaled)
    verdicts = {
        ref: site.verdict(live, namespace, halt)
        for ref, live in ours.items()
        if ref.kind in WORKLOADS
    }
    unreadable = tuple(str(right) for right in survey.unseen if right.verb == "get")
    state, sentence = _judge(
        ours, missing, foreign, survey.leftover, found, verdicts, unreadable, now
    )
    health = setup.health
    known = {**values, "namespace": namespace}
    return SetupStatus(
        setup=setup.name,
        namespace=namespace,
        state=state,
        sentence=sentence,
        objects=tuple(ours),
        missing=tuple(missing),
        leftover=tuple(survey.leftover),
        foreign=tuple(foreign),
        drift=tuple(found),
        ready=sum(v.ready for v in verdicts.values()) if verdicts else None,
        wanted=sum(v.wanted for v in verdicts.values()) if verdicts else None,
        health=None if health is None else filled(health, known),
    )


def _drift(
    site: Site, manifest: Manifest, live: Object, scaled: set[tuple[str, str]]
) -> tuple[Drift, ...]:
    wanted = site.wanted(manifest, live, scaled)
    return drifts.find(wanted, manifest.ref, live)


def _judge(
    ours: dict[Ref, Object],
    missing: list[Ref],
    foreign: list[tuple[Ref, str]],
    leftover: dict[Ref, Object],
    found: list[Drift],
    verdicts: dict[Ref, Verdict],
    unreadable: tuple[str, ...],
    now: float,
) -> tuple[State, str]:
    if unreadable and not ours and not foreign:
        return State.UNKNOWN, f"You may not {unreadable[0]}."
    if foreign:
        ref, owner = foreign[0]
        said = f"{ref} is there and belongs to {owner}: it stays as it is."
        if len(foreign) > 1:
            said += f" Not ours, either: {_names([one for one, _ in foreign[1:]])}."
        return State.NOT_OURS, said
    if not ours:
        if leftover:
            return State.DEGRADED, f"Only leftovers are there: {_names(leftover)}. Delete it."
        return State.ABSENT, "Not applied."
    if any((one.get("metadata") or {}).get("deletionTimestamp") for one in ours.values()):
        return State.APPLYING, "It is being deleted."
    if missing:
        return State.DEGRADED, f"Missing: {_names(missing)}. Apply it again."
    behind = {ref: verdict for ref, verdict in verdicts.items() if not verdict.done}
    for ref, verdict in behind.items():
        if verdict.trouble is not None and verdict.trouble.hopeless:
            return State.DEGRADED, f"{ref}: {verdict.sentence}."
    for ref, verdict in behind.items():
        if now - _since(ours[ref]) < _YOUNG:
            return State.APPLYING, f"{ref}: {verdict.sentence}."
        return State.DEGRADED, f"{ref}: {verdict.sentence}."
    for ref, live in ours.items():
        blind = _blind(live, now) if ref.kind == "HorizontalPodAutoscaler" else None
        if blind is not None:
            state, words = blind
            return state, f"{ref}: {words}"
    if found:
        return State.DRIFTED, _drifted(found)
    if leftover:
        return State.DRIFTED, (
            f"Left over from an older version: {_names(leftover)}. Applying again deletes it."
        )
    ready = sum(v.ready for v in verdicts.values())
    return State.HEALTHY, f"{plural(ready, 'pod')} ready." if verdicts else "In place."


def _drifted(found: list[Drift]) -> str:
    """What is otherwise, by whom, and what applying again would do about it."""
    drift = min(found, key=lambda one: one.added)
    what, then = "changed", "Applying again sets it back."
    if drift.added:
        what, then = "added", "Applying again leaves it; take it away by hand."
    by = f" by {drift.by}" if drift.by else ""
    more = f", and {plural(len(found) - 1, 'other field')}" if len(found) > 1 else ""
    return f"{drift.ref}: {drift.change.path} was {what}{by}{more}. {then}"


def _blind(hpa: Object, now: float) -> tuple[State, str] | None:
    """What keeps an HPA from scaling; None if nothing does."""
    status = hpa.get("status") or {}
    conditions = {c.get("type"): c for c in status.get("conditions") or ()}
    for kind in ("AbleToScale", "ScalingActive"):
        condition = conditions.get(kind)
        if condition is not None and condition.get("status") == "False":
            since = _seconds(str(condition.get("lastTransitionTime", "")))
            young = now - max(_created(hpa), since) < _YOUNG
            words = str(condition.get("message") or condition.get("reason") or "it cannot scale")
            return (State.APPLYING if young else State.DEGRADED), words
    if not conditions:
        return State.APPLYING, "the HPA has not looked at it yet."
    return None


def _since(live: Object) -> float:
    """When a workload was last changed, as far as its managers tell."""
    times = [
        str(one.get("time", ""))
        for one in (live.get("metadata") or {}).get("managedFields") or ()
        if one.get("subresource") in (None, "", "scale")
    ]
    return max([_created(live), *(_seconds(text) for text in times)])


def _created(live: Object) -> float:
    return _seconds(str((live.get("metadata") or {}).get("creationTimestamp", "")))


def _seconds(text: str) -> float:
    try:
        return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
    except (ValueError, OverflowError, OSError):
        return 0.0


def _names(refs: dict[Ref, Object] | list[Ref]) -> str:
    return ", ".join(str(ref) for ref in refs)


def _is_hpa(ref: Ref) -> bool:
    return ref.kind == "HorizontalPodAutoscaler"


def unreadable(error: ApiError, name: str, namespace: str) -> SetupStatus:
    """The status where the cluster cannot be read."""
    words = "Stopped." if error.kind is Fault.STOPPED else error.message
    return SetupStatus(name, namespace, State.UNKNOWN, words)
