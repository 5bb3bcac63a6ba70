"""Repeated, late and out-of-order events are no news; a list is truth again."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.cluster.running import Running
from tests.cluster.server import eventually, listing, pod, watching
from tui.cluster.versions import Versions

Run = Callable[..., Running]


def test_each_state_of_an_object_is_news_once() -> None:
    versions = Versions()
    asked = [("a", "5"), ("a", "5"), ("a", "4"), ("b", "4"), ("a", "6")]
    assert [versions.is_news(*each) for each in asked] == [True, False, False, True, True]


def test_what_was_deleted_does_not_come_back() -> None:
    versions = Versions()
    assert versions.is_news("a", "5")
    versions.forget("a")
    assert not versions.is_news("a", "6")


def test_of_many_that_were_deleted_the_last_are_remembered() -> None:
    versions = Versions()
    for number in range(5000):
        versions.forget(str(number))
    assert not versions.is_news("4999", "6")
    assert not versions.is_news("3000", "6")
    assert len(versions._deleted) < 5000


def test_what_a_list_did_not_hold_was_gone_by_then() -> None:
    versions = Versions()
    versions.restart()
    assert versions.is_news("a", "7")
    versions.listed("100")
    assert not versions.is_news("ghost", "100")
    assert versions.is_news("new", "101")
    assert versions.is_news("a", "101")


def test_a_list_of_a_restored_server_counts_though_its_versions_are_lower() -> None:
    versions = Versions()
    versions.listed("100")
    versions.restart()
    assert versions.is_news("a", "7")
    versions.listed("9")
    assert versions.is_news("b", "10")


@pytest.mark.parametrize("version", ["", "x7", "7.5", "9" * 6000])
def test_versions_that_are_no_numbers_are_always_news(version: str) -> None:
    versions = Versions()
    versions.listed(version)
    assert versions.is_news("a", version)
    assert versions.is_news("a", version)
    assert versions.is_news("b", "1")


def test_an_event_from_before_the_list_makes_no_ghost(run: Run) -> None:
    running = run(
        listing([pod("a", 50)], "100"),
        watch=(
            watching(("ADDED", pod("ghost", 90)), ("MODIFIED", pod("a", 101)),
                     ("ADDED", pod("b", 102))),
        ),
    )  # fmt: skip
    eventually(lambda: "b" in running.names())
    assert running.names() == {"a", "b"}
