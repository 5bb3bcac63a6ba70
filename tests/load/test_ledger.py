"""Ticks of several workers, added up."""

from __future__ import annotations

from typing import Any

import pytest

from tests.load.running import plan
from tui.load.curve import steady
from tui.load.histogram import Histogram
from tui.load.ledger import Ledger
from tui.load.stats import Tick


def tick(number: int, count: int = 10, seconds: float = 0.01, **more: Any) -> Tick:
    values = bytes(Histogram([seconds] * count))
    return Tick(
        number=number,
        elapsed=number / 10,
        sent=count,
        latency=values,
        service=values,
        statuses={200: count},
        in_flight=3,
        connections=5,
        **more,
    )


def test_one_look_for_each_round_of_ticks() -> None:
    ledger = Ledger(plan("http://127.0.0.1/", duration=10))
    assert [
        ledger.add(0, tick(1)),
        ledger.add(1, tick(1)),
        ledger.add(1, tick(2)),
        ledger.add(0, tick(2)),
    ] == [True, False, True, False]
    now = ledger.snapshot("running", None)
    assert (now.responses, now.in_flight, now.connections) == (40, 6, 10)


def test_rates_and_percentiles_of_the_moment_forget_after_a_second() -> None:
    ledger = Ledger(plan("http://127.0.0.1/", duration=10))
    for number in range(1, 31):
        ledger.add(0, tick(number, count=10 if number <= 20 else 30, seconds=0.01 * number))
    now = ledger.snapshot("running", None)
    assert now.achieved_rate == pytest.approx(300, rel=0.01)
    assert now.mean_rate == pytest.approx((200 + 300) / 3)
    assert now.latency[50.0] >= 0.21
    assert now.progress == pytest.approx(0.3)


def test_asked_and_achieved() -> None:
    ledger = Ledger(plan("http://127.0.0.1/", duration=10, rate=steady(150)))
    for number in range(1, 11):
        ledger.add(0, tick(number))
    now = ledger.snapshot("running", None)
    assert (now.asked_rate, now.asked_total) == (150, 150)
    assert now.achieved_rate == pytest.approx(100)


def test_seconds_of_two_workers() -> None:
    ledger = Ledger(plan("http://127.0.0.1/", duration=10, rate=steady(400)))
    for number in range(1, 26):
        for worker in (0, 1):
            ledger.add(worker, tick(number))
    rows = ledger.seconds.all()
    assert [row.second for row in rows] == [0, 1, 2]
    assert [row.responses for row in rows] == [200, 200, 100]
    assert [row.connections for row in rows] == [10, 10, 10]
    assert [row.asked for row in rows] == [400, 400, 200]


def test_the_last_word_of_all_workers_ends_it() -> None:
    ledger = Ledger(plan("http://127.0.0.1/", duration=1))
    ledger.add(0, tick(1, ended=0.95))
    ledger.add(1, tick(1, ended=0.97))
    assert ledger.lasted == 0.97
    assert ledger.snapshot("done", None).in_flight == 0
