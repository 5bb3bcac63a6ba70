"""What all panes share: a titled frame, a scene, and lines drawn only where they are seen."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from math import ceil
from typing import ClassVar, Final, NamedTuple, Self

from rich.style import Style
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.scrollbar import ScrollBar
from textual.strip import Strip

from tui.actions import ACTIONS, written
from tui.analysis.scene import Scene
from tui.panes.ink import Palette
from tui.panes.kept import Kept
from tui.panes.line import Line, cells, content, cut, strip
from tui.panes.pace import Pace
from tui.state.links import Health, Link
from tui.text import clean, wrap

_FRAME_EVERY: Final = 0.5
"""Seconds between two new titles: not at every look."""
_FRAME_BURST: Final = 20
"""Titles that may follow at once after a rest: while the lists come in, at the start, every one."""


class _Seen(NamedTuple):
    """What was drawn last."""

    width: int
    top: int
    """The first line in sight."""
    whole: list[Line]
    lines: list[Line]
    """The same, cut to the width."""


class Pane(Kept, ScrollView, can_focus=True):
    """A frame of virtual lines.

    A subclass says what its picture depends on (:meth:`depends`), prepares what all lines share
    (:meth:`prepare`) and gives line ``y`` (:meth:`line`). Lines out of sight cost nothing, and a
    scene that changes nothing the pane depends on draws nothing.
    """

    TITLE: ClassVar[str] = ""
    HEADED: ClassVar[bool] = False
    EVERY: ClassVar[float] = 0.0
    """Seconds between two drawings of what changes all the time."""
    cursor: reactive[int | None] = reactive[int | None](None)
    """The marked line, for panes that have one."""

    class Zoom(Message):
        """The user wants this pane on the whole screen, or back in its place."""

        def __init__(self, pane: Pane) -> None:
            super().__init__()
            self.pane = pane

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.scene = Scene()
        self.palette = Palette({})
        self.keys: Mapping[str, str] = written(ACTIONS)
        """Action name → its keys as they are shown."""
        self._drawn_for: Hashable = None
        self._count = 0
        self._seen = _Seen(0, 0, [], [])
        self._framed: tuple[Line | None, Line | None] = (None, None)
        self._edge: tuple[Region, ...] = ()
        """What a new title makes Textual draw anew, while one is being set."""
        self._pace = Pace(self.EVERY)
        self._frame_pace = Pace(_FRAME_EVERY, _FRAME_BURST)
        self._frame_due = True
        self._base: Style | None = None
        """The style that all lines share; it is dear to find."""
        self.tabs: Sequence[tuple[str, str]] = ()
        """The keys to what stands behind this pane, and its names; written after the caption, as
        many as there is room for."""

    # What a subclass says.

    def depends(self, scene: Scene) -> Hashable:
        """A value that differs whenever the picture would."""
        return scene.delta.number

    def prepare(self) -> int:
        """Make ready to draw ``self.scene``; returns the number of lines."""
        return 0

    def line(self, y: int, room: int) -> Line:
        """Line ``y`` in ``room`` cells. Called only for lines in sight."""
        raise IndexError(y)

    def heading(self) -> Line:
        """The line that stays put over those that scroll, if the pane is :attr:`HEADED`."""
        return []

    def caption(self) -> Line:
        """The title in the frame's top edge."""
        return [(self.TITLE, "")]

    def footnote(self) -> Line:
        """The note in the frame's bottom edge."""
        return []

    # What they share.

    @property
    def room(self) -> Size:
        """Cells inside the frame."""
        return self.scrollable_content_region.size

    @property
    def zoomed(self) -> bool:
        """Whether the pane has the whole screen."""
        return self.has_class("zoomed")

    def show(self, scene: Scene) -> None:
        """Take over a scene, and draw it if it shows anything new here."""
        self.scene = scene
        if not self.display:
            return
        drawn_for = (self.depends(scene), self.size, self.cursor)
        unchanged = drawn_for == self._drawn_for
        if (unchanged and not self._frame_due) or not self.in_sight:
            return
        if unchanged:
            if self._frame_pace.take():
                self._frame()
        elif self._pace.take():
            self._drawn_for = drawn_for
            self.redraw(hurry=False)

    @property
    def in_sight(self) -> bool:
        """Whether it is on the screen: not behind a pane that has the whole of it."""
        if not self.is_mounted or not self.display:
            return False
        zoomed = self.screen.maximized
        return zoomed is None or zoomed is self

    def redraw(self, *, hurry: bool = True) -> None:
        """Draw the current scene anew: of the lines in sight, those that differ from before.

        ``hurry``: for the user's own doing, which waits for nothing.
        """
        self._count = self.prepare()
        if self.virtual_size.height != self._count:
            self._resize_virtually(Size(0, self._count))
        self._frame_due = True
        if self._frame_pace.take() or hurry:
            self._frame()
        width, height = self.room
        before, top = self._seen, self.scroll_offset.y
        self._seen = now = self._looked(width, height, top, before)
        if (width, top, height) != (before.width, before.top, len(before.lines)):
            self.refresh()
            return
        for y, (old, new) in enumerate(zip(before.lines, now.lines, strict=True)):
            if old is not new and old != new:
                self.refresh(Region(0, y, width, 1))

    def _looked(self, width: int, height: int, top: int, before: _Seen) -> _Seen:
        """What is in sight now. A line that is the very one of before fits as it did."""
        whole = [self._line(y, top, width) for y in range(height)]
        if (width, height) == (before.width, len(before.whole)):
            fit = [
                fitting if line is old else cut(line, width)
                for line, old, fitting in zip(whole, before.whole, before.lines, strict=True)
            ]
        else:
            fit = [cut(line, width) for line in whole]
        return _Seen(width, top, whole, fit)

    def refresh(self, *regions: Region, **how: bool) -> Self:
        """Have regions drawn anew, or all of it; for a title, no more than its edge."""
        return super().refresh(*(regions or self._edge), **how)

    def forget(self) -> None:
        """What was drawn is out of date, and so may be the style that all lines share."""
        self._base = None
        super().forget()

    def render_line(self, y: int) -> Strip:
        """Textual asks for one visible line."""
        seen, room, top = self._seen, self.room.width, self.scroll_offset.y
        known = (seen.width, seen.top) == (room, top) and y < len(seen.lines)
        base = self._base
        if base is None:
            base = self._base = self.rich_style
        if self._index(y, top) == self.cursor and self.has_focus:
            base = base + self._selected
        line = seen.lines[y] if known else cut(self._line(y, top, room), room)
        return strip(line, self.palette, room, base)

    def _line(self, y: int, top: int, room: int) -> Line:
        """What stands in row ``y`` of the frame while ``top`` is the first line in sight."""
        index = self._index(y, top)
        if index < 0:
            return self.heading()
        return self.line(index, room) if index < self._count else []

    def _index(self, y: int, top: int) -> int:
        """Which line stands in row ``y`` of the frame; -1 is the heading."""
        return -1 if self.HEADED and y == 0 else y - self.HEADED + top

    def show_tabs(self, tabs: Sequence[tuple[str, str]]) -> None:
        """What stands behind this pane from now on."""
        if tabs != self.tabs:
            self.tabs = tabs
            if self.is_mounted:
                self._frame()

    def use(self, palette: Palette, selected: Style) -> None:
        """Take over a theme's colours."""
        self.palette = palette
        self._selected = selected
        if self.is_mounted:
            self.redraw()
            self.refresh()

    _selected: Style = Style(reverse=True)

    def on_resize(self) -> None:
        """Lines depend on the width."""
        self.redraw()

    def on_focus(self) -> None:
        """The cursor shows only with the focus."""
        self.refresh()

    def on_blur(self) -> None:
        """The cursor shows only with the focus."""
        self.refresh()

    def on_click(self, event: object) -> None:
        """A double click zooms."""
        if getattr(event, "chain", 1) == 2:
            self.post_message(self.Zoom(self))

    def _resize_virtually(self, size: Size) -> None:
        """Another number of lines: a matter of the scroll bar, not of every pane's place.

        Of the bar only if it looks different: one pod more among a thousand does not move it.
        """
        thumb = self._thumb(self.virtual_size.height)
        self.set_reactive(Pane.virtual_size, size)
        if thumb is not None and thumb == self._thumb(size.height):
            self.vertical_scrollbar.set_reactive(ScrollBar.window_virtual_size, size.height)
        else:
            self._scroll_update(size)

    def _thumb(self, count: int) -> tuple[int, int] | None:
        """Where the bar's thumb begins and ends among ``count`` lines, in eighths of a cell.

        As :class:`textual.scrollbar.ScrollBarRender` draws it; None where there is no bar, or one
        that has to move.
        """
        seen, top = self.room.height, self.scroll_offset.y
        if not self.show_vertical_scrollbar or seen < 1 or top > count - seen or count <= seen:
            return None
        length = max(1.0, seen * seen / count)
        start = int((seen - length) * (top / (count - seen)) * 8)
        return start, start + ceil(length * 8)

    def _headline(self, room: int) -> Line:
        """The caption and the tabs that fit in whole."""
        title = [*self.caption()]
        for key, name in self.tabs:
            tab: Line = [(f"  {key}", "measured"), (f" {name}", "muted")]
            if cells(title) + cells(tab) > room:
                return [*title, (" …", "muted")] if cells(title) + 2 <= room else title
            title += tab
        return title

    def _frame(self) -> None:
        self._frame_due = False
        width, height = self.outer_size
        room = max(0, self.size.width - 4)
        framed = cut(self._headline(room), room), cut(self.footnote(), room)
        before, self._framed = self._framed, framed
        left, top = self.content_offset
        if framed[0] != before[0]:
            self._edge = (Region(-left, -top, width, 1),)
            self.border_title = content([framed[0]])
        if framed[1] != before[1]:
            self._edge = (Region(-left, height - 1 - top, width, 1),)
            self.border_subtitle = content([framed[1]])
        self._edge = ()


def absence(link: Link, what: str, room: int) -> list[Line]:
    """What to say where there are no rows: why there are none."""
    match link.health:
        case Health.LIVE:
            return [[(f"no {what}", "muted")]]
        case Health.CONNECTING:
            return [[(f"reading {what}…", "muted")]]
        case Health.FORBIDDEN:
            title = f"{what}: not permitted"
        case Health.ABSENT:
            title = f"{what}: not served here"
        case _:
            title = f"{what}: {link.health.value}"
    lines: list[Line] = [[(title, "bold bad")]]
    lines.extend([(text, "text")] for text in wrap(clean(link.detail), room))
    return lines
