"""What is known of one HPA's looks: the last one, those to be reckoned, and one still in doubt."""

from __future__ import annotations

from collections import deque
from typing import Final, NamedTuple

import msgspec

from tui.analysis import hpa
from tui.analysis.why_agreement import Difference, Ledger
from tui.analysis.why_rhythm import SyncRhythm
from tui.analysis.why_world import Sight, World
from tui.state.rows import HpaRow

_GRACE: Final = 2.0
"""Seconds after an expected look until it counts as one that wrote nothing; less where looks follow
each other faster, as in an embedded cluster that is quicker than time."""


class Look(msgspec.Struct, frozen=True):
    """One look of the controller, reckoned again."""

    at: float
    outcome: hpa.Outcome
    seen: bool
    """Whether its write was seen; else it wrote nothing, and its moment is estimated."""
    size: int
    """What the controller says it wants."""
    scaled: bool
    """Whether it changed the size."""
    same_samples: bool
    """Whether we read the very figures that the controller read."""
    difference: Difference | None = None


class Asked(NamedTuple):
    """A look to be reckoned: seen (with the status written), or expected and not seen."""

    at: float
    row: HpaRow
    """The HPA as the look found it."""
    wrote: HpaRow | None
    world: World
    sure: bool = True
    """Whether its moment is known, if only by the rhythm of those before."""

    @property
    def case(self) -> Case:
        """The same without the world, of which two hundred HPAs would keep as many."""
        said = self.wrote or self.row
        status = self.world.status(said)
        return Case(self.at, self.row, self.wrote, status, self.world.sight(self.row))


class Case(NamedTuple):
    """A look with what it found."""

    at: float
    row: HpaRow
    wrote: HpaRow | None
    status: hpa.Status
    """What the HPA says after it."""
    sight: Sight


class Open(NamedTuple):
    """The last look, while a sample may come that the controller read and we had not."""

    case: Case
    memory: hpa.Memory
    """Before it."""
    tried: frozenset[int]
    """The polls it has been judged by, by their numbers."""


class Tracker:
    """What is known of one HPA."""

    __slots__ = (
        "asked",
        "assumed",
        "due",
        "ledger",
        "look",
        "memory",
        "open",
        "rhythm",
        "row",
        "since",
    )

    def __init__(self, row: HpaRow) -> None:
        self.row = row
        self.rhythm = SyncRhythm()
        self.ledger = Ledger()
        self.memory = hpa.NOTHING_REMEMBERED
        self.since: float | None = None
        self.assumed = 0.0
        """When a look was last assumed, while none had been seen to tell the rhythm."""
        self.look: Look | None = None
        self.asked: deque[Asked] = deque(maxlen=8)
        self.due: tuple[float, World] | None = None
        """The look that should have come, and the world it would have found."""
        self.open: Open | None = None

    @property
    def grace(self) -> float:
        """Seconds by which a look may be late."""
        return min(_GRACE, self.rhythm.period / 4)
