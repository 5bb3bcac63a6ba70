"""The App: wires store, session and screen together, and keeps the tick."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property, partial
from pathlib import PurePath
from typing import TYPE_CHECKING, ClassVar, Final, Protocol

from textual.app import App, SystemCommand
from textual.driver import Driver
from textual.events import Resize
from textual.screen import Screen

from tui import crash
from tui.actions import effective
from tui.analysis.focus import Target
from tui.analysis.scene import Director, Scene
from tui.config import THEMES, Settings
from tui.garbage import SETTLED, Garbage
from tui.log import Log
from tui.panes import ink
from tui.panes.ink import Palette
from tui.panes.toosmall import LEAST
from tui.panes.vitals import VitalsLine
from tui.resources import styles
from tui.screens.dashboard import Dashboard
from tui.screens.help import HelpScreen
from tui.screens.terminal import on_standard_output
from tui.screens.whatif import WhatIfScreen
from tui.state.beat import LOOK
from tui.state.links import Link
from tui.state.place import Place
from tui.state.store import Store
from tui.still import Still
from tui.text import clean
from tui.vitals import Vitals

if TYPE_CHECKING:
    from tui.cluster.route import Routes
    from tui.cluster.transport import Transport
    from tui.doors.aims import Offer
    from tui.doors.burst import BurstDoor
    from tui.doors.fixes import FixesDoor
    from tui.doors.setups import SetupsDoor
    from tui.panes.doctor import DoctorPane
    from tui.panes.setups import SetupsPane

LOGGED: Final = 10.0
"""Seconds between two lines of the log that tell how the program is doing."""


class Feed(Protocol):
    """What fills the store: a session with a cluster."""

    @property
    def connection(self) -> Link:
        """How the whole of it is doing."""
        ...

    @property
    def place(self) -> Place:
        """Which cluster it is; may become known late."""
        ...

    @property
    def failure(self) -> Exception | None:
        """Why nothing can ever be shown; ends the program with that sentence."""
        ...

    @property
    def routes(self) -> Routes | None:
        """Ways to the cluster's Services; None until it is connected."""
        ...

    @property
    def transport(self) -> Transport | None:
        """To the cluster's API; None until it is connected."""
        ...

    def start(self) -> None:
        """Begin, in threads of its own; returns at once."""
        ...

    def stop(self) -> None:
        """End all of it within a second."""
        ...


