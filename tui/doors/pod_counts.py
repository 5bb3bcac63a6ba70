"""Requests per pod of one burst: what each pod is due, and what their access logs tell."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from tui.cluster.access_log import AccessLogs
from tui.doors.kin import Kin
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
        kin: tells who else could have, where others do: behind a proxy, mostly.
    """

    def __init__(self, logs: AccessLogs | None, pods: Callable[[], list[PodRow]], kin: Kin) -> None:
        self._logs = logs
        self._pods = pods
        self._kin = kin
        self._due = Due()
        self._others: Due | None = None
        """What others are due, once answers named some."""
        self._unknown = False
        """Whether they named one of whom nothing is known."""
        self._ready: list[PodRow] = []
        self._counts: dict[str, int] = {}
        self._whole: dict[str, int] = {}
        """The counts when the logs of all pods had last been read."""

    def needs_logs(self, responses: int, told: bool) -> bool:
        """Whether only the logs can tell who answered.

        Args:
            responses: so far.
            told: whether one of them named its pod.
        """
        return self._logs is not None and not told and responses >= LEAST

    def look(self, responses: int, told: Mapping[str, int]) -> int | None:
        """Note who is ready now, and so what each pod is due.

        Args:
            responses: so far.
            told: how many of them each pod gave, as far as they name it.

        Returns:
            How many are ready; None if that is not known.
        """
        self._ready = self._pods()
        self._due.look(responses, [pod.name for pod in self._ready])
        if self._others is None and not all(pod in self._due for pod in told):
            self._others = Due()
        if self._others is None:
            return len(self._ready) or None
        ready = self._kin.ready(told)
        self._unknown = ready is None
        self._others.look(sum(told.values()), ready or ())
        return len(ready or ()) or None

    @property
    def chances(self) -> dict[str, float] | None:
        """Pod → its part of all requests if each chose at random among the pods ready then; None
        if it is not known who was.
        """
        if self._others is None:
            return self._due.chances
        return None if self._unknown else self._others.chances

    def read(self, halted: Callable[[], bool]) -> dict[str, int]:
        """Read the logs of the pods last looked at: requests of each pod so far; empty if none.

        Where one cannot be read, they are those of before: what the others got since would look
        as if it had got nothing.

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
            if self._logs.problem:
                break
        else:
            self._whole = dict(self._counts)
        return dict(self._whole) if any(self._whole.values()) else {}

    def stop(self) -> None:
        """End a read that waits."""
        if self._logs is not None:
            self._logs.stop()
