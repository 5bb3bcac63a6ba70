"""What stays on the board, and what a look at the cluster takes off."""

from __future__ import annotations

from pathlib import Path

from tui.cluster.objects import Ref
from tui.doors.setups_board import Board
from tui.setups.model import Broken, Catalogue, Setup, SetupStatus, State
from tui.setups.outcome import Failure, Outcome
from tui.state.setups import SetupRow
from tui.state.store import Store

CONFIG = Ref("ConfigMap", "default", "nginx-config")


def board() -> tuple[Board, Store]:
    store = Store()
    made = Board(store, lambda: 100.0)
    made.catalogue(Catalogue((), (Broken("nginx", Path("nginx"), ""),)), {}, "")
    return made, store


def row(store: Store) -> SetupRow:
    (found,) = store.drain().setups.rows
    return found


def absent(made: Board) -> None:
    made.status(SetupStatus("nginx", "default", State.ABSENT, "Not applied."))


def test_a_folder_with_the_name_of_a_built_in_one_does_not_hide_it() -> None:
    store = Store()
    nginx = Setup("nginx", "nginx in front of the app", "", Path("nginx"), builtin=True)
    broken = Broken("nginx", Path("own/nginx"), "A built-in setup has this name.")
    Board(store, lambda: 100.0).catalogue(Catalogue((nginx,), (broken,)), {"nginx": "n"}, "")
    shown = store.drain().setups
    assert [(one.key, one.title) for one in shown.rows] == [("n", "nginx in front of the app")]
    assert shown.notice == broken.problem


def test_a_refusal_stands_until_something_else_is_tried() -> None:
    made, store = board()
    made.begin("nginx", "applying")
    made.failed("nginx", "applying", "Type the name of the context.")
    absent(made)
    assert row(store).failure == "Type the name of the context."
    made.begin("nginx", "applying")
    assert row(store).failure == ""


def test_a_failure_half_way_goes_with_what_it_left() -> None:
    made, store = board()
    made.begin("nginx", "applying")
    failure = Failure(CONFIG, "Timeout", "It was not ready in time.")
    made.ended(
        "nginx",
        "applying",
        Outcome("nginx", "default", 1.0, (CONFIG,), failure=failure, undo="undoing deletes it"),
    )
    made.status(SetupStatus("nginx", "default", State.DEGRADED, "x", objects=(CONFIG,)))
    assert (row(store).failure, row(store).undo) == (failure.sentence, "undoing deletes it")
    absent(made)
    assert (row(store).failure, row(store).undo) == ("", "")


def test_a_failure_stands_while_nothing_can_be_read() -> None:
    made, store = board()
    made.begin("nginx", "applying")
    failure = Failure(CONFIG, "Timeout", "It was not ready in time.")
    ended = Outcome("nginx", "default", 1.0, (CONFIG,), failure=failure, undo="undoing deletes it")
    made.ended("nginx", "applying", ended)
    made.status(SetupStatus("nginx", "default", State.UNKNOWN, "The server does not answer."))
    assert (row(store).failure, row(store).undo) == (failure.sentence, "undoing deletes it")
