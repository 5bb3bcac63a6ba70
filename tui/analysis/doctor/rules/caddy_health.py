"""Caddy asks an upstream for a health path that it does not have."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from tui.analysis.doctor.finding import Evidence, Finding, Fix, Severity, kubectl, named
from tui.analysis.doctor.patient import Patient
from tui.analysis.doctor.proxies import (
    Flavour,
    Mounted,
    Upstream,
    caddy_upstreams,
    proxies,
    texts,
)
from tui.analysis.doctor.rule import Rule
from tui.state.fetched import Fetch, PathFact, PathFetch

_OK: Final = range(200, 300)


class _Check(NamedTuple):
    """An active health check of a Caddyfile."""

    where: Mounted
    key: str
    upstream: Upstream
    path: str

    @property
    def fetch(self) -> PathFetch:
        return PathFetch(self.upstream.namespace, self.upstream.name, self.upstream.port, self.path)


def _checks(patient: Patient) -> Iterator[_Check]:
    for one in proxies(patient, Flavour.CADDY):
        for key, directives in texts(patient, one, Flavour.CADDY):
            for directive, _ in directives:
                if directive.name != "reverse_proxy":
                    continue
                said = {d.name: d.words[1] for d in directive.block if len(d.words) > 1}
                path = said.get("health_uri", said.get("health_path", ""))
                # A check of another port or another status is beyond what can be asked here.
                if path.startswith("/") and not said.keys() & {"health_port", "health_status"}:
                    for upstream in caddy_upstreams(directive, one.root.namespace):
                        yield _Check(one, key, upstream, path)


def _wants(patient: Patient) -> Iterable[Fetch]:
    for one in proxies(patient, Flavour.CADDY):
        yield one.fetch
    for check in _checks(patient):
        if patient.service(check.upstream.namespace, check.upstream.name) is not None:
            yield check.fetch


def _examine(patient: Patient) -> Iterable[Finding]:
    for check in _checks(patient):
        fact = patient.fact(check.fetch, PathFact)
        # What asks for a name, or is overloaded, may answer Caddy otherwise.
        if fact is None or fact.status in _OK or not 400 <= fact.status < 500:
            continue
        if fact.status in (401, 403, 408, 421, 425, 429):
            continue
        yield _finding(check, fact)


def _finding(check: _Check, fact: PathFact) -> Finding:
    upstream, root = check.upstream, check.where.root
    config = named("ConfigMap", root.namespace, check.where.mount.config_map)
    return RULE.found(
        str(root),
        f"Caddy's health check of {upstream.name} gets {fact.status}: it answers 503 to all",
        f"With `health_uri {check.path}` Caddy asks every upstream for that path, and takes one "
        f"that does not answer 2xx for dead. {upstream.name} has no {check.path}. With no upstream "
        "left alive every request gets 503, while all pods are Running and Ready.",
        [
            Evidence(
                config, check.key, f"reverse_proxy {upstream.address} … health_uri {check.path}"
            ),
            Evidence(
                named("Service", upstream.namespace, upstream.name),
                f"GET {check.path}",
                f"{fact.status} ({fact.way})",
            ),
        ],
        Fix(
            "Name a path that answers 200, such as /docs for FastAPI, or leave out health_uri; "
            "then restart Caddy, since the file is read once.",
            kubectl(root.namespace, "edit", "configmap", check.where.mount.config_map),
        ),
    )  # fmt: skip


RULE: Final = Rule(
    id="caddy-health-404",
    title="Caddy's health path does not exist",
    severity=Severity.ERROR,
    page=(
        "Active health checks of Caddy (health_uri) mark an upstream down unless it answers 2xx. "
        "If the app has no such path it answers 404, the only upstream is down, and Caddy answers "
        "503 to every request. Nothing of it shows in kubectl: the pods are fine."
    ),
    examine=_examine,
    wants=_wants,
)
