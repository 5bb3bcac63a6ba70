"""Who answered a burst at a Service: what the answers say, or else the pods' access logs."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final

import msgspec

from tui.load.burst import Burst
from tui.load.result import Result

if TYPE_CHECKING:
    from tui.doors.pod_counts import PodCounts

_AT_MOST: Final = 15.0
"""Seconds for which the logs are waited for."""
_LOOK: Final = 0.1


class Counter:
    """Counts in a thread of its own while the burst runs.

    Args:
        burst: one that has been started.
        counts: of the Service's pods.
    """

    def __init__(self, burst: Burst, counts: PodCounts) -> None:
        self._burst = burst
        self._counts = counts
        self._halted = threading.Event()
        self._read: dict[str, int] = {}
        """What the logs told when they were last read."""
        self._thread = threading.Thread(target=self._run, name="burst-pods", daemon=True)
        self._thread.start()

    def finish(self, result: Result, enough: threading.Event) -> Result:
        """The result of the burst, which is over, with each pod's part of it.

        Args:
            result: of the burst.
            enough: nobody waits for the logs any more.
        """
        self._halted.set()
        reading = threading.Thread(target=self._last, args=(result, enough), daemon=True)
        reading.start()
        deadline = time.monotonic() + _AT_MOST
        while reading.is_alive() and not enough.is_set() and time.monotonic() < deadline:
            reading.join(_LOOK)
        self._counts.stop()  # which ends a read that waits
        reading.join(_LOOK)
        pods = result.pods or self._read
        return msgspec.structs.replace(result, pods=pods, chances=self._counts.chances)

    def _last(self, result: Result, enough: threading.Event) -> None:
        from tui.doors.pod_counts import LAST_LINES

        self._thread.join()
        self._counts.look(result.responses, result.pods)
        if self._counts.needs_logs(result.responses, bool(result.pods)):
            enough.wait(LAST_LINES)
            self._read = self._counts.read(enough.is_set)

    def _run(self) -> None:
        from tui.doors.pod_counts import AFTER, EVERY

        wait = AFTER
        while not self._burst.wait(wait) and not self._halted.is_set():
            wait = EVERY
            now = self._burst.snapshot
            self._counts.look(now.responses, now.pods)
            if self._counts.needs_logs(now.responses, bool(now.pods)):
                self._read = self._counts.read(self._halted.is_set)
