from __future__ import annotations

from typing import Any

import pytest

from tui.setups import rollout


def deployment(**status: Any) -> dict[str, Any]:
    return {
        "kind": "Deployment",
        "metadata": {"name": "d", "generation": 2},
        "spec": {"replicas": 2},
        "status": {"observedGeneration": 2, **status},
    }


def pod(**status: Any) -> dict[str, Any]:
    return {"metadata": {"name": "p"}, "status": status}


def waiting(reason: str, **more: Any) -> dict[str, Any]:
    return pod(
        containerStatuses=[
            {"name": "c", "image": "a:1", "state": {"waiting": {"reason": reason, **more}}}
        ]
    )


DONE = {"replicas": 2, "updatedReplicas": 2, "availableReplicas": 2}


def test_rolled_out_is_all_of_it() -> None:
    assert rollout.judge(deployment(**DONE), []).done
    for change in (
        {"updatedReplicas": 1},
        {"availableReplicas": 1},
        {"replicas": 3},
        {"observedGeneration": 1},
    ):
        assert not rollout.judge(deployment(**(DONE | change)), []).done, change
    ended = rollout.judge(deployment(**(DONE | {"replicas": 3})), [])
    assert "1 of the old version still ending" in ended.sentence


@pytest.mark.parametrize(
    ("found", "reason", "hopeless", "says"),
    [
        (waiting("ImagePullBackOff", message="no"), "ImagePullBackOff", True, "image a:1"),
        (waiting("ErrImagePull"), "ErrImagePull", False, "cannot be pulled"),
        (waiting("CreateContainerConfigError"), "CreateContainerConfigError", True, "pod p"),
        (
            pod(
                conditions=[
                    {"type": "PodScheduled", "status": "False", "message": "0/1 nodes: cpu"}
                ]
            ),
            "FailedScheduling",
            False,
            "0/1 nodes: cpu",
        ),
        (
            pod(
                containerStatuses=[
                    {
                        "name": "c",
                        "state": {"waiting": {"reason": "CrashLoopBackOff"}},
                        "lastState": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}},
                    }
                ]
            ),
            "CrashLoopBackOff",
            True,
            "OOMKilled, exit code 137",
        ),
    ],
)
def test_what_holds_a_pod_up(found: dict[str, Any], reason: str, hopeless: bool, says: str) -> None:
    verdict = rollout.judge(deployment(), [found])
    assert verdict.trouble is not None
    assert (verdict.trouble.reason, verdict.trouble.hopeless) == (reason, hopeless)
    assert says in verdict.sentence


def test_a_starting_container_is_no_trouble() -> None:
    assert rollout.judge(deployment(), [waiting("ContainerCreating")]).trouble is None


def test_a_failing_probe_is_told_by_its_event() -> None:
    event = {
        "involvedObject": {"name": "p"},
        "reason": "Unhealthy",
        "message": "Readiness probe failed: 503",
    }
    verdict = rollout.judge(deployment(), [pod()], [event])
    assert verdict.trouble is not None
    assert verdict.trouble.reason == "Unhealthy"
    assert "Readiness probe failed: 503" in verdict.sentence
    ready = pod(conditions=[{"type": "Ready", "status": "True"}])
    assert rollout.judge(deployment(), [ready], [event]).trouble is None


def test_a_quota_stops_it() -> None:
    condition = {
        "type": "ReplicaFailure",
        "status": "True",
        "reason": "FailedCreate",
        "message": "exceeded quota: small",
    }
    verdict = rollout.judge(deployment(conditions=[condition]), [])
    assert verdict.trouble is not None
    assert verdict.trouble.hopeless
    assert "exceeded quota: small" in verdict.sentence


def test_other_workloads() -> None:
    daemons = {
        "kind": "DaemonSet",
        "metadata": {},
        "status": {"desiredNumberScheduled": 2, "numberAvailable": 2, "updatedNumberScheduled": 2},
    }
    assert rollout.judge(daemons, []).done
    stateful = {
        "kind": "StatefulSet",
        "metadata": {},
        "spec": {},
        "status": {"replicas": 1, "readyReplicas": 1, "updatedReplicas": 0},
    }
    assert not rollout.judge(stateful, []).done
