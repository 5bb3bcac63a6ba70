"""The synthetic cluster: as large as asked for, consistent, and changing at the rate asked for."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from typing import Any, cast

import msgspec
import pytest
from click.testing import CliRunner

from tests.demo.http import Http
from tui.demo import resources
from tui.demo.clock import Clock
from tui.demo.cluster import Cluster
from tui.demo.main import command
from tui.demo.store import Event
from tui.demo.synthetic.cluster import SyntheticCluster
from tui.demo.synthetic.population import Size

PODS = "/api/v1/pods"
METRICS = "/apis/metrics.k8s.io/v1beta1"


def _cluster(pods: int = 330, nodes: int = 30, churn: float = 0.0) -> SyntheticCluster:
    cluster = SyntheticCluster(Clock(), Size(pods, nodes, churn))
    cluster.bring_up()
    return cluster


def _http(cluster: SyntheticCluster) -> Http:
    return Http(cast("Cluster", cluster))  # of which it serves the handlers only


def _events(cluster: SyntheticCluster, storage: str) -> list[Event]:
    seen: list[Event] = []
    cluster.store.subscribe(storage, seen.append)
    return seen


def test_it_is_as_large_as_asked_for() -> None:
    cluster = _cluster(pods=1000, nodes=100)
    count = cluster.store.count
    assert count(resources.PODS.storage) == 1000
    assert count(resources.NODES.storage) == 100
    assert count(resources.DEPLOYMENTS.storage) == 30
    assert count(resources.HPAS.storage) == 20
    behind = sum(
        len(entry.data["endpoints"])
        for entry in cluster.store.entries(resources.ENDPOINT_SLICES.storage)
    )
    assert behind == 1000


@pytest.mark.parametrize("pods", [1, 7, 101])
def test_it_may_be_small(pods: int) -> None:
    cluster = _cluster(pods=pods, nodes=1, churn=20)
    cluster.churn.start()
    cluster.clock.advance(10)
    assert abs(cluster.store.count(resources.PODS.storage) - pods) <= 1 + pods // 10


def test_every_pod_belongs_to_a_workload_that_selects_it() -> None:
    cluster = _cluster()
    sets = {entry.uid: entry for entry in cluster.store.entries(resources.REPLICA_SETS.storage)}
    nodes = {entry.name for entry in cluster.store.entries(resources.NODES.storage)}
    for pod in cluster.store.entries(resources.PODS.storage):
        [owner] = pod.metadata["ownerReferences"]
        owning = sets[owner["uid"]]
        assert (owning.name, owning.namespace) == (owner["name"], pod.namespace)
        assert owning.spec["selector"]["matchLabels"] == pod.labels
        assert pod.spec["nodeName"] in nodes


def test_pods_change_at_the_rate_asked_for() -> None:
    cluster = _cluster(churn=50)
    cluster.churn.start()
    seen = _events(cluster, resources.PODS.storage)
    cluster.clock.advance(60)
    kinds = Counter(event.type for event in seen)
    assert 0.98 * 3000 <= len(seen) <= 3000
    assert kinds["DELETED"] > 100
    assert abs(kinds["DELETED"] - kinds["ADDED"]) <= 10
    uids = {event.entry.uid for event in seen if event.type == "ADDED"}
    assert len(uids) == kinds["ADDED"]


def test_what_follows_from_the_churn_tells_the_same_story() -> None:
    cluster = _cluster(churn=50)
    cluster.churn.start()
    cluster.clock.advance(60)
    cluster.population.size = Size(330, 30, 0.0)
    cluster.churn._population.size = cluster.population.size
    ready = Counter[str]()
    for pod in cluster.store.entries(resources.PODS.storage):
        conditions = pod.status.get("conditions") or ()
        is_ready = any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)
        ready[pod.labels["app"]] += is_ready and "deletionTimestamp" not in pod.metadata
    for app in cluster.population.apps:
        assert app.ready == ready[app.name]
    cluster.clock.advance(31)
    for entry in cluster.store.entries(resources.DEPLOYMENTS.storage):
        assert entry.status["readyReplicas"] == ready[entry.name]


def test_the_same_seed_makes_the_same_cluster() -> None:
    def history(seed: int) -> list[tuple[str, str]]:
        cluster = SyntheticCluster(Clock(), Size(66, 5, 20), seed)
        cluster.bring_up()
        cluster.churn.start()
        seen = _events(cluster, resources.PODS.storage)
        cluster.clock.advance(5)
        return [(event.type, event.entry.name) for event in seen]

    assert history(1) == history(1)
    assert history(1) != history(2)


async def test_lists_come_in_pages_of_one_moment_while_pods_change() -> None:
    cluster = _cluster(pods=1000, nodes=10, churn=500)
    cluster.churn.start()
    before = {entry.name for entry in cluster.store.entries(resources.PODS.storage)}
    async with _http(cluster) as http:
        names: list[str] = []
        token, versions = "", set()
        while True:
            page = (await http("GET", f"{PODS}?limit=90&continue={token}")).json
            names += [item["metadata"]["name"] for item in page["items"]]
            versions.add(page["metadata"]["resourceVersion"])
            token = page["metadata"].get("continue", "")
            if not token:
                break
            cluster.clock.advance(0.2)
    assert len(names) == len(set(names)) == 1000
    assert set(names) == before
    assert len(versions) == 1


async def test_a_watch_from_a_list_leads_to_the_state_of_now() -> None:
    cluster = _cluster(churn=200)
    cluster.churn.start()
    async with _http(cluster) as http:
        listed = (await http("GET", PODS)).json
        known = {one["metadata"]["uid"]: one for one in listed["items"]}
        version = listed["metadata"]["resourceVersion"]
        path = f"{PODS}?watch=true&resourceVersion={version}&timeoutSeconds=60"
        async with http.stream(path) as stream:
            cluster.clock.advance(5)
            latest = cluster.store.revision
            assert latest > int(version) + 900
            seen = 0
            async with asyncio.timeout(10):
                while seen < cluster.churn.made:
                    event: dict[str, Any] = msgspec.json.decode(await stream.content.readline())
                    one = event["object"]
                    seen += 1
                    if event["type"] == "DELETED":
                        del known[one["metadata"]["uid"]]
                    else:
                        known[one["metadata"]["uid"]] = one
        now = {entry.uid: entry.data for entry in cluster.store.entries(resources.PODS.storage)}
        assert {uid: one["metadata"]["resourceVersion"] for uid, one in known.items()} == {
            uid: one["metadata"]["resourceVersion"] for uid, one in now.items()
        }


async def test_there_are_figures_of_every_pod_and_node() -> None:
    cluster = _cluster()
    async with _http(cluster) as http:
        pods = (await http("GET", f"{METRICS}/pods")).json["items"]
        assert len(pods) == 330
        assert pods[0]["containers"][0]["usage"]["cpu"].endswith("n")
        nodes = (await http("GET", f"{METRICS}/nodes")).json["items"]
        assert len(nodes) == 30
        where, name = pods[0]["metadata"]["namespace"], pods[0]["metadata"]["name"]
        one = (await http("GET", f"{METRICS}/namespaces/{where}/pods/{name}")).json
        assert one["kind"] == "PodMetrics"
        assert one["containers"] == pods[0]["containers"]
        assert (await http("GET", f"{METRICS}/namespaces/{where}/pods/none")).status == 404


async def test_an_hpa_says_what_the_figures_say() -> None:
    cluster = _cluster()
    app = next(app for app in cluster.population.apps if app.scaled)
    async with _http(cluster) as http:
        path = f"{METRICS}/namespaces/{app.namespace}/pods?labelSelector=app%3D{app.name}"
        items = (await http("GET", path)).json["items"]
    used = sum(int(one["containers"][0]["usage"]["cpu"][:-1]) for one in items) / len(items) / 1e6
    entry = cluster.store.get(resources.HPAS.storage, app.namespace, app.name)
    assert entry is not None
    said = entry.status["currentMetrics"][0]["resource"]["current"]["averageUtilization"]
    assert said == pytest.approx(used, abs=8)


def test_ten_thousand_pods_and_their_churn_are_light() -> None:
    started = time.process_time()
    cluster = _cluster(pods=10_000, nodes=1000, churn=500)
    made = time.process_time() - started
    cluster.churn.start()
    started = time.process_time()
    cluster.clock.advance(4)
    assert time.process_time() - started < 0.6 * 4
    assert made < 10


def test_sizes_that_do_not_go_together_are_refused() -> None:
    for arguments in (["--churn", "5"], ["--pods", "5", "--scenario", "classroom"]):
        result = CliRunner().invoke(command, arguments)
        assert result.exit_code == 2
        assert "--pods" in result.output
