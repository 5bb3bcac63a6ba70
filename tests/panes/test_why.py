"""The explanation on the screen: the sentence, the steps, the keys, what if."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from textual.widgets import Input

from tests.analysis.replay import Replay
from tests.panes.screen import Shown, shown
from tests.stages import Stage, empty, forbidden, idle, scaling
from tui.app import KscaleApp, Still
from tui.panes.chart import ChartPane
from tui.panes.hpa import HpaPane
from tui.panes.pods import PodsPane
from tui.panes.why import WhyPane
from tui.screens.whatif import WhatIfScreen
from tui.state.place import Place


@asynccontextmanager
async def recorded(seconds: float, size: tuple[int, int] = (120, 36)) -> AsyncIterator[Shown]:
    """The program that many seconds into the recorded run."""
    replay = Replay()
    app = KscaleApp(replay.store, Still(Place("recorded", "default")))
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        replay.begin()
        end, at = replay.now + seconds, 0
        while replay.now < end:
            target = replay.now + 1.0
            while at < len(replay.happenings) and replay.happenings[at][0] <= target:
                time, kind, line = replay.happenings[at]
                replay.now = max(replay.now, time)
                replay.happen(kind, line)
                at += 1
            replay.now = target
            app.advance()
        app.tick()
        await pilot.pause()
        yield Shown(app, pilot, Stage())


SIZES = [(80, 24), (120, 36), (200, 60)]


@pytest.mark.parametrize("size", SIZES)
async def test_the_sentence_is_in_sight_at_every_size(size: tuple[int, int]) -> None:
    async with recorded(35, size) as screen:
        text = screen.text(HpaPane)
        assert "why: 2 pods × 186/50" in text
        assert "rate limit: 4 this step" in text
        assert "next look" in text


@pytest.mark.parametrize("size", SIZES)
async def test_a_held_scale_down_is_said_with_its_end(size: tuple[int, int]) -> None:
    async with recorded(240, size) as screen:
        assert "5 min window holds 10" in screen.text(HpaPane)


async def test_a_new_sample_tells_what_comes_next_before_the_controller_looks() -> None:
    async with recorded(31) as screen:
        assert "next: 2 pods × 186/50 → 8 · rate limit: 4 this step" in screen.text(HpaPane)


async def test_where_both_have_room_what_was_stands_over_what_will_be() -> None:
    # First the next look has the word, then the one that has just decided.
    for seconds in (31, 35):
        async with recorded(seconds, (170, 50)) as screen:
            seen = screen.text(HpaPane)
            assert 0 < seen.index("why: ") < seen.index("next: ")


@pytest.mark.parametrize("size", SIZES)
async def test_w_opens_the_steps_and_the_deciding_one_is_marked(size: tuple[int, int]) -> None:
    async with recorded(35, size) as screen:
        await screen.press("w")
        assert screen.app.focused is screen.dashboard.why
        lines = screen.text(WhyPane).splitlines()
        marked = [line for line in lines if "▶ " in line and "desired" not in line]
        assert "rate limit" in marked[0]
        for title in ("Σ cpu ÷ Σ request", "ratio", "tolerance", "stabilization", "desired"):
            assert any(title in line for line in lines), title
        assert "agrees with the controller at 3 of 3 looks" in screen.text(WhyPane)


@pytest.mark.parametrize("key", ["w", "escape"])
async def test_w_and_escape_lead_back(key: str) -> None:
    async with recorded(35) as screen:
        await screen.press("w")
        assert not screen.dashboard.pods.display or screen.dashboard.pods.size.width == 0
        await screen.press(key)
        assert "ready" in screen.text(PodsPane)
        assert screen.app.focused is screen.dashboard.pods


async def test_zoomed_it_tells_all_and_escape_leads_back_step_by_step() -> None:
    async with recorded(110, (120, 50)) as screen:
        await screen.press("w", "z")
        text = screen.text()
        for part in ("From load to relief", "decision → Ready", "If the load stays", "now  1 … 20"):
            assert part in text
        await screen.press("escape")
        assert "Why fastapi-hpa" in screen.text()
        assert "min 2" in screen.text(HpaPane)
        await screen.press("escape")
        assert "Why fastapi-hpa" not in screen.text()


async def test_the_chart_shows_what_is_to_come() -> None:
    async with recorded(31) as screen:
        text = screen.text(ChartPane)
        assert "+2m" in text
        labels = [line.rstrip("│ ").split()[-1] for line in text.splitlines() if "⠤" in line]
        assert "8" in labels  # 2 ▶ 4 ▶ 8, as dots


async def test_what_may_not_be_read_is_said() -> None:
    async with shown(forbidden()) as screen:
        assert "why: metrics may not be read" in screen.text(HpaPane)
        await screen.press("w")
        assert "metrics may not be read" in screen.text(WhyPane)


async def test_without_an_hpa_there_is_nothing_to_explain() -> None:
    async with shown(empty()) as screen:
        await screen.press("w")
        assert "no HPA in view" in screen.text(WhyPane)
        await screen.press("f")
        assert not isinstance(screen.app.screen, WhatIfScreen)


async def test_what_if_reckons_as_one_types_and_writes_nothing() -> None:
    async with recorded(240) as screen:
        before = screen.app.dashboard.hpa.scene.delta.hpas
        await screen.press("f")
        assert isinstance(screen.app.screen, WhatIfScreen)
        await screen.pilot.pause()
        assert "change a field; nothing is written" in screen.text()
        window = screen.app.screen.query_one("#whatif-down-window", Input)
        window.value = "60"
        await screen.pilot.pause()
        text = screen.text()
        assert "10 ▶ 2" in text
        assert "kubectl patch hpa fastapi-hpa -n default --type json" in text
        assert screen.app.dashboard.hpa.scene.delta.hpas is before
        await screen.pilot.press("escape")
        assert not isinstance(screen.app.screen, WhatIfScreen)


async def test_what_if_puts_the_patch_on_the_clipboard() -> None:
    async with recorded(31) as screen:
        await screen.press("f")
        await screen.pilot.pause()
        await screen.pilot.press("8", "0")
        await screen.pilot.pause()
        await screen.pilot.press("ctrl+y")
        await screen.pilot.pause()
        assert "copied to the clipboard" in screen.text()
        assert screen.app.clipboard == (
            "kubectl patch hpa fastapi-hpa -n default --type json -p "
            '\'[{"op":"replace","path":"/spec/metrics/0/resource/target/averageUtilization",'
            '"value":80}]\'\n'
        )
        await screen.pilot.press("ctrl+r")
        await screen.pilot.pause()
        assert "change a field" in screen.text()


async def test_what_if_says_what_a_field_may_be() -> None:
    async with recorded(31, (80, 24)) as screen:
        await screen.press("f")
        await screen.pilot.pause()
        await screen.pilot.press("x")
        await screen.pilot.pause()
        assert "target: 'x' is no whole number from 1 to 10000" in screen.text()


@pytest.mark.parametrize("stage", [idle, scaling])
async def test_countdowns_move_without_news(stage: object) -> None:
    assert callable(stage)
    async with shown(stage()) as screen:
        await screen.press("w")
        before = screen.text(WhyPane)
        screen.stage.clock.now += 3
        await screen.look()
        after = screen.text(WhyPane)
        assert ("next look within" in before) or before != after
