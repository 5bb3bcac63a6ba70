"""Rules about pods and nodes: from recordings where they show the case."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.analysis.doctor.patients import Case, evidence, recording
from tests.samples import MI, NAMES, NOW, hpa, nodes, pod
from tui.analysis.doctor.finding import Severity
from tui.analysis.doctor.words import stamp
from tui.state.links import Health, Source
from tui.state.rows import ContainerRow, Ending, Kind, NodeUsage, Owner, PodRequests, PodRow

AFTER = "pod-states/after-70s"


def _crashing(**more: Any) -> PodRow:
    fields: dict[str, Any] = {
        "status": "CrashLoopBackOff",
        "restarts": 3,
        "message": "back-off 40s restarting failed container=fastapi",
        "ending": Ending("fastapi", "Error", 3, NOW - 20),
        "phase": "Running",
    }
    return pod("web-1", age=90, **{**fields, **more})


# crash-loop, image-pull, oom-killed: as recorded


def test_the_recorded_troubles_are_all_found_and_nothing_else() -> None:
    found = {(f.id, f.object.rpartition("/")[2]) for f in recording(AFTER, "idle").findings()}
    assert {(id, name.rsplit("-", 1)[0]) for id, name in found} == {
        ("crash-loop", "bad-command"),
        ("crash-loop", "crash-loop"),
        ("crash-loop", "liveness-fails"),
        ("image-pull", "image-missing"),
        ("no-room", "too-big"),
        ("oom-killed", "oom"),
        ("no-readiness-probe", "fastapi"),
    }


def test_a_crash_loop_says_how_the_container_ended() -> None:
    found = next(f for f in recording(AFTER, "idle").findings() if "bad-command" in f.object)
    said = [value for _, _, value in evidence(found)]
    assert any(v.startswith("StartError, exit code 128") for v in said)
    assert any("no such file or directory" in v for v in said)
    assert "--previous" in found.fix.command


def test_pods_of_one_deployment_are_one_finding() -> None:
    case = Case().put(
        Kind.PODS, _crashing(), msgspec.structs.replace(_crashing(), uid="u2", name="web-2")
    )
    found = case.one("crash-loop")
    assert found.object == "Deployment default/fastapi-deploy"
    assert found.title.startswith("2 pods")


@pytest.mark.parametrize(
    "row",
    [
        _crashing(status="Running", ready=True, restarts=1),
        _crashing(status="Completed", phase="Succeeded", ending=Ending("fastapi", "Completed")),
        _crashing(status="Error", phase="Failed"),
        _crashing(deleting=NOW - 2),
        _crashing(status="Error", restarts=1),
        _crashing(ending=Ending("fastapi", "OOMKilled", 137, NOW - 5)),
    ],
    ids=[
        *("restarted once", "done", "failed for good", "being deleted"),
        *("ended for the first time", "killed for memory, which is told as that"),
    ],
)
def test_an_ending_is_no_crash_loop(row: PodRow) -> None:
    assert "crash-loop" not in Case().put(Kind.PODS, row).ids()


def test_the_image_and_the_reason_are_named() -> None:
    found = recording(AFTER, "idle").one("image-pull")
    assert "example.invalid/no/such:image" in found.title
    assert any("no such host" in value for _, _, value in evidence(found))


@pytest.mark.parametrize("status", ["ContainerCreating", "Pending", "Running", "PodInitializing"])
def test_a_pod_on_its_way_has_its_image(status: str) -> None:
    case = Case().put(Kind.PODS, pod("web-2", age=3, status=status))
    assert "image-pull" not in case.ids()


def test_a_kill_for_memory_names_the_limit() -> None:
    found = recording(AFTER, "idle").one("oom-killed")
    assert "(limit 48Mi)" in found.title
    assert any(
        value.startswith("OOMKilled at 2026-11-21T01:03:1") for _, _, value in evidence(found)
    )


@pytest.mark.parametrize(
    ("ending", "found"),
    [
        (Ending("fastapi", "OOMKilled", 137, NOW - 600), True),
        (Ending("fastapi", "OOMKilled", 137, NOW - 7200), False),
        (Ending("fastapi", "Error", 137, NOW - 600), False),
    ],
    ids=["ten minutes ago", "two hours ago", "killed by a probe"],
)
def test_a_kill_for_memory_that_is_long_past_is_no_news(ending: Ending, found: bool) -> None:
    row = pod("web-1", age=9000, ending=ending, restarts=1)
    assert ("oom-killed" in Case().put(Kind.PODS, row).ids()) is found


# no-room


_FULL = "0/2 nodes are available: 2 Insufficient cpu. preemption: none"


def test_a_pod_that_cannot_be_scheduled() -> None:
    found = recording(AFTER, "idle").one("no-room")
    assert found.severity is Severity.WARNING
    fields = [field for _, field, _ in evidence(found)]
    assert fields == ["PodScheduled", "requests", "allocatable - requested"]


def test_the_hpas_maximum_is_set_against_what_is_free() -> None:
    big = (ContainerRow("fastapi", 1000, None, 128 * MI),)
    rows = [pod(n, age=60, containers=big) for n in NAMES[:2]]
    waiting = pod(NAMES[2], age=60, status="Pending", containers=big, message=_FULL, node="")
    case = Case().put(Kind.PODS, *rows, waiting)
    found = case.one("no-room")
    assert (
        "HorizontalPodAutoscaler default/fastapi-hpa",
        "maxReplicas × request",
        "10 × cpu 1, memory 128Mi",
    ) in evidence(found)


@pytest.mark.parametrize(
    "changes",
    [
        {"message": ""},
        {"message": "0/2 nodes are available: 2 node(s) didn't match node selector."},
        {"created": NOW - 2},
        {"deleting": NOW},
    ],
    ids=["not looked at yet", "another reason", "just made", "being deleted"],
)
def test_a_pod_that_waits_for_something_else(changes: dict[str, Any]) -> None:
    fields = {"status": "Pending", "node": "", "message": _FULL, **changes}
    case = Case().put(Kind.PODS, pod("web-3", age=60, **fields))
    assert "no-room" not in case.ids()


def test_a_maximum_that_would_not_fit_is_noted_before_it_happens() -> None:
    """The lesson's trap: 1000m × 4 on two nodes of 2 cores, with 100m taken on one of them."""
    big = (ContainerRow("fastapi", 1000, None, 128 * MI),)
    case = Case().put(Kind.PODS, *(pod(n, age=60, containers=big) for n in ("web-1", "web-2")))
    case.put(Kind.PODS, pod("small", age=60, node="lab-control-plane", labels=(), owner=None))
    case.put(Kind.HPAS, hpa(2, 2, 3, max=4))
    found = case.one("no-room")
    assert found.severity is Severity.INFO
    assert found.title.startswith("1 pod of fastapi-deploy would find no room at 4")
    case.put(Kind.HPAS, hpa(2, 2, 3, max=3))
    assert "no-room" not in case.ids()


