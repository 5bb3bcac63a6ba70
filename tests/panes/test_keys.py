"""Every key of the dashboard does what help says it does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.panes.screen import shown
from tests.samples import NOW, deployment, hpa, pod
from tests.stages import idle, scaling
from tui.actions import ACTIONS, KeysError, effective
from tui.config import Settings
from tui.panes.chart import ChartPane
from tui.panes.hpa import HpaPane
from tui.panes.pods import PodsPane
from tui.panes.timeline import TimelinePane
from tui.screens.help import HelpScreen
from tui.state.rows import Kind, Owner


def rows(text: str) -> list[str]:
    """The pods' tails in the order they are listed."""
    return re.findall(r"…?\S*-([a-z0-9]{5}) ", text)


async def test_z_zooms_the_focused_pane_and_back() -> None:
    async with shown(scaling()) as screen:
        small = screen.dashboard.pods.size
        await screen.press("z")
        assert (
            screen.dashboard.pods.size.width == 118 - screen.dashboard.pods.scrollbar_size_vertical
        )
        assert "lab-worker" in screen.text(PodsPane)
        assert "Timeline" not in screen.text()
        assert "kscale" in screen.text()
        await screen.press("z")
        assert screen.dashboard.pods.size == small
        assert "Timeline" in screen.text()


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (170, 55)])
async def test_every_pane_fills_the_screen_when_it_is_zoomed(size: tuple[int, int]) -> None:
    async with shown(scaling(), size) as screen:
        seen = [pane for pane in screen.dashboard.panes if pane.region.area]
        await screen.press("z")
        zoomed = []
        while screen.dashboard.maximized not in zoomed:
            pane = screen.dashboard.maximized
            assert pane is not None
            zoomed.append(pane)
            # All but the line at the top and the keys at the bottom.
            assert pane.outer_size == (size[0], size[1] - 2), pane.id
            await screen.press("tab")
        first = seen.index(screen.dashboard.pods)
        assert zoomed == seen[first:] + seen[:first]


async def test_enter_zooms_and_escape_restores() -> None:
    async with shown(scaling()) as screen:
        await screen.press("enter")
        assert "Nodes" not in screen.text()
        await screen.press("escape")
        assert "Nodes" in screen.text()


async def test_tab_goes_through_the_panes_both_ways() -> None:
    async with shown(scaling()) as screen:
        order = []
        for _ in range(5):
            await screen.press("tab")
            order.append(screen.app.focused.id if screen.app.focused else None)
        assert order == ["timeline", "nodes", "hpa", "chart", "pods"]
        await screen.press("shift+tab")
        assert screen.app.focused is screen.dashboard.chart


async def test_tab_while_zoomed_zooms_the_next_pane() -> None:
    async with shown(scaling()) as screen:
        await screen.press("z", "tab")
        assert "Timeline" in screen.text()
        assert "Pods" not in screen.text()
        await screen.press("tab")
        assert screen.dashboard.maximized is screen.dashboard.nodes_pane
        await screen.press("shift+tab", "shift+tab")
        assert screen.dashboard.maximized is screen.dashboard.pods


async def test_double_click_zooms() -> None:
    async with shown(scaling()) as screen:
        await screen.pilot.click("#nodes", offset=(5, 3), times=2)
        await screen.look()
        assert "Timeline" not in screen.text()
        assert "v1.36.2" in screen.text("#nodes")


async def test_h_steps_through_hpas_in_a_circle() -> None:
    stage = idle()
    other = hpa(3, 3, 40, uid="uid-other", name="web-hpa", target_name="web")
    stage.store.put(Kind.HPAS, [other])
    stage.store.put(Kind.DEPLOYMENTS, [deployment(3, 3, uid="uid-web", name="web")])
    async with shown(stage) as screen:
        assert "HPA fastapi-hpa" in screen.text(HpaPane)
        assert "1 of 2" in screen.text(HpaPane)
        await screen.press("h")
        assert "HPA web-hpa" in screen.text(HpaPane)
        assert "deployment/web" in screen.text()
        await screen.press("h")
        assert "HPA fastapi-hpa" in screen.text(HpaPane)
        await screen.press("H")
        assert "HPA web-hpa" in screen.text(HpaPane)


