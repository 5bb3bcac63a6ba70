"""The causal timeline: what happened, and how many seconds after its cause.

Built from the changes of each delta alone. What was there when the dashboard came is told by the
cluster's own events; from then on by what was seen to change.
"""

from __future__ import annotations

import re
from collections import deque
from typing import Final, cast

from tui.analysis.causes import HANDOVER, lag, seen
from tui.analysis.entries import CAPACITY, Entry, Journal, Mood, marks, short_name
from tui.analysis.focus import HPA, Focus, cpu_target, utilization
from tui.analysis.load_news import CAUSE, LoadNews
from tui.analysis.pod_news import PodNews, root
from tui.analysis.setup_news import SetupNews
from tui.analysis.tolerance import is_over
from tui.analysis.warning_news import WarningNews
from tui.analysis.why_words import value_of
from tui.analysis.words import leading_metric, metric_title, to_the_point, verdict
from tui.state.delta import Delta
from tui.state.links import Health
from tui.state.rows import EventRow, HpaRow, Kind, MetricRow, NodeRow, WorkloadRow
from tui.state.table import Change

__all__ = ("CAPACITY", "Entry", "Mood", "Timeline", "marks", "short_name")

_SYNC: Final = 15.0
"""Seconds between two decisions of an HPA."""
_NEW_SIZE: Final = re.compile(r"New size: (\d+); reason: (.*)")