def test_room_is_taken_by_what_the_scheduler_counts() -> None:
    """The containers name nothing: the pod as a whole asks for 1000m."""
    plain = (ContainerRow("fastapi"),)
    whole = PodRequests(1000, 128 * MI)
    names = ("web-1", "web-2")
    pods = [pod(n, age=60, containers=plain, whole=whole, placed_by=whole) for n in names]
    found = Case().put(Kind.PODS, *pods).put(Kind.HPAS, hpa(2, 2, 3, max=5)).one("no-room")
    assert found.title.startswith("1 pod of fastapi-deploy would find no room at 5")
    assert any(e.value == "5 × cpu 1, memory 128Mi" for e in found.evidence)


def test_of_one_namespace_the_room_is_only_known_to_be_no_more() -> None:
    big = (ContainerRow("fastapi", 1000, None, 128 * MI),)
    case = Case().put(Kind.PODS, *(pod(n, age=60, containers=big) for n in ("web-1", "web-2")))
    case.put(Kind.HPAS, hpa(2, 2, 3, max=5))
    case.namespace = "default"
    found = case.one("no-room")
    assert found.title.startswith("At least 1 pod of fastapi-deploy would find no room at 5")
    assert "have room for 4 at most" in found.explanation
    assert "allocatable - requested by pods of default" in {e.field for e in found.evidence}
    assert found.fix.patch is None


@pytest.mark.parametrize("changes", [{"unschedulable": True}, {"ready": "False"}])
def test_a_node_that_takes_no_pods_has_no_room(changes: dict[str, Any]) -> None:
    big = (ContainerRow("fastapi", 1000, None, 128 * MI),)
    case = Case().put(Kind.PODS, *(pod(n, age=60, containers=big) for n in ("web-1", "web-2")))
    case.put(Kind.HPAS, hpa(2, 2, 3, max=3))
    assert "no-room" not in case.ids()
    case.put(Kind.NODES, msgspec.structs.replace(nodes()[0], **changes))
    assert "no-room" in case.ids()


def test_without_nodes_nothing_is_said_of_room() -> None:
    big = (ContainerRow("fastapi", 100_000, None, 128 * MI),)
    case = Case().put(Kind.PODS, *(pod(n, age=60, containers=big) for n in ("web-1", "web-2")))
    case.store.retain(Kind.NODES, [])
    case.link(Kind.NODES, Health.FORBIDDEN)
    assert "no-room" not in case.ids()


# cpu-throttled


