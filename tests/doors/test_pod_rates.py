from __future__ import annotations

from tui.doors.pod_rates import PodRates


def test_rates_are_over_the_last_seconds() -> None:
    rates = PodRates()
    assert rates.add(0.0, {"a": 10}) == {}
    assert rates.add(1.0, {"a": 110}) == {"a": 100.0}
    for second in range(2, 10):
        found = rates.add(float(second), {"a": 110 + 5 * (second - 1), "b": 3 * second})
    assert found == {"a": 5.0, "b": 3.0}


def test_a_new_pod_counts_from_nothing_and_a_count_never_falls() -> None:
    rates = PodRates()
    rates.add(0.0, {"a": 10})
    assert rates.add(2.0, {"a": 4, "b": 6}) == {"a": 0.0, "b": 3.0}


def test_counts_that_come_rarely() -> None:
    rates = PodRates()
    rates.add(0.0, {"a": 0})
    rates.add(10.0, {"a": 100})
    assert rates.add(20.0, {"a": 400}) == {"a": 30.0}
    assert rates.add(20.0, {"a": 400}) == {"a": 30.0}
