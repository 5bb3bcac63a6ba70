"""Looks the cluster over: all rules, seldom enough, and only when something has changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

import msgspec

from tui.analysis.doctor.finding import Finding
from tui.analysis.doctor.patient import Patient
from tui.analysis.doctor.registry import all_rules
from tui.analysis.doctor.rule import Rule
from tui.state.delta import Delta
from tui.state.fetched import Fetch
from tui.state.links import Source
from tui.state.rows import HpaRow, Kind

PAUSE: Final = 1.0
"""Seconds between two looks."""
LARGE: Final = 400
"""Pods beyond which a look is spread: a step a tick, lest the screen stand still meanwhile."""
_LARGE_PAUSE: Final = 5.0
_AGAIN: Final = 5.0
"""Seconds after which it looks again though nothing changed: some faults come with time."""
MOST_FETCHES: Final = 80

_LOOKED_AT: Final = tuple(kind for kind in Kind if kind is not Kind.EVENTS)
_HELD: Final = ("ScaleDownStabilized", "ScaleUpStabilized")


class Diagnosis(msgspec.Struct, frozen=True):
    """What one look found."""

    findings: tuple[Finding, ...] = ()
    """The worst first."""
    wanted: tuple[Fetch, ...] = ()
    """What to fetch so that the next look may know more."""
    version: int = 0
    """Grows whenever the findings differ."""


def examine(patient: Patient, rules: Iterable[Rule] | None = None) -> tuple[Finding, ...]:
    """What the rules find, the worst first."""
    return _worst_first(f for rule in (rules or all_rules()) for f in rule.examine(patient))


def _worst_first(found: Iterable[Finding]) -> tuple[Finding, ...]:
    return tuple(sorted(found, key=lambda f: (f.severity.rank, f.id, f.object)))


def wanted(patient: Patient, rules: Iterable[Rule] | None = None) -> tuple[Fetch, ...]:
    """What the rules have to know, each once, at most :data:`MOST_FETCHES`."""
    found: dict[Fetch, None] = {}
    for rule in rules or all_rules():
        found.update(dict.fromkeys(rule.wants(patient)))
    return tuple(found)[:MOST_FETCHES]


@dataclass
class _Round:
    """A look: at one moment's cluster, even if it takes several ticks."""

    patient: Patient
    found: list[Finding] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.steps = self._steps()

    def _steps(self) -> Iterator[None]:
        """Look, with a pause after every few milliseconds."""
        yield from self.patient.survey()
        for rule in all_rules():
            self.found += rule.examine(self.patient)
            yield


class Doctor:
    """Feed it deltas; it returns the diagnosis, the same one until it has looked again."""

    def __init__(self) -> None:
        self._diagnosis = Diagnosis()
        self._round: _Round | None = None
        """The look that goes on over several ticks."""
        self._patient: Patient | None = None
        """The last, whose look-ups may still hold."""
        self._looked = float("-inf")
        self._seen: object = None
        self._held: dict[str, tuple[float, bool]] = {}
        self._known: set[str] = set()
        """HPAs that were seen before, so that a hold that comes is seen to begin."""

    def look(
        self,
        delta: Delta,
        now: float,
        *,
        simulated: bool = False,
        pace: float = 1.0,
        namespace: str | None = None,
    ) -> Diagnosis:
        """What is wrong now.

        Args:
            delta: the tick.
            now: seconds since the epoch, by our own clock.
            simulated: whether it is an embedded cluster.
            pace: how many of the HPA controller's seconds pass in one of ours.
            namespace: the only one that is watched; None is all.
        """
        if self._round is not None:
            self._go_on(self._round, spread=True)
            return self._diagnosis
        large = len(delta.pods.rows) > LARGE
        since = now - self._looked
        if 0 <= since < (_LARGE_PAUSE if large else PAUSE):
            return self._diagnosis
        seen = _seen(delta)
        if seen == self._seen and 0 <= since < _AGAIN:
            return self._diagnosis
        self._looked, self._seen = now, seen
        self._follow(delta.hpas.rows, Patient(delta, now).now)
        patient = Patient(delta, now, simulated, dict(self._held), pace, namespace)
        if self._patient is not None:
            patient.inherit(self._patient)
        self._patient = patient
        self._round = _Round(patient)
        self._go_on(self._round, spread=large)
        return self._diagnosis

    def _go_on(self, look: _Round, *, spread: bool) -> None:
        """Take the next step of a look, or all of them; after the last it is done."""
        for _ in look.steps:
            if spread:
                return
        self._round = None
        findings = _worst_first(look.found)
        version = self._diagnosis.version + (findings != self._diagnosis.findings)
        self._diagnosis = Diagnosis(findings, wanted(look.patient), version)

    def _follow(self, hpas: Mapping[str, HpaRow], now: float) -> None:
        """Note since when a window holds which HPA."""
        for uid, hpa in hpas.items():
            able = hpa.condition("AbleToScale")
            if able is None or able.reason not in _HELD:
                self._held.pop(uid, None)
            elif uid not in self._held:
                self._held[uid] = (now, uid in self._known)
        self._known = set(hpas)
        for uid in self._held.keys() - self._known:
            del self._held[uid]


def _seen(delta: Delta) -> object:
    """Differs whenever a rule might find something else."""
    tables = [delta.tables.get(kind) for kind in _LOOKED_AT]
    return (
        [table.generation if table is not None else -1 for table in tables],
        [delta.link(source).health for source in (*_LOOKED_AT, *Source)],
        delta.samples,
        id(delta.fetched),
    )
