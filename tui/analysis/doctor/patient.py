"""What the doctor looks at: the tables of one moment, what was fetched, and how it hangs together.

What is not known is None, and no rule may make anything of it: a list that has not come yet, a
right that is missing, an owner that cannot be read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, NamedTuple, TypeVar

import msgspec

from tui.analysis.doctor.labelled import Labelled
from tui.analysis.focus import SCALABLE
from tui.state.delta import Delta
from tui.state.fetched import Answer, ClockFact, ClockFetch, Fetch, Result
from tui.state.links import Health
from tui.state.rows import (
    ContainerRow,
    HpaRow,
    Kind,
    Labels,
    MetricRow,
    NodeRow,
    PodRow,
    PodUsage,
    Requirement,
    ServiceRow,
    WorkloadRow,
)

F = TypeVar("F")

_KNOWN: Final = (Health.LIVE, Health.RETRYING)
_PODS_AT_ONCE: Final = 2500
_CREWS_AT_ONCE: Final = 100
"""What a survey takes in between two pauses: some 4 ms."""

FINISHED: Final = ("Succeeded", "Failed")


class Root(NamedTuple):
    """The object a user would name as a pod's: its Deployment, not its ReplicaSet."""

    kind: str
    namespace: str
    name: str
    uid: str

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}"


class Crew(msgspec.Struct, frozen=True):
    """Pods of one owner with the same labels and containers, that have not ended and are not
    being deleted. Never empty; by name.
    """

    pods: tuple[PodRow, ...]
    root: Root | None
    """Whose they are; None if that cannot be read."""
    leaving: bool
    """Whether they are of an older revision, which a rollout replaces."""

    @property
    def first(self) -> PodRow:
        """One for all."""
        return self.pods[0]

    @property
    def containers(self) -> tuple[ContainerRow, ...]:
        """Of each of them."""
        return self.pods[0].containers

    @property
    def placement(self) -> tuple[int, int]:
        """Millicores and bytes that one of them requests, as the scheduler counts."""
        return self.pods[0].placement


class Scaled(NamedTuple):
    """An HPA, its target and the target's pods."""

    hpa: HpaRow
    workload: WorkloadRow
    crews: list[Crew]
    """All that the target's selector matches, its own or not, as the HPA counts them; without
    those that are on their way out."""

    finished: list[PodRow]
    """Pods that it matches and that have ended. The HPA asks them, too, what they request."""

    @property
    def own(self) -> list[Crew]:
        """The target's own."""
        return [c for c in self.crews if c.root is not None and c.root.uid == self.workload.uid]


