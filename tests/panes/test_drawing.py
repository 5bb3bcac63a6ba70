"""The small parts panes are drawn with: lines, bars, digits, the canvas."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from textual.color import Color
from textual.theme import Theme

from tui.analysis.trend import Curve
from tui.panes.bar import bar, target_bar
from tui.panes.canvas import Layer, draw
from tui.panes.digits import large
from tui.panes.ink import THEMES, Ink, Palette
from tui.panes.line import cells, cut, ends, flow
from tui.panes.pod_columns import COLUMNS, layout
from tui.text import clean

TEXT = st.text(max_size=30).map(clean)
LINE = st.lists(st.tuples(TEXT, st.sampled_from(["", "bad", "bold good"])), max_size=5)


def plain(line: list[tuple[str, str]]) -> str:
    return "".join(text for text, _ in line)


@given(LINE, st.integers(1, 60))
def test_a_cut_line_fits_and_begins_as_before(line: list[tuple[str, str]], room: int) -> None:
    made = cut(line, room)
    assert cells(made) <= room
    if cells(line) <= room:
        assert plain(made) == plain(line)
    else:
        assert plain(made).endswith("…")


@given(LINE, LINE, st.integers(70, 200))
def test_ends_keeps_the_right_end_whole(
    left: list[tuple[str, str]], right: list[tuple[str, str]], room: int
) -> None:
    right = cut(right, 60)
    made = ends(left, right, room)
    assert cells(made) == room
    assert plain(made).endswith(plain(right))


def test_flow_breaks_between_pieces_only() -> None:
    words = [[("ready 2/4", "")], [("min 2", "")], [("max 10", "")], [("scaled 12 s ago", "")]]
    assert [plain(x) for x in flow(words, 24)] == [
        "ready 2/4  min 2  max 10",
        "scaled 12 s ago",
    ]


@given(st.floats(-1, 3), st.integers(0, 60))
def test_a_bar_is_as_wide_as_its_room(fraction: float, room: int) -> None:
    assert cells(bar(fraction, room)) == room


@given(st.floats(0, 2000), st.floats(0, 200), st.integers(9, 60))
def test_a_target_bar_is_as_wide_as_its_room(value: float, target: float, room: int) -> None:
    assert cells(target_bar(value, target, room)) == room


def test_a_target_bar_turns_red_above_the_target_only() -> None:
    under = target_bar(40, 50, 21)
    over = target_bar(80, 50, 21)
    beyond = target_bar(347, 50, 21)
    assert not any("█" in text for text, ink in under if ink == Ink.BAD)
    assert any("█" in text for text, ink in over if ink == Ink.BAD)
    assert plain(beyond).endswith("▶")
    assert {plain(line).index("│") for line in (under, over, beyond)} == {10}


@pytest.mark.parametrize("height", [3, 5, 6])
def test_digits_are_as_tall_as_asked_and_all_different(height: int) -> None:
    drawn = [large(str(n), height) for n in range(10)]
    assert all(len(rows) == height for rows in drawn)
    assert all(len({len(row) for row in rows}) == 1 for rows in drawn)
    assert len(set(drawn)) == 10


def test_digits_leave_out_what_they_cannot_draw() -> None:
    assert large("1x2") == large("12")


def test_the_canvas_puts_high_values_high_and_new_ones_right() -> None:
    rising = Layer(Curve((0.0, 100.0), (0.0, 100.0)), "measured", 0.0, 100.0)
    rows = [plain(row) for row in draw([rising], 0.0, 100.0, 40, 10)]
    assert [len(row) for row in rows] == [40] * 10
    inked = [(x, y) for y, row in enumerate(rows) for x, c in enumerate(row) if c not in " \u2800"]
    assert min(y for x, y in inked if x > 36) == 0
    assert max(y for x, y in inked if x < 4) == 9


def test_the_canvas_is_not_bounded_by_the_terminal() -> None:
    flat = Layer(Curve((0.0, 1.0), (1.0, 1.0)), "bad", 0.0, 1.0)
    rows = draw([flat], 0.0, 1.0, 300, 90)
    assert len(rows) == 90
    assert all(cells(row) == 300 for row in rows)
    assert plain(rows[0]).strip(" \u2800")


def test_areas_lie_below_curves_in_their_own_ink() -> None:
    curve = Curve((0.0, 1.0), (0.8, 0.8))
    rows = draw([Layer(curve, "measured", 0.0, 1.0, wash="wash")], 0.0, 1.0, 20, 10)
    inks = [{ink for text, ink in row if text.strip(" \u2800")} for row in rows]
    assert {"measured"} in inks
    assert all(ink == {"wash"} for ink in inks[4:])


def test_the_canvas_draws_nothing_where_there_is_nothing() -> None:
    assert [cells(row) for row in draw([], 0.0, 1.0, 12, 3)] == [12, 12, 12]
    assert draw([], 0.0, 0.0, 5, 1) == [[("     ", "")]]


def _luminance(color: Color) -> float:
    """https://www.w3.org/TR/WCAG21/#dfn-relative-luminance"""
    parts = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in color.normalized]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


@pytest.mark.parametrize("theme", THEMES, ids=lambda t: t.name)
def test_every_ink_can_be_read_on_its_background(theme: Theme) -> None:
    variables = theme.variables
    background = Color.parse(theme.background or "")
    for ink in (Ink.MEASURED, Ink.DECIDED, Ink.GOOD, Ink.BAD, Ink.ESTIMATED, Ink.MUTED):
        light, dark = sorted(
            (_luminance(background), _luminance(Color.parse(variables[ink.value]))), reverse=True
        )
        ratio = (light + 0.05) / (dark + 0.05)
        assert ratio >= 4.5, f"{ink}: {ratio:.1f}"


def test_styles_are_parsed_once_and_unknown_inks_are_plain() -> None:
    palette = Palette(dict(THEMES[0].variables))
    style = palette.style("bold decided")
    assert style.bold
    assert palette.style("bold decided") is style
    assert palette.style("no-such-ink").color is None


@given(st.integers(10, 250), st.integers(0, 60), st.integers(0, 26), st.booleans(), st.booleans())
@example(38, 0, 0, False, True)
def test_columns_fit_and_name_status_and_cpu_go_last(
    room: int, name: int, status: int, namespaces: bool, rates: bool
) -> None:
    wants = {
        "name": name,
        "status": status,
        "namespace": 12 if namespaces else -1,
        "rate": 0 if rates else -1,
    }
    chosen = layout(room, wants)
    assert sum(width for _, width in chosen) + len(chosen) - 1 <= max(room, 8)
    ids = [column.id for column, _ in chosen]
    assert "name" in ids
    assert ("namespace" in ids) <= namespaces
    if room >= 38:
        assert {"status", "cpu"} <= set(ids)
        assert "ready" in ids or namespaces
        assert "age" in ids or namespaces or rates
    if room >= 250:
        assert len(ids) == len(COLUMNS) - (not namespaces) - (not rates)
