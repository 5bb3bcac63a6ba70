from __future__ import annotations

from dataclasses import replace

import pytest

from tests.analysis.hpa_samples import (
    CPU,
    NOW,
    emitted,
    inputs,
    pod,
    reasons,
    remembered,
    spec,
    sync,
    used,
)
from tui.analysis import hpa

REQUESTS = hpa.MetricSpec("Pods", "requests", target_type="AverageValue", average_value=10_000)
MEMORY = hpa.MetricSpec("Resource", "memory", target_type="AverageValue", average_value=64_000)


def at(outcome: hpa.Outcome, type_: str) -> hpa.Condition:
    found = outcome.status.condition(type_)
    assert found is not None
    return found


# -- before any metric is read


def test_a_target_that_is_missing_leaves_all_but_the_condition() -> None:
    before = hpa.Status(
        3, 4, NOW - 60, conditions=(hpa.Condition("ScalingActive", "True", "", ""),)
    )
    missing = hpa.Unavailable('deployments.apps "web" not found')
    outcome = sync(spec(), hpa.Inputs(missing, status=before))
    assert outcome.scale_to is None
    assert replace(outcome.status, conditions=()) == replace(before, conditions=())
    assert reasons(outcome)["AbleToScale"] == ("False", "FailedGetScale")
    assert at(outcome, "AbleToScale").message == (
        "the HPA controller was unable to get the target's current scale: "
        'deployments.apps "web" not found'
    )
    assert emitted(outcome) == [("Warning", "FailedGetScale", missing.error)]
    assert outcome.memory == hpa.NOTHING_REMEMBERED


def test_zero_replicas_turn_scaling_off() -> None:
    outcome = sync(spec(), inputs(replicas=0))
    assert (outcome.scale_to, outcome.status.desired_replicas) == (None, 0)
    assert reasons(outcome) == {
        "AbleToScale": ("True", "SucceededGetScale"),
        "ScalingActive": ("False", "ScalingDisabled"),
    }
    assert outcome.status.current_metrics == ()
    assert outcome.events == ()


@pytest.mark.parametrize(
    ("replicas", "minimum", "target", "word"),
    [(12, 1, 10, "above Spec.MaxReplicas"), (2, 3, 3, "below Spec.MinReplicas")],
)
def test_outside_min_and_max_it_clamps_without_reading_metrics(
    replicas: int, minimum: int, target: int, word: str
) -> None:
    unreadable = replace(inputs(replicas=replicas), usage=hpa.Unavailable("down"))
    outcome = sync(spec(min_replicas=minimum), unreadable)
    assert outcome.scale_to == target
    assert outcome.decision.metrics == ()
    assert outcome.status.current_metrics == ()
    assert reasons(outcome) == {"AbleToScale": ("True", "SucceededRescale")}
    assert outcome.status.last_scale_time == NOW
    text = f"New size: {target}; reason: Current number of replicas {word}"
    assert emitted(outcome) == [("Normal", "SuccessfulRescale", text)]


def test_no_minimum_counts_as_one() -> None:
    outcome = sync(spec(min_replicas=None), inputs(0, 0), remembered((1, 400)))
    assert outcome.decision.minimum == 1
    assert outcome.scale_to == 1


@pytest.mark.parametrize(
    ("selector", "error", "reason", "event", "message"),
    [
        (
            "",
            "",
            "InvalidSelector",
            ("Warning", "SelectorRequired", "selector is required"),
            "the HPA target's scale is missing a selector",
        ),
        (
            "a in (",
            "unexpected end",
            "InvalidSelector",
            (
                "Warning",
                "InvalidSelector",
                "couldn't convert selector into a corresponding internal selector object: "
                "unexpected end",
            ),
            "couldn't convert selector into a corresponding internal selector object: "
            "unexpected end",
        ),
    ],
)
def test_a_selector_that_says_nothing(
    selector: str, error: str, reason: str, event: tuple[str, str, str], message: str
) -> None:
    scale = hpa.Scale(2, 2, selector, error)
    outcome = sync(spec(), replace(inputs(80, 80), scale=scale, status=hpa.Status(0, 7)))
    assert reasons(outcome)["ScalingActive"] == ("False", reason)
    assert at(outcome, "ScalingActive").message == message
    failed = ("Warning", "FailedComputeMetricsReplicas", event[2])
    assert emitted(outcome) == [event, failed]
    assert (outcome.status.current_replicas, outcome.status.desired_replicas) == (2, 7)


