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
"""Seconds for which a read under way is waited for."""


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
        self._thread = threading.Thread(target=self._run, name="burst-pods", daemon=True)
        self._thread.start()

    def finish(self, result: Result) -> Result:
        """The result of the burst, which is over, with each pod's part of it."""
        from tui.doors.pod_counts import LAST_LINES

        self._halted.set()
        self._thread.join(_AT_MOST)
        pods = result.pods
        self._counts.look(result.responses, pods)
        if self._counts.needs_logs(result.responses, bool(pods)):
            time.sleep(LAST_LINES)
            pods = self._counts.read(lambda: False)
        self._counts.stop()
        return msgspec.structs.replace(result, pods=pods, chances=self._counts.chances)

    def _run(self) -> None:
        from tui.doors.pod_counts import AFTER, EVERY

        wait = AFTER
        while not self._burst.wait(wait) and not self._halted.is_set():
            wait = EVERY
            now = self._burst.snapshot
            self._counts.look(now.responses, now.pods)
            if self._counts.needs_logs(now.responses, bool(now.pods)):
                self._counts.read(self._halted.is_set)
