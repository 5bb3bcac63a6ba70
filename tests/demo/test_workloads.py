"""Deployments, garbage collection, namespaces, Services: what the controllers make of objects."""

from __future__ import annotations

from typing import Any

import pytest

from tests.demo.conftest import Build
from tui.demo import resources
from tui.demo.api.errors import ApiError
from tui.demo.api.operations import DeleteOptions, Writer
from tui.demo.api.subresources import set_scale
from tui.demo.cluster import Cluster
from tui.demo.controllers import rollout
from tui.demo.controllers.rollout import Limits, Size
from tui.demo.store import Entry

USER = Writer("test")


def deploy(cluster: Cluster, replicas: int = 3, image: str = "nginx:1", **spec: Any) -> Entry:
    labels = {"app": "web"}
    container = {"name": "web", "image": image, "ports": [{"containerPort": 80, "name": "http"}]}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    body = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template, **spec}
    data = {"metadata": {"name": "web"}, "spec": body}
    return cluster.api.create(resources.DEPLOYMENTS, "default", data, USER)


def set_image(cluster: Cluster, image: str) -> None:
    def alter(data: dict[str, Any]) -> None:
        data["spec"]["template"]["spec"]["containers"][0]["image"] = image

    cluster.api.change(resources.DEPLOYMENTS, deployment(cluster), alter, USER)


def deployment(cluster: Cluster) -> Entry:
    return cluster.api.get(resources.DEPLOYMENTS, "default", "web")


def pods(cluster: Cluster) -> list[Entry]:
    return [
        pod
        for pod in cluster.store.list_at(resources.PODS.storage, "default", None)
        if pod.labels.get("app") == "web"
    ]


def sets(cluster: Cluster) -> dict[str, int]:
    return {
        entry.metadata["annotations"]["deployment.kubernetes.io/revision"]: entry.spec["replicas"]
        for entry in cluster.store.list_at(resources.REPLICA_SETS.storage, "default", None)
    }


def condition(entry: Entry, type_: str) -> tuple[str, str]:
    found = next(c for c in entry.status["conditions"] if c["type"] == type_)
    return (found["status"], found["reason"])


def test_a_rolling_update_keeps_within_its_limits(build: Build) -> None:
    cluster = build()
    deploy(cluster, replicas=4)
    cluster.clock.advance(20)
    before = {pod.uid for pod in pods(cluster)}
    set_image(cluster, "nginx:2")
    counts = []
    for _ in range(200):
        cluster.clock.advance(0.1)
        alive = [pod for pod in pods(cluster) if not pod.deleting]
        ready = [
            p
            for p in alive
            if "Ready"
            in {c["type"] for c in p.status.get("conditions", ()) if c["status"] == "True"}
        ]
        counts.append((len(alive), len(ready)))
    assert max(alive for alive, _ in counts) == 5
    assert min(ready for _, ready in counts) == 3
    assert not before & {pod.uid for pod in pods(cluster)}
    assert sets(cluster) == {"1": 0, "2": 4}
    assert condition(deployment(cluster), "Progressing") == ("True", "NewReplicaSetAvailable")
    status = deployment(cluster).status
    assert (status["updatedReplicas"], status["observedGeneration"]) == (4, 2)
    assert "unavailableReplicas" not in status


def test_going_back_makes_the_old_set_the_newest_revision(build: Build) -> None:
    cluster = build()
    deploy(cluster, replicas=1)
    cluster.clock.advance(10)
    set_image(cluster, "nginx:2")
    cluster.clock.advance(20)
    set_image(cluster, "nginx:1")
    cluster.clock.advance(20)
    assert sets(cluster) == {"2": 0, "3": 1}
    assert deployment(cluster).metadata["annotations"]["deployment.kubernetes.io/revision"] == "3"


def test_an_update_that_cannot_start_stops_halfway_and_is_overdue(build: Build) -> None:
    cluster = build()
    deploy(cluster, replicas=4, progressDeadlineSeconds=60)
    cluster.clock.advance(20)
    set_image(cluster, "no-such-image:1")
    cluster.clock.advance(50)
    assert sets(cluster) == {"1": 3, "2": 2}
    assert condition(deployment(cluster), "Available") == ("True", "MinimumReplicasAvailable")
    cluster.clock.advance(30)
    assert condition(deployment(cluster), "Progressing") == ("False", "ProgressDeadlineExceeded")


def test_recreate_has_no_two_versions_at_once(build: Build) -> None:
    cluster = build()
    deploy(cluster, strategy={"type": "Recreate"})
    cluster.clock.advance(20)
    set_image(cluster, "nginx:2")
    for _ in range(100):
        cluster.clock.advance(0.2)
        images = {pod.spec["containers"][0]["image"] for pod in pods(cluster)}
        assert len(images) <= 1
    assert images == {"nginx:2"}
    assert len(pods(cluster)) == 3


