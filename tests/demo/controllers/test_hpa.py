"""The HPA controller of the embedded cluster, held against what a real one wrote."""

from __future__ import annotations

import gzip
import json
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.demo.conftest import Build
from tui.demo import resources
from tui.demo.api.operations import Writer
from tui.demo.api.subresources import set_scale
from tui.demo.cluster import Cluster
from tui.demo.store import Object

RECORDED = Path(__file__).parents[3] / "fixtures" / "clusters" / "k8s-1.36" / "hpa-cases"
USER = Writer("kubectl-client-side-apply")
PERIOD = 15.012


def recorded(name: str) -> dict[str, Object]:
    items = json.loads(gzip.decompress((RECORDED / f"{name}/hpa-v2.json.gz").read_bytes()))["items"]
    return {item["metadata"]["name"]: item for item in items}


def deploy(
    cluster: Cluster,
    name: str,
    replicas: int = 1,
    *,
    app: str = "",
    requests: dict[str, str] | None = None,
    simulate: str = "cpu=0 memory=300Ki",
    probe: Object | None = None,
) -> None:
    labels = {"app": app or name}
    container: Object = {"name": "app", "image": "busybox", "command": ["sleep", "3600"]}
    if requests != {}:
        container["resources"] = {"requests": requests or {"cpu": "10m"}}
    if probe is not None:
        container["readinessProbe"] = probe
    annotations = {"kscale.dev/simulate": simulate}
    body = {
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels, "annotations": annotations},
                "spec": {"containers": [container]},
            },
        },
    }
    cluster.api.create(resources.DEPLOYMENTS, "default", body, USER)


def autoscale(cluster: Cluster, name: str, **spec: Any) -> None:
    cpu = {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}}
    body = {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
        "minReplicas": 1,
        "maxReplicas": 5,
        "metrics": [{"type": "Resource", "resource": cpu}],
        **spec,
    }
    data = {"metadata": {"name": name}, "spec": body}
    cluster.api.create(resources.HPAS, "default", data, USER)


def status(cluster: Cluster, name: str) -> Object:
    return cluster.api.get(resources.HPAS, "default", name).status


def reasons(cluster: Cluster, name: str) -> dict[str, str]:
    return {c["type"]: c["reason"] for c in status(cluster, name).get("conditions", [])}


def replicas(cluster: Cluster, name: str) -> int:
    wanted: int = cluster.api.get(resources.DEPLOYMENTS, "default", name).spec["replicas"]
    return wanted


def events(cluster: Cluster, name: str) -> list[tuple[str, str, int, str]]:
    found = [
        e.data
        for e in cluster.store.entries(resources.EVENTS.storage, "default")
        if e.data["involvedObject"]["kind"] == "HorizontalPodAutoscaler"
        and e.data["involvedObject"]["name"] == name
    ]
    return [(e["type"], e["reason"], e["count"], e["message"]) for e in found]


def comparable(item: Object) -> Object:
    """A status without what differs from run to run: times, pods' names and measured figures."""
    text = json.dumps(item)
    text = re.sub(r'"(lastTransitionTime|lastScaleTime)": "[^"]*"', r'"\1": "T"', text)
    text = re.sub(r'"averageValue": "[^"]*"', '"averageValue": "V"', text)
    text = re.sub(r'"averageUtilization": \d+', '"averageUtilization": 0', text)
    text = re.sub(r"of Pod [a-z0-9-]+", "of Pod P", text)
    plain: Object = json.loads(text)
    return plain


@pytest.fixture
def assorted(build: Build) -> Cluster:
    """The recorded assortment of HPAs that go wrong or are unusual, 75 s after it was made."""
    cluster = build()
    deploy(cluster, "custom-metric")
    deploy(cluster, "multi-metric", requests={"cpu": "10m", "memory": "16Mi"})
    deploy(cluster, "no-request", requests={})
    deploy(cluster, "not-ready", probe={"exec": {"command": ["false"]}, "periodSeconds": 5})
    deploy(cluster, "too-few")
    deploy(cluster, "too-many", 4)
    deploy(cluster, "zero-replicas", 0)
    for name, item in recorded("assorted/after-75s").items():
        if name != "fastapi-hpa":
            autoscale(cluster, name, **item["spec"])
    cluster.clock.advance(5 * PERIOD + 1)
    return cluster


