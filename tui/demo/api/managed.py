"""Who owns which field: ``managedFields`` after an update, and server-side apply.

Follows the merge semantics of `KEP-555`_: an update makes its manager the owner of what it
changed; an apply owns what its configuration names, conflicts with other owners of fields whose
value it would change, and removes what it no longer names and nobody else owns.

.. _KEP-555: https://github.com/kubernetes/enhancements/tree/master/keps/sig-api-machinery/555-server-side-apply
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tui.demo.api import fieldsets, schema
from tui.demo.api.errors import ApiError
from tui.demo.api.fieldsets import Path
from tui.demo.store import Object


@dataclass(slots=True)
class Manager:
    """One entry of ``managedFields``."""

    name: str
    operation: str
    """``Update`` or ``Apply``."""
    api_version: str
    subresource: str
    time: str
    fields: set[Path]

    @property
    def identity(self) -> tuple[str, str, str, str]:
        """What tells two managers apart."""
        return (self.name, self.operation, self.api_version, self.subresource)


def read(metadata: Object) -> list[Manager]:
    """The managers recorded in an object's metadata."""
    return [_decoded(entry) for entry in metadata.get("managedFields") or ()]


def write(metadata: Object, managers: list[Manager]) -> None:
    """Record the managers, dropping those that own nothing."""
    kept = [m for m in managers if m.fields or m.operation == "Apply"]
    _store(metadata, [_encoded(manager) for manager in kept])


def _identity(entry: Object) -> tuple[str, str, str, str]:
    return (
        entry.get("manager", ""),
        entry.get("operation", "Update"),
        entry.get("apiVersion", ""),
        entry.get("subresource", ""),
    )


def _decoded(entry: Object) -> Manager:
    fields = fieldsets.decode(entry.get("fieldsV1") or {})
    return Manager(*_identity(entry), entry.get("time", ""), fields)


def _encoded(manager: Manager) -> Object:
    entry: Object = {
        "manager": manager.name,
        "operation": manager.operation,
        "apiVersion": manager.api_version,
        "time": manager.time,
        "fieldsType": "FieldsV1",
        "fieldsV1": fieldsets.encode(manager.fields),
    }
    if manager.subresource:
        entry["subresource"] = manager.subresource
    return entry


def _store(metadata: Object, entries: list[Object]) -> None:
    metadata.pop("managedFields", None)
    if entries:
        entries.sort(key=lambda one: (one["operation"], one["time"], one["manager"]))
        metadata["managedFields"] = entries


def record_update(old: Object | None, new: Object, kind: str, by: Manager) -> None:
    """Make ``by`` the owner of what differs between two versions of an object."""
    before: dict[Path, Any] = {}
    if old is not None:
        before, after = fieldsets.differing(old, new, kind)
    else:
        after = fieldsets.flatten(new, kind, containers=True)
    changed = {path for path, value in after.items() if before.get(path, _ABSENT) != value}
    removed = before.keys() - after.keys()
    taken = {path for path in changed if after[path] is not fieldsets.PRESENT} | removed
    touched = {path[0] for path in taken}
    entries: list[Object] = []
    mine, unchanged = by, None
    for entry in (old or new)["metadata"].get("managedFields") or ():
        if _identity(entry) == by.identity:
            fields = entry.get("fieldsV1") or {}
            if fields and not removed and all(fieldsets.holds(fields, path) for path in changed):
                unchanged = entry
            else:
                mine = _decoded(entry)
        elif touched.isdisjoint(entry.get("fieldsV1") or ()):
            entries.append(entry)
        else:
            other = _decoded(entry)
            if not other.fields.isdisjoint(taken):
                other.fields -= taken
                entry = _encoded(other)
            if other.fields:
                entries.append(entry)
    if unchanged is not None:
        _store(new["metadata"], [*entries, unchanged])
        return
    owned = (mine.fields - removed) | changed
    if owned != mine.fields:
        mine.fields = owned
        mine.time = by.time
    if mine.fields:
        entries.append(_encoded(mine))
    _store(new["metadata"], entries)


_ABSENT = object()


