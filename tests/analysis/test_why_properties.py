"""The explainer beside a controller with any behavior, under any load.

The controller is the algorithm with a memory of its own, over a store that changes; the explainer
sees what a dashboard sees: rows, samples, and the statuses that the controller writes.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from functools import cache

import msgspec
import pytest

from tests.thorough import examples
from tui.analysis import hpa
from tui.analysis.focus import resolve
from tui.analysis.why import Explainer, Explanation
from tui.analysis.why_inputs import inputs_of, pod_of, spec_of, usage_of
from tui.analysis.why_sentence import sentences
from tui.analysis.why_steps import steps
from tui.state.links import Health, Source
from tui.state.rows import (
    Condition,
    ContainerRow,
    Direction,
    HpaRow,
    Kind,
    MetricRow,
    PodRow,
    PodUsage,
    Policy,
    Requirement,
    WorkloadRow,
)
from tui.state.store import Store

START = 1_795_000_000.0
TICK = 0.5
SEEDS = examples(6, 60)


@dataclass
class World:
    """A store, and a controller that nobody can look into."""

    row: HpaRow
    load: list[int]
    """Millicores in all, a quarter of a minute each."""
    seed: int
    now: float = START
    memory: hpa.Memory = hpa.NOTHING_REMEMBERED
    made: int = 0
    pods: dict[str, PodRow] = field(default_factory=dict)
    samples: list[PodUsage] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)
        self.store = Store(lambda: self.now)
        self.replicas = 2
        self.resize(2)
        for uid, pod in self.pods.items():
            old = {"created": START - 900, "started": START - 900, "ready_since": START - 890}
            self.pods[uid] = _replace(pod, phase="Running", ready=True, **old)
        self.store.put(Kind.PODS, self.pods.values())
        self.store.put(Kind.HPAS, [self.row])
        for source in (*Kind, *Source):
            self.store.link(source, Health.LIVE)
        self.measure()
        self.store.sample_pods(self.samples)

    @property
    def workload(self) -> WorkloadRow:
        return WorkloadRow(
            uid="d",
            name="web",
            namespace="n",
            kind="Deployment",
            selector=(Requirement("app", "In", ("web",)),),
            replicas=self.replicas,
            current=len(self.pods),
            ready=sum(1 for p in self.pods.values() if p.ready),
        )

    def resize(self, size: int) -> None:
        self.replicas = size
        while len(self.pods) < size:
            self.made += 1
            uid = f"p{self.made}"
            self.pods[uid] = PodRow(
                uid=uid,
                name=f"web-{self.made}",
                namespace="n",
                created=self.now,
                started=self.now,
                labels=(("app", "web"),),
                phase="Pending",
                ready=False,
                ready_since=self.now,
                containers=(ContainerRow("app", 100),),
            )
        for uid in list(self.pods)[size:]:
            del self.pods[uid]
            self.store.drop(Kind.PODS, [uid])
        self.store.put(Kind.PODS, self.pods.values())
        self.store.put(Kind.DEPLOYMENTS, [self.workload])

    def measure(self) -> None:
        """metrics-server takes its sample."""
        ready = [p for p in self.pods.values() if p.ready and self.now - (p.started or 0) > 5]
        slot = int((self.now - START) // 15)
        total = self.load[min(slot, len(self.load) - 1)]
        self.samples = [
            PodUsage("n", p.name, self.now, 15.0, (("app", total // max(1, len(ready)), 0),))
            for p in ready
        ]

    def start_pods(self) -> None:
        for uid, pod in self.pods.items():
            if not pod.ready and self.now - pod.created >= 2:
                self.pods[uid] = _replace(pod, phase="Running", ready=True, ready_since=self.now)
        self.store.put(Kind.PODS, self.pods.values())
        self.store.put(Kind.DEPLOYMENTS, [self.workload])

    def look(self) -> None:
        """The controller's turn: it reads, decides, sets the size, and tells."""
        spec = spec_of(self.row)
        seen = inputs_of(
            self.row,
            self.workload,
            [pod_of(p) for p in self.pods.values()],
            [usage_of(sample) for sample in self.samples],
            selecting=("n/h",),
        )
        outcome = hpa.reconcile(spec, seen, self.memory, self.now)
        self.memory = outcome.memory
        if outcome.scale_to is not None:
            self.resize(outcome.scale_to)
        self.row = told(self.row, outcome.status)
        self.store.put(Kind.HPAS, [self.row])


