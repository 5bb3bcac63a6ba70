"""Look at the dashboard as text, as a person in front of it would."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from textual.pilot import Pilot
from textual.widget import Widget

from tests.stages import Stage
from tui.app import KscaleApp
from tui.screens.dashboard import Dashboard


@dataclass
class Shown:
    """The running program and a person's hands and eyes."""

    app: KscaleApp
    pilot: Pilot[Any]
    stage: Stage

    @property
    def dashboard(self) -> Dashboard:
        return self.app.dashboard

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.look()

    async def look(self) -> None:
        """Let everything settle and the next tick be drawn."""
        self.app.tick()
        await self.pilot.pause()

    async def until(self, seen: Callable[[], bool]) -> None:
        """Wait for something the program does in its own time, and until it is drawn in whole."""
        async with asyncio.timeout(60):
            while not seen():
                await self.pilot.pause(0.01)
        await self.pilot.pause()

    def text(self, selector: str | type[Widget] | None = None) -> str:
        """What is written on the screen, or within one widget and its frame."""
        lines = [
            "".join(segment.text for segment in strip)
            for strip in self.app.screen._compositor.render_strips()
        ]
        if selector is not None:
            region = self.app.screen.query_one(selector).region
            lines = [
                _columns(line, region.x, region.right) for line in lines[region.y : region.bottom]
            ]
        return "\n".join(line.rstrip() for line in lines)


@asynccontextmanager
async def shown(
    stage: Stage, size: tuple[int, int] = (120, 36), theme: str = "dark"
) -> AsyncIterator[Shown]:
    """The dashboard on a stage whose script has been played."""
    app = stage.app(theme)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        stage.play(app)
        await pilot.pause()
        yield Shown(app, pilot, stage)


def _columns(line: str, begin: int, end: int) -> str:
    from rich.cells import cell_len

    kept, at = [], 0
    for char in line:
        if begin <= at < end:
            kept.append(char)
        at += cell_len(char)
    return "".join(kept)
