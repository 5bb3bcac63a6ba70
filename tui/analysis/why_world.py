"""What the cluster looked like at an instant, as the HPA controller would read it."""

from __future__ import annotations

import re
from collections import deque
from typing import Final, NamedTuple, cast

from msgspec.structs import replace

from tui.analysis import hpa
from tui.analysis.focus import SCALABLE
from tui.analysis.why_inputs import (
    Group,
    PodIndex,
    PodInputs,
    Poll,
    Readings,
    inputs_of,
    readings_of,
    spec_of,
    status_of,
)
from tui.analysis.why_needs import unread
from tui.analysis.words import to_the_point, verdict
from tui.state.delta import Delta
from tui.state.links import Health, Link, Source
from tui.state.rows import HpaRow, Kind, PodRow, Row, WorkloadRow

_SPAN: Final = 3.0
"""Seconds of the past that are kept: a rescale is seen before the status that tells of it."""
_POLLS: Final = 3
_NEW_SIZE: Final = re.compile(r"New size: (\d+); reason: ")
_SELECTING: Final = (Kind.HPAS, *SCALABLE.values())
_WATCHED: Final = (Kind.PODS, *_SELECTING)


class _Scaled(NamedTuple):
    """What an HPA's looks find, whatever the poll."""

    row: HpaRow
    rows: tuple[PodRow, ...]
    pods: tuple[hpa.PodInput, ...]
    selecting: tuple[str, ...]


class Sight(NamedTuple):
    """What a look at one HPA finds, but for the samples, of which it may have met several polls.

    A world may not be kept for long: it is a copy of much that every tick changes, and two hundred
    HPAs look at two hundred moments.
    """

    row: HpaRow
    spec: hpa.HpaSpec
    workload: WorkloadRow | None
    found: _Scaled | None
    """None without a workload."""
    metrics: Link
    readings: Readings

    def inputs(self, poll: Poll, replicas: int | None = None) -> hpa.Inputs:
        """What the look reads, if that poll was the newest.

        ``replicas``: the target's ``spec.replicas`` where it is known better than from its row.
        """
        found = self.found
        if found is None:
            return inputs_of(self.row, None, (), ())
        usage = [sample for pod in found.rows if (sample := poll.of(pod)) is not None]
        answer: list[hpa.PodUsage] | hpa.Unavailable = usage
        if not usage and self.metrics.health in (Health.ABSENT, Health.UNAVAILABLE):
            answer = hpa.Unavailable(self.metrics.detail)
        return inputs_of(
            self.row,
            self.workload,
            found.pods,
            answer,
            selecting=found.selecting,
            readings=self.readings,
            replicas=replicas,
        )


