from __future__ import annotations

from bisect import bisect_right
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.samples import NAMES, NOW, Clock, cpu_metric, deployment, hpa, pod, replicaset, usage
from tests.thorough import examples
from tui.analysis.focus import Focus, resolve
from tui.analysis.trend import MOST_LINES, Curve, Trend, ceiling, pieces, steps, thinned, trend
from tui.analysis.trend import within as part
from tui.state.rows import ContainerRow, Kind
from tui.state.store import Store

prove = settings(derandomize=True, deadline=None, max_examples=examples(50, 500))
CURVES = st.lists(
    st.tuples(st.integers(0, 1000), st.integers(-50, 500)), max_size=60, unique_by=lambda p: p[0]
).map(lambda p: Curve(tuple(float(t) for t, _ in sorted(p)), tuple(float(v) for _, v in sorted(p))))
WINDOWS = st.tuples(st.integers(0, 900), st.integers(1, 400)).map(lambda w: (w[0], w[0] + w[1]))


def _held(curve: Curve, time: float) -> float | None:
    at = bisect_right(curve.times, time)
    return curve.values[at - 1] if at else None


class TestSteps:
    @prove
    @given(CURVES, WINDOWS)
    def test_a_line_of_held_values(self, curve: Curve, window: tuple[int, int]) -> None:
        start, end = window
        line = steps(curve, start, end)
        assert list(line.times) == sorted(line.times)
        assert all(start <= t <= end for t in line.times)
        if not [t for t in curve.times if t <= end]:
            assert line == Curve()
            return
        assert line.times[-1] == end
        assert line.values[-1] == _held(curve, end)
        held = _held(curve, start)
        if held is not None:
            assert line.times[0] == start
            assert [v for t, v in zip(line.times, line.values, strict=True) if t == start] == [held]
        # Between two points the line is level or upright: never slanted.
        for i in range(1, len(line.times)):
            assert line.times[i] == line.times[i - 1] or line.values[i] == line.values[i - 1]

    def test_what_was_before_the_window_draws_nothing_in_it(self) -> None:
        curve = Curve((0, 10, 20, 130), (2, 10, 4, 8))
        assert steps(curve, 100, 160) == Curve((100, 130, 130, 160), (4, 4, 8, 8))


class TestWithin:
    @prove
    @given(CURVES, WINDOWS)
    def test_the_points_of_the_window(self, curve: Curve, window: tuple[int, int]) -> None:
        start, end = window
        cut = part(curve, start, end)
        inside = [t for t in curve.times if start <= t <= end]
        assert [t for t in cut.times if t in curve.times] == inside
        assert len(cut.times) - len(inside) in (0, 1)
        assert list(cut.times) == sorted(set(cut.times))

    def test_the_start_is_interpolated(self) -> None:
        curve = Curve((0, 10, 20), (0, 100, 50))
        assert part(curve, 5, 20) == Curve((5, 10, 20), (50, 100, 50))
        assert part(curve, 10, 15) == Curve((10,), (100,))
        assert part(curve, 30, 40) == Curve()


class TestPieces:
    @prove
    @given(CURVES, st.integers(1, 200))
    def test_cut_at_the_holes_and_nowhere_else(self, curve: Curve, gap: int) -> None:
        cut = pieces(curve, gap)
        assert [t for c in cut for t in c.times] == list(curve.times)
        assert [v for c in cut for v in c.values] == list(curve.values)
        assert all(len(c.times) > 0 for c in cut)
        for c in cut:
            assert all(b - a <= gap for a, b in pairwise(c.times))
        for left, right in pairwise(cut):
            assert right.times[0] - left.times[-1] > gap


class TestThinned:
    @prove
    @given(CURVES, st.integers(4, 40))
    def test_few_points_every_peak_both_ends(self, curve: Curve, most: int) -> None:
        few = thinned(curve, most)
        assert len(few.times) <= most + 2
        points = list(zip(curve.times, curve.values, strict=True))
        kept = list(zip(few.times, few.values, strict=True))
        assert set(kept) <= set(points)
        assert kept == sorted(kept)
        if points:
            assert (kept[0], kept[-1]) == (points[0], points[-1])
            assert (min(few.values), max(few.values)) == (min(curve.values), max(curve.values))

    def test_a_single_spike_survives(self) -> None:
        values = [10.0] * 600
        values[333] = 900.0
        curve = Curve(tuple(float(t) for t in range(600)), tuple(values))
        assert 900.0 in thinned(curve, 40).values

    def test_what_is_short_enough_stays_itself(self) -> None:
        curve = Curve((1, 2, 3), (1, 2, 3))
        assert thinned(curve, 10) is curve


