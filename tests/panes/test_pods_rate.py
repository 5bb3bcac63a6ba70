"""The column of requests a second, there while a burst runs."""

from __future__ import annotations

from types import MappingProxyType

import pytest

from tests.panes.screen import shown
from tests.samples import NAMES, burst
from tests.stages import bursting, two_bursts
from tui.panes.pods import PodsPane
from tui.state.load import LoadRow


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (200, 60)])
async def test_what_each_pod_answers(size: tuple[int, int]) -> None:
    async with shown(bursting(), size) as screen:
        lines = screen.text(PodsPane).splitlines()
        assert " req/s " in lines[1]
        for name, count in zip(NAMES[:4], (531, 487, 452, 429), strict=True):
            (line,) = [line for line in lines if name[-5:] in line]
            assert f" {count} " in line


async def test_no_column_once_it_is_over() -> None:
    async with shown(two_bursts(), (200, 60)) as screen:
        assert "req/s" not in screen.text(PodsPane)


async def test_its_title_sorts_nothing() -> None:
    async with shown(bursting(), (120, 36)) as screen:
        title = screen.text(PodsPane).splitlines()[1]
        await screen.pilot.click(PodsPane, offset=(title.index("req/s") + 1, 1))
        assert screen.dashboard.pods.sort == "age"


def test_two_bursts_add_up() -> None:
    both = tuple(
        burst(number=n, rates=MappingProxyType({NAMES[0]: 100.0 * n, NAMES[n]: 5.0}))
        for n in (1, 2)
    )
    over = burst(number=3, state="done")
    assert LoadRow((*both, over)).rates == {NAMES[0]: 300.0, NAMES[1]: 5.0, NAMES[2]: 5.0}
