"""Object metadata: what the server sets, what a client may, and what counts as a change."""

from __future__ import annotations

from typing import Any, Final

from tui.demo.store import Object

_SERVER_SET: Final = (
    "name",
    "generateName",
    "namespace",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
)
_NEVER: Final = ("managedFields", "selfLink")


def made(metadata: Object, *, namespace: str, uid: str, created: str) -> Object:
    """The metadata of a new object, in the order an API server writes it."""
    fresh: Object = {"name": metadata["name"]}
    if metadata.get("generateName"):
        fresh["generateName"] = metadata["generateName"]
    if namespace:
        fresh["namespace"] = namespace
    fresh |= {"uid": uid, "resourceVersion": "", "creationTimestamp": created}
    fresh |= {
        name: value
        for name, value in metadata.items()
        if name not in _SERVER_SET and value not in ({}, [], None)
    }
    return fresh


def kept(new: Object, old: Object) -> Object:
    """The metadata of a changed object: the client's, but for what only the server sets."""
    merged: Object = {name: old[name] for name in _SERVER_SET if name in old}
    merged |= {
        name: value
        for name, value in new.items()
        if name not in _SERVER_SET and name not in _NEVER and value
    }
    if "managedFields" in old:
        merged["managedFields"] = old["managedFields"]
    return merged


def unchanged(old: Object, new: Object, *, managed_fields: bool = False) -> bool:
    """Whether two versions say the same, so that nothing need be stored.

    Args:
        old: the one version.
        new: the other.
        managed_fields: whether a change of managers alone is a change.
    """
    if any(old.get(k) != new.get(k) for k in old.keys() | new.keys() if k != "metadata"):
        return False
    ignored = {"resourceVersion"} if managed_fields else {"resourceVersion", "managedFields"}

    def compared(data: Object) -> Any:
        return {k: v for k, v in data["metadata"].items() if k not in ignored}

    return bool(compared(old) == compared(new))
