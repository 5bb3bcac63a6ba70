from __future__ import annotations

import pytest
from msgspec import structs
from msgspec.structs import replace

from tests.analysis.hpa_samples import (
    NOW,
    at,
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
        ({"ready": "False", "started": NOW - 900, "ready_since": NOW - 870}, 5, None),
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


@pytest.mark.parametrize(
    ("started", "since", "reason"),
    [
        (59, 40, hpa.Unready.NOT_READY),
        (61, 40, None),
        (61, 56, hpa.Unready.NEVER_READY),
        (61, 54, None),
    ],
)
def test_a_quick_controllers_pods_are_new_for_as_much_less(
    started: float, since: float, reason: hpa.Unready | None
) -> None:
    odd = pod("web-1", ready="False", started=NOW - started, ready_since=NOW - since)
    given = replace(inputs(80, 80), pods=(pod("web-0"), odd))
    quick = hpa.Settings(pace=5.0)
    outcome = hpa.reconcile(spec(), given, hpa.NOTHING_REMEMBERED, NOW, quick)
    found = outcome.decision.metrics[0].calculation
    assert found is not None
    assert found.groups is not None
    assert found.groups.unready.get("web-1") is reason


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


def test_at_exactly_the_target_unready_pods_pull_nothing_down() -> None:
    starting = pod("web-1", ready="False", started=NOW - 5, ready_since=NOW - 5)
    given = replace(inputs(50, 0), pods=(pod("web-0"), starting))
    found = sync(spec(), given).decision.metrics[0].calculation
    assert found is not None
    assert (found.replicas, found.verdict) == (2, hpa.Verdict.WITHIN_TOLERANCE)


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
    odd = structs.replace(pod("web-1"), containers=(*pod("x").containers, sidecar))
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
    no_cpu = replace(given, pods=(structs.replace(whole, pod_requests={"memory": 1}),))
    assert sync(spec(), no_cpu).decision.metrics[0].cause == (
        "failed to get cpu utilization: missing pod-level request for cpu in Pod web-0"
    )


def test_a_container_metric_looks_at_that_container_alone() -> None:
    metric = hpa.MetricSpec("ContainerResource", "cpu", "app", average_utilization=50)
    both = structs.replace(
        pod("web-0"), containers=(*pod("x").containers, hpa.ContainerInput("log"))
    )
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
