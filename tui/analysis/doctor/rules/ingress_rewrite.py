"""A rewrite refers to the wrong group of its path."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from tui.analysis.doctor.finding import Evidence, Finding, Fix, Severity, kubectl, named
from tui.analysis.doctor.patient import Patient
from tui.analysis.doctor.rule import Rule
from tui.state.fetched import Fetch, IngressesFact, IngressesFetch
from tui.state.rows import Kind

_MOST: Final = 4
"""Namespaces that are asked."""
_GROUP: Final = re.compile(r"(?<!\\)\((?!\?)")
_TWO: Final = 2


def _namespaces(patient: Patient) -> list[str]:
    found = dict.fromkeys(s.namespace for s in patient.services if s.selector)
    return [n for n in found if n != "kube-system"][:_MOST]


def _wants(patient: Patient) -> Iterable[Fetch]:
    if patient.known(Kind.SERVICES):
        yield from (IngressesFetch(namespace) for namespace in _namespaces(patient))


def _examine(patient: Patient) -> Iterable[Finding]:
    for namespace in _namespaces(patient):
        fact = patient.fact(IngressesFetch(namespace), IngressesFact)
        for ingress in fact.found if fact is not None else ():
            path = next((p for p in ingress.paths if len(_GROUP.findall(p)) == _TWO), "")
            if not path or "$1" not in ingress.rewrite or "$2" in ingress.rewrite:
                continue
            name = named("Ingress", namespace, ingress.name)
            yield RULE.found(
                name,
                f"Ingress {ingress.name} rewrites to $1, which is not what comes after the prefix",
                f"In {path} the first group is the slash, the second is the rest. With "
                f"{ingress.rewrite} the app is asked for / whatever was asked for.",
                [
                    Evidence(
                        name, "nginx.ingress.kubernetes.io/rewrite-target", ingress.rewrite
                    ),
                    Evidence(name, "spec.rules.http.paths.path", path),
                ],
                Fix(
                    "Write /$2. (ingress-nginx itself was retired in March 2026; the Gateway API "
                    "has URLRewrite.)",
                    kubectl(
                        namespace, "annotate", "ingress", ingress.name, "--overwrite",
                        "nginx.ingress.kubernetes.io/rewrite-target=/$2",
                    ),
                ),
            )  # fmt: skip


RULE: Final = Rule(
    id="ingress-rewrite",
    title="rewrite-target with the wrong group",
    severity=Severity.WARNING,
    page=(
        "nginx.ingress.kubernetes.io/rewrite-target puts groups of the path's regular expression "
        "into the new path. For /foo(/|$)(.*) the rest is $2; $1 is the slash."
    ),
    examine=_examine,
    wants=_wants,
)
