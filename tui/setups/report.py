"""Plans, outcomes and states of setups as text and as JSON-able data, for the command line.

All text is cleaned here: it may come from a cluster or a user's folder.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator
from typing import Any, Final

from tui.cluster.objects import Ref
from tui.setups.model import Catalogue, FieldChange, SetupStatus
from tui.setups.outcome import Outcome, Progress
from tui.setups.plan import Action, Deletion, ObjectDiff, Plan
from tui.text import clean

SCHEMA_VERSION: Final = 1
"""Of the JSON; it grows when a field is taken away or means another thing."""
_SIGNS: Final = {
    Action.CREATE: "+",
    Action.CHANGE: "~",
    Action.UNCHANGED: "=",
    Action.PRUNE: "-",
    Action.REFUSED: "!",
}


def catalogue(found: Catalogue) -> Iterator[str]:
    """Lines that list the setups and their values."""
    for setup in found.setups:
        own = "" if setup.builtin else f"  ({clean(str(setup.folder))})"
        yield f"{clean(setup.name)}: {clean(setup.title)}{own}"
        yield f"    {clean(setup.summary)}"
        for one in setup.placeholders:
            yield f"      {clean(one.name)}={clean(str(one.default))}  {clean(one.title)}"
    for broken in found.broken:
        yield f"{clean(broken.name)}: {clean(broken.problem)}"
    if found.own is not None and not found.broken and all(one.builtin for one in found.setups):
        yield f"None of the folders in {clean(str(found.own))} has a setup.toml."


def plan(made: Plan) -> Iterator[str]:
    """Lines that say what applying would do."""
    for one in made.objects:
        yield f"{_SIGNS[one.action]} {_ref(one.ref)}: {one.action.value}"
        yield from _details(one)
    for prerequisite in made.prerequisites:
        mark = "ok" if prerequisite.met else "missing" if prerequisite.blocks else "not yet"
        yield f"needs ({mark}): {clean(prerequisite.sentence)}"
    if made.local:
        yield "The server was not asked: this is reckoned from what is there."
    for problem in made.problems:
        yield f"! {clean(problem)}"


def _details(one: ObjectDiff) -> Iterator[str]:
    for change in one.changes:
        yield f"    {_change(change)}"
    for clash in one.conflicts:
        yield f"    conflict: {clean(clash.field)} is managed by {clean(clash.manager)}"
    for warning in one.warnings:
        yield f"    warning: {clean(warning)}"
    if one.note:
        yield f"    {clean(one.note)}"


def _change(change: FieldChange) -> str:
    old, new = (clean(one) if one is not None else None for one in (change.old, change.new))
    if old is None:
        return f"{clean(change.path)}: {new} (new)"
    if new is None:
        return f"{clean(change.path)}: {old} goes"
    return f"{clean(change.path)}: {old} -> {new}"


def deletion(made: Deletion) -> Iterator[str]:
    """Lines that say what deleting would delete."""
    for ref, uid in made.objects:
        yield f"- {_ref(ref)} ({clean(uid)})"
    for ref, owner in made.foreign:
        yield f"  stays: {_ref(ref)}, which belongs to {clean(owner)}"
    if made.empty:
        yield f"There is nothing of the setup {clean(made.setup)} in {clean(made.namespace)}."
    for problem in made.problems:
        yield f"! {clean(problem)}"


def progress(step: Progress) -> str:
    """A line for a step."""
    return f"{step.seconds:6.1f} s  {_ref(step.ref)}: {clean(step.sentence)}"


def outcome(ended: Outcome) -> Iterator[str]:
    """Lines that say how it ended."""
    if ended.failure is None:
        yield f"Done in {ended.seconds:.1f} s. {clean(ended.probe)}".rstrip()
        return
    yield clean(ended.failure.sentence)
    if ended.left:
        yield f"Not done: {', '.join(_ref(ref) for ref in ended.left)}."
    if ended.undo:
        yield clean(ended.undo)


def way_back(ended: Outcome, options: Iterable[str] = ()) -> str:
    """What an apply that failed has left, and the commands that see to it.

    Args:
        ended: the apply.
        options: that lead a command to the same cluster.
    """
    where = shlex.join(["-n", ended.namespace, *options])
    made = tuple(ref for ref, _ in ended.created)
    words = []
    if made:
        words.append(f"Created: {', '.join(map(str, made))}.")
    if ended.before:
        words.append(f"Changed: {', '.join(str(ref) for ref, _ in ended.before)}.")
    delete = f"kscale-tui setups delete {ended.setup} {where}"
    if set(made) == set(ended.done):
        words.append(f"This deletes it: {delete}")
    else:
        words.append(
            "Apply it again with the values that it had, or delete all of it, what was there "
            f"before as well: {delete}"
        )
    return " ".join(words)


def status(found: SetupStatus) -> Iterator[str]:
    """Lines for one setup's state."""
    ready = "" if found.wanted is None else f"  {found.ready}/{found.wanted}"
    yield f"{clean(found.setup):14} {found.state.value:10}{ready:7} {clean(found.sentence)}"
    for one in found.drift:
        by = f" by {clean(one.by)}" if one.by else ""
        yield f"    {_ref(one.ref)}: {_change(one.change)}{by}"


