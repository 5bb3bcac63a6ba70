"""What each pod is due: those behind the Service, or those that answers name in their place."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cluster.server import Server, status
from tests.samples import pod
from tui.cluster.access import ClusterConfig
from tui.cluster.access_log import AccessLogs
from tui.cluster.transport import Transport
from tui.doors.kin import Kin
from tui.doors.pod_counts import PodCounts
from tui.state.rows import Owner, PodRow

PROXY = pod("nginx-1", age=100, labels=(("app", "nginx"),))


def app(name: str, hash: str = "66b8", deployment: str = "web", **more: object) -> PodRow:
    """A pod of a Deployment."""
    owner = Owner("ReplicaSet", f"{deployment}-{hash}", f"uid-{deployment}-{hash}")
    labels = (("app", "web"), ("pod-template-hash", hash))
    return pod(name, age=100, labels=labels, owner=owner, **more)


class Place:
    """A proxy's Service, and pods that may come and go."""

    def __init__(self, *pods: PodRow) -> None:
        self.pods = [PROXY, *pods]
        self.counts = PodCounts(None, lambda: [PROXY], Kin(lambda: self.pods, "default"))


def test_the_pods_of_the_service_are_due_what_no_answer_says_otherwise() -> None:
    place = Place(app("web-a"))
    assert place.counts.look(40, {}) == 1
    assert place.counts.look(80, {"nginx-1": 80}) == 1
    assert place.counts.chances == {"nginx-1": 1.0}


def test_behind_a_proxy_the_whole_workload_that_answers_is_due_it() -> None:
    place = Place(app("web-a"), app("web-b"), app("api-a", deployment="api"))
    place.counts.look(0, {})
    assert place.counts.look(40, {"web-a": 40}) == 2
    assert place.counts.chances == {"web-a": 0.5, "web-b": 0.5}


def test_a_rollout_leaves_it_one_workload() -> None:
    old, new = app("web-a"), app("web-b", hash="77c9")
    place = Place(old)
    place.counts.look(10, {"web-a": 10})
    place.pods = [PROXY, old, new]
    place.counts.look(20, {"web-a": 20})
    place.pods = [PROXY, new]
    place.counts.look(40, {"web-a": 20, "web-b": 20})
    assert place.counts.chances == {"web-a": 15 / 40, "web-b": 25 / 40}


def test_of_pods_that_cannot_be_read_nothing_is_known() -> None:
    place = Place()
    assert place.counts.look(40, {"web-a": 40}) is None
    assert place.counts.chances is None


def test_a_name_is_sought_first_where_the_burst_goes() -> None:
    there = app("web-0", deployment="other", namespace="aaa")
    elsewhere = app("web-0", deployment="other", namespace="zzz")
    place = Place(there, app("web-0"), app("web-1"), elsewhere)
    place.counts.look(10, {"web-0": 10})
    assert place.counts.chances == {"web-0": 0.5, "web-1": 0.5}


def test_pods_that_are_not_ready_are_due_nothing() -> None:
    place = Place(app("web-a"), app("web-b", ready=False))
    assert place.counts.look(10, {"web-a": 10}) == 1
    assert place.counts.chances == {"web-a": 1.0}


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        yield running


def logging(server: Server, name: str, lines: int) -> None:
    text = "".join(f'2026-11-21T14:03:{n:02d}Z "GET / HTTP/1.1" 200\n' for n in range(lines))
    log = f"/api/v1/namespaces/default/pods/{name}/log"
    server.on(log, lambda exchange: exchange.reply(200, text, "text/plain"))


def test_what_some_logs_tell_is_nothing_while_another_cannot_be_read(server: Server) -> None:
    transport = Transport(ClusterConfig(server.url))
    logs = AccessLogs(transport, "GET", "/", 0.0)
    pods = [app("web-a"), app("web-b")]
    counts = PodCounts(logs, lambda: pods, Kin(lambda: pods, "default"))
    broken = "/api/v1/namespaces/default/pods/web-b/log"
    counts.look(40, {})
    logging(server, "web-a", 3)
    server.on(broken, status(500, "InternalError", "no kubelet"))
    assert counts.read(lambda: False) == {}
    logging(server, "web-b", 2)
    assert counts.read(lambda: False) == {"web-a": 3, "web-b": 2}
    logging(server, "web-a", 9)
    server.on(broken, status(500, "InternalError", "no kubelet"))
    assert counts.read(lambda: False) == {"web-a": 3, "web-b": 2}
    server.on(broken, status(404, "NotFound", "it has gone"))
    assert counts.read(lambda: False) == {"web-a": 9, "web-b": 2}
    transport.close()
