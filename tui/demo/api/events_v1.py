"""events.k8s.io/v1 Events, which are a view of the core Events."""

from __future__ import annotations

from typing import Final

from tui.demo.store import Object

# Name in the core group → name in events.k8s.io/v1.
_RENAMED: Final = {
    "involvedObject": "regarding",
    "message": "note",
    "reportingComponent": "reportingController",
    "source": "deprecatedSource",
    "firstTimestamp": "deprecatedFirstTimestamp",
    "lastTimestamp": "deprecatedLastTimestamp",
    "count": "deprecatedCount",
}
_BACK: Final = {new: old for old, new in _RENAMED.items()}


def from_core(data: Object) -> Object:
    """The view of a core Event."""
    return {_RENAMED.get(name, name): value for name, value in data.items()}


def to_core(data: Object) -> Object:
    """The core Event of a view."""
    found = {_BACK.get(name, name): value for name, value in data.items()}
    for name in ("firstTimestamp", "lastTimestamp"):
        found.setdefault(name, None)
    found.setdefault("source", {})
    return found
