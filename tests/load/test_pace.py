"""Who sends when, by a clock that the test turns."""

from __future__ import annotations

from typing import Any

import pytest

from tui.load import pace
from tui.load.curve import Curve, steady


class Fake:
    """A connection that notes when it was told to send."""

    def __init__(self, order: int = 0) -> None:
        self.order = order
        self.retired = False
        self.intended = 0.0
        self.sent: list[tuple[float, float]] = []
        self.parked = 0

    def send(self, now: float, intended: float) -> None:
        self.intended = intended
        self.sent.append((now, round(intended, 6)))

    def park(self, now: float) -> None:
        self.parked += 1


class Clock:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        self.alarm = 0.0
        monkeypatch.setattr(pace, "perf_counter", lambda: self.now)

    def set_alarm(self, when: float) -> None:
        self.alarm = when


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def open_loop(clock: Clock, rate: float, **more: Any) -> pace.OpenLoop:
    share, count = more.get("share", (0, 1)), more.get("count")
    made = pace.OpenLoop(Curve(steady(rate)), count, share, clock.set_alarm)
    made.begin(100.0, more.get("end", 110.0))
    return made


def test_closed_loop_counts_down_and_stops() -> None:
    loop, one = pace.ClosedLoop(2), Fake()
    for _ in range(3):
        loop.idle(one, 5.0)
    assert (len(one.sent), one.parked, loop.exhausted) == (2, 1, True)


def test_open_loop_sets_the_alarm_for_the_next_that_is_due(clock: Clock) -> None:
    loop, one, other = open_loop(clock, 10), Fake(0), Fake(1)
    loop.idle(one, 100.0)
    assert one.sent == [(100.0, 100.0)]
    loop.idle(other, 100.01)
    assert clock.alarm == pytest.approx(100.1)
    clock.now = clock.alarm
    loop.wake()
    assert other.sent == [(clock.now, 100.1)]


def test_open_loop_owes_what_was_due_while_nobody_was_free(clock: Clock) -> None:
    loop, one = open_loop(clock, 10), Fake()
    loop.idle(one, 100.0)
    loop.idle(one, 100.55)
    loop.idle(one, 100.56)
    assert [intended for _, intended in one.sent] == [100.0, 100.1, 100.2]


def test_workers_share_a_rate_without_a_gap(clock: Clock) -> None:
    due = []
    for index in range(3):
        loop, one = open_loop(clock, 30, share=(index, 3), count=9), Fake()
        for _ in range(5):
            loop.idle(one, 105.0)
        due += [intended for _, intended in one.sent]
        assert loop.exhausted
    assert sorted(due) == pytest.approx([100 + n / 30 for n in range(9)], abs=1e-5)


def test_nothing_is_due_at_the_end(clock: Clock) -> None:
    loop, one = open_loop(clock, 10, end=100.2), Fake()
    for _ in range(4):
        loop.idle(one, 109.0)
    assert [intended for _, intended in one.sent] == [100.0, 100.1]
    assert not loop.exhausted
    loop.stop()
    assert loop.exhausted


def test_retired_connections_get_nothing(clock: Clock) -> None:
    loop, old, new = open_loop(clock, 10), Fake(0), Fake(1)
    loop.idle(Fake(2), 100.0)
    loop.idle(old, 100.0)
    loop.idle(new, 100.0)
    old.retired = True
    clock.now = 100.1
    loop.wake()
    assert (old.sent, len(new.sent)) == ([], 1)


def test_each_connection_has_a_rate_of_its_own_and_a_begin_of_its_own(clock: Clock) -> None:
    each = pace.PerConnection(10, 2, None, clock.set_alarm)
    each.begin(100.0, 110.0)
    one, other = Fake(0), Fake(1)
    each.idle(one, 100.0)
    each.idle(other, 100.0)
    assert one.sent == [(100.0, 100.0)]
    assert clock.alarm == pytest.approx(100.05)
    each.idle(one, 100.31)
    each.idle(one, 100.32)
    assert [intended for _, intended in one.sent] == [100.0, 100.1, 100.2]
    clock.now = 100.33
    each.wake()
    assert other.sent == [(100.33, 100.05)]


def test_a_connection_that_opens_later_owes_nothing_of_before(clock: Clock) -> None:
    each = pace.PerConnection(10, 2, None, clock.set_alarm)
    each.begin(100.0, 110.0)
    late = Fake(0)
    each.idle(late, 105.04)
    assert not late.sent or late.sent[0][1] >= 104.94
