"""The lesson everyone meets first: 2 → 4 → 8 → 10, and back to 2 in one step."""

from __future__ import annotations

import pytest

from tests.demo.conftest import Build
from tui.demo import resources
from tui.demo.cluster import Cluster
from tui.demo.traffic import Wave


def _desired(cluster: Cluster) -> int:
    hpa = cluster.api.get(resources.HPAS, "default", "fastapi-hpa")
    desired: int = hpa.status["desiredReplicas"]
    return desired


def _ready(cluster: Cluster) -> int:
    deployment = cluster.api.get(resources.DEPLOYMENTS, "default", "fastapi-deploy")
    ready: int = deployment.status.get("readyReplicas", 0)
    return ready


@pytest.mark.parametrize("speed", [1.0, 20.0])
def test_the_traffic_scales_the_app_out_and_back(build: Build, speed: float) -> None:
    cluster = build(speed=speed, wave=Wave(), lesson=True)
    clock = cluster.clock
    steps = [(0.0, _desired(cluster))]
    while clock.now() - clock.start < 600:
        clock.advance(1)
        if _desired(cluster) != steps[-1][1]:
            steps.append((clock.now() - clock.start, _desired(cluster)))
    assert [replicas for _, replicas in steps] == [2, 4, 8, 10, 2]
    first, last, down = steps[1][0], steps[3][0], steps[4][0]
    assert 20 < first < 60
    assert last - first <= 31
    assert 300 <= down - 210 <= 330  # the window, counted from the end of the rush
    assert _ready(cluster) == 2


def test_it_begins_calm_and_warm(build: Build) -> None:
    cluster = build(wave=Wave(), lesson=True)
    hpa = cluster.api.get(resources.HPAS, "default", "fastapi-hpa")
    current = hpa.status["currentMetrics"][0]["resource"]["current"]
    assert current["averageUtilization"] < 10
    assert {one["type"]: one["reason"] for one in hpa.status["conditions"]} == {
        "AbleToScale": "ReadyForNewScale",
        "ScalingActive": "ValidMetricFound",
        "ScalingLimited": "TooFewReplicas",
    }
    assert len(cluster.metrics.pods("default")) == 4


def test_the_same_seed_tells_the_same_story(build: Build) -> None:
    told = []
    for _ in range(2):
        cluster = build(seed=7, wave=Wave(), lesson=True)
        cluster.clock.advance(90)
        pods = cluster.store.list_at(resources.PODS.storage, "default", None)
        told.append([(pod.name, pod.uid, pod.raw) for pod in pods])
    assert told[0] == told[1]


def test_the_cycle_repeats(build: Build) -> None:
    cluster = build(wave=Wave(), lesson=True)
    seen: list[int] = []
    for _ in range(1300):
        cluster.clock.advance(1)
        if not seen or seen[-1] != _desired(cluster):
            seen.append(_desired(cluster))
    assert seen == [2, 4, 8, 10, 2, 4, 8, 10, 2, 4, *seen[10:]]


def test_hours_of_it_leave_nothing_behind(build: Build) -> None:
    cluster = build(wave=Wave(), lesson=True)
    cluster.clock.advance(Wave().length)
    objects = {r.storage: cluster.store.count(r.storage) for r in resources.SERVED if r.stored}
    cluster.clock.advance(3 * Wave().length)  # the same moment of a later cycle
    for storage, count in objects.items():
        if storage != resources.EVENTS.storage:
            assert cluster.store.count(storage) == count, storage
    assert cluster.store.count(resources.EVENTS.storage) < 500
    assert sum(len(table.history) for table in cluster.store._tables.values()) < 1000
    assert len(cluster.logs._logs) == cluster.store.count(resources.PODS.storage)
