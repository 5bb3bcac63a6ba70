"""A node that is lost and comes back."""

from __future__ import annotations

from tests.demo.conftest import Build
from tui.demo import resources
from tui.demo.cluster import Cluster
from tui.demo.store import Entry

WORKER = "embedded-worker"


def _pods(cluster: Cluster) -> dict[str, Entry]:
    return {pod.name: pod for pod in cluster.store.list_at("pods", "default", None)}


def _conditions(cluster: Cluster) -> dict[str, str]:
    node = cluster.api.get(resources.NODES, "", WORKER)
    return {one["type"]: one["status"] for one in node.status["conditions"]}


def test_a_node_that_is_back_soon_starts_its_pods_anew(build: Build) -> None:
    cluster = build(lesson=True)
    before = _pods(cluster)
    cluster.lose_node(WORKER)
    cluster.clock.advance(60)
    assert _conditions(cluster)["Ready"] == "Unknown"
    cluster.restore_node(WORKER)
    cluster.clock.advance(60)
    assert _conditions(cluster) == {
        "Ready": "True",
        "MemoryPressure": "False",
        "DiskPressure": "False",
        "PIDPressure": "False",
    }
    assert "taints" not in cluster.api.get(resources.NODES, "", WORKER).spec
    after = _pods(cluster)
    assert after.keys() == before.keys()
    for pod in after.values():
        status = pod.status["containerStatuses"][0]
        # nginx and Caddy may start before the app is back, and start once more.
        assert status["restartCount"] >= 1
        assert status["ready"], pod.name
    cluster.clock.advance(600)
    assert _pods(cluster).keys() == before.keys()  # nobody is evicted afterwards


def test_pods_that_were_given_up_go_when_the_node_is_back(build: Build) -> None:
    cluster = build(lesson=True)
    before = _pods(cluster)
    cluster.lose_node(WORKER)
    cluster.clock.advance(400)
    assert all(_pods(cluster)[name].deleting for name in before)
    cluster.restore_node(WORKER)
    cluster.clock.advance(120)
    after = _pods(cluster)
    assert before.keys().isdisjoint(after)
    assert len(after) == len(before)
    assert all(pod.status["phase"] == "Running" for pod in after.values())


def test_a_node_that_was_not_lost_is_left_alone(build: Build) -> None:
    cluster = build(lesson=True)
    before = {name: pod.uid for name, pod in _pods(cluster).items()}
    cluster.restore_node(WORKER)
    cluster.clock.advance(30)
    assert {name: pod.uid for name, pod in _pods(cluster).items()} == before
