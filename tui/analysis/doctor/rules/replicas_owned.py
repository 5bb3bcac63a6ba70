"""Somebody beside the HPA writes spec.replicas."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from tui.analysis.doctor.finding import Evidence, Finding, Fix, Severity, kubectl
from tui.analysis.doctor.patient import Patient, Scaled
from tui.analysis.doctor.rule import Rule
from tui.analysis.doctor.words import hpa_name, stamp
from tui.state.fetched import Fetch, ReplicasOwner, ReplicasOwnersFact, ReplicasOwnersFetch

_MOST: Final = 20
"""HPAs whose targets are asked about."""
_TOOLS: Final = {
    "argocd": "Argo CD",
    "helm": "Helm",
    "kustomize-controller": "Flux",
    "flux": "Flux",
    "terraform": "Terraform",
    "pulumi": "Pulumi",
}
_LABELS: Final = {
    "argocd.argoproj.io/instance": "Argo CD",
    "argocd.argoproj.io/tracking-id": "Argo CD",
    "helm.toolkit.fluxcd.io/name": "Flux",
    "kustomize.toolkit.fluxcd.io/name": "Flux",
}
_KUBECTL: Final = ("kubectl", "kubectl-client-side-apply", "kubectl-replace")
"""Not ``kubectl-create``: what it has made it never touches again."""


def _fetch(one: Scaled) -> ReplicasOwnersFetch:
    workload = one.workload
    return ReplicasOwnersFetch(workload.kind, workload.namespace, workload.name)


def _scaled(patient: Patient) -> list[Scaled]:
    """Each target once, of the first HPAs."""
    return list({one.workload.uid: one for one in patient.scaled}.values())[:_MOST]


def _wants(patient: Patient) -> Iterable[Fetch]:
    return (_fetch(one) for one in _scaled(patient))


def _examine(patient: Patient) -> Iterable[Finding]:
    for one in _scaled(patient):
        fact = patient.fact(_fetch(one), ReplicasOwnersFact)
        if fact is not None:
            yield from _judge(one, fact)


def _judge(one: Scaled, fact: ReplicasOwnersFact) -> Iterable[Finding]:
    label = next((_LABELS[key] for key, _ in fact.labels if key in _LABELS), "")
    for owner in fact.owners:
        tool = _tool(owner.manager) or (label if owner.manager in _KUBECTL else "")
        if tool:
            yield _finding(one, owner, tool, Severity.WARNING)
            return
    last = one.hpa.last_scale
    for owner in fact.owners:
        if owner.manager in _KUBECTL or owner.operation == "Apply":
            undone = last is not None and owner.at is not None and owner.at > last
            yield _finding(one, owner, "", Severity.WARNING if undone else Severity.ADVICE)
            return
    if fact.applied:
        yield _finding(
            one, ReplicasOwner("kubectl-client-side-apply", "Update"), "", Severity.ADVICE
        )


def _tool(manager: str) -> str:
    return next((tool for key, tool in _TOOLS.items() if manager.lower().startswith(key)), "")


def _finding(one: Scaled, owner: ReplicasOwner, tool: str, severity: Severity) -> Finding:
    workload, hpa = one.workload, one.hpa
    name = f"{workload.kind} {workload.namespace}/{workload.name}"
    who = tool or "kubectl apply"
    said = f"{owner.manager} ({owner.operation}"
    said += f", {stamp(owner.at)})" if owner.at is not None else ")"
    if severity is Severity.ADVICE:
        title = f"The next {who} sets {workload.name} back to its manifest's replicas"
        why = "The manifest it was applied from holds `replicas`."
    elif tool:
        title = f"{tool} and {hpa.name} both set the size of {workload.name}"
        why = f"{tool} keeps the cluster like its manifests, and they hold `replicas`."
    else:
        title = f"{who} has undone what {hpa.name} chose for {workload.name}"
        why = "The manifest was applied again after the HPA's last change, and holds `replicas`."
    return RULE.found(
        name,
        title,
        f"{why} Each time it is applied, the size jumps to that figure, and the HPA brings it back "
        "15 s later: pods are killed under load, or started for nothing.",
        [
            Evidence(name, "metadata.managedFields[f:spec.f:replicas]", said),
            Evidence(
                hpa_name(hpa), "status.lastScaleTime",
                stamp(hpa.last_scale) if hpa.last_scale is not None else "never",
            ),
        ],
        _fix(one, tool),
        severity,
    )  # fmt: skip


def _fix(one: Scaled, tool: str) -> Fix:
    workload = one.workload
    if tool == "Argo CD":
        return Fix("Leave `replicas` out of the manifest, or ignoreDifferences on /spec/replicas.")
    if tool == "Helm":
        return Fix("Leave `replicas` out of the chart where autoscaling is on, as most charts do.")
    if tool:
        return Fix("Leave `replicas` out of the manifest.")
    return Fix(
        "Take `replicas` out of the manifest, and out of what kubectl remembers of it, before it "
        "is applied again; or else it would be set to 1.",
        kubectl(
            workload.namespace, "apply", "edit-last-applied",
            f"{workload.kind.lower()}/{workload.name}",
        ),
    )  # fmt: skip


RULE: Final = Rule(
    id="replicas-owned",
    title="A manifest holds spec.replicas",
    severity=Severity.WARNING,
    page=(
        "With an HPA, spec.replicas is the HPA's. A manifest that holds it as well sets it back "
        "whenever it is applied; Argo CD with selfHeal does so within seconds, over and over. "
        "managedFields tells who wrote the field last."
    ),
    examine=_examine,
    wants=_wants,
)