@dataclass(frozen=True)
class Patient:
    """One moment. What is looked up is kept, since many rules ask for the same."""

    delta: Delta
    clock: float = 0.0
    """Seconds since the epoch, by our clock."""
    simulated: bool = False
    """Whether it is an embedded cluster, whose time need not be ours."""
    held: Mapping[str, tuple[float, bool]] = field(default_factory=dict)
    """HPAs, by uid, whose stabilization window holds a count: since when it is known to, and
    whether the beginning was seen."""
    pace: float = 1.0
    """How many of the HPA controller's seconds pass in one of ours."""
    namespace: str | None = None
    """The only one whose objects are known; None: all are."""

    def inherit(self, before: Patient) -> None:
        """Take over what was looked up in tables that have not changed since."""
        for name, kinds in _LOOKED_UP.items():
            found = before.__dict__.get(name)
            if found is not None and all(
                self.delta.tables.get(k) is before.delta.tables.get(k)
                and self.known(k) == before.known(k)
                for k in kinds
            ):
                self.__dict__[name] = found

    @cached_property
    def now(self) -> float:
        """By the cluster's clock, which wrote the times in the rows."""
        fact = self.fact(ClockFetch(), ClockFact)
        return self.clock + (fact.ahead if fact is not None else 0)

    def known(self, *kinds: Kind) -> bool:
        """Whether the tables have been read: only then does a missing row tell anything."""
        return all(self.delta.link(kind).health in _KNOWN for kind in kinds)

    # What was fetched.

    def answer(self, fetch: Fetch) -> Answer | None:
        """None until it was tried."""
        return self.delta.fetched.get(fetch)

    def fact(self, fetch: Fetch, type: type[F]) -> F | None:
        """What a fetch brought; None if it did not, for whatever reason."""
        answer = self.delta.fetched.get(fetch)
        if answer is None or answer.result is not Result.FOUND:
            return None
        return answer.fact if isinstance(answer.fact, type) else None

    # HPAs and what they scale.

    @cached_property
    def hpas(self) -> list[HpaRow]:
        """By namespace and name."""
        return sorted(self.delta.hpas.rows.values(), key=lambda h: (h.namespace, h.name))

    @cached_property
    def scaled(self) -> list[Scaled]:
        """The HPAs whose target is known, if pods are."""
        if not self.known(Kind.PODS):
            return []
        found = []
        finished = Labelled([p for p in self.troubled if p.phase in FINISHED], lambda pod: pod)
        for hpa in self.hpas:
            workload = self.target(hpa)
            if workload is not None:
                where = workload.namespace, workload.selector
                crews, ended = self._labelled.matching(*where), finished.matching(*where)
                found.append(Scaled(hpa, workload, crews, ended))
        return found

    @cached_property
    def targets(self) -> set[str]:
        """Uids of the workloads that an HPA scales."""
        return {one.workload.uid for one in self.scaled}

    def target(self, hpa: HpaRow) -> WorkloadRow | None:
        """The workload it scales, if it is known."""
        return self._workloads.get((hpa.target_kind, hpa.namespace, hpa.target_name))

    @cached_property
    def _workloads(self) -> dict[tuple[str, str, str], WorkloadRow]:
        return {
            (w.kind, w.namespace, w.name): w
            for kind in SCALABLE.values()
            for w in self.delta.workloads(kind).rows.values()
        }

    # Pods.

    @cached_property
    def crews(self) -> list[Crew]:
        """The pods that stay, by namespace and name."""
        return [crew for crew in self._crews if not crew.leaving]

    @cached_property
    def _crews(self) -> list[Crew]:
        for _ in self.survey():
            pass
        found: list[Crew] = self.__dict__["_crews"]
        return found

    def survey(self) -> Iterator[None]:
        """Sort the pods into crews, with a pause after every few milliseconds."""
        if "_crews" in self.__dict__:
            return
        groups: dict[tuple[str, int, int], list[PodRow]] = {}
        for number, pod in enumerate(self.delta.pods.rows.values(), 1):
            if pod.deleting is None and pod.phase not in FINISHED:
                owner = pod.owner.uid if pod.owner is not None else pod.uid
                groups.setdefault((owner, id(pod.labels), id(pod.containers)), []).append(pod)
            if number % _PODS_AT_ONCE == 0:
                yield
        found = []
        for number, group in enumerate(groups.values(), 1):
            if len(group) > 1:
                group.sort(key=lambda p: p.name)
            found.append(Crew(tuple(group), self.root(group[0]), self._is_outgoing(group[0])))
            if number % _CREWS_AT_ONCE == 0:
                yield
        found.sort(key=lambda c: (c.first.namespace, c.first.name))
        self.__dict__["_crews"] = found

    @cached_property
    def troubled(self) -> list[PodRow]:
        """The pods that do not just run, or of which a container has ended before, by name."""
        return sorted(
            (
                pod
                for pod in self.delta.pods.rows.values()
                if pod.deleting is None and (pod.status != "Running" or pod.ending is not None)
            ),
            key=lambda p: (p.namespace, p.name),
        )

    @cached_property
    def nodes(self) -> list[NodeRow]:
        """By name; none if they may not be listed."""
        return sorted(self.delta.nodes.rows.values(), key=lambda n: n.name)

    @cached_property
    def services(self) -> list[ServiceRow]:
        """By namespace and name."""
        return sorted(self.delta.services.rows.values(), key=lambda s: (s.namespace, s.name))

    def service(self, namespace: str, name: str) -> ServiceRow | None:
        """By name."""
        return self._services.get((namespace, name))

    @cached_property
    def _services(self) -> dict[tuple[str, str], ServiceRow]:
        return {(s.namespace, s.name): s for s in self.services}

    def selected(self, namespace: str, selector: Labels) -> list[Crew]:
        """What a Service's selector matches, without what is on its way out; none without one."""
        return self._labelled.matching(
            namespace, [Requirement(key, "In", (value,)) for key, value in selector]
        )

    @cached_property
    def served(self) -> dict[str, ServiceRow]:
        """A Service that sends requests to a workload, by the workload's uid."""
        found: dict[str, ServiceRow] = {}
        for service in self.services:
            for crew in self.selected(service.namespace, service.selector):
                if crew.root is not None:
                    found.setdefault(crew.root.uid, service)
        return found

    def usage(self, pod: PodRow) -> PodUsage | None:
        """The pod's newest sample."""
        return self.delta.pod_usage.get((pod.namespace, pod.name))

    def root(self, pod: PodRow) -> Root | None:
        """Whose pod it is; None if that cannot be read."""
        owner = pod.owner
        if owner is None:
            return Root("Pod", pod.namespace, pod.name, pod.uid)
        known = self._roots.get(owner.uid, _UNSEEN)
        if known is _UNSEEN:
            known = self._roots[owner.uid] = self._root(pod)
        return known if isinstance(known, Root) else None

    def owner(self, pod: PodRow) -> Root:
        """Whose pod it is, as far as that can be read: its ReplicaSet, if not its Deployment."""
        root = self.root(pod)
        if root is not None or pod.owner is None:
            return root or Root("Pod", pod.namespace, pod.name, pod.uid)
        return Root(pod.owner.kind, pod.namespace, pod.owner.name, pod.owner.uid)

    def _root(self, pod: PodRow) -> Root | None:
        owner = pod.owner
        if owner is None or owner.kind != "ReplicaSet":
            return Root(owner.kind, pod.namespace, owner.name, owner.uid) if owner else None
        replicaset = self.delta.workloads(Kind.REPLICASETS).rows.get(owner.uid)
        if replicaset is None:
            return None
        above = replicaset.owner or owner
        return Root(above.kind, pod.namespace, above.name, above.uid)

    @cached_property
    def _roots(self) -> dict[str, object]:
        return {}

    def _is_outgoing(self, pod: PodRow) -> bool:
        if pod.owner is None or pod.owner.kind != "ReplicaSet":
            return False
        replicaset = self.delta.workloads(Kind.REPLICASETS).rows.get(pod.owner.uid)
        if replicaset is None or replicaset.owner is None:
            return False
        deployment = self.delta.workloads(Kind.DEPLOYMENTS).rows.get(replicaset.owner.uid)
        if deployment is None or not deployment.revision or not replicaset.revision:
            return False
        return deployment.revision != replicaset.revision

    def by_owner(
        self, pods: Iterable[PodRow], counts: Callable[[PodRow], bool]
    ) -> dict[Root, list[PodRow]]:
        """Those that count, by whose they are, as far as that can be read."""
        found: dict[Root, list[PodRow]] = {}
        for pod in pods:
            if counts(pod):
                found.setdefault(self.owner(pod), []).append(pod)
        return found

    @cached_property
    def _labelled(self) -> Labelled[Crew]:
        return Labelled(self.crews, lambda crew: crew.first)


