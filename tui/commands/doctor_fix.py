"""``kscale-tui doctor --fix``: preview what a finding's fix changes, and apply it."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any, Final, NoReturn

import click

from tui.analysis.doctor.finding import Finding
from tui.analysis.doctor.registry import all_rules
from tui.cluster.access import ClusterConfig
from tui.cluster.audit import AuditLog
from tui.cluster.transport import Transport
from tui.commands.asking import confirmed
from tui.commands.stopping import stoppable
from tui.commands.telling import say
from tui.config import ConfigError, Settings, load
from tui.doors.guards import guard_of
from tui.setups.model import SetupError
from tui.setups.repair import Repair, Repairs
from tui.setups.repair_words import words
from tui.text import clean, in_json

FAILED: Final = 1
USAGE: Final = 2
SCHEMA_VERSION: Final = 1
"""Of the JSON; grows when a field changes its meaning or goes."""
_WIDTH: Final = 100


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for on the command line."""

    rule: str
    object: str = ""
    """Whose finding, where there are several: ``default/web``, or just ``web``."""
    dry_run: bool = False
    yes: bool = False
    typed: str = ""
    read_only: bool = False
    settings: str | None = None
    as_json: bool = False


def check(wish: Wish) -> None:
    """Exit with 2 if there is no such rule, before the cluster is asked."""
    known = [rule.id for rule in all_rules()]
    if wish.rule not in known:
        near = get_close_matches(wish.rule, known, 1)
        hint = f"the nearest is {near[0]}" if near else "an id stands behind a finding's severity"
        _usage(f"there is no rule {clean(wish.rule)}; {hint}")


def run(wish: Wish, config: ClusterConfig, findings: Iterable[Finding]) -> None:
    """Preview and apply; exits with 1 where it cannot be done."""
    finding = _chosen(wish, findings)
    fix = finding.fix
    if fix.setup:
        _fail(f"That is what a setup repairs: kscale-tui setups apply {clean(fix.setup)}")
    if fix.patch is None:
        then = f" By hand: {clean(fix.command)}" if fix.command else ""
        _fail(f"{clean(fix.words)} It is not applied from here: {clean(fix.by_hand)}.{then}")
    guard = guard_of(config, _settings(wish.settings), read_only=wish.read_only)
    transport = Transport(config)
    try:
        repairs = Repairs(transport, guard, AuditLog())
        repair = repairs.look(finding.id, fix.patch)
        if wish.dry_run or not wish.as_json or not repair.possible:
            _show(wish, repair)
        if repair.problems:
            _fail(repair.problems[0] if wish.as_json else "Nothing was changed.")
        if wish.dry_run or not repair.possible:
            return
        typed = confirmed(
            "doctor", f"Change {clean(str(repair.ref))}?", wish.yes, repair.typed, wish.typed
        )
        _carry_out(wish, repairs, repair, typed)
    except SetupError as error:
        _fail(str(error))
    finally:
        transport.close()


def _carry_out(wish: Wish, repairs: Repairs, repair: Repair, typed: str) -> None:
    try:
        with stoppable() as halt:
            done = repairs.carry_out(repair, typed, halt)
    except SetupError as error:
        if wish.as_json:
            _show(wish, replace(repair, problems=(str(error),)))
        raise
    _show(wish, done, done=True)


def _chosen(wish: Wish, findings: Iterable[Finding]) -> Finding:
    """The finding of that rule, of that object."""
    of_rule = [one for one in findings if one.id == wish.rule]
    if not of_rule:
        _fail(f"The doctor finds no {wish.rule} here: there is nothing to repair.")
    found = [one for one in of_rule if _is_of(one, wish.object)]
    if not found:
        _fail(
            f"No finding of {wish.rule} is of {clean(wish.object)}. "
            f"There are findings of {_objects(of_rule)}."
        )
    if len(found) > 1:
        _usage(f"there are several; add --object with one of: {_objects(found)}")
    return found[0]


def _is_of(finding: Finding, wanted: str) -> bool:
    _, _, name = finding.object.partition(" ")
    return wanted in ("", finding.object, name, name.rpartition("/")[2])


def _objects(findings: Iterable[Finding]) -> str:
    return ", ".join(clean(one.object) for one in findings)


def _show(wish: Wish, repair: Repair, *, done: bool = False) -> None:
    if wish.as_json:
        lines = [in_json(_data(repair, done))]
    else:
        said = words(repair, _WIDTH, done=done, whole=True)
        lines = [f"{sign}{text}".rstrip() for sign, text, _ in said]
    for line in lines:
        # What is done is done, whether or not anybody reads it.
        (say if done else click.echo)(line)


def _data(repair: Repair, done: bool) -> dict[str, Any]:
    return {
        "schema_version": SCHEMA_VERSION,
        "rule": repair.rule,
        "object": {
            "kind": repair.ref.kind,
            "namespace": repair.ref.namespace,
            "name": repair.ref.name,
        },
        "patch": repair.patch,
        "changes": [{"path": one.path, "old": one.old, "new": one.new} for one in repair.changes],
        "managers": list(repair.keepers),
        "warnings": list(repair.warnings),
        "problems": list(repair.problems),
        "undo": repair.undo.command if repair.undo is not None else "",
        "done": done,
    }


def _settings(path: str | None) -> Settings:
    from pathlib import Path

    try:
        return load(Path(path) if path else None)
    except ConfigError as error:
        _usage(str(error))


def _fail(sentence: str) -> NoReturn:
    click.echo(f"kscale-tui doctor: {clean(sentence)}", err=True)
    sys.exit(FAILED)


def _usage(sentence: str) -> NoReturn:
    click.echo(f"kscale-tui doctor: {clean(sentence)}. See `kscale-tui doctor --help`.", err=True)
    sys.exit(USAGE)