class Timeline:
    """Feed it every delta, in order; read :attr:`entries`, newest first."""

    def __init__(self) -> None:
        self._journal = Journal()
        self._pods = PodNews(self._journal)
        self._load = LoadNews(self._journal)
        self._setups = SetupNews(self._journal)
        self._warnings = WarningNews(self._journal)
        self._known: set[Kind] = set()
        """What has been listed once: from then on, what is new is news."""
        self._desired: dict[str, int] = {}
        """The last size an HPA, by uid, is known to have wanted."""
        self._unexplained: dict[str, tuple[float, WorkloadRow, int]] = {}
        self._over: set[str] = set()
        """HPAs, by uid, whose target's CPU is over the tolerance."""
        self._crossed: dict[str, float] = {}
        """When it went over, until a decision answers it."""
        self._rises: dict[str, Entry] = {}
        """By HPA uid, the last decision upwards whose cause had not been seen yet."""
        self._told: deque[tuple[str, int, float]] = deque(maxlen=50)
        """The decisions told from statuses: whose, the size, when."""
        self._last_sample: float = 0.0
        self._samples = 0

    @property
    def entries(self) -> list[Entry]:
        """Newest first; among those of one second, the latest seen first."""
        return self._journal.entries

    @property
    def generation(self) -> int:
        """Grows whenever the entries read differently."""
        return self._journal.generation

    def feed(self, delta: Delta, focus: Focus, now: float) -> None:
        """Take in one tick. ``now``: seconds since the epoch."""
        self._load.tell(delta.load)
        self._setups.tell(delta.setups)
        self._sample(delta, focus, now)
        # An HPA's status often comes in one tick with the pods it led to: causes go first.
        for change in sorted(delta.changes, key=lambda change: change.kind is not Kind.HPAS):
            match change.kind:
                case Kind.HPAS:
                    self._hpa(change)
                case Kind.PODS if Kind.PODS in self._known:
                    self._pods.tell(change, delta)
                case Kind.EVENTS:
                    self._event(change, delta)
                case Kind.NODES if Kind.NODES in self._known:
                    self._node(change)
                case Kind.DEPLOYMENTS | Kind.STATEFULSETS:
                    self._workload(change, delta)
                case _:
                    pass
        if self._unexplained:
            self._settle(delta, now)
        self._known |= {k for k in Kind if delta.link(k).health is Health.LIVE}

    # What the metrics say.

    def _sample(self, delta: Delta, focus: Focus, now: float) -> None:
        metric = cpu_target(focus.hpa)
        if focus.hpa is None or metric is None or delta.samples == self._samples:
            return
        self._samples = delta.samples
        measured = utilization(focus.pods, delta.pod_usage)
        if measured is None or measured.percent is None or measured.time <= self._last_sample:
            return
        self._last_sample = measured.time
        uid, time = focus.hpa.uid, min(measured.time, now)
        over = is_over(focus.hpa, measured.percent, metric.target)
        if over and uid not in self._over:
            self._over.add(uid)
            self._cross(uid, time)
            self._journal.add(
                Entry(
                    time,
                    Mood.BAD,
                    f"cpu {measured.percent} % over target {metric.target} %",
                    focus.hpa.name,
                    after=self._load.after(time),
                    cause=CAUSE,
                    mark=True,
                    of=_key(focus.hpa),
                )
            )
        elif not over and uid in self._over:
            self._over.discard(uid)
            self._crossed.pop(uid, None)
            self._journal.add(
                Entry(
                    time,
                    Mood.MEASURED,
                    f"cpu {measured.percent} % no longer over target {metric.target} %",
                    focus.hpa.name,
                    of=_key(focus.hpa),
                )
            )

    def _cross(self, uid: str, time: float) -> None:
        """The HPA often reads a sample before our own poll does: then the decision came first."""
        risen = self._rises.pop(uid, None)
        after = lag(time, risen.time) if risen is not None and risen.time >= time else None
        if risen is None or after is None:
            self._crossed[uid] = time
        else:
            self._journal.replace(risen, risen._replace(after=after))

    # What the HPA decides.

    def _hpa(self, change: Change) -> None:
        before, after = cast(HpaRow | None, change.before), cast(HpaRow | None, change.after)
        if before is None or after is None:
            row = cast(HpaRow, after or before)
            if after is None:
                self._desired.pop(row.uid, None)
            elif after.desired:
                self._desired[row.uid] = after.desired
            if Kind.HPAS in self._known:
                done = "created" if after else "deleted"
                self._journal.add(Entry(change.at, Mood.QUIET, f"HPA {row.name} {done}", row.name))
            return
        self._size(before, after, change.at)
        if (after.min, after.max) != (before.min, before.max):
            text = f"HPA {after.name}: min {after.min}, max {after.max}"
            self._journal.add(Entry(change.at, Mood.QUIET, text, after.name, mark=True))
        for condition in after.conditions:
            was = before.condition(condition.type)
            if was is None or (was.status, was.reason) == (condition.status, condition.reason):
                continue
            said = verdict(condition)
            if said.mood == "bad":
                text = f"{after.name}: {to_the_point(condition.message) or said.text}"
                self._journal.add(Entry(change.at, Mood.BAD, text, after.name))
            elif was.status == "False" and condition.type != "ScalingLimited":
                self._journal.add(
                    Entry(change.at, Mood.GOOD, f"{after.name}: {said.text}", after.name)
                )

    def _size(self, before: HpaRow, after: HpaRow, at: float) -> None:
        """Tell a decision from a status that says the same, nothing, or what others did."""
        desired = after.wants
        if not desired:
            return  # the controller has no figure, and what it writes means nothing
        was = self._desired.get(after.uid) or after.current
        self._desired[after.uid] = desired
        scaled = after.last_scale is not None and after.last_scale != before.last_scale
        if scaled and after.current not in (None, desired):
            was = after.current  # what it found, even where somebody else has just changed it
        if was is None or was == desired or (after.current == desired and not scaled):
            return  # the size is not new, or somebody else's, which the HPA found right
        self._decision(was, after, seen(after.last_scale if scaled else None, at))

    def _decision(self, was: int, after: HpaRow, at: float) -> None:
        parts = [f"{was} ▶ {after.desired}"]
        metric = leading_metric(after)
        if metric is not None and metric.current is not None:
            parts.append(_figure(metric))
        limited = after.condition("ScalingLimited")
        up = (after.desired or 0) > was
        if up and _needs_no_more(metric) and (not limited or limited.reason != "TooFewReplicas"):
            parts.append("its window holds more")
        if limited is not None and limited.status == "True":
            parts.append(verdict(limited).text)
        # Only the first decision answers the crossing; those after it answer what came of that.
        since = self._crossed.pop(after.uid, None)
        entry = Entry(
            at,
            Mood.DECIDED,
            "  ".join(parts),
            after.name,
            after=lag(since, at) if up else None,
            cause="cpu over target",
            mark=True,
            of=_key(after),
        )
        self._journal.add(entry)
        self._told.append((after.name, after.desired or 0, at))
        if up and since is None and after.uid not in self._over:
            self._rises[after.uid] = entry
        else:
            self._rises.pop(after.uid, None)
        self._pods.claim(_scaled(after), up, at, abs((after.desired or 0) - was))

    # What the cluster says of itself.

    def _event(self, change: Change, delta: Delta) -> None:
        event = cast(EventRow | None, change.after)
        if event is None:
            self._warnings.forget(cast(EventRow, change.before))
            return
        past = Kind.EVENTS not in self._known
        if not past and _told_by_conditions(event, delta):
            return
        time = seen(event.last_seen or None, change.at)
        if event.type == "Warning":
            self._warnings.tell(event, time, _of(event, delta))
        elif event.reason == "SuccessfulRescale" and past and change.before is None:
            match = _NEW_SIZE.match(event.message)
            if match and self._was_seen(event.about_name, int(match[1]), time):
                return
            text = f"▶ {match[1]}  {match[2]}" if match else event.message
            of = _of(event, delta)
            self._journal.add(Entry(time, Mood.DECIDED, text, event.about_name, of=of))

    def _was_seen(self, name: str, size: int, time: float) -> bool:
        """Whether an HPA's own status told of that size: the first list of events may come late."""
        return any(
            (told, to) == (name, size) and abs(at - time) < _SYNC for told, to, at in self._told
        )

    def _node(self, change: Change) -> None:
        before, after = cast(NodeRow | None, change.before), cast(NodeRow | None, change.after)
        if before is None or after is None:
            row = cast(NodeRow, after or before)
            text = f"node {row.name} {'joined' if after else 'left'}"
            self._journal.add(Entry(change.at, Mood.QUIET if after else Mood.BAD, text, row.name))
        elif before.ready != after.ready:
            good = after.ready == "True"
            text = f"node {after.name} {'Ready' if good else 'not Ready'}"
            self._journal.add(Entry(change.at, Mood.GOOD if good else Mood.BAD, text, after.name))

    # Sizes that no HPA chose.

    def _workload(self, change: Change, delta: Delta) -> None:
        before = cast(WorkloadRow | None, change.before)
        after = cast(WorkloadRow | None, change.after)
        if before is None or after is None:
            if change.kind in self._known:
                row = cast(WorkloadRow, after or before)
                text = f"{row.kind} {row.name} {'created' if after else 'deleted'}"
                self._journal.add(Entry(change.at, Mood.QUIET, text, row.name))
            return
        if after.revision != before.revision and before.revision:
            text = f"rollout of {after.name}, revision {after.revision}"
            self._journal.add(Entry(change.at, Mood.QUIET, text, after.name, mark=True))
        if after.replicas != before.replicas:
            self._unexplained[after.uid] = (change.at, after, before.replicas)

    def _settle(self, delta: Delta, now: float) -> None:
        """Tell sizes set by hand from those an HPA writes just before it says so."""
        if delta.link(Kind.HPAS).health is Health.RETRYING:
            return  # it may have said so, but is not heard
        for uid, (at, row, was) in list(self._unexplained.items()):
            key = f"{row.kind}/{row.namespace}/{row.name}"
            hpa = next((h for h in delta.hpas.rows.values() if _scaled(h) == key), None)
            if hpa is not None and hpa.desired == row.replicas:
                del self._unexplained[uid]
            elif hpa is None or now - at > HANDOVER:
                del self._unexplained[uid]
                if hpa is not None:
                    self._desired[hpa.uid] = row.replicas
                by = "" if hpa is None else ", not by the HPA"
                text = f"{row.name} set {was} → {row.replicas}{by}"
                self._journal.add(Entry(at, Mood.DECIDED, text, row.name, mark=True))


