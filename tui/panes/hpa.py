"""The HPA: current ▶ desired in large digits, its metrics, its limits, its conditions in words."""

from __future__ import annotations

from collections.abc import Hashable

from tui.analysis.scene import Scene
from tui.analysis.why_sentence import sentences
from tui.analysis.words import metric_title, verdict, without_figures
from tui.panes import digits
from tui.panes.bar import target_bar
from tui.panes.line import Line, cells, cut, flow
from tui.panes.pane import Pane, absence
from tui.panes.spoken import spoken
from tui.state.links import Health
from tui.state.rows import HpaRow, Kind, MetricRow
from tui.text import ago, clean, cpu, memory, pad, percent, quantity, width, wrap

_SIGN = {"good": ("✓", "good"), "held": ("▲", "decided"), "bad": ("✕", "bad")}


class HpaPane(Pane):
    """One HPA at a time."""

    TITLE = "HPA"

    def depends(self, scene: Scene) -> Hashable:
        """The focus, its link, the reckoning, and the seconds until the next look."""
        hpa = scene.focus.hpa
        ages = int(scene.now) if hpa is not None else 0
        return (scene.focused, scene.delta.link(Kind.HPAS), ages, scene.why.version)

    def caption(self) -> Line:
        """``HPA fastapi-hpa``."""
        hpa = self.scene.focus.hpa
        return [("HPA ", "bold decided"), (clean(hpa.name) if hpa else "", "bold decided")]

    def footnote(self) -> Line:
        """Which of several, and the key to the next."""
        focus = self.scene.focus
        if focus.count > 1:
            return [(f"{focus.position} of {focus.count} · {self.keys['next_hpa']} next", "muted")]
        return []

    def prepare(self) -> int:
        """All lines at once: they are few."""
        room, height = self.room
        self._lines = self._all(room, height)
        return len(self._lines)

    def line(self, y: int, room: int) -> Line:
        """A line made by :meth:`prepare`."""
        return self._lines[y]

    def _all(self, room: int, height: int) -> list[Line]:
        focus = self.scene.focus
        if focus.hpa is None:
            return self._without_hpa(room)
        left = self._digits(focus.hpa, _digit_height(room, height))
        indent = cells(left[0]) + 4
        beside = self._beside(focus.hpa, room - indent)
        why = without_figures(focus.hpa)
        if why:
            beside += [[(text, "bad")] for text in wrap(clean(why), room - indent)]
        else:
            # The sentence says what the conditions say, and more: they give way to it.
            beside = beside[: max(height - 1, 1)]
        below: list[Line] = []
        if not why and height > max(len(left), len(beside)):
            # Under the digits, over the whole width.
            below = self._why(room, height - max(len(left), len(beside)))
        elif not why:
            beside += self._why(room - indent, max(1, height - len(beside)))
        lines: list[Line] = []
        for y in range(max(len(left), len(beside))):
            start = left[y] if y < len(left) else [(pad("", indent - 4), "")]
            lines.append([*start, ("    ", ""), *(beside[y] if y < len(beside) else [])])
        return lines + below

    def _why(self, room: int, most: int) -> list[Line]:
        """The sentence: why this size, or what the next look will bring."""
        why, now = self.scene.why, self.scene.now
        if self.scene.focus.hpa is None or why.uid != self.scene.focus.hpa.uid:
            return []
        if why.trouble:
            return [cut([("why: ", "muted"), (clean(why.trouble), "muted")], room)]
        lines: list[Line] = []
        # The most telling have the room there is; among them, what was comes before what will be.
        for front, outcome in sorted(why.fronts(now)[:most], key=lambda told: told[0] == "next"):
            ink = "bold estimated" if front == "next" else "bold decided"
            forms = sentences(outcome, now, why.next_look, why.period)
            lines.append(spoken(forms, room, [(f"{front}: ", ink)]))
        return lines

    def _without_hpa(self, room: int) -> list[Line]:
        focus = self.scene.focus
        link = self.scene.delta.link(Kind.HPAS)
        lines = absence(link, "HorizontalPodAutoscalers", room)
        if link.health is Health.LIVE and focus.target is not None:
            kind, name = focus.target.kind.lower(), clean(focus.target.name)
            if focus.workload is None:
                lines = [[(f"{kind}/{name} does not exist here", "bad")]]
            else:
                lines = [
                    [(f"{kind}/{name} has no HPA: nothing scales it", "decided")],
                    [
                        ("ready ", "muted"),
                        (f"{focus.workload.ready}/{focus.workload.replicas}", "bold"),
                    ],
                ]
        elif link.health is Health.LIVE:
            where = self.scene.place.namespace
            scope = "any namespace" if where is None else f"namespace {clean(where)}"
            lines = [[(f"no HorizontalPodAutoscaler in {scope}", "decided")]]
            command = "kubectl autoscale deployment NAME --cpu=50% --min=2 --max=10"
            lines += flow([[("make one: ", "muted")], [(command, "measured")]], room, " ")
            if where is not None:
                lines.append([("look everywhere: ", "muted"), ("kscale-tui -A", "measured")])
        return lines

    def _digits(self, hpa: HpaRow, height: int) -> list[Line]:
        current = "–" if hpa.current is None else str(hpa.current)
        # A controller without figures writes 0, or what it wanted before: it means nothing by it.
        desired = str(hpa.wants) if hpa.wants else None
        parts = [(current, "bold text")]
        if desired is not None and desired != current:
            parts += [("▶", "decided"), (desired, "bold decided")]
        rows: list[Line] = [[] for _ in digits.large("0", height)]
        for text, ink in parts:
            for y, piece in enumerate(digits.large(text, height)):
                rows[y] += [("  " if rows[y] else "", ""), (piece, ink)]
        # Where there is room, enough for the largest numbers, so that nothing beside them moves.
        widest = f"{hpa.max}▶{hpa.max}" if self.room.width >= 100 else "2▶10"
        least = cells([(digits.large(widest, height)[0], "")]) + 2
        return [[*row, (pad("", least - cells(row)), "")] for row in rows]

    def _beside(self, hpa: HpaRow, room: int) -> list[Line]:
        now = self.scene.now
        ready = self._ready()
        facts: list[Line] = [
            [("ready ", "muted"), *ready],
            [("min ", "muted"), (str(hpa.min), ""), ("  max ", "muted"), (str(hpa.max), "")],
        ]
        if hpa.last_scale:
            facts.append([("scaled ", "muted"), (ago(now - hpa.last_scale), "")])
        lines = flow(facts, room, "   ")[: None if self.room.height > 4 else 1]
        titles = max((width(clean(metric_title(m))) for m in hpa.metrics), default=0)
        lines += [self._metric(m, min(titles, room // 3), room) for m in hpa.metrics]
        said = []
        for condition in hpa.conditions:
            verdict_ = verdict(condition)
            sign, ink = _SIGN[verdict_.mood]
            calm = "muted" if verdict_.mood == "good" else ink
            said.append([(f"{sign} ", ink), (clean(verdict_.text), calm)])
        return lines + flow(said, room)

    def _ready(self) -> Line:
        workload = self.scene.focus.workload
        if workload is None:
            return [("–", "muted")]
        whole = workload.ready >= workload.replicas
        ink = "bold good" if whole else "bold decided"
        return [(str(workload.ready), ink), (f"/{workload.replicas}", "bold")]

    def _metric(self, metric: MetricRow, titles: int, room: int) -> Line:
        title = pad(clean(metric_title(metric))[:titles], titles)
        if metric.current is None:
            return [
                (f"{title}  ", "muted"),
                ("<unknown>", "bold bad"),
                (" / ", "muted"),
                (figure(metric, metric.target), ""),
            ]
        over = metric.current > metric.target
        line: Line = [
            (f"{title}  ", "muted"),
            (
                pad(figure(metric, metric.current), 6, right=True),
                f"bold {'bad' if over else 'measured'}",
            ),
            (" / ", "muted"),
            (pad(figure(metric, metric.target), 5), ""),
            ("  ", ""),
        ]
        length = min(40, room - cells(line))
        if length >= 9:
            line += target_bar(metric.current, metric.target, length)
        return line


def _digit_height(room: int, height: int) -> int:
    """How tall the digits may be: the facts beside them need some 60 cells."""
    if height >= 8 and room >= 140:
        return 6
    return 5 if height >= 5 and room >= 100 else 3


def figure(metric: MetricRow, value: int) -> str:
    """A metric's figure in its own unit: percent, CPU, memory, or a bare number."""
    if metric.target_type == "Utilization":
        return percent(value)
    if metric.type in ("Resource", "ContainerResource"):
        return cpu(value) if metric.name == "cpu" else memory(value / 1000)
    return quantity(value)
