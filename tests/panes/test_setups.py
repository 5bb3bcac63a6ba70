"""The pane of setups: what it says, and every key in it."""

from __future__ import annotations

import unicodedata
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from msgspec.structs import replace
from rich.cells import cell_len
from textual.message import Message

from tests.panes.screen import Shown, shown
from tests.panes.test_hostile import HOSTILE
from tests.samples import NOW
from tests.stages import idle, setups, setups_failed
from tui.panes.setups import SetupsPane
from tui.screens.setup_preview import SetupPreview
from tui.state.setups import ObjectStep, SetupRow, SetupsRow, SetupWrite

SIZES = [(80, 24), (120, 36), (200, 60)]


@asynccontextmanager
async def opened(
    found: SetupsRow | None = None, size: tuple[int, int] = (120, 36)
) -> AsyncIterator[tuple[Shown, list[tuple[str, str]]]]:
    """The dashboard with the focus on the pane, and what the pane asked for."""
    stage = setups()
    if found is not None:
        stage.store.put_setups(found)
    async with shown(stage, size) as screen:
        asked: list[tuple[str, str]] = []

        pane = screen.dashboard.setups
        post = pane.post_message

        def note(message: Message) -> bool:
            if isinstance(message, SetupsPane.Wished):
                asked.append((message.setup, message.what))
                return True
            return post(message)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(pane, "post_message", note)  # nobody is to act on it
            await screen.press("3")
            screen.dashboard.setups.focus()
            await screen.look()
            yield screen, asked


@pytest.mark.parametrize("size", SIZES)
async def test_every_setup_is_there_with_its_key_and_how_it_is(size: tuple[int, int]) -> None:
    async with opened(size=size) as (screen, _):
        await screen.press("z")
        said = screen.text("#setups")
        for line in (
            "n ● nginx",
            "c ▲ caddy",
            "4 ≠ fastapi",
            "5 ○ load-app",
            "6 – hpa-cpu",
            "7 … hpa-behavior applying",
            "8 ○ hpa-memory   may not create horizontalpodautoscalers",
        ):
            assert line in said, line
        if size[1] >= 36:
            assert "http://127.0.0.1:30081/ by NodePort 30081 on this machine" in said
            assert "/nginx-health answers 200 in 3 ms, X-Served-By: nginx (4 s ago)" in said
            assert "ready 2 s after the key" in said
            assert "may not create horizontalpodautoscalers in namespace default" in said


async def test_what_is_under_way_is_pending_until_it_is_seen() -> None:
    async with opened() as (screen, _):
        screen.dashboard.setups.choose("hpa-behavior")
        await screen.look()
        said = screen.text("#setups")
        assert "Setups  pending…" in said
        assert "HorizontalPodAutoscaler/fastapi-hpa" in said
        assert "no metrics yet" in said


async def test_the_chosen_one_says_more_and_stays_in_sight() -> None:
    async with opened() as (screen, _):
        assert "X-Served-By: nginx" in screen.text("#setups")
        await screen.press(*["j"] * 3)
        assert "X-Served-By: nginx" not in screen.text("#setups")
        assert "node, pod name" in screen.text("#setups")
        await screen.press("k", "up", "up")
        assert "X-Served-By: nginx" in screen.text("#setups")
        await screen.press(*["down"] * 9)
        assert "You may not create" in screen.text("#setups")


async def test_keys_ask_for_the_chosen_one() -> None:
    keys = {"enter": "", "space": "", "r": "apply", "delete": "delete", "u": "undo"}
    async with opened() as (screen, asked):
        await screen.press("down")
        for key, what in keys.items():
            await screen.press(key)
            assert asked == [("caddy", what)], key
            asked.clear()


async def test_each_setup_has_a_key() -> None:
    rows = (*setups().store.drain().setups.rows, SetupRow("mine", "m", state="absent"))
    async with opened(SetupsRow(rows)) as (screen, asked):
        for key, name in {"4": "fastapi", "7": "hpa-behavior", "m": "mine"}.items():
            await screen.press(key)
            assert asked == [(name, "")]
            asked.clear()


async def test_proxies_are_toggled_from_anywhere() -> None:
    async with shown(setups(), (120, 36)) as screen:
        for key, name in {"n": "nginx", "c": "caddy"}.items():
            screen.dashboard.pods.focus()
            await screen.press(key)
            await screen.until(lambda: isinstance(screen.app.screen, SetupPreview))
            await screen.until(lambda: "not connected yet" in screen.text("#said"))
            assert f"Setup {name}" in screen.text("#sheet")
            await screen.press("escape")
            assert screen.dashboard.setups.display
            chosen = screen.dashboard.setups.chosen
            assert chosen is not None
            assert chosen.name == name


async def test_the_mouse_chooses() -> None:
    async with opened() as (screen, _):
        lines = screen.text("#setups").splitlines()
        at = next(y for y, line in enumerate(lines) if "c ▲ caddy" in line)
        await screen.pilot.click("#setups", offset=(6, at))
        await screen.look()
        assert screen.dashboard.setups.chosen is not None
        assert screen.dashboard.setups.chosen.name == "caddy"


async def test_a_failure_tells_what_is_left_and_how_to_undo_it() -> None:
    stage = setups_failed()
    async with shown(stage, (120, 36)) as screen:
        await screen.press("3")
        screen.dashboard.setups.focus()
        screen.dashboard.setups.choose("nginx")
        await screen.press("z")
        said = screen.text("#setups")
        assert "✕ Deployment/nginx-proxy" in said
        assert "ErrImagePull" in said
        assert "u undoes it: delete ConfigMap/nginx-config" in said
        assert "u undo" in said.splitlines()[-1]


async def test_what_was_written_stands_in_the_timeline() -> None:
    stage = idle()

    def write() -> None:
        wrote = SetupWrite(NOW - 5, "nginx", "Deployment/nginx-proxy created")
        stage.store.put_setups(SetupsRow(writes=(wrote,), written=1))

    stage.at(-5, write)
    async with shown(stage, (120, 36)) as screen:
        assert "Deployment/nginx-proxy created" in screen.text("#timeline")


async def test_read_only_is_said() -> None:
    found = SetupsRow(setups().store.drain().setups.rows, refusal="This is read-only.")
    async with opened(found) as (screen, _):
        assert "read-only here" in screen.text("#setups")


async def test_hostile_names_stay_text() -> None:
    async with opened(size=(100, 30)) as (screen, _):
        for text in HOSTILE.values():
            odd: dict[str, Any] = dict.fromkeys(
                ("title", "summary", "sentence", "failure", "undo", "url", "route", "probe"), text
            )
            step = ObjectStep(text, text, text)
            row = SetupRow(text, "m", state=text, steps=(step,), missing=(text,), **odd)
            rows = (row, replace(row, name=text + "2", state="absent", failure="", busy=text))
            screen.stage.store.put_setups(
                SetupsRow(rows, notice=text, writes=(SetupWrite(NOW, text, text),), written=1)
            )
            await screen.look()
            said = screen.text()
            for line in said.splitlines():
                assert cell_len(line) <= 100
                assert not {unicodedata.category(c) for c in line} & {"Cc", "Cf", "Cs"}
        assert screen.app.is_running
