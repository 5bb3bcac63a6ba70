"""JSON patch, JSON merge patch and strategic merge patch."""

from __future__ import annotations

from typing import Any

from tui.demo.api import errors, schema
from tui.demo.store import Object


def json_patch(data: Object, operations: object) -> Object:
    """RFC 6902.

    Raises:
        ApiError: 400 for a malformed patch, 422 for one that does not fit the object.
    """
    import jsonpatch  # late: few requests need it, and it takes long to load

    if not isinstance(operations, list):
        raise errors.bad_request(
            "error decoding patch: json: cannot unmarshal object into Go value of type "
            "[]handlers.jsonPatchOp"
        )
    try:
        patched = jsonpatch.JsonPatch(operations).apply(data)
    except (jsonpatch.JsonPatchException, jsonpatch.JsonPointerException, TypeError):
        raise errors.unprocessable(
            "the server rejected our request due to an error in our request"
        ) from None
    if not isinstance(patched, dict):
        raise errors.bad_request("the patched document is not an object")
    return patched


def merge_patch(data: Any, patch: Any) -> Any:
    """RFC 7386."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(data) if isinstance(data, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge_patch(merged.get(name), value)
    return merged


def strategic_merge_patch(data: Object, patch: Object, kind: str) -> Object:
    """Kubernetes' own patch: lists merge by key, and ``$`` directives tell exceptions.

    https://kubernetes.io/docs/tasks/manage-kubernetes-objects/update-api-object-kubectl-patch/

    Raises:
        ApiError: 400, an item lacks the list's merge key, or a directive is unknown.
    """
    merged: Object = _merge_map(data, patch, (), kind)
    return merged


def _merge_map(data: Any, patch: Object, names: schema.Path, kind: str) -> Any:
    directive = patch.get("$patch")
    if directive == "replace":
        return {k: v for k, v in patch.items() if k != "$patch"}
    if directive == "delete":
        return {}
    if directive not in (None, "merge"):
        raise errors.bad_request(f"Unknown patch type found: {directive}")
    merged = dict(data) if isinstance(data, dict) else {}
    retained = patch.get("$retainKeys")
    if isinstance(retained, list):
        merged = {k: v for k, v in merged.items() if k in retained}
    for name, value in patch.items():
        if name.startswith("$deleteFromPrimitiveList/"):
            field = name.partition("/")[2]
            merged[field] = [item for item in merged.get(field) or () if item not in value]
        elif not name.startswith("$"):
            below = (*names, name)
            if value is None:
                merged.pop(name, None)
            elif isinstance(value, dict):
                merged[name] = _merge_map(merged.get(name), value, below, kind)
            elif isinstance(value, list):
                merged[name] = _merge_list(merged.get(name), value, below, kind)
            else:
                merged[name] = value
    for name, order in patch.items():
        if name.startswith("$setElementOrder/"):
            field = name.partition("/")[2]
            if isinstance(merged.get(field), list) and isinstance(order, list):
                live = data.get(field) if isinstance(data, dict) else None
                merged[field] = _ordered(merged[field], order, live, (*names, field), kind)
    return merged


def _merge_list(data: Any, patch: list[Any], names: schema.Path, kind: str) -> list[Any]:
    live: list[Any] = data if isinstance(data, list) else []
    key = schema.strategic_key(names, kind)
    if key is None or not all(isinstance(item, dict) for item in patch):
        if schema.merges_primitives(names):
            union = live + [item for item in patch if item not in live]
            return _ordered(union, patch, live, names, kind)
        return patch
    if any(item.get("$patch") == "replace" for item in patch):
        return [item for item in patch if item.get("$patch") != "replace"]
    merged = list(live)
    for item in patch:
        if key not in item:
            if item.get("$patch") == "delete":
                continue
            raise errors.bad_request(f"map: {item} does not contain declared merge key: {key}")
        index = next((i for i, old in enumerate(merged) if old.get(key) == item[key]), None)
        if item.get("$patch") == "delete":
            if index is not None:
                del merged[index]
        elif index is None:
            merged.append(_merge_map({}, item, names, kind))
        else:
            merged[index] = _merge_map(merged[index], item, names, kind)
    return _ordered(merged, patch, live, names, kind)


def _ordered(
    items: list[Any], order: list[Any], live: object, names: schema.Path, kind: str
) -> list[Any]:
    """Items in the order named; one not named goes before the first that came after it before.

    As ``mergeSortedSlice`` of k8s.io/apimachinery's strategicpatch does it.
    """
    key = schema.strategic_key(names, kind)

    def identity(item: Any) -> Any:
        return item.get(key) if key and isinstance(item, dict) else item

    rank = {repr(identity(item)): position for position, item in enumerate(order)}
    named = sorted(
        (item for item in items if repr(identity(item)) in rank),
        key=lambda item: rank[repr(identity(item))],
    )
    rest = [item for item in items if repr(identity(item)) not in rank]
    before = live if isinstance(live, list) else []
    place = {repr(identity(item)): position for position, item in enumerate(before)}
    merged: list[Any] = []
    while named and rest:
        left, right = (place.get(repr(identity(one))) for one in (rest[0], named[0]))
        first = left is not None and right is not None and left < right
        merged.append((rest if first else named).pop(0))
    return merged + named + rest
