"""Pods: a virtual list that sorts, filters and keeps its cursor on the same pod."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from operator import attrgetter
from typing import Final

from textual.events import Click
from textual.geometry import Region

from tui.analysis.scene import Scene
from tui.panes.line import Line
from tui.panes.pane import Pane, absence
from tui.panes.pod_columns import SORTS, UNSORTED, Cell, Column, layout
from tui.panes.pod_list import Choice, PodList
from tui.state.links import Health
from tui.state.rows import Kind, PodRow, PodUsage
from tui.text import age, clean, pad

_REMEMBERED: Final = 200
"""Lines kept: more than a screen has."""
_NAMESPACE, _NAME, _STATUS, _NODE, _RESTARTS = map(
    attrgetter, ("namespace", "name", "status", "node", "restarts")
)


class PodsPane(Pane):
    """The pods of the target, or all in scope. Line 0 is the column titles and stays put."""

    TITLE = "Pods"
    HEADED = True

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.sort = "age"
        self.reverse = False
        self.filter = ""
        self.everything = False
        self._list = PodList()
        self._made_for: Hashable = None
        self._generation = -1
        self._selected_uid: str | None = None
        self._columns: list[tuple[Column, int]] = []
        self._none: list[Line] = []
        self._rates: dict[str, float] = {}
        self._wanted: dict[str, int] = {}
        self._laid_out = 0
        """The room the columns were laid out in."""
        self._drawn: dict[str, _Drawn] = {}
        """Lines by the pod's uid."""

    def depends(self, scene: Scene) -> Hashable:
        """Pods, usage, the choice of rows, and the ages shown."""
        delta = scene.delta
        return (self._source(scene), delta.samples, delta.link(Kind.PODS), int(scene.now))

    def caption(self) -> Line:
        """``Pods 2/4 ready``: those that ought to run."""
        live, ready = self._list.live, self._list.ready
        line: Line = [("Pods", "bold measured")]
        if live:
            ink = "good" if ready == live else "decided"
            line += [(f" {ready}/{live}", f"bold {ink}"), (" ready", "bold measured")]
        return line

    def footnote(self) -> Line:
        """Whose pods, how sorted, how filtered."""
        line: Line = []
        if self.filter:
            line += [
                (f"filter {clean(self.filter)}: {len(self._pods)} of {self._list.of}", "decided")
            ]
            line += [(" · ", "muted")]
        target = self.scene.focus.target
        whole = self._shows_everything()
        whose = "all" if whole or target is None else clean(target.name)
        arrow = "↓" if self._choice().down else "↑"
        return [*line, (f"{whose} · by {self.sort} {arrow}", "muted")]

    def prepare(self) -> int:
        """Choose, filter and sort the rows; cells are made when seen."""
        scene = self.scene
        if self._source(scene) != self._made_for:
            self._make()
            self._restore_cursor()
        link = scene.delta.link(Kind.PODS)
        self._none = []
        if not self._pods:
            if link.health is Health.LIVE and self.filter and self._list.of:
                self._none = [[(f"none of {self._list.of} pods match", "muted")]]
            else:
                self._none = absence(link, "pods", self.room.width)
        self._rates = scene.delta.load.rates if scene.delta.load.running else {}
        self._lay_out(self.room.width)
        return 1 + (len(self._pods) or len(self._none))

    def line(self, y: int, room: int) -> Line:
        """A pod's line; ``y`` counts from the first pod."""
        if self._none:
            return self._none[y] if y < len(self._none) else []
        if y >= len(self._pods):
            return []
        pod, now = self._pods[y], self.scene.now
        usage = self.scene.delta.pod_usage.get((pod.namespace, pod.name))
        rate = self._rates.get(pod.name) if self._rates else None
        # The very rows of before: most lines in sight say the same at most looks.
        known = self._drawn.get(pod.uid)
        if known is not None and known.of(pod, usage, rate, now):
            return known.line
        cell = Cell(pod, usage, now, rate)
        made: Line = []
        for column, width in self._columns:
            made += [(" ", ""), *column.draw(cell, width)]
        self._drawn[pod.uid] = _Drawn(cell, made[1:])
        return made[1:]

    def heading(self) -> Line:
        """The columns' titles."""
        made: Line = []
        for column, width in self._columns:
            sorted_ = column.id == self.sort
            text = pad(column.title[:width], width, right=column.right)
            made += [(" ", ""), (text, "bold measured" if sorted_ else "muted")]
        return made[1:]

    # What keys and the mouse do.

    def step_sort(self) -> None:
        """Sort by the next column."""
        at = SORTS.index(self.sort) if self.sort in SORTS else -1
        self.sort_by(SORTS[(at + 1) % len(SORTS)])

    def sort_by(self, column: str) -> None:
        """Sort by a column; by the same again: the other way round."""
        self.reverse = not self.reverse if column == self.sort else False
        self.sort = column
        self.redraw()

    def set_filter(self, text: str) -> None:
        """Show only pods in which every word occurs; ``!word`` turns a word round."""
        self.filter = text.strip()
        self.redraw()

    def toggle_everything(self) -> None:
        """The target's pods, or all in scope."""
        self.everything = not self.everything
        self.redraw()

    def move(self, by: int) -> None:
        """Move the cursor, and what is seen with it."""
        if not self._pods:
            return
        at = (self.cursor if self.cursor is not None else -1 if by > 0 else 0) + by
        self.cursor = max(0, min(len(self._pods) - 1, at))
        self._selected_uid = self._pods[self.cursor].uid
        # Line 0 of the picture is the titles, so the cursor's line lies one further down.
        self.scroll_to_region(
            Region(0, self.cursor, 1, 2), animate=False, force=True, immediate=True
        )
        self.refresh()

    def action_cursor_down(self) -> None:
        """One pod down."""
        self.move(1)

    def action_cursor_up(self) -> None:
        """One pod up."""
        self.move(-1)

    def action_page_down(self) -> None:
        """A screenful down."""
        self.move(max(1, self.room.height - 2))

    def action_page_up(self) -> None:
        """A screenful up."""
        self.move(-max(1, self.room.height - 2))

    def action_scroll_home(self) -> None:
        """The first pod."""
        self.move(-len(self._pods))

    def action_scroll_end(self) -> None:
        """The last pod."""
        self.move(len(self._pods))

    def action_scroll_down(self) -> None:
        """The arrow keys move the cursor."""
        self.move(1)

    def action_scroll_up(self) -> None:
        """The arrow keys move the cursor."""
        self.move(-1)

    def on_click(self, event: object) -> None:
        """A title sorts by its column, a line takes the cursor, a double click zooms."""
        super().on_click(event)
        if not isinstance(event, Click) or event.chain > 1:
            return
        offset = event.get_content_offset(self)
        if offset is None:
            return
        if offset.y == 0:
            x = 0
            for column, width in self._columns:
                if x <= offset.x < x + width and column.id not in UNSORTED:
                    self.sort_by(column.id)
                x += width + 1
        elif self._pods:
            row = offset.y - 1 + self.scroll_offset.y
            if row < len(self._pods):
                self.cursor = row
                self._selected_uid = self._pods[row].uid
                self.refresh()

    # How rows are chosen.

    @property
    def _pods(self) -> list[PodRow]:
        return self._list.rows

    def _choice(self) -> Choice:
        return Choice(self.sort, self.reverse, self.filter)

    def _shows_everything(self) -> bool:
        return self.everything or self.scene.focus.workload is None

    def _source(self, scene: Scene) -> tuple[object, ...]:
        """What the rows are made of: differs whenever they do."""
        choice = self._choice()
        whole = self.everything or scene.focus.workload is None
        return (
            whole,
            choice,
            scene.delta.samples if choice.measured else 0,
            scene.delta.pods.generation if whole else scene.focused,
        )

    def _make(self) -> None:
        """Bring the rows up to date: by what changed where that is enough, else anew."""
        delta = self.scene.delta
        source = self._source(self.scene)
        before = self._made_for
        same = isinstance(before, tuple) and before[:3] == source[:3]
        self._made_for = source
        whole = self._shows_everything()
        # A scene may have been missed: then it was not this delta's changes that made the rows.
        changes = [change for change in delta.changes if change.kind is Kind.PODS]
        if same and whole and changes and delta.pods.generation == self._generation + 1:
            self._list.update(changes, delta.pods.rows.values(), delta.pod_usage)
        elif _turned(before, source) and delta.pods.generation == self._generation:
            self._list.turn()
        else:
            pods = delta.pods.rows.values() if whole else self.scene.focus.pods
            self._list.remake(pods, delta.pod_usage, self._choice())
        self._generation = delta.pods.generation

    def _lay_out(self, room: int) -> None:
        """Choose the columns and their widths, if what they depend on has changed."""
        wants = self._wants(room)
        if wants == self._wanted and room == self._laid_out and len(self._drawn) <= _REMEMBERED:
            return
        self._wanted, self._laid_out = wants, room
        self._columns = layout(room, wants)
        self._drawn.clear()

    def _wants(self, room: int) -> dict[str, int]:
        """The longest content of the columns that grow, of what is near the screen."""
        first = self.scroll_offset.y
        near = self._pods[first : first + 200]
        everywhere = self.scene.place.namespace is None
        return {
            "namespace": _longest(_NAMESPACE, near) if everywhere else -1,
            # Nobody has restarted and room is short: a column of noughts may go.
            "restarts": 0 if room >= 100 or any(map(_RESTARTS, near)) else -1,
            "rate": 0 if self._rates else -1,
            "name": _longest(_NAME, near),
            "status": _longest(_STATUS, near),
            "node": _longest(_NODE, near),
        }

    def _restore_cursor(self) -> None:
        if self._selected_uid is None:
            return
        index = self._list.index(self._selected_uid)
        if index is not None:
            self.cursor = index
            return
        self.cursor = min(self.cursor or 0, len(self._pods) - 1) if self._pods else None


class _Drawn:
    """A pod's line, and what it was drawn from."""

    __slots__ = ("_age", "_cell", "_second", "line")

    def __init__(self, cell: Cell, line: Line) -> None:
        self.line = line
        self._cell = cell
        self._second = int(cell.now)
        self._age = age(cell.now - cell.pod.created)

    def of(self, pod: PodRow, usage: PodUsage | None, rate: float | None, now: float) -> bool:
        """Whether it would be drawn the same of these."""
        cell = self._cell
        if pod is not cell.pod or usage is not cell.usage or rate != cell.rate:
            return False
        second = int(now)
        if second != self._second:
            self._second = second
            return self._age == age(now - pod.created)
        return True


def _longest(text: Callable[[PodRow], str], pods: list[PodRow]) -> int:
    return max(map(len, map(text, pods)), default=0)


def _turned(before: Hashable, after: tuple[object, ...]) -> bool:
    """Whether the rows are the same ones, the other way round."""
    if not isinstance(before, tuple) or not isinstance(after[1], Choice):
        return False
    other = after[1]._replace(reverse=not after[1].reverse)
    return before == (after[0], other, *after[2:])
