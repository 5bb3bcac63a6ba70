"""Several HPAs scale one workload."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from tui.analysis.doctor.finding import Evidence, Finding, Fix, Severity, kubectl, named
from tui.analysis.doctor.patient import Patient
from tui.analysis.doctor.rule import Rule
from tui.analysis.doctor.words import hpa_name, listed
from tui.state.rows import HpaRow


def _examine(patient: Patient) -> Iterable[Finding]:
    by_target: dict[tuple[str, str, str], list[HpaRow]] = {}
    for hpa in patient.hpas:
        key = (hpa.target_kind, hpa.namespace, hpa.target_name)
        by_target.setdefault(key, []).append(hpa)
    told: set[str] = set()
    for (kind, namespace, name), hpas in by_target.items():
        if len(hpas) < 2:
            continue
        told.update(h.uid for h in hpas)
        yield RULE.found(
            named(kind, namespace, name),
            f"{listed([h.name for h in hpas])} all scale {kind} {name}",
            "Each HPA would set the size by its own reckoning. The controller notices that their "
            "pods are the same and refuses to work for any of them (AmbiguousSelector), so "
            "nothing scales.",
            [
                Evidence(hpa_name(h), "spec.scaleTargetRef", f"{kind}/{name}{_active(h)}")
                for h in hpas
            ],
            Fix(
                "Keep one of them, with the metrics of all: the highest wins.",
                kubectl(namespace, "delete", "hpa", _youngest(hpas).name),
            ),
        )
    yield from _ambiguous(patient, told)


def _ambiguous(patient: Patient, told: set[str]) -> Iterable[Finding]:
    """HPAs of several targets that select the same pods: only the controller knows them all."""
    for hpa in patient.hpas:
        active = hpa.condition("ScalingActive")
        if hpa.uid in told or active is None or active.reason != "AmbiguousSelector":
            continue
        yield RULE.found(
            hpa_name(hpa),
            f"{hpa.name} selects pods that another HPA scales too",
            "The selector of its target matches pods that belong to another HPA's target. The "
            "controller refuses to work for any of them (AmbiguousSelector), so nothing scales.",
            [
                Evidence(
                    hpa_name(hpa),
                    "status.conditions[ScalingActive]",
                    f"{active.status} ({active.reason}): {active.message}",
                )
            ],
            Fix(
                "Give the two workloads labels of their own, in selector and template.",
                kubectl(hpa.namespace, "get", "pods", "--show-labels"),
            ),
        )


def _active(hpa: HpaRow) -> str:
    active = hpa.condition("ScalingActive")
    return f", ScalingActive={active.status} ({active.reason})" if active is not None else ""


def _youngest(hpas: list[HpaRow]) -> HpaRow:
    return max(hpas, key=lambda h: (h.created, h.name))


RULE: Final = Rule(
    id="several-hpas",
    title="Several HPAs on one target",
    severity=Severity.ERROR,
    page=(
        "Two HPAs on one workload do not add up. Since Kubernetes 1.26 the controller finds that "
        "both select the same pods, sets ScalingActive=False with AmbiguousSelector on each, and "
        "scales nothing. One HPA may have several metrics; the one that asks for most wins."
    ),
    examine=_examine,
)