async def test_h_changes_which_lines_of_the_timeline_are_named() -> None:
    stage = scaling()
    other = {"uid": "uid-other", "name": "web-hpa", "target_name": "web"}
    stage.store.put(Kind.HPAS, [hpa(3, 3, 40, **other)])
    stage.store.put(Kind.DEPLOYMENTS, [deployment(3, 3, uid="uid-web", name="web")])
    owner = Owner("StatefulSet", "web", "uid-web")
    pods = [pod(f"other-{n}", age=1, owner=owner, labels=()) for n in range(2)]
    stage.at(-1, lambda: stage.store.put(Kind.PODS, pods))
    stage.at(-1, lambda: stage.store.put(Kind.HPAS, [hpa(3, 5, 90, last_scale=NOW, **other)]))
    stage.script.sort(key=lambda step: step[0])
    async with shown(stage, (200, 60)) as screen:
        await screen.until(lambda: "3 ▶ 5" in screen.text(TimelinePane))
        text = screen.text(TimelinePane)
        assert "◆ web-hpa: 3 ▶ 5" in text
        assert "● web: 2 pods Ready" in text
        assert "◆ 4 ▶ 8" in text
        await screen.press("h")
        await screen.until(lambda: "◆ 3 ▶ 5" in screen.text(TimelinePane))
        assert "◆ fastapi-hpa: 4 ▶ 8" in screen.text(TimelinePane)
        assert "● fastapi-deploy: " in screen.text(TimelinePane)


async def test_slash_filters_as_one_types_and_escape_clears() -> None:
    async with shown(scaling()) as screen:
        await screen.press("slash", *"pending")
        assert rows(screen.text(PodsPane)) == ["tnxvz", "vqnl8"]
        assert "filter pending: 2 of 8" in screen.text(PodsPane)
        await screen.press("enter")
        assert screen.app.focused is screen.dashboard.pods
        assert rows(screen.text(PodsPane)) == ["tnxvz", "vqnl8"]
        await screen.press("slash", "escape")
        assert len(rows(screen.text(PodsPane))) == 8


async def test_escape_clears_a_filter_that_was_kept() -> None:
    async with shown(scaling()) as screen:
        await screen.press("slash", *"running", "enter", "escape")
        assert len(rows(screen.text(PodsPane))) == 8


async def test_a_filter_may_turn_a_word_round_and_match_nothing() -> None:
    async with shown(scaling()) as screen:
        await screen.press("slash", *"!running !pending", "enter")
        assert rows(screen.text(PodsPane)) == ["blbq8", "lzd79"]
        screen.dashboard.pods.set_filter("no-such-pod")
        await screen.look()
        assert "none of 8 pods match" in screen.text(PodsPane)


async def test_keys_typed_into_the_filter_are_not_commands() -> None:
    async with shown(scaling()) as screen:
        await screen.press("slash", *"szq?")
        assert screen.app.is_running
        assert screen.dashboard.pods.filter == "szq?"


async def test_s_steps_through_the_sorts_and_capital_s_turns_them_round() -> None:
    async with shown(scaling()) as screen:
        by_age = rows(screen.text(PodsPane))
        assert by_age[0] == "66dvd"
        await screen.press("s")
        assert "by name" in screen.text(PodsPane)
        assert rows(screen.text(PodsPane)) == sorted(by_age)
        await screen.press("s")
        assert "by cpu ↓" in screen.text(PodsPane)
        assert rows(screen.text(PodsPane))[:4] == ["66dvd", "thvgk", "7pc95", "8snlf"]
        await screen.press("S")
        assert "by cpu ↑" in screen.text(PodsPane)
        assert rows(screen.text(PodsPane))[-1] == "66dvd"


