"""States of the screen: clusters that tests put on stage, and what happens there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType

import msgspec
from msgspec.structs import replace

from tests.samples import (
    MI,
    NAMES,
    NOW,
    Clock,
    burst,
    conditions,
    deployment,
    hpa,
    nodes,
    pod,
    replicaset,
    setup_rows,
    usage,
    warning,
)
from tui.app import Feed, KscaleApp, Still
from tui.config import Settings
from tui.state.links import Health, Link, Source
from tui.state.load import LoadRow
from tui.state.place import Place
from tui.state.rows import (
    Kind,
    NodeUsage,
)
from tui.state.setups import ObjectStep, SetupsRow
from tui.state.store import Store


@dataclass
class Stage:
    """A store, its clock, and what happens on it."""

    clock: Clock = field(default_factory=lambda: Clock(NOW - 300))
    connection: Link = field(default_factory=lambda: Link(Health.LIVE, NOW - 4000))
    place: Place = field(default_factory=lambda: Place("minikube", "default"))
    script: list[tuple[float, Callable[[], object]]] = field(default_factory=list)
    feed: Feed | None = None
    """What brings more than is put on the stage."""
    settings: Settings = field(default_factory=Settings)

    def __post_init__(self) -> None:
        self.store = Store(self.clock)

    def at(self, seconds: float, *steps: Callable[[], object]) -> None:
        """Do something that many seconds before (negative) the instant that is looked at."""
        self.script += [(seconds, step) for step in steps]

    def app(self, theme: str = "dark") -> KscaleApp:
        """The program on this stage; nothing moves until :meth:`play`."""
        feed = self.feed or Still(self.place, self.connection)
        return KscaleApp(self.store, feed, replace(self.settings, theme=theme))

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


def setups() -> Stage:
    """Setups in every state there is."""
    stage = idle()
    stage.store.put_setups(SetupsRow(setup_rows()))
    return stage


def setups_failed() -> Stage:
    """An apply stopped half way."""
    stage = idle()
    nginx = replace(
        setup_rows()[0],
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
    stage.store.put_setups(SetupsRow((nginx, *setup_rows()[3:4])))
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
