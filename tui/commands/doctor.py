"""``kscale-tui doctor``: one look at a cluster, and what is wrong with it."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

import click
import msgspec

from tui.analysis.doctor.doctor import examine, wanted
from tui.analysis.doctor.finding import Finding, Severity
from tui.analysis.doctor.patient import Patient
from tui.analysis.scene import SIMULATED
from tui.cluster.access import ClusterConfig
from tui.cluster.errors import ClusterError
from tui.cluster.kubeconfig import load_config
from tui.cluster.session import Session, probe
from tui.commands.namespaces import ALL, choose
from tui.config import ConfigError, Settings, load
from tui.state.delta import Delta
from tui.state.fetched import Fetch
from tui.state.links import Health, Source
from tui.state.rows import Kind
from tui.state.store import Store
from tui.text import clean, in_json, plural, wrap

if TYPE_CHECKING:
    from tui.commands.doctor_fix import Wish

FAILED: Final = 1
USAGE: Final = 2
SCHEMA_VERSION: Final = 1
"""Of the JSON; grows when a field changes its meaning or goes."""
LISTS_WITHIN: Final = 15.0
"""Seconds that the lists may take."""
FETCHES_WITHIN: Final = 20.0
"""Seconds that everything else may take: what is late then is not known."""
_SOURCES: Final = (*Kind, *Source)
_UNSEEN: Final = (Health.FORBIDDEN, Health.CONNECTING, Health.RETRYING, Health.STOPPED)
_SIGNS: Final = {
    Severity.ERROR: ("✕", "red"),
    Severity.WARNING: ("▲", "yellow"),
    Severity.INFO: ("●", "cyan"),
    Severity.ADVICE: ("○", "white"),
}


@click.command(short_help="Look for the usual faults, once; exit 1 if something is wrong.")
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@click.option("-n", "--namespace", help="The namespace to look at; the context's by default.")
@click.option("-A", "--all-namespaces", "everywhere", is_flag=True, help="Look at all namespaces.")
@click.option("--context", help="The kubeconfig context to use.")
@click.option(
    "--kubeconfig", type=click.Path(exists=True, dir_okay=False), help="The kubeconfig file."
)
@click.option("--fix", "rule", metavar="ID", help="Preview this finding's fix, ask, and apply it.")
@click.option("--object", "of", default="", metavar="NAME", help="Whose, where there are several.")
@click.option("--dry-run", is_flag=True, help="With --fix: show what would change, and stop.")
@click.option("--yes", is_flag=True, help="With --fix: do not ask.")
@click.option(
    "--confirm-context",
    "typed",
    default="",
    metavar="NAME",
    help="With --fix: the context's name, where it looks like production.",
)
@click.option("--read-only", is_flag=True, help="Refuse to change anything.")
@click.option("--config", "settings", type=click.Path(dir_okay=False), help="The settings file.")
def command(
    as_json: bool,
    namespace: str | None,
    everywhere: bool,
    context: str | None,
    kubeconfig: str | None,
    rule: str | None,
    **rest: Any,
) -> None:
    """Look a cluster over for what keeps its workloads from scaling, and say what to do.

    Nothing is changed, unless --fix names a finding and it is confirmed. What may not be read, or
    is just changing, is never called a fault.

    Exit codes: 0 nothing is wrong, or it is repaired; 1 something is wrong, or the cluster cannot
    be reached, or neither pods nor HPAs may be read; 2 wrong usage. Notes and advice are no faults.
    """
    wish = _wish(rule, as_json, rest)
    if namespace and everywhere:
        click.echo(
            "kscale-tui doctor: -n and -A exclude each other; give one of them. "
            "See `kscale-tui doctor --help`.",
            err=True,
        )
        sys.exit(USAGE)
    chosen = choose(namespace, _settings(rest["settings"]), ALL)
    try:
        config = load_config(kubeconfig, context)
        scope = None if everywhere else chosen.name or config.namespace
        probe(config, None if everywhere else chosen.name, hint=chosen.hint)
        delta, findings = _look(config, scope)
    except ClusterError as error:
        _fail(str(error))
    if wish is not None:
        from tui.commands.doctor_fix import run

        run(wish, config, findings)
        return
    if as_json:
        click.echo(in_json(_document(config, scope, delta, findings)))
    else:
        click.echo(_report(config, scope, delta, findings))
    if _is_blind(delta) or any(finding.severity.wrong for finding in findings):
        sys.exit(FAILED)


def _settings(path: str | None) -> Settings:
    try:
        return load(Path(path) if path else None)
    except ConfigError as error:
        sentence = f"kscale-tui doctor: {clean(str(error))}. See `kscale-tui doctor --help`."
        click.echo(sentence, err=True)
        sys.exit(USAGE)


def _wish(rule: str | None, as_json: bool, rest: dict[str, Any]) -> Wish | None:
    """What is to be repaired; None if it is only looked."""
    if rule is None:
        if rest["of"] or rest["dry_run"] or rest["yes"] or rest["typed"]:
            click.echo(
                "kscale-tui doctor: --object, --dry-run, --yes and --confirm-context go with "
                "--fix ID. See `kscale-tui doctor --help`.",
                err=True,
            )
            sys.exit(USAGE)
        return None
    from tui.commands.doctor_fix import Wish, check

    wish = Wish(
        rule,
        rest["of"],
        rest["dry_run"],
        rest["yes"],
        rest["typed"],
        rest["read_only"],
        rest["settings"],
        as_json,
    )
    check(wish)
    return wish


def _look(config: ClusterConfig, namespace: str | None) -> tuple[Delta, tuple[Finding, ...]]:
    """List everything once, fetch what the rules ask for, and let them judge."""
    store = Store()
    session = Session(config, store, namespace=namespace, pace=0.0)
    session.start()
    try:
        _until(lambda: _listed(store), LISTS_WITHIN)
        deadline = time.monotonic() + FETCHES_WITHIN
        while True:
            delta = store.drain()
            patient = _patient(delta, store.clock.wall(), namespace)
            # What a ConfigMap holds may raise the next question.
            wants = wanted(patient)
            store.wanted = wants
            left = deadline - time.monotonic()
            if left <= 0 or all(fetch in delta.fetched for fetch in wants):
                return delta, examine(patient)
            _until(partial(_answered, store, wants), min(left, 1.0))
    finally:
        session.stop()


def _patient(delta: Delta, now: float, namespace: str | None) -> Patient:
    simulated = any(n.provider.startswith(SIMULATED) for n in delta.nodes.rows.values())
    return Patient(delta, now, simulated, namespace=namespace)


def _listed(store: Store) -> bool:
    links = store.links
    return all(s in links and links[s].health is not Health.CONNECTING for s in _SOURCES)


def _answered(store: Store, wants: tuple[Fetch, ...]) -> bool:
    return store.fetched.keys() >= set(wants)


def _until(true: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not true() and time.monotonic() < deadline:
        time.sleep(0.02)


def _fail(sentence: str) -> NoReturn:
    click.echo(f"kscale-tui doctor: {clean(sentence)}", err=True)
    sys.exit(FAILED)


# As JSON.


def _document(
    config: ClusterConfig, namespace: str | None, delta: Delta, findings: Iterable[Finding]
) -> dict[str, Any]:
    found = [msgspec.to_builtins(f) for f in findings if f.severity is not Severity.ADVICE]
    advice = [msgspec.to_builtins(f) for f in findings if f.severity is Severity.ADVICE]
    return {
        "schema_version": SCHEMA_VERSION,
        "context": config.context,
        "namespace": namespace,
        "findings": found,
        "advice": advice,
        "unseen": [{"what": what, "why": why} for what, why in _unseen(delta)],
    }


def _unseen(delta: Delta) -> list[tuple[str, str]]:
    """What could not be read, and why: no rule makes anything of it."""
    found = []
    for source in _SOURCES:
        link = delta.link(source)
        if link.health in _UNSEEN:
            found.append((source.value, clean(link.detail) or link.health.value))
    return found


def _is_blind(delta: Delta) -> bool:
    """Whether there was nothing to judge: that nothing was found tells nothing then."""
    return all(delta.link(kind).health in _UNSEEN for kind in (Kind.PODS, Kind.HPAS))


# As text.


def _report(
    config: ClusterConfig, namespace: str | None, delta: Delta, findings: tuple[Finding, ...]
) -> str:
    width = min(100, shutil.get_terminal_size().columns)
    where = "all namespaces" if namespace is None else f"namespace {clean(namespace)}"
    lines = [f"{clean(config.context or config.host)}, {where}", ""]
    counted = [f for f in findings if f.severity is not Severity.ADVICE]
    for finding in counted:
        lines += [*_finding(finding, width), ""]
    advice = [f for f in findings if f.severity is Severity.ADVICE]
    if advice:
        lines += [click.style("Worth knowing; nothing is wrong with it now", bold=True), ""]
        for finding in advice:
            lines += _brief(finding, width)
        lines.append("")
    lines.append("Nothing could be judged." if _is_blind(delta) else _summary(counted))
    unseen = _unseen(delta)
    if unseen:
        lines.append("Not seen, and so not judged:")
        for what, why in unseen:
            lines += [f"  {line}" for line in wrap(f"{what}: {why}", width - 2)]
    return "\n".join(lines)


def _finding(finding: Finding, width: int) -> list[str]:
    sign, colour = _SIGNS[finding.severity]
    head = click.style(f"{sign} {finding.severity.value}", fg=colour, bold=True)
    lines = [f"{head}  {finding.id}  {clean(finding.object)}"]
    lines += [click.style(f"  {line}", bold=True) for line in wrap(clean(finding.title), width - 2)]
    lines += [f"  {line}" for line in wrap(clean(finding.explanation), width - 2)]
    for each in finding.evidence:
        said = f"{each.object}: {each.field} = {each.value}"
        first, *rest = wrap(clean(said), width - 6) or [""]
        lines += [f"    · {first}", *(f"      {line}" for line in rest)]
    lines += [f"  → {line}" if n == 0 else f"    {line}" for n, line in enumerate(
        wrap(clean(finding.fix.words), width - 4)
    )]  # fmt: skip
    if finding.fix.command:
        lines.append(f"    $ {clean(finding.fix.command)}")
    if finding.fix.patch is not None:
        where = clean(finding.fix.patch.namespace)
        lines.append(f"    or: kscale-tui doctor -n {where} --fix {finding.id}")
    elif finding.fix.setup:
        lines.append(f"    or: kscale-tui setups apply {clean(finding.fix.setup)}")
    return lines


def _brief(finding: Finding, width: int) -> list[str]:
    """Advice in a line or two: all of it is in the JSON."""
    sign, colour = _SIGNS[finding.severity]
    first, *rest = wrap(f"{finding.id}: {clean(finding.title)}", width - 4) or [""]
    return [f"{click.style(sign, fg=colour)} {first}", *(f"    {line}" for line in rest)]


def _summary(findings: list[Finding]) -> str:
    errors = sum(f.severity is Severity.ERROR for f in findings)
    warnings = sum(f.severity is Severity.WARNING for f in findings)
    notes = len(findings) - errors - warnings
    if not errors and not warnings:
        rest = f" {plural(notes, 'note')}." if notes else ""
        return f"Nothing wrong was found.{rest}"
    parts = [
        plural(number, noun)
        for number, noun in ((errors, "error"), (warnings, "warning"), (notes, "note"))
        if number
    ]
    return f"{', '.join(parts)}."
