"""Made-up objects of a cluster, at an instant that never changes."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

from tui.state.load import BurstRow, LoadPoint
from tui.state.rows import (
    Condition,
    ContainerRow,
    EventRow,
    HpaRow,
    MetricRow,
    NodeRow,
    Owner,
    PodRow,
    PodUsage,
    Requirement,
    WorkloadRow,
)
from tui.state.setups import ObjectStep, SetupRow

NOW = 1_795_269_802.0
"""2026-11-21 14:03:22 UTC."""
MI = 1024**2
LABELS = (("app", "fastapi"),)
TAILS = ("66dvd", "thvgk", "7pc95", "8snlf", "blbq8", "lzd79", "tnxvz", "vqnl8", "x2x4d", "zz9k1")
NAMES = tuple(f"fastapi-deploy-66b8c95455-{tail}" for tail in TAILS)


class Clock:
    """A clock that tests move."""

    def __init__(self, now: float = NOW) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def pod(name: str, *, age: float, now: float = NOW, status: str = "Running", **more: Any) -> PodRow:
    ready = status == "Running"
    fields: dict[str, Any] = {
        "uid": f"uid-{name}",
        "name": name,
        "namespace": "default",
        "created": now - age,
        "labels": LABELS,
        "owner": Owner("ReplicaSet", "fastapi-deploy-66b8c95455", "uid-rs"),
        "phase": "Running" if ready else "Pending",
        "status": status,
        "containers": (ContainerRow("fastapi", 100, 500, 128 * MI, 256 * MI),),
        "ready_containers": int(ready),
        "total_containers": 1,
        "ready": ready,
        "ready_since": now - age + min(age, 2) if ready else None,
        "started": now - age,
        "node": "lab-worker" if status != "Pending" else "",
        "ip": "10.244.0.41" if ready else "",
    }
    return PodRow(**{**fields, **more})


def deployment(replicas: int, ready: int, **more: Any) -> WorkloadRow:
    fields: dict[str, Any] = {
        "uid": "uid-deploy",
        "name": "fastapi-deploy",
        "namespace": "default",
        "created": NOW - 3600,
        "kind": "Deployment",
        "selector": (Requirement("app", "In", ("fastapi",)),),
        "revision": "1",
        "replicas": replicas,
        "current": replicas,
        "ready": ready,
        "updated": replicas,
        "available": ready,
    }
    return WorkloadRow(**{**fields, **more})


def replicaset(replicas: int) -> WorkloadRow:
    return WorkloadRow(
        uid="uid-rs",
        name="fastapi-deploy-66b8c95455",
        namespace="default",
        kind="ReplicaSet",
        owner=Owner("Deployment", "fastapi-deploy", "uid-deploy"),
        selector=(Requirement("app", "In", ("fastapi",)),),
        replicas=replicas,
        current=replicas,
        ready=replicas,
    )


def cpu_metric(current: int | None, target: int = 50) -> MetricRow:
    return MetricRow(type="Resource", name="cpu", target=target, current=current)


def conditions(
    limited: str = "DesiredWithinRange",
    *,
    able: str = "ReadyForNewScale",
    active: str = "ValidMetricFound",
    message: str = "",
) -> tuple[Condition, ...]:
    is_active = "True" if active == "ValidMetricFound" else "False"
    is_limited = "False" if limited == "DesiredWithinRange" else "True"
    found = [
        Condition("AbleToScale", "True", able),
        Condition("ScalingActive", is_active, active, message),
    ]
    if is_active == "True":
        found.append(Condition("ScalingLimited", is_limited, limited))
    return tuple(found)


def hpa(current: int | None, desired: int | None, cpu: int | None, **more: Any) -> HpaRow:
    fields: dict[str, Any] = {
        "uid": "uid-hpa",
        "name": "fastapi-hpa",
        "namespace": "default",
        "created": NOW - 3600,
        "target_kind": "Deployment",
        "target_name": "fastapi-deploy",
        "min": 2,
        "max": 10,
        "current": current,
        "desired": desired,
        "metrics": (cpu_metric(cpu),),
        "conditions": conditions(),
    }
    return HpaRow(**{**fields, **more})


def nodes() -> list[NodeRow]:
    def node(number: int, name: str, *roles: str) -> NodeRow:
        return NodeRow(
            uid=f"uid-node-{number}",
            name=name,
            roles=roles,
            ready="True",
            version="v1.36.2",
            cpu_capacity=2000,
            cpu_allocatable=2000,
            memory_capacity=8192 * MI,
            memory_allocatable=7800 * MI,
            pods_allocatable=110,
            created=NOW - 86400,
        )

    return [node(1, "lab-control-plane", "control-plane"), node(2, "lab-worker")]


def usage(name: str, cpu: int, memory: int = 90 * MI, *, time: float) -> PodUsage:
    return PodUsage("default", name, time, 15.0, (("fastapi", cpu, memory),))


def warning(name: str, reason: str, message: str, *, time: float, count: int = 1) -> EventRow:
    return EventRow(
        uid=f"uid-event-{name}-{reason}",
        name=f"{name}.{reason}",
        namespace="default",
        type="Warning",
        reason=reason,
        message=message,
        count=count,
        last_seen=time,
        about_kind="Pod",
        about_name=name,
    )


def burst(**more: Any) -> BurstRow:
    """A burst through nginx, 100 of its 180 seconds old."""
    points = tuple(
        LoadPoint(NOW - 100 + n, 2200.0 + 40 * (n % 5) - 5 * n, 0.02, 0.06 + 0.004 * (n % 7), 0)
        for n in range(1, 101)
    )
    latency = MappingProxyType({50.0: 0.0236, 90.0: 0.0418, 99.0: 0.0737, 99.9: 0.112})
    served = dict(zip(NAMES[:4], (53_120, 48_674, 45_192, 42_914), strict=True))
    fields: dict[str, Any] = {
        "number": 1,
        "group": 1,
        "target": "nginx-svc",
        "route": "NodePort 30081 on lab-worker",
        "profile": "hey-document",
        "began": NOW - 100,
        "state": "running",
        "elapsed": 100.0,
        "duration": 180.0,
        "progress": 5 / 9,
        "asked": 25_000.0,
        "achieved": 1899.0,
        "mean": 1899.0,
        "in_flight": 50,
        "connections": 50,
        "opened": 50,
        "responses": 189_912,
        "good": 189_900,
        "failed": 2,
        "latency": latency,
        "service": latency,
        "statuses": MappingProxyType({200: 189_900, 503: 12}),
        "failures": MappingProxyType({"connection reset": 2}),
        "pods": MappingProxyType(served),
        "rates": MappingProxyType({name: count / 100 for name, count in served.items()}),
        "counted": "what the answers say",
        "behind": 4,
        "points": points,
    }
    return BurstRow(**{**fields, **more})


def setup_rows() -> tuple[SetupRow, ...]:
    nginx = SetupRow(
        "nginx",
        "n",
        "nginx in front of the app",
        "A reverse proxy on NodePort 30081.",
        state="healthy",
        sentence="1 pod ready.",
        url="http://127.0.0.1:30081/",
        route="NodePort 30081 on this machine",
        probe="/nginx-health answers 200 in 3 ms, X-Served-By: nginx",
        answers=True,
        probed=NOW - 4,
        seconds=2.2,
        ready=1,
        wanted=1,
    )
    caddy = SetupRow(
        "caddy",
        "c",
        state="degraded",
        sentence="Deployment/caddy-proxy: 0 of 1 pods ready: CrashLoopBackOff of caddy.",
        ready=0,
        wanted=1,
    )
    drifted = "spec.replicas is 3, not 2, by kubectl-edit."
    foreign = "HorizontalPodAutoscaler fastapi-hpa belongs to kubectl-client-side-apply."
    steps = (ObjectStep("HorizontalPodAutoscaler/fastapi-hpa", "rolling out", "no metrics yet"),)
    denied = (
        "create horizontalpodautoscalers in namespace default",
        "patch horizontalpodautoscalers in namespace default",
    )
    load = "Tells node, pod name and visitors; POST /load burns CPU."
    return (
        nginx,
        caddy,
        SetupRow("fastapi", "4", state="drifted", sentence=drifted, ready=2, wanted=2),
        SetupRow("load-app", "5", summary=load, state="absent", sentence="Not applied."),
        SetupRow("hpa-cpu", "6", state="not ours", sentence=foreign),
        SetupRow("hpa-behavior", "7", state="absent", busy="applying", steps=steps),
        SetupRow("hpa-memory", "8", state="absent", sentence="Not applied.", missing=denied),
    )
