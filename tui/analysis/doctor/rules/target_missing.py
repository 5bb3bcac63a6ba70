"""What an HPA should scale does not exist."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from tui.analysis.doctor.finding import Evidence, Finding, Fix, Severity, kubectl, named
from tui.analysis.doctor.patient import Patient
from tui.analysis.doctor.rule import Rule
from tui.analysis.doctor.words import SAMPLES, hpa_name
from tui.analysis.focus import SCALABLE
from tui.analysis.words import to_the_point
from tui.state.rows import Condition, HpaRow

_GRACE: Final = 20.0
"""Seconds in which what was applied together may still come."""


def _examine(patient: Patient) -> Iterable[Finding]:
    for hpa in patient.hpas:
        if patient.now - hpa.created < _GRACE:
            continue
        if _is_missing(patient, hpa):
            yield _finding(hpa)
        elif hpa.target_kind not in SCALABLE and _refused(hpa) is not None:
            yield _unscalable(hpa)


def _is_missing(patient: Patient, hpa: HpaRow) -> bool:
    kind = SCALABLE.get(hpa.target_kind)
    able = hpa.condition("AbleToScale")
    # While the controller finds it, it is ours that is late, or it has just been deleted.
    found = able is not None and able.status == "True"
    return kind is not None and patient.known(kind) and patient.target(hpa) is None and not found


def _refused(hpa: HpaRow) -> Condition | None:
    """What the controller says of a target that it cannot get. Of other kinds only it knows."""
    able = hpa.condition("AbleToScale")
    failed = able is not None and (able.status, able.reason) == ("False", "FailedGetScale")
    return able if failed else None


def _unscalable(hpa: HpaRow) -> Finding:
    kind, able = hpa.target_kind, _refused(hpa)
    message = able.message if able is not None else ""
    return RULE.found(
        hpa_name(hpa),
        f"{hpa.name} cannot scale {kind} {hpa.target_name}: {to_the_point(message)}",
        "The controller reads and sets the size by the target's scale subresource, and gets no "
        "answer there: the target does not exist, or is of another API group, or its definition "
        "has no subresources.scale. Deployments, ReplicaSets and StatefulSets are of apps/v1.",
        [
            Evidence(hpa_name(hpa), "spec.scaleTargetRef", f"{kind}/{hpa.target_name}"),
            Evidence(hpa_name(hpa), "status.conditions[AbleToScale]", f"FailedGetScale: {message}"),
        ],
        Fix(
            "See whether it is there, and correct spec.scaleTargetRef: apiVersion, kind and name.",
            kubectl(hpa.namespace, "get", kind.lower(), hpa.target_name),
        ),
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
