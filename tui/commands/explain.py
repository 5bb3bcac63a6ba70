"""``kscale-tui explain hpa/NAME``: why it did, or did not, scale, step by step."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NoReturn

import click

from tui.analysis import hpa
from tui.analysis.doctor.words import listed
from tui.analysis.focus import Focus, Target, resolve
from tui.analysis.why import Explainer, Explanation
from tui.analysis.why_needs import custom, needs_of
from tui.analysis.why_sentence import sentences
from tui.analysis.why_steps import steps
from tui.analysis.why_words import Step, Text
from tui.cluster.access import ClusterConfig
from tui.cluster.errors import ClusterError
from tui.cluster.kubeconfig import load_config
from tui.cluster.session import Session, probe
from tui.commands.namespaces import choose
from tui.config import ConfigError, Settings, load
from tui.state.delta import Delta
from tui.state.links import Health, Source
from tui.state.rows import HpaRow, Kind
from tui.state.store import Clock, Store
from tui.text import clean, in_json, pad, width, wrap

FAILED: Final = 1
USAGE: Final = 2
SCHEMA_VERSION: Final = 1
"""Of the JSON; grows when a field changes its meaning or goes."""
LISTS_WITHIN: Final = 15.0
"""Seconds that the lists may take."""
CUSTOM_WITHIN: Final = 10.0
"""Seconds that custom and external metrics may take."""
SECOND_LOOK: Final = 20.0
"""Seconds to wait for the controller's next look: one period and some."""
_KINDS: Final = (
    Kind.PODS,
    Kind.HPAS,
    Kind.DEPLOYMENTS,
    Kind.REPLICASETS,
    Kind.STATEFULSETS,
    Kind.EVENTS,
)
_ALIASES: Final = ("hpa", "horizontalpodautoscaler", "horizontalpodautoscalers")


@dataclass(frozen=True, slots=True)
class Answer:
    """What was found out of one HPA."""

    row: HpaRow
    why: Explanation
    at: float

    @property
    def outcome(self) -> hpa.Outcome | None:
        """The look seen, or what the next one will bring."""
        look = self.why.look
        return look.outcome if look is not None else self.why.outlook


@click.command(short_help="Why an HPA did, or did not, scale: every step with its numbers.")
@click.argument("what", metavar="hpa/NAME")
@click.option("--json", "as_json", is_flag=True, help="Print the steps as JSON.")
@click.option("-n", "--namespace", help="The HPA's namespace; the context's by default.")
@click.option("--context", help="The kubeconfig context to use.")
@click.option(
    "--kubeconfig", type=click.Path(exists=True, dir_okay=False), help="The kubeconfig file."
)
@click.option("--config", "settings", type=click.Path(dir_okay=False), help="The settings file.")
@click.option("--once", is_flag=True, help="Do not wait for the controller's next look.")
def command(
    what: str,
    as_json: bool,
    namespace: str | None,
    context: str | None,
    kubeconfig: str | None,
    settings: str | None,
    once: bool,
) -> None:
    """Reckon what an HPA's controller reckons, from usage to desired, and mark what decides.

    The controller's memory (recommendations, rescales) cannot be read. Where the answer rests on
    it, the command watches one more look, at most 20 s, and calls the step estimated.

    Exit codes: 0 explained, 1 the HPA has no figure, is not there, or the cluster cannot be
    reached, 2 wrong usage.
    """
    kind, slash, name = what.partition("/")
    if not slash:
        kind, name = "hpa", what
    if kind.lower() not in _ALIASES or not name or "/" in name:
        _stop(
            f"'{clean(what)}' names no HPA; use hpa/NAME. See `kscale-tui explain --help`.", USAGE
        )
    chosen = choose(namespace, _settings(settings))
    try:
        config = load_config(kubeconfig, context)
        scope = chosen.name or config.namespace
        probe(config, chosen.name, hint=chosen.hint)
        found = ask(config, scope, name, wait=0.0 if once else SECOND_LOOK)
    except ClusterError as error:
        _stop(str(error), FAILED)
    if found.outcome is None:
        _stop(f"HPA {clean(name)}: {clean(found.why.trouble)}.", FAILED)
    printed = in_json(document(found)) if as_json else report(found)
    click.echo(printed)
    if found.outcome.decision.failed:
        sys.exit(FAILED)