async def test_every_sort_can_be_reached_and_drawn() -> None:
    async with shown(scaling()) as screen:
        seen = set()
        for _ in range(8):
            await screen.press("s")
            found = re.search(r"by (\S+)", screen.text(PodsPane))
            seen.add(found[1] if found else None)
            assert len(rows(screen.text(PodsPane))) == 8
        assert seen == {"age", "name", "cpu", "memory", "cpu/req", "restarts", "status", "node"}


async def test_a_click_on_a_title_sorts() -> None:
    async with shown(scaling()) as screen:
        pods = screen.dashboard.pods
        line = screen.text(PodsPane).splitlines()[1]
        await screen.pilot.click("#pods", offset=(line.index("status") + 1, 1))
        await screen.look()
        assert pods.sort == "status"


async def test_a_shows_every_pod_in_scope() -> None:
    stage = scaling()
    stranger = pod("nginx-proxy-558dbcc8c8-tcp6w", age=900, labels=(("app", "nginx"),))
    stage.store.put(Kind.PODS, [stranger])
    async with shown(stage) as screen:
        assert "tcp6w" not in screen.text(PodsPane)
        await screen.press("a")
        assert "tcp6w" in screen.text(PodsPane)
        assert "all · by" in screen.text(PodsPane)
        await screen.press("a")
        assert "tcp6w" not in screen.text(PodsPane)


async def test_the_cursor_stays_on_its_pod_when_the_order_changes() -> None:
    async with shown(scaling()) as screen:
        pods = screen.dashboard.pods
        await screen.press("j", "j", "k", "down")
        assert pods.cursor == 1
        chosen = pods._selected_uid
        await screen.press("s")
        assert pods._selected_uid == chosen
        assert pods.cursor is not None
        assert pods._pods[pods.cursor].uid == chosen
        await screen.press("end")
        assert pods.cursor == 7
        await screen.press("home", "up")
        assert pods.cursor == 0


async def test_the_cursor_scrolls_a_long_list() -> None:
    stage = idle()
    names = [f"fastapi-deploy-66b8c95455-{n:05d}" for n in range(300)]
    stage.store.put(Kind.PODS, [pod(n, age=100 + i) for i, n in enumerate(names)])
    async with shown(stage) as screen:
        await screen.press("s", "end")
        assert "thvgk" in screen.text(PodsPane)
        await screen.press("home")
        assert "00000" in screen.text(PodsPane)
        await screen.press("pagedown", "pagedown")
        assert screen.dashboard.pods.cursor == 2 * (screen.dashboard.pods.room.height - 2)
        tail = names[screen.dashboard.pods.cursor][-5:]
        assert tail in screen.text(PodsPane)


async def test_p_charts_each_pod() -> None:
    async with shown(scaling()) as screen:
        assert "all pods" in screen.text(ChartPane)
        before = screen.text(ChartPane)
        await screen.press("p")
        assert "each pod" in screen.text(ChartPane)
        assert screen.text(ChartPane) != before


async def test_minus_and_plus_change_the_time_shown() -> None:
    async with shown(scaling()) as screen:
        for key, words in (
            ("", ("5 min", "-3m")),
            ("minus", ("15 min", "-10m")),
            ("minus", ("60 min", "-45m")),
            ("minus", ("60 min", "-45m")),
            ("plus", ("15 min", "-10m")),
            ("plus", ("5 min", "-2m")),
            ("equals_sign", ("1 min", "-30s")),
            ("plus", ("1 min", "-45s")),
        ):
            await screen.press(*[key] if key else [])
            for word in words:
                assert word in screen.text(ChartPane)


async def test_capital_t_goes_through_the_themes() -> None:
    async with shown(scaling()) as screen:
        seen = [screen.app.theme]
        for _ in range(3):
            await screen.press("T")
            seen.append(screen.app.theme)
        assert seen == ["kscale-dark", "kscale-light", "kscale-contrast", "kscale-dark"]


async def test_a_theme_of_textuals_own_has_the_inks_too() -> None:
    async with shown(scaling()) as screen:
        screen.app.theme = "nord"
        await screen.look()
        palette = screen.dashboard.pods.palette
        assert palette.style("decided").color is not None
        assert palette.style("decided").color != palette.style("measured").color


