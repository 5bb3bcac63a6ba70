"""The load pane: what a burst asks, gets, and who answers."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import pytest
from msgspec.structs import replace

from tests.panes.screen import shown
from tests.samples import NOW
from tests.stages import scaling
from tui.panes.load_lines import duration
from tui.panes.load_strip import strips
from tui.state.load import BurstRow, LoadChange, LoadPoint, LoadRow

LATENCY = MappingProxyType({50.0: 0.0136, 90.0: 0.0271, 99.0: 0.0547, 99.9: 0.0802})


def burst(**more: Any) -> BurstRow:
    """A burst half way through."""
    fields: dict[str, Any] = {
        "number": 1,
        "group": 1,
        "target": "nginx-svc",
        "route": "node port 30081 on lab-worker",
        "profile": "class-burst",
        "began": NOW - 28,
        "state": "running",
        "elapsed": 28.0,
        "duration": 60.0,
        "progress": 28 / 60,
        "achieved": 1899.0,
        "mean": 1850.0,
        "in_flight": 50,
        "connections": 50,
        "opened": 50,
        "responses": 53_172,
        "good": 53_160,
        "failed": 3,
        "latency": LATENCY,
        "service": LATENCY,
        "statuses": MappingProxyType({200: 53_160, 503: 12}),
        "failures": MappingProxyType({"connection reset": 3}),
        "points": tuple(
            LoadPoint(NOW - 28 + n, 1800.0 + n, 0.013, 0.05, 3 if n == 20 else 0) for n in range(28)
        ),
    }
    return BurstRow(**{**fields, **more})


async def seen(*bursts: BurstRow, size: tuple[int, int] = (120, 36), **more: Any) -> str:
    stage = scaling()
    stage.store.put_load(LoadRow(bursts, **more))
    async with shown(stage, size=size) as screen:
        inside = screen.text("#load").replace("│", " ").replace("▁", " ").replace("▇", " ")
        return " ".join(inside.split())


async def test_a_burst_comes_to_the_front_with_its_figures() -> None:
    text = await seen(burst())
    assert "class-burst → nginx-svc" in text
    assert "32 s left" in text
    assert "1,899/s" in text
    assert "50 in flight" in text
    assert "p50 13.6 ms p90 27.1 ms p99 54.7 ms p99.9 80.2 ms" in text
    assert "200 53,160 503 12 connection reset 3" in text
    assert "by node port 30081 on lab-worker" in text


async def test_what_was_asked_stands_beside_what_is_achieved() -> None:
    assert "1,899/s of 5,000 asked" in await seen(burst(asked=5000.0))


async def test_requests_are_counted_per_pod_against_chance() -> None:
    pods = MappingProxyType({"fastapi-deploy-66b8c95455-66dvd": 40_000, "other": 13_172})
    text = await seen(burst(pods=pods, counted="lines of access logs", behind=4), size=(200, 60))
    assert "requests per pod" in text
    assert "from lines of access logs" in text
    assert "40,000 75 %" in text
    assert "random choice:" in text
    assert "2 of 4 pods got nothing" in text


async def test_two_bursts_stand_side_by_side() -> None:
    other = burst(number=2, target="caddy-svc", achieved=1502.0, route="node port 30082 on lab")
    text = await seen(burst(), other, size=(200, 60))
    assert "nginx-svc caddy-svc" in text
    assert "requests 1,899/s 1,502/s" in text
    assert "p99 54.7 ms 54.7 ms" in text
    assert "bad 15 15" in text


async def test_the_end_is_told_and_compared_with_the_run_before() -> None:
    done = burst(
        state="done",
        elapsed=60.0,
        summary=("Summary:", "  Requests/sec:\t1850.0"),
        changes=(
            LoadChange("requests", "1/s", 1750.0, 1850.0),
            LoadChange("latency p99", "s", 0.06, 0.0547),
        ),
    )
    text = await seen(done, size=(200, 60))
    assert "done after 60 s" in text
    assert "1,850/s" in text
    assert "against the run before" in text
    assert "1,750/s ▶ 1,850/s +6 %" in text
    assert "60.0 ms ▶ 54.7 ms -9 %" in text


async def test_zoomed_it_shows_course_and_summary() -> None:
    stage = scaling()
    stage.store.put_load(LoadRow((burst(state="done", summary=("Summary:", "  Total: 60 secs")),)))
    async with shown(stage, size=(120, 36)) as screen:
        await screen.press("2", "z")
        text = screen.text()
        assert "the last 5 min" in text
        assert "Total: 60 secs" in text
        await screen.press("plus")
        assert "the last 1 min" in screen.text()


async def test_the_summary_keeps_its_columns() -> None:
    lines = ("  0.005 [1]       |", "  0.023 [11866]   |■■■■■", "  \x1b[31m0.042 [3]\t  |■")
    stage = scaling()
    stage.store.put_load(LoadRow((burst(state="done", summary=lines),)))
    async with shown(stage, size=(120, 60)) as screen:
        await screen.press("2", "z")
        text = screen.text("#load")
        assert "  0.005 [1]       |" in text
        assert "  0.023 [11866]   |■■■■■" in text
        assert "\x1b" not in text


async def test_a_refusal_is_told_in_words() -> None:
    text = await seen(notice="example.com is neither this machine nor a route", noticed=1)
    assert "example.com is neither this machine nor a route" in text


async def test_hostile_names_cannot_style_the_pane() -> None:
    evil = "[red]x[/] \x1b[31m"
    row = burst(
        target=evil,
        route=evil,
        problem=evil,
        statuses=MappingProxyType({200: 1}),
        pods=MappingProxyType({evil: 3}),
        counted=evil,
        summary=(evil,),
    )
    text = await seen(row, size=(200, 60))
    assert "[red]x[/]" in text
    assert "\x1b" not in text


async def test_b_without_a_cluster_says_what_is_missing() -> None:
    async with shown(scaling()) as screen:
        await screen.press("b")
        await screen.until(lambda: bool(screen.stage.store.drain().load.notice))
        await screen.look()
        assert "no Service to load" in " ".join(screen.text("#load").split())


def test_strips_lie_on_the_time_axis() -> None:
    rate, late = strips([burst()], NOW - 60, NOW, 6, 60)
    columns = "".join(text for text, _ in rate[1:])
    assert rate[0][0] == "1.8k/s"
    assert columns[:31].strip() == ""
    assert columns[32:59].strip() == columns[32:59]
    assert [ink for text, ink in rate[1:] if ink == "bad"] == ["bad"]
    assert late[0][0].strip() == "50 ms"


def test_a_strip_tells_the_rate_of_the_seconds_that_were_loaded() -> None:
    points = tuple(LoadPoint(NOW - 7 + n * 1.01, 1800.0, 0.01, 0.05, 0) for n in range(2))
    one = burst(points=points)
    rate, _ = strips([one], NOW - 300, NOW, 6, 30)
    assert rate[0][0] == "1.8k/s"
    # Side by side they load the same seconds; one after another they do not.
    rate, _ = strips([one, one], NOW - 300, NOW, 6, 30)
    assert rate[0][0] == "3.6k/s"
    later = burst(points=tuple(replace(p, time=p.time + 3) for p in points))
    rate, _ = strips([one, later], NOW - 300, NOW, 6, 30)
    assert rate[0][0] == "1.8k/s"


def test_no_strips_where_nothing_ran() -> None:
    assert strips([burst()], NOW - 600, NOW - 300, 6, 60) == []
    assert strips([], NOW - 60, NOW, 6, 60) == []


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "–"), (0.000013, "13 µs"), (0.0136, "13.6 ms"), (0.25, "250 ms"), (1.5, "1.50 s")],
)
def test_durations_have_three_figures(seconds: float, text: str) -> None:
    assert duration(seconds) == text
