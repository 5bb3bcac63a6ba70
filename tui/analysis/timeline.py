"""The causal timeline: what happened, and how many seconds after its cause.

Built from the changes of each delta alone. What was there when the dashboard came is told by the
cluster's own events; from then on by what was seen to change.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable
from enum import StrEnum
from typing import Final, NamedTuple, cast

from tui.analysis.focus import SCALABLE, Focus, cpu_target, utilization
from tui.analysis.words import leading_metric, metric_title, to_the_point, verdict
from tui.state.rows import EventRow, HpaRow, Kind, MetricRow, NodeRow, PodRow, WorkloadRow
from tui.state.store import Delta
from tui.state.table import Change

CAPACITY: Final = 500
_GROUPING: Final = 2.0
"""Seconds within which like things of one owner are one line: *4 pods Ready*."""
_HANDOVER: Final = 3.0
"""Seconds given to an HPA to own up to a new size before it counts as set by somebody else."""
_CAUSE: Final = 120.0
"""Seconds after which a decision is no longer taken for the cause of a pod."""
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
_GENERATED: Final = re.compile(r"-[a-z0-9]{6,10}-[a-z0-9]{5}$")
_NEW_SIZE: Final = re.compile(r"New size: (\d+); reason: (.*)")


class Mood(StrEnum):
    """What sort of thing happened; the screen gives each a colour and a sign."""

    MEASURED = "measured"
    DECIDED = "decided"
    GOOD = "good"
    BAD = "bad"
    QUIET = "quiet"


class Entry(NamedTuple):
    """One line. ``after`` is seconds since ``cause`` where the cause is known."""

    time: float
    mood: Mood
    text: str
    about: str = ""
    """The object's name, for filters."""
    after: float | None = None
    cause: str = ""
    """``decision`` or ``cpu over target``."""
    mark: bool = False
    """Whether a chart marks it."""


class _Group(NamedTuple):
    names: tuple[str, ...]
    entry: Entry