class World:
    """One tick's tables and samples. What is looked up is kept, as all HPAs ask for the same."""

    def __init__(self, delta: Delta, at: float, polls: tuple[Poll, ...], pods: PodInputs) -> None:
        self.delta = delta
        self.at = at
        self.polls = polls
        """The last ones, newest first."""
        self.fresh_samples = False
        self._pods = pods
        self._index: PodIndex | None = None
        self._workloads: dict[tuple[str, str, str], WorkloadRow] | None = None
        self._selecting: dict[Group, list[str]] | None = None
        self._specs: dict[str, tuple[HpaRow, hpa.HpaSpec, hpa.Status]] = {}
        self._scaled: dict[str, _Scaled] = {}

    @property
    def figures(self) -> tuple[object, ...]:
        """Differs whenever what is measured does, or whether it can be."""
        delta = self.delta
        links = [delta.link(kind).health for kind in _WATCHED]
        metrics = delta.link(Source.POD_METRICS).health
        return (delta.samples, delta.readings, metrics, *links)

    def inherit(self, before: World) -> None:
        """Take over what has not changed since the world before."""
        self._specs = before._specs
        same = self.delta.pods is before.delta.pods
        if same:
            self._index = before._index
        elif before._index is not None:
            self._index = self._next_index(before)
        rows = all(self.delta.workloads(k) is before.delta.workloads(k) for k in SCALABLE.values())
        if rows:
            self._workloads = before._workloads
        if self._selects_alike(before):
            self._selecting = before._selecting
            if same and rows:
                self._scaled = before._scaled

    def retire(self) -> None:
        """A newer world is there. Let go of the pods by uid: every tick of a large cluster makes
        such a table anew, and here the index has them.
        """
        if self._index is not None:
            others = dict(self.delta.tables)
            others.pop(Kind.PODS, None)
            self.delta = replace(self.delta, tables=others, changes=())

    def _selects_alike(self, before: World) -> bool:
        """Whether HPAs select the same groups of pods, whatever else changed."""
        if self._index is None or before._index is None or not self._index.alike(before._index):
            return False
        for kind in _SELECTING:
            view, was = self.delta.tables.get(kind), before.delta.tables.get(kind)
            if view is not was and (not view or not was or view.generation > was.generation + 1):
                return False
        return not any(
            _selects(change.before) != _selects(change.after)
            for change in self.delta.changes
            if change.kind in _SELECTING
        )

    def _next_index(self, before: World) -> PodIndex | None:
        """The index of pods, made of the one before; None if a delta is missing in between."""
        if before._index is None or self.delta.pods.generation != before.delta.pods.generation + 1:
            return None
        changed = [
            (cast(PodRow | None, change.before), cast(PodRow | None, change.after))
            for change in self.delta.changes
            if change.kind is Kind.PODS
        ]
        self._pods.keep(self.delta.pods.rows)
        return before._index.updated(changed)

    def spec(self, row: HpaRow) -> hpa.HpaSpec:
        """The HPA's spec."""
        return self._read(row)[1]

    def status(self, row: HpaRow) -> hpa.Status:
        """The HPA's status."""
        return self._read(row)[2]

    def _read(self, row: HpaRow) -> tuple[HpaRow, hpa.HpaSpec, hpa.Status]:
        known = self._specs.get(row.uid)
        if known is None or known[0] is not row:
            known = self._specs[row.uid] = (row, spec_of(row), status_of(row))
        return known

    def workload(self, row: HpaRow) -> WorkloadRow | None:
        """The HPA's scale target."""
        if self._workloads is None:
            self._workloads = {
                (w.kind, w.namespace, w.name): w
                for kind in SCALABLE.values()
                for w in self.delta.workloads(kind).rows.values()
            }
        return self._workloads.get((row.target_kind, row.namespace, row.target_name))

    def trouble(self, row: HpaRow) -> str:
        """Why the HPA's figures cannot be reckoned here; empty if they can."""
        kind = SCALABLE.get(row.target_kind)
        if kind is None:
            able = row.condition("AbleToScale")
            if able is not None and able.status == "False":
                return to_the_point(able.message) or verdict(able).text
            return f"a {row.target_kind} is not read here, so the sum cannot be shown"
        for table, what in ((Kind.PODS, "pods"), (kind, f"{row.target_kind}s")):
            problem = _problem(self.delta.link(table), what)
            if problem:
                return problem
        if any(m.type in ("Resource", "ContainerResource") for m in row.metrics):
            link = self.delta.link(Source.POD_METRICS)
            if link.health in (Health.CONNECTING, Health.FORBIDDEN):
                return _problem(link, "metrics")
        return unread(row, self.delta.readings.get(row.uid))

    def sight(self, row: HpaRow) -> Sight:
        """What a look at the HPA finds."""
        workload = self.workload(row)
        return Sight(
            row,
            self.spec(row),
            workload,
            None if workload is None else self._found_by(row, workload),
            self.delta.link(Source.POD_METRICS),
            readings_of(self.delta.readings.get(row.uid, {})),
        )

    def _found_by(self, row: HpaRow, workload: WorkloadRow) -> _Scaled:
        known = self._scaled.get(row.uid)
        if known is None or known.row is not row:
            index = self._found()
            rows = tuple(index.pods(workload))
            pods = tuple([self._pods.of(pod) for pod in rows])
            known = _Scaled(row, rows, pods, self._selectors(index.groups(workload)))
            self._scaled[row.uid] = known
        return known

    def rescales(self, row: HpaRow) -> list[tuple[float, int]]:
        """When the HPA's events say that it set which size, oldest first."""
        found = []
        for event in self.delta.events.rows.values():
            if event.about_uid == row.uid and event.reason == "SuccessfulRescale":
                match = _NEW_SIZE.match(event.message)
                if match:
                    found.append((event.last_seen, int(match[1])))
        return sorted(found)

    def _found(self) -> PodIndex:
        if self._index is None:
            self._index = PodIndex(self.delta.pods.rows.values())
            self._pods.keep(self.delta.pods.rows)
        return self._index

    def _selectors(self, groups: list[Group]) -> tuple[str, ...]:
        """``namespace/name`` of every HPA that selects pods of one of these groups."""
        if self._selecting is None:
            self._selecting = {}
            index = self._found()
            for row in self.delta.hpas.rows.values():
                workload = self.workload(row)
                for group in index.groups(workload) if workload is not None else ():
                    self._selecting.setdefault(group, []).append(f"{row.namespace}/{row.name}")
        names = {name for group in groups for name in self._selecting.get(group, ())}
        return tuple(sorted(names))


