"""Made-up clusters for panes: stores filled by hand, seen at an instant that never changes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from types import MappingProxyType
from typing import Any

import msgspec

from tui.app import KscaleApp, Still
from tui.config import Settings
from tui.state.links import Health, Link, Source
from tui.state.load import BurstRow, LoadPoint, LoadRow
from tui.state.place import Place
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
from tui.state.setups import ObjectStep, SetupRow, SetupsRow
from tui.state.store import Store

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


@dataclass
class Stage:
    """A store, its clock, and what happens on it."""

    clock: Clock = field(default_factory=lambda: Clock(NOW - 300))
    connection: Link = field(default_factory=lambda: Link(Health.LIVE, NOW - 4000))
    place: Place = field(default_factory=lambda: Place("minikube", "default"))
    script: list[tuple[float, Callable[[], object]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.store = Store(self.clock)

    def at(self, seconds: float, *steps: Callable[[], object]) -> None:
        """Do something that many seconds before (negative) the instant that is looked at."""
        self.script += [(seconds, step) for step in steps]

    def app(self, theme: str = "dark") -> KscaleApp:
        """The program on this stage; nothing moves until :meth:`play`."""
        return KscaleApp(self.store, Still(self.place, self.connection), Settings(theme=theme))

    def play(self, app: KscaleApp) -> None:
        """Take every step, with a look at the store after each."""
        app.advance()
        for seconds, step in self.script:
            self.clock.now = NOW + seconds
            step()
            app.advance()
        self.clock.now = NOW
        app.tick()

    # What the cluster does.

    def all_live(self) -> None:
        for source in (*Kind, *Source):
            self.store.link(source, Health.LIVE)

    def sample(self, *cpu: int, memory: int = 90 * MI) -> None:
        """One poll of metrics-server, its samples 7 s old."""
        time = self.clock.now - 7
        self.store.sample_pods(
            [usage(name, milli, memory, time=time) for name, milli in zip(NAMES, cpu, strict=False)]
        )
        self.store.sample_nodes(
            [
                NodeUsage("lab-control-plane", time, 15.0, 230, 1900 * MI),
                NodeUsage("lab-worker", time, 15.0, min(1980, sum(cpu) + 300), 2900 * MI),
            ]
        )

    def decide(self, current: int, desired: int, cpu: int, limited: str) -> None:
        """The HPA writes a new size, then says so."""
        row = hpa(
            current,
            desired,
            cpu,
            last_scale=self.clock.now,
            conditions=conditions(limited, able="SucceededRescale"),
        )
        self.store.put(Kind.HPAS, [row])
        self.store.put(Kind.DEPLOYMENTS, [deployment(desired, current)])

    def pods(self, begin: int, end: int, status: str = "Running", age: float = 0.0) -> None:
        """The pods ``begin`` to ``end`` come into a state."""
        now = self.clock.now
        rows = [pod(name, age=age, now=now, status=status) for name in NAMES[begin:end]]
        self.store.put(Kind.PODS, rows)


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


# The states of the screen.


def idle() -> Stage:
    """Two pods that do nearly nothing."""
    stage = Stage()
    stage.all_live()
    stage.store.put(Kind.NODES, nodes())
    stage.store.put(Kind.REPLICASETS, [replicaset(2)])
    stage.store.put(Kind.DEPLOYMENTS, [deployment(2, 2)])
    stage.store.put(Kind.HPAS, [hpa(2, 2, 3)])
    stage.pods(0, 2, age=4500)
    for n in range(20):
        load = (3 + n % 2, 4 - n % 3)
        stage.at(-300 + 15 * (n + 1), partial(stage.sample, *load))
    return stage


def _before_load(stage: Stage) -> None:
    stage.script = [step for step in stage.script if step[0] < -75]


def scaling() -> Stage:
    """The recorded run: 2 → 4 → 8 under load, four pods still on their way."""
    stage = idle()
    _before_load(stage)
    store = stage.store
    stage.at(-75, lambda: stage.sample(186, 187))
    stage.at(-62, lambda: stage.decide(2, 4, 186, "ScaleUpLimit"))
    stage.at(-61, lambda: stage.pods(2, 4, "ContainerCreating"))
    stage.at(-60, lambda: stage.sample(361, 352))
    stage.at(-59, lambda: stage.pods(2, 4, age=2))
    stage.at(-58, lambda: store.put(Kind.DEPLOYMENTS, [deployment(4, 4)]))
    stage.at(-45, lambda: stage.sample(480, 470))
    stage.at(-30, lambda: stage.sample(487, 452, 236, 213))
    stage.at(-15, lambda: stage.sample(487, 452, 236, 213))
    stage.at(-12, lambda: stage.decide(4, 8, 347, "ScaleUpLimit"))
    stage.at(-2, lambda: stage.pods(4, 6, "ContainerCreating"))
    stage.at(-1, lambda: stage.pods(6, 8, "Pending"))
    no_room = warning(
        NAMES[7], "FailedScheduling", "0/2 nodes are available: 2 Insufficient cpu.", time=NOW - 1
    )
    stage.at(-1, lambda: store.put(Kind.EVENTS, [no_room]))
    return stage


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


def bursting() -> Stage:
    """The recorded run with the burst that drives it."""
    stage = scaling()
    early = burst(pods=MappingProxyType({}), points=(), elapsed=0.5)
    stage.at(-100, lambda: stage.store.put_load(LoadRow((early,))))
    stage.at(0, lambda: stage.store.put_load(LoadRow((burst(),))))
    stage.script.sort(key=lambda step: step[0])
    return stage


def two_bursts() -> Stage:
    """A minute through nginx and Caddy at once; both have ended."""
    stage = scaling()
    latency = MappingProxyType({50.0: 0.0291, 90.0: 0.0533, 99.0: 0.0981, 99.9: 0.154})
    one = burst(
        profile="class-burst",
        asked=None,
        duration=60.0,
        elapsed=60.0,
        progress=1.0,
        state="done",
        in_flight=0,
        responses=113_954,
        good=113_940,
        statuses=MappingProxyType({200: 113_940, 503: 14}),
        failures=MappingProxyType({}),
        failed=0,
        pods=MappingProxyType(dict(zip(NAMES[:4], (31_874, 29_206, 27_117, 25_743), strict=True))),
        points=burst().points[:60],
    )
    two = replace(
        one,
        number=2,
        target="caddy-svc",
        route="NodePort 30082 on lab-worker",
        achieved=1502.0,
        mean=1502.0,
        responses=90_122,
        good=90_122,
        latency=latency,
        service=latency,
        statuses=MappingProxyType({200: 90_122}),
        pods=MappingProxyType(dict(zip(NAMES[:4], (24_010, 22_954, 21_877, 21_281), strict=True))),
    )
    ended = [replace(row, summary=("Summary:", "  Total:  60.0 secs")) for row in (one, two)]
    early = [replace(row, state="running", elapsed=0.5, points=()) for row in (one, two)]
    stage.at(-100, lambda: stage.store.put_load(LoadRow(tuple(early))))
    stage.at(0, lambda: stage.store.put_load(LoadRow(tuple(ended))))
    stage.script.sort(key=lambda step: step[0])
    return stage


def at_max() -> Stage:
    """Ten pods, still over the target."""
    stage = scaling()
    store = stage.store
    stage.script = [step for step in stage.script if step[0] < -12]
    stage.at(-12, lambda: stage.decide(4, 10, 347, "TooManyReplicas"))
    stage.at(-11, lambda: stage.pods(4, 10, "ContainerCreating"))
    stage.at(-9, lambda: stage.pods(4, 10, age=2))
    held = hpa(10, 10, 112, last_scale=NOW - 12, conditions=conditions("TooManyReplicas"))
    stage.at(-8, lambda: store.put(Kind.DEPLOYMENTS, [deployment(10, 10)]))
    stage.at(-1, lambda: stage.sample(131, 125, 118, 113, 108, 105, 104, 103, 102, 101))
    stage.at(0, lambda: store.put(Kind.HPAS, [held]))
    return stage


def unknown() -> Stage:
    """The target reads ``<unknown>``: a second Deployment under the label requests nothing."""
    stage = idle()
    why = (
        "the HPA was unable to compute the replica count: failed to get cpu utilization: missing "
        "request for cpu in container sidecar of Pod noisy-6f7b9c4d8-abcde"
    )
    row = hpa(
        2,
        0,
        None,
        conditions=conditions(active="FailedGetResourceMetric", message=why),
    )
    stage.at(-40, lambda: stage.store.put(Kind.HPAS, [row]))
    failed = msgspec.structs.replace(
        warning("fastapi-hpa", "FailedGetResourceMetric", why, time=NOW - 10, count=3),
        about_kind="HorizontalPodAutoscaler",
        about_uid="uid-hpa",
    )
    stage.at(-10, lambda: stage.store.put(Kind.EVENTS, [failed]))
    return stage


def metrics_absent() -> Stage:
    """No metrics-server."""
    stage = idle()
    stage.script = []
    detail = (
        "The metrics API (metrics.k8s.io) is not installed in this cluster; an HPA cannot work "
        "without it. Install metrics-server."
    )
    for source in Source:
        stage.store.link(source, Health.ABSENT, detail)
    why = "unable to fetch metrics from resource metrics API"
    row = hpa(2, 0, None, conditions=conditions(active="FailedGetResourceMetric", message=why))
    stage.at(-30, lambda: stage.store.put(Kind.HPAS, [row]))
    return stage


def forbidden() -> Stage:
    """Rights in one namespace, and not to everything in it."""
    stage = idle()
    user = 'User "student" may not'
    denied = {
        Kind.NODES: f"{user} list nodes in the cluster.",
        Kind.EVENTS: f"{user} list events in the namespace default.",
        Source.POD_METRICS: f"{user} list pods.metrics.k8s.io in the namespace default.",
        Source.NODE_METRICS: f"{user} list nodes.metrics.k8s.io in the cluster.",
    }
    for source, detail in denied.items():
        stage.store.link(source, Health.FORBIDDEN, detail)
    stage.store.retain(Kind.NODES, [])
    stage.script = []
    return stage


def disconnected() -> Stage:
    """The API server went away 42 s ago, in the middle of it all."""
    stage = scaling()
    stage.script = [step for step in stage.script if step[0] < -42]
    detail = "Nothing answers at 192.168.49.2:8443 (connection refused)."
    stage.connection = Link(Health.RETRYING, NOW - 42, detail, NOW + 9)

    def lose() -> None:
        for source in (*Kind, *Source):
            stage.store.link(source, Health.RETRYING, detail, NOW + 9)

    stage.at(-42, lose)
    return stage


def empty() -> Stage:
    """A cluster with nothing in it."""
    stage = Stage()
    stage.all_live()
    stage.store.put(Kind.NODES, nodes()[:1])
    return stage


def _setup_rows() -> tuple[SetupRow, ...]:
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


def setups() -> Stage:
    """Setups in every state there is."""
    stage = idle()
    stage.store.put_setups(SetupsRow(_setup_rows()))
    return stage


def setups_failed() -> Stage:
    """An apply stopped half way."""
    stage = idle()
    nginx = replace(
        _setup_rows()[0],
        state="degraded",
        sentence="Deployment/nginx-proxy: 0 of 1 pods ready: ErrImagePull.",
        ready=0,
        probe="",
        answers=None,
        url="",
        seconds=None,
        steps=(
            ObjectStep("ConfigMap/nginx-config", "ready", "created"),
            ObjectStep("Service/nginx-svc", "ready", "created"),
            ObjectStep("Deployment/nginx-proxy", "failed", "ErrImagePull of nginx:9.99"),
        ),
        failure="Deployment/nginx-proxy cannot pull nginx:9.99 (ErrImagePull). Name another image.",
        undo="delete ConfigMap/nginx-config, Service/nginx-svc and Deployment/nginx-proxy",
    )
    stage.store.put_setups(SetupsRow((nginx, *_setup_rows()[3:4])))
    return stage


STATES: dict[str, Callable[[], Stage]] = {
    "idle": idle,
    "scaling": scaling,
    "at-max": at_max,
    "unknown": unknown,
    "metrics-absent": metrics_absent,
    "forbidden": forbidden,
    "disconnected": disconnected,
    "empty": empty,
    "burst": bursting,
    "two-bursts": two_bursts,
}
