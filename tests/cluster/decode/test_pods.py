"""Pods as kubectl prints them."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.cluster import recorded
from tui.cluster.decode import pods
from tui.cluster.resources import RESOURCES
from tui.state.rows import Kind, PodRow

SNAPSHOTS = ["idle", "peak", "after-scale-down", "pod-states/after-6s", "pod-states/after-70s"]


def decoded(wire: dict[str, Any]) -> PodRow:
    pod = msgspec.convert(wire, pods.Pod)
    return pods.project(pod)


def make(
    *,
    phase: str = "Running",
    containers: list[dict[str, Any]] | None = None,
    init: list[dict[str, Any]] | None = None,
    sidecars: tuple[str, ...] = (),
    conditions: tuple[tuple[str, str, str], ...] = (),
    deleting: bool = False,
    reason: str | None = None,
) -> PodRow:
    """A pod of container statuses; a spec to match them."""
    meta: dict[str, Any] = {"uid": "u", "name": "p", "namespace": "n"}
    if deleting:
        meta["deletionTimestamp"] = "2026-11-21T00:00:00Z"
    return decoded(
        {
            "metadata": meta,
            "spec": {
                "containers": [{"name": c["name"]} for c in containers or [{"name": "c"}]],
                "initContainers": [
                    {
                        "name": c["name"],
                        **({"restartPolicy": "Always"} if c["name"] in sidecars else {}),
                    }
                    for c in init or []
                ],
            },
            "status": {
                "phase": phase,
                "reason": reason,
                "conditions": [{"type": t, "status": s, "reason": r} for t, s, r in conditions],
                "containerStatuses": containers,
                "initContainerStatuses": init,
            },
        }
    )


def status(
    name: str = "c", *, ready: bool = False, restarts: int = 0, **state: Any
) -> dict[str, Any]:
    found: dict[str, Any] = {"name": name, "ready": ready, "restartCount": restarts}
    last = state.pop("last", None)
    started = state.pop("started", None)
    if last:
        found["lastState"] = {"terminated": {"finishedAt": last, "exitCode": 1}}
    if started is not None:
        found["started"] = started
    return {**found, "state": state}


def running(name: str = "c", **more: Any) -> dict[str, Any]:
    return status(name, running={"startedAt": "2026-11-21T00:00:00Z"}, **{"ready": True, **more})


def waiting(reason: str | None, name: str = "c", **more: Any) -> dict[str, Any]:
    return status(name, waiting={"reason": reason}, **more)


def ended(code: int = 0, name: str = "c", **more: Any) -> dict[str, Any]:
    restarts = more.pop("restarts", 0)
    return status(name, restarts=restarts, terminated={"exitCode": code, **more})


READY = ("Ready", "True", "")
UNREADY = ("Ready", "False", "")
INITIALIZED = ("Initialized", "True", "")

CASES: dict[str, tuple[PodRow, str, str, int]] = {
    "running": (make(containers=[running()], conditions=(READY,)), "1/1", "Running", 0),
    "running, not ready": (make(containers=[running(ready=False)]), "0/1", "Running", 0),
    "pending without a word": (make(phase="Pending"), "0/1", "Pending", 0),
    "gated": (
        make(phase="Pending", conditions=(("PodScheduled", "False", "SchedulingGated"),)),
        "0/1",
        "SchedulingGated",
        0,
    ),
    "creating": (
        make(phase="Pending", containers=[waiting("ContainerCreating")]),
        "0/1",
        "ContainerCreating",
        0,
    ),
    "crash loop": (
        make(containers=[waiting("CrashLoopBackOff", restarts=3)]),
        "0/1",
        "CrashLoopBackOff",
        3,
    ),
    "image": (make(containers=[waiting("ImagePullBackOff")]), "0/1", "ImagePullBackOff", 0),
    "waiting without a reason": (make(containers=[waiting(None)]), "0/1", "Running", 0),
    "exit code": (make(containers=[ended(7)]), "0/1", "ExitCode:7", 0),
    "signal": (make(containers=[ended(137, signal=9)]), "0/1", "Signal:9", 0),
    "out of memory": (make(containers=[ended(137, reason="OOMKilled")]), "0/1", "OOMKilled", 0),
    "completed": (
        make(phase="Succeeded", containers=[ended(reason="Completed")]),
        "0/1",
        "Completed",
        0,
    ),
    "one done, one ready": (
        make(containers=[ended(reason="Completed"), running("d")], conditions=(READY,)),
        "1/2",
        "Running",
        0,
    ),
    "one done, one running, pod not ready": (
        make(containers=[ended(reason="Completed"), running("d")], conditions=(UNREADY,)),
        "1/2",
        "NotReady",
        0,
    ),
    "one done, one failed": (
        make(
            phase="Failed",
            containers=[ended(reason="Completed"), ended(1, "d", reason="Error")],
        ),
        "0/2",
        "Error",
        0,
    ),
    "the first container has the last word": (
        make(containers=[waiting("CrashLoopBackOff"), waiting("ImagePullBackOff", "d")]),
        "0/2",
        "CrashLoopBackOff",
        0,
    ),
    "init 0 of 2": (
        make(
            phase="Pending",
            init=[running("i", ready=False), waiting("PodInitializing", "j")],
            containers=[waiting("PodInitializing")],
        ),
        "0/1",
        "Init:0/2",
        0,
    ),
    "init 1 of 2": (
        make(
            phase="Pending",
            init=[ended(name="i", reason="Completed"), waiting("PodInitializing", "j")],
            containers=[waiting("PodInitializing")],
        ),
        "0/1",
        "Init:1/2",
        0,
    ),
    "init done": (
        make(
            phase="Pending",
            init=[ended(name="i", reason="Completed")],
            containers=[waiting("PodInitializing")],
        ),
        "0/1",
        "PodInitializing",
        0,
    ),
    "init failed": (
        make(phase="Pending", init=[ended(2, "i")], containers=[waiting("PodInitializing")]),
        "0/1",
        "Init:ExitCode:2",
        0,
    ),
    "init killed": (
        make(phase="Pending", init=[ended(2, "i", signal=15)]),
        "0/1",
        "Init:Signal:15",
        0,
    ),
    "init error": (
        make(phase="Pending", init=[ended(2, "i", reason="Error")]),
        "0/1",
        "Init:Error",
        0,
    ),
    "init crash loop": (
        make(phase="Pending", init=[waiting("CrashLoopBackOff", "i", restarts=4)]),
        "0/1",
        "Init:CrashLoopBackOff",
        4,
    ),
    "restarts of init containers stop counting": (
        make(
            init=[ended(name="i", restarts=4, reason="Completed")],
            containers=[running(restarts=1)],
            conditions=(INITIALIZED, READY),
        ),
        "1/1",
        "Running",
        1,
    ),
    "sidecar ready": (
        make(
            init=[running("s", started=True, restarts=2)],
            sidecars=("s",),
            containers=[running(restarts=1)],
            conditions=(INITIALIZED, READY),
        ),
        "2/2",
        "Running",
        3,
    ),
    "sidecar starting": (
        make(
            phase="Pending",
            init=[running("s", ready=False, started=False)],
            sidecars=("s",),
            containers=[waiting("PodInitializing")],
        ),
        "0/2",
        "Init:0/1",
        0,
    ),
    "sidecar crashing while the pod runs": (
        make(
            init=[waiting("CrashLoopBackOff", "s", started=False, restarts=5)],
            sidecars=("s",),
            containers=[running()],
            conditions=(INITIALIZED, READY),
        ),
        "1/2",
        "Init:CrashLoopBackOff",
        5,
    ),
    "evicted": (make(phase="Failed", reason="Evicted"), "0/1", "Evicted", 0),
    "terminating": (make(containers=[running()], deleting=True), "1/1", "Terminating", 0),
    "deleted after its end": (
        make(phase="Succeeded", containers=[ended(reason="Completed")], deleting=True),
        "0/1",
        "Completed",
        0,
    ),
    "node lost": (
        make(containers=[running()], deleting=True, reason="NodeLost"),
        "1/1",
        "Unknown",
        0,
    ),
    "phase of the future": (make(phase="Hibernating"), "0/1", "Hibernating", 0),
}


@pytest.mark.parametrize("case", CASES)
def test_status_ready_and_restarts_follow_kubectl(case: str) -> None:
    row, ready, word, restarts = CASES[case]
    shown = f"{row.ready_containers}/{row.total_containers}"
    assert (shown, row.status, row.restarts) == (ready, word, restarts)


@pytest.mark.parametrize("snapshot", SNAPSHOTS)
def test_every_recorded_pod_reads_as_kubectl_printed_it(snapshot: str) -> None:
    printed = recorded.table(f"{snapshot}/pods-table.json")
    page = RESOURCES[Kind.PODS].codec.page(recorded.raw(f"{snapshot}/pods.json"))
    assert page.skipped == 0
    ours = {
        row.name: (f"{row.ready_containers}/{row.total_containers}", row.status, str(row.restarts))
        for row in page.rows
        if isinstance(row, PodRow)
    }
    theirs = {
        name: (cells["Ready"], cells["Status"], str(cells["Restarts"]).split()[0])
        for name, cells in printed.items()
    }
    assert ours == theirs


def test_the_last_restart_is_the_newest_end_of_a_container() -> None:
    row = make(
        containers=[
            running(restarts=1, last="2026-11-21T00:01:00Z"),
            running("d", restarts=2, last="2026-11-21T00:02:00Z"),
        ]
    )
    assert row.last_restart == pytest.approx(1795219320.0)


def test_requests_limits_times_and_owner() -> None:
    row = decoded(
        {
            "metadata": {
                "uid": "u",
                "name": "p",
                "namespace": "n",
                "creationTimestamp": "2026-11-21T00:00:00Z",
                "labels": {"b": "2", "a": "1", "empty": None},
                "ownerReferences": [
                    {"kind": "Other", "name": "o", "uid": "1"},
                    {"kind": "ReplicaSet", "name": "rs", "uid": "2", "controller": True},
                ],
            },
            "spec": {
                "nodeName": "node-1",
                "containers": [
                    {
                        "name": "c",
                        "resources": {
                            "requests": {"cpu": "250m", "memory": "64Mi"},
                            "limits": {"cpu": 1, "memory": "bad"},
                        },
                    }
                ],
                "initContainers": [
                    {"name": "s", "restartPolicy": "Always", "resources": None},
                    {"name": "i", "resources": {"requests": {"cpu": "9"}}},
                ],
            },
            "status": {
                "phase": "Running",
                "podIP": "10.0.0.1",
                "startTime": "2026-11-21T00:00:01Z",
                "conditions": [
                    {
                        "type": "Ready",
                        "status": "True",
                        "lastTransitionTime": "2026-11-21T00:00:03.5Z",
                    },
                    {
                        "type": "PodScheduled",
                        "status": "True",
                        "lastTransitionTime": "2026-11-21T02:00:00+02:00",
                    },
                ],
            },
        }
    )
    start = 1795219200.0
    assert row.created == start
    assert (row.scheduled, row.started, row.ready_since) == (start, start + 1, start + 3.5)
    assert row.ready is True
    assert row.labels == (("a", "1"), ("b", "2"), ("empty", ""))
    assert row.owner is not None
    assert row.owner.name == "rs"
    assert [c.name for c in row.containers] == ["c", "s"]
    assert row.containers[0].cpu_request == 250
    assert row.containers[0].cpu_limit == 1000
    assert row.containers[0].memory_request == 64 * 1024**2
    assert row.containers[0].memory_limit is None
    assert row.cpu_request is None  # the sidecar asks for none
    assert (row.node, row.ip) == ("node-1", "10.0.0.1")


@pytest.mark.parametrize(
    ("status_", "message"),
    [
        ({"message": "The node was low on memory."}, "The node was low on memory."),
        (
            {"containerStatuses": [{"state": {"waiting": {"reason": "X", "message": "no image"}}}]},
            "no image",
        ),
        (
            {"conditions": [{"type": "PodScheduled", "status": "False", "message": "0/1 nodes"}]},
            "0/1 nodes",
        ),
        ({}, ""),
    ],
)
def test_the_message_says_why(status_: dict[str, Any], message: str) -> None:
    row = decoded({"metadata": {"uid": "u", "name": "p"}, "status": status_})
    assert row.message == message


def test_equal_parts_are_shared() -> None:
    page = RESOURCES[Kind.PODS].codec.page(recorded.raw("peak/pods.json"))
    ours = [r for r in page.rows if isinstance(r, PodRow) and r.name.startswith("fastapi")]
    assert len(ours) == 10
    assert len({id(r.labels) for r in ours}) == 1
    assert len({id(r.containers) for r in ours}) == 1
    assert len({id(r.node) for r in ours}) == 1
    assert len({id(r.owner) for r in ours}) == 1
