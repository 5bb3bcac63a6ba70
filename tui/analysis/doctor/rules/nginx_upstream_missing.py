"""nginx does not start, because an upstream's name cannot be resolved."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from tui.analysis.doctor.finding import Evidence, Finding, Fix, Severity, kubectl, named
from tui.analysis.doctor.patient import Patient, Root
from tui.analysis.doctor.rule import Rule
from tui.analysis.doctor.words import SAMPLES
from tui.state.fetched import Fetch, LogFact, LogFetch
from tui.state.rows import Kind, PodRow

_SAID: Final = re.compile(r'host not found in upstream "([^"]{1,253})"')
_WORDS: Final = ("host not found in upstream",)


def _fetch(pod: PodRow) -> LogFetch:
    return LogFetch(
        pod.namespace,
        pod.name,
        _WORDS,
        container=pod.ending.container if pod.ending is not None else "",
        previous=True,
    )


def _crashing(patient: Patient) -> Iterator[tuple[Root, PodRow]]:
    def counts(pod: PodRow) -> bool:
        return (
            pod.restarts > 0
            and pod.ending is not None
            and pod.ending.code != 0
            and not pod.ready
            and any("nginx" in f"{c.image} {c.name}" for c in pod.containers)
        )

    for root, pods in patient.by_owner(patient.troubled, counts).items():
        yield root, pods[0]


def _wants(patient: Patient) -> Iterable[Fetch]:
    return (_fetch(pod) for _, pod in _crashing(patient))


def _examine(patient: Patient) -> Iterable[Finding]:
    for root, pod in _crashing(patient):
        fact = patient.fact(_fetch(pod), LogFact)
        for line in reversed(fact.lines if fact is not None else ()):
            said = _SAID.search(line)
            if said is not None:
                yield _finding(patient, root, pod, said[1], line)
                break


def _finding(patient: Patient, root: Root, pod: PodRow, host: str, line: str) -> Finding:
    name = host.partition(":")[0].partition(".")[0]
    evidence = [Evidence(named("Pod", pod.namespace, pod.name), "log", line)]
    if patient.known(Kind.SERVICES):
        there = patient.service(root.namespace, name) is not None
        evidence.append(
            Evidence(
                named("Service", root.namespace, name),
                "exists",
                "yes, since: the next restart will find it" if there else "no",
            )
        )
    return RULE.found(
        str(root),
        f"nginx exits: it cannot resolve its upstream {host}",
        "nginx resolves the names of its upstreams before it serves anything, and exits if one is "
        "unknown. The pod is restarted, later and later each time, until the Service is there.",
        evidence,
        Fix(
            f"Apply the Service {name} first, or correct the name in nginx's configuration.",
            kubectl(root.namespace, "get", "services"),
            setup=SAMPLES.get(("Service", name), ""),
        ),
    )


RULE: Final = Rule(
    id="nginx-upstream-missing",
    title="nginx cannot resolve its upstream",
    severity=Severity.ERROR,
    page=(
        "'host not found in upstream' ends nginx at its start. Apply the app's Service before the "
        "proxy, or let nginx resolve at run time: `resolver "
        "kube-dns.kube-system.svc.cluster.local` and a variable in proxy_pass."
    ),
    examine=_examine,
    wants=_wants,
)
