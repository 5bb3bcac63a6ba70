"""One tick of the screen: everything a pane may show, made once and shared by all of them."""

from __future__ import annotations

from functools import partial
from typing import Final

import msgspec

from tui.analysis.doctor.doctor import Doctor
from tui.analysis.doctor.finding import Finding
from tui.analysis.focus import Focus, Target, ordered, resolve, touches
from tui.analysis.forecast import NO_PROSPECT, READY, Delays, Forecast, Prospect, forecast
from tui.analysis.lag import Lag, Lags, ScaleUp
from tui.analysis.load_signs import LoadWatch
from tui.analysis.timeline import Entry, Timeline
from tui.analysis.trend import Trend, trend
from tui.analysis.why import Explainer, Explanation
from tui.analysis.why_needs import needs_of
from tui.state.delta import Delta
from tui.state.links import Link
from tui.state.place import Place
from tui.state.store import Store

SIMULATED: Final = "kscale://"
"""What the providerID of an embedded cluster's nodes begins with."""

_AHEAD: Final = 5.0
"""Seconds after which the forecast is made anew though nothing has changed."""
_MANY: Final = 200
"""Pods from which on it is made more seldom."""


class Scene(msgspec.Struct, frozen=True):
    """What one tick shows. Nothing in it changes afterwards; tests make their own."""

    now: float = 0.0
    delta: Delta = msgspec.field(default_factory=Delta)
    focus: Focus = msgspec.field(default_factory=Focus)
    place: Place = msgspec.field(default_factory=Place)
    connection: Link = msgspec.field(default_factory=Link)
    entries: tuple[Entry, ...] = ()
    """The timeline, newest first."""
    focused: int = 0
    """Grows whenever the focus is found anew."""
    told: int = 0
    """Grows with the timeline."""
    trend: Trend = msgspec.field(default_factory=Trend)
    charted: tuple[int, int] = (0, 0)
    """Differs with every trend."""
    why: Explanation = msgspec.field(default_factory=Explanation)
    """Why the HPA in view is what it is."""
    prospect: Prospect = NO_PROSPECT
    """What it will do if the load stays, for whom it may concern."""
    findings: tuple[Finding, ...] = ()
    """What the doctor found, the worst first."""
    diagnosed: int = 0
    """Grows whenever that differs."""
    scale_ups: tuple[ScaleUp, ...] = ()
    """What led to each scale-up and came of it, oldest first."""
    lags: tuple[Lag, ...] = ()
    """The seconds between their stages, over the session."""

    @property
    def forecast(self) -> Forecast:
        """What the HPA in view will do if the load stays."""
        return self.prospect.forecast


class Director:
    """Turns deltas into scenes. Keeps the choice of HPA and the timeline between them."""

    def __init__(self, store: Store, place: Place, target: Target | None = None) -> None:
        self.place = place
        self._store = store
        self._target = target
        self._chosen: str | None = None
        self._timeline = Timeline()
        self._entries: tuple[Entry, ...] = ()
        self._focused = 0
        self._trend = Trend()
        self._trend_of = self._charted = (0, 0)
        self._explainer = Explainer()
        self._doctor = Doctor()
        self._prospect = NO_PROSPECT
        self._foreseen: object = None
        self._lags = Lags()
        self._load = LoadWatch()
        self._lag_spans: tuple[Lag, ...] = ()
        self._scene = Scene(place=place)
        self._moved = True
        self._simulated = False

    def next(self, connection: Link) -> Scene:
        """Drain the store and make the scene of this tick."""
        delta, now = self._store.drain(), self._store.clock()
        focus = self._scene.focus
        if self._moved or any(touches(change, focus) for change in delta.changes):
            focus = resolve(delta, self._chosen or self._in_view, self._target, focus)
            self._moved = False
            self._focused += 1
        self._timeline.feed(delta, focus, now)
        told = self._timeline.generation
        if told != self._scene.told:
            self._entries = tuple(self._timeline.entries)
        charted = (self._focused, delta.samples)
        if charted != self._trend_of:
            self._trend_of = charted
            found = trend(self._store, focus, now)
            if found != self._trend:
                self._trend, self._charted = found, charted
        self._store.needs = needs_of(focus)
        place = self._where(delta)
        why = self._explainer.feed(delta, focus, now, simulated=place.simulated)
        timed = self._lags.generation
        self._lags.feed(delta, focus, why, now, self._load.feed(delta.load, now))
        if self._lags.generation != timed:
            self._lag_spans = self._lags.spans
        self._foresee(why, delta, now)
        wall, pace = self._store.clock.wall(), why.settings.pace
        diagnosis = self._doctor.look(
            delta, wall, simulated=place.simulated, pace=pace, namespace=place.namespace
        )
        self._store.wanted = diagnosis.wanted
        self._scene = Scene(
            now=now,
            delta=delta,
            focus=focus,
            place=place,
            connection=connection,
            entries=self._entries,
            focused=self._focused,
            told=told,
            trend=self._trend,
            charted=self._charted,
            why=why,
            prospect=self._prospect,
            findings=diagnosis.findings,
            diagnosed=diagnosis.version,
            scale_ups=self._lags.scale_ups,
            lags=self._lag_spans,
        )
        return self._scene

    def _foresee(self, why: Explanation, delta: Delta, now: float) -> None:
        """Have it look ahead anew when something has changed, and now and then: it is dear."""
        if why.inputs is None or why.outlook is None:
            self._prospect, self._foreseen = NO_PROSPECT, None
            return
        spec = why.outlook.decision.spec
        pace = _AHEAD if len(why.inputs.pods) < _MANY else 3 * _AHEAD
        asked = (why.uid, why.look, delta.samples, spec, int(now / pace))
        if asked == self._foreseen:
            return
        self._foreseen = asked
        ready = self._lags.until_ready
        delays = Delays(READY if ready is None else ready, why.period)
        self._prospect = Prospect(
            partial(
                forecast, spec, why.inputs, why.memory, now, why.next_look, delays, why.settings
            )
        )

    def _where(self, delta: Delta) -> Place:
        """The place; its nodes tell an embedded cluster reached by a kubeconfig of its own."""
        if delta.nodes is not self._scene.delta.nodes and any(
            node.provider.startswith(SIMULATED) for node in delta.nodes.rows.values()
        ):
            self._simulated = True
        if self._simulated and not self.place.simulated:
            return msgspec.structs.replace(self.place, simulated=True)
        return self.place

    def step_hpa(self, by: int) -> bool:
        """Look at the next HPA (or the one before, with -1); they come in a circle.

        Returns:
            Whether that is another one.
        """
        uids = [hpa.uid for hpa in ordered(self._scene.delta.hpas.rows.values())]
        if not uids:
            return False
        focus = self._scene.focus
        # Keys may come faster than ticks: step from what was chosen, drawn or not.
        now = self._chosen if self._chosen in uids else focus.hpa.uid if focus.hpa else None
        at = uids.index(now) if now in uids else -1 if by > 0 else 0
        self._chosen = uids[(at + by) % len(uids)]
        self._moved = True
        return self._chosen != now

    @property
    def _in_view(self) -> str | None:
        """The HPA shown, which a new one that sorts before it must not push off the screen."""
        hpa = self._scene.focus.hpa
        return hpa.uid if hpa is not None and self._target is None else None
