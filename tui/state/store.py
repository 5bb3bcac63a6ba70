"""The one place threads write to, and the one delta a tick that the screen reads.

Informers and the metrics poll call the writing methods from their own threads; the screen calls
:meth:`Store.drain` from its own, eight times a second. One lock guards all of it and is held for
the time of a few dictionary operations, never for I/O.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, TypeAlias, cast

import msgspec

from tui.state.beat import Beat
from tui.state.clock import ClusterClock
from tui.state.delta import Delta
from tui.state.fetched import Answer, ClockFact, Fetch
from tui.state.links import Health, Link, SourceKey
from tui.state.load import LoadRow
from tui.state.readings import Needs, Reading
from tui.state.rows import (
    HpaRow,
    Kind,
    NodeUsage,
    PodRow,
    PodUsage,
    Row,
    WorkloadRow,
)
from tui.state.series import HOUR, History, Keep, Member, Points, Replicas
from tui.state.setups import SetupsRow
from tui.state.table import Change, Table, TableView

Clock: TypeAlias = Callable[[], float]
"""Seconds since the epoch."""

_STEPPED: Final = (Kind.HPAS, Kind.DEPLOYMENTS, Kind.STATEFULSETS, Kind.REPLICASETS)
"""The tables whose rows have step series."""

_MANY_NODES: Final = 200
"""Nodes beyond which their series are brief, as those of pods are where there are plenty."""
_AT_ONCE: Final = 250
"""Samples taken over while the lock is held: some 2 ms."""
_REST: Final = 0.001
"""Seconds for which it is free in between."""


class _Total(msgspec.Struct):
    """What the pods of one workload used in one poll."""

    time: float = 0.0
    cpu: int = 0
    memory: int = 0
    request: int = 0


class Store:
    """Tables, links and series behind one lock."""

    def __init__(self, clock: Clock = time.time, span: float = HOUR) -> None:
        self.clock = ClusterClock(clock)
        self.beat = Beat()
        """The rhythm of the drains."""
        self._span = span
        self._lock = threading.Lock()
        self._tables: dict[Kind, Table[Any]] = {kind: Table(kind) for kind in Kind}
        self._links: dict[SourceKey, Link] = {}
        self._links_view: Mapping[SourceKey, Link] = MappingProxyType({})
        self._pod_usage: Mapping[tuple[str, str], PodUsage] = MappingProxyType({})
        self._node_usage: Mapping[str, NodeUsage] = MappingProxyType({})
        self._history = History(span)
        self._names: dict[tuple[str, str], str] = {}
        self._number = 0
        self._samples = 0
        self._early: tuple[PodUsage, ...] = ()
        self._readings: Mapping[str, Mapping[int, Reading]] = MappingProxyType({})
        self.needs: Needs | None = None
        """The custom metrics worth asking for, of the HPA on the screen."""
        self._load = LoadRow()
        self._setups = SetupsRow()
        self._fetched: Mapping[Fetch, Answer] = MappingProxyType({})
        self.wanted: tuple[Fetch, ...] = ()
        """What the doctor's rules want fetched, the most urgent first."""

    # Writing: from any thread.

    def put(self, kind: Kind, rows: Iterable[Row]) -> None:
        """Add or replace rows of one kind."""
        with self._lock:
            now = self.clock()
            table = self._tables[kind]
            for row in rows:
                if table.put(row, now):
                    self._follow(kind, row, now)

    def drop(self, kind: Kind, uids: Iterable[str]) -> None:
        """Remove rows of one kind."""
        with self._lock:
            now = self.clock()
            table = self._tables[kind]
            for uid in uids:
                self._end(kind, table.get(uid), now)
                table.drop(uid, now)

    def retain(self, kind: Kind, uids: Iterable[str]) -> int:
        """After a full list: remove what it did not hold. Returns how many rows went."""
        with self._lock:
            keep, now = set(uids), self.clock()
            table = self._tables[kind]
            for uid in table.uids - keep:
                self._end(kind, table.get(uid), now)
            return table.retain(keep, now)

    def link(
        self,
        source: SourceKey,
        health: Health,
        detail: str = "",
        retry_at: float | None = None,
    ) -> None:
        """Note how a source is doing. ``since`` is kept while the health stays the same."""
        with self._lock:
            before = self._links.get(source)
            same = before is not None and before.health is health
            since = before.since if before is not None and same else self.clock()
            self._links[source] = Link(health, since, detail, retry_at)
            self._links_view = MappingProxyType(self._links.copy())
            early: tuple[PodUsage, ...] = ()
            if self._early and not self._listing:
                early, self._early = self._early, ()
        if early:
            self._attribute(early)
            with self._lock:
                self._samples += 1

    def sample_pods(self, samples: Sequence[PodUsage]) -> None:
        """Take over one poll of pod metrics: what is not in it is no longer known.

        Samples that come before the pods they are of wait for the first list.
        """
        by_name = MappingProxyType({(s.namespace, s.name): s for s in samples})
        with self._lock:
            listing = self._listing
            self._early = tuple(samples) if listing else ()
        if not listing:
            self._attribute(samples)
        with self._lock:
            self._samples += 1
            self._pod_usage = by_name
            self._history.forget_before(self.clock() - self._span)

    def sample_nodes(self, samples: Sequence[NodeUsage]) -> None:
        """Take over one poll of node metrics. Of many nodes the series are brief."""
        keep = Keep.BRIEF if len(samples) > _MANY_NODES else Keep.WHOLE
        with self._lock:
            for sample in samples:
                key = f"node/{sample.name}"
                self._history.usage(key, sample.time, sample.cpu, sample.memory, keep)
            self._samples += 1
            self._node_usage = MappingProxyType({s.name: s for s in samples})

    def sample_custom(self, hpa: str, readings: Mapping[int, Reading]) -> None:
        """Take over what the custom and external metrics of one HPA, by uid, read now."""
        with self._lock:
            if self._readings.get(hpa) != readings:
                self._readings = MappingProxyType({hpa: dict(readings)})

    def put_fetched(self, fetch: Fetch, answer: Answer) -> None:
        """Take over the answer to a fetch. One that says nothing new keeps its time."""
        with self._lock:
            before = self._fetched.get(fetch)
            if before is None or (before.result, before.fact) != (answer.result, answer.fact):
                self._fetched = MappingProxyType({**self._fetched, fetch: answer})
            if isinstance(answer.fact, ClockFact):
                self.clock.learn(answer.fact.ahead)

    def retain_fetched(self, wanted: Collection[Fetch]) -> None:
        """Forget the answers that nobody wants any more."""
        with self._lock:
            kept = {f: a for f, a in self._fetched.items() if f in wanted}
            if len(kept) != len(self._fetched):
                self._fetched = MappingProxyType(kept)

    def put_load(self, load: LoadRow) -> None:
        """Take over how the bursts are doing."""
        with self._lock:
            self._load = load

    def put_setups(self, setups: SetupsRow) -> None:
        """Take over how the setups are doing."""
        with self._lock:
            self._setups = setups

    # Reading: the screen's thread.

    def drain(self) -> Delta:
        """Everything now, and what changed since the last call."""
        self.beat.looked()
        with self._lock:
            tables: dict[Kind, TableView[Any]] = {}
            changes: list[Change] = []
            for kind, table in self._tables.items():
                tables[kind], changed = table.drain()
                changes.extend(changed)
            self._number += 1
            return Delta(
                number=self._number,
                tables=MappingProxyType(tables),
                changes=tuple(changes),
                links=self._links_view,
                pod_usage=self._pod_usage,
                node_usage=self._node_usage,
                samples=self._samples,
                readings=self._readings,
                fetched=self._fetched,
                load=self._load,
                setups=self._setups,
            )

    def rows(self, kind: Kind) -> tuple[Any, ...] | None:
        """The rows of one kind now, from any thread; None until they have been listed. Does not
        disturb the drain.
        """
        with self._lock:
            link = self._links.get(kind)
            # One that is being tried again and holds nothing may never have been listed.
            known = link is not None and link.health is Health.LIVE
            return self._tables[kind].now if known or len(self._tables[kind]) else None

    @property
    def fetched(self) -> Mapping[Fetch, Answer]:
        """The answers so far; does not disturb the drain."""
        return self._fetched

    @property
    def links(self) -> Mapping[SourceKey, Link]:
        """How every source is doing, now; does not disturb the drain."""
        return self._links_view

    def cpu(self, key: str, start: float) -> Points:
        """CPU in millicores of a pod (by uid) or ``node/NAME`` since ``start``."""
        with self._lock:
            return self._history.cpu(key, start)

    def memory(self, key: str, start: float) -> Points:
        """Memory in bytes of a pod (by uid) or ``node/NAME`` since ``start``."""
        with self._lock:
            return self._history.memory(key, start)

    def replicas(self, hpa: str, workload: str, start: float) -> Replicas:
        """Replica steps since ``start``: of the HPA, and of its scale target, by uid."""
        with self._lock:
            return Replicas(
                current=self._history.steps(workload, "current", start)
                or self._history.steps(hpa, "current", start),
                desired=self._history.steps(hpa, "desired", start),
                ready=self._history.steps(workload, "ready", start),
            )

    def request(self, workload: str, start: float) -> Points:
        """The summed CPU request (millicores) of the pods in each of a workload's samples."""
        with self._lock:
            return self._history.steps(workload, "request", start)

    def members(self, workload: str) -> list[Member]:
        """The pods a workload has had within the history, for their lines on a chart."""
        with self._lock:
            return self._history.members(workload)

    def _attribute(self, samples: Sequence[PodUsage]) -> None:
        """Write samples into the series of their pods and workloads.

        Takes the lock for some of them at a time: ten thousand take a tenth of a second, for which
        the screen must not wait.
        """
        totals: dict[str, _Total] = {}
        for start in range(0, len(samples), _AT_ONCE):
            if start:
                # A lock goes to whoever is awake: without a rest nobody else would ever get it.
                time.sleep(_REST)
            with self._lock:
                for sample in samples[start : start + _AT_ONCE]:
                    uid = self._names.get((sample.namespace, sample.name))
                    pod = self._tables[Kind.PODS].get(uid) if uid is not None else None
                    if pod is not None:
                        self._sample_pod(pod, sample, totals)
        with self._lock:
            for key, total in totals.items():
                if self._history.usage(key, total.time, total.cpu, total.memory, Keep.WHOLE):
                    self._history.step(key, "request", total.time, total.request)

    # Inside the lock.

    @property
    def _listing(self) -> bool:
        """Whether it is not yet known whose pods the samples are of."""
        links = (self._links.get(kind) for kind in (Kind.PODS, Kind.REPLICASETS))
        return any(link is not None and link.health is Health.CONNECTING for link in links)

    def _sample_pod(self, pod: PodRow, sample: PodUsage, totals: dict[str, _Total]) -> None:
        self._history.usage(pod.uid, sample.time, sample.cpu, sample.memory)
        root = self._root(pod)
        if root is None:
            return
        self._history.member(root, Member(pod.uid, pod.name, pod.cpu_request))
        total = totals.setdefault(root, _Total())
        total.time = max(total.time, sample.time)
        total.cpu += sample.cpu
        total.memory += sample.memory
        total.request += pod.cpu_request or 0

    def _root(self, pod: PodRow) -> str | None:
        """The uid of the workload a user would name: the Deployment, not its ReplicaSet."""
        owner = pod.owner
        if owner is None:
            return None
        if owner.kind == "ReplicaSet":
            replicaset = self._tables[Kind.REPLICASETS].get(owner.uid)
            if replicaset is not None and replicaset.owner is not None:
                return str(replicaset.owner.uid)
        return owner.uid

    def _follow(self, kind: Kind, row: Row, now: float) -> None:
        """Write the step series that a changed row carries."""
        if kind is Kind.PODS:
            self._names[row.namespace, row.name] = row.uid
        elif kind is Kind.HPAS:
            hpa = cast(HpaRow, row)
            self._history.lives(hpa.uid)
            if hpa.current is not None:
                self._history.step(hpa.uid, "current", now, hpa.current)
            # A controller that cannot read its metrics writes 0 without meaning it.
            if hpa.desired:
                self._history.step(hpa.uid, "desired", now, hpa.desired)
        elif kind in _STEPPED:
            workload = cast(WorkloadRow, row)
            if workload.owner is not None and workload.owner.kind == "Deployment":
                return  # as its usage, its replicas count for the Deployment
            self._history.lives(workload.uid)
            self._history.step(workload.uid, "current", now, workload.current)
            self._history.step(workload.uid, "ready", now, workload.ready)

    def _end(self, kind: Kind, row: Row | None, now: float) -> None:
        """A row is about to go: let go of what was kept beside it."""
        if row is None:
            return
        if kind is Kind.PODS:
            key = (row.namespace, row.name)
            if self._names.get(key) == row.uid:
                del self._names[key]
        elif kind in _STEPPED:
            self._history.ended(row.uid, now)
