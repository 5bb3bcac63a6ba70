"""Scenarios: every one plays, tells its story, and wrong ones are refused in a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from tui.demo import resources, scenario
from tui.demo.api.operations import Writer
from tui.demo.clock import Clock
from tui.demo.cluster import AGE, Cluster
from tui.demo.controllers.base import condition
from tui.demo.main import command
from tui.demo.resource import Resource
from tui.demo.scenario import ScenarioError
from tui.demo.store import Object
from tui.resources import fixtures


def _play(name: str) -> Cluster:
    played = scenario.load(name)
    cluster = Cluster(Clock(history=AGE), scenario=played)
    cluster.bring_up(classroom_lesson=played.classroom, fronts=played.fronts)
    return cluster


def _desired(cluster: Cluster, seconds: int) -> list[tuple[float, int]]:
    """When the HPA changed its mind, and to what."""
    clock = cluster.clock
    found: list[tuple[float, int]] = []
    while clock.now() - clock.start < seconds:
        hpa = cluster.api.get(resources.HPAS, "default", "fastapi-hpa")
        desired = hpa.status.get("desiredReplicas", 0)
        if not found or found[-1][1] != desired:
            found.append((clock.now() - clock.start, desired))
        clock.advance(1)
    return found


def _said(cluster: Cluster, reason: str) -> list[str]:
    events = cluster.store.list_at(resources.EVENTS.storage, None, None)
    return [
        one.data.get("message") or one.data.get("note", "")
        for one in events
        if one.data["reason"] == reason
    ]


def _reason(cluster: Cluster, condition: str) -> str:
    hpa = cluster.api.get(resources.HPAS, "default", "fastapi-hpa")
    return next(one["reason"] for one in hpa.status["conditions"] if one["type"] == condition)


def test_all_that_are_promised_are_there() -> None:
    assert set(scenario.names()) >= {
        "calm",
        "classroom",
        "flash-crowd",
        "image-pull",
        "lesson",
        "metrics-server-down",
        "node-lost",
        "noisy-neighbour",
        "quota-too-small",
        "rush-hour",
        "two-deployments-one-label",
    }
    for name in scenario.names():
        found = scenario.load(name)
        assert found.title
        assert found.summary.endswith(".")


@pytest.mark.parametrize(
    ("name", "seconds", "replicas"),
    [
        ("calm", 300, [2]),
        ("classroom", 560, [2, 4, 8, 10, 2]),
        ("lesson", 560, [2, 4, 8, 10, 2]),
        ("flash-crowd", 450, [2, 4, 8, 10, 2]),
        ("two-deployments-one-label", 120, [0]),
    ],
)
def test_what_the_hpa_makes_of_it(name: str, seconds: int, replicas: list[int]) -> None:
    assert [number for _, number in _desired(_play(name), seconds)] == replicas


def test_a_lesson_leaves_the_proxies_to_the_student() -> None:
    names = {
        one.name for one in _play("lesson").store.list_at(resources.SERVICES.storage, None, None)
    }
    assert "fastapi-svc" in names
    assert not names & {"nginx-svc", "caddy-svc"}


def test_a_rush_hour_goes_up_in_steps() -> None:
    steps = _desired(_play("rush-hour"), 560)
    numbers = [number for _, number in steps]
    assert numbers == sorted(numbers)
    assert len(numbers) >= 5
    assert steps[-1][0] - steps[1][0] > 90


def test_without_a_metrics_server_nothing_is_decided() -> None:
    cluster = _play("metrics-server-down")
    steps = _desired(cluster, 340)
    assert _reason(cluster, "ScalingActive") == "FailedGetResourceMetric"
    assert all(at < 80 for at, _ in steps)
    later = _desired(cluster, 420)
    assert later[-1][1] == 10
    assert _reason(cluster, "ScalingActive") == "ValidMetricFound"


def test_two_deployments_under_one_label_break_the_hpa() -> None:
    cluster = _play("two-deployments-one-label")
    cluster.clock.advance(60)
    assert _reason(cluster, "ScalingActive") == "FailedGetResourceMetric"
    endpoints = cluster.api.get(resources.ENDPOINTS, "default", "fastapi-svc")
    assert len(endpoints.data["subsets"][0]["addresses"]) == 4


def test_a_lost_node_is_noticed_and_its_pods_are_replaced() -> None:
    cluster = _play("node-lost")
    clock, lost = cluster.clock, "embedded-worker-2"

    def there() -> list[str]:
        pods = cluster.store.list_at(resources.PODS.storage, "default", None)
        return [pod.name for pod in pods if pod.spec.get("nodeName") == lost and not pod.deleting]

    def ready() -> str:
        node = cluster.api.get(resources.NODES, "", lost)
        return next(one["status"] for one in node.status["conditions"] if one["type"] == "Ready")

    assert there()
    clock.advance(60)  # 20 s into the silence
    assert ready() == "True"
    clock.advance(25)
    assert ready() == "Unknown"
    assert _said(cluster, "NodeNotReady")
    names = {one["key"] for one in cluster.api.get(resources.NODES, "", lost).spec["taints"]}
    assert names == {"node.kubernetes.io/unreachable"}
    endpoints = cluster.api.get(resources.ENDPOINTS, "default", "fastapi-svc")
    assert len(endpoints.data["subsets"][0].get("notReadyAddresses", ())) == len(
        [name for name in there() if name.startswith("fastapi")]
    )
    clock.advance(310)
    assert not there()
    assert _said(cluster, "TaintManagerEviction")
    deployment = cluster.api.get(resources.DEPLOYMENTS, "default", "fastapi-deploy")
    assert deployment.status["readyReplicas"] == deployment.spec["replicas"]


def test_an_image_that_cannot_be_pulled_leaves_the_old_pods_serving() -> None:
    cluster = _play("image-pull")
    cluster.clock.advance(90)
    deployment = cluster.api.get(resources.DEPLOYMENTS, "default", "fastapi-deploy")
    assert deployment.status["readyReplicas"] == 2
    pods = cluster.store.list_at(resources.PODS.storage, "default", None)
    waiting = [
        (one["state"].get("waiting") or {}).get("reason")
        for pod in pods
        for one in pod.status.get("containerStatuses") or ()
    ]
    assert waiting.count("ImagePullBackOff") + waiting.count("ErrImagePull") == 1


def test_a_quota_too_small_is_told_by_the_replica_set() -> None:
    cluster = _play("quota-too-small")
    steps = _desired(cluster, 120)
    assert steps[-1][1] == 10
    deployment = cluster.api.get(resources.DEPLOYMENTS, "default", "fastapi-deploy")
    assert deployment.status["readyReplicas"] == 6
    said = _said(cluster, "FailedCreate")
    assert any(
        "exceeded quota: team-quota, requested: requests.cpu=100m, used: requests.cpu=600m, "
        "limited: requests.cpu=600m" in one
        for one in said
    )
    assert len(said) < 30
    quota = cluster.api.get(resources.RESOURCE_QUOTAS, "default", "team-quota")
    assert quota.status["used"]["requests.cpu"] == "600m"


def test_a_deployment_shares_its_replica_sets_failure_until_it_is_over() -> None:
    cluster = _play("quota-too-small")
    _desired(cluster, 120)

    def failure(resource: Resource, name: str) -> Object:
        status = cluster.api.get(resource, "default", name).status
        return condition(status, "ReplicaFailure") or {}

    (replica_set,) = [
        entry.name
        for entry in cluster.store.list_at(resources.REPLICA_SETS.storage, "default", None)
        if entry.name.startswith("fastapi")
    ]
    theirs = failure(resources.REPLICA_SETS, replica_set)
    since = theirs["lastTransitionTime"]
    assert failure(resources.DEPLOYMENTS, "fastapi-deploy") == {**theirs, "lastUpdateTime": since}
    assert theirs["reason"] == "FailedCreate"
    assert "exceeded quota: team-quota" in theirs["message"]

    quota = cluster.api.get(resources.RESOURCE_QUOTAS, "default", "team-quota")
    cluster.api.change(
        resources.RESOURCE_QUOTAS,
        quota,
        lambda data: data["spec"]["hard"].update({"requests.cpu": "2"}),
        Writer("test"),
    )
    cluster.clock.advance(20)
    assert failure(resources.REPLICA_SETS, replica_set) == {}
    assert failure(resources.DEPLOYMENTS, "fastapi-deploy") == {}
    status = cluster.api.get(resources.DEPLOYMENTS, "default", "fastapi-deploy").status
    assert {one["type"] for one in status["conditions"]} == {"Available", "Progressing"}


def test_a_noisy_neighbour_takes_what_the_node_has() -> None:
    cluster = _play("noisy-neighbour")
    cluster.clock.advance(44)
    before = cluster.metrics.pods("default", {"matchLabels": {"app": "batch-job"}})
    assert before == []
    cluster.clock.advance(80)
    burnt = cluster.metrics.pods("default", {"matchLabels": {"app": "batch-job"}})
    assert sum(one.containers[0].cpu for one in burnt) == pytest.approx(4.0, rel=0.05)
    pod = cluster.metrics.pods("default", {"matchLabels": {"app": "fastapi"}})[0]
    name = next(
        entry
        for entry in cluster.store.list_at(resources.PODS.storage, "default", None)
        if entry.name == pod.name
    )
    assert cluster.dataplane.allowance(name.uid, "fastapi") < 0.3


def test_one_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('title = "Mine"\nsummary = "Nothing."\nclassroom = false\n')
    assert scenario.load(str(path)).title == "Mine"


GOOD = 'title = "t"\nsummary = "s"\n'


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("title =", "is not TOML"),
        ("title = 't'", "missing required field summary"),
        (GOOD + "tittle = 1", "unknown field tittle"),
        (GOOD + "[traffic]\npoints = [[0, 'x'], [1, 2]]", "Expected float, got str - at $.traffic"),
        (GOOD + "[traffic]\npoints = [[0, 1]]", "must begin at 0"),
        (GOOD + "[traffic]\npoints = [[0, 1], [5, 1], [4, 1]]", "in order of time"),
        (GOOD + "[traffic]\npoints = [[0, 1], [5, -1]]", "must not be negative"),
        (GOOD + "[[lose]]\nat = -1\nnode = 'n'", "is no time after the beginning"),
        (GOOD + "[[lose]]\nat = nan\nnode = 'n'", "is no time after the beginning"),
        (GOOD + "[[remove]]\nat = 1\nkind = 'Pot'\nname = 'x'", "no such kind"),
        (GOOD + "[[node]]\nname = 'n'\ncpu = 'many'", "node n:"),
        (GOOD + "[[add]]\nmanifest = 'a: ['", "not YAML"),
        (GOOD + "[[add]]\nmanifest = 'kind: Pod'", "without metadata"),
        (
            GOOD + "[[add]]\nmanifest = '{kind: Pod, apiVersion: v1, metadata: {}}'",
            "without a name",
        ),
        (GOOD + "[[add]]\nmanifest = '{kind: X, metadata: {name: x}}'", "no such kind"),
    ],
)
def test_what_is_wrong_is_told_in_a_sentence(text: str, words: str) -> None:
    with pytest.raises(ScenarioError) as refused:
        scenario.parse(text, "mine.toml")
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("name", ["no-such", "../secret", "/no/such.toml", "a b", ""])
def test_one_that_is_not_there(name: str) -> None:
    with pytest.raises(ScenarioError, match=r"no scenario named|cannot read"):
        scenario.load(name)


def test_an_object_that_is_refused_is_told() -> None:
    text = GOOD + (
        "classroom = false\n[[add]]\nmanifest = "
        "'{kind: Service, apiVersion: v1, metadata: {name: UPPER}, spec: {ports: [{port: 80}]}}'"
    )
    cluster = Cluster(Clock(history=AGE), scenario=scenario.parse(text))
    with pytest.raises(ScenarioError, match=r"the scenario cannot begin: .*UPPER"):
        cluster.bring_up(classroom_lesson=False)


def test_every_scenario_is_told_of() -> None:
    told = CliRunner().invoke(command, ["--help"], terminal_width=1000).output
    readme = (fixtures().parent / "README.md").read_text(encoding="utf-8")
    for name in scenario.names():
        assert name in told
        assert f"`{name}`" in readme
