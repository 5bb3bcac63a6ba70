"""Rows to the inputs of the HPA's algorithm: what the controller reads, as far as it is seen."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Final, TypeAlias

from tui.analysis import hpa
from tui.analysis.hpa_inputs import Reading
from tui.analysis.selectors import matches
from tui.state import readings as state
from tui.state.rows import (
    Direction,
    HpaRow,
    Labels,
    MetricRow,
    PodRequests,
    PodRow,
    PodUsage,
    Requirement,
    WorkloadRow,
)

Readings: TypeAlias = Mapping[int, Reading]
"""Values of Pods, Object and External metrics, by position in the HPA's metrics."""

Group: TypeAlias = tuple[str, Labels]
"""A namespace, and labels that pods in it share."""

_NO_READINGS: Final[Readings] = {}


def spec_of(row: HpaRow) -> hpa.HpaSpec:
    """The spec an HPA's row tells."""
    behavior = None
    if row.has_behavior:
        behavior = hpa.Behavior(_rules(row.scale_up), _rules(row.scale_down))
    return hpa.HpaSpec(
        namespace=row.namespace,
        name=row.name,
        target=hpa.ObjectReference(row.target_kind, row.target_name),
        max_replicas=row.max,
        min_replicas=row.min,
        metrics=tuple(metric_of(m) for m in row.metrics),
        behavior=behavior,
    )


def metric_of(row: MetricRow) -> hpa.MetricSpec:
    """One metric of the spec."""
    kind, _, name = row.object.partition("/")
    aim = row.target
    return hpa.MetricSpec(
        type=row.type,
        name=row.name,
        container=row.container,
        target_type=row.target_type,
        average_utilization=aim if row.target_type == "Utilization" else None,
        average_value=aim if row.target_type == "AverageValue" else None,
        value=aim if row.target_type == "Value" else None,
        selector=selector_of(row.selector),
        described_object=hpa.ObjectReference(kind, name, row.object_version) if kind else None,
    )


def selector_of(terms: Iterable[Requirement]) -> hpa.LabelSelector | None:
    """A selector; one value under ``In`` is a label."""
    labels: list[tuple[str, str]] = []
    expressions: list[tuple[str, str, tuple[str, ...]]] = []
    for term in terms:
        if term.op == "In" and len(term.values) == 1:
            labels.append((term.key, term.values[0]))
        else:
            expressions.append((term.key, term.op, term.values))
    if not labels and not expressions:
        return None
    return hpa.LabelSelector(tuple(sorted(labels)), tuple(expressions))


def status_of(row: HpaRow) -> hpa.Status:
    """The status an HPA's row tells: what the controller wrote last."""
    return hpa.Status(
        current_replicas=row.current or 0,
        desired_replicas=row.desired or 0,
        last_scale_time=row.last_scale,
        current_metrics=tuple(_metric_status(m) for m in row.metrics),
        conditions=tuple(
            hpa.Condition(c.type, c.status, c.reason, c.message, c.since) for c in row.conditions
        ),
    )


def pod_of(row: PodRow) -> hpa.PodInput:
    """A pod as the controller looks at it."""
    ready = None if row.ready is None else "Unknown" if row.unknown else str(row.ready)
    return hpa.PodInput(
        name=row.name,
        phase=row.phase,
        ready=ready,
        ready_since=row.ready_since,
        started=row.started,
        deleting=row.deleting is not None,
        containers=tuple(
            hpa.ContainerInput(c.name, _resources(c.cpu_request, c.memory_request))
            for c in row.containers
        ),
        pod_requests=_whole(row.whole),
        created=row.created or None,
    )


def usage_of(sample: PodUsage) -> hpa.PodUsage:
    """A pod's sample as the controller looks at it."""
    return hpa.PodUsage(
        pod=sample.name,
        timestamp=sample.time,
        window=sample.window,
        containers=tuple(
            hpa.ContainerUsage(name, _resources(cpu, memory))
            for name, cpu, memory in sample.containers
        ),
    )


