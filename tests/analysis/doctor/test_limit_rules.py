"""Rules about what an HPA may and may not do: its limits, its windows, its requests."""

from __future__ import annotations

from typing import Any

import pytest

from tests.analysis.doctor.patients import Case, evidence
from tests.samples import MI, NOW, conditions, deployment, hpa, pod
from tui.analysis.doctor.finding import Severity
from tui.analysis.doctor.words import clock
from tui.state.rows import (
    ContainerRow,
    Direction,
    Kind,
    MetricRow,
    Policy,
)

# at-max, rate-limited, stabilizing


def test_at_the_maximum_and_still_above_the_target() -> None:
    case = Case().put(Kind.HPAS, hpa(10, 10, 97, conditions=conditions("TooManyReplicas")))
    case.put(Kind.DEPLOYMENTS, deployment(10, 10))
    found = case.one("at-max")
    assert found.severity is Severity.WARNING
    assert ("HorizontalPodAutoscaler default/fastapi-hpa", "spec.maxReplicas", "10") in evidence(
        found
    )
    assert '"maxReplicas":20' in found.fix.command


@pytest.mark.parametrize(
    ("cpu", "limited"),
    [(54, "TooManyReplicas"), (97, "DesiredWithinRange"), (None, "TooManyReplicas")],
    ids=["within the tolerance", "not limited", "no figure"],
)
def test_at_the_maximum_alone_is_fine(cpu: int | None, limited: str) -> None:
    case = Case().put(Kind.HPAS, hpa(10, 10, cpu, conditions=conditions(limited)))
    assert case.put(Kind.DEPLOYMENTS, deployment(10, 10)).ids() == []


def test_limited_by_the_policy_that_holds_without_a_behavior() -> None:
    case = Case().put(Kind.HPAS, hpa(2, 4, 186, conditions=conditions("ScaleUpLimit")))
    found = case.one("rate-limited")
    assert found.severity is Severity.INFO
    assert "twice the size" in found.explanation


def test_limited_by_a_policy_of_its_own() -> None:
    up = Direction((Policy("Pods", 1, 60),))
    row = hpa(2, 3, 186, conditions=conditions("ScaleUpLimit"), scale_up=up, last_scale=NOW - 10)
    found = Case().put(Kind.HPAS, row).one("rate-limited")
    assert "1 pod in any 60 s" in found.explanation
    assert "free again by" in found.explanation


def test_a_direction_that_is_disabled_is_no_matter_of_waiting() -> None:
    down = Direction((Policy("Percent", 100, 15),), select="Disabled")
    row = hpa(4, 4, 2, conditions=conditions("ScaleDownLimit"), scale_down=down, last_scale=NOW)
    found = Case().put(Kind.HPAS, row).one("rate-limited")
    assert found.title == "fastapi-hpa never scales down: its behavior disables it"
    assert "fewer pods" in found.explanation
    assert "ait for" not in found.fix.words


@pytest.mark.parametrize("limited", ["TooManyReplicas", "TooFewReplicas", "DesiredWithinRange"])
def test_other_limits_are_no_policies(limited: str) -> None:
    case = Case().put(Kind.HPAS, hpa(2, 2, 3, conditions=conditions(limited)))
    assert "rate-limited" not in case.ids()


def _stabilized(current: int, cpu: int, **more: Any) -> Case:
    held = conditions(able="ScaleDownStabilized")
    return Case().put(Kind.HPAS, hpa(current, current, cpu, conditions=held, **more))


def test_held_by_a_window_until_when() -> None:
    case = _stabilized(10, 4)
    case.held = {"uid-hpa": (NOW - 100, True)}
    found = case.one("stabilizing")
    assert "stays at 10 until about" in found.title
    assert "ask for 2" in found.title
    assert evidence(found)[-1][2] == "300 (default)"


@pytest.mark.parametrize(("window", "better"), [(300, 60), (61, 60), (60, 30), (30, 15), (1, 0)])
def test_the_window_that_is_advised_is_shorter(window: int, better: int) -> None:
    found = _stabilized(10, 4, scale_down=Direction(window=window)).one("stabilizing")
    assert f'"stabilizationWindowSeconds":{better}}}' in found.fix.command
    assert found.fix.patch is not None
    assert f'"stabilizationWindowSeconds":{better}}}' in found.fix.patch.body


def test_where_time_runs_faster_it_ends_sooner() -> None:
    case = _stabilized(10, 4)
    case.held, case.pace = {"uid-hpa": (NOW, True)}, 5.0
    found = case.one("stabilizing")
    assert f"until about {clock(NOW + 60)};" in found.title
    assert evidence(found)[-1][2] == "300 (default)"
    up = Direction((Policy("Pods", 1, 60),))
    row = hpa(2, 3, 186, conditions=conditions("ScaleUpLimit"), scale_up=up, last_scale=NOW)
    case = Case().put(Kind.HPAS, row)
    case.pace = 5.0
    assert f"free again by {clock(NOW + 12)}." in case.one("rate-limited").explanation


def test_the_hpas_own_tolerance_tells_whether_there_is_anything_to_hold() -> None:
    assert _stabilized(20, 46, max=30).ids() == []
    found = _stabilized(20, 46, max=30, scale_down=Direction(tolerance=0.02)).one("stabilizing")
    assert "ask for 19" in found.title


def test_what_began_unseen_ends_at_the_latest_a_window_from_now() -> None:
    case = _stabilized(10, 4, scale_down=Direction(window=120))
    found = case.one("stabilizing")
    assert "at the latest" in found.title
    assert evidence(found)[-1][2] == "120"


def test_a_hold_at_the_minimum_holds_nothing() -> None:
    """As on an idle cluster: 3 % asks for one pod, and the minimum is two."""
    assert _stabilized(2, 3).ids() == []


# min-is-max, tiny-request, container metric


def test_minimum_equal_to_maximum() -> None:
    assert Case().put(Kind.HPAS, hpa(2, 2, 3, min=2, max=2)).ids() == ["min-is-max"]
    assert Case().put(Kind.HPAS, hpa(2, 2, 3, min=2, max=3)).ids() == []


@pytest.mark.parametrize(("request_", "found"), [(1, True), (9, True), (10, False), (100, False)])
def test_a_request_of_next_to_nothing(request_: int, found: bool) -> None:
    small = (ContainerRow("fastapi", request_, None, 64 * MI),)
    case = Case().put(Kind.PODS, *(pod(n, age=90, containers=small) for n in ("web-1", "web-2")))
    assert ("tiny-request" in case.ids()) is found


def test_a_small_request_that_nobody_measures_is_fine() -> None:
    small = (ContainerRow("fastapi", 1, None, 64 * MI),)
    case = Case().put(Kind.PODS, *(pod(n, age=90, containers=small) for n in ("web-1", "web-2")))
    case.put(
        Kind.HPAS,
        hpa(2, 2, 3, metrics=(MetricRow(type="Resource", name="memory", target=50, current=9),)),
    )
    assert "tiny-request" not in case.ids()


@pytest.mark.parametrize(("container", "found"), [("app", True), ("fastapi", False)])
def test_a_container_metric_needs_the_container(container: str, found: bool) -> None:
    metric = MetricRow(type="ContainerResource", name="cpu", container=container, target=50)
    case = Case().put(Kind.HPAS, hpa(2, 2, None, metrics=(metric,)))
    assert ("container-metric-without-container" in case.ids()) is found
