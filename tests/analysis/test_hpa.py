from __future__ import annotations

import pytest
from msgspec.structs import replace

from tests.analysis.hpa_samples import (
    CPU,
    NOW,
    at,
    emitted,
    inputs,
    pod,
    reasons,
    remembered,
    spec,
    sync,
)
from tui.analysis import hpa

REQUESTS = hpa.MetricSpec("Pods", "requests", target_type="AverageValue", average_value=10_000)
MEMORY = hpa.MetricSpec("Resource", "memory", target_type="AverageValue", average_value=64_000)


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


def test_with_one_invalid_metric_it_may_stay_as_it_is() -> None:
    outcome = sync(spec(REQUESTS, CPU), inputs(50, 50))
    assert reasons(outcome)["ScalingActive"] == ("True", "ValidMetricFound")
    assert outcome.decision.recommended == 2


def test_of_two_metrics_that_ask_for_nothing_the_last_is_named() -> None:
    memory = hpa.MetricSpec("Resource", "memory", target_type="AverageValue", average_value=50)
    sample = hpa.PodUsage("web-0", NOW, 15.0, (hpa.ContainerUsage("app", {"cpu": 0, "memory": 0}),))
    outcome = sync(spec(CPU, memory), replace(inputs(0), usage=(sample,)))
    assert [m.replicas for m in outcome.decision.metrics] == [0, 0]
    assert at(outcome, "ScalingActive").message.endswith("from memory resource")
    assert outcome.decision.recommended == 0
    one = sync(
        spec(CPU, REQUESTS), replace(inputs(50), readings={1: (hpa.PodValue("web-0", 9_999),)})
    )
    assert [m.replicas for m in one.decision.metrics] == [1, 1]
    assert one.decision.chosen is one.decision.metrics[0]


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