def test_a_paused_deployment_scales_but_does_not_roll(build: Build) -> None:
    cluster = build()
    deploy(cluster, replicas=1, paused=True)
    cluster.clock.advance(5)
    assert sets(cluster) == {}

    def resume(data: dict[str, Any]) -> None:
        data["spec"]["paused"] = False

    cluster.api.change(resources.DEPLOYMENTS, deployment(cluster), resume, USER)
    cluster.clock.advance(10)
    assert sets(cluster) == {"1": 1}

    def pause(data: dict[str, Any]) -> None:
        data["spec"]["paused"] = True
        data["spec"]["replicas"] = 2
        data["spec"]["template"]["spec"]["containers"][0]["image"] = "nginx:2"

    cluster.api.change(resources.DEPLOYMENTS, deployment(cluster), pause, USER)
    cluster.clock.advance(10)
    assert sets(cluster) == {"1": 2}


def test_history_is_limited(build: Build) -> None:
    cluster = build()
    deploy(cluster, replicas=1, revisionHistoryLimit=2)
    for number in range(2, 7):
        cluster.clock.advance(15)
        set_image(cluster, f"nginx:{number}")
    cluster.clock.advance(30)
    assert sets(cluster) == {"4": 0, "5": 0, "6": 1}


def test_the_arithmetic_of_a_rollout() -> None:
    half = {
        "replicas": 5,
        "strategy": {"rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}},
    }
    assert rollout.limits(half) == Limits(2, 1)
    none = {"replicas": 3, "strategy": {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": "10%"}}}
    assert rollout.limits(none) == Limits(0, 1)
    new, old = Size("new", 2, 2, 0), [Size("old", 4, 4, 4)]
    assert rollout.grow_new(4, Limits(1, 1), new, old) == 2
    assert rollout.shrink_old(4, Limits(1, 1), new, old) == {"old": 3}


def test_scaling_down_takes_the_newest_pods(build: Build) -> None:
    cluster = build()
    deploy(cluster, replicas=2)
    cluster.clock.advance(60)
    old = {pod.name for pod in pods(cluster)}
    set_scale(cluster.api, resources.DEPLOYMENTS, deployment(cluster), 5, USER)
    cluster.clock.advance(60)
    set_scale(cluster.api, resources.DEPLOYMENTS, deployment(cluster), 2, USER)
    cluster.clock.advance(20)
    assert {pod.name for pod in pods(cluster)} == old


def test_deleted_pods_come_back(build: Build) -> None:
    cluster = build()
    deploy(cluster)
    cluster.clock.advance(20)
    victim = pods(cluster)[0]
    cluster.api.delete(resources.PODS, "default", victim.name)
    cluster.clock.advance(20)
    assert len(pods(cluster)) == 3
    assert victim.uid not in {pod.uid for pod in pods(cluster)}


@pytest.mark.parametrize("propagation", ["Background", "Foreground"])
def test_what_a_deployment_owns_goes_with_it(build: Build, propagation: str) -> None:
    cluster = build()
    deploy(cluster)
    cluster.clock.advance(20)
    _, gone = cluster.api.delete(
        resources.DEPLOYMENTS, "default", "web", DeleteOptions(propagation)
    )
    assert gone == (propagation == "Background")
    cluster.clock.advance(20)
    assert pods(cluster) == []
    assert sets(cluster) == {}
    assert cluster.store.get(resources.DEPLOYMENTS.storage, "default", "web") is None


def test_orphans_live_on(build: Build) -> None:
    cluster = build()
    deploy(cluster)
    cluster.clock.advance(20)
    cluster.api.delete(resources.DEPLOYMENTS, "default", "web", DeleteOptions("Orphan"))
    cluster.clock.advance(20)
    assert cluster.store.get(resources.DEPLOYMENTS.storage, "default", "web") is None
    assert sets(cluster) == {"1": 3}
    [entry] = cluster.store.list_at(resources.REPLICA_SETS.storage, "default", None)
    assert "ownerReferences" not in entry.metadata
    assert len(pods(cluster)) == 3


def test_a_namespace_is_emptied_before_it_goes(build: Build) -> None:
    cluster = build()
    cluster.api.create(resources.NAMESPACES, "", {"metadata": {"name": "lab"}}, USER)
    cluster.clock.advance(1)
    assert cluster.store.get(resources.SERVICE_ACCOUNTS.storage, "lab", "default")
    held = {"metadata": {"name": "c", "finalizers": ["example.org/hold"]}}
    cluster.api.create(resources.CONFIG_MAPS, "lab", held, USER)
    pod = {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "a", "image": "nginx"}]}}
    cluster.api.create(resources.PODS, "lab", pod, USER)
    cluster.clock.advance(10)
    cluster.api.delete(resources.NAMESPACES, "", "lab")
    cluster.clock.advance(20)
    namespace = cluster.api.get(resources.NAMESPACES, "", "lab")
    assert namespace.status["phase"] == "Terminating"
    remaining = {c["type"]: c for c in namespace.status["conditions"]}["NamespaceContentRemaining"]
    assert "configmaps has 1 resource instances" in remaining["message"]
    with pytest.raises(ApiError, match="being terminated"):
        cluster.api.create(resources.CONFIG_MAPS, "lab", {"metadata": {"name": "d"}}, USER)

    def let_go(data: dict[str, Any]) -> None:
        data["metadata"]["finalizers"] = []

    entry = cluster.api.get(resources.CONFIG_MAPS, "lab", "c")
    cluster.api.change(resources.CONFIG_MAPS, entry, let_go, USER)
    cluster.clock.advance(5)
    assert cluster.store.get(resources.NAMESPACES.storage, "", "lab") is None
    assert not list(cluster.store.entries(resources.PODS.storage, "lab"))


