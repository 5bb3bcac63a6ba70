"""What the dashboard is about: one HPA, the workload it scales, and that workload's pods."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple, cast

import msgspec

from tui.analysis.selectors import matches
from tui.state.delta import Delta
from tui.state.rows import HpaRow, Kind, MetricRow, PodRow, PodUsage, Row, WorkloadRow
from tui.state.table import Change

HPA: Final = "HorizontalPodAutoscaler"
SCALABLE: Final = {
    "Deployment": Kind.DEPLOYMENTS,
    "ReplicaSet": Kind.REPLICASETS,
    "StatefulSet": Kind.STATEFULSETS,
}


class Target(NamedTuple):
    """A workload by name, as ``--target deployment/NAME`` gives it. ``kind`` as in the API."""

    kind: str
    name: str
    namespace: str | None = None


class TargetError(ValueError):
    """The text names no target."""


_ALIASES: Final = {
    alias: kind
    for kind, aliases in {
        "Deployment": ("deployment", "deployments", "deploy"),
        "ReplicaSet": ("replicaset", "replicasets", "rs"),
        "StatefulSet": ("statefulset", "statefulsets", "sts"),
    }.items()
    for alias in aliases
}


def parse_target(text: str) -> Target:
    """``deployment/web``, ``deploy/web``, ``sts/db`` or ``web`` (a Deployment).

    Raises:
        TargetError: another kind, or no name.
    """
    kind, slash, name = text.partition("/")
    if not slash:
        kind, name = "deployment", text
    known = _ALIASES.get(kind.lower().removesuffix(".apps"))
    if known is None:
        raise TargetError(
            f"'{kind}' cannot be a target; use deployment/NAME, statefulset/NAME or replicaset/NAME"
        )
    if not name or "/" in name:
        raise TargetError(f"'{text}' names no {known}; use {known.lower()}/NAME")
    return Target(known, name)


class Focus(msgspec.Struct, frozen=True):
    """The HPA in view and what belongs to it. Every part may be missing."""

    hpa: HpaRow | None = None
    position: int = 0
    """The HPA's place among ``count``, from 1; 0 without one."""
    count: int = 0
    target: Target | None = None
    """The scale target as named by the HPA or the user, whether it exists or not."""
    workload: WorkloadRow | None = None
    pods: tuple[PodRow, ...] = ()
    """What the target's selector matches, as the HPA counts them; oldest first."""

    @property
    def keys(self) -> tuple[str, ...]:
        """The HPA and the scale target, each as ``Kind/namespace/name``."""
        found = []
        if self.hpa is not None:
            found.append(f"{HPA}/{self.hpa.namespace}/{self.hpa.name}")
        if self.target is not None:
            found.append(f"{self.target.kind}/{self.target.namespace or ''}/{self.target.name}")
        return tuple(found)

    @property
    def live_pods(self) -> tuple[PodRow, ...]:
        """Without those that have run to their end."""
        return tuple(p for p in self.pods if not p.terminal)


def ordered(hpas: Iterable[HpaRow]) -> list[HpaRow]:
    """HPAs in the order they are stepped through."""
    return sorted(hpas, key=lambda h: (h.namespace, h.name))


def resolve(
    delta: Delta, uid: str | None, target: Target | None, before: Focus | None = None
) -> Focus:
    """Find the focus: the HPA of that uid, else the one that scales ``target``, else the first.

    With a target that no HPA scales, the focus has a workload and no HPA. ``before``: the focus of
    the very delta before this one, which spares a look at every pod.
    """
    hpas = ordered(delta.hpas.rows.values())
    hpa = delta.hpas.rows.get(uid) if uid is not None else None
    if hpa is None and target is not None:
        hpa = next((h for h in hpas if _scales(h, target)), None)
    elif hpa is None and hpas:
        hpa = hpas[0]
    if hpa is not None:
        target = Target(hpa.target_kind, hpa.target_name, hpa.namespace)
    workload = _find(delta, target) if target is not None else None
    if workload is not None and target is not None and target.namespace is None:
        target = target._replace(namespace=workload.namespace)
    return Focus(
        hpa=hpa,
        position=hpas.index(hpa) + 1 if hpa is not None else 0,
        count=len(hpas),
        target=target,
        workload=workload,
        pods=_pods(delta, workload, before),
    )


