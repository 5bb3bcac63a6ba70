"""Pods in trouble: the kubelet's status and events, as recorded from a real one."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from tests.demo import recorded
from tests.demo.conftest import Build
from tui.demo import resources
from tui.demo.api.operations import Writer
from tui.demo.api.pod_words import words
from tui.demo.cluster import Cluster
from tui.demo.node.programs import ANNOTATION
from tui.demo.store import Entry

USER = Writer("test")
STATES = (
    "image-missing",
    "crash-loop",
    "never-ready",
    "liveness-fails",
    "config-missing",
    "bad-command",
    "init-stuck",
    "done-once",
    "failed-once",
    "nodeselector-miss",
    "oom",
)
# Moments that the recording caught in passing: terminated shortly before the back-off is said.
SAME_STATE = {
    "Error": "CrashLoopBackOff",
    "OOMKilled": "CrashLoopBackOff",
    "ErrImagePull": "ImagePullBackOff",
    "RunContainerError": "CrashLoopBackOff",
}


def _recorded(name: str, moment: int) -> dict[str, Any]:
    items = recorded.read(f"pod-states/after-{moment}s/pods")["items"]
    found: dict[str, Any] = next(i for i in items if i["metadata"]["name"].startswith(name))
    return found


def _create(cluster: Cluster, name: str) -> Entry:
    spec = _recorded(name, 70)["spec"]
    kept = ("containers", "initContainers", "restartPolicy", "nodeSelector")
    spec = {key: spec[key] for key in kept if key in spec}
    for container in (*spec["containers"], *spec.get("initContainers", ())):
        container.pop("volumeMounts", None)
    metadata: dict[str, Any] = {"name": name}
    if name == "oom":
        metadata["annotations"] = {ANNOTATION: "exit-after=0.3 exit-code=137 reason=OOMKilled"}
    data = {"metadata": metadata, "spec": spec}
    return cluster.api.create(resources.PODS, "default", data, USER)


def _pod(cluster: Cluster, name: str) -> Entry:
    return cluster.api.get(resources.PODS, "default", name)


def _events(cluster: Cluster, name: str) -> dict[str, str]:
    return {
        entry.data["reason"]: entry.data["message"]
        for entry in cluster.store.list_at(resources.EVENTS.storage, "default", None)
        if entry.data["involvedObject"]["name"] == name
    }


@pytest.mark.parametrize("name", STATES)
def test_states_are_those_recorded(build: Build, name: str) -> None:
    cluster = build()
    _create(cluster, name)
    for moment in (6, 70):
        cluster.clock.advance(cluster.clock.start + moment - cluster.clock.now())
        mine, theirs = _pod(cluster, name).data, _recorded(name, moment)
        shown = [words(one) for one in (mine, theirs)]
        assert shown[0].ready == shown[1].ready or name == "liveness-fails"
        said = [SAME_STATE.get(one.status, one.status) for one in shown]
        if mine["spec"].get("restartPolicy") == "Never":
            said = [one.status for one in shown]
        assert said[0] == said[1] or (name == "liveness-fails" and moment == 6)
        assert abs(shown[0].restarts - shown[1].restarts) <= 1
        assert mine["status"]["phase"] == theirs["status"]["phase"]
        conditions = [
            {c["type"]: (c["status"], c.get("reason")) for c in one["status"]["conditions"]}
            for one in (mine, theirs)
        ]
        if name != "liveness-fails":
            assert conditions[0] == conditions[1]


@pytest.mark.parametrize("name", ["crash-loop", "liveness-fails", "image-missing"])
def test_back_off_doubles(build: Build, name: str) -> None:
    cluster = build()
    _create(cluster, name)
    starts = []
    seen = -1
    for _ in range(600):
        cluster.clock.advance(0.5)
        if name == "image-missing":
            events = cluster.store.entries(resources.EVENTS.storage, "default")
            count = sum(
                e.data.get("count", 1)
                for e in events
                if e.data["reason"] == "Pulling" and e.data["involvedObject"]["name"] == name
            )
        else:
            statuses = _pod(cluster, name).status.get("containerStatuses") or [{}]
            count = statuses[0].get("restartCount", 0)
        if count != seen:
            seen = count
            starts.append(cluster.clock.now() - cluster.clock.start)
    gaps = [later - earlier for earlier, later in pairwise(starts[2:])]
    assert len(gaps) >= 2
    for earlier, later in pairwise(gaps):
        assert 1.4 < later / earlier < 2.3


def test_events_say_what_is_wrong(build: Build) -> None:
    cluster = build()
    for name in STATES:
        _create(cluster, name)
    cluster.clock.advance(70)
    assert "ErrImagePull" not in _events(cluster, "crash-loop")
    assert _events(cluster, "config-missing")["Failed"] == (
        'Error: configmap "no-such-config" not found'
    )
    assert _events(cluster, "image-missing")["BackOff"] == (
        'Back-off pulling image "example.invalid/no/such:image"'
    )
    uid = _pod(cluster, "crash-loop").uid
    assert _events(cluster, "crash-loop")["BackOff"] == (
        f"Back-off restarting failed container app in pod crash-loop_default({uid})"
    )
    assert "connection refused" in _events(cluster, "never-ready")["Unhealthy"]
    assert _events(cluster, "liveness-fails")["Killing"] == (
        "Container app failed liveness probe, will be restarted"
    )
    logs = cluster.logs._logs[(uid, "app")]
    assert [line.text for line in logs.lines] == ["starting", "boom"]


def test_unschedulable_pods_say_why_and_wait_for_room(build: Build) -> None:
    cluster = build()
    big = {"name": "a", "image": "nginx", "resources": {"requests": {"cpu": "3"}}}
    for name in ("one", "two"):
        data = {"metadata": {"name": name}, "spec": {"containers": [dict(big)]}}
        cluster.api.create(resources.PODS, "default", data, USER)
    cluster.clock.advance(10)
    assert _pod(cluster, "one").status["phase"] == "Running"
    waiting = _pod(cluster, "two")
    [condition] = waiting.status["conditions"]
    assert condition["reason"] == "Unschedulable"
    assert condition["message"].startswith(
        "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) had untolerated taint "
        "{node-role.kubernetes.io/control-plane: }."
    )
    cluster.api.delete(resources.PODS, "default", "one")
    cluster.clock.advance(10)
    assert _pod(cluster, "two").status["phase"] == "Running"


def test_a_pod_starts_and_ends_in_the_recorded_order(build: Build) -> None:
    cluster = build()
    seen: list[tuple[str, bool, bool]] = []

    def note(event: Any) -> None:
        status = event.entry.status
        ready = any(
            c["type"] == "Ready" and c["status"] == "True" for c in status.get("conditions", ())
        )
        state = (status.get("phase", ""), ready, event.entry.deleting)
        if event.entry.name == "web" and (not seen or seen[-1] != state):
            seen.append(state)

    cluster.store.subscribe(resources.PODS.storage, note)
    data = {"metadata": {"name": "web"}, "spec": {"containers": [{"name": "w", "image": "nginx"}]}}
    cluster.api.create(resources.PODS, "default", data, USER)
    cluster.clock.advance(20)
    entry, gone = cluster.api.delete(resources.PODS, "default", "web")
    assert not gone
    assert entry.metadata["deletionGracePeriodSeconds"] == 30
    cluster.clock.advance(5)
    assert seen == [
        ("Pending", False, False),
        ("Running", True, False),
        ("Running", True, True),
        ("Succeeded", False, True),
    ]
    assert cluster.store.get(resources.PODS.storage, "default", "web") is None
    started = [r for r in _events(cluster, "web") if r != "Killing"]
    assert set(started) == {"Scheduled", "Pulling", "Pulled", "Created", "Started"}


def test_who_ignores_the_signal_is_killed_after_the_grace(build: Build) -> None:
    cluster = build()
    container = {"name": "s", "image": "busybox", "command": ["sleep", "3600"]}
    data = {"metadata": {"name": "deaf"}, "spec": {"containers": [container]}}
    cluster.api.create(resources.PODS, "default", data, USER)
    cluster.clock.advance(10)
    cluster.api.delete(resources.PODS, "default", "deaf")
    cluster.clock.advance(20)
    assert _pod(cluster, "deaf").status["phase"] == "Running"
    cluster.clock.advance(12)
    assert cluster.store.get(resources.PODS.storage, "default", "deaf") is None


def test_new_pods_have_no_figures_for_two_scrapes(build: Build) -> None:
    cluster = build()
    data = {"metadata": {"name": "web"}, "spec": {"containers": [{"name": "w", "image": "nginx"}]}}
    cluster.api.create(resources.PODS, "default", data, USER)
    ready_at = figures_at = 0.0
    while not figures_at:
        cluster.clock.advance(0.5)
        now = cluster.clock.now() - cluster.clock.start
        if not ready_at and words(_pod(cluster, "web").data).ready == "1/1":
            ready_at = now
        if any(sample.name == "web" for sample in cluster.metrics.pods("default")):
            figures_at = now
    assert 15 <= figures_at - ready_at <= 30.5
