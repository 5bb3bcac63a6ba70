"""Nodes: CPU and memory used and requested against allocatable, pods, condition."""

from __future__ import annotations

from collections.abc import Hashable

from tui.analysis.nodes import Placed, Placement
from tui.analysis.scene import Scene
from tui.panes.bar import bar
from tui.panes.line import Line, cells, ends, flow
from tui.panes.pane import Pane, absence
from tui.state.links import Health
from tui.state.rows import Kind, NodeRow, NodeUsage
from tui.text import age, clean, cores, memory, percent, plural, shorten_tail, width


class NodesPane(Pane):
    """A block of lines a node; more of them where there is room."""

    TITLE = "Nodes"
    EVERY = 2.0

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._placement = Placement()
        self._rows: list[NodeRow] = []
        self._problem: list[Line] = []
        self._height = 1

    def show(self, scene: Scene) -> None:
        """Follow the pods from look to look, as long as anybody sees it."""
        if self.in_sight:
            self._placement.feed(scene.delta)
        super().show(scene)

    def depends(self, scene: Scene) -> Hashable:
        """Nodes, their usage, and the pods placed on them."""
        delta = scene.delta
        return (
            delta.nodes.generation,
            delta.pods.generation,
            delta.samples,
            delta.link(Kind.NODES),
            int(scene.now) // 60,
        )

    def caption(self) -> Line:
        """``Nodes 2``, and how many are not Ready."""
        count = len(self._rows)
        bad = sum(n.ready != "True" for n in self._rows)
        line: Line = [(f"Nodes {count}" if count else "Nodes", "bold measured")]
        return [*line, (f"  {bad} not Ready", "bad")] if bad else line

    def footnote(self) -> Line:
        """What pods and requests are counted over."""
        namespace = self.scene.place.namespace
        if namespace is None or not self._rows:
            return []
        name = clean(namespace)
        whole, short = f"pods and requests: {name} only", f"pods: {name} only"
        return [(whole if width(whole) <= self.size.width - 4 else short, "muted")]

    def prepare(self) -> int:
        """Sort nodes, sum requests; lines are made when seen."""
        delta = self.scene.delta
        self._placement.feed(delta)
        self._rows = sorted(delta.nodes.rows.values(), key=lambda n: n.name)
        link = delta.link(Kind.NODES)
        wanted = link.health not in (Health.LIVE, Health.RETRYING) or not self._rows
        self._problem = absence(link, "nodes", self.room.width) if wanted else []
        if self._problem and not self._rows:
            return len(self._problem)
        self._height = self._block_height()
        # The blank line after the last block is not worth a scroll bar.
        return len(self._rows) * self._height - (self._height >= 4)

    def line(self, y: int, room: int) -> Line:
        """One line of one node's block."""
        if not self._rows:
            return self._problem[y]
        node = self._rows[y // self._height]
        usage = self.scene.delta.node_usage.get(node.name)
        own = self._placement.nodes.get(node.name, Placed())
        part = y % self._height
        if self._height == 1:
            return self._one(node, usage, room)
        if self._height == 2 and part == 1:
            return _brief(node, usage)
        if part == 0:
            whole = self.scene.place.namespace is None
            pods = f"{own.pods}/{node.pods_allocatable} pods" if whole else plural(own.pods, "pod")
            count: Line = [(f"  {pods}", "muted")]
            if cells(_state(node)) + cells(count) > room - 12:
                count = []
            return ends(_named(node, room - cells(count) - 1, "bold"), count, room)
        if part == 1:
            used = usage.cpu if usage else None
            return _resource("cpu", used, own.cpu, node.cpu_allocatable, cores, room)
        if part == 2:
            used = usage.memory if usage else None
            return _resource("mem", used, own.memory, node.memory_allocatable, memory, room)
        if part == 3 and self._height > 4:
            return self._about(node, room)
        return []

    def _block_height(self) -> int:
        if self.zoomed:
            return 5
        count = max(1, len(self._rows))
        room = self.room.height
        return next((h for h in (5, 4, 3, 2) if count * h - (h >= 4) <= room), 1)

    def _one(self, node: NodeRow, usage: NodeUsage | None, room: int) -> Line:
        brief = _brief(node, usage)
        return ends(_named(node, room - cells(brief) - 1, ""), brief, room)

    def _about(self, node: NodeRow, room: int) -> Line:
        parts = [clean(",".join(node.roles)) or "worker", clean(node.version)]
        parts.append(f"{cores(node.cpu_capacity)} cores")
        parts.append(memory(node.memory_capacity))
        parts.append(f"age {age(self.scene.now - node.created)}")
        return flow([[(part, "muted")] for part in parts], room)[0]


def _named(node: NodeRow, room: int, ink: str) -> Line:
    """The name gives way, its state does not."""
    state = _state(node)
    name = shorten_tail(clean(node.name), max(6, room - cells(state) - 1))
    return [(name, ink), (" ", ""), *state]


def _brief(node: NodeRow, usage: NodeUsage | None) -> Line:
    if usage is None:
        return [("no sample", "muted")]
    line: Line = []
    for name, used, of in (
        ("cpu", usage.cpu, node.cpu_allocatable),
        ("mem", usage.memory, node.memory_allocatable),
    ):
        line += [(f"{name} ", "muted"), (f"{_share(used, of):>5}  ", _heat(used, of))]
    return line


def _state(node: NodeRow) -> Line:
    line: Line = {
        "True": [("Ready", "good")],
        "False": [("NotReady", "bold bad")],
    }.get(node.ready, [("Unknown", "bold bad")])
    if node.unschedulable:
        line = [*line, (" cordoned", "decided")]
    for problem in node.problems:
        line = [*line, (f" {clean(problem)}", "bad")]
    return line


def _resource(
    name: str, used: int | None, requested: int, of: int, unit: object, room: int
) -> Line:
    show = unit if callable(unit) else str
    line: Line = [(f"{name} ", "muted")]
    if used is None:
        line += [("no sample", "muted")]
    else:
        line += [
            (f"{show(used)}/{show(of)}".ljust(12), ""),
            (f"{_share(used, of):>6}", _heat(used, of)),
        ]
    tail: Line = [("  req ", "muted"), (f"{_share(requested, of):>5}", "muted")]
    space = room - cells(line) - cells(tail) - 1
    if used is not None and space >= 4 and of:
        line += [(" ", ""), *bar(used / of, min(30, space), _heat(used, of))]
    return line + tail if cells(line) + cells(tail) <= room else line


def _share(used: int, of: int) -> str:
    return percent(100 * used / of) if of else "–"


def _heat(used: int, of: int) -> str:
    return "bad" if of and used / of >= 0.9 else "measured"