def apply(live: Object | None, config: Object, kind: str, by: Manager, *, force: bool) -> Object:
    """The object after a server-side apply, its managers recorded.

    Args:
        live: the object as it is, None if it is to be created.
        config: what the manager wants, in the stored version.
        kind: the object's kind.
        by: who applies; ``fields`` is filled in here.
        force: take fields over from other managers.

    Raises:
        ApiError: 409, other managers own fields whose value would change.
    """
    config = {k: v for k, v in config.items() if k not in ("kind", "apiVersion", "status")}
    wanted = fieldsets.flatten(config, kind, containers=False)
    by.fields = set(wanted)
    managers = read(live["metadata"]) if live else []
    others = [m for m in managers if m.identity != by.identity]
    previous = next((m for m in managers if m.identity == by.identity), None)
    merged: Object = _merge(live or {}, config, (), kind)
    if live is not None:
        before = fieldsets.flatten(live, kind, containers=True)
        after = fieldsets.flatten(merged, kind, containers=True)
        changed = {p for p in by.fields if before.get(p, _ABSENT) != after.get(p, _ABSENT)}
        clashes = [(m, sorted(m.fields & changed)) for m in others if m.fields & changed]
        if clashes and not force:
            raise _conflict(clashes)
        for manager, paths in clashes:
            manager.fields -= set(paths)
    if previous is not None:
        # Items before their fields: an item that goes takes its fields along.
        for path in sorted(previous.fields - by.fields, key=len):
            # A client may have written that it owns the whole: that is no field to take away.
            if path and not any(_owns(m, path) for m in others):
                _remove(merged, path, (), kind)
        if previous.fields == by.fields:
            by.time = previous.time
    merged.setdefault("metadata", {})
    write(merged["metadata"], [*others, by])
    return merged


def _owns(manager: Manager, path: Path) -> bool:
    if path in manager.fields:
        return True
    length = len(path)
    return any(field[:length] == path for field in manager.fields)


def _conflict(clashes: list[tuple[Manager, list[Path]]]) -> ApiError:
    count = sum(len(paths) for _, paths in clashes)
    lines = []
    causes = []
    for manager, paths in sorted(clashes, key=lambda clash: clash[0].name):
        where = f' with subresource "{manager.subresource}"' if manager.subresource else ""
        who = f'"{manager.name}"{where}'
        if manager.operation == "Update":
            who += f" using {manager.api_version}"
        shown = sorted(fieldsets.describe(path) for path in paths)
        lines.append((who, shown))
        causes += [
            {
                "reason": "FieldManagerConflict",
                "message": f"conflict with {who}",
                "field": field,
            }
            for field in shown
        ]
    if count == 1:
        who, shown = lines[0]
        message = f"Apply failed with 1 conflict: conflict with {who}: {shown[0]}"
    else:
        said = "\n".join(
            f"conflicts with {who}:\n" + "\n".join(f"- {field}" for field in shown)
            for who, shown in lines
        )
        message = f"Apply failed with {count} conflicts: {said}"
    return ApiError(409, "Conflict", message, {"causes": causes})


def _merge(live: Any, config: Any, names: schema.Path, kind: str) -> Any:
    if isinstance(config, dict) and isinstance(live, dict):
        if names and schema.is_atomic(names):
            return config
        merged = dict(live)
        for name, value in config.items():
            if value is None:
                continue
            merged[name] = (
                _merge(live[name], value, (*names, name), kind) if name in live else value
            )
        return merged
    if isinstance(config, list) and isinstance(live, list):
        if schema.is_set(names):
            return live + [item for item in config if item not in live]
        keys = schema.list_keys(names, kind)
        if keys:
            return _merge_items(live, config, names, kind, keys)
    return config


def _merge_items(
    live: list[Any], config: list[Any], names: schema.Path, kind: str, keys: tuple[str, ...]
) -> list[Any]:
    wanted = {fieldsets.item_element(item, keys): item for item in config}
    merged = []
    for item in live:
        change = wanted.pop(fieldsets.item_element(item, keys), None)
        merged.append(item if change is None else _merge(item, change, names, kind))
    return merged + list(wanted.values())


def _remove(node: Any, path: Path, names: schema.Path, kind: str) -> None:
    element, rest = path[0], path[1:]
    if element.startswith("f:"):
        name = element[2:]
        if not isinstance(node, dict) or name not in node:
            return
        if rest:
            _remove(node[name], rest, (*names, name), kind)
            if node[name] in ({}, []) and name not in ("metadata", "spec"):
                del node[name]
        else:
            del node[name]
        return
    if not isinstance(node, list):
        return
    for index, item in enumerate(node):
        keys = schema.list_keys(names, kind)
        found = (
            fieldsets.item_element(item, keys)
            if element.startswith("k:")
            else "v:" + fieldsets.encode_sorted(item).decode()
        )
        if found == element:
            if not rest:
                del node[index]
            elif rest[0][2:] not in keys:  # an item that stays keeps what it is known by
                _remove(item, rest, names, kind)
            return
