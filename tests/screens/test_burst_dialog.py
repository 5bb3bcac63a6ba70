"""The dialog of bursts, with keys and the mouse, and real bursts behind it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.widgets import Button, Input, OptionList

from tests.doors.connected import Connected, Ways, connected, way
from tests.load.server import Server, ok
from tests.load.serving import serving
from tests.panes.screen import Shown, shown
from tests.stages import Stage, scaling
from tui.app import Still
from tui.config import LoadSettings, Settings
from tui.screens.burst_dialog import BurstDialog
from tui.state.links import Health
from tui.state.load import BurstRow
from tui.state.rows import Kind, ServicePort, ServiceRow

SIZES = [(80, 24), (120, 36), (200, 60)]


class Linked(Still):
    """A feed that brings nothing but ways to Services."""

    def __init__(self, stage: Stage, link: Connected) -> None:
        super().__init__(stage.place, stage.connection)
        self._link = link

    @property
    def routes(self) -> Ways | None:
        """Those of the link."""
        return self._link.routes


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving(ok) as running:
        yield running


@pytest.fixture(autouse=True)
def _history(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))


def service(name: str, app: str = "fastapi") -> ServiceRow:
    return ServiceRow(
        uid=f"uid-{name}",
        name=name,
        namespace="default",
        type="NodePort",
        ports=(ServicePort(80, node_port=30081),),
        selector=(("app", app),),
    )


@asynccontextmanager
async def opened(
    server: Server,
    *,
    link: Connected | None = None,
    read_only: bool = False,
    size: tuple[int, int] = (80, 24),
) -> AsyncIterator[Shown]:
    """The dashboard with the dialog over it, the ways to two Services found."""
    stage = scaling()
    stage.store.put(Kind.SERVICES, [service("caddy-svc"), service("nginx-svc")])
    found = link or connected(way("caddy-svc", server.url), way("nginx-svc", server.url))
    settings = Settings(read_only=read_only, load=LoadSettings(preset="class-burst"))
    stage.feed, stage.settings = Linked(stage, found), settings
    async with shown(stage, size) as screen:
        await screen.press("B")
        await screen.until(lambda: isinstance(screen.app.screen, BurstDialog))
        if found.routes is not None and found.routes.open.is_set():
            await screen.until(lambda: "lab-worker" in screen.text("#targets"))
        yield screen
        screen.app.bursts.close()


def field(screen: Shown, name: str) -> Input:
    return screen.app.screen.query_one(f"#{name}", Input)


def asked(screen: Shown) -> str:
    return " ".join(screen.text("#asked").split())


def bursts(screen: Shown) -> tuple[BurstRow, ...]:
    return screen.stage.store.drain().bursts


@pytest.mark.parametrize("size", SIZES)
async def test_all_of_it_is_seen_at_every_size(server: Server, size: tuple[int, int]) -> None:
    async with opened(server, size=size) as screen:
        text = screen.text()
        assert "● caddy-svc  NodePort on lab-worker" in text
        assert "○ nginx-svc" in text
        for name in ("class-burst", "hey-document", "warm-up", "connections", "duration", "Fire"):
            assert name in text
        assert "GET / for 1 min over 50 connections, as fast as they are answered" in asked(screen)
        assert "to caddy-svc NodePort on lab-worker" in asked(screen)


async def test_preset_and_fields_change_what_will_be_asked(server: Server) -> None:
    async with opened(server) as screen:
        await screen.press("tab", *["down"] * 3)
        assert "at up to 500/s each, 25,000/s in all" in asked(screen)
        assert field(screen, "duration").placeholder == "3m"
        await screen.press("tab", "8", "tab", *"1000", "tab", *"30s")
        assert asked(screen).startswith(
            "GET / for 30 s over 8 connections, at 1,000 requests/s = 30,000 requests"
        )


IMPOSSIBLE = (
    ("connections", "many", "'many' is not a number of connections"),
    ("connections", "1001", "1001 connections are more than the limit of 1000"),
    ("connections", "0", "At least one connection"),
    ("rate", "fast", "'fast' is not a number of requests a second"),
    ("rate", "nan", "rate must be a finite number, not nan"),
    ("rate", "200000", "200,000 requests/s are more than the limit of 100,000"),
    ("duration", "soon", "'soon' is not a duration"),
    ("duration", "31m", "1860 s are more than the limit of 1800 s"),
    ("url", "http://192.0.2.1/", "neither this machine nor a route of the cluster"),
    ("url", "nonsense", "'nonsense' is not a URL"),
)


async def test_what_cannot_be_is_said_and_not_fired(server: Server) -> None:
    async with opened(server) as screen:
        for name, typed, said in IMPOSSIBLE:
            field(screen, name).value = typed
            await screen.look()
            assert said.lower() in asked(screen).lower()
            assert screen.app.screen.query_one("#fire", Button).disabled
            await screen.press("enter")
            assert isinstance(screen.app.screen, BurstDialog)
            field(screen, name).value = ""
        assert bursts(screen) == ()


async def test_enter_fires_from_any_field_and_comes_back(server: Server) -> None:
    async with opened(server) as screen:
        await screen.press("tab", "tab", "3", "tab", *"100", "tab", *"500ms", "enter")
        assert not isinstance(screen.app.screen, BurstDialog)
        await screen.until(lambda: any(row.over and row.summary for row in bursts(screen)))
        (row,) = bursts(screen)
        assert (row.target, row.state, row.asked) == ("caddy-svc", "done", 100)
        assert row.good > 0
        assert screen.dashboard.load.display
        await screen.press("B")  # what was chosen is there again
        assert [field(screen, name).value for name in ("connections", "rate", "duration")] == [
            "3",
            "100",
            "500ms",
        ]


async def test_two_are_ticked_and_run_side_by_side(server: Server) -> None:
    async with opened(server) as screen:
        await screen.press("down", "space")
        assert "● nginx-svc" in screen.text("#targets")
        assert "both at once, with the same seed and course" in asked(screen)
        field(screen, "duration").value = "60s"
        field(screen, "rate").value = "50"
        await screen.press("enter")
        await screen.until(lambda: sum(row.responses > 0 for row in bursts(screen)) == 2)
        assert {row.group for row in bursts(screen)} == {1}
        await screen.press("x")
        await screen.until(lambda: all(row.state == "stopped" for row in bursts(screen)))


async def test_none_or_three_targets(server: Server) -> None:
    async with opened(server) as screen:
        await screen.press("space")
        assert "Tick a target" in asked(screen)
        await screen.press("space", "down", "space")
        field(screen, "url").value = server.url
        await screen.look()
        assert "two targets at most" in asked(screen).lower()


async def test_what_leads_elsewhere_is_offered_and_not_ticked(server: Server) -> None:
    stage = scaling()
    stage.store.put(Kind.SERVICES, [service("caddy-svc", app="another")])
    stage.feed = Linked(stage, connected(way("caddy-svc", server.url)))
    async with shown(stage) as screen:
        await screen.press("B")
        await screen.until(lambda: "caddy-svc" in screen.text("#targets"))
        assert "○ caddy-svc" in screen.text("#targets")
        assert "Tick a target" in asked(screen)


async def test_the_mouse_does_all_of_it(server: Server) -> None:
    async with opened(server) as screen:
        await screen.pilot.click("#targets", offset=(3, 1))
        await screen.pilot.click("#targets", offset=(3, 0))
        await screen.look()
        assert "○ caddy-svc" in screen.text("#targets")
        assert "● nginx-svc" in screen.text("#targets")
        presets = screen.app.screen.query_one("#presets", OptionList)
        await screen.pilot.click("#presets", offset=(3, presets.option_count - 1))
        await screen.look()
        assert "Thirty gentle seconds" in screen.text("#about")
        await screen.pilot.click("#fire")
        await screen.until(lambda: any(row.responses for row in bursts(screen)))
        assert [row.target for row in bursts(screen)] == ["nginx-svc"]
        await screen.press("x")


@pytest.mark.parametrize("how", ["escape", "click"])
async def test_it_closes_without_a_burst(server: Server, how: str) -> None:
    async with opened(server) as screen:
        if how == "escape":
            await screen.press("escape")
        else:
            await screen.pilot.click("#close")
            await screen.look()
        assert not isinstance(screen.app.screen, BurstDialog)
        assert bursts(screen) == ()


async def test_read_only_says_so_and_fires_nothing(server: Server) -> None:
    async with opened(server, read_only=True) as screen:
        assert "Read-only forbids bursts" in asked(screen)
        await screen.press("enter")
        assert isinstance(screen.app.screen, BurstDialog)
        await screen.press("escape", "b")
        assert "read-only forbids" in screen.stage.store.drain().load.notice
        assert bursts(screen) == ()


async def test_ways_are_found_while_one_chooses(server: Server) -> None:
    ways = Ways({"nginx-svc": way("nginx-svc", server.url)})
    async with opened(server, link=Connected(ways)) as screen:
        assert "caddy-svc  …" in screen.text("#targets")
        ways.open.set()
        await screen.until(lambda: "NodePort on lab-worker" in screen.text("#targets"))
        assert "caddy-svc  no way there" in screen.text("#targets")
        assert "Nothing answers. Give it a NodePort." in asked(screen)


async def test_services_are_listed_while_it_is_open(server: Server) -> None:
    stage = scaling()
    stage.store.link(Kind.SERVICES, Health.CONNECTING)
    link = connected(way("caddy-svc", server.url))
    stage.feed = Linked(stage, link)
    async with shown(stage, (80, 24)) as screen:
        await screen.press("B")
        assert asked(screen) == "Waiting for the list of Services…"
        stage.store.put(Kind.SERVICES, [service("caddy-svc")])
        stage.store.link(Kind.SERVICES, Health.LIVE)
        await screen.until(lambda: "● caddy-svc  NodePort" in screen.text("#targets"))
        await screen.until(lambda: "to caddy-svc NodePort on lab-worker" in asked(screen))


async def test_a_cluster_without_services_leaves_the_url(server: Server) -> None:
    stage = scaling()
    async with shown(stage, (80, 24)) as screen:
        await screen.press("B")
        assert screen.app.focused is field(screen, "url")
        await screen.press(*server.url)
        assert f"to {server.url}" in asked(screen)


async def test_hostile_names_stay_text(server: Server) -> None:
    evil = "[red]x[/]"
    ways = connected(way(evil, server.url))
    stage = scaling()
    stage.store.put(Kind.SERVICES, [service(evil)])
    stage.feed = Linked(stage, ways)
    async with shown(stage, (120, 36)) as screen:
        await screen.press("B")
        assert evil in screen.text("#targets")
        assert evil in asked(screen)
