"""What bursts add to the timeline: each one's beginning and its end."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from tui.analysis.causes import lag
from tui.analysis.entries import Entry, Journal, Mood
from tui.state.load import BurstRow, LoadRow

CAUSE: Final = "burst began"


class LoadNews:
    """Feed it the bursts of every tick; it writes each one's beginning and end to the journal."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._told: LoadRow | None = None
        self._begun: dict[int, float] = {}
        self._ended: set[int] = set()

    def tell(self, load: LoadRow) -> None:
        """Take in one tick."""
        if load is self._told:
            return
        self._told = load
        for burst in load.bursts:
            if burst.number not in self._begun and _sends(burst):
                self._begun[burst.number] = burst.began
                self._journal.add(_beginning(burst))
            # The figures of the whole burst come with the summary, a moment after its end.
            if burst.number not in self._ended and burst.over and burst.summary:
                self._ended.add(burst.number)
                self._journal.add(_end(burst))

    def after(self, time: float) -> float | None:
        """Seconds from the beginning of the burst that ``time`` may be owed to; None without."""
        begun = [at for at in self._begun.values() if at <= time]
        return lag(max(begun), time) if begun else None


def _sends(burst: BurstRow) -> bool:
    """Whether it does, or did, send anything."""
    return burst.state == "running" or burst.responses + burst.failed > 0


def _beginning(burst: BurstRow) -> Entry:
    how = "as fast as it goes" if burst.asked is None else f"{burst.asked:,.0f}/s asked"
    text = f"burst begins: {_named(burst)}, {how}"
    return Entry(burst.began, Mood.MEASURED, text, burst.target, mark=True)


def _end(burst: BurstRow) -> Entry:
    time = burst.began + burst.elapsed
    if burst.state == "failed":
        text = f"burst failed: {burst.problem} · {_named(burst)}"
        return Entry(time, Mood.BAD, text, burst.target)
    bad = burst.failed + burst.responses - burst.good
    figures: Iterable[str] = (
        f"{burst.mean:,.0f}/s",
        f"p99 {1000 * burst.latency.get(99.0, 0.0):,.0f} ms",
        *([f"{bad:,} failed"] if bad else []),
        _named(burst),
    )
    text = f"burst {'stopped' if burst.state == 'stopped' else 'ends'}: {' · '.join(figures)}"
    return Entry(
        time, Mood.MEASURED, text, burst.target, after=burst.elapsed, cause=CAUSE, mark=True
    )


def _named(burst: BurstRow) -> str:
    return f"{burst.profile} at {burst.target}" if burst.profile else burst.target