def test_two_hpas_on_one_set_of_pods() -> None:
    both = replace(inputs(80, 80), selecting_hpas=("default/a", "default/b"))
    outcome = sync(spec(), both)
    text = "pods by selector app=web are controlled by multiple HPAs: [default/a default/b]"
    assert reasons(outcome)["ScalingActive"] == ("False", "AmbiguousSelector")
    assert emitted(outcome) == [
        ("Warning", "AmbiguousSelector", text),
        ("Warning", "FailedComputeMetricsReplicas", text),
    ]


# -- the arithmetic, step by step


def test_every_step_of_a_scale_up_is_kept() -> None:
    outcome = sync(spec(), inputs(80, 94))
    decision = outcome.decision
    assert decision.chosen is not None
    found = decision.chosen.calculation
    assert found is not None
    assert found.measured == hpa.Measure(
        usage=174, average=87, target=50, ratio=1.74, pods=2, requests=200, utilization=87
    )
    assert found.verdict is hpa.Verdict.SCALED
    assert found.groups == hpa.PodGroups(ready=2)
    assert dict(found.usage) == {"web-0": 80, "web-1": 94}
    assert dict(found.requests) == {"web-0": 100, "web-1": 100}
    assert decision.recommended == 4
    assert decision.normalization is not None
    assert decision.normalization.rate is not None
    assert decision.normalization.rate.limit == 4
    assert outcome.scale_to == 4
    text = "New size: 4; reason: cpu resource utilization (percentage of request) above target"
    assert emitted(outcome) == [("Normal", "SuccessfulRescale", text)]
    assert outcome.status.current_metrics == (
        hpa.MetricStatus("Resource", "cpu", average_utilization=87, average_value=87),
    )
    assert reasons(outcome) == {
        "AbleToScale": ("True", "SucceededRescale"),
        "ScalingActive": ("True", "ValidMetricFound"),
        "ScalingLimited": ("False", "DesiredWithinRange"),
    }


def test_the_percentage_is_a_ratio_of_sums_and_truncated() -> None:
    big = pod("web-1", request=900)
    outcome = sync(
        spec(),
        replace(
            inputs(100, 9), pods=(pod("web-0"), big), usage=(used("web-0", 100), used("web-1", 9))
        ),
    )
    found = outcome.decision.metrics[0].calculation
    assert found is not None
    assert found.measured.utilization == 10  # 109 of 1000; the mean of percentages would be 50


@pytest.mark.parametrize(("cpu", "same"), [(45, True), (55, True), (44, False), (56, False)])
def test_the_tolerance_is_a_tenth_and_inclusive(cpu: int, same: bool) -> None:
    outcome = sync(spec(), inputs(*[cpu] * 10, replicas=10), remembered((10, 400)))
    recommended = outcome.decision.recommended
    assert (recommended == 10) is same


def test_each_direction_may_have_its_own_tolerance() -> None:
    rules = hpa.Behavior(hpa.ScalingRules(tolerance=0.5), hpa.ScalingRules(tolerance=0.0))
    assert hpa.tolerances(spec(behavior=rules)) == hpa.Tolerances(up=0.5, down=0.0)
    assert sync(spec(behavior=rules), inputs(74, 74)).decision.recommended == 2
    assert sync(spec(behavior=rules), inputs(76, 76)).decision.recommended == 4
    down = sync(spec(behavior=rules), inputs(*[49] * 100, replicas=10))
    assert down.decision.recommended == 98


def test_pods_that_are_deleted_or_failed_do_not_count() -> None:
    gone = pod("gone", deleting=True)
    failed = pod("failed", phase="Failed")
    with_them = inputs(80, 80)
    outcome = sync(
        spec(),
        replace(
            with_them,
            pods=(*with_them.pods, gone, failed),
            usage=(*with_them.usage, used("gone", 1000), used("failed", 1000)),
        ),
    )
    found = outcome.decision.metrics[0].calculation
    assert found is not None
    assert found.groups is not None
    assert found.groups.ignored == ("gone", "failed")
    assert found.measured.utilization == 80


