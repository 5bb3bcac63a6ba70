"""The top line: which cluster, which target, whether the data is live, how old it is, the time."""

from __future__ import annotations

import time
from collections.abc import Hashable
from typing import Final

from textual.strip import Strip

from tui.analysis.doctor.finding import Finding, Severity
from tui.analysis.scene import Scene
from tui.panes.doctor import SIGNS, counted
from tui.panes.ink import Palette
from tui.panes.kept import Kept
from tui.panes.line import Line, cells, cut, strip
from tui.state.links import Health, Link, Source
from tui.text import ago, clean, pad, shorten, shorten_tail, span

_SIGN = {
    Health.LIVE: ("●", "good"),
    Health.CONNECTING: ("○", "decided"),
    Health.RETRYING: ("▲", "bad"),
    Health.FORBIDDEN: ("✕", "bad"),
    Health.ABSENT: ("✕", "bad"),
    Health.UNAVAILABLE: ("▲", "bad"),
    Health.STOPPED: ("■", "muted"),
}


_GAP: Final = ("  ", "")
_CONTEXT: Final = 24
"""Cells that a context has before the time of day or the age of the metrics is left out for it."""


class Header(Kept):
    """One line.

    What is left out first when it gets narrow: the target, the start of a long context, the
    seconds, the time of day; last of all the age of the metrics.
    """

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
        now = time.localtime(scene.now)
        always = [*_trouble(scene.findings), *_connection(scene.connection, scene.now), _GAP]
        metrics = [*_metrics(scene), _GAP]
        clock, minutes = ((time.strftime(f"{form} ", now), "") for form in ("%H:%M:%S", "%H:%M"))
        least = cells(self._cluster(_CONTEXT)) + 2
        for extra in (
            [*metrics, clock],
            [*metrics, minutes],
            metrics,
            [clock],
            [minutes],
            [],
        ):
            right: Line = [*always, *extra]
            if least + cells(right) <= room:
                break
        free = room - cells(right)
        left = self._cluster(max(_CONTEXT, _CONTEXT + free - least))
        target = scene.focus.target
        if target is not None and free - cells(left) > 24:
            name = f"{clean(target.kind.lower())}/{clean(target.name)}"
            left += [("   target ", "muted"), (shorten(name, free - cells(left) - 12), "")]
        left = cut(left, free - 1)
        return [*left, (pad("", free - cells(left)), ""), *right]

    def _cluster(self, most: int) -> Line:
        """Which one, its context in at most ``most`` cells."""
        place = self.scene.place
        namespace = "all namespaces" if place.namespace is None else clean(place.namespace)
        line: Line = [(" kscale ", "bold reverse measured"), _GAP]
        if place.simulated:
            line += [(" SIMULATED ", "bold reverse estimated"), (" ", "")]
        if place.insecure:
            line += [(" INSECURE ", "bold reverse bad"), (" ", "")]
        # The names that EKS and GKE give end in the cluster's own.
        line += [(shorten_tail(clean(place.context), most), ""), (" / ", "muted"), (namespace, "")]
        if place.read_only:
            line += [("  read-only", "decided")]
        return line


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
