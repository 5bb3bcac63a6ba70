"""The sentence under the large digits, where pods have no sample that counts."""

from __future__ import annotations

import pytest

from tui.analysis import hpa
from tui.analysis.why_sentence import sentences
from tui.analysis.why_steps import steps
from tui.analysis.why_words import Text

NOW = 1_795_000_000.0
UTILIZATION = hpa.MetricSpec("Resource", "cpu", average_utilization=50)
OVERCOMMITTED = hpa.MetricSpec("Resource", "cpu", average_utilization=150)
AVERAGE = hpa.MetricSpec("Resource", "cpu", target_type="AverageValue", average_value=50)


def average(target: int) -> hpa.MetricSpec:
    return hpa.MetricSpec("Resource", "cpu", target_type="AverageValue", average_value=target)


def told(metric: hpa.MetricSpec, milli: int, silent: int) -> str:
    """The sentence on such pods."""
    return text_of(sentences(reckoned(metric, milli, silent), NOW, None)[0])


def text_of(text: Text) -> str:
    return "".join(piece.text for piece in text)


def reckoned(
    metric: hpa.MetricSpec, milli: int, silent: int, loud: int = 2, phase: str = "Running"
) -> hpa.Outcome:
    """Of pods that use so much, and some that no sample tells of."""
    containers = (hpa.ContainerInput("app", {"cpu": 100}),)
    sampled = [f"loud-{n}" for n in range(loud)]
    names = [*sampled, *(f"silent-{n}" for n in range(silent))]
    pods = tuple(
        hpa.PodInput(
            n,
            "Running" if n in sampled else phase,
            "True",
            NOW - 4000,
            NOW - 4000,
            False,
            containers,
        )
        for n in names
    )
    usage = tuple(
        hpa.PodUsage(n, NOW - 5, 15.0, (hpa.ContainerUsage("app", {"cpu": milli}),))
        for n in sampled
    )
    spec = hpa.HpaSpec(
        "n", "h", hpa.ObjectReference("Deployment", "d"), 50, metrics=(metric,), min_replicas=1
    )
    seen = hpa.Inputs(hpa.Scale(len(pods), len(pods), "app=d"), pods, usage)
    return hpa.reconcile(spec, seen, hpa.NOTHING_REMEMBERED, NOW)


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


@pytest.mark.parametrize(
    ("metric", "milli", "loud", "step", "says"),
    [
        # 1.104, which is over 1.1, and 3.0006, of which come 4 pods
        (average(250), 276, 2, "tolerance", "1.104 is outside 0.9 … 1.1: act"),
        (average(10_000), 15_003, 2, "pods", "1.5 × 2 pods = 3.001 → 4"),
        # in floating point, as the controller reckons, 0.28 × 25 is more than 7
        (UTILIZATION, 14, 25, "pods", "0.28 × 25 pods = 7.000000000000001 → 8"),
        (UTILIZATION, 100, 2, "pods", "2 × 2 pods = 4 → 4"),
        (UTILIZATION, 40, 2, "tolerance", "0.8 is outside 0.9 … 1.1: act"),
    ],
)
def test_a_rounded_figure_never_contradicts_what_comes_of_it(
    metric: hpa.MetricSpec, milli: int, loud: int, step: str, says: str
) -> None:
    outcome = reckoned(metric, milli, 0, loud)
    [found] = [each for each in steps(outcome, NOW) if each.key == step]
    assert text_of(found.says) == says
    assert " = 7 → 8" not in text_of(sentences(outcome, NOW, None)[0])


@pytest.mark.parametrize(
    ("phase", "says"),
    [("Running", "silent-0: no sample yet"), ("Succeeded", "silent-0: has ended")],
)
def test_no_sample_is_awaited_of_a_pod_that_has_ended(phase: str, says: str) -> None:
    """That of a Job under the selector, say. The controller counts it as missing all the same."""
    outcome = reckoned(UTILIZATION, 25, 1, phase=phase)
    [found] = [each for each in steps(outcome, NOW) if each.key == "correction"]
    assert [text_of(note) for note in found.notes] == [f"{says}, taken as 100m"]