@pytest.mark.parametrize(
    ("changes", "age", "reason"),
    [
        ({"phase": "Pending"}, 5, hpa.Unready.PENDING),
        ({"ready": None}, 5, hpa.Unready.NO_READY_CONDITION),
        ({"started": None}, 5, hpa.Unready.NO_READY_CONDITION),
        (
            {"ready": "False", "started": NOW - 200, "ready_since": NOW - 190},
            5,
            hpa.Unready.NOT_READY,
        ),
        ({"started": NOW - 200, "ready_since": NOW - 19}, 5, hpa.Unready.SAMPLE_TOO_OLD),
        ({"started": NOW - 200, "ready_since": NOW - 20}, 5, None),
        (
            {"ready": "False", "started": NOW - 900, "ready_since": NOW - 880},
            5,
            hpa.Unready.NEVER_READY,
        ),
        ({"ready": "False", "started": NOW - 900, "ready_since": NOW - 800}, 5, None),
        ({"started": NOW - 300, "ready_since": NOW}, 5, None),
    ],
)
def test_which_samples_of_cpu_count(
    changes: dict[str, object], age: float, reason: hpa.Unready | None
) -> None:
    odd = pod("web-1", **changes)
    given = replace(inputs(80, 80), pods=(pod("web-0"), odd))
    found = sync(spec(), given).decision.metrics[0].calculation
    assert found is not None
    assert found.groups is not None
    assert found.groups.unready.get("web-1") is reason
    assert found.groups.ready == (2 if reason is None else 1)


def test_readiness_matters_for_cpu_alone() -> None:
    metric = hpa.MetricSpec("Resource", "memory", average_utilization=50)
    never = hpa.PodInput(
        "web-0", "Running", None, containers=(hpa.ContainerInput("app", {"memory": 100}),)
    )
    sample = hpa.PodUsage("web-0", NOW, 15.0, (hpa.ContainerUsage("app", {"memory": 80}),))
    given = replace(inputs(0), pods=(never,), usage=(sample,))
    assert sync(spec(metric), given).decision.recommended == 2


def test_unready_pods_hold_a_scale_up_back() -> None:
    starting = pod("web-1", ready="False", started=NOW - 5, ready_since=NOW - 5)
    given = replace(inputs(90, 0), pods=(pod("web-0"), starting))
    found = sync(spec(), given).decision.metrics[0].calculation
    assert found is not None
    assert dict(found.assumed) == {"web-1": 0}
    assert found.measured.utilization == 90
    assert found.corrected is not None
    assert found.corrected.utilization == 45
    assert found.replicas == 2
    assert found.verdict is hpa.Verdict.CORRECTED_WITHIN_TOLERANCE


def test_missing_pods_count_as_busy_when_scaling_down() -> None:
    given = replace(inputs(10, 10, 10, 10), usage=(used("web-0", 10), used("web-1", 10)))
    found = sync(spec(), given).decision.metrics[0].calculation
    assert found is not None
    assert dict(found.assumed) == {"web-2": 100, "web-3": 100}
    assert found.verdict is hpa.Verdict.CORRECTED_WITHIN_TOLERANCE  # 220 of 400 is 55 %
    busier = hpa.MetricSpec("Resource", "cpu", average_utilization=250)
    found = sync(spec(busier), given).decision.metrics[0].calculation
    assert found is not None
    assert dict(found.assumed) == {"web-2": 250, "web-3": 250}


def test_a_correction_never_turns_the_direction_round() -> None:
    missing = replace(
        inputs(40, 40, 40, 40, 40),
        usage=(used("web-0", 40), used("web-1", 40)),
    )
    found = sync(spec(), missing).decision.metrics[0].calculation
    assert found is not None
    assert found.corrected is not None
    assert (found.measured.ratio, found.corrected.ratio) == (0.8, 1.52)
    assert found.verdict is hpa.Verdict.CORRECTION_REVERSES
    assert found.replicas == 5


def test_a_request_is_needed_on_every_container() -> None:
    sidecar = hpa.ContainerInput("log", {"memory": 5})
    odd = replace(pod("web-1"), containers=(*pod("x").containers, sidecar))
    given = replace(inputs(80, 80), pods=(pod("web-0"), odd))
    outcome = sync(spec(), given)
    cause = "failed to get cpu utilization: missing request for cpu in container log of Pod web-1"
    assert at(outcome, "ScalingActive").message == (
        f"the HPA was unable to compute the replica count: {cause}"
    )
    assert emitted(outcome) == [
        ("Warning", "FailedGetResourceMetric", cause),
        (
            "Warning",
            "FailedComputeMetricsReplicas",
            "invalid metrics (1 invalid out of 1), first error is: "
            f"failed to get cpu resource metric value: {cause}",
        ),
    ]
    assert outcome.status.current_metrics == (hpa.MetricStatus(),)
    assert outcome.decision.metrics[0].groups == hpa.PodGroups(ready=2)


