"""What happens now and then is drawn at once; what never ends is held to a rate."""

from __future__ import annotations

from tui.panes.pace import Pace


class Ticks:
    now = 5.0

    def __call__(self) -> float:
        return self.now


def test_a_burst_passes_at_once() -> None:
    pace = Pace(1.0, burst=3, clock=Ticks())
    assert [pace.take() for _ in range(5)] == [True, True, True, False, False]


def test_what_never_ends_is_held_to_the_rate() -> None:
    clock = Ticks()
    pace = Pace(0.5, burst=3, clock=clock)
    taken = 0
    for _ in range(1000):
        clock.now += 0.1
        taken += pace.take()
    assert 200 <= taken <= 203


def test_after_a_rest_there_is_a_burst_again_and_no_more() -> None:
    clock = Ticks()
    pace = Pace(1.0, burst=2, clock=clock)
    assert [pace.take() for _ in range(3)] == [True, True, False]
    clock.now += 3600
    assert [pace.take() for _ in range(3)] == [True, True, False]


def test_without_a_rate_it_is_always_ones_turn() -> None:
    pace = Pace(0.0, burst=1, clock=Ticks())
    assert all(pace.take() for _ in range(100))


def test_what_never_ends_takes_its_turns_together() -> None:
    clock = Ticks()
    chart, timeline, nodes = (Pace(every, clock=clock) for every in (0.5, 0.5, 2.0))
    taken: list[set[float]] = [set(), set(), set()]
    for _ in range(500):
        clock.now += 0.1
        for turns, pace in zip(taken, (chart, timeline, nodes), strict=True):
            if pace.take() and clock.now > 20:
                turns.add(clock.now)
    assert taken[0] == taken[1] > taken[2] != set()
