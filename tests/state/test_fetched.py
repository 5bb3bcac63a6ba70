"""Answers of the cluster beside the tables."""

from __future__ import annotations

from tests.samples import NOW, Clock, pod
from tui.state.fetched import Answer, ClockFact, ClockFetch, ConfigMapFetch, Result
from tui.state.links import Health
from tui.state.rows import Kind
from tui.state.store import Store

CLOCK = ClockFetch()
MAP = ConfigMapFetch("default", "web")


def test_an_answer_that_says_nothing_new_keeps_its_time() -> None:
    store = Store(Clock(NOW))
    store.put_fetched(CLOCK, Answer(Result.FOUND, ClockFact(0), NOW))
    before = store.drain().fetched
    store.put_fetched(ClockFetch(), Answer(Result.FOUND, ClockFact(0), NOW + 10))
    assert store.drain().fetched is before
    store.put_fetched(CLOCK, Answer(Result.FOUND, ClockFact(9), NOW + 20))
    assert store.drain().fetched[CLOCK].at == NOW + 20
    assert before[CLOCK].fact == ClockFact(0)


def test_what_nobody_wants_is_let_go() -> None:
    store = Store(Clock(NOW))
    for fetch in (CLOCK, MAP):
        store.put_fetched(fetch, Answer(Result.ABSENT))
    store.retain_fetched([MAP])
    assert list(store.fetched) == [MAP]


def test_rows_now_do_not_disturb_the_drain() -> None:
    store = Store(Clock(NOW))
    assert store.rows(Kind.PODS) is None
    store.link(Kind.PODS, Health.LIVE)
    assert store.rows(Kind.PODS) == ()
    row = pod("a", age=1)
    store.put(Kind.PODS, [row])
    assert store.rows(Kind.PODS) == (row,)
    assert [change.after for change in store.drain().changes] == [row]
