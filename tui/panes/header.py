"""The top line: which cluster, which target, whether the data is live, how old it is, the time."""

from __future__ import annotations

import time
from collections.abc import Hashable

from textual.strip import Strip

from tui.analysis.doctor.finding import Finding, Severity
from tui.analysis.scene import Scene
from tui.panes.doctor import SIGNS, counted
from tui.panes.ink import Palette
from tui.panes.kept import Kept
from tui.panes.line import Line, cells, cut, strip
from tui.state.links import Health, Link, Source
from tui.text import ago, clean, pad, shorten, span

_SIGN = {
    Health.LIVE: ("●", "good"),
    Health.CONNECTING: ("○", "decided"),
    Health.RETRYING: ("▲", "bad"),
    Health.FORBIDDEN: ("✕", "bad"),
    Health.ABSENT: ("✕", "bad"),
    Health.UNAVAILABLE: ("▲", "bad"),
    Health.STOPPED: ("■", "muted"),
}


class Header(Kept):
    """One line. What is left out first when it gets narrow: target, seconds, metric age."""

    def __init__(self) -> None:
        super().__init__(id="header")
        self.scene = Scene()
        self.palette = Palette({})
        self._drawn_for: Hashable = None

    def show(self, scene: Scene) -> None:
        """Take over a scene."""
        self.scene = scene
        drawn_for = (
            int(scene.now),
            scene.connection,
            scene.focus.target,
            scene.place,
            scene.diagnosed,
            self.size,
        )
        if drawn_for != self._drawn_for:
            self._drawn_for = drawn_for
            self.refresh()

    def use(self, palette: Palette) -> None:
        """Take over a theme's colours."""
        self.palette = palette
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Textual asks for the line."""
        room = self.size.width
        made = strip(self._line(room), self.palette)
        return made.adjust_cell_length(room).apply_style(self.rich_style)

    def _line(self, room: int) -> Line:
        scene = self.scene
        place = scene.place
        namespace = "all namespaces" if place.namespace is None else clean(place.namespace)
        left: Line = [(" kscale ", "bold reverse measured"), ("  ", "")]
        if place.simulated:
            left += [(" SIMULATED ", "bold reverse estimated"), (" ", "")]
        if place.insecure:
            left += [(" INSECURE ", "bold reverse bad"), (" ", "")]
        left += [(clean(place.context), ""), (" / ", "muted"), (namespace, "")]
        if place.read_only:
            left += [("  read-only", "decided")]
        right: Line = [
            *_trouble(scene.findings),
            *_connection(scene.connection, scene.now),
            ("  ", ""),
        ]
        metrics = _metrics(scene)
        clock: Line = [(time.strftime("%H:%M:%S", time.localtime(scene.now)), ""), (" ", "")]
        for extra in ([*metrics, ("  ", "")], []):
            line = [*right, *extra, *clock]
            if cells(left) + cells(line) + 2 <= room:
                break
        space = room - cells(line) - cells(left)
        target = scene.focus.target
        if target is not None and space > 24:
            name = f"{clean(target.kind.lower())}/{clean(target.name)}"
            left += [("   target ", "muted"), (shorten(name, space - 12), "")]
        left = cut(left, room - cells(line) - 1)
        return [*left, (pad("", room - cells(left) - cells(line)), ""), *line]


def _trouble(findings: tuple[Finding, ...]) -> Line:
    """How much the doctor found to be wrong."""
    line: Line = []
    errors, warnings = counted(findings)
    for severity, number in ((Severity.ERROR, errors), (Severity.WARNING, warnings)):
        if number:
            sign, ink = SIGNS[severity]
            line += [(f"{sign} {number}", ink), ("  ", "")]
    return line


def _connection(link: Link, now: float) -> Line:
    sign, ink = _SIGN[link.health]
    word = link.health.value
    if link.health in (Health.RETRYING, Health.UNAVAILABLE) and link.since:
        word = f"stale {span(now - link.since)}"
        if link.retry_at is not None and link.retry_at > now:
            word += f", retry in {span(link.retry_at - now)}"
    return [(f"{sign} ", ink), (word, ink)]


def _metrics(scene: Scene) -> Line:
    link = scene.delta.link(Source.POD_METRICS)
    newest = max((s.time for s in scene.delta.pod_usage.values()), default=None)
    if link.health in (Health.ABSENT, Health.FORBIDDEN, Health.UNAVAILABLE):
        return [("metrics ", "muted"), (link.health.value, "bad")]
    if newest is None:
        return [("metrics –", "muted")]
    old = scene.now - newest
    return [("metrics ", "muted"), (ago(old), "bad" if old > 90 else "muted")]
