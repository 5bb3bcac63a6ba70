from __future__ import annotations

import msgspec
import pytest

from tests.samples import conditions, cpu_metric, hpa
from tui.analysis.words import leading_metric, metric_title, to_the_point, verdict, without_figures
from tui.state.rows import Condition, MetricRow


@pytest.mark.parametrize(
    ("condition", "text", "mood"),
    [
        (Condition("AbleToScale", "True", "ReadyForNewScale"), "ready to scale", "good"),
        (Condition("AbleToScale", "True", "ScaleDownStabilized"),
         "scale-down held by its window", "held"),
        (Condition("AbleToScale", "True", "BackoffBoth"), "waiting after the last change", "held"),
        (Condition("AbleToScale", "False", "FailedGetScale"), "target not found", "bad"),
        (Condition("ScalingActive", "True", "ValidMetricFound"), "metrics read", "good"),
        (Condition("ScalingActive", "False", "FailedGetResourceMetric"),
         "cannot read resource metrics", "bad"),
        (Condition("ScalingActive", "Unknown", "FailedGetPodsMetric"),
         "cannot read the pods metric", "bad"),
        (Condition("ScalingLimited", "False", "DesiredWithinRange"), "within min and max", "good"),
        (Condition("ScalingLimited", "True", "TooManyReplicas"), "held at max", "held"),
        (Condition("ScalingActive", "False", "SomethingNew"), "SomethingNew", "bad"),
        (Condition("AbleToScale", "True"), "AbleToScale", "good"),
    ],
)  # fmt: skip
def test_conditions_in_words(condition: Condition, text: str, mood: str) -> None:
    assert verdict(condition) == (text, mood)


@pytest.mark.parametrize(
    ("metric", "title"),
    [
        (MetricRow(type="Resource", name="cpu"), "cpu"),
        (MetricRow(type="ContainerResource", name="cpu", container="app"), "cpu of app"),
        (MetricRow(type="Pods", name="http_requests"), "http_requests per pod"),
        (MetricRow(type="Object", name="hits", object="Ingress/main", target_type="Value"),
         "hits of Ingress/main"),
        (MetricRow(type="Object", name="hits", object="Ingress/main", target_type="AverageValue"),
         "hits of Ingress/main per pod"),
        (MetricRow(type="External", name="queue", target_type="Value"), "queue, external"),
        (MetricRow(type="External", name="queue", target_type="AverageValue"),
         "queue per pod, external"),
        (MetricRow(type="Future", name="x"), "x"),
        (MetricRow(type="Future", name=""), "Future"),
    ],
)  # fmt: skip
def test_metrics_have_titles(metric: MetricRow, title: str) -> None:
    assert metric_title(metric) == title


class TestLeadingMetric:
    def test_furthest_above_its_target(self) -> None:
        calm, pressed = cpu_metric(60, 50), cpu_metric(40, 20)
        assert leading_metric(hpa(1, 1, 1, metrics=(calm, pressed))) is pressed

    def test_one_without_a_figure_cannot_lead(self) -> None:
        unknown, known = cpu_metric(None, 50), cpu_metric(1, 50)
        assert leading_metric(hpa(1, 1, 1, metrics=(unknown, known))) is known
        assert leading_metric(hpa(1, 1, 1, metrics=(unknown,))) is unknown

    def test_a_target_of_nothing_divides_nothing(self) -> None:
        broken = msgspec.structs.replace(cpu_metric(5), target=0)
        assert leading_metric(hpa(1, 1, 1, metrics=(broken, cpu_metric(1)))) == cpu_metric(1)

    def test_no_metrics(self) -> None:
        assert leading_metric(hpa(1, 1, 1, metrics=())) is None


MISSING = "missing request for cpu in container app of Pod web-1"


@pytest.mark.parametrize(
    ("message", "point"),
    [
        ("the HPA was unable to compute the replica count: failed to get cpu utilization: "
         + MISSING, MISSING),
        ("invalid metrics (1 invalid out of 1), first error is: " + MISSING, MISSING),
        (MISSING, MISSING),
        ("0/2 nodes are available: 2 Insufficient cpu.", "0/2 nodes: 2 Insufficient cpu."),
        ('(combined from similar events): Error creating: pods "web-1" is forbidden: exceeded',
         "exceeded"),
        ('Error creating: admission webhook "w" denied the request: no',
         'admission webhook "w" denied the request: no'),
        ("", ""),
        ("the HPA was unable to compute the replica count: ",
         "the HPA was unable to compute the replica count: "),
    ],
)  # fmt: skip
def test_messages_come_to_the_point(message: str, point: str) -> None:
    assert to_the_point(message) == point


class TestWithoutFigures:
    def test_warming_up_is_no_fault(self) -> None:
        assert without_figures(hpa(2, 2, None)) == ""

    def test_the_controllers_words(self) -> None:
        failing = conditions(active="FailedGetResourceMetric", message=MISSING)
        assert without_figures(hpa(2, 2, None, conditions=failing)) == MISSING

    def test_our_words_where_it_has_none(self) -> None:
        failing = conditions(active="ScalingDisabled")
        assert (
            without_figures(hpa(0, 0, None, conditions=failing)) == "off: target is at 0 replicas"
        )

    def test_a_target_that_is_not_there(self) -> None:
        lost = (Condition("AbleToScale", "False", "FailedGetScale", "not found"),)
        assert without_figures(hpa(None, 0, None, conditions=lost)) == "not found"
