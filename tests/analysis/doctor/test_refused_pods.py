"""Pods that the API server refuses to create, and what then is not said."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.analysis.doctor.patients import Case, evidence
from tests.samples import NOW, conditions, deployment, hpa, replicaset
from tui.analysis.doctor.finding import Severity
from tui.state.links import Health
from tui.state.rows import Condition, EventRow, Kind, WorkloadRow

QUOTA = (
    'pods "fastapi-deploy-66b8c95455-abcde" is forbidden: exceeded quota: team-quota, requested: '
    "requests.cpu=100m, used: requests.cpu=600m, limited: requests.cpu=600m"
)
AT_MAX = hpa(10, 10, 160, conditions=conditions("TooManyReplicas"))


def _failure(message: str = QUOTA, since: float = NOW - 60, reason: str = "FailedCreate") -> Any:
    return Condition("ReplicaFailure", "True", reason, message, since)


def _case(there: int = 6, failure: Condition | None = None) -> Case:
    """A Deployment of ten pods, of which some are there."""
    rs = msgspec.structs.replace(
        replicaset(10), current=there, ready=there, failure=failure or _failure()
    )
    case = Case().put(Kind.REPLICASETS, rs)
    case.put(Kind.DEPLOYMENTS, deployment(10, there, current=there, updated=there))
    return case.put(Kind.HPAS, hpa(10, 10, 50))


def _event(about: WorkloadRow, reason: str, message: str, **more: Any) -> EventRow:
    fields: dict[str, Any] = {
        "uid": f"uid-{reason}",
        "name": reason,
        "namespace": "default",
        "created": NOW - 300,
        "type": "Warning",
        "reason": reason,
        "message": message,
        "count": 178,
        "last_seen": NOW - 5,
        "about_kind": about.kind,
        "about_name": about.name,
        "about_uid": about.uid,
    }
    return EventRow(**{**fields, **more})


def test_pods_over_a_quota_are_found_with_the_servers_words() -> None:
    case = _case().put(Kind.EVENTS, _event(replicaset(10), "FailedCreate", QUOTA))
    found = case.one("pods-refused")
    assert found.severity is Severity.WARNING
    assert found.object == "Deployment default/fastapi-deploy"
    assert found.title == (
        "4 of 10 pods of fastapi-deploy cannot be created: the quota team-quota is used up"
    )
    assert "6 of 10 pods are there, whatever fastapi-hpa asks for" in found.explanation
    said = evidence(found)
    assert (found.object, "status.replicas of spec.replicas", "6 of 10") in said
    rs = "ReplicaSet default/fastapi-deploy-66b8c95455"
    assert (rs, "status.conditions[ReplicaFailure]", QUOTA) in said
    assert any(value.startswith("FailedCreate ×178, last at") for _, _, value in said)
    assert found.fix.command == "kubectl -n default describe resourcequota team-quota"
    assert found.fix.by_hand


def test_what_is_not_created_at_all_does_not_work() -> None:
    assert _case(there=0).one("pods-refused").severity is Severity.ERROR


@pytest.mark.parametrize(
    ("said", "title", "command"),
    [
        (
            "failed quota: q: must specify limits.cpu for: app",
            "the quota q wants requests or limits",
            "-n default describe resourcequota q",
        ),
        (
            "[maximum cpu usage per Container is 1, but limit is 2, maximum memory usage per "
            "Container is 1Gi, but limit is 2Gi]",
            "a LimitRange does not allow",
            "-n default describe limitrange",
        ),
        (
            'violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false',
            "the namespace's Pod Security level restricted:latest forbids them",
            "get namespace default --show-labels",
        ),
        (
            'error looking up service account default/web: serviceaccount "web" not found',
            "the service account web does not exist",
            "-n default get serviceaccounts",
        ),
        (
            'admission webhook "images.example.com" denied the request: no such registry',
            "the admission webhook images.example.com refuses them",
            "get validatingwebhookconfigurations,mutatingwebhookconfigurations",
        ),
        (
            'Internal error occurred: failed calling webhook "x.example.com": failed to call '
            'webhook: Post "https://x.default.svc:443/?timeout=10s": connection refused',
            "the admission webhook x.example.com does not answer",
            "get validatingwebhookconfigurations,mutatingwebhookconfigurations",
        ),
        (
            "ValidatingAdmissionPolicy 'few' with binding 'few-b' denied request: too many",
            "the policy few refuses them",
            "describe validatingadmissionpolicy few",
        ),
        (
            "no PriorityClass with name nope was found",
            "the API server refuses them",
            "-n default describe replicaset fastapi-deploy-66b8c95455",
        ),
    ],
)
def test_each_reason_has_its_words_and_its_command(said: str, title: str, command: str) -> None:
    message = f'pods "fastapi-deploy-66b8c95455-abcde" is forbidden: {said}'
    found = _case(failure=_failure(message)).one("pods-refused")
    assert title in found.title
    assert found.fix.command == f"kubectl {command}"


@pytest.mark.parametrize(
    "failure",
    [_failure(since=NOW - 3), _failure(reason="FailedDelete")],
    ids=["this very moment", "pods that cannot be deleted"],
)
def test_what_may_be_over_in_a_moment_is_no_finding(failure: Condition) -> None:
    assert "pods-refused" not in _case(failure=failure).ids()


def test_a_failure_that_is_remembered_with_all_pods_there_is_over() -> None:
    assert "pods-refused" not in _case(there=10).ids()


def test_a_rollout_that_gets_no_new_pods_tells_their_number() -> None:
    case = _case(there=10)
    new = msgspec.structs.replace(
        replicaset(3), uid="uid-new", name="fastapi-deploy-new", current=0, failure=_failure()
    )
    found = case.put(Kind.REPLICASETS, new).one("pods-refused")
    assert found.title.startswith("3 of 3 pods of fastapi-deploy cannot be created")
    assert found.severity is Severity.WARNING
    assert evidence(found)[0] == (
        "ReplicaSet default/fastapi-deploy-new", "status.replicas of spec.replicas", "0 of 3",
    )  # fmt: skip


def test_the_deployments_own_condition_is_enough() -> None:
    """Without a right to list ReplicaSets."""
    case = _case().link(Kind.REPLICASETS, Health.FORBIDDEN)
    case.put(Kind.DEPLOYMENTS, deployment(10, 6, current=6, failure=_failure()))
    found = case.one("pods-refused")
    assert ("Deployment default/fastapi-deploy", "status.conditions[ReplicaFailure]", QUOTA) in (
        evidence(found)
    )


def _stateful(*events: tuple[str, dict[str, Any]]) -> Case:
    row = WorkloadRow(
        uid="uid-sts", name="db", namespace="default", kind="StatefulSet", replicas=3, current=1
    )
    message = f"create Pod db-1 in StatefulSet db failed error: {QUOTA}"
    case = Case().put(Kind.STATEFULSETS, row)
    return case.put(Kind.EVENTS, *(_event(row, reason, message, **more) for reason, more in events))


def test_of_a_statefulset_its_events_tell() -> None:
    found = _stateful(("FailedCreate", {})).one("pods-refused")
    assert found.title.startswith("2 of 3 pods of db cannot be created: the quota team-quota")


@pytest.mark.parametrize(
    "events",
    [
        [("FailedCreate", {"last_seen": NOW - 3600})],
        [("FailedCreate", {"created": NOW - 3})],
        [("FailedCreate", {}), ("SuccessfulCreate", {"last_seen": NOW - 1})],
    ],
    ids=["long ago", "this very moment", "one has been created since"],
)
def test_what_has_been_a_while_ago_need_not_be_so_now(
    events: list[tuple[str, dict[str, Any]]],
) -> None:
    assert "pods-refused" not in _stateful(*events).ids()


# at-max tells of pods that are there.


def test_what_is_refused_its_pods_is_not_held_back_by_its_maximum() -> None:
    case = _case().put(Kind.HPAS, AT_MAX)
    assert "at-max" not in case.ids()
    assert "pods-refused" in case.ids()


def test_at_the_maximum_with_pods_that_do_not_serve_says_how_many_do() -> None:
    case = _case(there=10).put(Kind.DEPLOYMENTS, deployment(10, 8)).put(Kind.HPAS, AT_MAX)
    found = case.one("at-max")
    assert "All 10 pods that it may have are there, 8 of them Ready" in found.explanation
    assert "about 26 pods" in found.explanation


def test_few_pods_that_serve_are_no_reason_for_more_than_the_maximum() -> None:
    """Three pods at 160 % have work for ten, at most."""
    case = _case(there=10).put(Kind.DEPLOYMENTS, deployment(10, 3)).put(Kind.HPAS, AT_MAX)
    assert "at-max" not in case.ids()
