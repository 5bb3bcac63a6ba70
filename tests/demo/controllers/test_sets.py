"""StatefulSets, DaemonSets, Jobs, CronJobs, claims and budgets, on a clock that is turned."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.demo.conftest import Build
from tui.demo import resources
from tui.demo.api import schedule
from tui.demo.api.errors import ApiError
from tui.demo.api.operations import Writer
from tui.demo.api.requests import Request, Response
from tui.demo.cluster import Cluster
from tui.demo.controllers import job as jobs
from tui.demo.resource import Resource
from tui.demo.store import Entry

TEST = Writer("test")


def _template(command: str = "", **spec: Any) -> dict[str, Any]:
    container: dict[str, Any] = {"name": "c", "image": "nginx:alpine"}
    if command:
        container |= {"image": "busybox", "command": ["sh", "-c", command]}
    return {"metadata": {"labels": {"app": "x"}}, "spec": {"containers": [container], **spec}}


def _make(cluster: Cluster, resource: Resource, name: str, spec: dict[str, Any]) -> Entry:
    data = {"metadata": {"name": name}, "spec": spec}
    return cluster.api.create(resource, "default", data, TEST)


def _set(cluster: Cluster, resource: Resource, name: str, **spec: Any) -> None:
    def alter(data: dict[str, Any]) -> None:
        data["spec"] |= spec

    cluster.api.change(resource, cluster.api.get(resource, "default", name), alter, TEST)


def _pods(cluster: Cluster) -> dict[str, Entry]:
    return {pod.name: pod for pod in cluster.store.list_at("pods", "default", None)}


def _status(cluster: Cluster, resource: Resource, name: str) -> dict[str, Any]:
    return cluster.api.get(resource, "default", name).status


SELECTOR = {"matchLabels": {"app": "x"}}


def test_a_stateful_set_starts_one_after_the_other(build: Build) -> None:
    cluster = build()
    claim = {
        "metadata": {"name": "data"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }
    spec = {"replicas": 3, "serviceName": "db", "selector": SELECTOR, "template": _template()}
    _make(cluster, resources.STATEFUL_SETS, "db", spec | {"volumeClaimTemplates": [claim]})
    most_unready = 0
    for _ in range(120):
        cluster.clock.advance(0.25)
        pods = _pods(cluster)
        unready = [n for n, pod in pods.items() if pod.status.get("phase") != "Running"]
        most_unready = max(most_unready, len(unready))
    assert sorted(_pods(cluster)) == ["db-0", "db-1", "db-2"]
    assert most_unready == 1
    first = _pods(cluster)["db-0"]
    assert first.labels["statefulset.kubernetes.io/pod-name"] == "db-0"
    assert (first.spec["hostname"], first.spec["subdomain"]) == ("db-0", "db")
    claims = cluster.store.list_at("persistentvolumeclaims", "default", None)
    assert [(one.name, one.status["phase"]) for one in claims] == [
        (f"data-db-{n}", "Bound") for n in range(3)
    ]
    _set(cluster, resources.STATEFUL_SETS, "db", replicas=1)
    cluster.clock.advance(60)
    assert sorted(_pods(cluster)) == ["db-0"]
    assert cluster.store.count("persistentvolumeclaims") == 3  # claims stay


def test_a_stateful_set_over_a_quota_tells_so_and_goes_on_when_there_is_room(build: Build) -> None:
    cluster = build()
    quota = _make(cluster, resources.RESOURCE_QUOTAS, "few", {"hard": {"pods": "1"}})
    spec = {"replicas": 2, "serviceName": "db", "selector": SELECTOR, "template": _template()}
    _make(cluster, resources.STATEFUL_SETS, "db", spec)
    cluster.clock.advance(30)
    assert sorted(_pods(cluster)) == ["db-0"]
    assert _status(cluster, resources.STATEFUL_SETS, "db")["readyReplicas"] == 1
    said = [
        event.data["message"]
        for event in cluster.store.list_at("events", "default", None)
        if event.data["reason"] == "FailedCreate"
    ]
    assert said == [
        'create Pod db-1 in StatefulSet db failed error: pods "db-1" is forbidden: exceeded quota: '
        "few, requested: pods=1, used: pods=1, limited: pods=1"
    ]
    _set(cluster, resources.RESOURCE_QUOTAS, quota.name, hard={"pods": "2"})
    cluster.clock.advance(30)
    assert sorted(_pods(cluster)) == ["db-0", "db-1"]


def test_a_stateful_set_is_updated_from_the_last_pod_down(build: Build) -> None:
    cluster = build()
    spec = {"replicas": 3, "serviceName": "db", "selector": SELECTOR, "template": _template()}
    _make(cluster, resources.STATEFUL_SETS, "db", spec)
    cluster.clock.advance(30)
    changed = _template()
    changed["spec"]["containers"][0]["image"] = "nginx:1.27"
    keep = {"type": "RollingUpdate", "rollingUpdate": {"partition": 2}}
    _set(cluster, resources.STATEFUL_SETS, "db", template=changed, updateStrategy=keep)
    cluster.clock.advance(60)
    images = [pod.spec["containers"][0]["image"] for pod in _pods(cluster).values()]
    assert images == ["nginx:alpine", "nginx:alpine", "nginx:1.27"]
    everything = {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}}
    _set(cluster, resources.STATEFUL_SETS, "db", updateStrategy=everything)
    cluster.clock.advance(90)
    status = _status(cluster, resources.STATEFUL_SETS, "db")
    assert status["updatedReplicas"] == status["availableReplicas"] == 3
    assert status["currentRevision"] == status["updateRevision"]
    revisions = cluster.store.list_at(resources.CONTROLLER_REVISIONS.storage, "default", None)
    assert sorted(one.data["revision"] for one in revisions) == [1, 2]


def test_a_daemon_set_has_a_pod_on_each_node_it_may_be_on(build: Build) -> None:
    cluster = build()
    spec = {"selector": SELECTOR, "template": _template()}
    _make(cluster, resources.DAEMON_SETS, "agent", spec)
    cluster.clock.advance(20)
    assert [pod.spec["nodeName"] for pod in _pods(cluster).values()] == ["embedded-worker"]
    anywhere = _template(tolerations=[{"operator": "Exists"}])
    _set(cluster, resources.DAEMON_SETS, "agent", template=anywhere)
    cluster.clock.advance(60)
    nodes = sorted(pod.spec["nodeName"] for pod in _pods(cluster).values())
    assert nodes == ["embedded-control-plane", "embedded-worker"]
    status = _status(cluster, resources.DAEMON_SETS, "agent")
    assert status["desiredNumberScheduled"] == status["numberReady"] == 2
    assert status["updatedNumberScheduled"] == 2


def test_a_job_runs_until_enough_have_succeeded(build: Build) -> None:
    cluster = build()
    template = _template("echo hi; sleep 5", restartPolicy="Never")
    spec = {"completions": 5, "parallelism": 2, "template": template}
    _make(cluster, resources.JOBS, "sum", spec | {"ttlSecondsAfterFinished": 100})
    most = 0
    for _ in range(100):
        cluster.clock.advance(0.5)
        most = max(most, _status(cluster, resources.JOBS, "sum").get("active", 0))
    assert most == 2
    status = _status(cluster, resources.JOBS, "sum")
    assert status["succeeded"] == 5
    assert [one["type"] for one in status["conditions"]] == ["SuccessCriteriaMet", "Complete"]
    assert len(_pods(cluster)) == 5
    cluster.clock.advance(120)
    assert cluster.store.count(resources.JOBS.storage) == 0
    assert _pods(cluster) == {}


def test_a_job_that_fails_too_often_has_failed(build: Build) -> None:
    cluster = build()
    spec = {"backoffLimit": 2, "template": _template("exit 3", restartPolicy="Never")}
    _make(cluster, resources.JOBS, "bad", spec)
    cluster.clock.advance(8)
    assert _status(cluster, resources.JOBS, "bad")["failed"] == 1  # the second waits 10 s
    cluster.clock.advance(80)
    status = _status(cluster, resources.JOBS, "bad")
    assert status["failed"] == 3
    assert status["conditions"][-1]["reason"] == "BackoffLimitExceeded"


def test_an_indexed_job_gives_each_pod_its_number(build: Build) -> None:
    cluster = build()
    template = _template("true", restartPolicy="Never")
    spec = {"completions": 3, "parallelism": 3, "completionMode": "Indexed", "template": template}
    _make(cluster, resources.JOBS, "each", spec)
    cluster.clock.advance(20)
    assert _status(cluster, resources.JOBS, "each")["completedIndexes"] == "0-2"
    assert jobs.ranges([0, 2, 3, 4, 7]) == "0,2-4,7"


def test_a_job_may_not_restart_always(build: Build) -> None:
    with pytest.raises(ApiError, match=r'supported values: "OnFailure", "Never"'):
        _make(build(), resources.JOBS, "j", {"template": _template("true")})


def test_a_cron_job_makes_jobs_in_time_and_forgets_them(build: Build) -> None:
    cluster = build()
    template = {"spec": {"template": _template("true", restartPolicy="Never")}}
    _make(cluster, resources.CRON_JOBS, "tick", {"schedule": "* * * * *", "jobTemplate": template})
    cluster.clock.advance(60 * 7)
    found = cluster.store.list_at(resources.JOBS.storage, "default", None)
    assert len(found) == 3  # successfulJobsHistoryLimit
    minutes = [int(one.name.rpartition("-")[2]) for one in found]
    assert minutes == list(range(minutes[0], minutes[0] + 3))
    status = _status(cluster, resources.CRON_JOBS, "tick")
    assert status["lastSuccessfulTime"] >= status["lastScheduleTime"]


@pytest.mark.parametrize(
    ("text", "following"),
    [
        ("*/15 * * * *", "2026-11-21T12:15"),
        ("0 9 * * mon-fri", "2026-11-23T09:00"),
        ("30 8 1 * *", "2026-12-01T08:30"),
        ("@daily", "2026-11-22T00:00"),
        ("0 0 13 * 5", "2026-11-27T00:00"),
        ("5 4 29 2 *", "2028-02-29T04:05"),
    ],
)
def test_schedules(text: str, following: str) -> None:
    now = datetime(2026, 11, 21, 12, 3, 20, tzinfo=UTC)
    found = schedule.parse(text).next_after(now)
    assert found is not None
    assert found.strftime("%Y-%m-%dT%H:%M") == following


@pytest.mark.parametrize("text", ["* * * *", "61 * * * *", "a * * * *", "5-1 * * * *", "0 0 * * 9"])
def test_what_is_no_schedule(text: str) -> None:
    with pytest.raises(schedule.ScheduleError):
        schedule.parse(text)


def test_a_pod_waits_for_its_claim(build: Build) -> None:
    cluster = build()
    volume = {"name": "v", "persistentVolumeClaim": {"claimName": "db-pvc"}}
    container = {"name": "c", "image": "nginx:alpine"}
    _make(cluster, resources.PODS, "p", {"containers": [container], "volumes": [volume]})
    cluster.clock.advance(5)
    message = _pods(cluster)["p"].status["conditions"][0]["message"]
    assert 'persistentvolumeclaim "db-pvc" not found' in message
    size = {"resources": {"requests": {"storage": "1Gi"}}, "accessModes": ["ReadWriteOnce"]}
    _make(cluster, resources.VOLUME_CLAIMS, "db-pvc", size)
    cluster.clock.advance(10)
    assert _pods(cluster)["p"].status["phase"] == "Running"
    cluster.api.delete(resources.VOLUME_CLAIMS, "default", "db-pvc")
    cluster.clock.advance(5)
    assert cluster.store.count("persistentvolumeclaims") == 1  # in use
    cluster.api.delete(resources.PODS, "default", "p")
    cluster.clock.advance(40)
    assert cluster.store.count("persistentvolumeclaims") == 0
    assert cluster.store.count("persistentvolumes") == 0


def test_a_budget_keeps_pods_from_eviction(build: Build) -> None:
    cluster = build()
    spec = {"replicas": 2, "selector": SELECTOR, "template": _template()}
    _make(cluster, resources.DEPLOYMENTS, "web", spec)
    budget = {"minAvailable": 1, "selector": SELECTOR}
    _make(cluster, resources.DISRUPTION_BUDGETS, "web", budget)
    cluster.clock.advance(20)
    assert _status(cluster, resources.DISRUPTION_BUDGETS, "web")["disruptionsAllowed"] == 1
    statuses = []
    # kubectl says in the body that it is a dry run.
    for body in (b'{"deleteOptions":{"dryRun":["All"]}}', b"{}"):
        for name in _pods(cluster):
            path = f"/api/v1/namespaces/default/pods/{name}/eviction"
            answer = cluster.handlers.respond(Request("POST", path, body=body))
            assert isinstance(answer, Response)
            statuses.append(answer.status)
    assert statuses == [201, 201, 201, 429]