def by_root(crews: Iterable[Crew]) -> dict[Root, int]:
    """How many pods each owner has among them. What has no known owner is left out."""
    found: dict[Root, int] = {}
    for crew in crews:
        if crew.root is not None:
            found[crew.root] = found.get(crew.root, 0) + len(crew.pods)
    return found


_UNSEEN: Final = object()
_OF_PODS: Final = (Kind.PODS, Kind.REPLICASETS, Kind.DEPLOYMENTS)
_LOOKED_UP: Final[dict[str, tuple[Kind, ...]]] = {
    "hpas": (Kind.HPAS,),
    "services": (Kind.SERVICES,),
    "troubled": (Kind.PODS,),
    "_workloads": tuple(SCALABLE.values()),
    "_crews": _OF_PODS,
    "crews": _OF_PODS,
    "_labelled": _OF_PODS,
    "_roots": _OF_PODS,
    "served": (*_OF_PODS, Kind.SERVICES),
    "scaled": (*_OF_PODS, Kind.HPAS, Kind.STATEFULSETS),
}
"""What is kept, and the tables it is made of."""


def resource_metrics(hpa: HpaRow, *target_types: str) -> list[MetricRow]:
    """The metrics that are read of containers, with one of those target types (all by default)."""
    return [
        m
        for m in hpa.metrics
        if m.type in ("Resource", "ContainerResource")
        and (not target_types or m.target_type in target_types)
    ]
