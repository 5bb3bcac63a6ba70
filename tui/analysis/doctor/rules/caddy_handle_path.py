"""``handle_path`` takes the prefix away before the app sees it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from tui.analysis.doctor.directives import Directive, walk
from tui.analysis.doctor.finding import Evidence, Finding, Fix, Severity, kubectl, named
from tui.analysis.doctor.patient import Patient
from tui.analysis.doctor.proxies import Flavour, Mounted, proxies, texts
from tui.analysis.doctor.rule import Rule
from tui.state.fetched import Fetch


def _wants(patient: Patient) -> Iterable[Fetch]:
    return (one.fetch for one in proxies(patient, Flavour.CADDY))


def _examine(patient: Patient) -> Iterable[Finding]:
    for one in proxies(patient, Flavour.CADDY):
        for key, directives in texts(patient, one, Flavour.CADDY):
            for directive, _ in directives:
                if directive.name != "handle_path" or len(directive.words) < 2:
                    continue
                inner = [w.directive for w in walk(directive.block)]
                proxied = next((d for d in inner if d.name == "reverse_proxy"), None)
                # A rewrite puts a path back on purpose.
                if proxied is not None and not any(d.name in ("rewrite", "uri") for d in inner):
                    yield _finding(one, key, directive, proxied)


def _finding(one: Mounted, key: str, directive: Directive, proxied: Directive) -> Finding:
    pattern = directive.words[1]
    prefix = pattern.rstrip("*").rstrip("/")
    return RULE.found(
        str(one.root),
        f"Caddy strips {prefix}/ before it passes the request on",
        f"A request for {prefix}/x reaches the app as /x, and one for {prefix}/ as /. If the app "
        f"serves its files under {prefix}, it answers 404; if it does not, one reads its start "
        f"page and takes it for {prefix}/.",
        [
            Evidence(
                named("ConfigMap", one.root.namespace, one.mount.config_map),
                key,
                f"handle_path {pattern} {{ {' '.join(proxied.words[:2])} }}",
            )
        ],
        Fix(
            f"Write `handle {pattern}` to keep the prefix; handle_path is for apps that do not "
            "know theirs.",
            kubectl(one.root.namespace, "edit", "configmap", one.mount.config_map),
        ),
    )


RULE: Final = Rule(
    id="caddy-handle-path",
    title="handle_path strips the prefix",
    severity=Severity.INFO,
    page=(
        "In a Caddyfile, `handle_path /static/*` is `handle /static/*` with a "
        "`uri strip_prefix /static`: the app is asked for what comes after it."
    ),
    examine=_examine,
    wants=_wants,
)
