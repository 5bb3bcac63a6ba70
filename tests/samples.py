"""Made-up clusters for panes: a store filled by hand, at an instant that never changes."""

from __future__ import annotations

from tui.state.links import Health, Source
from tui.state.rows import (
    Condition,
    ContainerRow,
    EventRow,
    HpaRow,
    Kind,
    MetricRow,
    NodeRow,
    NodeUsage,
    Owner,
    PodRow,
    PodUsage,
    Requirement,
    WorkloadRow,
)
from tui.state.store import Store

NOW = 1_795_269_802.0  # 2026-11-21 14:03:22 UTC
MI = 1024**2
LABELS = (("app", "fastapi"),)


class Hands:
    """A clock that tests move."""

    def __init__(self, now: float = NOW) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def pod(
    name: str, *, age: float, now: float = NOW, status: str = "Running", **more: object
) -> PodRow:
    ready = status == "Running"
    fields: dict[str, object] = {
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
        "ready_since": now - age + 2 if ready else None,
        "started": now - age,
        "node": "lab-worker" if status != "Pending" else "",
        "ip": "10.244.0.41" if ready else "",
    }
    return PodRow(**{**fields, **more})  # type: ignore[arg-type]


def deployment(replicas: int, ready: int, now: float = NOW) -> WorkloadRow:
    return WorkloadRow(
        uid="uid-deploy",
        name="fastapi-deploy",
        namespace="default",
        created=now - 3600,
        kind="Deployment",
        selector=(Requirement("app", "In", ("fastapi",)),),
        revision="1",
        replicas=replicas,
        current=replicas,
        ready=ready,
        updated=replicas,
        available=ready,
    )


def replicaset(replicas: int, ready: int) -> WorkloadRow:
    return WorkloadRow(
        uid="uid-rs",
        name="fastapi-deploy-66b8c95455",
        namespace="default",
        kind="ReplicaSet",
        owner=Owner("Deployment", "fastapi-deploy", "uid-deploy"),
        selector=(Requirement("app", "In", ("fastapi",)),),
        replicas=replicas,
        current=replicas,
        ready=ready,
    )


def cpu_metric(current: int | None, target: int = 50) -> MetricRow:
    return MetricRow(type="Resource", name="cpu", target=target, current=current)


def conditions(
    limited: str = "DesiredWithinRange", active: str = "ValidMetricFound", message: str = ""
) -> tuple[Condition, ...]:
    return (
        Condition(
            "AbleToScale",
            "True",
            "SucceededRescale" if limited == "ScaleUpLimit" else "ReadyForNewScale",
        ),
        Condition(
            "ScalingActive", "True" if active == "ValidMetricFound" else "False", active, message
        ),
        Condition(
            "ScalingLimited", "False" if limited == "DesiredWithinRange" else "True", limited
        ),
    )


