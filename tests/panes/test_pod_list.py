"""The order of the pods pane: kept by changes alone, it is the one that sorting anew gives."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.samples import Clock, pod, usage
from tui.panes.pod_columns import COLUMNS, DESCENDING, SORTS, Cell
from tui.panes.pod_list import Choice, PodList
from tui.state.rows import Kind, PodRow
from tui.state.store import Store

_KEYS = {column.id: column.key for column in COLUMNS}
_choices = st.builds(
    Choice,
    st.sampled_from([*SORTS, "namespace", "ip", "ready"]),
    st.booleans(),
    st.sampled_from(["", "run", "!run", "p1 !pend", "!", "other/", "nothing-like-it"]),
)
_pods = st.builds(
    lambda number, again, space, age, status, restarts, node, deleting: pod(
        f"p{number}",
        age=age,
        uid=f"u{number}-{again}",
        namespace=space,
        status=status,
        restarts=restarts,
        node=node,
        deleting=deleting,
    ),
    st.integers(0, 8),
    st.integers(0, 1),
    st.sampled_from(["default", "other"]),
    st.integers(0, 3),
    st.sampled_from(["Running", "Pending", "CrashLoopBackOff"]),
    st.integers(0, 2),
    st.sampled_from(["", "a", "b"]),
    st.sampled_from([None, 1.0]),
)


def expected(pods: list[PodRow], figures: Any, choice: Choice) -> list[PodRow]:
    """Two stable sorts, turned round or not, and each word looked for in each pod."""
    for word in choice.filter.lower().split():
        wanted, word = not word.startswith("!"), word.removeprefix("!")
        if word:
            pods = [
                p
                for p in pods
                if (word in f"{p.namespace}/{p.name} {p.status} {p.node}".lower()) == wanted
            ]
    pods = sorted(pods, key=lambda p: (p.namespace, p.name, p.uid))
    key = _KEYS[choice.sort]
    found = sorted(
        pods,
        key=lambda p: key(Cell(p, figures.get((p.namespace, p.name)), 0.0)),
        reverse=choice.sort in DESCENDING,
    )
    return found[::-1] if choice.reverse else found


def check(shown: PodList, pods: list[PodRow], figures: Any, choice: Choice) -> None:
    wanted = expected(pods, figures, choice)
    # Sorting in reverse keeps the order of equals, which uids alone tell apart.
    assert [(p.namespace, p.name) for p in shown.rows] == [(p.namespace, p.name) for p in wanted]
    assert {p.uid: p for p in shown.rows} == {p.uid: p for p in wanted}
    live = [p for p in wanted if p.deleting is None and not p.terminal]
    assert (shown.live, shown.ready) == (len(live), sum(bool(p.ready) for p in live))
    assert shown.of == len(pods)
    assert [shown.index(p.uid) for p in shown.rows] == list(range(len(shown.rows)))


@settings(max_examples=150)
@given(
    _choices,
    st.lists(st.lists(st.tuples(_pods, st.booleans()), max_size=6), max_size=8),
    st.lists(st.tuples(st.integers(0, 8), st.integers(1, 400)), max_size=6),
)
def test_changes_lead_where_sorting_anew_leads(
    choice: Choice, ticks: list[list[tuple[PodRow, bool]]], samples: list[tuple[int, int]]
) -> None:
    store, shown = Store(Clock()), PodList()
    store.sample_pods([usage(f"p{number}", cpu, time=0.0) for number, cpu in samples])
    delta = store.drain()
    rows = delta.pods.rows.values()
    shown.remake([], delta.pod_usage, choice)
    for tick in ticks:
        for row, there in tick:
            if there:
                store.put(Kind.PODS, [row])
            else:
                store.drop(Kind.PODS, [row.uid])
        delta = store.drain()
        rows = delta.pods.rows.values()
        shown.update(list(delta.changes), rows, delta.pod_usage)
        check(shown, list(rows), delta.pod_usage, choice)
    for turned in (choice._replace(reverse=not choice.reverse), choice):
        shown.turn()
        check(shown, list(rows), delta.pod_usage, turned)


def test_so_many_changes_that_sorting_anew_is_quicker() -> None:
    store, shown = Store(Clock()), PodList()
    store.put(Kind.PODS, [pod(f"p{number:04}", age=number % 7) for number in range(400)])
    delta = store.drain()
    shown.update(list(delta.changes), delta.pods.rows.values(), delta.pod_usage)
    check(shown, list(delta.pods.rows.values()), delta.pod_usage, Choice())


@pytest.mark.parametrize("sort", SORTS)
def test_a_pod_that_is_as_it_was_stays_where_it_was(sort: str) -> None:
    rows = [pod(f"p{number}", age=number) for number in range(5)]
    store, shown = Store(Clock()), PodList()
    store.put(Kind.PODS, rows)
    delta = store.drain()
    choice = Choice(sort)
    shown.remake(delta.pods.rows.values(), delta.pod_usage, choice)
    before = [p.name for p in shown.rows]
    store.put(Kind.PODS, [msgspec.structs.replace(rows[2], ip="10.0.0.9")])
    delta = store.drain()
    shown.update(list(delta.changes), delta.pods.rows.values(), delta.pod_usage)
    assert [p.name for p in shown.rows] == before
    at = shown.index(rows[2].uid)
    assert at is not None
    assert shown.rows[at].ip == "10.0.0.9"
