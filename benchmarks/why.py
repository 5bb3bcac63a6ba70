"""What it costs to know why: 200 HPAs with 2,000 pods, watched for two minutes of their time.

Each second a share of the HPAs writes a status, pods come and go, and every 15 s there are new
samples. A tick is what the screen's thread does to explain: follow all HPAs, reckon the looks
that happened, and lay out every step of the one in view. CPU time, as others may use the machine.
"""

from __future__ import annotations

import gc
import random
import time
from statistics import median

from benchmarks.table import show
from tui.analysis.focus import resolve
from tui.analysis.why import Explainer
from tui.analysis.why_sentence import sentences
from tui.analysis.why_steps import steps
from tui.state.links import Health, Source
from tui.state.rows import (
    Condition,
    ContainerRow,
    HpaRow,
    Kind,
    MetricRow,
    PodRow,
    PodUsage,
    Requirement,
    WorkloadRow,
)
from tui.state.store import Store

HPAS, PODS, SECONDS, TICK = 200, 10, 120, 0.1
START = 1_795_000_000.0


class Cluster:
    """Deployments of ten pods, each with an HPA."""

    def __init__(self, seed: int = 1) -> None:
        self.rng = random.Random(seed)
        self.now = START
        self.store = Store(clock=lambda: self.now)
        self.store.put(Kind.DEPLOYMENTS, [self.deployment(n) for n in range(HPAS)])
        self.store.put(Kind.HPAS, [self.hpa(n, 40) for n in range(HPAS)])
        for n in range(HPAS):
            self.store.put(Kind.PODS, [self.pod(n, i) for i in range(PODS)])
        for source in (*Kind, *Source):
            self.store.link(source, Health.LIVE)
        self.sample()

    def deployment(self, n: int) -> WorkloadRow:
        return WorkloadRow(
            uid=f"d{n}",
            name=f"web-{n}",
            namespace="default",
            kind="Deployment",
            selector=(Requirement("app", "In", (f"web-{n}",)),),
            replicas=PODS,
            current=PODS,
            ready=PODS,
        )

    def hpa(self, n: int, cpu: int) -> HpaRow:
        return HpaRow(
            uid=f"h{n}",
            name=f"web-{n}",
            namespace="default",
            target_kind="Deployment",
            target_name=f"web-{n}",
            min=2,
            max=20,
            current=PODS,
            desired=PODS,
            metrics=(
                MetricRow(type="Resource", name="cpu", target=50, current=cpu, current_average=cpu),
            ),
            conditions=(
                Condition("AbleToScale", "True", "ReadyForNewScale"),
                Condition("ScalingActive", "True", "ValidMetricFound"),
                Condition("ScalingLimited", "False", "DesiredWithinRange"),
            ),
        )

    def pod(self, n: int, i: int, ready: bool = True) -> PodRow:
        return PodRow(
            uid=f"p{n}-{i}",
            name=f"web-{n}-66b8c95455-{i:05}",
            namespace="default",
            labels=(("app", f"web-{n}"), ("pod-template-hash", "66b8c95455")),
            phase="Running",
            status="Running",
            containers=(ContainerRow("app", 100, 500, 2**27, 2**28),),
            ready=ready,
            ready_since=START - 4000,
            started=START - 4000,
        )

    def sample(self) -> None:
        self.used = [[self.rng.randrange(30, 70) for _ in range(PODS)] for _ in range(HPAS)]
        self.store.sample_pods(
            [
                PodUsage(
                    "default",
                    f"web-{n}-66b8c95455-{i:05}",
                    self.now,
                    15.0,
                    (("app", milli, 2**26),),
                )
                for n, each in enumerate(self.used)
                for i, milli in enumerate(each)
            ]
        )

    def live(self, tick: int) -> None:
        """What happens in one tick."""
        for n in range(tick % 150, HPAS, 150):  # every HPA writes once in 15 s
            self.store.put(Kind.HPAS, [self.hpa(n, sum(self.used[n]) // PODS)])
        if tick % 3 == 0:
            n, i = self.rng.randrange(HPAS), self.rng.randrange(PODS)
            self.store.put(Kind.PODS, [self.pod(n, i, self.rng.random() < 0.5)])
        if tick % 150 == 0:
            self.sample()


def run() -> None:
    """Measure, and print a table."""
    cluster, explainer = Cluster(), Explainer()
    took: list[float] = []
    first: list[float] = []
    gc.collect()
    gc.freeze()  # as the program does once it stands
    for tick in range(int(SECONDS / TICK)):
        cluster.now = START + tick * TICK
        cluster.live(tick)
        delta = cluster.store.drain()
        focus = resolve(delta, "h7", None)
        begin = time.thread_time()
        why = explainer.feed(delta, focus, cluster.now)
        if why.outlook is not None:
            steps(why.outlook, cluster.now)
            sentences(why.outlook, cluster.now, why.next_look)
        (first if tick < 10 else took).append(1000 * (time.thread_time() - begin))
    ordered = sorted(took)
    looks = sum(explainer.looks(f"h{n}").looks for n in range(HPAS))
    show(
        f"Explaining {HPAS} HPAs with {HPAS * PODS:,} pods, {len(took):,} ticks, {looks:,} looks",
        ("ms of CPU a tick", ""),
        [
            ["median", f"{median(took):.2f}"],
            ["99th percentile", f"{ordered[int(len(ordered) * 0.99)]:.2f}"],
            ["longest", f"{ordered[-1]:.2f}"],
            ["longest of the first second", f"{max(first):.2f}"],
        ],
    )