def test_unusual_hpas_come_to_the_statuses_recorded(assorted: Cluster) -> None:
    for name, item in recorded("assorted/after-75s").items():
        if name != "fastapi-hpa":
            assert comparable(status(assorted, name)) == comparable(item["status"]), name


def test_events_are_counted_as_recorded(assorted: Cluster) -> None:
    warning = 'deployments.apps "no-such-deployment" not found'
    assert events(assorted, "missing-target") == [("Warning", "FailedGetScale", 5, warning)]
    warning = 'no matches for kind "Gadget" in group "apps"'
    assert events(assorted, "bad-kind") == [("Warning", "FailedGetScale", 5, warning)]
    assert events(assorted, "zero-replicas") == []
    reason = "New size: 3; reason: Current number of replicas below Spec.MinReplicas"
    assert events(assorted, "too-few") == [("Normal", "SuccessfulRescale", 1, reason)]
    reason = "New size: 2; reason: Current number of replicas above Spec.MaxReplicas"
    assert events(assorted, "too-many") == [("Normal", "SuccessfulRescale", 1, reason)]
    counted = {(kind, count) for _, kind, count, _ in events(assorted, "no-request")}
    assert counted == {
        ("FailedGetResourceMetric", 1),
        ("FailedComputeMetricsReplicas", 1),
        ("FailedGetResourceMetric", 4),
        ("FailedComputeMetricsReplicas", 4),
    }


def test_the_first_sync_comes_a_period_after_the_hpa(build: Build) -> None:
    cluster = build()
    deploy(cluster, "web")
    autoscale(cluster, "web")
    cluster.clock.advance(PERIOD - 0.5)
    assert status(cluster, "web") == {"desiredReplicas": 0, "currentMetrics": None}
    cluster.clock.advance(1.0)
    assert reasons(cluster, "web")["AbleToScale"] == "SucceededGetScale"


def test_a_status_that_stays_the_same_is_not_written_again(build: Build) -> None:
    cluster = build(speed=20.0)
    deploy(cluster, "web")
    autoscale(cluster, "web", minReplicas=1)
    cluster.clock.advance(400)
    before = cluster.api.get(resources.HPAS, "default", "web")
    cluster.clock.advance(120)
    assert cluster.api.get(resources.HPAS, "default", "web").revision == before.revision


def test_a_second_hpa_on_the_same_pods_is_ambiguous(build: Build) -> None:
    cluster = build()
    for name in ("amb-a", "amb-b"):
        deploy(cluster, name, app="amb")
        autoscale(cluster, name)
    cluster.clock.advance(3 * PERIOD + 1)
    item = recorded("ambiguous-selector/while-ambiguous")["amb-a"]
    assert comparable(status(cluster, "amb-a")) == comparable(item["status"])
    text = "pods by selector app=amb are controlled by multiple HPAs: [default/amb-a default/amb-b]"
    told = events(cluster, "amb-b")
    assert ("Warning", "AmbiguousSelector", 3, text) in told
    # The first of the two to sync did not know of the other yet, as was recorded.
    told = events(cluster, "amb-a")
    assert ("Warning", "AmbiguousSelector", 2, text) in told
    cluster.api.delete(resources.HPAS, "default", "amb-b")
    cluster.clock.advance(PERIOD + 1)
    assert reasons(cluster, "amb-a")["ScalingActive"] == "ValidMetricFound"


