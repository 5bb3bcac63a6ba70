"""Between the version a client speaks and the version that is stored."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from tui.demo import resources
from tui.demo.api import events_v1, hpa_v1
from tui.demo.resource import Resource
from tui.demo.store import Object

Convert = Callable[[Object], Object]

_FROM_STORED: Final[dict[Resource, Convert]] = {
    resources.HPAS_V1: hpa_v1.from_v2,
    resources.EVENTS_V1: events_v1.from_core,
}
_TO_STORED: Final[dict[Resource, Convert]] = {
    resources.HPAS_V1: hpa_v1.to_v2,
    resources.EVENTS_V1: events_v1.to_core,
}


def from_stored(resource: Resource, data: Object) -> Object:
    """A stored object as a client of this version sees it; custom ones differ in nothing."""
    convert = _FROM_STORED.get(resource) if resource.alias_of else None
    return data if convert is None else convert(data)


def to_stored(resource: Resource, data: Object) -> Object:
    """What a client of this version sent, in the stored version."""
    convert = _TO_STORED.get(resource) if resource.alias_of else None
    return data if convert is None else convert(data)