class TestCeiling:
    @prove
    @given(st.lists(st.floats(0, 1e18), max_size=8))
    def test_above_everything_but_not_far(self, values: list[float]) -> None:
        top, largest = ceiling(values), max(values, default=0.0)
        assert top >= largest
        assert largest == 0 or top <= max(1.0, largest * 2)
        assert float(f"{top:.2g}") == top

    @pytest.mark.parametrize(
        ("value", "top"),
        [(0, 100), (0.4, 1), (1, 1), (9.99, 10), (10, 10), (80.1, 100), (100, 100), (101, 150),
         (347, 400), (999, 1000), (1000, 1000)],
    )  # fmt: skip
    def test_round_numbers(self, value: float, top: float) -> None:
        assert ceiling([value]) == top

    def test_of_nothing(self) -> None:
        assert ceiling([]) == ceiling([-5.0]) == 100


class Run:
    """A Deployment with an HPA under measurement."""

    def __init__(self) -> None:
        self.clock = Clock(NOW)
        self.store = Store(self.clock)
        self.store.put(Kind.REPLICASETS, [replicaset(2)])
        self.store.put(Kind.DEPLOYMENTS, [deployment(2, 2)])
        self.store.put(Kind.HPAS, [hpa(2, 2, 3)])

    def sample(self, seconds: float, *cpu: int) -> None:
        self.clock.now += seconds
        self.store.sample_pods(
            [usage(n, c, time=self.clock.now) for n, c in zip(NAMES, cpu, strict=False)]
        )

    def trend(self) -> Trend:
        delta = self.store.drain()
        return trend(self.store, resolve(delta, None, None), self.clock.now)


class TestTrend:
    def test_nothing_in_view(self) -> None:
        assert trend(Store(Clock()), Focus(), NOW) == Trend()

    def test_percent_of_what_was_requested_at_the_time(self) -> None:
        run = Run()
        run.store.put(Kind.PODS, [pod(NAMES[0], age=50), pod(NAMES[1], age=50)])
        run.sample(15, 50)
        run.sample(15, 50, 150)
        bigger = (ContainerRow("fastapi", 300),)
        run.store.put(Kind.PODS, [pod(NAMES[1], age=50, containers=bigger)])
        run.sample(15, 50, 150)
        made = run.trend()
        assert made.percent
        assert made.total.times == (NOW + 15, NOW + 30, NOW + 45)
        assert made.total.values == (50.0, 100.0, 50.0)
        assert made.target == 50

    def test_a_line_a_pod_gone_ones_too(self) -> None:
        run = Run()
        run.store.put(Kind.PODS, [pod(NAMES[0], age=50), pod(NAMES[1], age=40)])
        run.sample(15, 20, 30)
        run.store.drop(Kind.PODS, [f"uid-{NAMES[0]}"])
        run.clock.now += 15
        run.store.sample_pods([usage(NAMES[1], 60, time=run.clock.now)])
        first, second = run.trend().pods
        assert (first.name, first.gone, first.values) == (NAMES[0], True, (20.0,))
        assert (second.name, second.gone, second.values) == (NAMES[1], False, (30.0, 60.0))

    def test_without_requests_millicores_and_no_target(self) -> None:
        run = Run()
        run.store.put(Kind.PODS, [pod(NAMES[0], age=50, containers=(ContainerRow("fastapi"),))])
        run.sample(15, 35)
        made = run.trend()
        assert (made.percent, made.target) == (False, None)
        assert made.total.values == (35.0,)
        assert made.pods[0].values == (35.0,)

    def test_replica_steps(self) -> None:
        run = Run()
        run.clock.now += 20
        run.store.put(Kind.HPAS, [hpa(2, 4, 90)])
        run.clock.now += 1
        run.store.put(Kind.DEPLOYMENTS, [deployment(4, 2)])
        run.clock.now += 3
        run.store.put(Kind.DEPLOYMENTS, [deployment(4, 4)])
        made = run.trend()
        assert made.desired[:2] == ((NOW, NOW + 20), (2, 4))
        assert made.current[:2] == ((NOW, NOW + 21), (2, 4))
        assert made.ready[:2] == ((NOW, NOW + 24), (2, 4))

    def test_an_hpa_on_something_else_than_utilization_has_no_target_line(self) -> None:
        run = Run()
        memory = (cpu_metric(40),)
        run.store.put(Kind.HPAS, [hpa(2, 2, 3, metrics=())])
        assert run.trend().target is None
        run.store.put(Kind.HPAS, [hpa(2, 2, 3, metrics=memory)])
        assert run.trend().target == 50

    def test_the_newest_pods_are_told_apart(self) -> None:
        run = Run()
        names = [f"p{n}" for n in range(MOST_LINES + 5)]
        run.store.put(Kind.PODS, [pod(n, age=5) for n in names])
        run.store.sample_pods([usage(n, 1, time=NOW) for n in names])
        assert [c.name for c in run.trend().pods] == names[5:]

    def test_one_hour(self) -> None:
        run = Run()
        run.store.put(Kind.PODS, [pod(NAMES[0], age=50)])
        for _ in range(300):
            run.sample(15, 20)
        times = run.trend().total.times
        assert times[-1] - times[0] <= 3600 + 15
        assert len(times) >= 240
