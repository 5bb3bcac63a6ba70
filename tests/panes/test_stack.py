"""Panes that share a place."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from textual.app import App, ComposeResult
from textual.pilot import Pilot

from tui.panes.ink import Palette
from tui.panes.pane import Pane
from tui.panes.stack import Stack


class _Stacked(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.one, self.two, self.three = (Pane(id=name) for name in ("nodes", "load", "setups"))
        self.stack = Stack(self.one, self.two, self.three)

    def compose(self) -> ComposeResult:
        yield self.stack

    def on_mount(self) -> None:
        for pane in self.stack.panes:
            pane.use(Palette({}), Palette({}).selection)

    @property
    def seen(self) -> list[str | None]:
        return [pane.id for pane in self.stack.panes if pane.display]


async def _until(pilot: Pilot[Any], seen: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not seen():
            await pilot.pause(0.01)


async def test_one_place_shows_the_pane_asked_for_last() -> None:
    app = _Stacked()
    async with app.run_test(size=(60, 20)):
        assert app.seen == ["nodes"]
        app.stack.bring(app.three)
        assert app.seen == ["setups"]
        assert app.stack.front is app.three


async def test_more_room_shows_more_in_the_order_given() -> None:
    app = _Stacked()
    async with app.run_test(size=(60, 20)) as pilot:
        app.stack.bring(app.three)
        await pilot.resize_terminal(100, 20)
        await _until(pilot, lambda: app.seen == ["nodes", "setups"])
        await pilot.resize_terminal(140, 20)
        await _until(pilot, lambda: app.seen == ["nodes", "load", "setups"])
        await pilot.resize_terminal(60, 20)
        await _until(pilot, lambda: app.seen == ["setups"])


async def test_the_focus_does_not_stay_on_a_pane_that_went() -> None:
    app = _Stacked()
    async with app.run_test(size=(60, 20)) as pilot:
        app.one.focus()
        await pilot.pause()
        app.stack.bring(app.two)
        await pilot.pause()
        assert app.focused is app.two


async def test_the_frame_tells_what_stands_behind() -> None:
    app = _Stacked()
    async with app.run_test(size=(60, 20)) as pilot:
        await pilot.pause()
        title = str(app.one.border_title)
        assert "load" in title
        assert "setups" in title
        await pilot.resize_terminal(140, 20)
        await _until(pilot, lambda: len(app.seen) == 3)
        app.one.redraw()
        assert "load" not in str(app.one.border_title)
