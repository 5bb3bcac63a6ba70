"""The columns of the pods pane: what each shows, how it sorts, and which go first when narrow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from tui.panes.bar import bar
from tui.panes.line import Line
from tui.state.rows import PodRow, PodUsage
from tui.text import age, clean, cpu, fit, fit_tail, memory, pad, percent


class Cell(NamedTuple):
    """All a cell may need."""

    pod: PodRow
    usage: PodUsage | None
    now: float
    rate: float | None = None
    """Answers a second to a burst that runs."""


class Column(NamedTuple):
    """One column. ``rank``: the lower, the longer it stays when there is little room."""

    id: str
    title: str
    width: int
    rank: int
    draw: Callable[[Cell, int], Line]
    key: Callable[[Cell], Any]
    right: bool = False
    most: int = 0
    """The width it may grow to; 0 means it does not."""


_GOOD: Final = frozenset(("Running", "Completed", "Succeeded"))
_WAITING: Final = frozenset(
    (
        "Pending",
        "ContainerCreating",
        "PodInitializing",
        "Terminating",
        "SchedulingGated",
        "NotReady",
    )
)
_LAST: Final = -1.0
"""Sorts what has no figure after what has one."""


def status_ink(pod: PodRow) -> str:
    """Green when it serves, amber while it comes or goes, red when it is in trouble."""
    if pod.status in _GOOD:
        return "good" if pod.ready or pod.terminal else "decided"
    if pod.status in _WAITING or (pod.status.startswith("Init:") and pod.status[5:6].isdigit()):
        return "decided"
    return "bad"


def _name(cell: Cell, room: int) -> Line:
    return [(fit_tail(clean(cell.pod.name), room), "muted" if cell.pod.deleting else "text")]


def _namespace(cell: Cell, room: int) -> Line:
    return [(fit(clean(cell.pod.namespace), room), "muted")]


def _status(cell: Cell, room: int) -> Line:
    return [(fit(clean(cell.pod.status), room), status_ink(cell.pod))]


def _ready(cell: Cell, room: int) -> Line:
    pod = cell.pod
    text = f"{pod.ready_containers}/{pod.total_containers}"
    whole = pod.ready_containers >= pod.total_containers or pod.terminal
    return [(pad(text, room, right=True), "text" if whole else "decided")]


def _restarts(cell: Cell, room: int) -> Line:
    count = cell.pod.restarts
    return [(pad(str(count), room, right=True), "bad" if count else "muted")]


def _cpu(cell: Cell, room: int) -> Line:
    used = cell.usage.cpu if cell.usage else None
    return [(pad(cpu(used), room, right=True), _over(used, cell.pod.cpu_limit))]


def _cpu_bar(cell: Cell, room: int) -> Line:
    return _share_bar(
        cell.usage.cpu if cell.usage else None, cell.pod.cpu_limit or cell.pod.cpu_request, room
    )


def _memory(cell: Cell, room: int) -> Line:
    used = cell.usage.memory if cell.usage else None
    return [(pad(memory(used), room, right=True), _over(used, cell.pod.memory_limit))]


def _memory_bar(cell: Cell, room: int) -> Line:
    return _share_bar(
        cell.usage.memory if cell.usage else None,
        cell.pod.memory_limit or cell.pod.memory_request,
        room,
    )


def _share(
    what: Callable[[PodUsage], int], of: Callable[[PodRow], int | None]
) -> tuple[Callable[[Cell, int], Line], Callable[[Cell], float]]:
    def value(cell: Cell) -> float | None:
        whole = of(cell.pod)
        return 100 * what(cell.usage) / whole if cell.usage and whole else None

    def draw(cell: Cell, room: int) -> Line:
        share = value(cell)
        return [(pad(percent(share), room, right=True), "muted" if share is None else "text")]

    def key(cell: Cell) -> float:
        share = value(cell)
        return _LAST if share is None else share

    return draw, key


def _rate(cell: Cell, room: int) -> Line:
    if cell.rate is None:
        return [(pad("–", room, right=True), "muted")]
    return [(pad(f"{cell.rate:,.0f}", room, right=True), "measured" if cell.rate else "muted")]


def _node(cell: Cell, room: int) -> Line:
    return [(fit_tail(clean(cell.pod.node) or "–", room), "muted")]


def _ip(cell: Cell, room: int) -> Line:
    return [(fit(clean(cell.pod.ip) or "–", room), "muted")]


def _age(cell: Cell, room: int) -> Line:
    return [(pad(age(cell.now - cell.pod.created), room, right=True), "muted")]


def _over(used: int | None, limit: int | None) -> str:
    if used is None:
        return "muted"
    return "bad" if limit and used >= 0.9 * limit else "measured"


def _share_bar(used: int | None, of: int | None, room: int) -> Line:
    if used is None or not of:
        return [(" " * room, "")]
    return bar(used / of, room, _over(used, of))


_CPU_OF_REQUEST = _share(lambda u: u.cpu, lambda p: p.cpu_request)
_CPU_OF_LIMIT = _share(lambda u: u.cpu, lambda p: p.cpu_limit)
_MEMORY_OF_REQUEST = _share(lambda u: u.memory, lambda p: p.memory_request)
_MEMORY_OF_LIMIT = _share(lambda u: u.memory, lambda p: p.memory_limit)

COLUMNS: Final = (
    Column("namespace", "namespace", 9, 1, _namespace, lambda c: c.pod.namespace, most=20),
    Column("name", "name", 8, 0, _name, lambda c: c.pod.name, most=60),
    Column("ready", "ready", 5, 3, _ready, lambda c: c.pod.ready_containers, right=True),
    Column("status", "status", 8, 1, _status, lambda c: c.pod.status, most=26),
    Column("restarts", "rst", 3, 6, _restarts, lambda c: c.pod.restarts, right=True),
    Column("cpu", "cpu", 5, 2, _cpu, lambda c: c.usage.cpu if c.usage else _LAST, right=True),
    Column("cpu-bar", "/limit", 6, 7, _cpu_bar, lambda c: 0),
    Column("cpu/req", "%req", 6, 8, *_CPU_OF_REQUEST, right=True),
    Column("cpu/lim", "%lim", 6, 10, *_CPU_OF_LIMIT, right=True),
    Column("memory", "mem", 6, 5, _memory, lambda c: c.usage.memory if c.usage else _LAST, True),
    Column("memory-bar", "/limit", 6, 11, _memory_bar, lambda c: 0),
    Column("memory/req", "%req", 6, 13, *_MEMORY_OF_REQUEST, right=True),
    Column("memory/lim", "%lim", 6, 14, *_MEMORY_OF_LIMIT, right=True),
    Column("rate", "req/s", 6, 3, _rate, lambda c: c.rate or _LAST, right=True),
    Column("node", "node", 10, 9, _node, lambda c: c.pod.node, most=30),
    Column("ip", "ip", 15, 15, _ip, lambda c: c.pod.ip),
    Column("age", "age", 5, 4, _age, lambda c: c.pod.created, right=True),
)
SORTS: Final = ("age", "name", "cpu", "memory", "cpu/req", "restarts", "status", "node")
"""What the sort key steps through; the figures sort highest first."""
UNSORTED: Final = frozenset(("cpu-bar", "memory-bar", "rate"))
"""Columns whose titles sort nothing: pictures of others, and what changes every second."""
DESCENDING: Final = frozenset(("cpu", "memory", "cpu/req", "cpu/lim", "restarts"))


def layout(room: int, wants: dict[str, int]) -> list[tuple[Column, int]]:
    """Which columns fit in ``room`` cells, and how wide: those of low rank first.

    ``wants``: the width of the longest content, for columns that grow; a column that is not
    offered at all wants -1.
    """
    offered = [c for c in COLUMNS if wants.get(c.id, 0) >= 0]
    base = {c.id: c.width for c in offered}
    if room >= 54:
        base["status"] = min(max(base["status"], wants.get("status", 0)), 17)
    if room >= 100:
        base["name"] = min(max(base["name"], wants.get("name", 0)), 40)
    chosen: set[str] = set()
    taken = -1
    for column in sorted(offered, key=lambda c: c.rank):
        if taken + 1 + base[column.id] <= room or column.rank == 0:
            chosen.add(column.id)
            taken += 1 + base[column.id]
        elif column.rank > 2:
            break
    columns = [c for c in offered if c.id in chosen]
    widths = {c.id: base[c.id] for c in columns}
    spare = max(0, room - taken)
    for growing in ("status", "name", "node", "namespace"):
        found = next((c for c in columns if c.id == growing), None)
        if found is not None:
            wanted = min(found.most, wants.get(growing, 0))
            more = min(spare, max(0, wanted - widths[growing]))
            widths[growing] += more
            spare -= more
    return [(c, widths[c.id]) for c in columns]
