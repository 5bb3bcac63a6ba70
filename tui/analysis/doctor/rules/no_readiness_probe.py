"""Pods that an HPA starts get requests before they can answer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from tui.analysis.doctor.finding import Evidence, Finding, Fix, Severity, kubectl
from tui.analysis.doctor.patient import Patient, Scaled
from tui.analysis.doctor.rule import Rule
from tui.analysis.doctor.words import hpa_name
from tui.state.rows import Kind, PodRow


def _examine(patient: Patient) -> Iterable[Finding]:
    if not patient.known(Kind.SERVICES):
        return
    for one in patient.scaled:
        own = one.own
        if not own or any(container.probed for crew in own for container in crew.containers):
            continue
        # Whom nobody sends requests need not say when it is ready for them.
        service = patient.served.get(one.workload.uid)
        if service is not None:
            yield _finding(one, own[0].first, service.name)


def _finding(one: Scaled, pod: PodRow, service: str) -> Finding:
    workload = one.workload
    name = f"{workload.kind} {workload.namespace}/{workload.name}"
    return RULE.found(
        name,
        f"{workload.name} has no readiness probe",
        f"Without one a pod is Ready as soon as its process runs, and Service {service} sends it "
        "requests at once. An app that takes a few seconds to listen then fails some of them at "
        "every scale-up, just when it is under load.",
        [
            Evidence(
                name, f"containers[{pod.containers[0].name if pod.containers else ''}]"
                ".readinessProbe", "absent",
            ),
            Evidence(hpa_name(one.hpa), "spec.scaleTargetRef", f"{workload.kind}/{workload.name}"),
        ],
        Fix(
            "Give it a readinessProbe on a path that answers 200 once the app serves.",
            kubectl(workload.namespace, "edit", workload.kind.lower(), workload.name),
        ),
    )  # fmt: skip


RULE: Final = Rule(
    id="no-readiness-probe",
    title="No readiness probe on an HPA's target",
    severity=Severity.ADVICE,
    page=(
        "An HPA starts pods under load. A readiness probe keeps requests away from them until the "
        "app answers; it also lets the HPA set aside the CPU that starting takes."
    ),
    examine=_examine,
)
