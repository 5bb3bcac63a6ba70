"""What all panes share: a titled frame, a scene, and lines drawn only where they are seen."""

from __future__ import annotations

from collections.abc import Hashable
from typing import ClassVar

from rich.style import Style
from textual.content import Content
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.analysis.scene import Scene
from tui.panes.ink import Palette
from tui.panes.line import Line, cut, strip
from tui.state.links import Health, Link
from tui.text import clean, wrap


class Pane(ScrollView, can_focus=True):
    """A frame of virtual lines.

    A subclass says what its picture depends on (:meth:`depends`), prepares what all lines share
    (:meth:`prepare`) and gives line ``y`` (:meth:`line`). Lines out of sight cost nothing, and a
    scene that changes nothing the pane depends on draws nothing.
    """

    TITLE: ClassVar[str] = ""
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
        self._drawn_for: Hashable = None
        self._count = 0

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
        if not self.display or not self.is_mounted:
            return
        drawn_for = (self.depends(scene), self.size, self.cursor)
        if drawn_for != self._drawn_for:
            self._drawn_for = drawn_for
            self.redraw()

    def redraw(self) -> None:
        """Draw the current scene anew."""
        self._count = self.prepare()
        if self.virtual_size.height != self._count:
            self.virtual_size = Size(0, self._count)
        self._frame()
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Textual asks for one visible line."""
        room = self.room.width
        index = y + self.scroll_offset.y
        base = self.rich_style
        if index >= self._count:
            return Strip.blank(room, base)
        made = strip(cut(self.line(index, room), room), self.palette)
        if index == self.cursor and self.has_focus:
            base = base + self._selected
        return made.adjust_cell_length(room).apply_style(base)

    def use(self, palette: Palette, selected: Style) -> None:
        """Take over a theme's colours."""
        self.palette = palette
        self._selected = selected
        if self.is_mounted:
            self.redraw()

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

    def _frame(self) -> None:
        room = max(0, self.size.width - 4)
        self.border_title = _label(cut(self.caption(), room))
        self.border_subtitle = _label(cut(self.footnote(), room))


def _label(line: Line) -> Content:
    return Content.assemble(
        *[(text, " ".join(_variable(word) for word in style.split())) for text, style in line]
    )


def _variable(word: str) -> str:
    return word if word in ("bold", "dim", "reverse", "underline") else f"${word}"


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
