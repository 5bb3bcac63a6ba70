"""Who owns which field: ``metadata.managedFields`` to paths, as server-side apply keeps them.

https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from tui.cluster.objects import Object

Path: TypeAlias = tuple[str, ...]
"""Elements as in ``fieldsV1``: ``f:spec``, ``k:{"name":"app"}``, ``v:"x"``."""
_DEEPEST: Final = 60


@dataclass(frozen=True, slots=True)
class Manager:
    """One entry of ``managedFields``."""

    name: str
    operation: str
    """``Apply`` or ``Update``."""
    subresource: str
    time: str
    """RFC 3339; later sorts after earlier."""
    fields: frozenset[Path]


def managers(live: Object) -> list[Manager]:
    """The managers of an object; what cannot be read is left out."""
    found = []
    for entry in (live.get("metadata") or {}).get("managedFields") or ():
        if isinstance(entry, dict):
            fields = frozenset(_paths(entry.get("fieldsV1") or {}, (), 0))
            found.append(
                Manager(
                    str(entry.get("manager", "")),
                    str(entry.get("operation", "")),
                    str(entry.get("subresource", "")),
                    str(entry.get("time", "")),
                    fields,
                )
            )
    return found


def owners(all_managers: list[Manager], path: Path) -> list[Manager]:
    """Who owns a field, or something in it, the latest first."""
    found = [
        one
        for one in all_managers
        if any(f[: len(path)] == path or path[: len(f)] == f for f in one.fields)
    ]
    return sorted(found, key=lambda one: one.time, reverse=True)


def element(item: Any, keys: tuple[str, ...]) -> str:
    """A list item's path element by its keys."""
    known = {"protocol": "TCP"} if "protocol" in keys else {}
    return "k:" + _encode(known | {key: item[key] for key in keys if key in item})


def _paths(node: Any, above: Path, depth: int) -> Iterator[Path]:
    if not isinstance(node, dict) or depth > _DEEPEST:
        return
    for name, below in node.items():
        if name == ".":
            continue
        if isinstance(below, dict) and below.keys() - {"."}:
            yield from _paths(below, (*above, _normal(name)), depth + 1)
        else:
            yield (*above, _normal(name))


def _normal(name: str) -> str:
    """An element whose JSON is in one form: servers differ in the order of keys."""
    if name[:2] == "k:":
        try:
            return "k:" + _encode(json.loads(name[2:]))
        except (ValueError, RecursionError):
            return name
    return name


def _encode(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def keys(element: str) -> dict[str, Any]:
    """The keys of a list item's path element."""
    try:
        found = json.loads(element[2:])
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def applied(live: Object, manager: str) -> frozenset[Path]:
    """The fields that a manager applied and still owns."""
    return frozenset[Path]().union(
        *(
            one.fields
            for one in managers(live)
            if one.name == manager and one.operation == "Apply" and not one.subresource
        )
    )


def gained(before: Object, after: Object, manager: str) -> frozenset[Path]:
    """The fields that an apply made a manager's alone: what it took from others, and what is new.

    What another one still owns, too, keeps its value when the manager lets go of it.
    """
    others = (one.fields for one in managers(after) if one.name != manager)
    return applied(after, manager) - applied(before, manager).union(*others)


def extract(live: Object, paths: Iterable[Path]) -> Object:
    """These fields of an object with the values of now, as far as they are there: fit to be
    applied.

    As ``ExtractInto`` of k8s.io/client-go/applyconfigurations does.
    """
    tree: dict[str, Any] = {}
    for path in paths:
        node = tree
        for step in path:
            node = node.setdefault(step, {})
    picked = _picked(live, tree)
    body: Object = picked if isinstance(picked, dict) else {}
    metadata = live.get("metadata") or {}
    for name in ("apiVersion", "kind"):
        body[name] = live.get(name)
    body["metadata"] = {
        **(body.get("metadata") or {}),
        "name": metadata.get("name"),
        "namespace": metadata.get("namespace"),
    }
    return body


def _picked(node: Any, tree: dict[str, Any]) -> Any:
    if not tree:
        return node
    if isinstance(node, dict):
        return {
            name[2:]: _picked(node[name[2:]], below)
            for name, below in tree.items()
            if name[:2] == "f:" and name[2:] in node
        }
    if isinstance(node, list):
        found = []
        for item in node:
            for name, below in tree.items():
                if name[:2] == "k:" and isinstance(item, dict):
                    wanted = keys(name)
                    if element(item, tuple(wanted)) == name:
                        known = {key: item[key] for key in wanted if key in item}
                        found.append({**known, **_picked(item, below)} if below else item)
                elif name[:2] == "v:" and name == "v:" + _encode(item):
                    found.append(item)
        return found
    return node
