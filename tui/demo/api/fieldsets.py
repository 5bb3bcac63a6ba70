"""Sets of fields, as ``metadata.managedFields`` records them (FieldsV1).

A path is a tuple of elements: ``f:name`` a field, ``k:{"name":"x"}`` an item of an associative
list, ``v:"x"`` an item of a set.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from tui.demo.api import schema
from tui.demo.store import Object

Path = tuple[str, ...]
PRESENT: Final = object()
"""The value of a path that says only that a map, list or item is there."""

encode_sorted = msgspec.json.Encoder(order="sorted").encode
_NOT_MANAGED: Final = frozenset(
    {
        "name",
        "namespace",
        "uid",
        "resourceVersion",
        "generation",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "managedFields",
        "selfLink",
    }
)
# Plain structs of the Go types: always there, so their presence is nobody's doing.
_ALWAYS_THERE: Final = frozenset(
    {
        "metadata",
        "spec",
        "status",
        "template",
        "strategy",
        "containers",
        "loadBalancer",
        "scaleTargetRef",
    }
)


def item_element(item: Object, keys: tuple[str, ...]) -> str:
    """The path element of an item of an associative list."""
    found = {key: item.get(key, schema.key_default(key)) for key in keys}
    return "k:" + encode_sorted(found).decode()


def flatten(data: Object, kind: str, *, containers: bool) -> dict[Path, Any]:
    """Path → value of every managed field of an object.

    Args:
        data: the object, with or without ``kind`` and ``apiVersion``.
        kind: its kind, which decides what lists are.
        containers: also note the presence of maps and associative lists, as an update does;
            without, only of list items, as an apply does.
    """
    out: dict[Path, Any] = {}
    for name, value in data.items():
        if name in ("kind", "apiVersion"):
            continue
        if name == "metadata":
            value = _managed(value)
        _walk(value, (f"f:{name}",), (name,), kind, containers, out)
    return out


def differing(old: Object, new: Object, kind: str) -> tuple[dict[Path, Any], dict[Path, Any]]:
    """What `flatten` gives of two versions of an object, containers and all, where they differ.

    Most of an object stays as it is when it is changed, and what is equal is not walked.
    """
    before: dict[Path, Any] = {}
    after: dict[Path, Any] = {}
    versions = [
        {k: v for k, v in one.items() if k not in ("kind", "apiVersion")} for one in (old, new)
    ]
    for one in versions:
        if "metadata" in one:
            one["metadata"] = _managed(one["metadata"])
    _walk_both(versions[0], versions[1], (), (), kind, before, after)
    return before, after


def _managed(metadata: Object) -> Object:
    return {k: v for k, v in metadata.items() if k not in _NOT_MANAGED}


def _walk_both(
    old: Object,
    new: Object,
    path: Path,
    names: schema.Path,
    kind: str,
    before: dict[Path, Any],
    after: dict[Path, Any],
) -> None:
    for name in old.keys() | new.keys():
        one, other = old.get(name, PRESENT), new.get(name, PRESENT)
        if one == other:
            continue
        below, deeper = (*path, f"f:{name}"), (*names, name)
        maps = isinstance(one, dict) and isinstance(other, dict) and one and other
        if maps and not schema.is_atomic(deeper):
            _walk_both(one, other, below, deeper, kind, before, after)
            continue
        if one is not PRESENT:
            _walk(one, below, deeper, kind, True, before)
        if other is not PRESENT:
            _walk(other, below, deeper, kind, True, after)


def _walk(
    value: Any, path: Path, names: schema.Path, kind: str, containers: bool, out: dict[Path, Any]
) -> None:
    if isinstance(value, dict):
        if not value:
            if names[-1] not in _ALWAYS_THERE:
                out[path] = {}
        elif schema.is_atomic(names):
            out[path] = value
        else:
            if containers and names[-1] not in _ALWAYS_THERE:
                out[path] = PRESENT
            for name, inner in value.items():
                _walk(inner, (*path, f"f:{name}"), (*names, name), kind, containers, out)
        return
    if isinstance(value, list) and value:
        keys = schema.list_keys(names, kind)
        if keys and all(isinstance(item, dict) for item in value):
            if containers and names[-1] not in _ALWAYS_THERE:
                out[path] = PRESENT
            for item in value:
                below = (*path, item_element(item, keys))
                out[below] = PRESENT
                for name, inner in item.items():
                    _walk(inner, (*below, f"f:{name}"), (*names, name), kind, containers, out)
            return
        if schema.is_set(names):
            if containers:
                out[path] = PRESENT
            for item in value:
                out[(*path, "v:" + encode_sorted(item).decode())] = PRESENT
            return
    out[path] = value


def encode(paths: set[Path]) -> Object:
    """A set of paths as FieldsV1."""
    root: Object = {}
    ordered = sorted(paths)
    for path, following in zip(ordered, (*ordered[1:], ()), strict=False):
        node = root
        for element in path:
            node = node.setdefault(element, {})
        if following[: len(path)] == path:  # it has fields of its own, and is there itself
            node["."] = {}
    return root


def holds(fields: Object, path: Path) -> bool:
    """Whether a path is in FieldsV1."""
    node: Any = fields
    for element in path:
        node = node.get(element)
        if node is None:
            return False
    return not node or "." in node


def decode(fields: Object) -> set[Path]:
    """FieldsV1 as a set of paths."""
    out: set[Path] = set()
    _collect(fields, (), out)
    return out


def _collect(node: Object, path: Path, out: set[Path]) -> None:
    if not node:
        out.add(path)
    for element, child in node.items():
        if element == ".":
            out.add(path)
        else:
            _collect(child, (*path, element), out)


def describe(path: Path) -> str:
    """A path as conflicts show it: ``.spec.containers[name="x"].image``."""
    shown = []
    for element in path:
        kind, rest = element[:2], element[2:]
        if kind == "f:":
            shown.append(f".{rest}")
        elif kind == "k:":
            keys = msgspec.json.decode(rest)
            pairs = ",".join(f"{k}={encode_sorted(v).decode()}" for k, v in keys.items())
            shown.append(f"[{pairs}]")
        else:
            shown.append(f"[={rest}]")
    return "".join(shown)