class Worlds:
    """The world now, and those of the last seconds."""

    def __init__(self) -> None:
        self._pods = PodInputs()
        self._recent: deque[World] = deque()
        self._polls: tuple[Poll, ...] = (Poll({}, 0),)

    def next(self, delta: Delta, now: float) -> World:
        """The world of this tick; the one of the tick before where nothing changed."""
        last = self._recent[-1] if self._recent else None
        if last is not None and _state(last.delta) == _state(delta):
            last.fresh_samples = False
            return last
        fresh = last is None or delta.pod_usage is not last.delta.pod_usage
        if fresh:
            self._polls[0].rest()
            newest = Poll(delta.pod_usage, self._polls[0].number + 1)
            self._polls = (newest, *self._polls)[:_POLLS]
        world = World(delta, now, self._polls, self._pods)
        world.fresh_samples = fresh
        if last is not None:
            world.inherit(last)
            last.retire()
        self._recent.append(world)
        while len(self._recent) > 2 and self._recent[1].at < now - _SPAN:
            self._recent.popleft()
        return world

    def before(self, wrote: HpaRow, at: float) -> World | None:
        """The newest world in which the target had the size that a look then found.

        The controller sets the size first and tells of it afterwards.
        """
        for world in reversed(self._recent):
            workload = world.workload(wrote)
            if world.at <= at and workload is not None and workload.replicas == wrote.current:
                return world
        return None


def _state(delta: Delta) -> tuple[object, ...]:
    tables = [delta.tables.get(kind) for kind in _WATCHED]
    return (
        *[table.generation if table is not None else -1 for table in tables],
        delta.samples,
        *[delta.link(kind).health for kind in _WATCHED],
        delta.link(Source.POD_METRICS).health,
        delta.readings,
    )


def _selects(row: Row | None) -> object:
    """What decides which pods an HPA's or a workload's row selects."""
    if isinstance(row, HpaRow):
        return row.target_kind, row.target_name
    return row.selector if isinstance(row, WorkloadRow) else None


def _problem(link: Link, what: str) -> str:
    match link.health:
        case Health.CONNECTING:
            return f"reading {what}…"
        case Health.FORBIDDEN:
            return f"{what} may not be read, so the sum cannot be shown"
        case Health.ABSENT:
            return f"{what} are not served here, so the sum cannot be shown"
        case _:
            return ""
