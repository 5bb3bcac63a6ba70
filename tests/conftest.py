"""What every test stands on: one time zone, no animation, nothing of the user's own."""

from __future__ import annotations

import asyncio
import gc
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import textual.app
import textual.pilot
from hypothesis import settings
from hypothesis.internal.conjecture import providers
from rich.console import RenderableType
from textual._compositor import Compositor
from textual._context import active_app, visible_screen_stack
from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet
from textual.screen import Screen

os.environ["TZ"] = "UTC"
os.environ["TEXTUAL_ANIMATIONS"] = "none"
os.environ["TEXTUAL_COLOR_SYSTEM"] = "truecolor"
os.environ.pop("NO_COLOR", None)
if hasattr(time, "tzset"):
    time.tzset()

# The same examples in every run: a test that fails one time in twenty teaches nobody anything.
settings.register_profile("steady", derandomize=True, deadline=None, database=None)
settings.load_profile("steady")
# Nor may they depend on what happens to be imported: the constants in it become examples.
providers._get_local_constants = providers.Constants

_for_all_tests = pytest.MonkeyPatch()
"""Of Textual's own, which may not be found any more after an upgrade: then this says so."""

# Hundreds of apps start, in few themes: what one has parsed of the styles, the next need not.
_parse_rules = Stylesheet._parse_rules
_parsed: dict[tuple[Any, ...], list[RuleSet]] = {}


def _parse_once(self: Stylesheet, css: str, read_from: Any, *args: Any, **more: Any) -> Any:
    key = (css, read_from, args, *more.items(), *self._variables.values())
    if key not in _parsed:
        _parsed[key] = _parse_rules(self, css, read_from, *args, **more)
    return _parsed[key]


_for_all_tests.setattr(Stylesheet, "_parse_rules", _parse_once)


async def _wait_for_idle(min_sleep: float = 0, max_sleep: float = 1) -> None:
    """Let the event loop run until it has nothing to do, and draw without waiting for the frame.

    Textual's own wait sleeps until the whole process has been idle for 20 ms: as long as another
    thread works, that is never, and it gives up after a second with messages still under way.
    """
    loop: Any = asyncio.get_running_loop()
    app = active_app.get()
    end = loop.time() + max_sleep
    idle = 0
    while idle < 2 and loop.time() < end:
        await asyncio.sleep(0)
        if loop._ready:
            idle = 0
        elif app._running and (screen := app.screen)._update_timer._active.is_set():
            screen._on_timer_update()
            idle = 0
        else:
            idle += 1


_for_all_tests.setattr(textual.app, "wait_for_idle", _wait_for_idle)
_for_all_tests.setattr(textual.pilot, "wait_for_idle", _wait_for_idle)


# A program without a terminal draws each frame whole and shows it to nobody. Here it draws when
# somebody looks; the pictures and the program in its terminal (tests/e2e) see to the rest.
_render_update = Compositor.render_update


def _drawn_when_looked_at(
    self: Compositor,
    full: bool = False,
    screen_stack: list[Screen] | None = None,
    simplify: bool = False,
) -> RenderableType | None:
    if full:
        return _render_update(self, full, screen_stack, simplify)
    visible_screen_stack.set(screen_stack or [])
    self._dirty_regions.clear()
    return None


_for_all_tests.setattr(Compositor, "render_update", _drawn_when_looked_at)


# What stands collected stays to the end: garbage is looked for among the rest, and seldom.
gc.disable()


def pytest_collection_finish() -> None:
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000)
    gc.enable()


@pytest.fixture(autouse=True)
def _collected() -> Iterator[None]:
    """The dashboard's start turns the collector off in the process it runs in."""
    yield
    gc.enable()


@pytest.fixture(autouse=True)
def _own_settings(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere: Path = tmp_path_factory.getbasetemp()
    for folder in ("config", "data", "state"):
        monkeypatch.setenv(f"XDG_{folder.upper()}_HOME", str(nowhere / folder))
    for name in [n for n in os.environ if n.startswith("KSCALE_")]:
        monkeypatch.delenv(name)
