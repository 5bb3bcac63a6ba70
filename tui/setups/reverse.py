"""The patch that takes another one back: reckoned from what was and what came of it."""

from __future__ import annotations

from typing import Any, Final

_MERGED: Final = ("containers", "initContainers", "volumes", "env")
"""Lists whose items a strategic merge patch matches by name."""
_OPEN: Final = ("annotations", "labels", "requests", "limits")
"""Maps that several write to: of one that is new, only what was written is taken out again."""


def reverse(old: Any, new: Any, *, strategic: bool) -> dict[str, Any]:
    """A merge patch that makes ``old`` of ``new``; empty if nothing differs.

    Args:
        old: a map, such as an object's spec.
        new: the same map, changed.
        strategic: as a strategic merge patch, which touches only the containers that differ.
            Without, a list that differs is put back as a whole.
    """
    return _of_map(old, new, strategic)


def _of_map(old: dict[str, Any], new: dict[str, Any], strategic: bool) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in dict.fromkeys([*old, *new]):
        if name not in old:
            found[name] = dict.fromkeys(new[name]) if name in _OPEN and new[name] else None
        elif name not in new:
            found[name] = old[name]
        elif old[name] != new[name]:
            found[name] = _of_value(name, old[name], new[name], strategic)
    return found


def _of_value(name: str, old: Any, new: Any, strategic: bool) -> Any:
    if isinstance(old, dict) and isinstance(new, dict):
        return _of_map(old, new, strategic)
    if strategic and name in _MERGED and isinstance(old, list) and isinstance(new, list):
        return _of_items(old, new, strategic)
    return old


def _of_items(old: list[Any], new: list[Any], strategic: bool) -> list[Any]:
    before, after = _named(old), _named(new)
    found: list[Any] = [{"name": gone, "$patch": "delete"} for gone in after if gone not in before]
    for name, item in before.items():
        if name not in after:
            found.append(item)
        elif item != after[name]:
            found.append({"name": name, **_of_map(item, after[name], strategic)})
    return found


def _named(items: list[Any]) -> dict[str, dict[str, Any]]:
    return {str(one.get("name")): one for one in items if isinstance(one, dict)}
