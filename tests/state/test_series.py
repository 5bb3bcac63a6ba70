from __future__ import annotations

from bisect import bisect_right

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.thorough import examples
from tui.state.series import HOUR, LINGER, PLENTY, History, Keep, Member, Ring

prove = settings(derandomize=True, deadline=None, max_examples=examples(40, 500))
STEPS = st.lists(st.tuples(st.floats(-50, 400), st.integers(0, 9)), max_size=80)


class TestRing:
    @prove
    @given(STEPS, st.integers(4, 40), st.floats(50, 1000))
    def test_bounds_and_order(
        self, moves: list[tuple[float, int]], capacity: int, span: float
    ) -> None:
        ring = Ring(capacity, span)
        now, kept = 0.0, 0
        for step, value in moves:
            now += step
            newest = ring.last_time
            taken = ring.append(now, value)
            assert taken is (newest is None or now > newest)
            kept += taken
            points = ring.since(-1e9)
            times = list(points.times)
            assert len(ring) == len(times) == len(points.values) <= capacity * 17 / 16
            assert times == sorted(set(times))
            # One point may be older: what held at the span's beginning.
            assert all(t >= times[-1] - span * 17 / 16 for t in times[1:])
            assert len(times) >= min(kept, 1)

    @prove
    @given(STEPS, st.floats(0, 2000))
    def test_a_step_holds_its_value_at_the_windows_start(
        self, moves: list[tuple[float, int]], start: float
    ) -> None:
        ring = Ring(capacity=1000, span=300)
        written: list[tuple[float, int]] = []
        now = 0.0
        for step, value in moves:
            now += step
            if ring.append(now, value):
                written.append((now, value))
        if not written:
            assert not ring.since(start)
            return
        start = max(start, written[-1][0] - 300)
        points = ring.since(start)
        held = bisect_right([t for t, _ in written], start)
        if held:
            shown = [v for t, v in zip(points.times, points.values, strict=True) if t <= start]
            assert shown[-1] == written[held - 1][1]
        assert len([t for t in points.times if t < start]) <= 1
        assert [t for t in points.times if t >= start] == [t for t, _ in written if t >= start]

    def test_old_points_go_but_for_the_one_that_held(self) -> None:
        ring = Ring(capacity=100, span=100)
        for time in (0, 10, 20, 200):
            ring.append(time, time)
        assert list(ring.since(0).times) == [20, 200]

    def test_the_oldest_go_when_it_is_full(self) -> None:
        ring = Ring(capacity=8, span=1e9)
        for time in range(11):
            ring.append(time, time)
        assert list(ring.since(-1).times) == [3, 4, 5, 6, 7, 8, 9, 10]

    def test_an_hour_at_the_finest_resolution_fits(self) -> None:
        ring = Ring()
        for n in range(2000):
            ring.append(10.0 * n, n)
        assert ring.last_time is not None
        points = ring.since(0)
        assert points.times[-1] - points.times[0] >= HOUR - 10

    @pytest.mark.parametrize(("every", "most"), [(10.0, 383), (15.0, 272), (21.0, 192), (150, 32)])
    def test_what_has_lasted_gets_the_room_it_will_need_at_once(
        self, every: float, most: int
    ) -> None:
        ring = Ring()
        sizes = []
        for n in range(1000):
            ring.append(every * n, n)
            sizes.append(len(ring.points))
        assert sizes[0] < sizes[8] == 16 * 16
        assert set(sizes[16:]) == {16 * most}

    @pytest.mark.parametrize("capacity", [4, 16, 40, 360, 1024])
    def test_there_is_never_more_room_than_may_be_used(self, capacity: int) -> None:
        ring = Ring(capacity, span=1e9)
        for n in range(3 * capacity):
            ring.append(n, n)
        assert len(ring.points) == 16 * (capacity + capacity // 16 + 1)

    def test_what_is_read_is_a_copy(self) -> None:
        ring = Ring()
        ring.append(1, 1)
        points = ring.since(0)
        ring.append(2, 2)
        ring.amend(9)
        assert (list(points.times), ring.last_value) == ([1], 9)

    def test_empty(self) -> None:
        ring = Ring()
        assert (ring.last_time, ring.last_value, len(ring)) == (None, None, 0)
        assert not ring.since(0)


class TestHistory:
    def test_usage_by_key(self) -> None:
        history = History()
        assert history.usage("a", 10, 100, 2000)
        assert history.usage("a", 25, 110, 2100)
        assert list(history.cpu("a", 0).values) == [100, 110]
        assert list(history.memory("a", 20).values) == [2000, 2100]
        assert not history.cpu("b", 0)

    def test_whatever_a_pod_claims_to_use_is_a_sample(self) -> None:
        history = History()
        history.usage("a", 10, 10**400, 10**400)
        history.usage("a", 25, 1, 1)
        assert history.cpu("a", 0).values[0] > 1e38
        assert list(history.memory("a", 25).times) == [10, 25]

    def test_a_sample_seen_before_is_no_sample(self) -> None:
        history = History()
        history.usage("a", 10, 100, 2000)
        assert not history.usage("a", 10, 500, 5000)
        assert not history.usage("a", 5, 500, 5000)
        assert list(history.cpu("a", 0).values) == [100]

    def test_steps_are_written_when_they_change(self) -> None:
        history = History()
        for time, value in ((1, 2), (2, 2), (3, 4), (4, 4), (5, 2)):
            history.step("w", "current", time, value)
        points = history.steps("w", "current", 0)
        assert list(zip(points.times, points.values, strict=True)) == [(1, 2), (3, 4), (5, 2)]

    @pytest.mark.parametrize("time", [10.0, 4.0])
    def test_a_clock_set_back_loses_no_step(self, time: float) -> None:
        history = History()
        history.step("w", "current", 10.0, 2)
        history.step("w", "current", time, 4)
        points = history.steps("w", "current", 0)
        assert (list(points.times), list(points.values)) == ([10.0], [4])

    def test_forgetting_takes_series_that_ended(self) -> None:
        history = History()
        history.usage("old", 100, 1, 1)
        history.usage("lives", 100, 1, 1)
        history.usage("lives", 500, 1, 1)
        assert history.forget_before(200) == 1
        assert not history.cpu("old", 0)
        assert list(history.cpu("lives", 0).times) == [100, 500]

    def test_members_stay_as_long_as_their_series(self) -> None:
        history = History()
        for uid, time in (("p1", 100), ("p2", 300)):
            history.usage(uid, time, 1, 1)
            history.member("w", Member(uid, f"pod-{uid}", 100))
        assert [m.uid for m in history.members("w")] == ["p1", "p2"]
        history.forget_before(200)
        assert [m.uid for m in history.members("w")] == ["p2"]
        history.forget_before(400)
        assert history.members("w") == []

    def test_steps_outlive_their_object_by_a_span(self) -> None:
        history = History()
        history.step("w", "ready", 10, 2)
        history.ended("w", 1000)
        history.forget_before(900)
        assert history.steps("w", "ready", 0)
        history.forget_before(1001)
        assert not history.steps("w", "ready", 0)

    def test_steps_of_what_still_is_are_never_forgotten(self) -> None:
        history = History()
        history.step("w", "ready", 10, 2)
        history.ended("w", 1000)
        history.lives("w")
        history.forget_before(1e9)
        assert list(history.steps("w", "ready", 1e8).values) == [2]


class TestPlenty:
    """In a large cluster the pods' own series are brief; workloads and nodes keep theirs."""

    def test_a_pod_keeps_ten_minutes(self) -> None:
        history = History()
        for number in range(PLENTY):
            history.usage(f"p{number}", 0.0, 1.0, 1.0)
        for poll in range(200):
            history.usage("late", 15.0 * poll, 1.0, 1.0)
            history.usage("whole", 15.0 * poll, 1.0, 1.0, Keep.WHOLE)
        assert 40 <= len(history.cpu("late", 0.0).times) <= 50
        assert len(history.cpu("whole", 0.0).times) == 200

    def test_those_that_are_gone_go_after_five_minutes(self) -> None:
        history = History()
        for number in range(PLENTY + 1):
            history.usage(f"p{number}", 0.0, 1.0, 1.0)
        history.usage("alive", 400.0, 1.0, 1.0)
        assert history.forget_before(LINGER - HOUR) == 0
        assert history.forget_before(400.0 - HOUR) == PLENTY + 1
        assert history.cpu("alive", 0.0)

    def test_a_workload_without_pods_keeps_its_hour(self) -> None:
        history = History()
        for number in range(PLENTY + 1):
            history.usage(f"p{number}", 900.0, 1.0, 1.0)
        history.usage("scaled to none", 0.0, 1.0, 1.0, Keep.WHOLE)
        history.forget_before(900.0 - HOUR)
        assert history.cpu("scaled to none", 0.0)
        history.forget_before(1.0)
        assert not history.cpu("scaled to none", 0.0)

    def test_few_are_kept_for_the_whole_span(self) -> None:
        history = History()
        history.usage("gone", 0.0, 1.0, 1.0)
        history.usage("alive", 700.0, 1.0, 1.0)
        assert history.forget_before(700.0 - HOUR) == 0
