"""What the CPU chart shows: usage against request over time, with the replicas it led to."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec

from tui.analysis.focus import Focus, cpu_target
from tui.state.series import HOUR, Points
from tui.state.store import Store

MOST_LINES: Final = 40
"""Pods drawn one by one; beyond that only the newest are told apart."""


class Curve(NamedTuple):
    """Parallel times (seconds since the epoch) and values."""

    times: tuple[float, ...] = ()
    values: tuple[float, ...] = ()
    name: str = ""
    gone: bool = False
    """Whether its pod no longer exists."""


class Trend(msgspec.Struct, frozen=True):
    """The last hour of one scale target."""

    percent: bool = True
    """Values are percent of the request; else millicores, where pods request none."""
    total: Curve = msgspec.field(default_factory=Curve)
    """Ratio of sums over the target's pods, or their sum."""
    pods: tuple[Curve, ...] = ()
    target: float | None = None
    """The HPA's target utilization."""
    current: Curve = msgspec.field(default_factory=Curve)
    desired: Curve = msgspec.field(default_factory=Curve)
    ready: Curve = msgspec.field(default_factory=Curve)


def trend(store: Store, focus: Focus, now: float) -> Trend:
    """Read the last hour of the focus from the store."""
    workload = focus.workload
    if workload is None:
        return Trend()
    start = now - HOUR
    used = store.cpu(workload.uid, start)
    asked = store.request(workload.uid, start)
    alive = {pod.uid for pod in focus.pods}
    members = store.members(workload.uid)[-MOST_LINES:]
    percent = not used or any(asked.values)
    hpa = focus.hpa
    replicas = store.replicas(hpa.uid if hpa else "", workload.uid, start)
    metric = cpu_target(hpa)
    return Trend(
        percent=percent,
        total=_ratio(used, asked) if percent else _curve(used),
        pods=tuple(
            _scaled(
                store.cpu(m.uid, start), m.cpu_request if percent else 100, m.name, m.uid in alive
            )
            for m in members
            if m.cpu_request or not percent
        ),
        target=float(metric.target) if metric is not None and percent else None,
        current=_curve(replicas.current),
        desired=_curve(replicas.desired),
        ready=_curve(replicas.ready),
    )


def steps(curve: Curve, start: float, end: float) -> Curve:
    """A step series as a line: each value held until the next, the last until ``end``.

    Of what was before ``start`` only the value that held at it is left.
    """
    first = max(0, bisect_right(curve.times, start) - 1)
    times: list[float] = []
    values: list[float] = []
    for time, value in zip(curve.times[first:], curve.values[first:], strict=True):
        if time > end:
            break
        at = max(time, start)
        if values:
            times.append(at)
            values.append(values[-1])
        times.append(at)
        values.append(value)
    if values:
        times.append(end)
        values.append(values[-1])
    return Curve(tuple(times), tuple(values))


def within(curve: Curve, start: float, end: float) -> Curve:
    """The part of a curve between two times, its value at ``start`` interpolated."""
    times: list[float] = []
    values: list[float] = []
    before: tuple[float, float] | None = None
    for time, value in zip(curve.times, curve.values, strict=True):
        if time < start:
            before = (time, value)
            continue
        if time > end:
            break
        if not times and before is not None and time > start:
            share = (start - before[0]) / (time - before[0])
            times.append(start)
            values.append(before[1] + share * (value - before[1]))
        times.append(time)
        values.append(value)
    return Curve(tuple(times), tuple(values))


def pieces(curve: Curve, gap: float) -> list[Curve]:
    """Cut where samples are further apart than ``gap`` seconds: a hole is not a line."""
    cut: list[Curve] = []
    begin = 0
    for i in range(1, len(curve.times) + 1):
        if i == len(curve.times) or curve.times[i] - curve.times[i - 1] > gap:
            cut.append(Curve(curve.times[begin:i], curve.values[begin:i]))
            begin = i
    return cut


def thinned(curve: Curve, most: int) -> Curve:
    """At most ``most`` points and both ends, keeping every peak.

    Of each stretch its lowest and its highest point are left.
    """
    count = len(curve.times)
    if count <= most or most < 4:
        return curve
    size = -(-count // (most // 2))
    times: list[float] = []
    values: list[float] = []
    for begin in range(0, count, size):
        stretch = range(begin, min(begin + size, count))
        low = min(stretch, key=lambda i: curve.values[i])
        high = max(stretch, key=lambda i: curve.values[i])
        ends = {i for i in (0, count - 1) if i in stretch}
        for i in sorted({low, high} | ends):
            times.append(curve.times[i])
            values.append(curve.values[i])
    return Curve(tuple(times), tuple(values))


def ceiling(values: Sequence[float]) -> float:
    """A round number at or above the largest value: one or two figures and a power of ten.

    100 where there is nothing above 0.
    """
    largest = max(values, default=0.0)
    if largest <= 0:
        return 100.0
    power = 10.0 ** (len(str(int(largest))) - 1)
    return next(m * power for m in (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10) if m * power >= largest)


def _curve(points: Points, name: str = "", gone: bool = False) -> Curve:
    return Curve(tuple(points.times), tuple(points.values), name, gone)


def _scaled(points: Points, whole: int | None, name: str, alive: bool) -> Curve:
    factor = 100 / whole if whole else 1.0
    return Curve(tuple(points.times), tuple(v * factor for v in points.values), name, not alive)


def _ratio(used: Points, asked: Points) -> Curve:
    """Percent of what was requested at the time of each sample."""
    times: list[float] = []
    values: list[float] = []
    at = 0
    for time, value in zip(used.times, used.values, strict=True):
        while at + 1 < len(asked.times) and asked.times[at + 1] <= time:
            at += 1
        if asked.values[at] > 0:
            times.append(time)
            values.append(100 * value / asked.values[at])
    return Curve(tuple(times), tuple(values))