def _settings(path: str | None) -> Settings:
    try:
        return load(Path(path) if path else None)
    except ConfigError as error:
        _stop(f"{error}. See `kscale-tui explain --help`.", USAGE)


def ask(
    config: ClusterConfig,
    namespace: str,
    name: str,
    *,
    wait: float = SECOND_LOOK,
    clock: Clock = time.time,
) -> Answer:
    """List what a look reads, and reckon; watch another look where memory plays a part.

    Raises:
        ClusterError: there is no such HPA, or the lists did not come.
    """
    store = Store(clock)
    session = Session(config, store, namespace=namespace, kinds=_KINDS)
    session.start()
    try:
        _until(lambda: _listed(store), LISTS_WITHIN)
        explainer = Explainer()
        begin = time.monotonic()
        while True:
            delta = store.drain()
            focus = _focus(delta, namespace, name)
            row = _found(delta, focus, namespace, name)
            store.needs = needs_of(focus)
            why = explainer.feed(delta, focus, store.clock())
            spent = time.monotonic() - begin
            ready = why.outlook is not None and _custom_read(row, delta, spent)
            if (ready and not _rests_on_memory(why)) or why.look is not None:
                return Answer(row, why, store.clock())
            if spent > (wait if ready else max(wait, CUSTOM_WITHIN if why.outlook else 1.0)):
                return Answer(row, why, store.clock())
            time.sleep(0.1)
    finally:
        session.stop()


def _focus(delta: Delta, namespace: str, name: str) -> Focus:
    row = next(
        (h for h in delta.hpas.rows.values() if (h.namespace, h.name) == (namespace, name)), None
    )
    if row is None:
        return Focus()
    return resolve(delta, row.uid, Target(row.target_kind, row.target_name, row.namespace))


def _found(delta: Delta, focus: Focus, namespace: str, name: str) -> HpaRow:
    if focus.hpa is not None:
        return focus.hpa
    link = delta.link(Kind.HPAS)
    if link.health is not Health.LIVE:
        forbidden = link.health is Health.FORBIDDEN
        raise ClusterError(
            link.detail or "The HPAs did not come in time.",
            "Name a namespace that may be read with -n." if forbidden else "Try again.",
        )
    others = sorted(clean(h.name) for h in delta.hpas.rows.values())
    if not others:
        said = f"There is no HPA in namespace {clean(namespace)}, and so no {clean(name)}."
        raise ClusterError(said, "Name another namespace with -n.")
    raise ClusterError(
        f"There is no HPA {clean(name)} in namespace {clean(namespace)}.",
        f"It has {listed(others, most=5)}.",
    )


def _custom_read(row: HpaRow, delta: Delta, spent: float) -> bool:
    return not custom(row) or row.uid in delta.readings or spent > CUSTOM_WITHIN


def _rests_on_memory(why: Explanation) -> bool:
    if why.outlook is None or why.outlook.decision.normalization is None:
        return False
    return any(step.estimated for step in steps(why.outlook, 0.0))


def _listed(store: Store) -> bool:
    links = store.links
    needed = (*_KINDS, Source.POD_METRICS)
    return all(s in links and links[s].health is not Health.CONNECTING for s in needed)