class Timeline:
    """Feed it every delta, in order; read :attr:`entries`, newest first."""

    def __init__(self) -> None:
        self.generation = 0
        self._entries: deque[Entry] = deque(maxlen=CAPACITY)
        self._begun: float | None = None
        self._groups: dict[tuple[str, str], _Group] = {}
        self._decisions: dict[str, float] = {}
        """When an HPA last decided, by the workload it scales: ``Kind/namespace/name``."""
        self._unexplained: dict[str, tuple[float, WorkloadRow, int]] = {}
        self._over: set[str] = set()
        """HPAs, by uid, whose target's CPU is over the tolerance."""
        self._crossed: dict[str, float] = {}
        """When it went over, until a decision answers it."""
        self._last_sample: float = 0.0
        self._counts: dict[str, int] = {}

    @property
    def entries(self) -> list[Entry]:
        """Newest first; among those of one second, the latest seen first."""
        return sorted(self._entries, key=lambda e: int(e.time))[::-1]

    def feed(self, delta: Delta, focus: Focus, now: float) -> None:
        """Take in one tick. ``now``: seconds since the epoch."""
        if self._begun is None:
            self._begun = now
        self._sample(delta, focus)
        for change in delta.changes:
            match change.kind:
                case Kind.HPAS:
                    self._hpa(change)
                case Kind.PODS:
                    self._pod(change, delta)
                case Kind.EVENTS:
                    self._event(change, delta)
                case Kind.NODES:
                    self._node(change)
                case Kind.DEPLOYMENTS | Kind.STATEFULSETS:
                    self._workload(change, delta)
                case _:
                    pass
        if self._unexplained:
            self._settle(delta, now)

    # What the metrics say.

    def _sample(self, delta: Delta, focus: Focus) -> None:
        metric = cpu_target(focus.hpa)
        if focus.hpa is None or metric is None or not delta.pod_usage:
            return
        measured = utilization(focus.pods, delta.pod_usage)
        if measured is None or measured.percent is None or measured.time <= self._last_sample:
            return
        self._last_sample = measured.time
        uid = focus.hpa.uid
        over = measured.percent > metric.target * 1.1
        if over and uid not in self._over:
            self._over.add(uid)
            self._crossed[uid] = measured.time
            self._add(
                Entry(
                    measured.time,
                    Mood.BAD,
                    f"cpu {measured.percent} % over target {metric.target} %",
                    focus.hpa.name,
                    mark=True,
                )
            )
        elif not over and uid in self._over:
            self._over.discard(uid)
            self._crossed.pop(uid, None)
            self._add(
                Entry(
                    measured.time,
                    Mood.MEASURED,
                    f"cpu {measured.percent} % no longer over target {metric.target} %",
                    focus.hpa.name,
                )
            )

    # What the HPA decides.

    def _hpa(self, change: Change) -> None:
        before, after = cast(HpaRow | None, change.before), cast(HpaRow | None, change.after)
        if before is None or after is None:
            if self._settled(change.at):
                row = cast(HpaRow, after or before)
                done = "created" if after else "deleted"
                self._add(Entry(change.at, Mood.QUIET, f"HPA {row.name} {done}", row.name))
            return
        if after.desired and before.desired and after.desired != before.desired:
            self._decision(before, after, change.at)
        if (after.min, after.max) != (before.min, before.max):
            text = f"HPA {after.name}: min {after.min}, max {after.max}"
            self._add(Entry(change.at, Mood.QUIET, text, after.name, mark=True))
        for condition in after.conditions:
            was = before.condition(condition.type)
            if was is None or (was.status, was.reason) == (condition.status, condition.reason):
                continue
            said = verdict(condition)
            if said.mood == "bad":
                text = f"{after.name}: {to_the_point(condition.message) or said.text}"
                self._add(Entry(change.at, Mood.BAD, text, after.name))
            elif was.status == "False" and condition.type != "ScalingLimited":
                self._add(Entry(change.at, Mood.GOOD, f"{after.name}: {said.text}", after.name))

    def _decision(self, before: HpaRow, after: HpaRow, at: float) -> None:
        parts = [f"{before.desired} ▶ {after.desired}"]
        metric = leading_metric(after)
        if metric is not None and metric.current is not None:
            parts.append(_figure(metric))
        limited = after.condition("ScalingLimited")
        if limited is not None and limited.status == "True":
            parts.append(verdict(limited).text)
        self._decisions[_scaled(after)] = at
        # Only the first decision answers the crossing; those after it answer what came of that.
        since = self._crossed.pop(after.uid, None)
        up = (after.desired or 0) > (before.desired or 0)
        self._add(
            Entry(
                at,
                Mood.DECIDED,
                "  ".join(parts),
                after.name,
                after=at - since if up and since is not None and 0 <= at - since < _CAUSE else None,
                cause="cpu over target",
                mark=True,
            )
        )

    # What becomes of pods.

    def _pod(self, change: Change, delta: Delta) -> None:
        before, after = cast(PodRow | None, change.before), cast(PodRow | None, change.after)
        if after is None or not self._settled(change.at):
            return
        if before is None:
            self._together("created", Mood.QUIET, after, after.created, delta)
        if after.ready and not (before is not None and before.ready):
            self._together("Ready", Mood.GOOD, after, after.ready_since or change.at, delta)
        elif before is not None and before.ready and after.ready is False and not _leaving(after):
            self._together("no longer Ready", Mood.BAD, after, change.at, delta)
        if after.deleting is not None and (before is None or before.deleting is None):
            self._together("terminating", Mood.QUIET, after, change.at, delta)
        was = before.status if before is not None else ""
        if after.status != was and after.status in _TROUBLE and not _leaving(after):
            why = f": {after.message}" if after.message else ""
            text = f"{short_name(after.name)} {after.status}{why}"
            self._add(Entry(change.at, Mood.BAD, text, after.name))
        elif before is not None and after.restarts > before.restarts:
            text = f"{short_name(after.name)} restarted, {after.restarts} so far"
            self._add(Entry(change.at, Mood.BAD, text, after.name))

    def _together(self, what: str, mood: Mood, pod: PodRow, time: float, delta: Delta) -> None:
        """One line for like things that happen to pods of one owner at nearly one time."""
        owner = pod.owner.uid if pod.owner is not None else pod.uid
        group = self._groups.get((owner, what))
        names: tuple[str, ...] = (pod.name,)
        if group is not None and abs(time - group.entry.time) <= _GROUPING:
            names = (*group.names, pod.name) if pod.name not in group.names else group.names
            self._remove(group.entry)
            time = max(time, group.entry.time)
        decided = self._decisions.get(_root(pod, delta))
        after = time - int(decided) if decided is not None and what != "no longer Ready" else None
        text = f"{short_name(names[0])} {what}" if len(names) == 1 else f"{len(names)} pods {what}"
        entry = Entry(
            time,
            mood,
            text,
            pod.name,
            after=after if after is not None and 0 <= after < _CAUSE else None,
            cause="decision",
        )
        self._groups[owner, what] = _Group(names, entry)
        if len(self._groups) > CAPACITY:
            self._groups.pop(next(iter(self._groups)))
        self._add(entry)

    # What the cluster says of itself.

    def _event(self, change: Change, delta: Delta) -> None:
        event = cast(EventRow | None, change.after)
        if event is None:
            self._counts.pop(cast(EventRow, change.before).uid, None)
            return
        seen = self._counts.get(event.uid)
        self._counts[event.uid] = event.count
        past = self._begun is not None and event.last_seen < self._begun - 1
        if not past and _told_by_conditions(event, delta):
            return
        if event.type == "Warning" and (seen is None or event.count > seen):
            times = f" (×{event.count})" if event.count > 1 else ""
            what = f"{short_name(event.about_name)} {event.reason}{times}"
            text = f"{what}: {to_the_point(event.message)}"
            if seen is not None:
                self._entries = deque(
                    (e for e in self._entries if e.about != event.uid), maxlen=CAPACITY
                )
            self._add(Entry(event.last_seen or change.at, Mood.BAD, text, event.uid))
        elif event.reason == "SuccessfulRescale" and past and seen is None:
            match = _NEW_SIZE.match(event.message)
            text = f"▶ {match[1]}  {match[2]}" if match else event.message
            self._add(Entry(event.last_seen, Mood.DECIDED, text, event.about_name))

    def _node(self, change: Change) -> None:
        before, after = cast(NodeRow | None, change.before), cast(NodeRow | None, change.after)
        if not self._settled(change.at):
            return
        if before is None or after is None:
            row = cast(NodeRow, after or before)
            text = f"node {row.name} {'joined' if after else 'left'}"
            self._add(Entry(change.at, Mood.QUIET if after else Mood.BAD, text, row.name))
        elif before.ready != after.ready:
            good = after.ready == "True"
            text = f"node {after.name} {'Ready' if good else 'not Ready'}"
            self._add(Entry(change.at, Mood.GOOD if good else Mood.BAD, text, after.name))

    # Sizes that no HPA chose.

    def _workload(self, change: Change, delta: Delta) -> None:
        before = cast(WorkloadRow | None, change.before)
        after = cast(WorkloadRow | None, change.after)
        if before is None or after is None:
            if self._settled(change.at):
                row = cast(WorkloadRow, after or before)
                text = f"{row.kind} {row.name} {'created' if after else 'deleted'}"
                self._add(Entry(change.at, Mood.QUIET, text, row.name))
            return
        if after.revision != before.revision and before.revision:
            text = f"rollout of {after.name}, revision {after.revision}"
            self._add(Entry(change.at, Mood.QUIET, text, after.name, mark=True))
        if after.replicas != before.replicas:
            self._unexplained[after.uid] = (change.at, after, before.replicas)

    def _settle(self, delta: Delta, now: float) -> None:
        """Tell sizes set by hand from those an HPA writes just before it says so."""
        for uid, (at, row, was) in list(self._unexplained.items()):
            key = f"{row.kind}/{row.namespace}/{row.name}"
            hpa = next((h for h in delta.hpas.rows.values() if _scaled(h) == key), None)
            if hpa is not None and hpa.desired == row.replicas:
                del self._unexplained[uid]
            elif hpa is None or now - at > _HANDOVER:
                del self._unexplained[uid]
                by = "" if hpa is None else ", not by the HPA"
                text = f"{row.name} set {was} → {row.replicas}{by}"
                self._add(Entry(at, Mood.DECIDED, text, row.name, mark=True))

    def _settled(self, at: float) -> bool:
        """Whether a new object is news: the first lists are not."""
        return self._begun is not None and at - self._begun > _HANDOVER

    def _add(self, entry: Entry) -> None:
        self._entries.append(entry)
        self.generation += 1

    def _remove(self, entry: Entry) -> None:
        try:
            self._entries.remove(entry)
        except ValueError:
            return


