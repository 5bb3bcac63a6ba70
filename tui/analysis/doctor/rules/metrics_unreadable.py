"""An HPA cannot read a metric, for a reason that only its controller knows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from tui.analysis.doctor.finding import Evidence, Finding, Fix, Severity, kubectl
from tui.analysis.doctor.patient import Patient
from tui.analysis.doctor.rule import Rule
from tui.analysis.doctor.words import hpa_name
from tui.analysis.words import to_the_point, verdict
from tui.state.links import Health, Source
from tui.state.rows import Condition, HpaRow

_WARM: Final = 120.0
"""Seconds in which a new HPA, or one whose pods are new, has no figures yet."""
_OTHERS: Final = ("missing request for", "not found in Pod", "missing pod-level request")
"""What other rules tell of, by the object that is at fault."""


def _examine(patient: Patient) -> Iterable[Finding]:
    health = patient.delta.link(Source.POD_METRICS).health
    down = health in (Health.ABSENT, Health.UNAVAILABLE)
    for hpa in patient.hpas:
        active = hpa.condition("ScalingActive")
        if active is None or active.status != "False" or active.since is None:
            continue
        if active.reason in ("ScalingDisabled", "AmbiguousSelector"):
            continue
        of_resources = active.reason.endswith("ResourceMetric")
        if (of_resources and down) or any(said in active.message for said in _OTHERS):
            continue
        if patient.now - active.since >= _WARM and patient.now - hpa.created >= _WARM:
            yield _finding(hpa, active)


def _finding(hpa: HpaRow, active: Condition) -> Finding:
    return RULE.found(
        hpa_name(hpa),
        f"{hpa.name} cannot work: {verdict(active).text}",
        f"Its controller says: {to_the_point(active.message) or active.reason}. Until it can read "
        "the metric it does not scale down, and up only by the metrics that it can read.",
        [
            Evidence(
                hpa_name(hpa),
                "status.conditions[ScalingActive]",
                f"{active.status} ({active.reason}): {active.message}",
            )
        ],
        Fix(
            "See whether the metric is there, and is named as the HPA names it.",
            kubectl(hpa.namespace, "describe", "hpa", hpa.name),
        ),
    )


RULE: Final = Rule(
    id="metrics-unreadable",
    title="The HPA cannot read a metric",
    severity=Severity.ERROR,
    page=(
        "ScalingActive=False says that no size could be reckoned: a custom or external metric that "
        "no adapter serves, pods that give no samples, a selector that cannot be used. A new HPA "
        "on new pods is like that for 15 to 45 s, which is only warming up."
    ),
    examine=_examine,
)
