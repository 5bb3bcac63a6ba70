"""Patients: from recordings, and made by hand where nothing was recorded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.cluster import recorded
from tests.samples import NOW, Clock, deployment, hpa, nodes, pod, replicaset, usage
from tui.analysis.doctor.doctor import examine, wanted
from tui.analysis.doctor.finding import Finding, Severity
from tui.analysis.doctor.patient import Patient
from tui.analysis.doctor.registry import all_rules
from tui.cluster.decode import metrics as wire
from tui.cluster.resources import RESOURCES
from tui.state.fetched import Answer, Fact, Fetch, Result
from tui.state.links import Health, Source
from tui.state.rows import EndpointSliceRow, Kind, PodRow, Row, ServicePort, ServiceRow
from tui.state.store import Store

_FILES = {
    "pods": Kind.PODS,
    "hpa-v2": Kind.HPAS,
    "deployments": Kind.DEPLOYMENTS,
    "replicasets": Kind.REPLICASETS,
    "services": Kind.SERVICES,
    "endpointslices": Kind.ENDPOINTSLICES,
    "nodes": Kind.NODES,
}
SELECTOR = (("app", "fastapi"),)


class Case:
    """A cluster that is well: two pods, their Deployment, its Service and its HPA."""

    def __init__(self, *, empty: bool = False) -> None:
        self.clock = Clock(NOW)
        self.store = Store(self.clock)
        self.simulated = False
        self.held: Mapping[str, tuple[float, bool]] = {}
        self.pace = 1.0
        self.namespace: str | None = None
        for source in (*Kind, *Source):
            self.store.link(source, Health.LIVE)
        if not empty:
            self.put(Kind.NODES, *nodes())
            self.put(Kind.REPLICASETS, replicaset(2))
            self.put(Kind.DEPLOYMENTS, deployment(2, 2))
            self.put(Kind.HPAS, hpa(2, 2, 3))
            self.put(Kind.SERVICES, service())
            self.put(Kind.PODS, *(pod(name, age=4000) for name in ("web-1", "web-2")))
            self.sample(("web-1", 4), ("web-2", 3))

    def put(self, kind: Kind, *rows: Row) -> Case:
        self.store.put(kind, rows)
        return self

    def sample(self, *cpu: tuple[str, int]) -> Case:
        self.store.sample_pods([usage(name, milli, time=NOW - 7) for name, milli in cpu])
        return self

    def link(self, source: Kind | Source, health: Health, since: float = NOW - 300) -> Case:
        now, self.clock.now = self.clock.now, since
        self.store.link(source, health, "as told")
        self.clock.now = now
        return self

    def fetched(self, fetch: Fetch, fact: Fact | None, result: Result = Result.FOUND) -> Case:
        self.store.put_fetched(fetch, Answer(result, fact, NOW))
        return self

    @property
    def patient(self) -> Patient:
        delta, now = self.store.drain(), self.clock.now
        return Patient(delta, now, self.simulated, self.held, self.pace, self.namespace)

    def findings(self) -> tuple[Finding, ...]:
        return examine(self.patient)

    def ids(self, *, advice: bool = False) -> list[str]:
        """What is found, without the advice that the sample app always gets."""
        return [f.id for f in self.findings() if advice or f.severity is not Severity.ADVICE]

    def one(self, id: str) -> Finding:
        """The only finding of that rule."""
        found = [f for f in self.findings() if f.id == id]
        assert len(found) == 1, [(f.id, f.object) for f in self.findings()]
        return found[0]

    def wants(self) -> tuple[Fetch, ...]:
        return wanted(self.patient)


def recording(folder: str, *also: str) -> Case:
    """A recorded moment; ``also`` are folders that fill in what the first does not hold."""
    case = Case(empty=True)
    there = set(recorded.names(".json"))
    times = []

    def find(name: str) -> str | None:
        return next(
            (f"{f}/{name}.json" for f in (folder, *also) if f"{f}/{name}.json" in there), None
        )

    for name, kind in _FILES.items():
        file = find(name)
        if file is None:
            case.link(kind, Health.CONNECTING)
            continue
        page = RESOURCES[kind].codec.page(recorded.raw(file))
        case.store.put(kind, page.rows)
        times += [row.created for row in page.rows]
        times += [p.ending.at for p in page.rows if isinstance(p, PodRow) and p.ending]
    if (file := find("metrics-pods")) is not None:
        samples = wire.pod_list(recorded.raw(file))
        times += [s.time for s in samples]
        case.store.sample_pods(samples)
    if (file := find("metrics-nodes")) is not None:
        case.store.sample_nodes(wire.node_list(recorded.raw(file)))
    for row in case.store.drain().hpas.rows.values():
        times += [c.since or 0.0 for c in row.conditions]
    case.clock.now = max(times) + 10
    return case


def service(name: str = "fastapi-svc", **more: Any) -> ServiceRow:
    fields: dict[str, Any] = {
        "uid": f"uid-{name}",
        "name": name,
        "namespace": "default",
        "created": NOW - 5000,
        "cluster_ip": "10.96.0.9",
        "ports": (ServicePort(port=80),),
        "selector": SELECTOR,
    }
    return ServiceRow(**{**fields, **more})


def endpoints(name: str, *pods: str) -> EndpointSliceRow:
    return EndpointSliceRow(
        uid=f"uid-{name}-slice", name=f"{name}-x", namespace="default", service=name, ready=pods
    )


def evidence(finding: Finding) -> list[tuple[str, str, str]]:
    return [(e.object, e.field, e.value) for e in finding.evidence]


__all__ = ["Case", "all_rules", "endpoints", "evidence", "recording", "service"]
