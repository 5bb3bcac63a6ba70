"""What an HPA should scale does not exist."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from tui.analysis.doctor.finding import Evidence, Finding, Fix, Severity, kubectl, named
from tui.analysis.doctor.patient import Patient
from tui.analysis.doctor.rule import Rule
from tui.analysis.doctor.words import SAMPLES, hpa_name
from tui.analysis.focus import SCALABLE
from tui.state.rows import HpaRow

_GRACE: Final = 20.0
"""Seconds in which what was applied together may still come."""


def _examine(patient: Patient) -> Iterable[Finding]:
    for hpa in patient.hpas:
        if patient.now - hpa.created >= _GRACE and _is_missing(patient, hpa):
            yield _finding(hpa)


def _is_missing(patient: Patient, hpa: HpaRow) -> bool:
    kind = SCALABLE.get(hpa.target_kind)
    able = hpa.condition("AbleToScale")
    if kind is not None:
        # While the controller finds it, it is ours that is late, or it has just been deleted.
        found = able is not None and able.status == "True"
        return patient.known(kind) and patient.target(hpa) is None and not found
    # Of other kinds only the controller knows.
    return (
        able is not None
        and (able.status, able.reason) == ("False", "FailedGetScale")
        and "not found" in able.message
    )


def _finding(hpa: HpaRow) -> Finding:
    kind = hpa.target_kind
    able = hpa.condition("AbleToScale")
    evidence = [
        Evidence(hpa_name(hpa), "spec.scaleTargetRef", f"{kind}/{hpa.target_name}"),
        Evidence(named(kind, hpa.namespace, hpa.target_name), "exists", "no"),
    ]
    if able is not None and able.status == "False":
        said = f"{able.reason}: {able.message}"
        evidence.append(Evidence(hpa_name(hpa), "status.conditions[AbleToScale]", said))
    return RULE.found(
        hpa_name(hpa),
        f"{hpa.name} scales {kind} {hpa.target_name}, which does not exist",
        "The HPA has nothing to scale. A name that is misspelt, or that lives in another "
        "namespace, looks the same: an HPA can only scale what is in its own namespace.",
        evidence,
        Fix(
            "Correct the name in spec.scaleTargetRef, or apply the target.",
            kubectl(hpa.namespace, "get", f"{kind.lower()}s"),
            setup=SAMPLES.get((kind, hpa.target_name), ""),
        ),
    )


RULE: Final = Rule(
    id="target-missing",
    title="The HPA's target does not exist",
    severity=Severity.ERROR,
    page=(
        "spec.scaleTargetRef names a workload of the HPA's own namespace by kind and name. If "
        "there is none, the controller writes AbleToScale=False with FailedGetScale, and goes on "
        "looking every 15 s."
    ),
    examine=_examine,
)
