"""What the doctor found, the worst first; zoomed, what it means and what to do."""

from __future__ import annotations

from collections.abc import Hashable
from typing import ClassVar, Final, NamedTuple

from textual.binding import Binding, BindingType
from textual.events import Click
from textual.geometry import Region
from textual.message import Message

from tui.analysis.doctor.finding import Finding, Severity
from tui.analysis.scene import Scene
from tui.panes.line import Line
from tui.panes.pane import Pane
from tui.state.links import Health
from tui.text import clean, plural, shorten, wrap

SIGNS: Final = {
    Severity.ERROR: ("✕", "bold bad"),
    Severity.WARNING: ("▲", "decided"),
    Severity.INFO: ("●", "measured"),
    Severity.ADVICE: ("○", "muted"),
}
_INDENT: Final = "    "


class _Row(NamedTuple):
    """A line, and which finding it is of."""

    line: Line
    finding: int


def counted(findings: tuple[Finding, ...]) -> tuple[int, int]:
    """How many errors and warnings."""
    errors = sum(f.severity is Severity.ERROR for f in findings)
    return errors, sum(f.severity is Severity.WARNING for f in findings)


class DoctorPane(Pane):
    """A line a finding. Zoomed, the one under the cursor is opened."""

    TITLE = "Doctor"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "fix", "preview the fix")]

    class Wished(Message):
        """The user wants to see what a finding's fix would do."""

        def __init__(self, finding: Finding) -> None:
            super().__init__()
            self.finding = finding

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._findings: tuple[Finding, ...] = ()
        self._rows: list[_Row] = []
        self._chosen: tuple[str, str] = ("", "")
        """The id and the object of the finding under the cursor."""

    @property
    def chosen(self) -> Finding | None:
        """The finding under the cursor."""
        return self._findings[self._at] if self._findings else None

    @property
    def _at(self) -> int:
        for index, finding in enumerate(self._findings):
            if (finding.id, finding.object) == self._chosen:
                return index
        return 0

    def depends(self, scene: Scene) -> Hashable:
        """The findings, and which is open."""
        health = scene.connection.health
        return (scene.diagnosed, health, self.zoomed, self._chosen, self.has_focus)

    def caption(self) -> Line:
        """``Doctor  1 error  2 warnings``."""
        line: Line = [("Doctor", "bold measured")]
        errors, warnings = counted(self._findings)
        if errors:
            line += [("  ", ""), (plural(errors, "error"), "bold bad")]
        if warnings:
            line += [("  ", ""), (plural(warnings, "warning"), "decided")]
        return line

    def footnote(self) -> Line:
        """What the keys do here."""
        if not self._findings:
            return []
        fix = self.chosen.fix if self.chosen is not None else None
        if not self.zoomed:
            fixes = self.has_focus and fix is not None and fix.applicable
            opens = f"{self.keys['zoom']} opens"
            return [(f"Enter fixes · {opens}" if fixes else opens, "muted")]
        keys = self.keys
        words = [
            f"{keys['cursor_down']} choose",
            f"{keys['copy']} copy the command",
            f"{keys['help']} every rule",
        ]
        if fix is not None and fix.applicable:
            words.insert(1, "Enter preview the fix")
        while len(words) > 1 and len(" · ".join(words)) > self.room.width - 4:
            words.pop()
        return [(" · ".join(words), "muted")]

    def prepare(self) -> int:
        """Lay the findings out, the open one with all there is to say."""
        self._findings = self.scene.findings
        room = self.room.width
        self._rows = []
        for index, finding in enumerate(self._findings):
            lines = [_heading(finding, room)] if self.zoomed else _brief(finding, room)
            if self.zoomed and index == self._at:
                lines += _opened(finding, room)
            self._rows += [_Row(line, index) for line in lines]
        self.cursor = next((y for y, r in enumerate(self._rows) if r.finding == self._at), None)
        return max(1, len(self._rows))

    def line(self, y: int, room: int) -> Line:
        """One line."""
        if self._rows:
            return self._rows[y].line
        if self.scene.connection.health is Health.CONNECTING:
            return [("looking…", "muted")]
        return [("● ", "good"), ("nothing wrong found", "muted")]

    def move(self, by: int) -> None:
        """Choose the next finding, or the one before."""
        if not self._findings:
            return
        at = max(0, min(len(self._findings) - 1, self._at + by))
        self._choose(at)

    def _choose(self, at: int) -> None:
        finding = self._findings[at]
        self._chosen = (finding.id, finding.object)
        self.redraw()
        shown = [y for y, row in enumerate(self._rows) if row.finding == at]
        # As much of what is opened as there is room for, its title above all.
        for y, height in ((shown[0], len(shown)), (shown[0], 1)):
            self.scroll_to_region(
                Region(0, y, 1, height), animate=False, force=True, immediate=True
            )
        self.refresh()

    def action_fix(self) -> None:
        """Preview the fix; open the finding where there is none that is applied from here."""
        finding = self.chosen
        if finding is not None and finding.fix.applicable:
            self.post_message(self.Wished(finding))
        else:
            self.post_message(self.Zoom(self))

    def action_scroll_down(self) -> None:
        """The arrow keys choose."""
        self.move(1)

    def action_scroll_up(self) -> None:
        """The arrow keys choose."""
        self.move(-1)

    def action_scroll_home(self) -> None:
        """The worst."""
        self.move(-len(self._findings))

    def action_scroll_end(self) -> None:
        """The last."""
        self.move(len(self._findings))

    def on_click(self, event: object) -> None:
        """A click chooses, a double click zooms."""
        super().on_click(event)
        if not isinstance(event, Click) or event.chain > 1:
            return
        offset = event.get_content_offset(self)
        y = offset.y + self.scroll_offset.y if offset is not None else len(self._rows)
        if y < len(self._rows):
            self._choose(self._rows[y].finding)


