"""What is kept of a widget's lines is what it would draw anew; and it is kept."""

from __future__ import annotations

import pytest
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from tests.panes.screen import Shown, shown
from tests.samples import pod
from tests.stages import scaling
from tui.panes.kept import Kept
from tui.panes.pane import Pane
from tui.state.rows import Kind


def told(strips: list[Strip]) -> list[list[tuple[str, object]]]:
    return [[(segment.text, segment.style) for segment in strip] for strip in strips]


def assert_nothing_stale(screen: Shown) -> None:
    for widget in screen.app.screen.query(Kept):
        if widget.display and widget.region:
            whole = Region(0, 0, *widget.region.size)
            kept = told(widget.render_lines(whole))
            widget.refresh()
            assert kept == told(widget.render_lines(whole)), widget


@pytest.mark.parametrize(
    "keys",
    [
        "tab tab tab",
        "minus",
        "minus plus tab",
        "z",
        "z tab z",
        "down down S",
        "down tab",
        "slash x x enter",
        "d down",
        "2 1 3",
        "w j",
        "question_mark escape",
        "a down S p",
        "h",
    ],
)
async def test_no_key_leaves_anything_stale(keys: str) -> None:
    async with shown(scaling()) as screen:
        for key in keys.split():
            await screen.press(key)
            assert_nothing_stale(screen)


async def test_no_way_through_a_long_list_leaves_anything_stale() -> None:
    stage = scaling()
    stage.store.put(
        Kind.PODS, [pod(f"fastapi-deploy-66b8c95455-{n:05}", age=n) for n in range(200)]
    )
    async with shown(stage) as screen:
        tops = []
        for key in ("a", "pagedown", "pagedown", "end", "up", "home"):
            await screen.press(key)
            assert_nothing_stale(screen)
            tops.append(screen.dashboard.pods.scroll_offset.y)
        assert 0 == tops[0] < tops[2] < tops[3] > tops[5] == 0


async def test_another_size_leaves_nothing_stale() -> None:
    async with shown(scaling()) as screen:
        for size in ((80, 24), (160, 50), (59, 15), (120, 36)):
            await screen.pilot.resize_terminal(*size)
            await screen.look()
            assert_nothing_stale(screen)


async def test_who_has_nothing_new_is_not_asked_for_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    async with shown(scaling()) as screen:
        screen.text()
        asked: list[Widget] = []
        line = Pane.render_line

        def spy(self: Pane, y: int) -> Strip:
            asked.append(self)
            return line(self, y)

        monkeypatch.setattr(Pane, "render_line", spy)
        made: list[Widget] = []
        render = Widget.render_lines

        def lines(self: Widget, crop: Region) -> list[Strip]:
            made.append(self)
            return render(self, crop)

        monkeypatch.setattr(Widget, "render_lines", lines)
        screen.dashboard.pods.refresh(Region(0, 1, 20, 1))
        screen.text()
        assert set(asked) == {screen.dashboard.pods}
        assert [widget for widget in made if isinstance(widget, Kept)] == [screen.dashboard.pods]
