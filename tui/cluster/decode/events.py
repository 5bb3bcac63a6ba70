"""Events (v1), of the old shape and of the one that events.k8s.io clients write."""

from __future__ import annotations

from typing import Final

import msgspec

from tui.cluster.decode.common import Int32, LeanMeta, NamedObject, identity, instant, shared
from tui.state.rows import EventRow

_LONGEST_MESSAGE: Final = 1024


class Source(msgspec.Struct, gc=False):
    """``source``, deprecated for ``reportingComponent``."""

    component: str | None = None


class Series(msgspec.Struct, gc=False):
    """``series``: the event went on."""

    count: Int32 | None = None
    lastObservedTime: str | None = None  # noqa: N815


class Event(msgspec.Struct, gc=False):
    """An event as it comes over the wire."""

    metadata: LeanMeta | None = None
    involvedObject: NamedObject | None = None  # noqa: N815
    type: str | None = None
    reason: str | None = None
    message: str | None = None
    count: Int32 | None = None
    source: Source | None = None
    series: Series | None = None
    reportingComponent: str | None = None  # noqa: N815
    eventTime: str | None = None  # noqa: N815
    firstTimestamp: str | None = None  # noqa: N815
    lastTimestamp: str | None = None  # noqa: N815


_COMBINED: Final = "(combined from similar events): "
"""Before the newest message, where one event stands for more than ten alike within ten minutes.

Source: ``EventAggregatorByReasonMessageFunc`` of client-go's ``events_cache.go``.
"""
_NO_SERIES: Final = Series()
_NO_SOURCE: Final = Source()
_NO_OBJECT: Final = NamedObject()


def project(event: Event) -> EventRow:
    """The row of an event; its count and time are the newest either shape tells."""
    uid, name, namespace, created = identity(event.metadata)
    series = event.series or _NO_SERIES
    about = event.involvedObject or _NO_OBJECT
    seen = [
        instant(text)
        for text in (
            series.lastObservedTime,
            event.lastTimestamp,
            event.eventTime,
            event.firstTimestamp,
        )
    ]
    return EventRow(
        uid=uid,
        name=name,
        namespace=namespace,
        created=created,
        type=shared(event.type or "Normal"),
        reason=shared(event.reason or ""),
        message=(event.message or "").removeprefix(_COMBINED)[:_LONGEST_MESSAGE],
        count=max(series.count or 0, event.count or 0, 1),
        last_seen=max((t for t in seen if t is not None), default=created),
        about_kind=shared(about.kind or ""),
        about_name=about.name or "",
        about_uid=about.uid or "",
        source=shared((event.source or _NO_SOURCE).component or event.reportingComponent or ""),
    )