def test_a_metrics_api_that_is_down_is_said_so(build: Build) -> None:
    cluster = build()
    deploy(cluster, "web")
    autoscale(cluster, "web")
    cluster.clock.advance(60)
    server = cluster.api.get(resources.DEPLOYMENTS, "kube-system", "metrics-server")
    set_scale(cluster.api, resources.DEPLOYMENTS, server, 0, Writer("test"))
    cluster.clock.advance(PERIOD + 1)
    item = recorded("metrics-unavailable-no-endpoints")["fastapi-hpa"]
    wrong = next(c for c in status(cluster, "web")["conditions"] if c["type"] == "ScalingActive")
    right = next(c for c in item["status"]["conditions"] if c["type"] == "ScalingActive")
    assert (wrong["reason"], wrong["message"]) == (right["reason"], right["message"])
    set_scale(cluster.api, resources.DEPLOYMENTS, server, 1, Writer("test"))
    cluster.clock.advance(4 * PERIOD)  # a new metrics server needs two looks
    assert reasons(cluster, "web")["ScalingActive"] == "ValidMetricFound"


def test_rate_limits_let_one_pod_through_at_a_time(build: Build) -> None:
    cluster = build()
    one = {"selectPolicy": "Max", "stabilizationWindowSeconds": 0}
    behavior = {
        "scaleUp": {**one, "policies": [{"type": "Pods", "value": 1, "periodSeconds": 30}]},
        "scaleDown": {**one, "policies": [{"type": "Pods", "value": 1, "periodSeconds": 15}]},
    }
    deploy(cluster, "burner", simulate="cpu=50m")
    autoscale(cluster, "burner", maxReplicas=4, behavior=behavior)
    clock, began = cluster.clock, cluster.clock.now()
    steps = []
    while clock.now() - began < 240:
        clock.advance(1)
        if not steps or replicas(cluster, "burner") != steps[-1][1]:
            steps.append((clock.now() - began, replicas(cluster, "burner")))
    assert [count for _, count in steps] == [1, 2, 3, 4]
    waits = [after - before for (before, _), (after, _) in pairwise(steps[1:])]
    assert waits == [30.0, 30.0]
    assert reasons(cluster, "burner")["ScalingLimited"] == "TooManyReplicas"


def test_a_deleted_hpa_is_forgotten(build: Build) -> None:
    cluster = build()
    deploy(cluster, "web", 4)
    autoscale(cluster, "web")
    cluster.clock.advance(60)
    assert reasons(cluster, "web")["AbleToScale"] == "ScaleDownStabilized"
    cluster.api.delete(resources.HPAS, "default", "web")
    deployment = cluster.api.get(resources.DEPLOYMENTS, "default", "web")
    set_scale(cluster.api, resources.DEPLOYMENTS, deployment, 2, USER)
    cluster.clock.advance(60)
    autoscale(cluster, "web")
    cluster.clock.advance(60)
    assert replicas(cluster, "web") == 2  # held by the 2 it began with, not by the 4 of before


def test_the_scale_is_written_as_the_controller_manager(build: Build) -> None:
    cluster = build()
    deploy(cluster, "web")
    autoscale(cluster, "web", minReplicas=2)
    cluster.clock.advance(PERIOD + 1)
    deployment = cluster.api.get(resources.DEPLOYMENTS, "default", "web")
    owners = [
        (entry["manager"], entry.get("subresource"))
        for entry in deployment.metadata["managedFields"]
        if "f:replicas" in entry["fieldsV1"].get("f:spec", {})
    ]
    assert owners == [("kube-controller-manager", "scale")]


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (
            {"apiVersion": "a/b/c", "kind": "X", "name": "x"},
            "unexpected GroupVersion string: a/b/c",
        ),
        (
            {"apiVersion": "v1", "kind": "ConfigMap", "name": "x"},
            "the server could not find the requested resource",
        ),
    ],
)
def test_a_target_that_cannot_be_scaled(build: Build, target: Object, message: str) -> None:
    cluster = build()
    autoscale(cluster, "web", scaleTargetRef=target)
    cluster.clock.advance(PERIOD + 1)
    assert events(cluster, "web") == [("Warning", "FailedGetScale", 1, message)]
    assert reasons(cluster, "web") == {"AbleToScale": "FailedGetScale"}
