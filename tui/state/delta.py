"""What one drain of the store gives: everything the screen needs to know at one tick."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

import msgspec

from tui.state.fetched import Answer, Fetch
from tui.state.links import Link, SourceKey
from tui.state.load import BurstRow, LoadRow
from tui.state.readings import Reading
from tui.state.rows import (
    EndpointSliceRow,
    EventRow,
    HpaRow,
    Kind,
    NodeRow,
    NodeUsage,
    PodRow,
    PodUsage,
    ServiceRow,
    WorkloadRow,
)
from tui.state.setups import SetupsRow
from tui.state.table import Change, TableView

_EMPTY: Final[TableView[Any]] = TableView(0, MappingProxyType({}))


class Delta(msgspec.Struct, frozen=True):
    """All the screen needs to know at one tick. Nothing in it changes afterwards.

    Views of tables that did not change are the very objects of the delta before, so ``is`` tells
    a pane whether there is anything to do.
    """

    number: int = 0
    tables: Mapping[Kind, TableView[Any]] = msgspec.field(default_factory=dict)
    changes: tuple[Change, ...] = ()
    links: Mapping[SourceKey, Link] = msgspec.field(default_factory=dict)
    pod_usage: Mapping[tuple[str, str], PodUsage] = msgspec.field(default_factory=dict)
    """By ``(namespace, name)``, as the metrics API knows pods."""
    node_usage: Mapping[str, NodeUsage] = msgspec.field(default_factory=dict)
    samples: int = 0
    """Grows with every poll of either metrics."""
    readings: Mapping[str, Mapping[int, Reading]] = msgspec.field(default_factory=dict)
    """Custom and external metrics by the HPA's uid, then by position in its metrics."""
    fetched: Mapping[Fetch, Answer] = msgspec.field(default_factory=dict)
    """What the doctor's rules asked for, as far as it has come."""
    load: LoadRow = msgspec.field(default_factory=LoadRow)
    """The bursts that this program fires; the same object while nothing changes."""
    setups: SetupsRow = msgspec.field(default_factory=SetupsRow)
    """The setups and what was written for them; the same object while nothing changes."""

    @property
    def pods(self) -> TableView[PodRow]:
        """Pods by uid."""
        return self.tables.get(Kind.PODS, _EMPTY)

    @property
    def hpas(self) -> TableView[HpaRow]:
        """HorizontalPodAutoscalers by uid."""
        return self.tables.get(Kind.HPAS, _EMPTY)

    @property
    def nodes(self) -> TableView[NodeRow]:
        """Nodes by uid."""
        return self.tables.get(Kind.NODES, _EMPTY)

    @property
    def events(self) -> TableView[EventRow]:
        """Events by uid."""
        return self.tables.get(Kind.EVENTS, _EMPTY)

    @property
    def services(self) -> TableView[ServiceRow]:
        """Services by uid."""
        return self.tables.get(Kind.SERVICES, _EMPTY)

    @property
    def endpointslices(self) -> TableView[EndpointSliceRow]:
        """EndpointSlices by uid."""
        return self.tables.get(Kind.ENDPOINTSLICES, _EMPTY)

    @property
    def bursts(self) -> tuple[BurstRow, ...]:
        """Bursts that run or have ended, oldest first."""
        return self.load.bursts

    def workloads(self, kind: Kind) -> TableView[WorkloadRow]:
        """Deployments, ReplicaSets or StatefulSets by uid."""
        return self.tables.get(kind, _EMPTY)

    def link(self, source: SourceKey) -> Link:
        """How a source is doing; one never heard of is still connecting."""
        return self.links.get(source, Link())
