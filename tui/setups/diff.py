"""What differs between two versions of an object, field by field.

Lists whose items have names or ports are matched by them, as Kubernetes merges them; others are
compared as a whole. What the server keeps for itself, and our own notes, are no difference.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import islice
from typing import Any, Final

from tui import quantity
from tui.cluster import ownership
from tui.cluster.objects import Object
from tui.setups import covered, managed
from tui.setups.model import FieldChange

_NOISE: Final = frozenset(
    {
        "managedFields",
        "resourceVersion",
        "uid",
        "generation",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "selfLink",
        "ownerReferences",
    }
)
_OUR_NOTES: Final = frozenset({ownership.DIGEST, ownership.VALUES})
_SERVER_NOTES: Final = frozenset(
    {
        "deployment.kubernetes.io/revision",
        "kubectl.kubernetes.io/last-applied-configuration",
        "kubectl.kubernetes.io/restartedAt",
        "autoscaling.alpha.kubernetes.io/conditions",
        "autoscaling.alpha.kubernetes.io/current-metrics",
    }
)
_KEYS: Final[dict[str, tuple[str, ...]]] = {
    "containers": ("name",),
    "initContainers": ("name",),
    "env": ("name",),
    "volumes": ("name",),
    "volumeMounts": ("mountPath",),
    "imagePullSecrets": ("name",),
    "conditions": ("type",),
    "topologySpreadConstraints": ("topologyKey", "whenUnsatisfiable"),
    "hostAliases": ("ip",),
}
_QUANTITIES: Final = frozenset({"requests", "limits"})
"""Maps of them."""
_QUANTITY: Final = frozenset({"averageValue", "sizeLimit", "divisor"})
_LONGEST: Final = 400
_MOST: Final = 500
_TEXT: Final = 100_000


@dataclass(frozen=True, slots=True)
class Difference:
    """A change, and its path as ``managedFields`` would have it."""

    change: FieldChange
    path: managed.Path


def between(old: Object, new: Object) -> tuple[FieldChange, ...]:
    """Every field that differs, both versions being whole objects."""
    found = _walk(_stripped(old), _stripped(new), "", (), subset=False)
    return tuple(one.change for one in islice(found, _MOST))


def departures(wanted: Object, live: Object) -> list[Difference]:
    """Fields that ``wanted`` names and that are otherwise, or not at all, in ``live``."""
    found = _walk(_stripped(wanted), _stripped(live), "", (), subset=True)
    return list(islice(found, _MOST))


def below_spec(old: Object, new: Object) -> list[Difference]:
    """Every field of the spec that differs, notes on a pod template among them."""
    found = _walk(old.get("spec") or {}, new.get("spec") or {}, "spec", ("f:spec",), subset=False)
    return list(islice(found, _MOST))


def _stripped(body: Object) -> Object:
    metadata = {k: v for k, v in (body.get("metadata") or {}).items() if k not in _NOISE}
    annotations = {
        name: value
        for name, value in (metadata.pop("annotations", None) or {}).items()
        if name not in _OUR_NOTES and name not in _SERVER_NOTES
    }
    if annotations:
        metadata["annotations"] = annotations
    kept = {k: v for k, v in body.items() if k not in ("status", "metadata")}
    return {**_without_notes(kept), "metadata": metadata}


def _without_notes(body: Object) -> Object:
    """Without what ``kubectl rollout restart`` and the like note on a pod template."""
    spec = _map(body.get("spec"))
    template = _map(spec.get("template"))
    metadata = _map(template.get("metadata"))
    notes = _map(metadata.get("annotations"))
    if not notes.keys() & _SERVER_NOTES:
        return body
    kept = {name: value for name, value in notes.items() if name not in _SERVER_NOTES}
    slim = {k: v for k, v in metadata.items() if k != "annotations"}
    if kept:
        slim["annotations"] = kept
    rest = {k: v for k, v in template.items() if k != "metadata"}
    return {**body, "spec": {**spec, "template": {**rest, **({"metadata": slim} if slim else {})}}}


def _map(value: Any) -> Object:
    return value if isinstance(value, dict) else {}


def _walk(
    old: Any, new: Any, where: str, path: managed.Path, *, subset: bool
) -> Iterator[Difference]:
    if isinstance(old, dict) and isinstance(new, dict):
        names = list(old) if subset else list(dict.fromkeys([*old, *new]))
        for name in names:
            below = f"{where}.{name}" if where else name
            if "." in name or "/" in name:
                below = f"{where}[{name}]"
            yield from _walk(
                old.get(name, _ABSENT),
                new.get(name, _ABSENT),
                below,
                (*path, f"f:{name}"),
                subset=subset,
            )
        return
    if isinstance(old, list) and isinstance(new, list):
        keys = _keys(path, [*old, *new])
        if keys:
            yield from _items(old, new, keys, where, path, subset=subset)
            return
        if subset and len(old) == len(new):
            # Kept as one by Kubernetes, though defaults are added inside.
            for index, (one, other) in enumerate(zip(old, new, strict=True)):
                yield from _walk(one, other, f"{where}[{index}]", path, subset=True)
            return
    if isinstance(old, str) and isinstance(new, str) and "\n" in old and "\n" in new:
        yield from _lines(old, new, where, path)
        return
    if not _same(old, new, path):
        yield Difference(FieldChange(where, shown(old, path), shown(new, path)), path)


def _items(
    old: list[Any],
    new: list[Any],
    keys: tuple[str, ...],
    where: str,
    path: managed.Path,
    *,
    subset: bool,
) -> Iterator[Difference]:
    before = {managed.element(item, keys): item for item in old}
    after = {managed.element(item, keys): item for item in new}
    names = list(before) if subset else list(dict.fromkeys([*before, *after]))
    for name in names:
        item = before[name] if name in before else after[name]
        label = ",".join(f"{key}={item[key]}" for key in keys if key in item)
        yield from _walk(
            before.get(name, _ABSENT),
            after.get(name, _ABSENT),
            f"{where}[{label}]",
            (*path, name),
            subset=subset,
        )


def _lines(old: str, new: str, where: str, path: managed.Path) -> Iterator[Difference]:
    """A text of many lines, such as a configuration file: the lines that differ."""
    before, after = old[:_TEXT].splitlines(), new[:_TEXT].splitlines()
    if before == after and old != new:
        yield Difference(FieldChange(where, shown(old, path), shown(new, path)), path)
        return
    # What tells a secret may stand in another line than the one that differs.
    was, now = covered.lines(before), covered.lines(after)
    for kind, a, b, c, d in SequenceMatcher(None, before, after, autojunk=True).get_opcodes():
        if kind != "equal":
            change = FieldChange(
                f"{where} line {c + 1}",
                _json("\n".join(was[a:b]), path) if b > a else None,
                _json("\n".join(now[c:d]), path) if d > c else None,
            )
            yield Difference(change, path)


def _keys(path: managed.Path, items: list[Any]) -> tuple[str, ...]:
    """The keys by which a list's items are matched; none if it is compared as a whole."""
    name = path[-1][2:] if path else ""
    keys = _KEYS.get(name, ())
    if name == "ports":
        in_pod = any(isinstance(one, dict) and "containerPort" in one for one in items)
        keys = ("containerPort", "protocol") if in_pod else ("port", "protocol")
    if not keys or not all(isinstance(one, dict) and keys[0] in one for one in items):
        return ()
    distinct = {managed.element(one, keys) for one in items}
    return keys if distinct else ()


