from __future__ import annotations

from collections.abc import Iterable
from random import Random

import msgspec

from tests.samples import MI, pod
from tui.analysis.nodes import Placed, Placement
from tui.state.rows import ContainerRow, Kind, PodRequests, PodRow
from tui.state.store import Store


def placed(pods: Iterable[PodRow]) -> dict[str, Placed]:
    store, placement = Store(), Placement()
    store.put(Kind.PODS, pods)
    store.drain()  # the one that tells of them has been missed
    placement.feed(store.drain())
    return placement.nodes


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


def test_what_a_pod_asks_for_as_a_whole_is_what_its_node_gives() -> None:
    alone = pod("a", age=1, node="one", placed_by=PodRequests(1100, 512 * MI))
    assert placed([alone]) == {"one": Placed(1, 1100, 512 * MI)}


def test_pods_without_a_node_or_an_end_behind_them_hold_nothing() -> None:
    pods = [
        pod("pending", age=1, status="Pending"),
        pod("done", age=1, phase="Succeeded"),
        pod("failed", age=1, phase="Failed"),
    ]
    assert placed(pods) == {}


def test_a_pod_that_is_leaving_still_holds_its_place() -> None:
    assert placed([pod("a", age=1, deleting=5.0)])["lab-worker"].pods == 1


def test_following_changes_leads_where_looking_at_all_pods_leads() -> None:
    random, store = Random(1), Store()
    one, followed, seldom = Placement(), Placement(), Placement()
    rows = {f"p{n}": pod(f"p{n}", age=1, node=random.choice("abc")) for n in range(30)}
    for step in range(200):
        name = random.choice(sorted(rows))
        match random.randrange(4):
            case 0:
                store.drop(Kind.PODS, [rows[name].uid])
            case 1:
                rows[name] = msgspec.structs.replace(rows[name], phase="Succeeded")
                store.put(Kind.PODS, [rows[name]])
            case 2:
                rows[name] = msgspec.structs.replace(rows[name], node=random.choice(["", *"abc"]))
                store.put(Kind.PODS, [rows[name]])
            case _:
                rows[name] = pod(name, age=random.randrange(9), node=random.choice("abc"))
                store.put(Kind.PODS, [rows[name]])
        delta = store.drain()
        followed.feed(delta)
        if step % 7 == 0:
            seldom.feed(delta)
            one = Placement()
            one.feed(delta)
            assert followed.nodes == seldom.nodes == one.nodes
