"""Which decision of an HPA led to which pods, and when things happened by one clock.

An HPA writes the new size first and its status afterwards, so pods are often seen before the
decision that made them. A pod is therefore owed to the decision nearest in time: one before it, or
one told of a moment after.
"""

from __future__ import annotations

from typing import Final

HANDOVER: Final = 3.0
"""Seconds by which an HPA's status may come after what it did."""
FADED: Final = 120.0
"""Seconds after which a decision is no longer taken for the cause of anything."""
_LATE: Final = 10.0


def seen(stamp: float | None, at: float) -> float:
    """When something happened, in seconds since the epoch.

    That is when we saw it: a difference between the cluster's clock and ours cannot spoil it. News
    that is late (a list after a lost connection) has happened when the cluster says.

    Args:
        stamp: what the cluster says, in whole seconds; None if it says nothing.
        at: when the news came.
    """
    return stamp if stamp is not None and at - stamp > _LATE else at


def lag(cause: float | None, time: float) -> float | None:
    """Seconds from cause to effect, never below 0; None without a cause, or when it has faded."""
    if cause is None or not -HANDOVER <= time - cause < FADED:
        return None
    return max(0.0, time - cause)


class Causes:
    """The latest decisions, by the workload they size (``Kind/namespace/name``) and direction."""

    def __init__(self) -> None:
        self._decided: dict[tuple[str, bool], float] = {}
        self._left: dict[tuple[str, bool], int] = {}
        """How many pods a decision has yet to answer for."""
        self._owed: dict[str, float] = {}

    def decided(self, workload: str, up: bool, at: float, count: int) -> float | None:
        """Note a decision for so many pods; returns when the one before it was."""
        before = self._decided.get((workload, up))
        self._decided[workload, up] = at
        self._left[workload, up] = count
        return before

    def take(self, pod: str, workload: str, up: bool, time: float) -> float | None:
        """The decision that a pod, by uid, owes its coming or going at that time to.

        None if there is none, if it has faded, or if other pods have used it up: what replaces a
        pod that was lost has another cause.
        """
        at = self._decided.get((workload, up))
        if at is None or lag(at, time) is None or self._left[workload, up] < 1:
            return None
        self._left[workload, up] -= 1
        if up:
            self._owed[pod] = at
        return at

    def made(self, pod: str) -> float | None:
        """The decision a pod came by. Told once: what becomes of it later has other causes."""
        return self._owed.pop(pod, None)

    def forget(self, pod: str) -> None:
        """The pod is gone."""
        self._owed.pop(pod, None)


def nearer(effect: float, decision: float, before: float | None) -> bool:
    """Whether something is owed to a decision told of just now rather than to the one before."""
    if lag(decision, effect) is None:
        return False
    return before is None or abs(decision - effect) < abs(effect - before)
