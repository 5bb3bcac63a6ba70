from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from tui.garbage import Garbage


@pytest.fixture(autouse=True)
def _thresholds() -> Iterator[None]:
    before = gc.get_threshold()
    gc.set_threshold(700, 10, 10)
    yield
    gc.set_threshold(*before)


def test_only_the_young_are_searched_until_it_settles() -> None:
    usual, frozen = gc.get_threshold(), gc.get_freeze_count()
    garbage = Garbage()
    try:
        garbage.start()
        young = gc.get_threshold()[:2]
        assert young > usual[:2]
        assert gc.get_threshold()[2] > 1000 * usual[2]
        garbage.start()
        garbage.settle()
        assert gc.get_threshold() == (*young, usual[2])
        assert gc.get_freeze_count() > frozen
        settled = gc.get_freeze_count()
        kept: list[object] = [[] for _ in range(100)]
        garbage.settle()
        assert gc.get_freeze_count() <= settled, len(kept)
    finally:
        garbage.stop()
    assert gc.get_threshold() == usual


def test_a_program_that_ends_before_leaves_nothing_changed() -> None:
    usual, frozen = gc.get_threshold(), gc.get_freeze_count()
    garbage = Garbage()
    garbage.start()
    garbage.stop()
    garbage.settle()
    assert gc.get_threshold() == usual
    assert gc.get_freeze_count() <= frozen


def test_a_second_start_settles_again() -> None:
    garbage = Garbage()
    try:
        for _ in range(2):
            garbage.start()
            garbage.settle()
            assert gc.get_threshold()[2] == 10
            garbage.stop()
    finally:
        garbage.stop()
