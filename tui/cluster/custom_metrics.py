"""Custom and external metrics of the HPA in view, read as its controller reads them.

The two APIs belong to whoever installed an adapter (Prometheus Adapter, KEDA, a cloud's), and may
be dear to ask: only what the HPA on the screen uses is asked for, every 15 s.

https://github.com/kubernetes/design-proposals-archive/blob/main/instrumentation/custom-metrics-api.md
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final
from urllib.parse import quote

import msgspec

from tui.cluster.decode.common import instant, milli
from tui.cluster.errors import UNREADABLE, ApiError, Fault, one_line
from tui.cluster.transport import Transport
from tui.cluster.worker import Worker
from tui.state.readings import Needs, PodReading, Reading
from tui.state.rows import MetricRow
from tui.state.store import Store

CUSTOM: Final = "custom.metrics.k8s.io"
EXTERNAL: Final = "external.metrics.k8s.io"
PERIOD: Final = 15.0
"""Seconds between two readings: as often as the controller looks."""
_NOTICE: Final = 0.5
"""Seconds until another HPA in view is noticed."""
_TIMEOUT: Final = 10.0
_MOST: Final = 10_000


class _Described(msgspec.Struct, gc=False):
    name: str | None = None


class _Value(msgspec.Struct, gc=False):
    describedObject: _Described | None = None  # noqa: N815
    timestamp: str | None = None
    windowSeconds: int | None = None  # noqa: N815 (v1beta1 says window)
    window: int | None = None
    value: str | int | float | None = None


class _Values(msgspec.Struct, gc=False):
    items: list[_Value] | None = None


class _Version(msgspec.Struct, gc=False):
    version: str | None = None


class _Group(msgspec.Struct, gc=False):
    versions: list[_Version] | None = None


class _Served(msgspec.Struct, gc=False):
    name: str | None = None
    kind: str | None = None


class _Resources(msgspec.Struct, gc=False):
    resources: list[_Served] | None = None


class _AbsentError(Exception):
    """The API is not there, for the controller neither."""


class CustomMetrics(Worker):
    """Asks in a thread of its own for what :attr:`Store.needs` names."""

    def __init__(
        self, transport: Transport, store: Store, *, wait: Callable[[float], bool] | None = None
    ) -> None:
        super().__init__("custom metrics")
        self._transport = transport
        self._store = store
        self._wait = wait or self._halt.wait
        self._versions: dict[str, str] = {}
        self._plurals: dict[tuple[str, str], str] = {}

    def _run(self) -> None:
        asked: Needs | None = None
        due = 0.0
        while not self._halt.stopped:
            needs = self._store.needs
            if needs is not None and (needs != asked or self._store.clock() >= due):
                asked, due = needs, self._store.clock() + PERIOD
                found = {place: self._read(needs, row) for place, row in needs.metrics.items()}
                if not self._halt.stopped:
                    self._store.sample_custom(needs.hpa, found)
            elif needs is None:
                asked = None
            if self._wait(_NOTICE):
                break

    def _read(self, needs: Needs, row: MetricRow) -> Reading:
        api = EXTERNAL if row.type == "External" else CUSTOM
        try:
            return self._ask(needs, row, api)
        except _AbsentError as error:
            return Reading(problem=str(error))
        except ApiError as error:
            return self._failed(row, api, error)
        except UNREADABLE:
            return Reading(unread=f"the answer of {api} could not be read")
        except Exception as error:  # a thread that died would leave figures that look fresh
            what = type(error).__name__
            return Reading(unread=f"the answer of {api} could not be handled ({what})")

    def _failed(self, row: MetricRow, api: str, error: ApiError) -> Reading:
        if error.kind is Fault.FORBIDDEN:
            return Reading(unread=f"you may not read {api}: the right `get {row.name}` is missing")
        if error.kind is Fault.NOT_FOUND:
            return Reading(problem=one_line(f"{row.name}: {error.message}", 240))
        return Reading(unread=one_line(f"{api} could not be read: {error.message}", 240))

    def _ask(self, needs: Needs, row: MetricRow, api: str) -> Reading:
        version = self._version(api)
        root = f"/apis/{api}/{version}/namespaces/{quote(needs.namespace, safe='')}"
        name = quote(row.name, safe="")
        series = ",".join(term.written for term in row.selector)
        if row.type == "External":
            query = {"labelSelector": series} if series else {}
            return Reading(levels=self._levels(f"{root}/{name}", query))
        query = {"metricLabelSelector": series} if series else {}
        if row.type == "Object":
            kind, _, described = row.object.partition("/")
            plural = self._plural(row.object_version, kind)
            if plural == "namespaces":
                # Always the HPA's own, whichever it names: the controller asks for no other.
                path = f"{root}/metrics/{name}"
            else:
                path = f"{root}/{plural}/{quote(described, safe='')}/{name}"
            return Reading(levels=self._levels(path, query))
        query["labelSelector"] = ",".join(term.written for term in needs.selector)
        items = self._values(f"{root}/pods/*/{name}", query)
        return Reading(pods=tuple(_pods(items)))

    def _levels(self, path: str, query: dict[str, str]) -> tuple[int, ...]:
        return tuple(
            found for v in self._values(path, query) if (found := milli(v.value)) is not None
        )

    def _values(self, path: str, query: dict[str, str]) -> list[_Value]:
        body = self._get(path, query)
        return (msgspec.json.decode(body, type=_Values).items or [])[:_MOST]

    def _get(self, path: str, query: dict[str, str] | None = None) -> bytes:
        return self._transport.get(path, query, timeout=_TIMEOUT, halt=self._halt).body

    def _version(self, api: str) -> str:
        """The newest version that is served, of those we know."""
        known = self._versions.get(api)
        if known is not None:
            return known
        try:
            group = msgspec.json.decode(self._get(f"/apis/{api}"), type=_Group)
        except ApiError as error:
            if error.kind is Fault.NOT_FOUND:
                raise _AbsentError(f"no API {api} is registered: install an adapter") from None
            raise
        served = {v.version for v in group.versions or ()}
        for version in ("v1beta2", "v1beta1"):
            if version in served:
                self._versions[api] = version
                return version
        raise _AbsentError(f"{api} is served in no version that is known here")

    def _plural(self, version: str, kind: str) -> str:
        """``services``, ``ingresses.networking.k8s.io``: as the metric's path names a kind."""
        known = self._plurals.get((version, kind))
        if known is not None:
            return known
        group, slash, _ = version.rpartition("/")
        root = f"/apis/{'/'.join(quote(p, safe='') for p in version.split('/'))}"
        body = self._get(root if slash else f"/api/{quote(version or 'v1', safe='')}")
        for served in msgspec.json.decode(body, type=_Resources).resources or ():
            if served.kind == kind and served.name and "/" not in served.name:
                plural = f"{served.name}.{group}" if group else served.name
                self._plurals[version, kind] = plural = quote(plural, safe="")
                return plural
        raise _AbsentError(f"there is no kind {one_line(kind, 60)} in {one_line(version, 60)}")


def _pods(items: Iterable[_Value]) -> Iterable[PodReading]:
    for item in items:
        value = milli(item.value)
        name = item.describedObject.name if item.describedObject is not None else None
        if value is None or not name:
            continue
        window = item.windowSeconds if item.windowSeconds is not None else item.window
        time = instant(item.timestamp) or 0.0
        yield PodReading(name, value, time, 60.0 if window is None else float(window))
