"""A policy lets an HPA take only so many steps at a time."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from msgspec.structs import replace

from tui.analysis.doctor.finding import Evidence, Finding, Fix, Severity, kubectl
from tui.analysis.doctor.patient import Patient
from tui.analysis.doctor.rule import Rule
from tui.analysis.doctor.words import clock, count, hpa_name, listed
from tui.state.rows import Direction, HpaRow, Policy

_UNSET_UP: Final = Direction((Policy("Pods", 4, 15), Policy("Percent", 100, 15)))
_UNSET_DOWN: Final = Direction((Policy("Percent", 100, 15),))


def _examine(patient: Patient) -> Iterable[Finding]:
    for hpa in patient.hpas:
        limited = hpa.condition("ScalingLimited")
        if limited is None or limited.status != "True":
            continue
        if limited.reason not in ("ScaleUpLimit", "ScaleDownLimit"):
            continue
        rules = _rules(hpa, limited.reason == "ScaleUpLimit")
        if rules is not None and rules.select == "Disabled":
            yield _disabled(hpa, limited.reason)
        else:
            yield _finding(patient, hpa, limited.reason)


def _disabled(hpa: HpaRow, reason: str) -> Finding:
    """A direction that somebody has switched off: no waiting helps."""
    way, field = ("up", "scaleUp") if reason == "ScaleUpLimit" else ("down", "scaleDown")
    return RULE.found(
        hpa_name(hpa),
        f"{hpa.name} never scales {way}: its behavior disables it",
        f"The metrics ask for {'more' if way == 'up' else 'fewer'} pods, and selectPolicy: "
        f"Disabled forbids any step {way}, however long it lasts.",
        [
            Evidence(hpa_name(hpa), "status.conditions[ScalingLimited]", f"True ({reason})"),
            Evidence(hpa_name(hpa), f"spec.behavior.{field}.selectPolicy", "Disabled"),
        ],
        Fix(
            f"Leave it so if it is meant; else take selectPolicy out of spec.behavior.{field}.",
            kubectl(hpa.namespace, "edit", "hpa", hpa.name),
        ),
    )


def _finding(patient: Patient, hpa: HpaRow, reason: str) -> Finding:
    up = reason == "ScaleUpLimit"
    way = "up" if up else "down"
    rules = _rules(hpa, up)
    evidence = [Evidence(hpa_name(hpa), "status.conditions[ScalingLimited]", f"True ({reason})")]
    if rules is None:
        why = (
            "Without spec.behavior a step up goes to twice the size at most, or to 4 if that is "
            "more; the next look, 15 s later, may go on from there."
        )
        evidence.append(Evidence(hpa_name(hpa), "spec.behavior", "absent"))
    else:
        policies = listed([_said(policy) for policy in rules.policies])
        period = max((policy.period for policy in rules.policies), default=15)
        why = f"Its policies allow {policies} ({rules.select} of them counts)."
        if hpa.last_scale is not None:
            free = clock(hpa.last_scale + period / patient.pace)
            why += f" What the last change used up is free again by {free}."
        field = "scaleUp" if up else "scaleDown"
        evidence.append(Evidence(hpa_name(hpa), f"spec.behavior.{field}.policies", policies))
    return RULE.found(
        hpa_name(hpa),
        f"{hpa.name} may not scale {way} faster",
        f"The metrics ask for more than one step allows. {why}",
        evidence,
        Fix(
            f"Wait for the next step, or allow larger ones in spec.behavior.{way}.".replace(
                "behavior.up", "behavior.scaleUp"
            ).replace("behavior.down", "behavior.scaleDown"),
            kubectl(hpa.namespace, "edit", "hpa", hpa.name),
        ),
    )


def _rules(hpa: HpaRow, up: bool) -> Direction | None:
    if not hpa.has_behavior:
        return None
    rules = hpa.scale_up if up else hpa.scale_down
    unset = _UNSET_UP if up else _UNSET_DOWN
    if rules is None:
        return unset
    return rules if rules.policies else replace(unset, select=rules.select)


def _said(policy: Policy) -> str:
    size = f"{policy.value} %" if policy.type == "Percent" else count(policy.value, "pod")
    return f"{size} in any {policy.period} s"


RULE: Final = Rule(
    id="rate-limited",
    title="Limited by a scaling policy",
    severity=Severity.INFO,
    page=(
        "ScalingLimited with ScaleUpLimit or ScaleDownLimit: the HPA wants to go further than a "
        "policy allows in one period. periodSeconds is the period of a rate limit, such as 4 pods "
        "in any 60 s. It does not mean that the load must last that long."
    ),
    examine=_examine,
)