def _replace(row: PodRow, **changes: object) -> PodRow:
    return msgspec.structs.replace(row, **changes)


def told(row: HpaRow, status: hpa.Status) -> HpaRow:
    """The row of an HPA with that status."""
    read = status.current_metrics[0] if status.current_metrics else hpa.MetricStatus()
    metric = msgspec.structs.replace(
        row.metrics[0], current=read.average_utilization, current_average=read.average_value
    )
    return msgspec.structs.replace(
        row,
        current=status.current_replicas,
        desired=status.desired_replicas,
        last_scale=status.last_scale_time,
        metrics=(metric,),
        conditions=tuple(
            Condition(c.type, c.status, c.reason, c.message, c.since) for c in status.conditions
        ),
    )


def any_rules(rng: random.Random) -> Direction | None:
    if rng.random() < 0.4:
        return None
    policies = tuple(
        Policy(
            rng.choice(["Pods", "Percent"]),
            rng.choice([1, 2, 4, 50, 100]),
            rng.choice([15, 30, 60, 120]),
        )
        for _ in range(rng.randint(1, 2))
    )
    return Direction(
        policies,
        rng.choice(["Max", "Max", "Min", "Disabled"]),
        rng.choice([0, 15, 45, 120]),
        rng.choice([None, None, 0, 50, 200]),
    )


def any_hpa(rng: random.Random) -> HpaRow:
    with_behavior = rng.random() < 0.7
    return HpaRow(
        uid="h",
        name="h",
        namespace="n",
        target_kind="Deployment",
        target_name="web",
        min=rng.randint(1, 3),
        max=rng.randint(4, 12),
        current=2,
        desired=2,
        metrics=(MetricRow(type="Resource", name="cpu", target=50),),
        scale_up=any_rules(rng) if with_behavior else None,
        scale_down=any_rules(rng) if with_behavior else None,
    )


@cache
def watch(seed: int, late: float) -> list[Explanation]:
    """Four minutes, watched; our poll comes ``late`` seconds after each sample."""
    rng = random.Random(seed)
    load = [rng.choice([4, 40, 90, 100, 110, 150, 300, 700, 1500]) for _ in range(16)]
    world = World(any_hpa(rng), load, seed)
    explainer = Explainer()
    shown: list[Explanation] = []
    look_at, sample_at, poll_at = START + 3 + 10 * rng.random(), START + 15, float("inf")
    while world.now < START + 15 * len(load):
        world.now += TICK
        world.start_pods()
        if world.now >= sample_at:
            world.measure()
            sample_at += 15
            poll_at = world.now + late
        if world.now >= poll_at:
            poll_at = float("inf")
            world.store.sample_pods(world.samples)
        if world.now >= look_at:
            world.look()
            look_at += 15
        delta = world.store.drain()
        shown.append(explainer.feed(delta, resolve(delta, None, None), world.now))
    return shown


@pytest.mark.parametrize("seed", range(SEEDS))
@pytest.mark.parametrize("late", [0.0, 4.0])
def test_our_size_is_the_controllers_whatever_its_behavior(seed: int, late: float) -> None:
    last = watch(seed, late)[-1].agreement
    assert last.looks >= 14
    # A sample that the controller had before us comes to us later: then the look is judged anew.
    assert last.differences == ()


@pytest.mark.parametrize("seed", range(SEEDS))
def test_steps_and_sentence_hold_together(seed: int) -> None:
    for why in watch(seed, 4.0)[::40]:
        if why.outlook is None:
            continue
        laid_out = steps(why.outlook, START)
        assert sum(step.deciding for step in laid_out) == 1
        decision = why.outlook.decision
        if decision.normalization is not None:
            assert laid_out[-1].key == "desired"
            assert laid_out[-1].result == decision.desired
        forms = sentences(why.outlook, START, why.next_look)
        lengths = [sum(len(piece.text) for piece in form) for form in forms]
        assert lengths[0] == max(lengths)
        assert lengths[-1] == min(lengths)
        assert all(lengths)
