"""An HPA that can never change anything."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from tui.analysis.doctor.finding import Evidence, Finding, Fix, Severity, kubectl
from tui.analysis.doctor.patches import hpa_patch
from tui.analysis.doctor.patient import Patient
from tui.analysis.doctor.rule import Rule
from tui.analysis.doctor.words import hpa_name


def _examine(patient: Patient) -> Iterable[Finding]:
    for hpa in patient.hpas:
        if hpa.min != hpa.max:
            continue
        yield RULE.found(
            hpa_name(hpa),
            f"{hpa.name} has {hpa.min} as its minimum and as its maximum",
            "Whatever its metrics say, there is one size that it may set. As a brake this is fine "
            "while somebody is looking; as a setting it is an HPA that never scales.",
            [
                Evidence(hpa_name(hpa), "spec.minReplicas", str(hpa.min)),
                Evidence(hpa_name(hpa), "spec.maxReplicas", str(hpa.max)),
            ],
            Fix(
                "Raise the maximum, or delete the HPA and set replicas.",
                kubectl(
                    hpa.namespace, "patch", "hpa", hpa.name, "--type=merge", "-p",
                    f'{{"spec":{{"maxReplicas":{hpa.max + max(1, hpa.max)}}}}}',
                ),
                hpa_patch(hpa, {"maxReplicas": hpa.max + max(1, hpa.max)}),
            ),
        )  # fmt: skip


RULE: Final = Rule(
    id="min-is-max",
    title="Minimum equals maximum",
    severity=Severity.WARNING,
    page="minReplicas equal to maxReplicas pins the size: the HPA reads metrics and never scales.",
    examine=_examine,
)
