"""Fields that a JSON document says twice, which decoders keep silent about."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any


class _Repeated(dict[str, Any]):
    names: tuple[str, ...] = ()


def find(body: bytes) -> list[str]:
    """The paths of repeated fields, such as ``spec.replicas``; none for what is not JSON."""
    met = False

    def hook(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal met
        found = dict(pairs)
        if len(found) == len(pairs):
            return found
        met = True
        repeated = _Repeated(found)
        names = [name for name, _ in pairs]
        repeated.names = tuple(dict.fromkeys(name for name in names if names.count(name) > 1))
        return repeated

    try:
        document = json.loads(body, object_pairs_hook=hook)
    except (ValueError, RecursionError):
        return []
    return list(_paths(document, "")) if met else []


def _paths(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, list):
        for index, one in enumerate(value):
            yield from _paths(one, f"{path}[{index}]")
    elif isinstance(value, dict):
        prefix = f"{path}." if path else ""
        for name in getattr(value, "names", ()):
            yield f"{prefix}{name}"
        for name, one in value.items():
            yield from _paths(one, f"{prefix}{name}")
