"""From load to relief: what happened when for each scale-up, by one clock.

load rose → latency rose → a sample showed it → the HPA decided → pods made → scheduled → started →
Ready → first request served → measured. Moments are those at which we saw them, so that two clocks
never mix. What was not seen is left out.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from enum import StrEnum
from statistics import quantiles
from typing import Final, NamedTuple, cast

import msgspec

from tui.analysis.causes import HANDOVER
from tui.analysis.focus import Focus
from tui.analysis.selectors import matches
from tui.analysis.why import Explanation
from tui.state.delta import Delta
from tui.state.rows import Kind, PodRow, WorkloadRow

_KEPT: Final = 50
_OPEN: Final = 300.0
"""Seconds after a decision in which something may still be owed to it."""


class Stage(StrEnum):
    """What may be seen of a scale-up, in the order of cause and effect."""

    LOAD = "load rose"
    LATENCY = "latency rose"
    SAMPLE = "sample showed it"
    DECISION = "decision"
    CREATED = "pods created"
    SCHEDULED = "scheduled"
    STARTED = "started"
    READY = "Ready"
    SERVED = "first request served"
    MEASURED = "measured"


class LoadSigns(NamedTuple):
    """What a burst tells. None where it does not."""

    rose: float | None = None
    slowed: float | None = None
    served: Mapping[str, float] = {}
    """By pod name, when its first answer came."""


class ScaleUp(msgspec.Struct, frozen=True):
    """One decision upwards and what led to it and came of it."""

    hpa: str
    before: int
    after: int
    moments: Mapping[Stage, float]
    """Seconds since the epoch. Of the pods' stages, when the last pod was through."""
    done: Mapping[Stage, int]
    """How many of its pods are through a stage."""
    pods: tuple[str, ...] = ()
    """The names of those it made."""

    @property
    def begin(self) -> float:
        """The first moment known."""
        return min(self.moments.values())

    @property
    def line(self) -> tuple[tuple[Stage, float], ...]:
        """The moments in order, as seconds since the first."""
        begin = self.begin
        return tuple((s, max(0.0, self.moments[s] - begin)) for s in Stage if s in self.moments)


class Lag(NamedTuple):
    """The seconds between two stages over the session."""

    name: str
    times: int
    median: float
    p90: float
    longest: float


_SPANS: Final = (
    ("sample → decision", Stage.SAMPLE, Stage.DECISION),
    ("decision → Ready", Stage.DECISION, Stage.READY),
    ("Ready → measured", Stage.READY, Stage.MEASURED),
    ("load → decision", Stage.LOAD, Stage.DECISION),
    ("load → first request served", Stage.LOAD, Stage.SERVED),
)


class _Open(msgspec.Struct):
    """A scale-up whose pods are still on their way."""

    uid: str
    hpa: str
    before: int
    after: int
    workload: WorkloadRow
    decided: float
    causes: dict[Stage, float]
    pods: dict[str, dict[Stage, float]] = msgspec.field(default_factory=dict)
    """By uid, when each stage was seen."""
    names: dict[str, str] = msgspec.field(default_factory=dict)

    def view(self) -> ScaleUp:
        wanted = self.after - self.before
        moments = {**self.causes, Stage.DECISION: self.decided}
        done: dict[Stage, int] = {}
        for stage in (Stage.CREATED, Stage.SCHEDULED, Stage.STARTED, Stage.READY, Stage.MEASURED):
            seen = [stages[stage] for stages in self.pods.values() if stage in stages]
            done[stage] = len(seen)
            if len(seen) >= wanted > 0:
                moments[stage] = max(seen)
        served = [s[Stage.SERVED] for s in self.pods.values() if Stage.SERVED in s]
        done[Stage.SERVED] = len(served)
        if served:
            moments[Stage.SERVED] = min(served)
        return ScaleUp(self.hpa, self.before, self.after, moments, done, tuple(self.names))


