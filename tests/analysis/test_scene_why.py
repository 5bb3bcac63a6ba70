"""A scene carries the explanation, the forecast and the lags of the HPA in view."""

from __future__ import annotations

from tests.analysis.replay import Replay
from tui.analysis.forecast import Forecast, Prospect
from tui.analysis.scene import Director, Scene
from tui.state.links import Health, Link
from tui.state.place import Place


def scenes(seconds: float) -> tuple[Replay, list[Scene]]:
    """The recorded run as the director shows it."""
    replay = Replay()
    director = Director(replay.store, Place("recorded"))
    replay.begin()
    found = []
    at, end = 0, replay.now + seconds
    while replay.now < end:
        target = replay.now + 0.25
        while at < len(replay.happenings) and replay.happenings[at][0] <= target:
            time, kind, line = replay.happenings[at]
            replay.now = max(replay.now, time)
            replay.happen(kind, line)
            at += 1
        replay.now = target
        found.append(director.next(Link(Health.LIVE, replay.now)))
    return replay, found


def test_the_scale_up_is_explained_foreseen_and_timed() -> None:
    replay, found = scenes(80)
    last = found[-1]
    assert last.focus.hpa is not None
    assert last.why.uid == last.focus.hpa.uid
    assert last.why.agreement.share == 1.0
    foreseen = next(s for s in found if s.forecast.changes)
    assert foreseen.forecast.changes[0][1] == 4
    assert foreseen.why.look is not None
    assert foreseen.why.look.size == 2
    assert [(s.before, s.after) for s in last.scale_ups] == [(2, 4), (4, 8), (8, 10)]
    assert "decision → Ready" in {lag.name for lag in last.lags}
    assert replay.store.needs is None


def test_what_does_not_change_is_the_same_object() -> None:
    _, found = scenes(20)
    one, other = found[-2:]
    assert one.forecast is other.forecast
    assert one.scale_ups is other.scale_ups
    assert one.lags is other.lags


def test_the_forecast_is_made_anew_only_now_and_then() -> None:
    _, found = scenes(60)
    made = {id(s.forecast) for s in found if s.forecast.looks}
    # Every 5 s, and with each look and sample: 240 ticks, some 25 forecasts.
    assert len(made) < 40


def test_nobody_pays_for_a_forecast_that_is_not_looked_at() -> None:
    made: list[Forecast] = []

    def make() -> Forecast:
        made.append(Forecast(start=3))
        return made[-1]

    prospect = Prospect(make)
    assert not made
    assert prospect.forecast is prospect.forecast
    assert len(made) == 1
