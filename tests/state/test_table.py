from __future__ import annotations

from tests.samples import pod
from tui.state.rows import Kind, PodRow
from tui.state.table import Change, Table

A, B = pod("a", age=10), pod("b", age=20)
A2 = pod("a", age=10, restarts=1)


def table(*rows: PodRow) -> Table[PodRow]:
    made: Table[PodRow] = Table(Kind.PODS)
    for row in rows:
        made.put(row, 1.0)
    return made


def test_a_new_table_is_empty() -> None:
    view, changes = table().drain()
    assert (dict(view.rows), changes, view.generation) == ({}, (), 0)


def test_rows_come_out_by_uid_with_what_changed() -> None:
    rows = table(A, B)
    view, changes = rows.drain()
    assert dict(view.rows) == {A.uid: A, B.uid: B}
    assert changes == (Change(Kind.PODS, None, A, 1.0), Change(Kind.PODS, None, B, 1.0))
    assert len(rows) == 2
    assert rows.uids == {A.uid, B.uid}
    assert rows.get(A.uid) is A


def test_an_equal_row_is_no_change() -> None:
    rows = table(A)
    first, _ = rows.drain()
    assert rows.put(pod("a", age=10), 2.0) is False
    assert rows.drain() == (first, ())
    assert rows.drain()[0] is first


def test_several_changes_of_a_row_are_one_from_first_to_last() -> None:
    rows = table(A)
    rows.drain()
    rows.put(A2, 5.0)
    rows.drop(A.uid, 6.0)
    rows.put(pod("a", age=10, restarts=2), 7.0)
    _, (change,) = rows.drain()
    assert change == Change(Kind.PODS, A, pod("a", age=10, restarts=2), 5.0)


def test_what_came_and_went_between_two_looks_was_never_there() -> None:
    rows = table(A)
    first, _ = rows.drain()
    rows.put(B, 2.0)
    rows.drop(B.uid, 3.0)
    rows.put(A2, 4.0)
    rows.put(A, 5.0)
    second, changes = rows.drain()
    assert changes == ()
    assert second is first


def test_views_do_not_change_afterwards() -> None:
    rows = table(A)
    view, _ = rows.drain()
    rows.put(A2, 2.0)
    rows.put(B, 2.0)
    assert dict(view.rows) == {A.uid: A}


def test_dropping_what_is_not_there_is_nothing() -> None:
    rows = table(A)
    rows.drain()
    assert rows.drop("other", 2.0) is False
    assert rows.drain()[1] == ()


def test_retaining_drops_the_rest() -> None:
    rows = table(A, B)
    rows.drain()
    assert rows.retain([B.uid, "never seen"], 4.0) == 1
    view, changes = rows.drain()
    assert dict(view.rows) == {B.uid: B}
    assert changes == (Change(Kind.PODS, A, None, 4.0),)
