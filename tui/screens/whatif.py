"""What if: another target, other limits, side by side with what is. Nothing is written."""

from __future__ import annotations

import time
from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Grid, Horizontal, Vertical
from textual.content import Content
from textual.widgets import Input, Static

from tui.analysis.forecast import HORIZON, READY, Delays, Forecast, forecast
from tui.analysis.scene import Scene
from tui.analysis.trend import Curve, steps
from tui.analysis.whatif import FIELDS, Plan, WhatIfError, form, plan
from tui.analysis.why_words import span
from tui.panes.canvas import Layer, draw
from tui.panes.line import Line, content, cut
from tui.screens.sheet import Sheet
from tui.text import clean, pad, wrap

_LABELS: Final = {
    "target": "target",
    "min": "min",
    "max": "max",
    "request": "cpu request",
    "up window": "up window s",
    "up": "up at most",
    "down window": "down window s",
    "down": "down at most",
}
_HEIGHT: Final = 5
"""Lines of each picture."""


class WhatIfScreen(Sheet):
    """A form above, two forecasts of the same five minutes below, and the patch between them."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "close", key_display="Esc"),
        Binding("ctrl+y", "copy", "copy the patch", key_display="^y", priority=True),
        Binding("ctrl+r", "reset", "as it is", key_display="^r", priority=True),
        Binding("down,enter", "app.focus_next", show=False),
        Binding("up", "app.focus_previous", show=False),
    ]

    def __init__(self, scene: Scene) -> None:
        super().__init__()
        why = scene.why
        if why.inputs is None or why.outlook is None:
            raise ValueError("there is nothing to reckon with")
        self._scene = scene
        self._inputs, self._memory = why.inputs, why.memory
        self._spec = why.outlook.decision.spec
        self._next, self._period = why.next_look, why.period
        self._before = form(self._spec, self._inputs)
        self._wanted = Plan(self._spec, self._inputs)
        self._problem = ""
        self._copied = False
        self._is = self._forecast(self._wanted)

    def compose(self) -> ComposeResult:
        """The form, the two forecasts, the commands."""
        with Vertical(id="sheet"):
            with Grid(id="form"):
                for name in FIELDS:
                    yield Static(_LABELS[name], classes="label")
                    yield Input(
                        self._before[name],
                        id=_id(name),
                        compact=True,
                        disabled=not self._before[name],
                        select_on_focus=True,
                    )
            with Horizontal(id="forecasts"):
                yield Static(id="is")
                yield Static(id="if")
            yield Static(id="commands")

    def opened(self) -> None:
        """Say what it is, and how to leave."""
        sheet = self.query_one("#sheet")
        clock = time.strftime("%H:%M:%S", time.localtime(self._scene.now))
        sheet.border_title = Content(f"What if · {clean(self._spec.name)} at {clock}")
        sheet.border_subtitle = Content("^y copy the patch · ^r as it is · Esc close")
        self.call_after_refresh(self._show)

    def on_resize(self) -> None:
        """The pictures depend on the width."""
        self.call_after_refresh(self._show)

    def on_input_changed(self) -> None:
        """Reckon as one types."""
        asked = {name: self.query_one(f"#{_id(name)}", Input).value for name in FIELDS}
        self._copied = False
        try:
            self._wanted = plan(self._spec, self._inputs, asked)
            self._problem = ""
        except WhatIfError as error:
            self._problem = str(error)
        self._show()

    def action_reset(self) -> None:
        """The form as it was."""
        for name in FIELDS:
            self.query_one(f"#{_id(name)}", Input).value = self._before[name]

    def action_copy(self) -> None:
        """Put the commands on the clipboard (OSC 52), and say so."""
        commands = self._wanted.commands
        if commands and not self._problem:
            self.app.copy_to_clipboard("\n".join(commands) + "\n")
            self._copied = True
            self._show()

    def _forecast(self, wanted: Plan) -> Forecast:
        ready = next((g.median for g in self._scene.lags if g.name == "decision → Ready"), READY)
        return forecast(
            wanted.spec,
            wanted.inputs,
            self._memory,
            self._scene.now,
            self._next,
            Delays(ready, self._period),
            self._scene.why.settings,
        )

    def _show(self) -> None:
        if not self.is_mounted:
            return
        then = self._forecast(self._wanted)
        most = 1.12 * max([1, self._is.start, *[k.size for f in (self._is, then) for k in f.looks]])
        same = not self._wanted.commands
        for name, heading, ink, foreseen in (
            ("is", "as it is", "decided", self._is),
            ("if", "the same so far" if same else "what if", "estimated", then),
        ):
            place = self.query_one(f"#{name}", Static)
            room = max(16, place.size.width - 1)
            place.update(content(self._column(heading, ink, foreseen, most, room)))
        commands = self.query_one("#commands", Static)
        commands.update(content(self._commands(max(20, commands.size.width - 1))))

    def _column(
        self, heading: str, ink: str, foreseen: Forecast, most: float, room: int
    ) -> list[Line]:
        now = self._scene.now
        times = (now, *[at for at, _ in foreseen.changes])
        sizes = (float(foreseen.start), *[float(size) for _, size in foreseen.changes])
        curve = steps(Curve(times, sizes), now, now + HORIZON)
        width = room - 4
        picture = draw([Layer(curve, f"bold {ink}", 0.0, most)], now, now + HORIZON, width, _HEIGHT)
        ends: dict[int, str] = {}
        for size in (foreseen.start, foreseen.end):
            ends[round((1 - size / most) * (_HEIGHT - 1))] = str(size)
        lines: list[Line] = [[(heading, f"bold {ink}")]]
        lines += [[*row, (pad(f" {ends.get(y, '')}", 4), ink)] for y, row in enumerate(picture)]
        lines.append([("now", "muted"), (pad("+5 min", width - 3, right=True), "muted")])
        lines += [cut(line, room) for line in _told(foreseen, now)]
        return lines

    def _commands(self, room: int) -> list[Line]:
        if self._problem:
            return [[(text, "bad")] for text in wrap(clean(self._problem), room)]
        commands = self._wanted.commands
        if not commands:
            return [[("change a field; nothing is written to the cluster", "muted")]]
        said = "copied to the clipboard:" if self._copied else "nothing is written; to have it so:"
        lines: list[Line] = [[(said, "good" if self._copied else "muted")]]
        for command in commands:
            lines += [[(text, "measured")] for text in wrap(clean(command), room)]
        return lines


def _told(foreseen: Forecast, now: float) -> list[Line]:
    """When it changes, and where it ends."""
    lines: list[Line] = []
    size = foreseen.start
    for at, then in foreseen.changes[:4]:
        lines.append([(f"in {span(at - now)} ", "muted"), (f"{size} ▶ {then}", "bold estimated")])
        size = then
    if not lines:
        decides = foreseen.looks[0].decides if foreseen.looks else ""
        why = {"bounds": " (min or max)", "window": " (window)", "tolerance": " (tolerance)"}
        lines.append([(f"stays at {size}{why.get(decides, '')}", "muted")])
    elif len(foreseen.changes) > 4:
        lines.append([(f"… ends at {foreseen.end}", "muted")])
    last = next((look.reading for look in reversed(foreseen.looks) if look.reading), None)
    metric = foreseen.spec.metrics[0] if foreseen.spec and foreseen.spec.metrics else None
    if last is not None and metric is not None and metric.average_utilization is not None:
        lines.append([(f"ends at {last} % of {metric.average_utilization} %", "muted")])
    return lines


def _id(name: str) -> str:
    return "whatif-" + name.replace(" ", "-")
