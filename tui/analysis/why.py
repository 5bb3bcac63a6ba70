"""Why an HPA did, or did not, scale: every look of its controller rebuilt from outside.

The controller looks at an HPA every 15 s. Where it changes the status, the look is seen; where it
does not, the look is expected, and that nothing was written is what confirms it. What it remembers
between looks is rebuilt here by doing the same reckoning.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, cast

import msgspec

from tui.analysis import hpa, why_memory
from tui.analysis.focus import Focus
from tui.analysis.scaling_behavior import remember_rescale
from tui.analysis.why_agreement import (
    Agreement,
    difference,
    figures,
    same_figures,
)
from tui.analysis.why_inputs import Poll
from tui.analysis.why_rhythm import SampleRhythm
from tui.analysis.why_tracker import Asked, Case, Look, Open, Tracker
from tui.analysis.why_world import World, Worlds
from tui.state.delta import Delta
from tui.state.rows import HpaRow, Kind

_LATE: Final = 20.0
"""Seconds within which a sample may still come that the controller had before us."""
_AT_ONCE: Final = 6
_PODS_AT_ONCE: Final = 120
"""HPAs that are reckoned in one tick, beside the one in view, and after how many pods no other
is begun."""
_FASTER: Final = 1.2
"""How much shorter a simulated controller's periods must be for its time to run faster."""
_SIGHT: Final = 1.0
"""Seconds between two reckonings of what the next look will bring, if nothing changes."""


class Explanation(msgspec.Struct, frozen=True):
    """Why the HPA in view is what it is, and what its next look will bring."""

    uid: str = ""
    trouble: str = ""
    """Why nothing can be reckoned; empty if it can."""
    look: Look | None = None
    """The last one; None until one has been seen."""
    outlook: hpa.Outcome | None = None
    """What the next look brings if nothing changes before."""
    ahead: bool = False
    """Whether the next look will read or want something else than the status says."""
    next_look: float | None = None
    """Estimated from the looks seen; None while none has been."""
    next_sample: float | None = None
    period: float = hpa.SYNC_PERIOD
    watched_since: float = 0.0
    """From when on recommendations and rescales have been seen; earlier ones are unknown."""
    memory: hpa.Memory = hpa.NOTHING_REMEMBERED
    inputs: hpa.Inputs | None = None
    """What the outlook was reckoned from."""
    settings: hpa.Settings = hpa.DEFAULT_SETTINGS
    """The controller's, and how fast its time runs."""
    agreement: Agreement = msgspec.field(default_factory=Agreement)
    version: int = 0
    """Grows whenever anything here but the clock may read differently."""

    def fronts(self, now: float) -> tuple[tuple[str, hpa.Outcome], ...]:
        """What to tell, the most telling first: ``why`` the size is so, ``next`` what comes.

        A decision stays in front for half a period, as people need time to read it.
        """
        look, outlook = self.look, self.outlook
        if outlook is None:
            return ()
        if look is not None and look.scaled and now - look.at < self.period / 2:
            return (("why", look.outcome), ("next", outlook))
        if self.ahead:
            past = (("why", look.outcome),) if look is not None else ()
            return (("next", outlook), *past)
        return (("why", outlook),)