def hpa(current: int | None, desired: int | None, cpu: int | None, **more: object) -> HpaRow:
    fields: dict[str, object] = {
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
    return HpaRow(**{**fields, **more})  # type: ignore[arg-type]


def nodes() -> list[NodeRow]:
    common = {
        "ready": "True",
        "version": "v1.36.2",
        "cpu_capacity": 2000,
        "cpu_allocatable": 2000,
        "memory_capacity": 8 * 1024 * MI,
        "memory_allocatable": 7800 * MI,
        "pods_allocatable": 110,
        "created": NOW - 86400,
    }
    return [
        NodeRow(uid="uid-n1", name="lab-control-plane", roles=("control-plane",), **common),  # type: ignore[arg-type]
        NodeRow(uid="uid-n2", name="lab-worker", **common),  # type: ignore[arg-type]
    ]


def live(store: Store) -> None:
    for kind in Kind:
        store.link(kind, Health.LIVE)
    for source in Source:
        store.link(source, Health.LIVE)


def usage(name: str, cpu: int, memory: int = 90 * MI, *, time: float) -> PodUsage:
    return PodUsage("default", name, time, 15.0, (("fastapi", cpu, memory),))


NAMES = [
    f"fastapi-deploy-66b8c95455-{tail}"
    for tail in (
        "66dvd",
        "thvgk",
        "7pc95",
        "8snlf",
        "blbq8",
        "lzd79",
        "tnxvz",
        "vqnl8",
        "x2x4d",
        "zz9k1",
    )
]


def scaling() -> tuple[Store, Hands]:
    """The recorded run, played by hand: 2 → 4 → 8 under load, four pods still starting."""
    hands = Hands(NOW - 300)
    store = Store(hands)
    live(store)
    store.put(Kind.NODES, nodes())
    store.put(Kind.REPLICASETS, [replicaset(2, 2)])
    store.put(Kind.DEPLOYMENTS, [deployment(2, 2)])
    store.put(Kind.HPAS, [hpa(2, 2, 3)])
    store.put(Kind.PODS, [pod(n, age=4800) for n in NAMES[:2]])
    yield_ = [
        (3, 2),
        (3, 2),
        (4, 2),
        (3, 2),
        (3, 2),
        (4, 2),
        (3, 2),
        (4, 2),
        (3, 2),
        (3, 2),
        (3, 2),
        (3, 2),
        (3, 2),
        (4, 2),
    ]
    for n, (cpu, count) in enumerate(yield_):
        hands.now = NOW - 300 + 15 * (n + 1)
        store.sample_pods([usage(name, cpu, time=hands.now - 7) for name in NAMES[:count]])
        store.sample_nodes(
            [NodeUsage(n_.name, hands.now - 7, 15.0, 120, 1900 * MI) for n_ in nodes()]
        )
    return store, hands


def story(store: Store, hands: Hands) -> list[tuple[float, object]]:
    """The steps of the scale-up after :func:`scaling`, to be taken with a drain between them."""

    def sample(*cpu: int) -> None:
        store.sample_pods(
            [usage(n, c, 110 * MI, time=hands.now - 7) for n, c in zip(NAMES, cpu, strict=False)]
        )
        store.sample_nodes(
            [
                NodeUsage("lab-control-plane", hands.now - 7, 15.0, 230, 1900 * MI),
                NodeUsage("lab-worker", hands.now - 7, 15.0, min(1980, sum(cpu) + 300), 2900 * MI),
            ]
        )

    def decide(current: int, desired: int, cpu: int, limited: str) -> None:
        store.put(
            Kind.HPAS,
            [hpa(current, desired, cpu, last_scale=hands.now, conditions=conditions(limited))],
        )
        store.put(Kind.DEPLOYMENTS, [deployment(desired, current)])

    def grow(count: int, status: str, begin: int) -> None:
        store.put(
            Kind.PODS,
            [
                pod(n, age=1 if status == "Running" else 0, now=hands.now, status=status)
                for n in NAMES[begin:count]
            ],
        )

    return [
        (-75, lambda: sample(186, 187)),
        (-62, lambda: decide(2, 4, 186, "ScaleUpLimit")),
        (-61, lambda: grow(4, "ContainerCreating", 2)),
        (-60, lambda: sample(361, 352)),
        (-59, lambda: grow(4, "Running", 2)),
        (-58, lambda: store.put(Kind.DEPLOYMENTS, [deployment(4, 4)])),
        (-45, lambda: sample(480, 470)),
        (-30, lambda: sample(487, 452, 236, 213)),
        (-12, lambda: decide(4, 8, 347, "ScaleUpLimit")),
        (-8, lambda: sample(487, 452, 236, 213)),
        (-2, lambda: grow(6, "ContainerCreating", 4)),
        (-1, lambda: grow(8, "Pending", 6)),
        (
            -1,
            lambda: store.put(
                Kind.EVENTS,
                [
                    EventRow(
                        uid="ev1",
                        name="x",
                        namespace="default",
                        type="Warning",
                        reason="FailedScheduling",
                        message="0/2 nodes are available: 2 Insufficient cpu.",
                        last_seen=hands.now,
                        about_kind="Pod",
                        about_name=NAMES[7],
                    )
                ],
            ),
        ),
        (0, lambda: None),
    ]
