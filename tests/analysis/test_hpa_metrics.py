from __future__ import annotations

import pytest
from msgspec import structs
from msgspec.structs import replace

from tests.analysis.hpa_samples import inputs, reasons, remembered, spec, sync
from tui.analysis import hpa

QUEUE = hpa.MetricSpec("External", "queue", target_type="AverageValue", average_value=10_000)
HITS = hpa.MetricSpec(
    "Object",
    "hits",
    target_type="Value",
    value=10_000,
    described_object=hpa.ObjectReference("Ingress", "main"),
)
NO_API = "unable to fetch metrics from external metrics API: not here"


def result(metric: hpa.MetricSpec, *levels: int, replicas: int = 2) -> hpa.MetricResult:
    given = replace(inputs(0, 0, replicas=replicas), readings={0: hpa.Levels(levels)})
    return sync(spec(metric), given).decision.metrics[0]


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


@pytest.mark.parametrize(
    ("metric", "doing"),
    [
        (QUEUE, "failed to get queue external metric"),
        (
            replace(QUEUE, target_type="Value", average_value=None, value=5),
            "failed to get external metric queue",
        ),
    ],
)
def test_what_the_controller_was_doing_is_passed_on(metric: hpa.MetricSpec, doing: str) -> None:
    given = replace(inputs(0), readings={0: hpa.Unavailable("not here")})
    failed = sync(spec(metric), given).decision.metrics[0]
    assert failed.cause == f"unable to get external metric default/queue/nil: {NO_API}"
    assert failed.error == (f"failed to get queue external metric value: {doing}: {failed.cause}")


@pytest.mark.parametrize(
    ("metric", "cause"),
    [
        (
            hpa.MetricSpec("Resource", "cpu"),
            "invalid resource metric source: neither an average utilization target "
            "nor an average value (usage) target was set",
        ),
        (
            replace(HITS, value=None),
            "invalid object metric source: neither a value target "
            "nor an average value target was set",
        ),
        (
            replace(HITS, target_type="AverageValue"),
            "invalid object metric source: neither a value target "
            "nor an average value target was set",
        ),
        (
            replace(QUEUE, average_value=None),
            "invalid external metric source: neither a value target "
            "nor an average value target was set",
        ),
    ],
)
def test_a_target_that_says_nothing(metric: hpa.MetricSpec, cause: str) -> None:
    assert result(metric, 5).cause == cause


def test_an_object_has_exactly_one_value() -> None:
    assert result(HITS, 1, 2).cause.endswith(
        "main/unable to fetch metrics from custom metrics API: the custom metrics API server "
        "returned 2 results when we asked for exactly one"
    )


def test_an_answer_without_values_is_told_from_no_answer() -> None:
    assert result(QUEUE).cause.endswith("nil: no metrics returned from external metrics API")
    metric = hpa.MetricSpec("Pods", "rps", target_type="AverageValue", average_value=10_000)
    empty = sync(spec(metric), inputs(0, 0, readings={0: ()})).decision.metrics[0]
    assert empty.cause == ("unable to get metric rps: no metrics returned from custom metrics API")


def test_an_idle_queue_asks_for_nothing() -> None:
    assert result(QUEUE, 0, 0).replicas == 0
    assert result(QUEUE, 0, 30_000).replicas == 3


def test_a_total_beyond_int64_is_held_there() -> None:
    most = 2**63 - 1
    per_pod = result(QUEUE, most, most)
    assert (per_pod.replicas, per_pod.status.average_value) == (2**31 - 1, most)
    by_value = replace(QUEUE, target_type="Value", average_value=None, value=most)
    assert result(by_value, most, most).status.value == most


def test_a_target_without_replicas_yet_has_no_average() -> None:
    scale = hpa.Scale(2, 0, "app=web")
    given = replace(inputs(0, 0), scale=scale, readings={0: hpa.Levels((25_000,))})
    found = sync(spec(QUEUE), given).decision.metrics[0]
    assert found.replicas == 3
    assert found.status.average_value == -(2**63)  # as the controller writes it on amd64


def test_the_ratio_is_multiplied_by_ready_pods_alone() -> None:
    given = inputs(0, 0, readings={0: hpa.Levels((25_000,))})
    waiting = structs.replace(given.pods[1], ready="False")
    found = sync(spec(HITS), replace(given, pods=(given.pods[0], waiting))).decision.metrics[0]
    assert found.replicas == 3
    nobody = sync(spec(HITS), replace(given, pods=())).decision.metrics[0]
    assert nobody.cause == (
        "unable to calculate ready pods: no pods returned by selector "
        "while calculating replica count"
    )
    within = replace(given, pods=(), readings={0: hpa.Levels((10_500,))})
    assert sync(spec(HITS), within).decision.metrics[0].replicas == 2


def test_an_object_metric_per_pod_is_called_external() -> None:
    metric = replace(HITS, target_type="AverageValue", value=None, average_value=5_000)
    found = result(metric, 20_000)
    assert (found.replicas, found.status.average_value) == (4, 10_000)
    assert found.name == "external metric hits(nil)"
    within = result(metric, 10_500)
    assert within.replicas == 2


def test_a_pods_metric_counts_unready_cpu_or_not() -> None:
    metric = hpa.MetricSpec("Pods", "rps", target_type="AverageValue", average_value=10_000)
    given = inputs(0, 0, readings={0: (hpa.PodValue("web-0", 5_000),)})
    found = sync(spec(metric), given, remembered((1, 400))).decision.metrics[0]
    assert found.calculation is not None
    assert dict(found.calculation.assumed) == {"web-1": 10_000}  # missing: as if at the target
    assert found.calculation.verdict is hpa.Verdict.CORRECTED
    assert found.replicas == 2