class Explainer:
    """Feed it every delta, in order; it returns the explanation of the HPA in view."""

    def __init__(self, settings: hpa.Settings = hpa.DEFAULT_SETTINGS) -> None:
        self._settings = settings
        self._worlds = Worlds()
        self._samples = SampleRhythm()
        self._trackers: dict[str, Tracker] = {}
        self._waiting: dict[str, None] = {}
        """Trackers with something to reckon, the longest waiting first."""
        self._shown = Explanation()
        self._shown_for: object = None
        self._shown_of: Focus | None = None
        self._simulated = False

    def feed(
        self, delta: Delta, focus: Focus, now: float, *, simulated: bool = False
    ) -> Explanation:
        """Take in one tick.

        Args:
            delta: the tick.
            focus: what is in view.
            now: seconds since the epoch.
            simulated: whether short periods mean that all of the controller's time runs faster.
        """
        self._simulated = simulated
        world = self._worlds.next(delta, now)
        if world.fresh_samples:
            self._samples.feed((u.time for u in delta.pod_usage.values()), now)
        self._follow(delta, world, now)
        uid = focus.hpa.uid if focus.hpa is not None else ""
        first = [uid] if uid in self._waiting else []
        pods = 0
        for each in [*first, *[w for w in self._waiting if w != uid][:_AT_ONCE]]:
            if pods >= _PODS_AT_ONCE:
                break
            tracker = self._trackers[each]
            self._settle(tracker, world, now)
            self._waiting.pop(each, None)
            if each != uid and tracker.since is not None:
                pods += tracker.row.current or 0
        return self._explain(focus, world, now)

    def looks(self, uid: str) -> Agreement:
        """How often we agreed with the controller over one HPA."""
        tracker = self._trackers.get(uid)
        return tracker.ledger.agreement if tracker is not None else Agreement()

    # Which looks there were.

    def _follow(self, delta: Delta, world: World, now: float) -> None:
        for change in delta.changes:
            if change.kind is not Kind.HPAS:
                continue
            before, after = cast(HpaRow | None, change.before), cast(HpaRow | None, change.after)
            if after is None:
                self._forget(cast(HpaRow, before).uid)
                continue
            tracker = self._trackers.get(after.uid)
            if tracker is None:
                self._trackers[after.uid] = Tracker(after)
                self._waiting[after.uid] = None
                continue
            if before is not None and _wrote(before, after):
                tracker.rhythm.seen(change.at)
                tracker.due = None
                found = self._worlds.before(after, change.at) or world
                tracker.asked.append(Asked(change.at, before, after, found))
                self._waiting[after.uid] = None
            tracker.row = after
        for uid, tracker in self._trackers.items():
            if tracker.due is not None:
                if now - tracker.due[0] > tracker.grace:
                    at, found = tracker.due
                    tracker.due = None
                    tracker.asked.append(Asked(at, tracker.row, None, found))
                    self._waiting[uid] = None
            elif tracker.since is not None and not tracker.asked:
                last = tracker.look.at if tracker.look is not None else tracker.since
                due = tracker.rhythm.next(last + tracker.grace)
                if due is None:
                    self._assume(tracker, world, now)
                elif due <= now:
                    tracker.due = (due if now - due < tracker.rhythm.period else now, world)
            if tracker.since is None or (tracker.open is not None and world.fresh_samples):
                self._waiting[uid] = None

    def _assume(self, tracker: Tracker, world: World, now: float) -> None:
        """An HPA whose status does not change is looked at all the same, if nobody knows when."""
        if now - max(tracker.assumed, tracker.since or now) >= tracker.rhythm.period:
            tracker.assumed = now
            tracker.asked.append(Asked(now, tracker.row, None, world, sure=False))
            self._waiting[tracker.row.uid] = None

    def _forget(self, uid: str) -> None:
        self._trackers.pop(uid, None)
        self._waiting.pop(uid, None)

    # What they came to.

    def _settle(self, tracker: Tracker, world: World, now: float) -> None:
        if tracker.since is None:
            if world.trouble(tracker.row):
                tracker.asked.clear()
                return
            self._meet(tracker, world, now)
        if tracker.open is not None:
            self._again(tracker, world, now)
        while tracker.asked:
            self._reckon(tracker, tracker.asked.popleft(), world)

    def _meet(self, tracker: Tracker, world: World, now: float) -> None:
        """The first reckoning: what it must remember already."""
        row = tracker.asked[0].row if tracker.asked else tracker.row
        tracker.since = now
        spec = world.spec(row)
        inputs, settings = world.sight(row).inputs(world.polls[0]), self._set(tracker)
        nothing = hpa.decide(spec, inputs, hpa.NOTHING_REMEMBERED, now, settings)
        memory = why_memory.first(nothing, inputs.status, now, row.created)
        tracker.memory = why_memory.with_rescales(memory, spec, world.rescales(row), settings)
        if row.last_scale is not None and now - row.last_scale < hpa.SYNC_PERIOD * 4:
            # The moment of a rescale is that of a look; it is written in whole seconds.
            tracker.rhythm.seen(row.last_scale + 0.5)

    def _reckon(self, tracker: Tracker, asked: Asked, world: World) -> None:
        memory, case = tracker.memory, asked.case
        polls = (asked.world.polls[0], *world.polls)
        look, remembered = self._look(case, memory, polls, self._set(tracker))
        if not asked.sure:
            # It may have come before what we see now: what it wrote has to confirm it.
            if look.same_samples and look.difference is None:
                tracker.memory = remembered
            return
        tracker.ledger.count(look.difference)
        tracker.look = look
        tracker.memory = self._remember(case, look, remembered, tracker.since or case.at)
        settled = look.same_samples and look.difference is None
        tried = frozenset(poll.number for poll in polls)
        tracker.open = None if settled else Open(case, memory, tried)

    def _again(self, tracker: Tracker, world: World, now: float) -> None:
        """Judge the last look by samples that have come since."""
        case, memory, tried = cast(Open, tracker.open)
        before = tracker.look
        if before is None or before.at != case.at or now - case.at > _LATE:
            tracker.open = None
            return
        fresh = [poll for poll in world.polls if poll.number not in tried]
        if not fresh:
            return
        tracker.open = Open(case, memory, tried.union(poll.number for poll in fresh))
        look, remembered = self._look(case, memory, fresh, self._set(tracker), before.outcome)
        if not look.same_samples or (before.same_samples and look.difference is not None):
            return
        tracker.open = None
        tracker.ledger.again(before.difference, look.difference)
        tracker.look = look
        tracker.memory = self._remember(case, look, remembered, tracker.since or case.at)

    def _set(self, tracker: Tracker) -> hpa.Settings:
        """What the controller is set to, with its pace as far as it shows in its looks."""
        pace = hpa.SYNC_PERIOD / tracker.rhythm.period
        if not self._simulated or pace < _FASTER:
            return self._settings
        return msgspec.structs.replace(self._settings, pace=pace)

    def _look(
        self,
        case: Case,
        memory: hpa.Memory,
        polls: Iterable[Poll],
        settings: hpa.Settings,
        best: hpa.Outcome | None = None,
    ) -> tuple[Look, hpa.Memory]:
        """Reckon with the polls in turn until one gives the figures written.

        ``best``: what came of the polls tried before.
        """
        at, status, wrote = case.at, case.status, case.wrote
        replicas = wrote.current if wrote is not None else None
        scaled = wrote is not None and wrote.last_scale != case.row.last_scale

        def fit(outcome: hpa.Outcome) -> tuple[bool, bool]:
            """Whether the figures are those written, and the size as well."""
            same = same_figures(outcome.decision, status)
            return same, same and difference(outcome, status, at) is None

        fits = fit(best) if best is not None else (False, False)
        for poll in dict.fromkeys(polls):
            if all(fits):
                break
            inputs = case.sight.inputs(poll, replicas)
            outcome = hpa.reconcile(case.sight.spec, inputs, memory, at, settings)
            # Samples of two polls may read alike and yet be of other pods.
            if best is None or fit(outcome) > fits:
                best, fits = outcome, fit(outcome)
        assert best is not None  # a world has a poll, if an empty one
        found = difference(best, status, at)
        size, seen = status.desired_replicas, wrote is not None
        return Look(at, best, seen, size, scaled, fits[0], found), best.decision.memory

    def _remember(self, case: Case, look: Look, memory: hpa.Memory, since: float) -> hpa.Memory:
        said = case.wrote or case.row
        decision = look.outcome.decision
        if look.scaled and said.current is not None and said.desired:
            behavior = decision.spec.behavior
            memory = remember_rescale(
                behavior, decision.settings, said.current, said.desired, memory, case.at
            )
        if why_memory.made_none(case.status):
            memory = why_memory.without(memory, decision.at)
        elif look.same_samples or look.scaled:
            memory = why_memory.corrected(memory, decision, case.status, since, look.same_samples)
        return memory

    # What is shown.

    def _explain(self, focus: Focus, world: World, now: float) -> Explanation:
        row = focus.hpa
        if row is None:
            self._shown, self._shown_for = Explanation(), None
            return self._shown
        tracker = self._trackers.get(row.uid)
        trouble = world.trouble(row)
        if tracker is None or tracker.since is None or trouble:
            shown_for: object = (row.uid, trouble)
            if shown_for != self._shown_for:
                version = self._shown.version + 1
                self._shown_for = shown_for
                self._shown = Explanation(row.uid, trouble or "reading…", version=version)
            return self._shown
        shown_for = (tracker.look, tracker.ledger.looks, world.figures, int(now / _SIGHT))
        if focus is self._shown_of and shown_for == self._shown_for:
            return self._shown
        self._shown_of, self._shown_for = focus, shown_for
        after = max(now, tracker.look.at + tracker.grace if tracker.look is not None else now)
        due = tracker.due[0] if tracker.due is not None else tracker.rhythm.next(after)
        sight, settings = world.sight(row), self._set(tracker)
        inputs = sight.inputs(world.polls[0])
        outlook = hpa.reconcile(sight.spec, inputs, tracker.memory, max(now, due or now), settings)
        look = tracker.look
        self._shown = Explanation(
            uid=row.uid,
            look=look,
            outlook=outlook,
            ahead=_news(outlook, inputs.status),
            next_look=due,
            next_sample=self._samples.next(now),
            period=tracker.rhythm.period,
            watched_since=tracker.since,
            memory=tracker.memory,
            inputs=inputs,
            settings=settings,
            agreement=tracker.ledger.agreement,
            version=self._shown.version + 1,
        )
        return self._shown


def _wrote(before: HpaRow, after: HpaRow) -> bool:
    """Whether the controller wrote: a change of the status, not of the spec."""
    if (before.current, before.desired, before.last_scale, before.conditions) != (
        after.current,
        after.desired,
        after.last_scale,
        after.conditions,
    ):
        return True
    return [(m.current, m.current_average) for m in before.metrics] != [
        (m.current, m.current_average) for m in after.metrics
    ] and len(before.metrics) == len(after.metrics)


def _news(outlook: hpa.Outcome, status: hpa.Status) -> bool:
    if outlook.status.desired_replicas != status.desired_replicas:
        return True
    return figures(outlook.status.current_metrics) != figures(status.current_metrics)
