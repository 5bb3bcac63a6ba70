"""A VerticalPodAutoscaler changes the requests that an HPA measures against."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from tui.analysis.doctor.finding import (
    Evidence,
    Finding,
    Fix,
    Severity,
    kubectl,
    named,
)
from tui.analysis.doctor.patches import vpa_patch
from tui.analysis.doctor.patient import Patient, resource_metrics
from tui.analysis.doctor.rule import Rule
from tui.analysis.doctor.words import hpa_name, listed
from tui.state.fetched import AutoscalersFact, AutoscalersFetch, Fetch


def _wants(patient: Patient) -> Iterable[Fetch]:
    for namespace in dict.fromkeys(h.namespace for h in patient.hpas if resource_metrics(h)):
        yield AutoscalersFetch(namespace)


def _examine(patient: Patient) -> Iterable[Finding]:
    for hpa in patient.hpas:
        fact = patient.fact(AutoscalersFetch(hpa.namespace), AutoscalersFact)
        for vpa in fact.found if fact is not None else ():
            if (vpa.target_kind, vpa.target_name) != (hpa.target_kind, hpa.target_name):
                continue
            measured = {m.name for m in resource_metrics(hpa, "Utilization")}
            both = sorted(measured.intersection(vpa.resources))
            if vpa.mode == "Off" or not both:
                continue
            name = named("VerticalPodAutoscaler", hpa.namespace, vpa.name)
            yield RULE.found(
                hpa_name(hpa),
                f"{hpa.name} and the VPA {vpa.name} both act on {listed(both)}",
                f"The HPA adds pods when {listed(both)} is high in percent of the request; the VPA "
                "answers the same load with a larger request, which makes the percentage fall. "
                "They undo each other's work, and pods are restarted on the way.",
                [
                    Evidence(hpa_name(hpa), "spec.metrics", ", ".join(both)),
                    Evidence(name, "spec.updatePolicy.updateMode", vpa.mode),
                    Evidence(name, "controlledResources", ", ".join(vpa.resources)),
                ],
                Fix(
                    "Let the VPA only recommend (updateMode: Off), let it control another "
                    "resource, or scale the HPA on requests per second instead.",
                    kubectl(
                        hpa.namespace, "patch", "vpa", vpa.name, "--type=merge", "-p",
                        '{"spec":{"updatePolicy":{"updateMode":"Off"}}}',
                    ),
                    vpa_patch(
                        hpa.namespace, vpa.name, {"updatePolicy": {"updateMode": "Off"}}
                    ),
                ),
            )  # fmt: skip


RULE: Final = Rule(
    id="hpa-with-vpa",
    title="HPA and VPA on the same resource",
    severity=Severity.WARNING,
    page=(
        "A VPA sets the requests of pods from what they use; an HPA on utilization divides by "
        "those requests. On the same resource they chase each other. It is fine to have a VPA "
        "that only recommends (updateMode: Off), or one on memory beside an HPA on CPU."
    ),
    examine=_examine,
    wants=_wants,
)