async def test_help_lists_every_action_and_closes() -> None:
    async with shown(scaling(), size=(120, 60)) as screen:
        await screen.press("f1")
        assert isinstance(screen.app.screen, HelpScreen)
        await screen.press("escape", "question_mark")
        assert isinstance(screen.app.screen, HelpScreen)
        text = screen.text()
        for action in ACTIONS:
            if not action.twin:
                assert action.help in text
        await screen.press("escape")
        assert not isinstance(screen.app.screen, HelpScreen)


async def test_the_dashboard_goes_on_behind_help() -> None:
    stage = scaling()
    async with shown(stage) as screen:
        await screen.press("question_mark")
        stage.store.put(Kind.HPAS, [hpa(8, 9, 77)])
        await screen.look()
        await screen.press("j", "k", "q")
        assert "77 %" in screen.text(HpaPane)


async def test_the_palette_finds_and_runs_an_action() -> None:
    async with shown(scaling()) as screen:
        await screen.press("ctrl+p")
        await screen.press(*"zoom")
        await screen.until(lambda: "Zoom  (z)" in screen.text())
        await screen.press("enter")
        await screen.until(lambda: screen.dashboard.maximized is not None)
        assert screen.dashboard.maximized is screen.dashboard.pods


@pytest.mark.parametrize("key", ["q", "ctrl+c"])
async def test_q_leaves(key: str) -> None:
    stage = idle()
    app = stage.app()
    async with app.run_test() as pilot:
        await pilot.press(key)
    assert app.return_code == 0


async def test_the_keys_of_the_settings_are_those_that_are_shown() -> None:
    stage = scaling()
    keys = {"zoom": "F5, Z", "previous_hpa": "g", "cursor_up": "i", "longer": "less_than_sign"}
    stage.settings = Settings(keys=keys | {"palette": "ctrl+k", "nodes": "9", "quit": "ctrl+q"})
    async with shown(stage, size=(140, 60)) as screen:
        last = screen.text().splitlines()[-1]
        assert "F5 zoom" in last
        assert "</+ time" in last
        assert "^q quit" in last
        assert last.rstrip().endswith("^k palette")
        await screen.press("w", "f5")
        assert "F5 zoom · Esc back" in screen.text()
        await screen.press("Z", "z", "2", "question_mark")
        assert screen.dashboard.maximized is None
        text = screen.text()
        assert re.search(r" F5 +Give the focused pane", text)
        assert re.search(r" h +Look at the next HPA; g at the one before", text)
        assert re.search(r" j i +Up and down", text)
        assert re.search(r" </\+ +Chart a longer or shorter time", text)


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"zoom": "b"}, "b is the key of both zoom and burst"),
        ({"zoom": "f5", "sort": "z,f5"}, "F5 is the key of both zoom and sort"),
        ({"zoom": "/"}, "/ is the key of both zoom and filter"),
        ({"zoom": "B"}, "B is the key of both zoom and choose_burst"),
        ({"zoom": "notakey"}, "zoom = 'notakey': there is no key 'notakey'"),
        ({"zoom": ""}, "zoom = '': there is no key ''"),
        ({"zoom": "z,"}, "there is no key ''"),
        ({"zoom": "strg+z"}, "there is no key 'strg+z'"),
        ({"zooom": "f5"}, "[keys] names no action 'zooom'; there are back, burst,"),
    ],
)
def test_keys_that_cannot_be_had(keys: dict[str, str], said: str) -> None:
    with pytest.raises(KeysError) as raised:
        effective(keys)
    assert said in str(raised.value)


def test_two_actions_may_change_their_keys() -> None:
    found = {action.name: action for action in effective({"zoom": "b", "burst": "z,enter"})}
    assert (found["zoom"].keys, found["burst"].keys) == ("b", "z,enter")


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("x", "No burst is under way."),
        ("h", "There is no other HPA to look at."),
        ("H", "There is no other HPA to look at."),
    ],
)
async def test_a_key_that_finds_nothing_to_do_says_so(key: str, said: str) -> None:
    async with shown(scaling()) as screen:
        await screen.press(key)
        assert [one.message for one in screen.app._notifications] == [said]


