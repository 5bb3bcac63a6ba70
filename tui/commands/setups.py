"""``kscale-tui setups``: list, preview, apply, delete and look at setups without the screen."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Final, NoReturn

import click

from tui.cluster.audit import AuditLog
from tui.cluster.errors import ClusterError
from tui.cluster.kubeconfig import load_config
from tui.cluster.transport import Transport
from tui.commands.asking import confirmed
from tui.commands.stopping import stoppable
from tui.commands.telling import say
from tui.config import ConfigError, Settings, load
from tui.doors.guards import guard_of
from tui.setups import catalogue, report
from tui.setups.model import Catalogue, SetupError, State, UsageError
from tui.setups.outcome import STOPPED, Failure, Outcome, Progress
from tui.setups.plan import Plan
from tui.setups.setups import Setups
from tui.setups.values import assignments
from tui.text import clean, in_json

FAILED: Final = 1
USAGE: Final = 2
_BAD: Final = frozenset({State.DEGRADED, State.DRIFTED, State.UNKNOWN})


@click.group(short_help="Apply, preview and delete proxies, sample apps and HPAs.")
def command() -> None:
    """Folders of manifests that are applied and deleted as one, and never touch what is not theirs.

    Exit codes: 0 done, 1 it failed or found a fault, 2 wrong usage.
    """


def _options(function: Callable[..., None]) -> Callable[..., None]:
    for option in reversed(
        [
            click.option("--context", help="The kubeconfig context to use."),
            click.option("--kubeconfig", type=click.Path(dir_okay=False)),
            click.option("-n", "--namespace", help="Where; the context's namespace by default."),
            click.option(
                "--setups",
                "own",
                type=click.Path(file_okay=False),
                metavar="DIR",
                help="A folder of your own setups.",
            ),
            click.option("--config", type=click.Path(dir_okay=False), help="The settings file."),
            click.option("--read-only", is_flag=True, help="Refuse to change anything."),
            click.option("--json", "as_json", is_flag=True, help="Print JSON."),
        ]
    ):
        function = option(function)
    return function


_SET = click.option(
    "--set", "given", multiple=True, metavar="KEY=VALUE", help="A value of the setup; repeatable."
)
_YES = click.option("--yes", is_flag=True, help="Do not ask.")
_TYPED = click.option(
    "--confirm-context",
    "typed",
    default="",
    metavar="NAME",
    help="The context's name, where it looks like production.",
)
_WAIT = click.option(
    "--wait",
    type=click.FloatRange(0, 3600),
    default=120.0,
    show_default=True,
    help="Seconds to wait until it is done.",
)


@dataclass(slots=True)
class _Place:
    """What the options come to."""

    setups: Setups
    namespace: str
    as_json: bool
    transport: Transport
    allow_hosts: tuple[str, ...]


@command.command("list")
@_options
def list_(**options: Any) -> None:
    """What setups there are, and their values."""
    settings = _settings(options["config"])
    found = _catalogue(settings, options["own"])
    _answer(options["as_json"], report.catalogue_data(found), report.catalogue(found))
    if found.broken:
        sys.exit(FAILED)


@command.command()
@click.argument("name")
@_SET
@click.option("--exit-code", is_flag=True, help="Exit with 1 if anything would change.")
@_options
def diff(name: str, given: tuple[str, ...], exit_code: bool, **options: Any) -> None:
    """What applying NAME would change, as the server reckons it."""
    with _place(options) as place:
        plan = place.setups.plan(name, place.namespace, assignments(given))
        _answer(place.as_json, report.plan_data(plan), report.plan(plan))
        if plan.problems or (exit_code and not plan.empty):
            sys.exit(FAILED)


@command.command()
@click.argument("name")
@_SET
@_YES
@click.option("--dry-run", is_flag=True, help="Show what would change, and stop.")
@click.option(
    "--take-over",
    "managers",
    multiple=True,
    metavar="MANAGER",
    help="Take the fields that this manager owns and applying would change; repeatable.",
)
@click.option("--undo", is_flag=True, help="Take back what was done if it fails.")
@_TYPED
@_WAIT
@_options
def apply(
    name: str,
    given: tuple[str, ...],
    yes: bool,
    dry_run: bool,
    managers: tuple[str, ...],
    undo: bool,
    typed: str,
    wait: float,
    **options: Any,
) -> None:
    """Apply NAME, and wait until it is rolled out and answers."""
    with _place(options) as place:
        plan = place.setups.plan(name, place.namespace, assignments(given))
        _preview(place, report.plan_data(plan), report.plan(plan), yes=yes, dry_run=dry_run)
        if dry_run:
            sys.exit(FAILED if plan.problems else 0)
        refusal = _refusal(plan, managers)
        if refusal is not None:
            _refuse(place, name, refusal)
        typed = confirmed("setups", f"Apply {name} in {place.namespace}?", yes, plan.typed, typed)
        accepted = [one for one in plan.conflicts if one[1].manager in managers]
        with _probing(place), stoppable() as halt:
            ended = place.setups.apply(
                plan, partial(_tell, place), typed=typed, take_over=accepted, wait=wait, halt=halt
            )
        if ended.undo and undo:
            ended = _undone(place, ended, typed, wait)
        elif ended.undo:
            ended = replace(ended, undo=report.way_back(ended, _same_cluster(options)))
        _end(place, ended)


@command.command()
@click.argument("name")
@_YES
@click.option("--dry-run", is_flag=True, help="Show what would go, and stop.")
@_TYPED
@_WAIT
@_options
def delete(name: str, yes: bool, dry_run: bool, typed: str, wait: float, **options: Any) -> None:
    """Delete what was applied of NAME, and wait until it is gone."""
    with _place(options) as place:
        deletion = place.setups.deletion(name, place.namespace)
        lines = report.deletion(deletion)
        _preview(place, report.deletion_data(deletion), lines, yes=yes, dry_run=dry_run)
        if dry_run:
            sys.exit(FAILED if deletion.problems else 0)
        if deletion.problems:
            _refuse(place, name, Failure(None, "Refused", deletion.problems[0]))
        if not deletion.empty:
            typed = confirmed(
                "setups", f"Delete {name} in {place.namespace}?", yes, deletion.typed, typed
            )
        with stoppable() as halt:
            ended = place.setups.delete(
                deletion, partial(_tell, place), typed=typed, wait=wait, halt=halt
            )
        _end(place, ended)


@command.command(short_help="How NAME is, or every setup.")
@click.argument("name", required=False)
@_SET
@_options
def status(name: str | None, given: tuple[str, ...], **options: Any) -> None:
    """How NAME is, or every setup: absent, applying, healthy, degraded, drifted, not ours.

    Exits with 1 where something is wrong, or where NAME is not healthy.
    """
    if given and name is None:
        _usage("--set needs the NAME of a setup")
    with _place(options) as place:
        names = [name] if name else [one.name for one in place.setups.catalogue.setups]
        values = assignments(given)
        found = place.setups.statuses(place.namespace, names, {name: values} if name else None)
        data = [report.status_data(one) for one in found]
        lines = [line for one in found for line in report.status(one)]
        _answer(place.as_json, data[0] if name else data, lines)
        # A name that stands in every tutorial is no fault, unless it was asked for.
        bad = set(State) - {State.HEALTHY} if name else _BAD
        if any(one.state in bad for one in found):
            sys.exit(FAILED)


def _undone(place: _Place, ended: Outcome, typed: str, wait: float) -> Outcome:
    """An apply that failed, taken back."""
    with stoppable() as halt:
        undone = place.setups.undo(ended, partial(_tell, place), typed=typed, wait=wait, halt=halt)
    if undone.failure is not None:
        words = f"It could not be taken back: {undone.failure.sentence}"
        return replace(ended, undo=words, left=undone.left)
    failure = ended.failure
    if failure is not None and failure.reason == STOPPED:
        # Nothing is left that anything could complete.
        failure = replace(failure, sentence="It was stopped.")
    return replace(ended, failure=failure, undo="It was taken back.", left=())


def _same_cluster(options: dict[str, Any]) -> tuple[str, ...]:
    """The options that lead another command to where this one went."""
    given = ((f"--{name}", options[name]) for name in ("context", "kubeconfig"))
    return tuple(word for name, value in given if value for word in (name, value))


def _refusal(plan: Plan, managers: tuple[str, ...]) -> Failure | None:
    """Why a plan is not carried out; None if it is."""
    if plan.problems:
        return Failure(None, "Refused", plan.problems[0])
    for ref, clash in plan.conflicts:
        if clash.manager not in managers:
            return Failure(
                ref,
                "FieldConflict",
                f"{ref} has the field {clash.field}, which {clash.manager} manages. Leave it, or "
                f"take it over with --take-over {clash.manager}.",
            )
    return None


def _refuse(place: _Place, name: str, why: Failure) -> NoReturn:
    """Nothing was begun."""
    _end(place, Outcome(name, place.namespace, 0.0, (), failure=why))


@contextlib.contextmanager
def _place(options: dict[str, Any]) -> Iterator[_Place]:
    """The cluster and the catalogue; errors as sentences."""
    settings = _settings(options["config"])
    found = _catalogue(settings, options["own"])
    try:
        config = load_config(options["kubeconfig"], options["context"])
    except ClusterError as error:
        _fail(str(error))
    guard = guard_of(config, settings, read_only=bool(options["read_only"]))
    transport = Transport(config)
    overrides = settings.setups.overrides()
    setups = Setups(transport, found, guard, AuditLog(), overrides=overrides)
    namespace = options["namespace"] or settings.namespace or config.namespace
    try:
        yield _Place(setups, namespace, options["as_json"], transport, settings.load.allow_hosts)
    except UsageError as error:
        _usage(str(error).rstrip("."))
    except SetupError as error:
        _fail(str(error))
    finally:
        transport.close()


@contextlib.contextmanager
def _probing(place: _Place) -> Iterator[None]:
    """While this lasts, health paths are asked by the way that leads to their Service."""
    from tui.cluster.route import Surroundings
    from tui.cluster.route_finder import RealNetwork, RouteFinder
    from tui.cluster.session import Session
    from tui.setups.asking import ask
    from tui.state.rows import Kind
    from tui.state.store import Store

    store = Store()
    kinds = (Kind.SERVICES, Kind.ENDPOINTSLICES, Kind.NODES, Kind.PODS)
    session = Session(place.transport.config, store, namespace=place.namespace, kinds=kinds)
    session.start()
    routes = RouteFinder(
        place.transport.config,
        lambda: Surroundings.of(store.drain()),
        RealNetwork(session.transport),
        allowed=place.allow_hosts,
    )
    place.setups.probe_with(partial(ask, routes))
    try:
        yield
    finally:
        routes.close()
        session.stop()


def _catalogue(settings: Settings, own: str | None) -> Catalogue:
    folder = own or settings.setups.dir
    try:
        return catalogue.load(Path(folder) if folder else None)
    except SetupError as error:
        _usage(str(error).rstrip("."))


def _settings(path: str | None) -> Settings:
    try:
        return load(Path(path) if path else None)
    except ConfigError as error:
        _usage(str(error))


def _answer(as_json: bool, data: object, lines: Iterable[str]) -> None:
    """What was asked for, where nothing is written: that it cannot be printed is a failure."""
    for line in [in_json(data)] if as_json else lines:
        click.echo(line)


def _tell(place: _Place, step: Progress) -> None:
    say(report.progress(step), err=place.as_json)


def _end(place: _Place, ended: Outcome) -> NoReturn:
    if place.as_json:
        say(in_json(report.outcome_data(ended)))
    elif ended.good:
        _print(report.outcome(ended))
    if not ended.good:
        for line in report.outcome(ended):
            say(f"kscale-tui: {line}", err=True)
    sys.exit(0 if ended.good else FAILED)


def _preview(
    place: _Place, data: object, lines: Iterable[str], *, yes: bool, dry_run: bool
) -> None:
    """What a write would do, before it does; nobody is asked who cannot read it."""
    if dry_run:
        _answer(place.as_json, data, lines)
    elif not place.as_json and not _print(lines) and not yes:
        _fail("What would change cannot be shown; nothing was changed.")


def _print(lines: Iterable[str]) -> bool:
    return all(say(line) for line in lines)


def _fail(sentence: str) -> NoReturn:
    say(f"kscale-tui: {clean(sentence)}", err=True)
    sys.exit(FAILED)


def _usage(sentence: str) -> NoReturn:
    say(f"kscale-tui setups: {clean(sentence)}. See `kscale-tui setups --help`.", err=True)
    sys.exit(USAGE)
