"""Pods that have ended: the HPA goes on asking them what they request, as long as they are there.

Source: ``calculateRequests`` of Kubernetes 1.36's ``replica_calculator.go``.
"""

from __future__ import annotations

from tui.analysis.doctor.finding import Evidence, Fix, kubectl, named
from tui.state.rows import PodRow


def told(pod: PodRow) -> Evidence:
    """That it has ended."""
    return Evidence(named("Pod", pod.namespace, pod.name), "status.phase", pod.phase)


def fix(pod: PodRow) -> Fix:
    """What makes the HPA forget it."""
    return Fix(
        "Delete the pod. If it comes again (of a Job, say), give it another label.",
        kubectl(pod.namespace, "delete", "pod", pod.name),
    )