class Poll:
    """One poll of the metrics API. What is made of a sample is kept while it is the newest: every
    look asks for it.
    """

    def __init__(self, samples: Mapping[tuple[str, str], PodUsage], number: int) -> None:
        """``samples``: by ``(namespace, name)``. ``number``: how many polls there were before."""
        self.number = number
        self._samples = samples
        self._made: dict[tuple[str, str], hpa.PodUsage] = {}

    def of(self, pod: PodRow) -> hpa.PodUsage | None:
        """The pod's sample; None if the poll brought none."""
        key = (pod.namespace, pod.name)
        made = self._made.get(key)
        if made is None and (sample := self._samples.get(key)) is not None:
            made = self._made[key] = usage_of(sample)
        return made

    def rest(self) -> None:
        """A newer poll is there: let go of what was made, which few will ask for again."""
        self._made = {}


class PodInputs:
    """Pods as inputs, made once a row: of thousands of pods few change in a tick."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[PodRow, hpa.PodInput]] = {}

    def of(self, row: PodRow) -> hpa.PodInput:
        """The pod of that row."""
        known = self._known.get(row.uid)
        if known is not None and known[0] is row:
            return known[1]
        made = pod_of(row)
        self._known[row.uid] = (row, made)
        return made

    def keep(self, uids: Collection[str]) -> None:
        """Forget all but these, once it is worth it."""
        if len(self._known) > len(uids) * 5 // 4 + 100:
            self._known = {uid: self._known[uid] for uid in self._known.keys() & set(uids)}


def inputs_of(
    row: HpaRow,
    workload: WorkloadRow | None,
    pods: Iterable[hpa.PodInput],
    usage: Iterable[hpa.PodUsage] | hpa.Unavailable,
    *,
    selecting: tuple[str, ...] = (),
    readings: Readings = _NO_READINGS,
    replicas: int | None = None,
) -> hpa.Inputs:
    """All that one sync reads.

    Args:
        row: the HPA; its status is what was written before.
        workload: its scale target, if it is there.
        pods: what the target's selector matches.
        usage: their samples, or why there are none.
        selecting: ``namespace/name`` of every HPA that selects one of the pods.
        readings: what custom and external metrics read.
        replicas: the target's ``spec.replicas`` where it is known better than from the workload.
    """
    if workload is None:
        gone = f'{row.target_kind.lower()}s.apps "{row.target_name}" not found'
        return hpa.Inputs(hpa.Unavailable(gone), status=status_of(row))
    return hpa.Inputs(
        scale=hpa.Scale(
            replicas=workload.replicas if replicas is None else replicas,
            status_replicas=workload.current,
            selector=",".join(term.written for term in workload.selector),
        ),
        pods=tuple(pods),
        usage=usage if isinstance(usage, hpa.Unavailable) else tuple(usage),
        readings=readings,
        selecting_hpas=selecting,
        status=status_of(row),
    )


def readings_of(found: Mapping[int, state.Reading]) -> Readings:
    """Custom and external metrics as the algorithm takes them."""
    return {place: _reading(reading) for place, reading in found.items()}


class PodIndex:
    """Finds the pods of a selector without asking every pod: by namespace and labels.

    Pods of one ReplicaSet share their labels, so there are far fewer sets of labels than pods. An
    index never changes: :meth:`updated` makes the next one of what most ticks leave as it is.
    """

    def __init__(self, pods: Iterable[PodRow]) -> None:
        self._groups: dict[Group, dict[str, PodRow]] = {}
        for pod in pods:
            key = (pod.namespace, pod.labels)
            group = self._groups.get(key)
            if group is None:
                self._groups[key] = {pod.uid: pod}
            else:
                group[pod.uid] = pod
        self._directory = _Directory(self._groups)

    def updated(self, changes: Iterable[tuple[PodRow | None, PodRow | None]]) -> PodIndex:
        """The index after some pods changed, each told before and after."""
        index = PodIndex(())
        groups = index._groups = self._groups.copy()
        own: set[Group] = set()

        def opened(key: Group) -> dict[str, PodRow]:
            if key not in own:
                own.add(key)
                groups[key] = groups.get(key, {}).copy()
            return groups[key]

        for before, after in changes:
            kept = after is not None and before is not None and before.labels == after.labels
            if before is not None and not kept:
                opened((before.namespace, before.labels)).pop(before.uid, None)
            if after is not None:
                opened((after.namespace, after.labels))[after.uid] = after
        for key in own:
            if not groups[key]:
                del groups[key]
        same = all((key in groups) == (key in self._groups) for key in own)
        index._directory = self._directory if same else _Directory(groups)
        return index

    def alike(self, other: PodIndex) -> bool:
        """Whether it has the very groups of another, one of which was made of the other."""
        return self._directory is other._directory

    def groups(self, workload: WorkloadRow) -> list[Group]:
        """The groups that a workload's selector matches."""
        return self._directory.matching(workload)

    def pods(self, workload: WorkloadRow) -> list[PodRow]:
        """The pods that a workload's selector matches."""
        return [pod for group in self.groups(workload) for pod in self._groups[group].values()]


