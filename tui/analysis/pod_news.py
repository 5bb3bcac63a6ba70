"""What becomes of pods: created, Ready, in trouble, going; and the decision it is owed to."""

from __future__ import annotations

from typing import Final, NamedTuple, cast

from tui.analysis.causes import Causes, lag, nearer, seen
from tui.analysis.entries import CAPACITY, Entry, Journal, Mood, short_name
from tui.analysis.focus import SCALABLE
from tui.state.delta import Delta
from tui.state.rows import PodRow
from tui.state.table import Change

_GROUPING: Final = 2.0
"""Seconds within which like things of one owner are one line: *4 pods Ready*."""
_HASH: Final = "pod-template-hash"
_TROUBLE: Final = frozenset(
    (
        "CrashLoopBackOff",
        "ContainerCannotRun",
        "CreateContainerConfigError",
        "CreateContainerError",
        "DeadlineExceeded",
        "ErrImageNeverPull",
        "ErrImagePull",
        "Error",
        "Evicted",
        "ImagePullBackOff",
        "Init:CrashLoopBackOff",
        "Init:ErrImagePull",
        "Init:Error",
        "Init:ImagePullBackOff",
        "InvalidImageName",
        "OOMKilled",
        "RunContainerError",
        "UnexpectedAdmissionError",
    )
)


class _Group(NamedTuple):
    """Like things that happened to pods of one owner, and the line they share."""

    workload: str
    began: float
    names: dict[str, str]
    """By uid."""
    entry: Entry


class PodNews:
    """Writes what happens to pods into the journal. The first list of pods is not for it."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._causes = Causes()
        self._groups: dict[tuple[str, str], _Group] = {}
        """By the owner's uid and what happened."""

    def claim(self, workload: str, up: bool, at: float, count: int) -> None:
        """Note a decision for ``count`` pods. What was just seen of them gets its cause now."""
        before = self._causes.decided(workload, up, at, count)
        what = "created" if up else "terminating"
        for key, group in self._groups.items():
            if (key[1], group.workload) != (what, workload) or not nearer(group.began, at, before):
                continue
            for uid in group.names:
                self._causes.take(uid, workload, up, at)
            entry = group.entry._replace(after=lag(at, group.entry.time))
            self._journal.replace(group.entry, entry)
            self._groups[key] = group._replace(entry=entry)

    def tell(self, change: Change, delta: Delta) -> None:
        """Take in what changed of one pod."""
        before, after = cast(PodRow | None, change.before), cast(PodRow | None, change.after)
        if after is None:
            gone = cast(PodRow, before)
            self._causes.forget(gone.uid)
            if gone.deleting is None:
                self._together("deleted", Mood.QUIET, gone, change.at, delta)
            return
        if before is None:
            time = seen(after.created, change.at)
            self._together("created", Mood.QUIET, after, time, delta)
        if after.ready and not (before is not None and before.ready):
            time = seen(after.ready_since, change.at)
            self._together("Ready", Mood.GOOD, after, time, delta)
        elif before is not None and before.ready and after.ready is False and not _leaving(after):
            self._together("no longer Ready", Mood.BAD, after, change.at, delta)
        if after.deleting is not None and (before is None or before.deleting is None):
            self._together("terminating", Mood.QUIET, after, change.at, delta)
        was = before.status if before is not None else ""
        if after.status != was and after.status in _TROUBLE and not _leaving(after):
            why = f": {after.message}" if after.message else ""
            self._trouble(after, f"{after.status}{why}", change.at, delta)
        elif before is not None and after.restarts > before.restarts:
            self._trouble(after, f"restarted, {after.restarts} so far", change.at, delta)

    def _trouble(self, pod: PodRow, what: str, at: float, delta: Delta) -> None:
        text = f"{short_name(pod.name)} {what}"
        self._journal.add(Entry(at, Mood.BAD, text, pod.name, of=root(pod, delta)))

    def _together(self, what: str, mood: Mood, pod: PodRow, time: float, delta: Delta) -> None:
        """One line for like things that happen to pods of one owner at nearly one time."""
        owner = pod.owner.uid if pod.owner is not None else pod.uid
        workload = root(pod, delta)
        cause = self._cause(what, pod, workload, time)
        began, names = time, {pod.uid: pod.name}
        group = self._groups.pop((owner, what), None)
        if group is not None and abs(time - group.began) <= _GROUPING:
            self._journal.remove(group.entry)
            began, names = min(time, group.began), {**group.names, **names}
            time = max(time, group.entry.time)
        one = next(iter(names.values()))
        text = f"{short_name(one)} {what}" if len(names) == 1 else f"{len(names)} pods {what}"
        entry = Entry(
            time, mood, text, pod.name, after=lag(cause, time), cause="decision", of=workload
        )
        self._groups[owner, what] = _Group(workload, began, names, entry)
        if len(self._groups) > CAPACITY:
            self._groups.pop(next(iter(self._groups)))
        self._journal.add(entry)

    def _cause(self, what: str, pod: PodRow, workload: str, time: float) -> float | None:
        """The decision that something is owed to."""
        match what:
            case "created":
                return self._causes.take(pod.uid, workload, True, time)
            case "Ready":
                return self._causes.made(pod.uid)
            case "terminating" | "deleted":
                return self._causes.take(pod.uid, workload, False, time)
            case _:
                return None


def root(pod: PodRow, delta: Delta) -> str:
    """The workload of a pod as an HPA would name it: ``Kind/namespace/name``."""
    owner = pod.owner
    if owner is None:
        return ""
    kind = SCALABLE.get(owner.kind)
    row = delta.workloads(kind).rows.get(owner.uid) if kind is not None else None
    if row is not None and row.owner is not None:
        return f"{row.owner.kind}/{pod.namespace}/{row.owner.name}"
    end = "-" + dict(pod.labels).get(_HASH, "")
    if row is None and owner.kind == "ReplicaSet" and end != "-" and owner.name.endswith(end):
        # A new ReplicaSet may be heard of after its first pods.
        return f"Deployment/{pod.namespace}/{owner.name.removesuffix(end)}"
    return f"{owner.kind}/{pod.namespace}/{owner.name}"


def _leaving(pod: PodRow) -> bool:
    return pod.deleting is not None or pod.terminal
