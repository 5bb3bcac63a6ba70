"""Which custom and external metrics the HPA in view is reckoned from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tui.analysis.focus import Focus
from tui.state.readings import Needs, Reading
from tui.state.rows import HpaRow, MetricRow

_CUSTOM: Final = ("Pods", "Object", "External")


def needs_of(focus: Focus) -> Needs | None:
    """What has to be asked for; None if the HPA needs CPU and memory alone."""
    row, workload = focus.hpa, focus.workload
    if row is None:
        return None
    metrics = custom(row)
    selector = workload.selector if workload is not None else ()
    return Needs(row.uid, row.namespace, selector, metrics) if metrics else None


def custom(row: HpaRow) -> dict[int, MetricRow]:
    """The HPA's metrics that are not of metrics.k8s.io, by position."""
    return {n: metric for n, metric in enumerate(row.metrics) if metric.type in _CUSTOM}


def unread(row: HpaRow, found: Mapping[int, Reading] | None) -> str:
    """Why its custom metrics are not known here, though its controller may know them."""
    metrics = custom(row)
    if not metrics:
        return ""
    if found is None:
        return "reading custom metrics…"
    for place in metrics:
        reading = found.get(place)
        if reading is None:
            return "reading custom metrics…"
        if reading.unread:
            return reading.unread
    return ""
