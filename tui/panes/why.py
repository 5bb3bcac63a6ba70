"""Why the HPA wants what it wants: every step with its numbers, the one that decides marked."""

from __future__ import annotations

import time
from collections.abc import Hashable
from typing import Final

from tui.analysis import hpa, why_memory
from tui.analysis.lag import Stage
from tui.analysis.scene import Scene
from tui.analysis.why import Explanation
from tui.analysis.why_sentence import sentences
from tui.analysis.why_steps import steps
from tui.analysis.why_tracker import Look
from tui.analysis.why_words import Step, left, span
from tui.panes.line import Line, cells, cut, flow
from tui.panes.pane import Pane, absence
from tui.panes.spoken import line_of, spoken
from tui.state.links import Health
from tui.state.rows import Kind
from tui.text import clean, pad, wrap

_TITLE: Final = 19
"""Cells for a step's title."""
_BARS: Final = " ▁▂▃▄▅▆▇█"
_BUCKETS: Final = 20


class WhyPane(Pane):
    """The last look of the controller, and what the next will bring."""

    TITLE = "Why"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._lines: list[Line] = []

    def depends(self, scene: Scene) -> Hashable:
        """The explanation and its countdowns."""
        return (scene.why.version, int(scene.now), scene.forecast, scene.scale_ups)

    def caption(self) -> Line:
        """``Why fastapi-hpa``."""
        row = self.scene.focus.hpa
        return [("Why ", "bold decided"), (clean(row.name) if row else "", "bold decided")]

    def footnote(self) -> Line:
        """How often we agreed with the controller, and how to leave."""
        found = self.scene.why.agreement
        line: Line = []
        if found.share is not None:
            ink = "good" if found.share >= 0.98 else "decided"
            line = [
                ("agrees with the controller at ", "muted"),
                (f"{found.agreed} of {found.looks}", ink),
                (" looks · ", "muted"),
            ]
        return [*line, (f"{self.keys['zoom']} zoom · {self.keys['back']} back", "muted")]

    def prepare(self) -> int:
        """All lines at once: they are few."""
        width, height = self.room
        self._lines = self._all(width, notes=True)
        if len(self._lines) > height and not self.zoomed:
            # Of the notes only those that explain what decides: the steps should be seen whole.
            self._lines = self._all(width, notes=False)
        return len(self._lines)

    def line(self, y: int, room: int) -> Line:
        """A line made by :meth:`prepare`."""
        return self._lines[y]

    def _all(self, room: int, notes: bool) -> list[Line]:
        why, row, now = self.scene.why, self.scene.focus.hpa, self.scene.now
        if row is None:
            link = self.scene.delta.link(Kind.HPAS)
            if link.health is Health.LIVE:
                return [[("no HPA in view, so nothing to explain", "muted")]]
            return absence(link, "HorizontalPodAutoscalers", room)
        if why.trouble:
            return [[(text, "decided")] for text in wrap(clean(why.trouble), room)]
        lines = self._countdowns(why, room)
        for front, outcome in why.fronts(now):
            lines += [*([[]] if notes else []), *self._front(why, front, outcome, room, notes)]
        lines += self._ahead(room)
        lines += self._lag(room)
        lines += self._agreement(why, room)
        return lines

    def _ahead(self, room: int) -> list[Line]:
        """What the next minutes bring, if the load stays."""
        foreseen, now = self.scene.forecast, self.scene.now
        if not foreseen.looks:
            return []
        parts: list[Line] = [[(f"now {foreseen.start}", "")]]
        for at, size in foreseen.changes:
            parts.append([(f"{_left(at - now)} ", "muted"), (f"▶ {size}", "bold estimated")])
        parts.append([("then it stays, for 5 min at least", "muted")])
        return [[], [("If the load stays", "bold estimated")], *flow(parts, room, "   ")]

    def _lag(self, room: int) -> list[Line]:
        """From load to relief, for the last scale-ups, and over the session."""
        lines: list[Line] = []
        for each in reversed(self.scene.scale_ups[-3:]):
            parts: list[Line] = [[(f"{each.before} ▶ {each.after}", "bold decided")]]
            for stage, after in each.line:
                ink = "decided" if stage is Stage.DECISION else "measured"
                parts.append([(f"{stage} ", "muted"), (f"+{after:.1f} s", ink)])
            lines += flow(parts, room, "  ")
        for span_ in self.scene.lags:
            lines.append(
                [
                    (f"{span_.name}  ", "muted"),
                    (f"{span_.median:.1f} s", "bold measured"),
                    (f"  90 % {span_.p90:.1f} s  longest {span_.longest:.1f} s", "measured"),
                    (f"  of {span_.times}", "muted"),
                ]
            )
        return [[], [("From load to relief", "bold measured")], *lines] if lines else []

    def _countdowns(self, why: Explanation, room: int) -> list[Line]:
        now = self.scene.now
        facts: list[Line] = []
        if why.next_look is not None:
            facts.append([("next look ", "muted"), (_left(why.next_look - now), "estimated")])
        else:
            facts.append([("next look ", "muted"), (f"within {span(why.period)}", "estimated")])
        if why.next_sample is not None:
            facts.append([("next sample ", "muted"), (_left(why.next_sample - now), "estimated")])
        hold = why_memory.release(why.outlook.decision) if why.outlook is not None else None
        if hold is not None and hold.until > now:
            rest = left(hold.until, now, hold.at_most)
            facts.append([("window ends in ", "muted"), (rest, "estimated")])
        facts.append([("violet is estimated", "estimated")])
        lines = flow(facts, room, "   ")
        if why.settings.pace > 1:
            text = (
                f"Time runs some {why.settings.pace:.0f} times faster here than windows and "
                "periods say; countdowns tell yours."
            )
            lines += [[(part, "estimated")] for part in wrap(text, room)]
        return lines

    def _front(
        self, why: Explanation, front: str, outcome: hpa.Outcome, room: int, notes: bool
    ) -> list[Line]:
        now = self.scene.now
        ahead = front == "next"
        lines = [cut([(self._when(why, ahead, outcome), "bold")], room)]
        if self.zoomed:  # else it stands above, in the HPA's pane
            forms = sentences(outcome, now, None)
            lines.append(spoken((forms[2], *forms[4:]), room, []))
        for step in steps(outcome, now):
            with_notes = notes or step.deciding
            lines += self._step(step, room, with_notes)
            if step.key == "window" and with_notes:
                lines += self._strip(why, outcome.decision, room)
        return lines

    def _when(self, why: Explanation, ahead: bool, outcome: hpa.Outcome) -> str:
        now, look = self.scene.now, why.look
        if ahead:
            return "At the next look, if nothing changes:"
        if look is None or look.outcome is not outcome:
            return "As things are:"
        seen = "" if look.seen else ", it wrote nothing"
        return f"At the last look, {_clock(look.at)}, {span(now - look.at)} ago{seen}:"

    def _step(self, step: Step, room: int, notes: bool) -> list[Line]:
        ink = "bold decided" if step.deciding else "estimated" if step.estimated else "muted"
        result = "" if step.result is None else str(step.result)
        start: Line = [
            ("▶ " if step.deciding else "  ", "bold decided"),
            (pad(clean(step.title)[: _TITLE - 1], _TITLE), ink),
        ]
        end: Line = [(pad(result, 5, right=True), "bold decided" if step.deciding else "muted")]
        says = cut(line_of(step.says), max(8, room - cells(start) - cells(end) - 1))
        gap = max(1, room - cells(start) - cells(says) - cells(end))
        if room > 100:  # a number far from its line is not read with it
            gap = max(1, 100 - cells(start) - cells(says) - cells(end))
        lines: list[Line] = [[*start, *says, (" " * gap, ""), *end]]
        indent = [(" " * (_TITLE + 2), "")]
        space = max(8, room - cells(indent))
        for note in step.notes if notes else ():
            apart = step.key == "usage"  # one piece a pod
            pieces = [line_of([p]) for p in note] if apart else [line_of(note)]
            lines += [[*indent, *part] for part in flow(pieces, space)]
        return lines

    def _strip(self, why: Explanation, decision: hpa.Decision, room: int) -> list[Line]:
        """The recommendations that the window still reaches, and when each leaves."""
        spec, now = decision.spec, self.scene.now
        settings = decision.settings
        window = settings.reach(max(why_memory.windows(spec, settings)))
        found = why_memory.recent(decision.memory, spec, now, settings)
        if not found or window <= 0:
            return []
        size = window / _BUCKETS
        highest: list[int | None] = [None] * _BUCKETS
        for each in found:
            place = min(_BUCKETS - 1, max(0, int((each.at - (now - window)) / size)))
            highest[place] = max(each.replicas, highest[place] or 0)
        top = max(each.replicas for each in found) or 1
        bars = "".join(" " if h is None else _BARS[max(1, round(8 * h / top))] for h in highest)
        indent: Line = [(" " * (_TITLE + 2), "")]
        line: Line = [
            *indent,
            (f"-{span(window)} ", "muted"),
            (bars, "estimated"),
            (f" now  {_kinds(found)}", "estimated"),
        ]
        lines = [cut(line, room)]
        falls = why_memory.leaving(decision.memory, spec, now, settings)
        if len(falls) > 1 or (falls and falls[0][0] > (decision.recommended or 0)):
            parts: list[Line] = [
                [(f"{count} leaves in {_left(until - now)}", "estimated")]
                for count, until in falls[:3]
                if until > now and count > (decision.recommended or 0)
            ]
            lines += [[*indent, *part] for part in flow(parts, max(8, room - cells(indent)), ", ")]
        unseen = why.watched_since - (now - window)
        if unseen > size:
            note = f"watched for {span(now - why.watched_since)}; what was before is inferred"
            lines.append(cut([*indent, (note, "muted")], room))
        return lines

    def _agreement(self, why: Explanation, room: int) -> list[Line]:
        lines: list[Line] = []
        for each in reversed(why.agreement.differences[-5:]):
            text = (
                f"{_clock(each.at)} the controller says {each.theirs}, "
                f"we reckon {each.ours}: {each.why}"
            )
            lines += [[(part, "decided")] for part in wrap(clean(text), room)]
        if lines:
            return [[], [("Where we differ from the controller", "bold")], *lines]
        return _other_samples(why.look, room)


def _other_samples(look: Look | None, room: int) -> list[Line]:
    if look is None or look.same_samples or not look.seen:
        return []
    text = "The controller read other samples than we have: one came in between. The size agrees."
    return [[], *[[(part, "muted")] for part in wrap(text, room)]]


def _kinds(found: tuple[hpa.Recommendation, ...]) -> str:
    counts = sorted({each.replicas for each in found})
    low, high = counts[0], counts[-1]
    return f"{low}" if low == high else f"{low} … {high}"


def _left(seconds: float) -> str:
    return "now" if seconds < 1 else f"~{span(seconds)}"


def _clock(at: float) -> str:
    return time.strftime("%H:%M:%S", time.localtime(at))