class KscaleApp(App[str]):
    """The dashboard program. What it returns, if anything, is why it had to end."""

    TITLE = "kscale-tui"
    CSS_PATH: ClassVar[list[str | PurePath]] = [
        styles() / f"{name}.tcss"
        for name in (
            "base",
            "hpa",
            "chart",
            "pods",
            "timeline",
            "nodes",
            "load",
            "setups",
            "setup_preview",
            "fix_preview",
            "doctor",
            "why",
            "whatif",
            "burst",
            "help",
        )
    ]
    COMMAND_PALETTE_BINDING = "ctrl+p"
    ENABLE_COMMAND_PALETTE = True

    def __init__(
        self,
        store: Store,
        feed: Feed,
        settings: Settings | None = None,
        target: Target | None = None,
        *,
        log: Log | None = None,
        profile: bool = False,
    ) -> None:
        super().__init__()
        self._record = log or Log(None)
        self._vitals = Vitals() if profile or self._record.open else None
        self._profile = VitalsLine() if profile else None
        self._garbage = Garbage()
        self._store = store
        self._feed = feed
        self._settings = settings or Settings()
        self._director = Director(store, feed.place, target)
        self._actions = effective(self._settings.keys)
        self.dashboard = Dashboard(self._actions)
        # Before anything is drawn, or it would be drawn twice.
        for theme in ink.THEMES:
            self.register_theme(theme)
        wanted = THEMES.get(self._settings.theme, self._settings.theme)
        self.theme = wanted if wanted in self.available_themes else ink.DARK.name
        self._inks = self.get_css_variables()
        self.stylesheet.set_variables(self._inks)
        self._recolour()

    def get_driver_class(self) -> type[Driver]:
        """Draw where the terminal is, even when standard error is not."""
        return on_standard_output(super().get_driver_class())

    def get_default_screen(self) -> Dashboard:
        """The dashboard, from the first frame on."""
        return self.dashboard

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Inks for themes that have none of their own."""
        return ink.defaults(self.current_theme.dark)

    def refresh_css(self, animate: bool = True) -> None:
        """Style everything anew, unless it is in these colours already, as at the start it is."""
        inks = self.get_css_variables()
        if inks != self._inks:
            self._inks = inks
            super().refresh_css(animate)

    def on_mount(self) -> None:
        """Listen to the user and the system; the cluster comes after the first frame."""
        mine = self._settings.keys
        if mine:
            self.set_keymap({f"kscale.{a.name}": a.keys for a in self._actions if a.name in mine})
        self.theme_changed_signal.subscribe(self, lambda _: self._recolour())

        for number in (signal.SIGTERM, signal.SIGHUP) if hasattr(signal, "SIGHUP") else ():
            # A loop of Windows, or of another thread than the main one, hears no signals.
            with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
                asyncio.get_running_loop().add_signal_handler(number, self.exit)

    def on_dashboard_ready(self) -> None:
        """The empty screen stands: begin."""
        self._feed.start()
        self.set_interval(LOOK, self.tick)
        self._garbage.start()
        self.set_timer(SETTLED, self._garbage.settle)
        if self._vitals is not None:
            self._watch_ourselves(self._vitals)

    def _watch_ourselves(self, vitals: Vitals) -> None:
        vitals.start(asyncio.get_running_loop())
        self.set_interval(
            LOGGED, lambda: self._record.write("vitals", **vitals.figures()._asdict())
        )
        line = self._profile
        if line is not None:
            self.dashboard.mount(line)
            self.set_interval(1.0, lambda: line.show(vitals.figures()))

    def on_unmount(self) -> None:
        """Leave no thread and no burst behind."""
        self._garbage.stop()
        if self._vitals is not None:
            self._vitals.stop()
        self._record.write("end")
        self._record.close()
        if "bursts" in self.__dict__:
            self.bursts.close()
        if "setups" in self.__dict__:
            self.setups.close()
        if "fixes" in self.__dict__:
            self.fixes.close()
        self._feed.stop()

    def tick(self) -> None:
        """Look at the store once and show what there is."""
        if self._feed.failure is not None:
            self.exit(str(self._feed.failure), return_code=1)
        elif self.dashboard.is_mounted:
            began = time.perf_counter()
            scene = self.advance()
            self.dashboard.show(scene)
            if self.dashboard.setups.display and self._feed.transport is not None:
                self.setups.look()
            if self._vitals is not None:
                self._vitals.ticked(time.perf_counter() - began, len(scene.delta.changes))
                self._record.links(dict(scene.delta.links))

    def advance(self) -> Scene:
        """Drain the store once; the scene of this moment."""
        self._director.place = self._feed.place
        return self._director.next(self._feed.connection)

    @cached_property
    def bursts(self) -> BurstDoor:
        """The door of bursts, opened when it is first used: the first frame waits for nothing."""
        from tui.doors.burst import BurstDoor

        return BurstDoor(
            self._store,
            self._feed,
            self._settings.load,
            read_only=lambda: self._settings.read_only,
        )

    @cached_property
    def setups(self) -> SetupsDoor:
        """The door of setups, opened when it is first used."""
        from tui.doors.setups import SetupsDoor

        mine = [a for a in self._actions if not a.name.startswith("toggle_")]
        own = {key for action in mine for key in action.keys.split(",") if len(key) == 1}
        return SetupsDoor(self._store, self._feed, self._settings, taken=own | {"r", "u"})

    @cached_property
    def fixes(self) -> FixesDoor:
        """The door of the doctor's fixes, opened when it is first used."""
        from tui.doors.fixes import FixesDoor

        return FixesDoor(self._feed, self._settings)

    def on_resize(self, event: Resize) -> None:
        """Say so where the dashboard does not fit."""
        small = event.size.width < LEAST[0] or event.size.height < LEAST[1]
        self.dashboard.set_class(small, "-too-small")

    def _handle_exception(self, error: Exception) -> None:
        """An error of ours: leave the terminal sane, keep the details in a file."""
        if self.is_headless:
            super()._handle_exception(error)
            return
        self.exit(crash.note(error), return_code=1)

    def _recolour(self) -> None:
        self.dashboard.use(Palette(self.theme_variables))

    # Actions that are not about panes.

    def action_next_hpa(self) -> None:
        """Look at the next HPA."""
        self._step_hpa(1)

    def action_previous_hpa(self) -> None:
        """Look at the HPA before."""
        self._step_hpa(-1)

    def _step_hpa(self, by: int) -> None:
        if not self._director.step_hpa(by):
            self.notify("There is no other HPA to look at.", markup=False)

    def action_burst(self) -> None:
        """Fire the last burst at the current target."""
        self.bursts.again(self._offers())

    def action_choose_burst(self) -> None:
        """Choose target, preset and rate of a burst."""
        from tui.screens.burst_dialog import BurstDialog

        if not isinstance(self.screen, BurstDialog):
            self.push_screen(BurstDialog(self.bursts, self._offers()))

    def _offers(self) -> Callable[[], Offer]:
        """What tells what may be loaded at the moment, from any thread."""
        from tui.doors.aims import offer

        header = self.dashboard.header

        def look() -> Offer:
            scene = header.scene
            return offer(scene.delta, scene.focus)

        return look

    def action_stop_burst(self) -> None:
        """Stop all bursts."""
        if not self.bursts.stop():
            self.notify("No burst is under way.", markup=False)

    def action_toggle_nginx(self) -> None:
        """Apply nginx in front of the app, or delete it."""
        self._preview("nginx", None)

    def action_toggle_caddy(self) -> None:
        """Apply Caddy in front of the app, or delete it."""
        self._preview("caddy", None)

    def on_setups_pane_wished(self, message: SetupsPane.Wished) -> None:
        """The pane asks for something to be done with a setup."""
        if message.what == "undo":
            self.setups.undo(message.setup)
        else:
            deleting = {"apply": False, "delete": True}.get(message.what)
            self._preview(message.setup, deleting)

    def _preview(self, name: str, deleting: bool | None) -> None:
        from tui.screens.setup_preview import SetupPreview

        self.dashboard.bring(self.dashboard.setups)
        self.dashboard.setups.choose(name)
        self.push_screen(SetupPreview(self.setups, name, deleting))

    def on_doctor_pane_wished(self, message: DoctorPane.Wished) -> None:
        """The doctor's pane asks what a fix would do."""
        from tui.screens.fix_preview import FixPreview

        finding = message.finding
        if finding.fix.setup:
            self._preview(finding.fix.setup, False)
        elif finding.fix.patch is not None:
            self.push_screen(FixPreview(self.fixes, finding))

    def action_help(self) -> None:
        """Keys and colours."""
        if not isinstance(self.screen, HelpScreen):
            self.push_screen(HelpScreen(self._actions, self._setup_keys()))

    def _setup_keys(self) -> dict[str, str]:
        """Key → setup, for those that no action has: what the pane shows, or will show."""
        from tui.setups.keys import shown

        mine = {key for action in self._actions for key in action.keys.split(",")}
        return shown(self.dashboard.setups.scene.delta.setups.rows, mine)

    def action_what_if(self) -> None:
        """Try other settings of the HPA in thought."""
        scene = self.dashboard.hpa.scene
        if scene.why.inputs is None or scene.why.outlook is None:
            trouble = scene.why.trouble or "there is no HPA in view"
            self.notify(clean(f"What if: {trouble}."), markup=False)
        elif not isinstance(self.screen, WhatIfScreen):
            self.push_screen(WhatIfScreen(scene))

    def action_theme(self) -> None:
        """Dark, light, high contrast, in turn."""
        names = [theme.name for theme in ink.THEMES]
        at = names.index(self.theme) if self.theme in names else -1
        self.theme = names[(at + 1) % len(names)]

    def action_palette(self) -> None:
        """Find an action by name."""
        self.action_command_palette()

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """The palette: our actions first, then a picture of the screen and Textual's themes."""
        from tui.screens import palette, screenshot

        yield from palette.commands(self._actions, self.dashboard.run_action)
        # Textual's own is lost where there is no folder for downloads.
        take = partial(self.set_timer, 0.1, partial(screenshot.take, self))
        yield SystemCommand("Screenshot", "Save the screen as a picture (SVG)", take)
        yield from (c for c in super().get_system_commands(screen) if c.title == "Theme")


__all__: Sequence[str] = ("Feed", "KscaleApp", "Still")