class Lags:
    """Feed it every tick; read :attr:`scale_ups`, oldest first, and :attr:`spans`."""

    def __init__(self) -> None:
        self._open: deque[_Open] = deque(maxlen=_KEPT)
        self._fresh: deque[tuple[float, PodRow]] = deque(maxlen=1000)
        """Pods seen to come, which may be owed to a decision told of a moment later."""
        self._over: dict[str, float] = {}
        """By HPA uid, when a sample first asked for more than there is."""
        self._looked: dict[str, float] = {}
        self._samples = 0
        self._known = False
        self.generation = 0
        self.scale_ups: tuple[ScaleUp, ...] = ()

    @property
    def spans(self) -> tuple[Lag, ...]:
        """Percentiles over the session, of the spans that were seen."""
        found = []
        for name, first, last in _SPANS:
            seconds = [
                max(0.0, each.moments[last] - each.moments[first])
                for each in self.scale_ups
                if first in each.moments and last in each.moments
            ]
            if seconds:
                found.append(_lag(name, seconds))
        return tuple(found)

    @property
    def until_ready(self) -> float | None:
        """The usual seconds from a decision to all of its pods' being Ready."""
        return next((s.median for s in self.spans if s.name == "decision → Ready"), None)

    def feed(
        self,
        delta: Delta,
        focus: Focus,
        why: Explanation,
        now: float,
        load: LoadSigns | None = None,
    ) -> None:
        """Take in one tick."""
        before = self.generation
        for change in delta.changes:
            if change.kind is Kind.PODS and self._known:
                row, was = cast(PodRow | None, change.after), change.before
                if row is not None:
                    if was is None:
                        self._fresh.append((change.at, row))
                    self._pod(row, change.at)
        self._known = self._known or bool(delta.pods.rows)
        self._sample(why, now)
        self._decision(focus, why, now, load)
        if delta.samples != self._samples:
            self._samples = delta.samples
            self._measured(delta, now)
        if load is not None:
            self._served(load)
        if self.generation != before:
            self.scale_ups = tuple(each.view() for each in self._open)

    def _sample(self, why: Explanation, now: float) -> None:
        """A sample asks for more than there is: since when."""
        if why.outlook is None:
            return
        decision = why.outlook.decision
        if decision.recommended is not None and decision.recommended > (decision.current or 0):
            self._over.setdefault(why.uid, now)
        else:
            self._over.pop(why.uid, None)

    def _decision(self, focus: Focus, why: Explanation, now: float, load: LoadSigns | None) -> None:
        look, row, workload = why.look, focus.hpa, focus.workload
        if look is None or row is None or workload is None or row.uid != why.uid:
            return
        if self._looked.get(why.uid, 0.0) >= look.at:
            return
        self._looked[why.uid] = look.at
        current = look.outcome.decision.current
        if not look.scaled or current is None or look.size <= current:
            return
        causes: dict[Stage, float] = {}
        over = self._over.pop(why.uid, None)
        # The controller may have read the sample before us: then we did not see when it came.
        if over is not None and over <= look.at:
            causes[Stage.SAMPLE] = over
        shown = causes.get(Stage.SAMPLE, look.at)
        if load is not None and load.rose is not None and load.rose <= shown:
            causes[Stage.LOAD] = load.rose
            if load.slowed is not None and load.slowed >= load.rose:
                causes[Stage.LATENCY] = load.slowed
        scale_up = _Open(why.uid, row.name, current, look.size, workload, look.at, causes)
        self._open.append(scale_up)
        self.generation += 1
        for at, pod in self._fresh:
            if look.at - at < HANDOVER:
                self._join(scale_up, pod, at)
        self._fresh.clear()

    def _pod(self, row: PodRow, at: float) -> None:
        for scale_up in self._open:
            stages = scale_up.pods.get(row.uid)
            if stages is not None:
                self._note(stages, row, at)
                return
        for scale_up in self._open:
            if at - scale_up.decided < _OPEN and self._join(scale_up, row, at):
                return

    def _join(self, scale_up: _Open, row: PodRow, at: float) -> bool:
        workload = scale_up.workload
        full = len(scale_up.pods) >= scale_up.after - scale_up.before
        if full or row.uid in scale_up.pods or row.namespace != workload.namespace:
            return False
        # Whole seconds, by the cluster's clock: a pod that was there before is far older.
        if row.created < scale_up.decided - 30 or not matches(workload.selector, row.labels):
            return False
        scale_up.names[row.name] = row.uid
        stages = scale_up.pods[row.uid] = {Stage.CREATED: at}
        self.generation += 1
        self._note(stages, row, at)
        return True

    def _note(self, stages: dict[Stage, float], row: PodRow, at: float) -> None:
        reached = (
            (Stage.SCHEDULED, bool(row.node)),
            (Stage.STARTED, row.phase == "Running"),
            (Stage.READY, bool(row.ready)),
        )
        for stage, yes in reached:
            if yes and stage not in stages:
                stages[stage] = at
                self.generation += 1

    def _measured(self, delta: Delta, now: float) -> None:
        for scale_up in self._open:
            for name, uid in scale_up.names.items():
                stages = scale_up.pods[uid]
                key = (scale_up.workload.namespace, name)
                if Stage.MEASURED not in stages and key in delta.pod_usage:
                    stages[Stage.MEASURED] = now
                    self.generation += 1

    def _served(self, load: LoadSigns) -> None:
        for scale_up in self._open:
            for name, uid in scale_up.names.items():
                at = load.served.get(name)
                if at is not None and Stage.SERVED not in scale_up.pods[uid]:
                    scale_up.pods[uid][Stage.SERVED] = at
                    self.generation += 1


def _lag(name: str, seconds: Iterable[float]) -> Lag:
    ordered = sorted(seconds)
    if len(ordered) == 1:
        return Lag(name, 1, ordered[0], ordered[0], ordered[0])
    cuts = quantiles(ordered, n=10, method="inclusive")
    return Lag(name, len(ordered), cuts[4], cuts[8], ordered[-1])