def test_requests_of_the_pod_as_a_whole_stand_for_its_containers() -> None:
    whole = pod("web-0", request=None, pod_requests={"cpu": 400})
    given = replace(inputs(80), pods=(whole,))
    found = sync(spec(), given).decision.metrics[0]
    assert found.status.average_utilization == 20
    no_cpu = replace(given, pods=(replace(whole, pod_requests={"memory": 1}),))
    assert sync(spec(), no_cpu).decision.metrics[0].cause == (
        "failed to get cpu utilization: missing pod-level request for cpu in Pod web-0"
    )


def test_a_container_metric_looks_at_that_container_alone() -> None:
    metric = hpa.MetricSpec("ContainerResource", "cpu", "app", average_utilization=50)
    both = replace(pod("web-0"), containers=(*pod("x").containers, hpa.ContainerInput("log")))
    sample = hpa.PodUsage(
        "web-0",
        NOW - 5,
        15.0,
        (hpa.ContainerUsage("log", {"cpu": 900}), hpa.ContainerUsage("app", {"cpu": 80})),
    )
    outcome = sync(spec(metric), replace(inputs(0), pods=(both,), usage=(sample,)))
    result = outcome.decision.metrics[0]
    assert result.status.average_utilization == 80
    assert result.name == "cpu container resource utilization (percentage of request)"
    other = replace(metric, container="web")
    result = sync(spec(other), replace(inputs(0), pods=(both,), usage=(sample,))).decision.metrics[
        0
    ]
    assert result.reason == "FailedGetContainerResourceMetric"


# -- several metrics


def test_the_highest_recommendation_wins() -> None:
    readings = {1: (hpa.PodValue("web-0", 21_000), hpa.PodValue("web-1", 21_000))}
    outcome = sync(spec(CPU, REQUESTS), replace(inputs(60, 60), readings=readings))
    assert [m.replicas for m in outcome.decision.metrics] == [3, 5]
    assert outcome.decision.chosen is outcome.decision.metrics[1]
    assert at(outcome, "ScalingActive").message == (
        "the HPA was able to successfully calculate a replica count from pods metric requests"
    )


def test_with_one_invalid_metric_it_may_scale_up_but_not_down() -> None:
    no_adapter = (
        "unable to get metric requests: unable to fetch metrics from custom metrics API: "
        "no custom metrics API (custom.metrics.k8s.io) registered"
    )
    up = sync(spec(REQUESTS, CPU), inputs(90, 90))
    assert up.scale_to == 4
    assert reasons(up)["ScalingActive"] == ("True", "ValidMetricFound")
    assert emitted(up)[0] == ("Warning", "FailedGetPodsMetric", no_adapter)
    assert up.error.startswith("invalid metrics (1 invalid out of 2), first error is: ")
    down = sync(spec(REQUESTS, CPU), inputs(5, 5), remembered((1, 400)))
    assert down.scale_to is None
    assert reasons(down)["ScalingActive"] == ("False", "FailedGetPodsMetric")
    assert down.status.current_metrics[1].average_utilization == 5
    assert [e.reason for e in down.events] == [
        "FailedGetPodsMetric",
        "FailedComputeMetricsReplicas",
    ]
    assert down.decision.failed


def test_the_first_error_is_the_one_told() -> None:
    outcome = sync(spec(MEMORY, REQUESTS), inputs(50))
    assert reasons(outcome)["ScalingActive"] == ("False", "FailedGetResourceMetric")
    assert "(2 invalid out of 2), first error is: failed to get memory" in outcome.error


def test_no_metrics_api_and_no_samples_are_told_apart() -> None:
    absent = hpa.Unavailable(
        "the server could not find the requested resource (get pods.metrics.k8s.io)"
    )
    outcome = sync(spec(), replace(inputs(50), usage=absent))
    assert outcome.decision.metrics[0].cause == (
        "failed to get cpu utilization: unable to get metrics for resource cpu: "
        f"unable to fetch metrics from resource metrics API: {absent.error}"
    )
    outcome = sync(spec(), replace(inputs(50), usage=()))
    assert outcome.decision.metrics[0].cause == (
        "failed to get cpu utilization: unable to get metrics for resource cpu: "
        "no metrics returned from resource metrics API"
    )
    unready = replace(inputs(50), pods=(pod("web-0", phase="Pending"),))
    result = sync(spec(), unready).decision.metrics[0]
    assert result.cause == (
        "failed to get cpu utilization: "
        "did not receive metrics for targeted pods (pods might be unready)"
    )
    assert result.groups is not None
    assert dict(result.groups.unready) == {"web-0": hpa.Unready.PENDING}


# -- object and external metrics