def catalogue_data(found: Catalogue) -> list[dict[str, Any]]:
    """As JSON."""
    made: list[dict[str, Any]] = [
        {
            "schema_version": SCHEMA_VERSION,
            "name": setup.name,
            "title": setup.title,
            "summary": setup.summary,
            "builtin": setup.builtin,
            "folder": str(setup.folder),
            "values": [
                {"name": p.name, "type": p.type.value, "default": p.default, "title": p.title}
                for p in setup.placeholders
            ],
        }
        for setup in found.setups
    ]
    made += [
        {
            "schema_version": SCHEMA_VERSION,
            "name": one.name,
            "folder": str(one.folder),
            "problem": one.problem,
        }
        for one in found.broken
    ]
    return made


def plan_data(made: Plan) -> dict[str, Any]:
    """As JSON."""
    return {
        "schema_version": SCHEMA_VERSION,
        "setup": made.setup.name,
        "namespace": made.namespace,
        "values": dict(made.values),
        "objects": [
            {
                **_ref_data(one.ref),
                "action": one.action.value,
                "changes": [_change_data(change) for change in one.changes],
                "conflicts": [{"manager": c.manager, "field": c.field} for c in one.conflicts],
                "warnings": list(one.warnings),
                "note": one.note,
                "problem": one.problem,
                "owner": one.owner,
            }
            for one in made.objects
        ],
        "prerequisites": [
            {"kind": p.need.kind.value, "met": p.met, "blocks": p.blocks, "sentence": p.sentence}
            for p in made.prerequisites
        ],
        "problems": list(made.problems),
        "local": made.local,
    }


def deletion_data(made: Deletion) -> dict[str, Any]:
    """As JSON."""
    return {
        "schema_version": SCHEMA_VERSION,
        "setup": made.setup,
        "namespace": made.namespace,
        "objects": [{**_ref_data(ref), "uid": uid} for ref, uid in made.objects],
        "foreign": [{**_ref_data(ref), "owner": owner} for ref, owner in made.foreign],
        "problems": list(made.problems),
    }


def outcome_data(ended: Outcome) -> dict[str, Any]:
    """As JSON."""
    failure = ended.failure
    return {
        "schema_version": SCHEMA_VERSION,
        "setup": ended.setup,
        "namespace": ended.namespace,
        "seconds": round(ended.seconds, 3),
        "done": [_ref_data(ref) for ref in ended.done],
        "left": [_ref_data(ref) for ref in ended.left],
        "failure": None
        if failure is None
        else {
            "object": None if failure.ref is None else _ref_data(failure.ref),
            "reason": failure.reason,
            "sentence": failure.sentence,
        },
        "undo": ended.undo,
        "probe": ended.probe,
    }


def status_data(found: SetupStatus) -> dict[str, Any]:
    """As JSON."""
    return {
        "schema_version": SCHEMA_VERSION,
        "setup": found.setup,
        "namespace": found.namespace,
        "state": found.state.value,
        "sentence": found.sentence,
        "ready": found.ready,
        "wanted": found.wanted,
        "objects": _refs(found.objects),
        "missing": _refs(found.missing),
        "leftover": _refs(found.leftover),
        "foreign": [{**_ref_data(ref), "owner": owner} for ref, owner in found.foreign],
        "drift": [
            {**_ref_data(d.ref), **_change_data(d.change), "by": d.by, "added": d.added}
            for d in found.drift
        ],
    }


def _change_data(change: FieldChange) -> dict[str, Any]:
    return {"path": change.path, "old": change.old, "new": change.new}


def _ref_data(ref: Ref) -> dict[str, str]:
    return {"kind": ref.kind, "namespace": ref.namespace, "name": ref.name}


def _refs(refs: Iterable[Ref]) -> list[dict[str, str]]:
    return [_ref_data(ref) for ref in refs]


def _ref(ref: Ref) -> str:
    return clean(str(ref))