def _until(true: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not true() and time.monotonic() < deadline:
        time.sleep(0.02)


def _stop(sentence: str, code: int) -> NoReturn:
    click.echo(f"kscale-tui explain: {clean(sentence)}", err=True)
    sys.exit(code)


# For people.


def report(found: Answer) -> str:
    """Every step on a line; the one that decides begins with ▶."""
    outcome = found.outcome
    if outcome is None:
        return found.why.trouble
    room = max(60, min(110, shutil.get_terminal_size((100, 24)).columns))
    row, why, decision = found.row, found.why, outcome.decision
    target = f"{row.target_kind.lower()}/{row.target_name}"
    size = f": {row.current or 0 if decision.current is None else decision.current}"
    if decision.rescale:
        size = f": {decision.current} ▶ {decision.desired}"
    elif decision.failed and not row.current:
        size = ""  # of a target that is not there, no size is known
    lines = [
        clean(f"HPA {row.namespace}/{row.name} → {target}{size}"),
        *wrap(plain(sentences(outcome, found.at, why.next_look, why.period)[0]), room),
        "",
    ]
    laid_out = steps(outcome, found.at)
    broad = max((width(clean(step.title)) for step in laid_out), default=0) + 2
    for step in laid_out:
        lines += _lines(step, broad, room)
    lines.append("")
    lines += wrap(_compared(found), room)
    if any(step.estimated for step in laid_out):
        text = "(estimated): rests on what the controller remembers, rebuilt from outside."
        lines += wrap(text, room)
    return "\n".join(lines)


def plain(text: Text) -> str:
    """The text without its colours, cleaned."""
    return clean("".join(piece.text for piece in text))


def _lines(step: Step, broad: int, room: int) -> Iterable[str]:
    sign = "▶ " if step.deciding else "  "
    note = " (estimated)" if step.estimated else ""
    start = sign + pad(clean(step.title), broad)
    for number, part in enumerate(wrap(plain(step.says) + note, room - broad - 2)):
        yield (start if number == 0 else " " * (broad + 2)) + part
    for each in step.notes:
        gap = "  " if step.key == "usage" else ""
        for part in wrap(gap.join(clean(p.text) for p in each), room - broad - 2):
            yield " " * (broad + 2) + part


def _compared(found: Answer) -> str:
    row, why = found.row, found.why
    look = why.look
    failed = found.outcome is not None and found.outcome.decision.failed
    if failed and (look is None or look.difference is None):
        # The size in the status is what a look without a figure leaves there: it is no answer.
        stays = f": {row.current} stays" if row.current else ""
        return f"Without a figure the controller sets no size{stays}."
    if look is None:
        says = f"The controller's status says {row.desired or 0}"
        outlook = why.outlook
        ours = outlook.status.desired_replicas if outlook is not None else 0
        if ours == (row.desired or 0):
            return f"{says}: so do we."
        return f"{says}; if it looked now it would be {ours}."
    if look.difference is None:
        seen = "its write was seen" if look.seen else "it wrote nothing, as expected"
        return f"The controller's look was watched ({seen}): its size is ours, {look.size}."
    each = look.difference
    return f"The controller says {each.theirs}, we reckon {each.ours}: {each.why}."


# As JSON.


def document(found: Answer) -> dict[str, Any]:
    """The same for programs. Quantities in thousandths, instants in seconds since the epoch."""
    outcome, row, why = found.outcome, found.row, found.why
    if outcome is None:
        return {"schema_version": SCHEMA_VERSION, "trouble": clean(why.trouble)}
    decision, look = outcome.decision, why.look
    laid_out = steps(outcome, found.at)
    return {
        "schema_version": SCHEMA_VERSION,
        "hpa": row.name,
        "namespace": row.namespace,
        "target": f"{row.target_kind}/{row.target_name}",
        "at": found.at,
        "current": decision.current,
        "desired": decision.current if decision.failed else outcome.status.desired_replicas,
        "min": decision.minimum,
        "max": decision.maximum,
        "sentence": plain(sentences(outcome, found.at, None)[2]),
        "deciding": next((s.key for s in laid_out if s.deciding), None),
        "estimated": any(s.estimated for s in laid_out),
        "error": clean(decision.error) or None,
        "next_look": why.next_look,
        "controller": {
            "current": row.current,
            "desired": row.desired,
            "look": None if look is None else "seen" if look.seen else "silent",
            "agrees": None if look is None else look.difference is None,
            "difference": None if look is None or not look.difference else look.difference.why,
        },
        "metrics": [_metric(result) for result in decision.metrics],
        "steps": [
            {
                "key": s.key,
                "title": clean(s.title),
                "says": plain(s.says),
                "result": s.result,
                "deciding": s.deciding,
                "estimated": s.estimated,
                "notes": [clean("  ".join(p.text for p in note)) for note in s.notes],
            }
            for s in laid_out
        ],
    }


def _metric(result: hpa.MetricResult) -> dict[str, Any]:
    found = result.calculation
    written: dict[str, Any] = {
        "type": result.spec.type,
        "name": result.spec.name,
        "replicas": result.replicas,
        "problem": clean(result.cause) or None,
    }
    if found is not None:
        groups = found.groups
        measured = found.corrected or found.measured
        written |= {
            "utilization": found.measured.utilization,
            "average": found.measured.average,
            "target": found.measured.target,
            "ratio": measured.ratio,
            "pods": measured.pods,
            "usage": dict(found.usage),
            "requests": dict(found.requests),
            "missing": list(groups.missing) if groups is not None else [],
            "unready": (
                {n: w.value for n, w in groups.unready.items()} if groups is not None else {}
            ),
            "verdict": found.verdict.value,
        }
    return written
