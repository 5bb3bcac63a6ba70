"""The dashboard: panes in a grid, keys from the registry of actions."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Input

from tui.actions import ACTIONS, Action, bindings, written
from tui.analysis.scene import Scene
from tui.panes.banner import Banner
from tui.panes.chart import ChartPane
from tui.panes.doctor import DoctorPane
from tui.panes.header import Header
from tui.panes.hpa import HpaPane
from tui.panes.ink import Palette
from tui.panes.keybar import KeyBar
from tui.panes.load import LoadPane
from tui.panes.nodes import NodesPane
from tui.panes.pane import Pane
from tui.panes.pods import PodsPane
from tui.panes.setups import SetupsPane
from tui.panes.stack import Stack
from tui.panes.timeline import TimelinePane
from tui.panes.toosmall import TooSmall
from tui.panes.why import WhyPane
from tui.text import clean


class Dashboard(Screen[None]):
    """Shows scenes; what changes the cluster or the choice of HPA it leaves to the app."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings()]
    AUTO_FOCUS = "PodsPane"
    ALLOW_IN_MAXIMIZED_VIEW = "Header, Banner, KeyBar, #filter, TooSmall"
    HORIZONTAL_BREAKPOINTS = [  # noqa: RUF012 (as Textual declares it)
        (0, "-narrow"),
        (100, "-normal"),
        (160, "-wide"),
    ]
    VERTICAL_BREAKPOINTS = [  # noqa: RUF012 (as Textual declares it)
        (0, "-tiny"),
        (20, "-short"),
        (30, "-middling"),
        (50, "-tall"),
    ]

    def __init__(self, actions: tuple[Action, ...] = ACTIONS) -> None:
        super().__init__()
        keys = written(actions)
        self.header = Header()
        self.banner = Banner()
        self.hpa = HpaPane(id="hpa")
        self.chart = ChartPane(id="chart")
        self.pods = PodsPane(id="pods")
        self.why = WhyPane(id="why")
        self.timeline = TimelinePane(id="timeline")
        self.nodes_pane = NodesPane(id="nodes")
        self.load = LoadPane(id="load")
        self.setups = SetupsPane(id="setups")
        self.doctor = DoctorPane(id="doctor")
        self.side = Stack(
            self.nodes_pane, self.load, self.setups, self.doctor, id="side", keys=keys
        )
        self.keybar = KeyBar(actions)
        self._load_told = (0, 0)
        self.panes: tuple[Pane, ...] = (
            self.hpa,
            self.chart,
            self.pods,
            self.why,
            self.timeline,
            *self.side.panes,
        )
        for pane in self.panes:
            pane.keys = keys

    class Ready(Message):
        """The panes are in place and can be shown scenes."""

    def on_mount(self) -> None:
        """Tell the app, once the first frame has been drawn."""
        self.call_after_refresh(lambda: self.app.post_message(self.Ready()))

    def compose(self) -> ComposeResult:
        """Panes in the order Tab goes through them."""
        yield self.header
        yield self.banner
        yield self.hpa
        with Horizontal(id="middle"):
            yield self.chart
            yield self.pods
            yield self.why
        with Horizontal(id="bottom"):
            yield self.timeline
            yield self.side
        yield Input(id="filter", placeholder="words, !word   Enter keeps it, Esc clears it")
        yield TooSmall()
        yield self.keybar

    def show(self, scene: Scene) -> None:
        """Hand one scene to every pane."""
        self.header.show(scene)
        self.banner.show(scene)
        for pane in self.panes:
            pane.show(scene)
        load = scene.delta.load
        news = (load.noticed, load.bursts[-1].group if load.bursts else 0)
        if news != self._load_told:
            # What one asked for is looked at, even if something else has the place.
            self._load_told = news
            if self.maximized is None:
                self.side.bring(self.load)

    def use(self, palette: Palette) -> None:
        """Hand a theme's colours to every pane."""
        self.header.use(palette)
        self.banner.use(palette)
        self.keybar.use(palette)
        for pane in self.panes:
            pane.use(palette, palette.selection)

    # Panes.

    def action_nodes(self) -> None:
        """See the nodes."""
        self.bring(self.nodes_pane)

    def action_load(self) -> None:
        """See the load."""
        self.bring(self.load)

    def action_setups(self) -> None:
        """See the setups."""
        self.bring(self.setups)

    def action_doctor(self) -> None:
        """See what the doctor found."""
        self.bring(self.doctor)

    def action_copy(self) -> None:
        """Put the command of the doctor's chosen finding on the clipboard."""
        finding = self.doctor.chosen
        if isinstance(self.focused, DoctorPane) and finding is not None and finding.fix.command:
            self.app.copy_to_clipboard(clean(finding.fix.command))
            self.notify("The command is on the clipboard.", markup=False)

    def bring(self, pane: Pane) -> None:
        """Put one of the panes that share a place in front; while zoomed, zoom that one."""
        zoomed = self.maximized is not None
        if zoomed:
            self._restore()
        self.side.bring(pane)
        pane.focus()
        if zoomed:
            self._zoom(pane)

    def action_why(self) -> None:
        """Open the steps over the middle, and close them."""
        if self.has_class("-why"):
            self._close_why()
            return
        if self.maximized is not None:
            self._restore()
        self.add_class("-why")
        self.why.focus()

    def _close_why(self) -> None:
        if self.maximized is not None:
            self._restore()
        self.remove_class("-why")
        self.pods.focus()

    def action_zoom(self) -> None:
        """Give the focused pane the whole screen, and back."""
        if self.maximized is not None:
            self._restore()
        elif isinstance(self.focused, Pane):
            self._zoom(self.focused)

    def on_pane_zoom(self, message: Pane.Zoom) -> None:
        """A double click on a pane."""
        if self.maximized is not None:
            self._restore()
        else:
            self._zoom(message.pane)

    def action_focus_next(self) -> None:
        """Go to the next pane; while zoomed, zoom that one."""
        self._step(1)

    def action_focus_previous(self) -> None:
        """Go to the pane before; while zoomed, zoom that one."""
        self._step(-1)

    def action_back(self) -> None:
        """Leave the filter, or the zoomed pane."""
        field = self.query_one("#filter", Input)
        if field.has_class("open"):
            field.value = ""
            self._close_filter()
        elif self.maximized is not None:
            self._restore()
        elif self.has_class("-why"):
            self._close_why()
        elif self.pods.filter:
            field.value = ""

    def _step(self, by: int) -> None:
        # Textual's own order goes by where widgets are drawn, and behind a zoomed one none is.
        order = [pane for pane in self.panes if _displayed(pane)]
        focused = self.focused
        pane: Pane = self.pods
        if isinstance(focused, Pane):
            pane = order[(order.index(focused) + by) % len(order)]
        if self.maximized is not None:
            self._restore()
            self._zoom(pane)
        else:
            pane.focus()

    def _zoom(self, pane: Pane) -> None:
        pane.add_class("zoomed")
        pane.focus()
        self.maximize(pane, container=False)

    def _restore(self) -> None:
        self.minimize()
        for pane in self.panes:
            pane.remove_class("zoomed")

    # Pods.

    def action_filter(self) -> None:
        """Open the filter."""
        field = self.query_one("#filter", Input)
        field.add_class("open")
        field.focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filter as one types."""
        self.pods.set_filter(event.value)

    def on_input_submitted(self) -> None:
        """Keep the filter and go back to the pods."""
        self._close_filter()

    def _close_filter(self) -> None:
        self.query_one("#filter", Input).remove_class("open")
        self.pods.focus()

    def action_sort(self) -> None:
        """Sort pods by the next column."""
        self.pods.step_sort()

    def action_reverse(self) -> None:
        """Turn the order of pods round."""
        self.pods.sort_by(self.pods.sort)

    def action_everything(self) -> None:
        """The target's pods, or every pod in scope."""
        self.pods.toggle_everything()

    def action_cursor_down(self) -> None:
        """One line down in the focused pane."""
        self._move(1)

    def action_cursor_up(self) -> None:
        """One line up in the focused pane."""
        self._move(-1)

    def _move(self, by: int) -> None:
        pane = self.focused
        if isinstance(pane, PodsPane | DoctorPane | SetupsPane):
            pane.move(by)
        elif isinstance(pane, Pane):
            pane.scroll_relative(y=by, animate=False)

    # Chart.

    def action_per_pod(self) -> None:
        """Chart each pod, or all of them together."""
        self.chart.toggle_per_pod()

    def action_longer(self) -> None:
        """Chart a longer time."""
        self.chart.step_window(1)
        self.load.window = self.chart.window

    def action_shorter(self) -> None:
        """Chart a shorter time."""
        self.chart.step_window(-1)
        self.load.window = self.chart.window


def _displayed(pane: Pane) -> bool:
    """Whether it has a place on the screen, or would have if none were zoomed."""
    return all(widget.display for widget in pane.ancestors_with_self if isinstance(widget, Widget))