def marks(entries: Iterable[Entry], since: float) -> list[Entry]:
    """What a chart marks from ``since`` on."""
    return [e for e in entries if e.mark and e.time >= since]


def short_name(name: str) -> str:
    """A ReplicaSet's pod by the part that tells it from its siblings: ``…vqnl8``."""
    return f"…{name[-5:]}" if _GENERATED.search(name) else name


def _figure(metric: MetricRow) -> str:
    title = metric_title(metric)
    current, target = metric.current or 0, metric.target
    side = "over" if current > target else "under" if current < target else "at"
    if metric.target_type == "Utilization":
        return f"{title} {current} % {side} {target} %"
    return f"{title} {current / 1000:g} {side} {target / 1000:g}"


def _scaled(hpa: HpaRow) -> str:
    return f"{hpa.target_kind}/{hpa.namespace}/{hpa.target_name}"


def _root(pod: PodRow, delta: Delta) -> str:
    """The workload of a pod as an HPA would name it: ``Kind/namespace/name``."""
    owner = pod.owner
    if owner is None:
        return ""
    kind = SCALABLE.get(owner.kind)
    row = delta.workloads(kind).rows.get(owner.uid) if kind is not None else None
    top = row.owner if row is not None and row.owner is not None else owner
    return f"{top.kind}/{pod.namespace}/{top.name}"


def _told_by_conditions(event: EventRow, delta: Delta) -> bool:
    """Whether an HPA's own conditions say what the event repeats at every sync."""
    if event.about_kind != "HorizontalPodAutoscaler" or event.type != "Warning":
        return False
    return any(
        hpa.uid == event.about_uid and any(verdict(c).mood == "bad" for c in hpa.conditions)
        for hpa in delta.hpas.rows.values()
    )


def _leaving(pod: PodRow) -> bool:
    return pod.deleting is not None or pod.terminal
