"""Which fields of our objects somebody else changed since, and who."""

from __future__ import annotations

from typing import Any, Final

from tui.cluster import ownership
from tui.cluster.objects import Object, Ref
from tui.setups import diff, managed
from tui.setups.model import Drift, FieldChange

_WATCHED: Final = ("f:spec", "f:data", "f:binaryData")
_CONTROLLERS: Final = frozenset(
    {"kube-controller-manager", "kube-scheduler", "kubelet", "k3s", "kube-apiserver"}
)
_MOST: Final = 100


def find(wanted: Object, ref: Ref, live: Object) -> tuple[Drift, ...]:
    """How a live object departs from what would be applied to it.

    Fields that we apply and that are otherwise now; and fields of the spec that somebody added.
    What controllers write, and numbers that an HPA decides, are no drift.
    """
    entries = managed.managers(live)
    found = [
        Drift(ref, one.change, _by(entries, one.path)) for one in diff.departures(wanted, live)
    ]
    known = {drift.change.path for drift in found}
    for drift in _added(wanted, ref, live, entries):
        if drift.change.path not in known:
            known.add(drift.change.path)
            found.append(drift)
    return tuple(found[:_MOST])


def _by(entries: list[managed.Manager], path: managed.Path) -> str:
    """Who owns the field now; where nobody does, it was taken away by the latest writer."""
    owners = [one for one in managed.owners(entries, path) if one.name != ownership.MANAGER]
    if owners:
        return owners[0].name
    others = [
        one
        for one in entries
        if one.name != ownership.MANAGER and not one.subresource and one.name not in _CONTROLLERS
    ]
    return max(others, key=lambda one: one.time).name if others else ""


def _added(wanted: Object, ref: Ref, live: Object, entries: list[managed.Manager]) -> list[Drift]:
    ours: set[managed.Path] = set()
    for one in entries:
        if one.name == ownership.MANAGER:
            ours |= one.fields
    found: list[Drift] = []
    for entry in entries:
        if entry.name == ownership.MANAGER or entry.subresource or entry.name in _CONTROLLERS:
            continue
        for path in sorted(entry.fields - ours):
            if path[0] not in _WATCHED or any(p[: len(path)] == path for p in ours):
                continue
            there, value, shown = _at(live, path)
            if not there or _at(wanted, path)[0] or "kubectl.kubernetes.io" in path[-1]:
                continue
            change = FieldChange(shown, None, diff.shown(value, path))
            found.append(Drift(ref, change, entry.name, added=True))
    return found


def _at(node: Any, path: managed.Path) -> tuple[bool, Any, str]:
    """Whether there is something at a path, what, and the path for people."""
    shown = ""
    for element in path:
        kind, name = element[:2], element[2:]
        if kind == "f:" and isinstance(node, dict) and name in node:
            node = node[name]
            plain = not ("." in name or "/" in name)
            shown += (f".{name}" if shown else name) if plain else f"[{name}]"
        elif kind == "k:" and isinstance(node, list):
            item = next((one for one in node if _is(one, element)), None)
            if item is None:
                return False, None, shown
            node = item
            shown += f"[{_label(element)}]"
        else:
            return False, None, shown
    return True, node, shown


def _is(item: Any, element: str) -> bool:
    keys = tuple(managed.keys(element))
    return isinstance(item, dict) and managed.element(item, keys) == element


def _label(element: str) -> str:
    return ",".join(f"{key}={value}" for key, value in managed.keys(element).items())
