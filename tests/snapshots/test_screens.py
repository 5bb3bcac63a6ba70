"""Pictures of the whole screen, in every state, size and two themes."""

from __future__ import annotations

from typing import Any

import pytest

from tests.stages import STATES

SIZES = ((80, 24), (120, 36), (200, 60))


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("size", SIZES, ids=lambda s: f"{s[0]}x{s[1]}")
@pytest.mark.parametrize("state", STATES)
def test_screen(snap_compare: Any, state: str, size: tuple[int, int], theme: str) -> None:
    stage = STATES[state]()
    app = stage.app(theme)

    async def play(pilot: Any) -> None:
        await pilot.pause()
        stage.play(app)
        await pilot.pause()

    assert snap_compare(app, terminal_size=size, run_before=play)
