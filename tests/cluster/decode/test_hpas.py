"""HPAs: each metric beside what its status says of it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.cluster import recorded
from tui import quantity
from tui.analysis.words import leading_metric
from tui.cluster.decode import hpas
from tui.cluster.resources import RESOURCES
from tui.state.rows import Direction, HpaRow, Kind, MetricRow, Policy, Requirement


def decoded(spec: dict[str, Any] | None, status: dict[str, Any] | None = None) -> HpaRow:
    wire = {"metadata": {"uid": "u", "name": "h", "namespace": "n"}, "spec": spec, "status": status}
    return hpas.project(msgspec.convert(wire, hpas.Hpa))


def target_cell(metrics: tuple[MetricRow, ...]) -> str:
    """The TARGETS column of kubectl, for the metric types that were recorded."""
    shown = ", ".join(_target(m) for m in metrics[:2])
    return shown + (f" + {len(metrics) - 2} more..." if len(metrics) > 2 else "")


def _target(metric: MetricRow) -> str:
    if metric.target_type == "Utilization":
        now = "<unknown>" if metric.current is None else f"{metric.current}%"
        return f"{metric.name}: {now}/{metric.target}%"
    show = quantity.format_bytes if metric.name == "memory" else str
    now = "<unknown>" if metric.current is None else show(metric.current // 1000)
    name = "" if metric.type == "Pods" else f"{metric.name}: "
    return f"{name}{now}/{show(metric.target // 1000)}"


@pytest.mark.parametrize("file", list(recorded.names("hpa-v2-table.json")))
def test_every_recorded_hpa_reads_as_kubectl_printed_it(file: str) -> None:
    body = recorded.raw(file.replace("-table", ""))
    page = RESOURCES[Kind.HPAS].codec.page(body)
    assert page.skipped == 0
    ours = {
        row.name: (
            f"{row.target_kind}/{row.target_name}",
            target_cell(row.metrics),
            str(row.min),
            row.max,
            row.current or 0,
        )
        for row in page.rows
        if isinstance(row, HpaRow)
    }
    theirs = {
        name: (c["Reference"], c["Targets"], c["MinPods"], c["MaxPods"], c["Replicas"])
        for name, c in recorded.table(file).items()
    }
    assert ours == theirs


def test_statuses_are_matched_by_what_they_measure_not_by_place() -> None:
    def resource(name: str, **value: Any) -> dict[str, Any]:
        return {"type": "Resource", "resource": {"name": name, **value}}

    def external(name: str, label: str, **value: Any) -> dict[str, Any]:
        metric = {"name": name, "selector": {"matchLabels": {"q": label}}}
        return {"type": "External", "external": {"metric": metric, **value}}

    ingress = {"kind": "Ingress", "name": "main", "apiVersion": "networking.k8s.io/v1"}

    def about(**value: Any) -> dict[str, Any]:
        described = {"metric": {"name": "rps"}, "describedObject": ingress}
        return {"type": "Object", "object": {**described, **value}}

    def container(name: str, **value: Any) -> dict[str, Any]:
        source = {"name": "cpu", "container": name, **value}
        return {"type": "ContainerResource", "containerResource": source}

    row = decoded(
        {
            "metrics": [
                resource("cpu", target={"type": "Utilization", "averageUtilization": 50}),
                external("depth", "a", target={"type": "AverageValue", "averageValue": "30"}),
                external("depth", "b", target={"type": "Value", "value": "2k"}),
                about(target={"type": "Value", "value": "100"}),
                container("x", target={"type": "Utilization", "averageUtilization": 70}),
                container("y", target={"type": "Utilization", "averageUtilization": 80}),
                resource("memory", target={"type": "AverageValue", "averageValue": "1Mi"}),
            ]
        },
        {
            "currentMetrics": [
                {"type": ""},
                None,
                container("y", current={"averageUtilization": 8, "averageValue": "80m"}),
                about(current={"value": "90500m"}),
                external("depth", "b", current={"value": "1500"}),
                resource("cpu", current={"averageUtilization": 87, "averageValue": "87m"}),
            ]
        },
    )
    assert [(m.type, m.name, m.current, m.current_average) for m in row.metrics] == [
        ("Resource", "cpu", 87, 87),
        ("External", "depth", None, None),
        ("External", "depth", 1_500_000, None),
        ("Object", "rps", 90_500, None),
        ("ContainerResource", "cpu", None, None),
        ("ContainerResource", "cpu", 8, 80),
        ("Resource", "memory", None, None),
    ]
    assert [m.target for m in row.metrics] == [
        50, 30_000, 2_000_000, 100_000, 70, 80, 1024 * 1024 * 1000
    ]  # fmt: skip
    assert row.metrics[3].object == "Ingress/main"
    assert row.metrics[5].container == "y"
    assert row.metrics[2].selector == (Requirement("q", "In", ("b",)),)


def test_without_metrics_it_aims_at_80_percent_cpu() -> None:
    (metric,) = decoded({"maxReplicas": 3}).metrics
    assert (metric.name, metric.target_type, metric.target, metric.current) == (
        "cpu",
        "Utilization",
        80,
        None,
    )


def test_behavior() -> None:
    row = decoded(
        {
            "behavior": {
                "scaleUp": {
                    "stabilizationWindowSeconds": 0,
                    "selectPolicy": "Min",
                    "tolerance": "50m",
                    "policies": [{"type": "Percent", "value": 100, "periodSeconds": 15}],
                },
                "scaleDown": {"policies": None},
            }
        }
    )
    assert row.scale_up == Direction((Policy("Percent", 100, 15),), "Min", 0, pytest.approx(0.05))
    assert row.scale_down == Direction()
    assert row.has_behavior
    assert not decoded({}).has_behavior


@pytest.mark.parametrize(
    ("written", "tolerance"),
    [("12500u", 0.0125), ("2500u", 0.0025), ("1e999", None), ("much", None), (None, None)],
)
def test_a_tolerance_is_as_fine_as_it_was_written(
    written: str | None, tolerance: float | None
) -> None:
    row = decoded({"behavior": {"scaleUp": {"tolerance": written}}})
    assert row.scale_up is not None
    assert row.scale_up.tolerance == (None if tolerance is None else pytest.approx(tolerance))


def test_figures_that_no_float_can_hold_are_the_most_that_64_bits_can() -> None:
    resource = {"name": "memory", "target": {"type": "AverageValue", "averageValue": "1e-999"}}
    current = {"name": "memory", "current": {"averageValue": "1e999"}}
    row = decoded(
        {"metrics": [{"type": "Resource", "resource": resource}]},
        {"currentMetrics": [{"type": "Resource", "resource": current}]},
    )
    assert [(m.target, m.current) for m in row.metrics] == [(1, 2**63 - 1)]
    assert leading_metric(row) is row.metrics[0]


@pytest.mark.parametrize("spec", [{"maxReplicas": 10**400}, {"minReplicas": -(2**31) - 1}])
def test_counts_that_are_none_of_the_apis_are_no_hpa(spec: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        decoded(spec)


def test_an_absent_status_is_unknown_not_zero() -> None:
    row = decoded({"minReplicas": 2, "maxReplicas": 5}, None)
    assert (row.current, row.desired, row.last_scale, row.conditions) == (None, None, None, ())
    assert (row.min, row.max) == (2, 5)


def test_recorded_conditions_are_kept_whole() -> None:
    page = RESOURCES[Kind.HPAS].codec.page(recorded.raw("peak/hpa-v2.json"))
    (row,) = page.rows
    assert isinstance(row, HpaRow)
    limited = row.condition("ScalingLimited")
    assert limited is not None
    assert (limited.status, limited.reason) == ("True", "TooManyReplicas")
    assert limited.message == "the desired replica count is more than the maximum replica count"
    assert limited.since == pytest.approx(1795221954.0)


@pytest.mark.parametrize(
    ("version", "kind"),
    [
        ("apps/v1", "StatefulSet"),
        ("apps/v1beta2", "StatefulSet"),
        ("apps.kruise.io/v1beta1", "StatefulSet.apps.kruise.io"),
        ("extensions/v1beta1", "StatefulSet.extensions"),
        ("v1", "StatefulSet.v1"),
        (None, "StatefulSet.v1"),
    ],
)
def test_a_target_of_another_group_is_not_taken_for_the_one_of_apps(
    version: str | None, kind: str
) -> None:
    reference = {"kind": "StatefulSet", "name": "db", "apiVersion": version}
    assert decoded({"scaleTargetRef": reference}).target_kind == kind


def test_kinds_that_only_one_group_has_keep_their_name() -> None:
    reference = {"kind": "Rollout", "name": "web", "apiVersion": "argoproj.io/v1alpha1"}
    assert decoded({"scaleTargetRef": reference}).target_kind == "Rollout"
