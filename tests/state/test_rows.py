from __future__ import annotations

import pytest

from tests.samples import LABELS, conditions, hpa, pod
from tui.state.rows import ContainerRow, Direction, Kind, PodRow, PodUsage, WorkloadRow


def test_rows_are_equal_by_value() -> None:
    assert pod("a", age=10) == pod("a", age=10)
    assert pod("a", age=10) != pod("a", age=10, restarts=1)


def test_rows_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        setattr(pod("a", age=10), "name", "b")  # noqa: B010 (types would tell)


def _pod(*containers: ContainerRow) -> PodRow:
    return PodRow(uid="u", name="p", containers=containers, labels=LABELS)


def test_a_pods_requests_are_the_sum_of_its_containers() -> None:
    two = _pod(ContainerRow("app", 100, 500, 10, 20), ContainerRow("sidecar", 50, 100, 1, 2))
    assert (two.cpu_request, two.cpu_limit) == (150, 600)
    assert (two.memory_request, two.memory_limit) == (11, 22)


def test_one_container_without_a_request_leaves_the_pod_without() -> None:
    two = _pod(ContainerRow("app", 100, None, 10), ContainerRow("sidecar", None, 100))
    assert two.cpu_request is None
    assert two.cpu_limit is None
    assert two.memory_request is None


def test_a_request_of_nothing_is_a_request() -> None:
    assert _pod(ContainerRow("app", 0)).cpu_request == 0


def test_a_pod_without_containers_asks_for_nothing_known() -> None:
    assert _pod().cpu_request is None


@pytest.mark.parametrize(
    ("phase", "terminal"),
    [("Running", False), ("Pending", False), ("Unknown", False), ("Failed", True),
     ("Succeeded", True)],
)  # fmt: skip
def test_pods_that_have_run_to_their_end(phase: str, terminal: bool) -> None:
    assert pod("a", age=1, phase=phase).terminal is terminal


def test_a_sample_sums_its_containers() -> None:
    sample = PodUsage("default", "p", 0.0, 15.0, (("app", 90, 1000), ("sidecar", 7, 24)))
    assert (sample.cpu, sample.memory) == (97, 1024)


def test_conditions_are_found_by_type() -> None:
    row = hpa(2, 2, 50, conditions=conditions("TooManyReplicas"))
    limited = row.condition("ScalingLimited")
    assert limited is not None
    assert (limited.status, limited.reason) == ("True", "TooManyReplicas")
    assert row.condition("NoSuch") is None


def test_behavior_in_one_direction_is_behavior() -> None:
    assert not hpa(2, 2, 50).has_behavior
    assert hpa(2, 2, 50, scale_up=Direction()).has_behavior
    assert hpa(2, 2, 50, scale_down=Direction()).has_behavior


def test_tables_are_named_as_the_api_names_them() -> None:
    assert f"{Kind.HPAS}" == "horizontalpodautoscalers"
    assert WorkloadRow(uid="u", name="w", kind="Deployment").replicas == 1


@pytest.mark.parametrize(
    ("able", "active", "wants"),
    [
        ("ReadyForNewScale", "ValidMetricFound", 5),
        ("SucceededGetScale", "FailedGetResourceMetric", None),
        # Clamped to min or max, no metric is read: what was said of them before still stands.
        ("SucceededRescale", "FailedGetResourceMetric", 5),
    ],
)
def test_what_an_hpa_wants_is_what_its_last_look_came_to(
    able: str, active: str, wants: int | None
) -> None:
    assert hpa(2, 5, None, conditions=conditions(able=able, active=active)).wants == wants
