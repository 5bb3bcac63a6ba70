from __future__ import annotations

from tests.samples import MI, pod
from tui.analysis.nodes import Placed, placed
from tui.state.rows import ContainerRow


def test_requests_by_node() -> None:
    two = (ContainerRow("app", 100, None, 64 * MI), ContainerRow("sidecar", 50, None, None))
    pods = [
        pod("a", age=1, node="one", containers=two),
        pod("b", age=1, node="one"),
        pod("c", age=1, node="two", containers=(ContainerRow("app"),)),
    ]
    assert placed(pods) == {
        "one": Placed(2, 250, 192 * MI),
        "two": Placed(1, 0, 0),
    }


def test_pods_without_a_node_or_an_end_behind_them_hold_nothing() -> None:
    pods = [
        pod("pending", age=1, status="Pending"),
        pod("done", age=1, phase="Succeeded"),
        pod("failed", age=1, phase="Failed"),
    ]
    assert placed(pods) == {}


def test_a_pod_that_is_leaving_still_holds_its_place() -> None:
    assert placed([pod("a", age=1, deleting=5.0)])["lab-worker"].pods == 1
