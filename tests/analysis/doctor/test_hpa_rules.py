"""Rules about HPAs: each where it is so, and where it only nearly is."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.analysis.doctor.patients import Case, evidence, recording, service
from tests.samples import MI, NOW, cpu_metric, deployment, hpa, pod, replicaset
from tui.analysis.doctor.finding import Severity
from tui.state.fetched import (
    AutoscalerFact,
    AutoscalersFact,
    AutoscalersFetch,
    ReplicasOwner,
    ReplicasOwnersFact,
    ReplicasOwnersFetch,
    Result,
)
from tui.state.links import Health, Source
from tui.state.rows import (
    Condition,
    ContainerRow,
    Kind,
    MetricRow,
    Owner,
    PodRequests,
    PodRow,
    Requirement,
    WorkloadRow,
)

OTHER = Owner("ReplicaSet", "other-1", "uid-other-rs")
MEMORY = MetricRow(type="Resource", name="memory", target=70, current=None)


def other(**more: Any) -> Case:
    """A second Deployment whose pods carry the same label."""
    case = Case()
    case.put(Kind.DEPLOYMENTS, deployment(1, 1, uid="uid-other", name="other"))
    case.put(
        Kind.REPLICASETS,
        WorkloadRow(
            uid="uid-other-rs",
            name="other-1",
            namespace="default",
            kind="ReplicaSet",
            owner=Owner("Deployment", "other", "uid-other"),
        ),
    )
    return case.put(Kind.PODS, pod("other-1-x", age=300, owner=OTHER, **more))


# missing-request


def test_a_container_without_a_request_is_named_with_its_pod() -> None:
    case = Case().put(
        Kind.PODS,
        pod("web-2", age=90, containers=(ContainerRow("fastapi", 100), ContainerRow("side"))),
    )
    found = case.one("missing-request")
    assert found.severity is Severity.ERROR
    assert found.object == "Deployment default/fastapi-deploy"
    assert "Container side" in found.title
    assert evidence(found)[0] == (
        "Pod default/web-2",
        "spec.containers[side].resources.requests.cpu",
        "absent",
    )
    assert found.fix.command == (
        "kubectl -n default set resources deployment/fastapi-deploy -c side --requests=cpu=100m"
    )
    assert found.fix.patch is not None
    assert '"name":"side"' in found.fix.patch.body


def test_memory_is_asked_for_only_where_it_is_measured() -> None:
    bare = (ContainerRow("fastapi", 100),)
    case = Case().put(Kind.PODS, *(pod(n, age=90, containers=bare) for n in ("web-1", "web-2")))
    assert "missing-request" not in case.ids()
    case.put(Kind.HPAS, hpa(2, 2, 3, metrics=(cpu_metric(3), MEMORY)))
    assert "requests no memory" in case.one("missing-request").title


@pytest.mark.parametrize(
    "changes",
    [
        {"deleting": NOW - 1},
        {"whole": PodRequests(cpu=100)},
        {"labels": (("app", "something-else"),)},
    ],
    ids=["being deleted", "requested by the pod as a whole", "another label"],
)
def test_a_request_that_does_not_count_is_not_missing(changes: dict[str, Any]) -> None:
    case = Case().put(
        Kind.PODS, pod("web-3", age=90, containers=(ContainerRow("fastapi"),), **changes)
    )
    assert case.ids() == []


@pytest.mark.parametrize(("phase", "status"), [("Failed", "Evicted"), ("Succeeded", "Completed")])
def test_a_pod_that_has_ended_is_still_asked_what_it_requests(phase: str, status: str) -> None:
    """The controller sums up the requests of all pods that the selector finds."""
    bare = pod("job-1", age=90, containers=(ContainerRow("work"),), phase=phase, status=status)
    found = Case().put(Kind.PODS, bare).one("missing-request")
    assert found.object == "Pod default/job-1"
    assert "Container work of Pod job-1, which has ended, requests no cpu" in found.title
    assert found.fix.command == "kubectl -n default delete pod job-1"
    named = MetricRow(type="ContainerResource", name="cpu", container="fastapi", target=50)
    case = Case().put(Kind.PODS, bare).put(Kind.HPAS, hpa(2, 2, 3, metrics=(named,)))
    assert case.one("container-metric-without-container").object == "Pod default/job-1"


def _completed(count: int, **changes: Any) -> Case:
    fields = {"age": 90, "phase": "Succeeded", "status": "Completed", "ready": False, **changes}
    return Case().put(Kind.PODS, *(pod(f"job-{n}", **fields) for n in range(count)))


def test_completed_pods_hold_the_size_that_they_ask_for_as_busy_ones() -> None:
    found = _completed(3).one("ended-pods-count")
    assert found.severity is Severity.WARNING
    assert found.object == "HorizontalPodAutoscaler default/fastapi-hpa"
    assert found.title == "3 pods that have ended still count for fastapi-hpa"
    assert "it goes down to 6 pods or so" in found.explanation  # 3 at 100 % of a target of 50 %
    assert found.fix.command == "kubectl -n default delete pod job-0"
    few = _completed(1).one("ended-pods-count")
    assert few.severity is Severity.INFO
    assert few.title == "1 pod that has ended still counts for fastapi-hpa"
    assert "goes down to" not in few.explanation  # to 2, which is the minimum
    # With 10 pods of 100m, 150m of 1150m are 13 % of a target of 50 %: 3.4; with 4, 3.8 stay 4.
    half = (ContainerRow("fastapi", 50, None, MI, MI),)
    small = _completed(3, containers=half).one("ended-pods-count")
    assert "it goes down to 4 pods or so" in small.explanation
    amount = MetricRow(type="Resource", name="cpu", target_type="AverageValue", target=70)
    each = _completed(3).put(Kind.HPAS, hpa(2, 2, 3, metrics=(amount,)))
    assert "goes down to 3 pods or so" in each.one("ended-pods-count").explanation


@pytest.mark.parametrize(
    "changes",
    [{"phase": "Failed", "status": "Evicted"}, {"labels": (("app", "job"),)},
     {"containers": (ContainerRow("work"),)}],
    ids=["failed, which is left out", "another label", "told by another rule"],
)  # fmt: skip
def test_what_has_ended_and_does_not_count_is_not_told(changes: dict[str, Any]) -> None:
    assert "ended-pods-count" not in _completed(3, **changes).ids()


def test_a_pod_that_requests_something_else_as_a_whole() -> None:
    case = Case().put(Kind.PODS, pod("web-3", age=90, whole=PodRequests(memory=64 * MI)))
    found = case.one("missing-request")
    assert found.title == "Deployment fastapi-deploy requests no cpu"
    assert evidence(found)[0][1:] == ("spec.resources.requests.cpu", "absent")


def test_a_container_metric_asks_its_container_whatever_the_pod_requests() -> None:
    metric = MetricRow(type="ContainerResource", name="cpu", container="fastapi", target=50)
    case = Case().put(Kind.HPAS, hpa(2, 2, 3, metrics=(metric,)))
    case.put(Kind.PODS, pod("web-3", age=90, whole=PodRequests(memory=64 * MI)))
    assert "missing-request" not in case.ids()
    case.put(Kind.PODS, pod("web-3", age=90, containers=(ContainerRow("fastapi"),)))
    assert "Container fastapi" in case.one("missing-request").title


def test_an_average_value_needs_no_request() -> None:
    metric = MetricRow(type="Resource", name="cpu", target_type="AverageValue", target=100)
    case = Case().put(Kind.HPAS, hpa(2, 2, 3, metrics=(metric,)))
    case.put(Kind.PODS, pod("web-2", age=90, containers=(ContainerRow("fastapi"),)))
    assert "missing-request" not in case.ids()


def test_the_old_pods_of_a_rollout_are_not_held_against_it() -> None:
    """The new revision has the request; the old pods, which lack it, are on their way out."""
    case = Case()
    case.put(Kind.DEPLOYMENTS, deployment(2, 2, revision="2"))
    old = WorkloadRow(
        uid="uid-rs-old",
        name="fastapi-deploy-1",
        namespace="default",
        kind="ReplicaSet",
        revision="1",
        owner=Owner("Deployment", "fastapi-deploy", "uid-deploy"),
    )
    case.put(Kind.REPLICASETS, old)
    without = pod(
        "web-0",
        age=9000,
        owner=Owner("ReplicaSet", "fastapi-deploy-1", "uid-rs-old"),
        containers=(ContainerRow("fastapi"),),
    )
    case.put(Kind.PODS, without)
    assert case.ids() == []
    case.put(Kind.DEPLOYMENTS, deployment(2, 2, revision="1"))
    assert case.ids() == ["missing-request"]


def test_the_controllers_word_counts_where_the_target_cannot_be_read() -> None:
    case = recording("hpa-cases/assorted/after-75s", "after-scale-down")
    found = case.one("missing-request")
    assert found.object == "Pod default/no-request-5d4cdcf68-wt7xl"


# shared-selector, service-mixed-workloads


def test_pods_of_another_workload_under_the_selector() -> None:
    found = other().one("shared-selector")
    assert "Deployment other" in found.title
    assert ("Deployment default/other", "metadata.labels", "app=fastapi on 1 pod") in evidence(
        found
    )
    mixed = other().one("service-mixed-workloads")
    assert mixed.severity is Severity.WARNING
    assert ("Deployment default/other", "pods", "1 pod, 33 % of all") in evidence(mixed)


@pytest.mark.parametrize(
    "changes",
    [{"deleting": NOW - 1}, {"phase": "Succeeded"}, {"labels": (("app", "other"),)}],
    ids=["being deleted", "ended", "another label"],
)
def test_pods_that_do_not_count_are_no_strangers(changes: dict[str, Any]) -> None:
    assert other(**changes).ids() == []


def test_two_replicasets_of_one_deployment_are_one_workload() -> None:
    case = Case()
    second = WorkloadRow(
        uid="uid-rs-2",
        name="fastapi-deploy-2",
        namespace="default",
        kind="ReplicaSet",
        owner=Owner("Deployment", "fastapi-deploy", "uid-deploy"),
    )
    case.put(Kind.REPLICASETS, second)
    owner = Owner("ReplicaSet", "fastapi-deploy-2", "uid-rs-2")
    assert case.put(Kind.PODS, pod("web-3", age=5, owner=owner)).ids() == []


def test_an_owner_that_may_not_be_read_is_no_stranger() -> None:
    case = Case()
    owner = Owner("ReplicaSet", "unseen", "uid-unseen")
    case.put(Kind.PODS, pod("web-3", age=5, owner=owner))
    assert case.ids() == []
    case.link(Kind.REPLICASETS, Health.FORBIDDEN)
    case.store.retain(Kind.REPLICASETS, [])
    assert case.ids() == []


def test_a_service_over_two_workloads_without_an_hpa_is_only_noted() -> None:
    case = other()
    case.store.retain(Kind.HPAS, [])
    assert case.one("service-mixed-workloads").severity is Severity.INFO


def test_a_service_for_one_of_two_is_fine() -> None:
    case = other(labels=(("app", "fastapi"), ("tier", "b")))
    case.put(Kind.SERVICES, service(selector=(("app", "fastapi"), ("tier", "b"))))
    assert "service-mixed-workloads" not in case.ids()


# several-hpas


def test_two_hpas_on_one_target() -> None:
    case = Case().put(Kind.HPAS, hpa(2, 2, 3, uid="uid-2", name="second", created=NOW - 60))
    found = case.one("several-hpas")
    assert found.object == "Deployment default/fastapi-deploy"
    assert found.fix.command == "kubectl -n default delete hpa second"


def test_hpas_of_two_namespaces_on_workloads_of_one_name() -> None:
    case = Case().put(Kind.HPAS, hpa(2, 2, 3, uid="uid-2", namespace="other", name="second"))
    case.put(Kind.DEPLOYMENTS, deployment(2, 2, uid="uid-d2", namespace="other"))
    assert case.ids() == []


def test_hpas_that_select_the_same_pods_by_the_controllers_word() -> None:
    case = recording("hpa-cases/ambiguous-selector/while-ambiguous", "after-scale-down")
    found = [f for f in case.findings() if f.id == "several-hpas"]
    assert [f.object for f in found] == [
        "HorizontalPodAutoscaler default/amb-a",
        "HorizontalPodAutoscaler default/amb-b",
    ]


# hpa-with-vpa


def _vpa(mode: str = "Auto", *resources: str, target: str = "fastapi-deploy") -> Case:
    vpa = AutoscalerFact("vpa", "Deployment", target, mode, resources or ("cpu", "memory"))
    return Case().fetched(AutoscalersFetch("default"), AutoscalersFact((vpa,)))


def test_a_vpa_on_the_resource_that_the_hpa_measures() -> None:
    found = _vpa().one("hpa-with-vpa")
    assert "both act on cpu" in found.title
    assert ("VerticalPodAutoscaler default/vpa", "spec.updatePolicy.updateMode", "Auto") in (
        evidence(found)
    )


@pytest.mark.parametrize(
    "case",
    [
        _vpa("Off"),
        _vpa("Auto", "memory"),
        _vpa(target="another"),
        Case().fetched(AutoscalersFetch("default"), None, Result.ABSENT),
        Case().fetched(AutoscalersFetch("default"), None, Result.FORBIDDEN),
    ],
    ids=["only recommends", "another resource", "another target", "not installed", "forbidden"],
)
def test_a_vpa_that_does_not_interfere(case: Case) -> None:
    assert case.ids() == []
    assert AutoscalersFetch("default") in case.wants()


# target-missing


def test_a_target_that_does_not_exist() -> None:
    gone = (Condition("AbleToScale", "False", "FailedGetScale", "not found"),)
    case = Case().put(Kind.HPAS, hpa(None, 0, None, target_name="gone", conditions=gone))
    found = case.one("target-missing")
    assert ("Deployment default/gone", "exists", "no") in evidence(found)


def test_the_recorded_missing_targets() -> None:
    case = recording("hpa-cases/assorted/after-75s", "after-scale-down")
    missing = {f.object: f.title for f in case.findings() if f.id == "target-missing"}
    assert missing == {
        "HorizontalPodAutoscaler default/missing-target":
            "missing-target scales Deployment no-such-deployment, which does not exist",
        "HorizontalPodAutoscaler default/bad-kind":
            'bad-kind cannot scale Gadget x: no matches for kind "Gadget" in group "apps"',
    }  # fmt: skip


def test_a_target_of_the_same_kind_in_another_group() -> None:
    """It may well be there: only the controller knows."""
    row = hpa(2, 2, 3, target_kind="StatefulSet.apps.kruise.io", target_name="db")
    assert "target-missing" not in Case().put(Kind.HPAS, row).ids()
    message = 'statefulsets.apps.kruise.io "db" not found'
    gone = (Condition("AbleToScale", "False", "FailedGetScale", message),)
    case = Case().put(Kind.HPAS, msgspec.structs.replace(row, conditions=gone))
    found = case.one("target-missing")
    assert found.title.endswith(message)
    assert ("StatefulSet.apps.kruise.io default/db", "exists", "no") not in evidence(found)
    assert "get statefulset.apps.kruise.io db" in found.fix.command


@pytest.mark.parametrize("health", [Health.CONNECTING, Health.FORBIDDEN])
def test_a_target_that_is_not_known_is_not_missing(health: Health) -> None:
    case = Case().link(Kind.DEPLOYMENTS, health)
    case.store.retain(Kind.DEPLOYMENTS, [])
    assert "target-missing" not in case.ids()


def test_an_hpa_may_be_there_before_its_target() -> None:
    case = Case().put(Kind.HPAS, hpa(None, 0, None, target_name="later", created=NOW - 5))
    assert "target-missing" not in case.ids()
    case.put(Kind.HPAS, hpa(None, 0, None, target_name="later", created=NOW - 60, conditions=()))
    assert "target-missing" in case.ids()


def test_what_the_controller_finds_is_not_missing() -> None:
    """Our list may be late, or the target has been deleted this very moment."""
    case = Case()
    case.store.retain(Kind.DEPLOYMENTS, [])
    assert "target-missing" not in case.ids()


# replicas-owned


OWNERS = ReplicasOwnersFetch("Deployment", "default", "fastapi-deploy")


def _owned(manager: str, operation: str = "Update", at: float | None = NOW - 4000) -> Case:
    fact = ReplicasOwnersFact((ReplicasOwner(manager, operation, at),))
    return Case().fetched(OWNERS, fact)


@pytest.mark.parametrize(
    ("manager", "tool"),
    [("argocd-controller", "Argo CD"), ("helm", "Helm"), ("kustomize-controller", "Flux")],
)
def test_a_tool_that_keeps_replicas_like_its_manifests(manager: str, tool: str) -> None:
    found = _owned(manager).one("replicas-owned")
    assert found.severity is Severity.WARNING
    assert found.title.startswith(f"{tool} and fastapi-hpa")


def test_kubectl_that_has_undone_what_the_hpa_chose() -> None:
    case = _owned("kubectl-client-side-apply", at=NOW - 10)
    case.put(Kind.HPAS, hpa(2, 2, 3, last_scale=NOW - 60))
    found = case.one("replicas-owned")
    assert found.severity is Severity.WARNING
    assert "has undone" in found.title


def test_a_manifest_that_would_undo_it_is_advice() -> None:
    found = _owned("kubectl-client-side-apply").one("replicas-owned")
    assert found.severity is Severity.ADVICE
    kept = Case().fetched(OWNERS, ReplicasOwnersFact(applied=True))
    assert kept.one("replicas-owned").severity is Severity.ADVICE


@pytest.mark.parametrize("manager", ["kube-controller-manager", "kscale-tui"])
def test_the_hpa_itself_may_own_replicas(manager: str) -> None:
    assert "replicas-owned" not in _owned(manager).ids(advice=True)


def test_what_was_created_and_never_applied_is_set_back_by_nobody() -> None:
    assert "replicas-owned" not in _owned("kubectl-create").ids(advice=True)
    saved = ReplicasOwnersFact((ReplicasOwner("kubectl-create", "Update"),), applied=True)
    found = Case().fetched(OWNERS, saved).one("replicas-owned")  # with --save-config
    assert found.severity is Severity.ADVICE


# no-readiness-probe


def test_a_target_without_a_readiness_probe_is_advised_one() -> None:
    found = Case().one("no-readiness-probe")
    assert found.severity is Severity.ADVICE
    assert found.object == "Deployment default/fastapi-deploy"


def test_a_target_that_gets_no_requests_needs_no_probe() -> None:
    case = Case().put(Kind.SERVICES, service(selector=(("app", "other"),)))
    assert case.ids(advice=True) == []


def test_a_probe_is_seen() -> None:
    probed = (ContainerRow("fastapi", 100, 500, MI, MI, probed=True),)
    case = Case().put(Kind.PODS, *(pod(n, age=90, containers=probed) for n in ("web-1", "web-2")))
    assert case.ids(advice=True) == []


def test_the_scaled_pods_are_those_of_the_selector() -> None:
    """Whatever expressions it is made of."""
    case = Case()
    terms = (Requirement("app", "In", ("fastapi", "x")), Requirement("old", "DoesNotExist"))
    case.put(Kind.DEPLOYMENTS, deployment(2, 2, selector=terms))
    (one,) = case.patient.scaled
    names = [p.name for crew in one.own for p in crew.pods]
    assert names == ["web-1", "web-2"]
    assert isinstance(one.crews[0].first, PodRow)
    assert replicaset(2).uid == "uid-rs"


# metrics-unreadable, and what the controller alone has met


def _failing(reason: str, message: str, since: float | None = NOW - 300) -> Case:
    active = Condition("ScalingActive", "False", reason, message, since)
    able = Condition("AbleToScale", "True", "SucceededGetScale")
    return Case().put(Kind.HPAS, hpa(2, 0, None, conditions=(able, active)))


def test_a_metric_that_nobody_serves() -> None:
    case = recording("hpa-cases/assorted/after-75s", "after-scale-down")
    case.clock.now += 120
    assert "HorizontalPodAutoscaler default/custom-metric" in [
        f.object for f in case.findings() if f.id == "metrics-unreadable"
    ]


NO_SAMPLES = "no metrics returned from resource metrics API"


@pytest.mark.parametrize(
    ("pods", "ready", "title"),
    [
        ([], 0, "fastapi-hpa has nothing to measure: fastapi-deploy has no pod"),
        (
            [pod("web-1", age=4000, ready=False), pod("web-2", age=4000, ready=False)],
            0,
            "fastapi-hpa has nothing to measure: fastapi-deploy has 2 pods, none of them Ready",
        ),
        ([pod("web-1", age=4000)], 1, "fastapi-hpa cannot work: cannot read resource metrics"),
    ],
    ids=["none", "none ready", "one ready"],
)
def test_without_a_pod_that_runs_it_is_not_the_metric_that_lacks(
    pods: list[PodRow], ready: int, title: str
) -> None:
    case = _failing("FailedGetResourceMetric", NO_SAMPLES)
    case.store.retain(Kind.PODS, [])
    case.put(Kind.PODS, *pods).put(Kind.DEPLOYMENTS, deployment(2, ready))
    assert case.one("metrics-unreadable").title == title


def test_pods_that_are_refused_are_told_of_once() -> None:
    case = _failing("FailedGetResourceMetric", NO_SAMPLES)
    case.store.retain(Kind.PODS, [])
    failure = Condition("ReplicaFailure", "True", "FailedCreate", "exceeded quota: q", NOW - 99)
    row = msgspec.structs.replace(replicaset(2), current=0, failure=failure)
    case.put(Kind.REPLICASETS, row)
    case.put(Kind.DEPLOYMENTS, deployment(2, 0, current=0))
    assert case.ids() == ["pods-refused"]


@pytest.mark.parametrize(
    ("reason", "message", "since"),
    [
        ("FailedGetPodsMetric", "no such metric", NOW - 45),
        ("FailedGetPodsMetric", "no such metric", None),
        ("ScalingDisabled", "scaling is disabled", NOW - 300),
    ],
    ids=["warming up", "since nobody knows when", "switched off"],
)
def test_an_hpa_without_figures_for_good_reason(
    reason: str, message: str, since: float | None
) -> None:
    assert _failing(reason, message, since).ids() == []


def test_while_the_metrics_api_is_down_that_is_the_fault() -> None:
    case = _failing("FailedGetResourceMetric", "unable to fetch metrics")
    case.link(Source.POD_METRICS, Health.ABSENT)
    assert case.ids() == ["metrics-api-absent"]


_LACKS = "missing request for cpu in container side of Pod {}"


def test_a_pod_as_a_whole_that_only_the_controller_has_met() -> None:
    said = "missing pod-level request for cpu in Pod unseen-1"
    found = _failing("FailedGetResourceMetric", said).one("missing-request")
    assert found.title == "Pod unseen-1 requests no cpu"


def test_a_pod_that_only_the_controller_has_met() -> None:
    case = _failing("FailedGetResourceMetric", _LACKS.format("unseen-1"))
    assert case.one("missing-request").object == "Pod default/unseen-1"


@pytest.mark.parametrize(
    ("pod_name", "since"), [("web-1", NOW - 300), ("unseen-1", NOW - 20)], ids=["mended", "gone"]
)
def test_a_pod_that_was_at_fault_a_moment_ago(pod_name: str, since: float) -> None:
    assert _failing("FailedGetResourceMetric", _LACKS.format(pod_name), since).ids() == []