class _Directory:
    """Which groups there are."""

    def __init__(self, groups: Iterable[Group]) -> None:
        self._by_label: dict[tuple[str, str, str], list[Group]] = {}
        self._by_namespace: dict[str, list[Group]] = {}
        self._known: dict[str, tuple[tuple[Requirement, ...], list[Group]]] = {}
        for group in groups:
            namespace, labels = group
            self._by_namespace.setdefault(namespace, []).append(group)
            for label, value in labels:
                self._by_label.setdefault((namespace, label, value), []).append(group)

    def matching(self, workload: WorkloadRow) -> list[Group]:
        known = self._known.get(workload.uid)
        if known is None or known[0] != workload.selector:
            known = workload.selector, self._matching(workload)
            self._known[workload.uid] = known
        return known[1]

    def _matching(self, workload: WorkloadRow) -> list[Group]:
        namespace, terms = workload.namespace, workload.selector
        if not terms:
            return []
        plain = next((t for t in terms if t.op == "In" and len(t.values) == 1), None)
        if plain is not None:
            candidates = self._by_label.get((namespace, plain.key, plain.values[0]), [])
        else:
            candidates = self._by_namespace.get(namespace, [])
        return [group for group in candidates if matches(terms, group[1])]


def _reading(found: state.Reading) -> Reading:
    if found.pods is not None:
        return tuple([hpa.PodValue(p.pod, p.value, p.time, p.window) for p in found.pods])
    if found.levels is not None:
        return hpa.Levels(found.levels)
    return hpa.Unavailable(found.problem)


def _rules(rules: Direction | None) -> hpa.ScalingRules | None:
    if rules is None:
        return None
    policies = tuple(hpa.ScalingPolicy(p.type, p.value, p.period) for p in rules.policies)
    return hpa.ScalingRules(
        policies=policies or None,
        select_policy=rules.select or None,
        stabilization_window_seconds=rules.window,
        tolerance=rules.tolerance,
    )


def _metric_status(row: MetricRow) -> hpa.MetricStatus:
    if row.current is None:
        return hpa.MetricStatus()
    spec = metric_of(row)
    by_share = row.target_type == "Utilization"
    return hpa.MetricStatus(
        spec.type,
        spec.name,
        spec.container,
        spec.selector,
        spec.described_object,
        average_utilization=row.current if by_share else None,
        average_value=(
            row.current_average
            if by_share
            else row.current
            if row.target_type == "AverageValue"
            else None
        ),
        value=row.current if row.target_type == "Value" else None,
    )


def _resources(cpu: int | None, memory: int | None) -> dict[str, int]:
    found = {} if cpu is None else {"cpu": cpu}
    if memory is not None:
        found["memory"] = memory * 1000
    return found


def _whole(requests: PodRequests | None) -> dict[str, int] | None:
    return None if requests is None else _resources(requests.cpu, requests.memory)