async def test_help_lists_the_keys_of_setups_in_their_order() -> None:
    stage = scaling()
    stage.settings = Settings(keys={"zoom": "8"})
    async with shown(stage, size=(120, 60)) as screen:
        await screen.press("question_mark")
        text = screen.text()
    found = re.findall(r" (\w) +(?:Apply (?:or delete )?)([a-zA-Z-]+)[ ,]", text)
    assert found == [
        ("n", "nginx"), ("c", "Caddy"), ("4", "fastapi"), ("5", "load-app"), ("6", "hpa-cpu"),
        ("7", "hpa-behavior"),
    ]  # fmt: skip


async def test_every_key_in_any_order_leaves_the_program_alive() -> None:
    async with shown(scaling(), size=(80, 24)) as screen:
        keys = [k for a in ACTIONS if a.name != "quit" for k in a.keys.split(",")]
        for key in (*reversed(keys), "escape", "escape"):
            await screen.pilot.press(key)
        await screen.look()
        assert screen.app.is_running
        assert "Pods 4/8 ready" in screen.text()


async def test_the_footer_fits_a_narrow_screen() -> None:
    async with shown(scaling(), size=(80, 24)) as screen:
        last = screen.text().splitlines()[-1]
        for action in ACTIONS:
            if action.footer == 1:
                assert f"{action.written} {action.label}" in last


async def test_the_footer_says_more_on_a_wider_screen() -> None:
    async with shown(scaling(), size=(140, 36)) as screen:
        last = screen.text().splitlines()[-1]
        for action in ACTIONS:
            if action.footer:
                assert f"{action.written} {action.label}" in last


async def test_a_small_terminal_is_told_what_is_needed() -> None:
    async with shown(scaling()) as screen:
        await screen.pilot.resize_terminal(50, 12)
        await screen.look()
        assert "50 columns and 12 rows" in " ".join(screen.text().split())
        await screen.pilot.resize_terminal(80, 24)
        await screen.look()
        assert "Pods" in screen.text()


async def test_the_least_terminal_shows_the_hpa_and_the_pods() -> None:
    async with shown(scaling(), size=(60, 16)) as screen:
        text = screen.text()
        assert "347 % / 50 %" in " ".join(text.split())
        assert "66dvd" in text
        assert "▸50" in text


async def test_a_click_on_a_key_in_the_last_line_presses_it() -> None:
    async with shown(scaling(), size=(140, 36)) as screen:
        line = screen.text().splitlines()[-1]
        await screen.pilot.click("#keybar", offset=(line.index("sort"), 0))
        await screen.look()
        assert screen.dashboard.pods.sort == "name"
        await screen.pilot.click("#keybar", offset=(line.index("help"), 0))
        await screen.look()
        assert isinstance(screen.app.screen, HelpScreen)
        await screen.press("escape")
        await screen.pilot.click("#keybar", offset=(line.index("palette"), 0))
        await screen.until(lambda: screen.app.screen is not screen.dashboard)


async def test_the_palette_saves_a_picture_of_the_screen_and_says_where_or_why_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with shown(scaling()) as screen:
        told: list[str] = []
        monkeypatch.setattr(screen.app, "notify", lambda text, **_: told.append(text))
        offered = screen.app.get_system_commands(screen.dashboard)
        save = next(command.callback for command in offered if command.title == "Screenshot")
        folder = tmp_path / "here"
        folder.mkdir()
        monkeypatch.chdir(folder)
        save()
        await screen.until(lambda: bool(told))
        (picture,) = folder.iterdir()
        assert told == [f"The screen is saved as {picture}."]
        assert picture.stat().st_mode & 0o777 == 0o600
        assert "fastapi-hpa" in picture.read_text(encoding="utf-8")
        picture.unlink()
        folder.rmdir()
        save()
        await screen.until(lambda: len(told) > 1)
        assert told[1].endswith("the folder you started from: No such file or directory.")
        monkeypatch.chdir(tmp_path)
