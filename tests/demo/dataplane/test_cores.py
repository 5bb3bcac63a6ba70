"""CPU sharing: what a pod's limit and a machine's cores let through, against the arithmetic."""

from __future__ import annotations

from random import Random

import pytest

from tui.demo.clock import Clock
from tui.demo.dataplane.cores import Machine, Share
from tui.demo.dataplane.costs import Cost

COST = 0.002


class Bench:
    """A closed loop of jobs on shares of one machine, on a clock that is stepped."""

    def __init__(self, cores: float = 4.0, speed: float = 1.0) -> None:
        self.clock = Clock(speed=speed)
        self.machine = Machine(self.clock, cores, lambda work: None)
        self.used: dict[int, float] = {}
        self.latencies: dict[int, list[float]] = {}
        self.cost = Cost(COST, Random(1))

    def share(
        self, limit: float | None, workers: float = 1.0, weight: float = 100.0, phase: float = 0.03
    ) -> Share:
        number = len(self.used)
        self.used[number] = 0.0
        self.latencies[number] = []

        def spend(work: float) -> None:
            self.used[number] += work

        return Share(self.machine, limit, workers, weight, spend, phase)

    def keep_busy(self, share: Share, jobs: int, number: int = 0) -> None:
        def submit() -> None:
            began = self.machine.now()

            def done(alive: bool) -> None:
                assert alive
                self.latencies[number].append(self.machine.now() - began)
                submit()

            share.submit(self.cost.draw(), done)

        for _ in range(jobs):
            submit()

    def run(self, seconds: float) -> None:
        self.clock.advance(seconds * self.clock.speed)


@pytest.mark.parametrize("speed", [1.0, 20.0])
@pytest.mark.parametrize(("limit", "jobs"), [(0.25, 20), (0.5, 20), (0.5, 4), (1.0, 10)])
def test_a_saturated_pod_achieves_limit_over_cost(limit: float, jobs: int, speed: float) -> None:
    bench = Bench(speed=speed)
    bench.keep_busy(bench.share(limit), jobs)
    bench.run(10)
    latencies = bench.latencies[0]
    assert len(latencies) / 10 == pytest.approx(limit / COST, rel=0.05)
    # Little's law: those waiting = rate × time.
    assert sum(latencies) / len(latencies) == pytest.approx(jobs * COST / limit, rel=0.05)
    assert bench.used[0] / 10 == pytest.approx(limit, rel=0.02)


def test_the_counters_are_what_the_work_cost() -> None:
    bench = Bench()
    share = bench.share(0.5)
    done: list[bool] = []
    for _ in range(100):
        share.submit(0.001, done.append)
    bench.run(5)
    assert done == [True] * 100
    assert bench.used[0] == pytest.approx(0.1)


def test_a_pod_below_its_limit_answers_at_once() -> None:
    bench = Bench()
    share = bench.share(0.5)
    moments: list[float] = []
    for _ in range(20):
        began = bench.machine.now()
        share.submit(COST, lambda alive, began=began: moments.append(bench.machine.now() - began))
        bench.run(0.1)
    assert max(moments) < 2 * COST


def test_a_quota_that_is_used_up_stalls_until_the_next_period() -> None:
    bench = Bench()
    bench.keep_busy(bench.share(0.2), 3)
    bench.run(3)
    # 20 ms of work, then 80 ms of nothing.
    assert max(bench.latencies[0]) > 0.07
    assert sorted(bench.latencies[0])[len(bench.latencies[0]) // 2] < 0.02


def test_a_full_machine_is_shared_by_weight() -> None:
    bench = Bench(cores=1.0)
    bench.keep_busy(bench.share(None, workers=4, weight=100), 40, 0)
    bench.keep_busy(bench.share(None, workers=4, weight=300), 40, 1)
    bench.run(5)
    assert bench.used[0] + bench.used[1] == pytest.approx(5.0, rel=0.02)
    assert bench.used[1] / bench.used[0] == pytest.approx(3.0, rel=0.05)


def test_what_one_does_not_want_goes_to_the_other() -> None:
    bench = Bench(cores=1.0)
    bench.share(None, weight=300)
    bench.keep_busy(bench.share(None, workers=4, weight=100), 40, 1)
    bench.run(2)
    assert bench.used[1] == pytest.approx(2.0, rel=0.02)


def test_burning_keeps_to_the_limit_and_ends() -> None:
    bench = Bench()
    share = bench.share(0.5)
    share.burn(2.0, 4)
    bench.run(5)
    assert bench.used[0] == pytest.approx(1.0, rel=0.06)
    assert share.idle


def test_jobs_share_a_burning_pod() -> None:
    bench = Bench()
    share = bench.share(0.5)
    share.burn(60.0, 3)
    bench.keep_busy(share, 10)
    bench.run(5)
    assert bench.used[0] / 5 == pytest.approx(0.5, rel=0.05)
    # One worker beside three threads gets a quarter.
    assert len(bench.latencies[0]) / 5 == pytest.approx(0.125 / COST, rel=0.1)


def test_a_process_that_ends_breaks_its_jobs() -> None:
    bench = Bench()
    share = bench.share(0.5)
    told: list[bool] = []
    share.submit(10.0, told.append)
    bench.run(0.5)
    share.end()
    assert told == [False]
    bench.run(1)
    assert share.idle


def test_costs_have_the_mean_asked_for() -> None:
    cost = Cost(0.003, Random(7))
    drawn = [cost.draw() for _ in range(4096)]
    assert sum(drawn) / len(drawn) == pytest.approx(0.003)
    assert min(drawn) >= 0
    assert len(set(drawn)) > 1000
