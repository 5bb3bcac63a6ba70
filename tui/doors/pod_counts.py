"""Requests per pod of one burst: what each pod is due, and what their access logs tell."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from tui.cluster.access_log import AccessLogs
from tui.load.share import Due
from tui.state.rows import PodRow

AFTER: Final = 2.0
"""Seconds after which, if no response has told its pod, the access logs are read."""
EVERY: Final = 3.0
LAST_LINES: Final = 1.0
"""Seconds that lines take to reach the log, at most."""
LEAST: Final = 20
"""Responses without a pod's name from which on none is expected any more."""
DOUBT: Final = 0.5
"""Seconds by which the cluster's time may be other than we think: its Date header tells whole
ones. Rather a line of before the burst is counted than one of its own left out.
"""


class PodCounts:
    """Looks at the pods again and again while a burst runs.

    One thread reads, and whoever looks at the same time holds a lock.

    Args:
        logs: where requests are counted if no response tells its pod; None: nowhere.
        pods: the pods that may answer, as they are now.
    """

    def __init__(self, logs: AccessLogs | None, pods: Callable[[], list[PodRow]]) -> None:
        self._logs = logs
        self._pods = pods
        self._due = Due()
        self._ready: list[PodRow] = []
        self._counts: dict[str, int] = {}

    def needs_logs(self, responses: int, told: bool) -> bool:
        """Whether only the logs can tell who answered.

        Args:
            responses: so far.
            told: whether one of them named its pod.
        """
        return self._logs is not None and not told and responses >= LEAST

    def look(self, responses: int) -> int:
        """Note who is ready now, and so what each pod is due; how many are ready."""
        self._ready = self._pods()
        self._due.look(responses, [pod.name for pod in self._ready])
        return len(self._ready)

    @property
    def chances(self) -> dict[str, float]:
        """Pod → its part of all requests if each chose at random among the pods ready then."""
        return self._due.chances

    def read(self, halted: Callable[[], bool]) -> dict[str, int]:
        """Read the logs of the pods last looked at: requests of each pod so far; empty if none.

        Args:
            halted: whether to leave it at that.
        """
        if self._logs is None:
            return {}
        for pod in self._ready:
            if halted():
                break
            container = pod.containers[0].name if pod.containers else ""
            self._counts[pod.name] = self._logs.read(pod.namespace, pod.name, container)
        return dict(self._counts) if any(self._counts.values()) else {}

    def stop(self) -> None:
        """End a read that waits."""
        if self._logs is not None:
            self._logs.stop()
