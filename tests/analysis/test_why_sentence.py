"""The sentence under the large digits, where pods have no sample that counts."""

from __future__ import annotations

import pytest

from tui.analysis import hpa
from tui.analysis.why_sentence import sentences

NOW = 1_795_000_000.0
UTILIZATION = hpa.MetricSpec("Resource", "cpu", average_utilization=50)
OVERCOMMITTED = hpa.MetricSpec("Resource", "cpu", average_utilization=150)
AVERAGE = hpa.MetricSpec("Resource", "cpu", target_type="AverageValue", average_value=50)


def told(metric: hpa.MetricSpec, milli: int, silent: int) -> str:
    """Of two pods that use so much, and some that no sample tells of."""
    containers = (hpa.ContainerInput("app", {"cpu": 100}),)
    names = ["a", "b", *(f"silent-{n}" for n in range(silent))]
    pods = tuple(
        hpa.PodInput(n, "Running", "True", NOW - 4000, NOW - 4000, False, containers) for n in names
    )
    usage = tuple(
        hpa.PodUsage(n, NOW - 5, 15.0, (hpa.ContainerUsage("app", {"cpu": milli}),)) for n in "ab"
    )
    spec = hpa.HpaSpec(
        "n", "h", hpa.ObjectReference("Deployment", "d"), 20, metrics=(metric,), min_replicas=1
    )
    seen = hpa.Inputs(hpa.Scale(len(pods), len(pods), "app=d"), pods, usage)
    outcome = hpa.reconcile(spec, seen, hpa.NOTHING_REMEMBERED, NOW)
    return "".join(piece.text for piece in sentences(outcome, NOW, None)[0])


@pytest.mark.parametrize(
    ("metric", "milli", "silent", "says"),
    [
        (UTILIZATION, 100, 1, "3 pods (1 counts as 0) × 66/50 = 3.96 → 4"),
        (UTILIZATION, 25, 1, "25 %, but 1 pod counts as full: 50 %, no change"),
        (UTILIZATION, 50, 1, "50 % is within 10 % of 50 %: no change"),
        (AVERAGE, 25, 1, "3 pods (1 counts as the target) × 33m/50m = 1.98 → 2"),
        (AVERAGE, 25, 2, "4 pods (2 count as the target) × 37m/50m = 2.96 → 3"),
        (OVERCOMMITTED, 100, 1, "3 pods (1 counts as 150 %) × 116/150 = 2.32 → 3"),
    ],
)
def test_what_silent_pods_are_taken_to_use(
    metric: hpa.MetricSpec, milli: int, silent: int, says: str
) -> None:
    assert f"{told(metric, milli, silent)} · ".startswith(f"{says} · ")
