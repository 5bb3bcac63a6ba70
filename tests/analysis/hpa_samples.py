"""A small HPA and what it looks at, to vary."""

from __future__ import annotations

from typing import Any

from msgspec import structs
from msgspec.structs import replace

from tui.analysis import hpa

NOW = 1_780_000_000.0
CPU = hpa.MetricSpec("Resource", "cpu", average_utilization=50)


def spec(*metrics: hpa.MetricSpec, **changes: Any) -> hpa.HpaSpec:
    base = hpa.HpaSpec(
        "default",
        "web",
        hpa.ObjectReference("Deployment", "web", "apps/v1"),
        max_replicas=10,
        min_replicas=1,
        metrics=metrics or (CPU,),
    )
    return replace(base, **changes)


def pod(name: str, request: int | None = 100, **changes: Any) -> hpa.PodInput:
    """A pod that has been ready for ten minutes."""
    requests = {} if request is None else {"cpu": request}
    base = hpa.PodInput(
        name,
        "Running",
        "True",
        ready_since=NOW - 600,
        started=NOW - 605,
        containers=(hpa.ContainerInput("app", requests),),
    )
    return structs.replace(base, **changes)


def used(name: str, cpu: int, age: float = 5.0) -> hpa.PodUsage:
    return hpa.PodUsage(name, NOW - age, 15.0, (hpa.ContainerUsage("app", {"cpu": cpu}),))


def inputs(*cpu: int, replicas: int | None = None, **changes: Any) -> hpa.Inputs:
    """One ready pod a figure, each asking for 100m."""
    names = [f"web-{n}" for n in range(len(cpu))]
    count = len(cpu) if replicas is None else replicas
    base = hpa.Inputs(
        hpa.Scale(count, count, "app=web"),
        tuple(pod(name) for name in names),
        tuple(used(name, value) for name, value in zip(names, cpu, strict=True)),
        selecting_hpas=("default/web",),
    )
    return replace(base, **changes)


def sync(
    spec: hpa.HpaSpec,
    inputs: hpa.Inputs,
    memory: hpa.Memory = hpa.NOTHING_REMEMBERED,
    now: float = NOW,
) -> hpa.Outcome:
    return hpa.reconcile(spec, inputs, memory, now)


def remembered(*recommendations: tuple[int, float]) -> hpa.Memory:
    """Recommendations as ``(replicas, seconds ago)``."""
    return hpa.Memory(tuple(hpa.Recommendation(n, NOW - ago) for n, ago in recommendations))


def reasons(outcome: hpa.Outcome) -> dict[str, tuple[str, str]]:
    return {c.type: (c.status, c.reason) for c in outcome.status.conditions}


def emitted(outcome: hpa.Outcome) -> list[tuple[str, str, str]]:
    return [(e.type, e.reason, e.message) for e in outcome.events]


def at(outcome: hpa.Outcome, type_: str) -> hpa.Condition:
    found = outcome.status.condition(type_)
    assert found is not None
    return found