def _figure(metric: MetricRow) -> str:
    title = metric_title(metric)
    current, target = metric.current or 0, metric.target
    side = "over" if current > target else "under" if current < target else "at"
    if metric.target_type == "Utilization":
        return f"{title} {current} % {side} {target} %"
    value, aim = (value_of(metric.type, metric.name, n) for n in (current, target))
    return f"{title} {value} {side} {aim}"


def _needs_no_more(metric: MetricRow | None) -> bool:
    """Whether the metric alone would add no pod. One that is added nevertheless is owed to an
    earlier look: the highest of those in the window for scaling down counts.
    """
    return metric is not None and metric.current is not None and metric.current < metric.target


def _key(hpa: HpaRow) -> str:
    return f"{HPA}/{hpa.namespace}/{hpa.name}"


def _of(event: EventRow, delta: Delta) -> str:
    """Whose event it is, where its line does not name that in whole."""
    if event.about_kind == "Pod":
        pod = delta.pods.rows.get(event.about_uid)
        return root(pod, delta) if pod is not None else ""
    rescale = event.about_kind == HPA and event.type != "Warning"
    return f"{HPA}/{event.namespace}/{event.about_name}" if rescale else ""


def _scaled(hpa: HpaRow) -> str:
    return f"{hpa.target_kind}/{hpa.namespace}/{hpa.target_name}"


def _told_by_conditions(event: EventRow, delta: Delta) -> bool:
    """Whether an HPA's own conditions say what the event repeats at every sync."""
    if event.about_kind != "HorizontalPodAutoscaler" or event.type != "Warning":
        return False
    return any(
        hpa.uid == event.about_uid and any(verdict(c).mood == "bad" for c in hpa.conditions)
        for hpa in delta.hpas.rows.values()
    )
