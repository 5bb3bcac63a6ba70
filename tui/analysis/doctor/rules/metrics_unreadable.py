"""An HPA cannot read a metric, for a reason that only its controller knows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from tui.analysis.doctor.finding import Evidence, Finding, Fix, Severity, kubectl, named
from tui.analysis.doctor.patient import Patient, Scaled
from tui.analysis.doctor.rule import Rule
from tui.analysis.doctor.words import count, hpa_name
from tui.analysis.words import to_the_point, verdict
from tui.state.links import Health, Source
from tui.state.rows import Condition, HpaRow, Kind

_WARM: Final = 120.0
"""Seconds in which a new HPA, or one whose pods are new, has no figures yet."""
_OTHERS: Final = ("missing request for", "not found in Pod", "missing pod-level request")
"""What other rules tell of, by the object that is at fault."""
_NO_SAMPLES: Final = ("no metrics returned from resource", "did not receive metrics for targeted")
"""What the controller says where no pod has a sample that counts."""


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
        if patient.now - active.since < _WARM or patient.now - hpa.created < _WARM:
            continue
        idle = of_resources and any(said in active.message for said in _NO_SAMPLES)
        one = next((one for one in patient.scaled if one.hpa is hpa), None) if idle else None
        if one is None or any(pod.ready for crew in one.crews for pod in crew.pods):
            yield _finding(hpa, active)
        elif not _is_refused(patient, one):
            yield _nothing_runs(one, active)


def _is_refused(patient: Patient, one: Scaled) -> bool:
    """Whether its pods cannot be created, which another rule tells of."""
    rows = patient.delta.workloads(Kind.REPLICASETS).rows.values()
    uid = one.workload.uid
    return one.workload.failure is not None or any(
        row.failure is not None for row in rows if row.owner is not None and row.owner.uid == uid
    )


def _nothing_runs(one: Scaled, active: Condition) -> Finding:
    hpa, workload = one.hpa, one.workload
    pods = sum(len(crew.pods) for crew in one.crews)
    there = f"has {count(pods, 'pod')}, none of them Ready" if pods else "has no pod"
    return RULE.found(
        hpa_name(hpa),
        f"{hpa.name} has nothing to measure: {workload.name} {there}",
        "The metrics API tells of pods that run. As long as none does, the target reads <unknown> "
        "and the HPA leaves the size as it is.",
        [
            Evidence(
                named(workload.kind, workload.namespace, workload.name),
                "status.readyReplicas of spec.replicas",
                f"{workload.ready} of {workload.replicas}",
            ),
            Evidence(
                hpa_name(hpa),
                "status.conditions[ScalingActive]",
                f"{active.status} ({active.reason}): {active.message}",
            ),
        ],
        Fix(
            "See what keeps the pods from running: a rollout that is paused, an image, a node.",
            kubectl(hpa.namespace, "describe", workload.kind.lower(), workload.name),
        ),
        Severity.WARNING,
    )


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