def _heading(finding: Finding, room: int) -> Line:
    sign, ink = SIGNS[finding.severity]
    where = f"  {clean(finding.object)}"
    title = shorten(clean(finding.title), max(20, room - 2 - len(where)))
    return [(f"{sign} ", ink), (title, "bold"), (where, "muted")]


def _brief(finding: Finding, room: int) -> list[Line]:
    """The title, on two lines where it needs them."""
    sign, ink = SIGNS[finding.severity]
    weight = "muted" if finding.severity is Severity.ADVICE else ""
    first, *rest = wrap(clean(finding.title), max(8, room - 2)) or [""]
    lines: list[Line] = [[(f"{sign} ", ink), (first, weight)]]
    if rest:
        lines.append([("  ", ""), (shorten(" ".join(rest), max(8, room - 2)), weight)])
    return lines


def _opened(finding: Finding, room: int) -> list[Line]:
    width = max(10, room - len(_INDENT) - 1)
    lines: list[Line] = [
        [(_INDENT, ""), (text, "")] for text in wrap(clean(finding.explanation), width)
    ]
    for each in finding.evidence:
        said = f"{each.object}: {each.field} = {each.value}"
        for number, text in enumerate(wrap(clean(said), width - 2)):
            lines.append([(_INDENT, ""), ("· " if number == 0 else "  ", "muted"), (text, "muted")])
    for number, text in enumerate(wrap(clean(finding.fix.words), width - 2)):
        lines.append([(_INDENT, ""), ("→ " if number == 0 else "  ", "good"), (text, "")])
    if finding.fix.command:
        for number, text in enumerate(wrap(clean(finding.fix.command), width - 2)):
            lines.append(
                [(_INDENT, ""), ("$ " if number == 0 else "  ", "good"), (text, "measured")]
            )
    return [*lines, *_applied(finding, width), []]


def _applied(finding: Finding, width: int) -> list[Line]:
    """How it is applied from here, or why it is not."""
    fix = finding.fix
    if fix.applicable:
        what = f"the setup {clean(fix.setup)}" if fix.setup else "what this changes"
        return [[(_INDENT, ""), ("Enter ", "bold measured"), (f"shows {what}, and asks", "muted")]]
    said = f"Not applied from here: {fix.by_hand}."
    return [[(_INDENT, ""), (text, "muted")] for text in wrap(clean(said), width)]