def test_an_object_metric_by_value_multiplies_ready_pods() -> None:
    metric = hpa.MetricSpec(
        "Object",
        "hits",
        target_type="Value",
        value=10_000,
        described_object=hpa.ObjectReference("Ingress", "main"),
    )
    given = replace(inputs(0, 0), readings={0: hpa.Levels((25_000,))})
    outcome = sync(spec(metric), given)
    assert outcome.decision.recommended == 5
    assert outcome.decision.reason == "Ingress metric hits above target"
    failed = sync(spec(metric), inputs(0, 0)).decision.metrics[0]
    assert failed.cause.startswith("unable to get metric hits: Ingress on default main/unable to")


def test_an_external_metric_per_pod_divides_the_total() -> None:
    metric = hpa.MetricSpec(
        "External",
        "queue",
        target_type="AverageValue",
        average_value=10_000,
        selector=hpa.LabelSelector((("queue", "a"),), (("env", "In", ("dev", "test")),)),
    )
    given = replace(inputs(0, 0), readings={0: hpa.Levels((20_000, 15_000))})
    result = sync(spec(metric), given).decision.metrics[0]
    assert result.replicas == 4
    assert result.status.average_value == 17_500
    assert result.name == (
        "external metric queue(&LabelSelector{MatchLabels:map[string]string{queue: a,},"
        "MatchExpressions:[]LabelSelectorRequirement{LabelSelectorRequirement"
        "{Key:env,Operator:In,Values:[dev test],},},})"
    )
    failed = sync(spec(replace(metric, selector=None)), inputs(0, 0)).decision.metrics[0]
    assert failed.reason == "FailedGetExternalMetric"
    assert failed.cause == (
        "unable to get external metric default/queue/nil: unable to fetch metrics from external "
        "metrics API: the server could not find the requested resource "
        "(get queue.external.metrics.k8s.io)"
    )


def test_a_metric_of_an_unknown_kind() -> None:
    outcome = sync(spec(hpa.MetricSpec("Magic", "x")), inputs(0))
    assert reasons(outcome)["ScalingActive"] == ("False", "InvalidMetricSourceType")
    assert outcome.decision.metrics[0].cause == 'unknown metric source type "Magic"'


# -- what is written and remembered


def test_a_condition_keeps_its_time_until_its_status_changes() -> None:
    first = sync(spec(), inputs(50, 50))
    later = sync(spec(), replace(inputs(50, 50), status=first.status), first.memory, NOW + 15)
    assert later.status == first.status
    assert not later.status_changed
    assert {c.since for c in later.status.conditions} == {NOW}
    broken = replace(inputs(50, 50), status=first.status, usage=hpa.Unavailable("down"))
    failing = sync(spec(), broken, first.memory, NOW + 30)
    assert failing.status_changed
    assert at(failing, "ScalingActive").since == NOW + 30
    assert at(failing, "AbleToScale").since == NOW


def test_a_scale_that_cannot_be_written() -> None:
    before = hpa.Status(2, 2, NOW - 90)
    behaving = spec(behavior=hpa.Behavior())
    outcome = sync(behaving, replace(inputs(90, 90), status=before))
    assert outcome.memory.scale_up_events == (hpa.ScaleEvent(2, NOW),)
    failed = hpa.rescale_failed(outcome, "the object has been modified")
    assert failed.scale_to is None
    assert (failed.status.desired_replicas, failed.status.last_scale_time) == (2, NOW - 90)
    assert reasons(failed)["AbleToScale"] == ("False", "FailedUpdateScale")
    assert failed.status.current_metrics == outcome.status.current_metrics
    assert emitted(failed)[-1] == (
        "Warning",
        "FailedRescale",
        "New size: 4; reason: cpu resource utilization (percentage of request) above target; "
        "error: the object has been modified",
    )
    assert failed.memory.scale_up_events == ()
    assert failed.memory.recommendations == outcome.memory.recommendations


def test_a_failed_write_of_nothing_changes_nothing() -> None:
    outcome = sync(spec(), inputs(50, 50))
    assert hpa.rescale_failed(outcome, "x") is outcome


def test_a_rescale_takes_the_scaled_to_zero_condition_away() -> None:
    left = hpa.Condition("ScaledToZero", "True", "ScaledToZero", "", NOW - 60)
    status = hpa.Status(conditions=(left,))
    assert "ScaledToZero" in reasons(sync(spec(), replace(inputs(50, 50), status=status)))
    assert "ScaledToZero" not in reasons(sync(spec(), replace(inputs(90, 90), status=status)))
