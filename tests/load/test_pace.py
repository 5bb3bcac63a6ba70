"""Who sends when, by a clock that the test turns."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pytest

from tui.load import pace
from tui.load.curve import Curve, ramp, steady


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


class Answered(Fake):
    """A connection whose requests are answered so many seconds after they were sent."""

    def __init__(self, order: int, takes: float) -> None:
        super().__init__(order)
        self.takes = takes
        self.free = math.inf

    def send(self, now: float, intended: float) -> None:
        super().send(now, intended)
        self.free = now + self.takes

    def park(self, now: float) -> None:
        super().park(now)
        self.free = math.inf


class Clock:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        self.alarm = 0.0
        monkeypatch.setattr(pace, "perf_counter", lambda: self.now)

    def set_alarm(self, when: float) -> None:
        self.alarm = when

    def run(self, loop: Paced, connections: Sequence[Answered], until: float) -> None:
        """Let alarms ring and answers come, each at its time, from 100.0 on."""
        for connection in connections:
            loop.idle(connection, self.now)
        while True:
            first = min(connections, key=lambda c: c.free)
            alarm = self.alarm if self.alarm > self.now else math.inf
            self.now = min(first.free, alarm)
            if self.now >= until:
                return
            if first.free <= alarm:
                first.free = math.inf
                loop.idle(first, self.now)
            else:
                loop.wake()


Paced = pace.OpenLoop | pace.PerConnection


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def open_loop(clock: Clock, rate: float, **more: Any) -> pace.OpenLoop:
    share, count = more.get("share", (0, 1)), more.get("count")
    made = pace.OpenLoop(Curve(steady(rate)), count, share, clock.set_alarm)
    made.begin(100.0, more.get("end", 110.0))
    return made


def lateness(connections: Sequence[Answered]) -> list[float]:
    """How long after its time each request was sent."""
    return sorted(now - due for one in connections for now, due in one.sent)


def test_a_ramp_sends_its_area_each_at_its_time(clock: Clock) -> None:
    loop = pace.OpenLoop(Curve(ramp(0, 200, 0.6)), None, (0, 1), clock.set_alarm)
    loop.begin(100.0, 100.6)
    connections = [Answered(n, 0.001) for n in range(4)]
    clock.run(loop, connections, 101.0)
    sent = sorted(due for one in connections for _, due in one.sent)
    # After t seconds 200 / 0.6 × t² / 2 requests were due.
    assert sent == pytest.approx([100 + math.sqrt(n * 0.006) for n in range(60)], abs=1e-5)
    assert lateness(connections)[-1] < 1e-5


@pytest.mark.parametrize("each", [False, True])
def test_a_rate_is_met_exactly_and_connections_take_turns(clock: Clock, each: bool) -> None:
    loop: Paced = open_loop(clock, 100, end=100.5)
    if each:
        loop = pace.PerConnection(25, 4, None, clock.set_alarm)
        loop.begin(100.0, 100.5)
    connections = [Answered(n, 0.001) for n in range(4)]
    clock.run(loop, connections, 101.0)
    sent = sorted(due for one in connections for _, due in one.sent)
    assert sent == pytest.approx([100 + n / 100 for n in range(50)], abs=1e-5)
    assert lateness(connections)[-1] < 1e-5
    assert [len(one.sent) for one in connections] == [13, 13, 12, 12]


def test_a_target_that_is_too_slow_is_owed_more_and_more(clock: Clock) -> None:
    loop = open_loop(clock, 1000, end=100.4)
    connections = [Answered(n, 0.02) for n in range(2)]
    clock.run(loop, connections, 100.395)
    late = lateness(connections)
    assert len(late) == 40
    # The n-th is due after n ms and sent with its pair after 10 n ms.
    assert late[20] == pytest.approx(0.18, abs=0.01)


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
    first, second = Fake(0), Fake(1)
    each.idle(first, 105.04)
    each.idle(second, 105.04)
    assert (first.sent, second.sent) == ([(105.04, 105.0)], [(105.04, 104.95)])


def test_what_sums_of_periods_lose_is_not_one_request_more(clock: Clock) -> None:
    # 300 + 10 × 0.02 is 300.1999999999998 as a sum of floats: less than 300.2.
    each = pace.PerConnection(50, 1, None, clock.set_alarm)
    each.begin(300.0, 300.2)
    one = Fake()
    for number in range(20):
        each.idle(one, 300.0 + number)
    assert len(one.sent) == 10
