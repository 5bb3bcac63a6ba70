"""The selector of an HPA's target matches pods of somebody else."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from tui.analysis.doctor.finding import Evidence, Finding, Fix, Severity, kubectl
from tui.analysis.doctor.patient import Patient, by_root
from tui.analysis.doctor.rule import Rule
from tui.analysis.doctor.words import count, hpa_name, listed, selector
from tui.state.rows import Kind


def _examine(patient: Patient) -> Iterable[Finding]:
    if not patient.known(Kind.REPLICASETS):
        return
    for hpa, workload, crews, _ in patient.scaled:
        groups = by_root(crews)
        strangers = {root: found for root, found in groups.items() if root.uid != workload.uid}
        if not strangers or all(root.kind == "Job" for root in strangers):
            continue
        terms = selector(workload.selector)
        names = [f"{root.kind} {root.name}" for root in strangers]
        own = sum(found for root, found in groups.items() if root.uid == workload.uid)
        first = next(iter(strangers))
        yield RULE.found(
            hpa_name(hpa),
            f"{hpa.name} also counts the pods of {listed(names)}",
            f"An HPA counts every pod that its target's selector ({terms}) matches, whoever made "
            f"it. It scales {workload.kind} {workload.name} by the mean over pods of several "
            "workloads, of which only one grows.",
            [
                Evidence(
                    f"{workload.kind} {workload.namespace}/{workload.name}",
                    "spec.selector",
                    f"{terms} (matches {count(own, 'pod')} of its own)",
                ),
                *(
                    Evidence(str(root), "metadata.labels", f"{terms} on {count(p, 'pod')}")
                    for root, p in strangers.items()
                ),
            ],
            Fix(
                f"Give one of them another label, in its selector and in its template; or delete "
                f"{first.kind} {first.name} if it is left over.",
                kubectl(workload.namespace, "get", "pods", "-l", terms, "--show-labels"),
            ),
        )


RULE: Final = Rule(
    id="shared-selector",
    title="Two workloads under one selector",
    severity=Severity.WARNING,
    page=(
        "The HPA takes the pods from the scale subresource's selector, not from ownership. Two "
        "Deployments labelled app: fastapi are one crowd to it: usage and requests are summed over "
        "both. If the other has no requests, the target reads <unknown>; if it idles, the HPA "
        "scales too late."
    ),
    examine=_examine,
)