@pytest.mark.parametrize(("used", "found"), [(500, True), (476, True), (470, False)])
def test_usage_at_the_limit(used: int, found: bool) -> None:
    case = Case().sample(("web-1", used), ("web-2", 100))
    assert ("cpu-throttled" in case.ids()) is found
    if found:
        said = case.one("cpu-throttled")
        assert said.title.endswith("in 1 pod of 2")
        assert f"{used}m of a limit of 500m" in [value for _, _, value in evidence(said)]


def test_without_a_limit_or_a_fresh_sample_nobody_is_throttled() -> None:
    free = (ContainerRow("fastapi", 100, None, MI, MI),)
    case = Case().put(Kind.PODS, pod("web-1", age=90, containers=free)).sample(("web-1", 4000))
    assert "cpu-throttled" not in case.ids()
    stale = Case().sample(("web-1", 500))
    stale.clock.now += 120
    assert "cpu-throttled" not in stale.ids()


# node-without-metrics


def _nodes(*sampled: str, age: float = 7) -> Case:
    case = Case()
    case.store.sample_nodes([NodeUsage(n, NOW - age, 15.0, 200, MI) for n in sampled])
    return case


def test_a_ready_node_that_metrics_server_does_not_reach() -> None:
    found = _nodes("lab-control-plane").one("node-without-metrics")
    assert found.object == "Node lab-worker"


@pytest.mark.parametrize(
    "changes",
    [{"ready": "False"}, {"created": NOW - 30}, {"ready_since": NOW - 30}],
    ids=["not ready", "new", "ready again"],
)
def test_a_node_that_need_not_have_metrics_yet(changes: dict[str, Any]) -> None:
    case = _nodes("lab-control-plane")
    case.put(Kind.NODES, msgspec.structs.replace(nodes()[1], **changes))
    assert "node-without-metrics" not in case.ids()


def test_without_fresh_metrics_of_any_node_it_is_not_the_nodes_fault() -> None:
    assert _nodes().ids() == []
    assert _nodes("lab-control-plane", age=200).ids() == []
    assert _nodes("lab-control-plane").link(Source.NODE_METRICS, Health.FORBIDDEN).ids() == []


# node-not-ready


def _lost(ready: str = "Unknown", **changes: Any) -> Case:
    lost = msgspec.structs.replace(nodes()[1], ready=ready, ready_since=NOW - 9, **changes)
    return Case().put(Kind.NODES, lost)


@pytest.mark.parametrize(("ready", "why"), [("Unknown", "hears no more"), ("False", "cannot run")])
def test_a_lost_node_is_named_with_the_pods_on_it(ready: str, why: str) -> None:
    found = _lost(ready).one("node-not-ready")
    assert found.object == "Node lab-worker"
    assert found.title == "Node lab-worker is not Ready, and 2 pods of fastapi-deploy are on it"
    assert why in found.explanation
    assert [value for _, _, value in evidence(found)] == [
        f"{ready} since {stamp(NOW - 9)}",
        "web-1 and web-2",
    ]


def test_a_node_that_is_joining_or_holds_nothing_that_moves_is_no_trouble() -> None:
    assert "node-not-ready" not in _lost(created=NOW - 30).ids()
    for kind in ("DaemonSet", "Node"):
        case = _lost()
        for name in ("web-1", "web-2"):
            case.put(Kind.PODS, pod(name, age=90, owner=Owner(kind, "agent", "uid-agent")))
        assert "node-not-ready" not in case.ids()
    leaving = _lost()
    for name in ("web-1", "web-2"):
        leaving.put(Kind.PODS, pod(name, age=90, deleting=NOW))
    assert "node-not-ready" not in leaving.ids()
    assert "node-not-ready" not in _lost().link(Kind.NODES, Health.FORBIDDEN).ids()


# volume-claim-missing


@pytest.mark.parametrize(
    ("message", "found"),
    [
        ('0/1 nodes are available: persistentvolumeclaim "db-pvc" not found.', True),
        ("0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims.", False),
    ],
)
def test_a_claim_that_nobody_made(message: str, found: bool) -> None:
    row = pod("db", age=60, status="Pending", message=message, labels=(), owner=None, node="")
    case = Case().put(Kind.PODS, row)
    assert ("volume-claim-missing" in case.ids()) is found


def test_a_pod_without_an_owner_is_its_own() -> None:
    row = msgspec.structs.replace(_crashing(), owner=None, labels=(), name="lone", uid="u-lone")
    assert Case().put(Kind.PODS, row).one("crash-loop").object == "Pod default/lone"


def test_an_unknown_owner_is_named_as_far_as_it_is_known() -> None:
    row = msgspec.structs.replace(
        _crashing(), owner=Owner("ReplicaSet", "unseen-1", "u-x"), labels=(), uid="u-y"
    )
    assert Case().put(Kind.PODS, row).one("crash-loop").object == "ReplicaSet default/unseen-1"