def touches(change: Change, focus: Focus) -> bool:
    """Whether a change may alter the focus: most of those in a large cluster do not."""
    before, after = change.before, change.after
    if change.kind is Kind.PODS:
        return any(row is not None and _is_of(cast(PodRow, row), focus) for row in (before, after))
    if change.kind is not Kind.HPAS and change.kind not in SCALABLE.values():
        return False
    if before is None or after is None:
        return True
    shown: Row | None = focus.workload
    if change.kind is Kind.HPAS:
        was, now = cast(HpaRow, before), cast(HpaRow, after)
        if (was.target_kind, was.target_name) != (now.target_kind, now.target_name):
            return True
        shown = focus.hpa
    return shown is not None and shown.uid == after.uid


def _is_of(pod: PodRow, focus: Focus) -> bool:
    workload = focus.workload
    return (
        workload is not None
        and pod.namespace == workload.namespace
        and bool(workload.selector)
        and matches(workload.selector, pod.labels)
    )


def pods_of(delta: Delta, workload: WorkloadRow | None) -> tuple[PodRow, ...]:
    """The pods a workload's selector matches, oldest first."""
    if workload is None or not workload.selector:
        return ()
    return _by_age(
        pod
        for pod in delta.pods.rows.values()
        if pod.namespace == workload.namespace and matches(workload.selector, pod.labels)
    )


def _pods(delta: Delta, workload: WorkloadRow | None, before: Focus | None) -> tuple[PodRow, ...]:
    was = before.workload if before is not None else None
    if before is None or was is None or workload is None:
        return pods_of(delta, workload)
    if (was.uid, was.selector) != (workload.uid, workload.selector):
        return pods_of(delta, workload)
    found = {pod.uid: pod for pod in before.pods}
    for change in delta.changes:
        if change.kind is Kind.PODS:
            if change.before is not None:
                found.pop(change.before.uid, None)
            if change.after is not None and _is_of(cast(PodRow, change.after), before):
                found[change.after.uid] = cast(PodRow, change.after)
    return _by_age(found.values())


def _by_age(pods: Iterable[PodRow]) -> tuple[PodRow, ...]:
    return tuple(sorted(pods, key=lambda p: (p.created, p.name)))


class Utilization(NamedTuple):
    """CPU of several pods against their requests: a ratio of sums, as the HPA takes it."""

    used: int
    """Millicores, of the pods that have a sample."""
    requested: int | None
    """Millicores, of the same pods; None when one of them requests none."""
    pods: int
    time: float
    """Of the newest sample."""

    @property
    def percent(self) -> int | None:
        """Truncated to a whole percent; None when a pod requests none, as for the HPA."""
        return 100 * self.used // self.requested if self.requested else None


def utilization(
    pods: Iterable[PodRow], usage: Mapping[tuple[str, str], PodUsage]
) -> Utilization | None:
    """CPU over request, summed over the pods with a sample; None when there is none."""
    used = count = 0
    requested: int | None = 0
    newest = 0.0
    for pod in pods:
        sample = usage.get((pod.namespace, pod.name))
        if sample is None or pod.deleting is not None or pod.terminal:
            continue
        used += sample.cpu
        request = pod.cpu_request
        requested = None if requested is None or request is None else requested + request
        count += 1
        newest = max(newest, sample.time)
    return Utilization(used, requested, count, newest) if count else None


def cpu_target(hpa: HpaRow | None) -> MetricRow | None:
    """The HPA's metric that the CPU chart can draw a target line for."""
    if hpa is None:
        return None
    return next(
        (m for m in hpa.metrics if m.name == "cpu" and m.target_type == "Utilization"), None
    )


def _scales(hpa: HpaRow, target: Target) -> bool:
    return (hpa.target_kind, hpa.target_name) == (target.kind, target.name) and (
        target.namespace in (None, hpa.namespace)
    )


def _find(delta: Delta, target: Target) -> WorkloadRow | None:
    kind = SCALABLE.get(target.kind)
    if kind is None:
        return None
    return next(
        (
            w
            for w in delta.workloads(kind).rows.values()
            if w.name == target.name and target.namespace in (None, w.namespace)
        ),
        None,
    )