def _service(cluster: Cluster, name: str, **spec: Any) -> Entry:
    body = {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": "http"}], **spec}
    data = {"metadata": {"name": name}, "spec": body}
    return cluster.api.create(resources.SERVICES, "default", data, USER)


def test_services_get_addresses_of_their_own(build: Build) -> None:
    cluster = build()
    made = [_service(cluster, f"s{n}", type="NodePort") for n in range(40)]
    assert len({service.spec["clusterIP"] for service in made}) == 40
    ports = [service.spec["ports"][0]["nodePort"] for service in made]
    assert len(set(ports)) == 40
    assert all(30000 <= port <= 32767 for port in ports)
    with pytest.raises(ApiError, match="provided port is already allocated"):
        _service(cluster, "clash", type="NodePort", ports=[{"port": 80, "nodePort": ports[0]}])
    cluster.api.delete(resources.SERVICES, "default", "s0")
    again = [{"port": 80, "nodePort": ports[0]}]
    assert _service(cluster, "again", type="NodePort", ports=again).spec["ports"][0]["nodePort"]


def test_a_service_keeps_its_address_when_it_changes(build: Build) -> None:
    cluster = build()
    service = _service(cluster, "web", type="NodePort")
    data = {"metadata": {"name": "web"}, "spec": {**service.copy()["spec"], "selector": {"x": "y"}}}
    for name in ("clusterIP", "clusterIPs"):
        del data["spec"][name]
    del data["spec"]["ports"][0]["nodePort"]
    updated = cluster.api.update(resources.SERVICES, "default", data, USER)
    assert updated.spec["clusterIP"] == service.spec["clusterIP"]
    assert updated.spec["ports"] == service.spec["ports"]


def test_endpoints_follow_readiness(build: Build) -> None:
    cluster = build()
    deploy(cluster, replicas=2)
    _service(cluster, "web")
    cluster.clock.advance(0.8)

    def behind() -> tuple[list[bool], int, int]:
        endpoints = cluster.api.get(resources.ENDPOINTS, "default", "web")
        [entry] = [
            one
            for one in cluster.store.entries(resources.ENDPOINT_SLICES.storage, "default")
            if one.labels["kubernetes.io/service-name"] == "web"
        ]
        ready = [one["conditions"]["ready"] for one in entry.data["endpoints"] or ()]
        subsets = endpoints.data.get("subsets") or [{}]
        return (
            ready,
            len(subsets[0].get("addresses", ())),
            len(subsets[0].get("notReadyAddresses", ())),
        )

    assert behind()[0] == [False, False]
    assert behind()[1:] == (0, 2)
    cluster.clock.advance(10)
    assert behind() == ([True, True], 2, 0)
    [entry] = [
        e
        for e in cluster.store.entries(resources.ENDPOINT_SLICES.storage)
        if e.labels.get("kubernetes.io/service-name") == "web"
    ]
    assert entry.data["ports"] == [{"name": "", "protocol": "TCP", "port": 80}]
    cluster.api.delete(resources.PODS, "default", pods(cluster)[0].name)
    cluster.clock.advance(0.1)
    assert sorted(behind()[0]) == [False, True]
    cluster.api.delete(resources.SERVICES, "default", "web")
    cluster.clock.advance(1)
    assert cluster.store.get(resources.ENDPOINTS.storage, "default", "web") is None
    assert not [
        e
        for e in cluster.store.entries(resources.ENDPOINT_SLICES.storage)
        if e.labels.get("kubernetes.io/service-name") == "web"
    ]


def test_events_are_counted_and_combined(build: Build) -> None:
    cluster = build()
    entry = cluster.api.get(resources.NAMESPACES, "", "default")
    about = (resources.NAMESPACES, entry)
    for _ in range(5):
        cluster.events.record(about, "Warning", "Same", "again", "test")
    for number in range(15):
        cluster.events.record(about, "Warning", "Pours", f"number {number}", "test")
    found = [e.data for e in cluster.store.entries(resources.EVENTS.storage, "default")]
    assert [e["count"] for e in found if e["reason"] == "Same"] == [5]
    pours = [e for e in found if e["reason"] == "Pours"]
    assert len(pours) == 10
    assert pours[-1]["message"].startswith("(combined from similar events): number 14")
    assert pours[-1]["count"] == 6
    cluster.clock.advance(2 * 3600)
    assert not [
        e for e in cluster.store.entries(resources.EVENTS.storage) if e.data["reason"] == "Same"
    ]
