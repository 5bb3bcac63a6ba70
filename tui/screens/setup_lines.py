"""A plan or a deletion in lines: what comes, goes and changes, and what stands against it."""

from __future__ import annotations

from typing import Final

from tui.cluster.objects import Ref
from tui.panes.line import Line
from tui.setups.model import FieldChange
from tui.setups.plan import Action, Deletion, ObjectDiff, Plan
from tui.text import clean, wrap

_SIGNS: Final = {
    Action.CREATE: ("+", "good"),
    Action.CHANGE: ("~", "decided"),
    Action.UNCHANGED: ("=", "muted"),
    Action.PRUNE: ("-", "bad"),
    Action.REFUSED: ("✕", "bad"),
}
_MOST: Final = 300
"""Characters of a value that are shown."""


def of_plan(plan: Plan, room: int) -> list[Line]:
    """Problems first, then prerequisites, then every object with its changed fields."""
    lines: list[Line] = []
    for problem in plan.problems:
        lines += _wrapped(f"✕ {problem}", room, "bad")
    for ref, clash in plan.conflicts:
        said = f"≠ {_ref(ref)}: {clash.field} is managed by {clash.manager}"
        lines += _wrapped(said, room, "decided")
    for one in plan.prerequisites:
        if one.blocks:
            continue  # it stands among the problems
        sign, ink = ("✓", "good") if one.met else ("▲", "decided")
        lines += _wrapped(f"{sign} {one.sentence}", room, ink)
    if plan.local:
        lines += _wrapped("The server was not asked: this is our own reckoning.", room, "estimated")
    if lines:
        lines.append([])
    for diff in plan.objects:
        lines += _object(diff, room)
    return lines


def _object(diff: ObjectDiff, room: int) -> list[Line]:
    sign, ink = _SIGNS[diff.action]
    lines: list[Line] = [
        [(f"{sign} ", f"bold {ink}"), (_ref(diff.ref), "bold"), (f"  {diff.action.value}", ink)]
    ]
    for change in diff.changes:
        lines += _change(change, room, new=diff.action is Action.CREATE)
    for warning in diff.warnings:
        lines += _wrapped(f"    the API server warns: {warning}", room, "decided")
    if diff.note:
        lines += _wrapped(f"    {diff.note}", room, "decided")
    return lines


def _change(change: FieldChange, room: int, *, new: bool) -> list[Line]:
    old, then = change.old, change.new
    if then is None:
        return _wrapped(f"    {change.path}: {_short(old)} goes", room, "bad")
    if old is None:
        return _wrapped(f"    {change.path}: {_short(then)}", room, "muted" if new else "good")
    return _wrapped(f"    {change.path}: {_short(old)} → {_short(then)}", room, "decided")


def of_deletion(deletion: Deletion, room: int) -> list[Line]:
    """Exactly what will go, and what stays because it is not ours."""
    lines: list[Line] = []
    for problem in deletion.problems:
        lines += _wrapped(f"✕ {problem}", room, "bad")
    if deletion.empty:
        where = f"There is nothing of the setup {deletion.setup} in {deletion.namespace}."
        lines += _wrapped(where, room, "muted")
    for ref, uid in deletion.objects:
        lines.append([("- ", "bold bad"), (_ref(ref), "bold"), (f"  {clean(uid)}", "muted")])
    if deletion.objects:
        lines.append([("  and the pods and ReplicaSets that belong to them", "muted")])
    for ref, owner in deletion.foreign:
        lines += _wrapped(f"= {_ref(ref)} stays: it belongs to {owner}", room, "decided")
    return lines


def refused(prepared: Plan | Deletion) -> bool:
    """Whether it cannot be carried out, whatever is confirmed."""
    return bool(prepared.problems) or prepared.empty


def _ref(ref: Ref) -> str:
    return clean(f"{ref.kind}/{ref.name}")


def _short(value: str | None) -> str:
    text = value or ""
    return text if len(text) <= _MOST else text[:_MOST] + "…"


def _wrapped(text: str, room: int, ink: str) -> list[Line]:
    indent = "    " if text.startswith("    ") else "  "
    parts = wrap(clean(text.strip()), max(10, room - len(indent)))
    first = "    " if text.startswith("    ") else ""
    return [[(first if n == 0 else indent, ""), (part, ink)] for n, part in enumerate(parts)]
