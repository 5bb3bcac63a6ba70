"""Ages are told by the cluster's clock, once it is known."""

from __future__ import annotations

from tui.analysis.scene import Director
from tui.state.clock import ClusterClock
from tui.state.fetched import Answer, ClockFact, ClockFetch, Result
from tui.state.links import Health, Link
from tui.state.place import Place
from tui.state.rows import Kind
from tui.state.store import Store


def test_it_follows_what_is_measured_and_not_its_jitter() -> None:
    clock = ClusterClock(lambda: 1000.0)
    assert clock() == 1000.0
    for ahead, now in ((90, 1090.0), (91, 1090.0), (88, 1090.0), (93, 1093.0), (0, 1000.0)):
        clock.learn(ahead)
        assert clock() == now, ahead
    assert clock.wall() == 1000.0


def test_what_is_shown_is_of_the_clusters_time() -> None:
    store = Store(clock=lambda: 1000.0)
    director = Director(store, Place())
    assert director.next(Link(Health.LIVE)).now == 1000.0
    store.put_fetched(ClockFetch(), Answer(Result.FOUND, ClockFact(-90), 1000.0))
    assert director.next(Link(Health.LIVE)).now == 910.0
    store.link(Kind.PODS, Health.LIVE)
    assert store.links[Kind.PODS].since == 910.0
