"""What a burst tells of when load rose, when answers became slow, and who answered first."""

from __future__ import annotations

from typing import Any

from tui.analysis.load_signs import LoadWatch
from tui.state.load import BurstRow, LoadPoint, LoadRow

NOW = 1_795_000_000.0


def burst(rates: list[float], p99: list[float], **more: Any) -> BurstRow:
    points = tuple(
        LoadPoint(NOW + n + 1, rate, late / 2, late, 0)
        for n, (rate, late) in enumerate(zip(rates, p99, strict=True))
    )
    fields: dict[str, Any] = {"began": NOW, "state": "running", "points": points, **more}
    return BurstRow(1, 1, "web", **fields)


def test_without_a_burst_there_are_no_signs() -> None:
    assert LoadWatch().feed(LoadRow(), NOW) is None


def test_load_rises_when_the_burst_begins() -> None:
    signs = LoadWatch().feed(LoadRow((burst([500] * 8, [0.01] * 8),)), NOW + 8)
    assert signs is not None
    assert (signs.rose, signs.slowed) == (NOW, None)


def test_load_rises_again_where_the_rate_jumps() -> None:
    row = LoadRow((burst([100] * 8 + [900] * 3, [0.01] * 8 + [0.2] * 3),))
    signs = LoadWatch().feed(row, NOW + 11)
    assert signs is not None
    assert signs.rose == NOW + 8
    assert signs.slowed == NOW + 9


def test_a_latency_that_only_flickers_has_not_risen() -> None:
    row = LoadRow((burst([500] * 6, [0.001, 0.003, 0.002, 0.004, 0.001, 0.003]),))
    signs = LoadWatch().feed(row, NOW + 6)
    assert signs is not None
    assert signs.slowed is None


def test_a_pod_has_served_from_the_first_answer_seen_of_it() -> None:
    watch = LoadWatch()
    watch.feed(LoadRow((burst([500], [0.01], pods={"a": 5, "b": 0}),)), NOW + 1)
    signs = watch.feed(LoadRow((burst([500], [0.01], pods={"a": 9, "b": 2}),)), NOW + 4)
    assert signs is not None
    assert signs.served == {"a": NOW + 1, "b": NOW + 4}