class _Absent:
    """Stands for a field that is not there."""


_ABSENT: Final = _Absent()


def _same(old: Any, new: Any, path: managed.Path) -> bool:
    if old is _ABSENT or new is _ABSENT:
        there = new if old is _ABSENT else old
        # An empty map or list and none at all are stored alike.
        return there in ({}, [], None)
    if old == new:
        return type(old) is type(new) or not isinstance(old, bool | None)
    if _is_quantity(path):
        try:
            return quantity.parse(str(old)) == quantity.parse(str(new))
        except quantity.QuantityError:
            return False
    return False


def _is_quantity(path: managed.Path) -> bool:
    """Whether the server keeps another spelling of it than was sent: 1Gi for 1024Mi."""
    above, name = (element[2:] for element in (("", "", *path)[-2:]))
    return above in _QUANTITIES or name in _QUANTITY or (above, name) == ("target", "value")


def shown(value: Any, path: managed.Path = ()) -> str | None:
    """A value as compact JSON, shortened; None for a field that is not there.

    What is called a password, a token or the like is never shown, wherever somebody put it.
    """
    return None if value is _ABSENT else _json(covered.value(value), path)


def _json(value: Any, path: managed.Path) -> str:
    if covered.by_path(path):
        value = covered.COVER
    text = json.dumps(value, ensure_ascii=False, separators=(", ", ": "))
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
