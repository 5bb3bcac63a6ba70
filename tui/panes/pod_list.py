"""The rows of the pods pane: filtered and sorted once, then kept so by what changes."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping
from functools import total_ordering
from operator import attrgetter
from typing import Any, Final, NamedTuple

from tui.panes.pod_columns import COLUMNS, DESCENDING, Cell
from tui.state.rows import PodRow, PodUsage
from tui.state.table import Change

_KEYS: Final[dict[str, Callable[[Cell], Any]]] = {column.id: column.key for column in COLUMNS}
_MEASURED: Final = frozenset(("cpu", "memory", "cpu/req", "cpu/lim", "memory/req", "memory/lim"))
_PLACE: Final = attrgetter("namespace", "name", "uid")
"""What orders pods of one rank."""
_WORTH_IT: Final = 0.25
"""The part of the rows that may change before it is quicker to sort them all."""

Usage = Mapping[tuple[str, str], PodUsage]


class Choice(NamedTuple):
    """How the user wants the rows."""

    sort: str = "age"
    reverse: bool = False
    filter: str = ""

    @property
    def down(self) -> bool:
        """Whether the highest comes first."""
        return (self.sort in DESCENDING) != self.reverse

    @property
    def measured(self) -> bool:
        """Whether the order depends on usage."""
        return self.sort in _MEASURED


class PodList:
    """Pods in order.

    Of ten thousand rows some fifty change between two looks: each is found by bisection and put
    where it belongs, which costs a hundredth of sorting anew.
    """

    def __init__(self) -> None:
        self.rows: list[PodRow] = []
        """In the order chosen; pods of one rank by namespace and name. Turned round, the same from
        the last to the first."""
        self.of = 0
        """How many there are before the filter."""
        self.live = 0
        """Rows that ought to run: neither at their end nor being deleted."""
        self.ready = 0
        """Of these, how many are Ready."""
        self._choice = Choice()
        self._words: list[tuple[bool, str]] = []
        self._usage: Usage = {}
        self._keys: list[Any] = []
        """Of the rows, in the order that is not turned round."""
        self._key_of: dict[str, Any] = {}

    def remake(self, pods: Iterable[PodRow], usage: Usage, choice: Choice) -> None:
        """Filter and sort all pods."""
        self._choice, self._usage = choice, usage
        self._words = _words(choice.filter)
        every = list(pods)
        self.of = len(every)
        shown = [pod for pod in every if self._shows(pod)] if self._words else every
        shown.sort(key=_PLACE)
        self._arrange(shown)
        living = [pod for pod in shown if pod.deleting is None and not pod.terminal]
        self.live, self.ready = len(living), sum([bool(pod.ready) for pod in living])

    def turn(self) -> None:
        """Put the same rows the other way round."""
        self._choice = self._choice._replace(reverse=not self._choice.reverse)
        self.rows.reverse()

    def _arrange(self, pods: list[PodRow]) -> None:
        """Order pods by rank; those of one rank come by namespace and name and stay so."""
        down, rank_of = self._down, _KEYS[self._choice.sort]
        if self._choice.measured:
            ranks = [self._rank(pod) for pod in pods]
        else:
            ranks = [rank_of(Cell(pod, None, 0.0)) for pod in pods]
        order = sorted(range(len(pods)), key=ranks.__getitem__, reverse=down)
        self.rows = [pods[at] for at in order]
        ranks = [_turned(ranks[at]) for at in order] if down else [ranks[at] for at in order]
        ranked = zip(ranks, self.rows, strict=True)
        self._keys = [(rank, pod.namespace, pod.name, pod.uid) for rank, pod in ranked]
        self._key_of = {key[3]: key for key in self._keys}
        if self._choice.reverse:
            self.rows.reverse()

    def update(self, changes: list[Change], pods: Iterable[PodRow], usage: Usage) -> None:
        """Take over what changed; ``pods`` are all of them, as they are now."""
        if len(changes) > 50 + _WORTH_IT * len(self.rows):
            self.remake(pods, usage, self._choice)
            return
        # The order by usage is that of one poll; rows of another would be put in the wrong place.
        if not self._choice.measured:
            self._usage = usage
        for change in changes:
            before, after = change.before, change.after
            self.of += (after is not None) - (before is not None)
            if isinstance(after, PodRow) and self._shows(after):
                self._put(after)
            elif before is not None:
                self._drop(before.uid)

    def index(self, uid: str) -> int | None:
        """Where a pod stands; None if it is not shown."""
        key = self._key_of.get(uid)
        return None if key is None else self._row(bisect_left(self._keys, key))

    @property
    def _down(self) -> bool:
        """Whether the highest comes first when it is not turned round."""
        return self._choice.sort in DESCENDING

    def _row(self, at: int) -> int:
        """Where the row of the key at ``at`` stands."""
        return len(self._keys) - 1 - at if self._choice.reverse else at

    def _put(self, pod: PodRow) -> None:
        key = self._key(pod)
        known = self._key_of.get(pod.uid)
        if known is not None:
            if known == key:
                row = self._row(bisect_left(self._keys, known))
                self._count(self.rows[row], -1)
                self._count(pod, 1)
                self.rows[row] = pod
                return
            self._drop(pod.uid)
        at = bisect_left(self._keys, key)
        self._keys.insert(at, key)
        self.rows.insert(self._row(at), pod)
        self._key_of[pod.uid] = key
        self._count(pod, 1)

    def _drop(self, uid: str) -> None:
        key = self._key_of.pop(uid, None)
        if key is not None:
            at = bisect_left(self._keys, key)
            row = self._row(at)
            self._count(self.rows[row], -1)
            del self._keys[at], self.rows[row]

    def _count(self, pod: PodRow, by: int) -> None:
        if pod.deleting is None and not pod.terminal:
            self.live += by
            if pod.ready:
                self.ready += by

    def _rank(self, pod: PodRow) -> Any:
        measured = self._choice.measured
        usage = self._usage.get((pod.namespace, pod.name)) if measured else None
        return _KEYS[self._choice.sort](Cell(pod, usage, 0.0))

    def _key(self, pod: PodRow) -> Any:
        rank = self._rank(pod)
        return (_turned(rank) if self._down else rank, *_PLACE(pod))

    def _shows(self, pod: PodRow) -> bool:
        if not self._words:
            return True
        text = f"{pod.namespace}/{pod.name} {pod.status} {pod.node}".lower()
        return all((word in text) == wanted for wanted, word in self._words)


@total_ordering
class _Down:
    """A text that sorts the other way round."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Down) and self.text == other.text

    def __lt__(self, other: _Down) -> bool:
        return self.text > other.text

    def __hash__(self) -> int:
        return hash(self.text)


def _words(text: str) -> list[tuple[bool, str]]:
    """Words that must occur (True) or must not (``!word``), in lower case."""
    found = []
    for word in text.lower().split():
        wanted = not word.startswith("!")
        if word := word.removeprefix("!"):
            found.append((wanted, word))
    return found


def _turned(rank: Any) -> Any:
    """What sorts the other way round."""
    return _Down(rank) if isinstance(rank, str) else -rank
