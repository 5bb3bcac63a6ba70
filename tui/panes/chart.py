"""CPU over time: usage as a share of the request, the target, the replicas it led to."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Final

from tui.analysis.forecast import Forecast
from tui.analysis.scene import Scene
from tui.analysis.timeline import Entry, Mood, marks
from tui.analysis.trend import Curve, Trend, ceiling, pieces, steps, thinned, within
from tui.panes.canvas import Layer, draw
from tui.panes.line import Line
from tui.panes.load_strip import strips
from tui.panes.pane import Pane
from tui.state.links import Health, Source
from tui.text import clean, pad, wrap

WINDOWS: Final = (60, 300, 900, 3600)
"""Seconds."""
_AHEAD: Final = {60: 20.0, 300: 120.0, 900: 300.0, 3600: 300.0}
"""Seconds of the time to come beside each window."""
_GAP: Final = 100.0
"""Seconds without a sample after which a curve is broken off."""
_AXIS: Final = 6
_RIGHT: Final = 3
"""Cells left and right of the canvas."""
_MARKS: Final = {
    Mood.DECIDED: ("◆", "decided"),
    Mood.BAD: ("▲", "bad"),
    Mood.MEASURED: ("▪", "measured"),
}


class ChartPane(Pane):
    """The canvas with its axes. Its lines are made at most twice a second."""

    TITLE = "CPU"
    EVERY = 0.5

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.window = 300
        self.per_pod = False
        self._lines: list[Line] = []
        self._entries: tuple[Entry, ...] = ()
        self._marked: tuple[tuple[float, Mood], ...] = ()
        self._marked_for: object = None
        self._loaded = False
        """Whether a burst ran in the time that is drawn."""

    def depends(self, scene: Scene) -> Hashable:
        """The curves, the marks, and the time each column of dots stands for."""
        dots = 2 * (self.room.width - _AXIS - _RIGHT)
        column = max(0.5, (self.window + self.ahead) / max(1, dots))
        hpa = scene.focus.hpa
        return (
            scene.charted,
            scene.focus.workload is None,
            hpa.max if hpa is not None else None,
            self._marks(scene),
            self.window,
            self.per_pod,
            int(scene.now / column),
            scene.delta.link(Source.POD_METRICS),
            scene.forecast.changes,
            sum(len(burst.points) for burst in scene.delta.bursts),
        )

    def _marks(self, scene: Scene) -> tuple[tuple[float, Mood], ...]:
        """What is marked; asked at every look, while the entries change now and then."""
        keys = scene.focus.keys
        if scene.entries is not self._entries or keys != self._marked_for:
            self._entries, self._marked_for = scene.entries, keys
            found = marks(scene.entries, 0.0, keys)
            self._marked = tuple((e.time, e.mood) for e in found)
        return self._marked

    def caption(self) -> Line:
        """What is drawn, and in what unit."""
        unit = "% of request" if self.scene.trend.percent else "millicores"
        how = "each pod" if self.per_pod else "all pods"
        line: Line = [(f"CPU, {unit}", "bold measured")]
        if self.size.width >= 44:
            line.append((f"  {how}", "muted"))
        return line

    def footnote(self) -> Line:
        """The legend and the window."""
        line: Line = []
        if self.size.width >= 50:
            for ink, word in (
                ("measured", "cpu"),
                ("bad", "target"),
                ("decided", "desired"),
                ("good", "ready"),
                *([("estimated", "ahead")] if self.ahead and self.size.width >= 60 else []),
            ):
                if word in ("cpu", "desired") or not self._loaded or self.size.width >= 75:
                    line += [("━", ink), (f" {word}  ", "muted")]
        if self._loaded and self.size.width >= 36:
            line += [("▇", "measured"), (" req/s  ", "muted"), ("▇", "text"), (" p99  ", "muted")]
        return [*line, (f"{self.window // 60} min", "muted")]

    @property
    def ahead(self) -> float:
        """Seconds of the time to come that are drawn: none without a forecast."""
        return _AHEAD[self.window] if self.scene.forecast.looks else 0.0

    def step_window(self, by: int) -> None:
        """A longer (1) or shorter (-1) stretch of time."""
        at = WINDOWS.index(self.window) + by
        self.window = WINDOWS[max(0, min(len(WINDOWS) - 1, at))]
        self.redraw()

    def toggle_per_pod(self) -> None:
        """A line a pod, or one for all."""
        self.per_pod = not self.per_pod
        self.redraw()

    def prepare(self) -> int:
        """Draw everything: the canvas is one picture."""
        room, height = self.room
        if room < 20 or height < 4:
            self._lines = [[("too small for a chart", "muted")]]
            return 1
        problem = self._problem()
        if problem:
            self._lines = [[(text, ink)] for part, ink in problem for text in wrap(part, room)]
            return len(self._lines)
        self._lines = self._draw(room, height)
        return len(self._lines)

    def line(self, y: int, room: int) -> Line:
        """A line made by :meth:`prepare`."""
        return self._lines[y]

    def _problem(self) -> list[tuple[str, str]]:
        scene = self.scene
        if scene.trend.total.times:
            return []
        link = scene.delta.link(Source.POD_METRICS)
        if link.health in (Health.ABSENT, Health.FORBIDDEN, Health.UNAVAILABLE):
            return [(f"metrics: {link.health.value}", "bold bad"), (clean(link.detail), "text")]
        if scene.focus.workload is None:
            return [("nothing to draw: no scale target in view", "muted")]
        if link.health is Health.RETRYING:
            return [("metrics: no answer", "bold bad"), (clean(link.detail), "text")]
        return [
            ("waiting for the first sample", "muted"),
            ("metrics-server measures every 15 s; a new pod has none for a while", "muted"),
        ]

    def _draw(self, room: int, height: int) -> list[Line]:
        scene, data = self.scene, self.scene.trend
        now = scene.now
        start, end = now - self.window, now + self.ahead
        canvas_width = room - _AXIS - _RIGHT
        under = strips(scene.delta.bursts, start, end, _AXIS, canvas_width) if height >= 9 else []
        self._loaded = bool(under)
        canvas_height = height - 2 - len(under)
        total = within(data.total, start, now)
        shown = [within(c, start, now) for c in data.pods] if self.per_pod else [total]
        highest = [v for curve in shown for v in curve.values]
        top = ceiling([*highest, (data.target or 0) * 1.6, 4.0])
        most = _most_replicas(data, scene)
        layers = self._curves(data, shown, top, now, canvas_width)
        layers += self._replicas(data, most, start, now)
        layers += self._future(most, now, end, canvas_width)
        if data.target is not None:
            flat = Curve((start, end), (data.target, data.target))
            layers.insert(0, Layer(flat, "bad", 0.0, top))
        picture = draw(layers, start, end, canvas_width, canvas_height)
        left_labels = _left_axis(top, data.target, canvas_height, data.percent)
        right_labels = _right_axis(
            data, most, canvas_height, scene.forecast.end if end > now else None
        )
        lines: list[Line] = []
        for y, row in enumerate(picture):
            label, ink = left_labels.get(y, ("", "muted"))
            after = right_labels.get(y, ("", ""))
            lines.append(
                [
                    (pad(label, _AXIS - 1, right=True) + " ", ink),
                    *row,
                    (pad(f" {after[0]}", _RIGHT), after[1]),
                ]
            )
        lines.append(self._mark_line(start, end, canvas_width))
        lines += under
        lines.append(_time_axis(self.window, self.ahead, canvas_width))
        return lines

    def _curves(
        self, data: Trend, shown: list[Curve], top: float, end: float, room: int
    ) -> list[Layer]:
        layers: list[Layer] = []
        for number, curve in enumerate(shown):
            gone = self.per_pod and data.pods[number].gone
            for piece in pieces(curve, _GAP):
                held = piece
                # The newest sample holds until the next one comes.
                if not gone and piece.times and end - piece.times[-1] < _GAP:
                    held = Curve((*piece.times, end), (*piece.values, piece.values[-1]))
                layers.append(
                    Layer(
                        thinned(held, 2 * room),
                        "faint" if gone else "bold measured",
                        0.0,
                        top,
                        wash="" if self.per_pod else "wash",
                    )
                )
        layers.sort(key=lambda layer: layer.ink != "faint")
        return layers

    def _replicas(self, data: Trend, most: float, start: float, end: float) -> list[Layer]:
        return [
            Layer(steps(curve, start, end), ink, 0.0, most)
            for curve, ink in ((data.ready, "good"), (data.desired, "bold decided"))
        ]

    def _future(self, most: float, now: float, end: float, room: int) -> list[Layer]:
        """The size to come, as dots: it is an estimate."""
        foreseen = self.scene.forecast
        if end <= now or not foreseen.looks:
            return []
        times, size = [], []
        for n in range(2 * room):
            at = now + (end - now) * n / (2 * room)
            if n % 3 == 0:
                times.append(at)
                size.append(float(_size_at(foreseen, at)))
        curve = Curve(tuple(times), tuple(size))
        return [Layer(curve, "bold estimated", 0.0, most, dotted=True)]

    def _mark_line(self, start: float, end: float, room: int) -> Line:
        signs: dict[int, tuple[str, str]] = {}
        for entry in sorted(marks(self.scene.entries, start, self.scene.focus.keys), key=_weight):
            column = int((entry.time - start) / (end - start) * (room - 1))
            if 0 <= column < room:
                signs[column] = _MARKS.get(entry.mood, ("·", "muted"))
        line: Line = [(" " * _AXIS, "")]
        for column in range(room):
            sign, ink = signs.get(column, ("─", "faint"))
            line.append((sign, ink))
        return line


def _size_at(foreseen: Forecast, at: float) -> int:
    size = foreseen.start
    for moment, then in foreseen.changes:
        if moment > at:
            break
        size = then
    return size


def _weight(entry: Entry) -> int:
    return (Mood.QUIET, Mood.MEASURED, Mood.GOOD, Mood.BAD, Mood.DECIDED).index(entry.mood)


def _most_replicas(data: Trend, scene: Scene) -> float:
    known = [*data.desired.values, *data.ready.values, *data.current.values]
    known += [float(look.size) for look in scene.forecast.looks]
    hpa = scene.focus.hpa
    # The HPA's max keeps the scale still while replicas grow, unless it is out of all proportion.
    limit = hpa.max if hpa is not None and hpa.max <= max(20, 3 * max(known, default=1)) else 0
    return max(1.0, float(limit), *known) * 1.12


def _row(value: float, top: float, height: int) -> int:
    return max(0, min(height - 1, round((1 - value / top) * (height - 1))))


def _left_axis(
    top: float, target: float | None, height: int, percent: bool
) -> dict[int, tuple[str, str]]:
    labels: dict[int, tuple[str, str]] = {}
    count = 4 if height >= 9 else 2
    for n in range(count + 1):
        value = top * n / count
        text = f"{value:.0f}" + (" %" if n == count and percent else "")
        labels[_row(value, top, height)] = (text, "muted")
    if target is not None:
        labels[_row(target, top, height)] = (f"▸{target:.0f}", "bold bad")
    return labels


def _right_axis(
    data: Trend, most: float, height: int, foreseen: int | None
) -> dict[int, tuple[str, str]]:
    labels: dict[int, tuple[str, str]] = {}
    if foreseen is not None:
        labels[_row(foreseen, most, height)] = (str(foreseen), "bold estimated")
    for curve, ink in ((data.ready, "good"), (data.desired, "bold decided")):
        if curve.values:
            value = curve.values[-1]
            labels[_row(value, most, height)] = (f"{value:.0f}", ink)
    return labels


def _time_axis(window: int, ahead: float, room: int) -> Line:
    steps_ = {60: (4, 2), 300: (5, 1), 900: (3, 1), 3600: (4, 2)}[window]
    count = steps_[0] if room >= 30 else steps_[1]
    text = [" "] * (room + _AXIS)
    now = window / (window + ahead)
    labels = [(now * (1 - n / count), _ago(window * n // count, window)) for n in range(count + 1)]
    if ahead:
        labels.insert(1, (1.0, f"+{ahead:.0f}s" if ahead < 60 else f"+{ahead / 60:.0f}m"))
    for share, label in labels:
        at = _AXIS + int(share * (room - 1))
        begin = max(0, min(at - len(label) // 2, len(text) - len(label)))
        if "".join(text[max(0, begin - 1) : begin + len(label) + 1]).strip():
            continue  # no room for it beside its neighbour
        text[begin : begin + len(label)] = label
    return [("".join(text), "muted")]


def _ago(seconds: int, window: int) -> str:
    if seconds == 0:
        return "now"
    return f"-{seconds}s" if window <= 120 else f"-{seconds // 60}m"
