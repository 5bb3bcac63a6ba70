"""What setups add to the timeline: everything that was written to the cluster for them."""

from __future__ import annotations

from tui.analysis.entries import Entry, Journal, Mood
from tui.state.setups import SetupsRow


class SetupNews:
    """Feed it the setups of every tick; it writes each new write to the journal."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._written = 0

    def tell(self, setups: SetupsRow) -> None:
        """Take in one tick."""
        new = setups.written - self._written
        if new <= 0:
            return
        self._written = setups.written
        for write in setups.writes[-new:]:
            mood = Mood.MEASURED if write.good else Mood.BAD
            self._journal.add(Entry(write.time, mood, write.text, write.setup))
