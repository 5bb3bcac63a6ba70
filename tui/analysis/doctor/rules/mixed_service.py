"""A Service spreads its requests over several workloads."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from tui.analysis.doctor.finding import Evidence, Finding, Fix, Severity, kubectl, named
from tui.analysis.doctor.patient import Patient, Root, by_root
from tui.analysis.doctor.rule import Rule
from tui.analysis.doctor.words import count, labels, listed
from tui.state.rows import Kind, ServiceRow


def _examine(patient: Patient) -> Iterable[Finding]:
    if not patient.known(Kind.PODS, Kind.REPLICASETS):
        return
    for service in patient.services:
        if not service.selector:
            continue
        crews = patient.selected(service.namespace, service.selector)
        if len(crews) < 2:
            continue
        groups = {root: n for root, n in by_root(crews).items() if root.kind != "Job"}
        if len(groups) > 1:
            yield _finding(service, groups, any(root.uid in patient.targets for root in groups))


def _finding(service: ServiceRow, groups: dict[Root, int], scaled: bool) -> Finding:
    terms = labels(service.selector)
    names = [f"{root.kind} {root.name}" for root in groups]
    total = sum(groups.values())
    return RULE.found(
        named("Service", service.namespace, service.name),
        f"Service {service.name} sends requests to {listed(names)}",
        f"Its selector ({terms}) matches pods of several workloads, and each pod gets its share. "
        "Unless this is a canary, a part of the requests goes where nobody expects it.",
        [
            Evidence(named("Service", service.namespace, service.name), "spec.selector", terms),
            *(
                Evidence(
                    str(root), "pods", f"{count(number, 'pod')}, {100 * number // total} % of all"
                )
                for root, number in groups.items()
            ),
        ],
        Fix(
            "Narrow the Service's selector, or label the other workload's pods differently.",
            kubectl(service.namespace, "get", "pods", "-l", terms, "-o", "wide"),
        ),
        Severity.WARNING if scaled else Severity.INFO,
    )


RULE: Final = Rule(
    id="service-mixed-workloads",
    title="A Service feeds several workloads",
    severity=Severity.WARNING,
    page=(
        "A Service knows labels, not Deployments. When the pods of two Deployments carry the "
        "labels it selects, kube-proxy spreads connections over all of them at random. With an "
        "HPA on one of the two, a part of the load never reaches the pods it scales."
    ),
    examine=_examine,
)
