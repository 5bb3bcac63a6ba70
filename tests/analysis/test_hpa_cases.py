"""Conformance: what Kubernetes 1.36's own controller code answered for given inputs.

The cases are JSON lines of two shapes, told apart by their keys, in every ``*.jsonl`` or
``*.jsonl.gz`` of ``$HPA_CASES``, or of fixtures/hpa-cases when that is not set:

- one metric and one set of pods to a raw recommendation (``metric``, ``pods``);
- a raw recommendation and what is remembered to the desired replicas and conditions
  (``recommendedReplicas``).
"""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tui.analysis import hpa
from tui.analysis.hpa_metrics import MetricResult, Sync, evaluate
from tui.analysis.scaling_behavior import normalize

NOW = 1_780_000_000.0
LONG_AGO = 0.0
SETTINGS = hpa.Settings(cpu_initialization_period=120.0, initial_readiness_delay=10.0)

Case = dict[str, Any]


def folder() -> Path:
    shipped = Path(__file__).parents[2] / "fixtures" / "hpa-cases"
    return Path(os.environ.get("HPA_CASES") or shipped)


def cases() -> Iterator[Case]:
    for path in sorted(folder().glob("*.jsonl*")):
        raw = path.read_bytes()
        text = (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode()
        yield from (json.loads(line) for line in text.splitlines() if line.strip())


CASES = list(cases())
METRIC_CASES = [c for c in CASES if "metric" in c]
BEHAVIOR_CASES = [c for c in CASES if "recommendedReplicas" in c]


def test_every_case_has_a_known_shape() -> None:
    assert len(METRIC_CASES) + len(BEHAVIOR_CASES) == len(CASES)
    assert CASES, f"no *.jsonl or *.jsonl.gz in {folder()}"


@pytest.mark.parametrize("case", METRIC_CASES, ids=lambda c: c["name"])
def test_raw_recommendation(case: Case) -> None:
    result = evaluate(0, sync(case))
    expected = case["expected"]
    if "error" in expected:
        assert result.calculation is None
        assert expected["error"] in result.cause
        return
    assert result.calculation is not None, result.cause
    measured = result.calculation.measured
    got = {"replicas": result.calculation.replicas}
    if "utilization" in expected:
        got["utilization"] = measured.utilization
    for key in ("averageValueMilli", "usageMilli"):
        if key in expected:
            got[key] = measured.average
    assert got == expected
    assert shown(result) == expected.get("averageValueMilli", expected.get("usageMilli"))


@pytest.mark.parametrize("case", BEHAVIOR_CASES, ids=lambda c: c["name"])
def test_limits_and_conditions(case: Case, scale_up_limit_factor: float) -> None:
    settings = hpa.Settings(scale_up_limit_factor=scale_up_limit_factor)
    expected = case["expected"]
    behavior, result, remembered = normalized(case, settings)
    assert result.desired == expected["desiredReplicas"]
    assert conditions(result) == expected["conditions"]
    assert hpa.Recommendation(case["recommendedReplicas"], NOW) in remembered.recommendations
    if "effectiveBehavior" in expected:
        assert behavior is not None
        effective = hpa.effective_behavior(behavior, settings)
        assert behavior_object(effective) == expected["effectiveBehavior"]


@pytest.fixture(scope="module")
def scale_up_limit_factor() -> float:
    """The factor of the limit without behavior that the cases were made with.

    The controller's is 2; its test binary, where cases are easily taken, raises it to 8 so as
    not to run into it. No other figure differs, and one factor must do for all of the cases.
    """
    plain = [c for c in BEHAVIOR_CASES if c["behavior"] is None]

    def fitting(factor: float) -> int:
        settings = hpa.Settings(scale_up_limit_factor=factor)
        return sum(
            normalized(c, settings)[1].desired == c["expected"]["desiredReplicas"] for c in plain
        )

    return max((2.0, 8.0), key=fitting)


def normalized(
    case: Case, settings: hpa.Settings
) -> tuple[hpa.Behavior | None, hpa.Normalization, hpa.Memory]:
    spec = hpa.spec_from_object(
        {
            "metadata": {"name": "web"},
            "spec": {
                "scaleTargetRef": {"kind": "Deployment", "name": "web"},
                "maxReplicas": case["maxReplicas"],
                "minReplicas": case["minReplicas"],
                "behavior": case["behavior"],
            },
        }
    )
    memory = hpa.Memory(
        tuple(hpa.Recommendation(v, at) for v, at in moments(case.get("recommendations"))),
        tuple(hpa.ScaleEvent(v, at) for v, at in moments(case.get("scaleUpEvents"))),
        tuple(hpa.ScaleEvent(v, at) for v, at in moments(case.get("scaleDownEvents"))),
    )
    result, remembered = normalize(
        spec.behavior,
        settings,
        case["currentReplicas"],
        case["recommendedReplicas"],
        case["minReplicas"],
        case["maxReplicas"],
        memory,
        NOW,
    )
    return spec.behavior, result, remembered


def sync(case: Case) -> Sync:
    metric = case["metric"]
    pods = tuple(pod(p, metric.get("resource", "cpu")) for p in case["pods"])
    usage: tuple[hpa.PodUsage, ...] = ()
    readings: dict[int, Any] = {}
    age = case.get("metricTimestampSecondsAgo")
    at = LONG_AGO if age is None else NOW - age
    kind, _, target_type = metric["type"].partition("/")
    levels = tuple(metric.get("levelsMilli", ()))
    if kind == "Pods":
        names = [p["name"] for p in case["pods"]]
        names += [f"test-pod-{n}" for n in range(len(names), len(levels))]
        readings[0] = tuple(hpa.PodValue(n, v, at) for n, v in zip(names, levels, strict=False))
    elif kind in ("Object", "External"):
        readings[0] = hpa.Levels(levels)
    else:
        names = case["pods"][0]["containers"] if case["pods"] else []
        usage = tuple(
            hpa.PodUsage(
                s["pod"],
                at,
                float(metric.get("windowSeconds", 60)),
                tuple(
                    hpa.ContainerUsage(
                        names[i] if i < len(names) else f"container{i + 1}",
                        {metric["resource"]: used},
                    )
                    for i, used in enumerate(s["usageMilliPerContainer"])
                ),
            )
            for s in metric["samples"]
        )
    replicas = case["currentReplicas"]
    tolerance = case.get("tolerance", {"scaleUp": 0.1, "scaleDown": 0.1})
    spec = hpa.HpaSpec(
        "test-namespace",
        "web",
        hpa.ObjectReference("Deployment", "web"),
        max_replicas=1000,
        metrics=(metric_spec(metric, kind, target_type),),
    )
    return Sync(
        spec,
        hpa.Inputs(hpa.Scale(replicas, replicas, "name=test-pod"), pods, usage, readings),
        replicas,
        replicas,
        hpa.Tolerances(up=tolerance["scaleUp"], down=tolerance["scaleDown"]),
        SETTINGS,
        NOW,
    )


def metric_spec(metric: Case, kind: str, target_type: str) -> hpa.MetricSpec:
    if kind in ("Resource", "ContainerResource"):
        return hpa.MetricSpec(
            kind,
            metric["resource"],
            metric.get("container") or "",
            average_utilization=metric["targetAverageUtilization"],
        )
    whole, per_pod = metric.get("targetMilli") or 0, metric.get("perPodTargetMilli") or 0
    return hpa.MetricSpec(
        kind,
        metric.get("name", "qps"),
        target_type=target_type,
        average_value=(per_pod or whole) if target_type == "AverageValue" else None,
        value=whole if target_type == "Value" else None,
        described_object=hpa.ObjectReference("Service", "web"),
    )


def pod(row: Case, resource: str) -> hpa.PodInput:
    """A pod of a case. Its Ready condition has never changed, as in the runs behind the cases."""
    ago = row["startedSecondsAgo"]
    request = row["requestMilliPerContainer"]
    requests = {} if request is None else {resource: request}
    return hpa.PodInput(
        row["name"],
        row["phase"],
        row["ready"],
        ready_since=LONG_AGO,
        started=LONG_AGO if ago is None else NOW - ago,
        deleting=row["deleting"],
        containers=tuple(hpa.ContainerInput(name, requests) for name in row["containers"]),
    )


def moments(rows: list[Case] | None) -> Iterator[tuple[int, float]]:
    return ((row["value"], NOW - row["secondsAgo"]) for row in rows or ())


def shown(result: MetricResult) -> int | None:
    """The figure that goes to the status."""
    status = result.status
    return status.value if status.average_value is None else status.average_value


def conditions(result: hpa.Normalization) -> Case:
    stable = result.stabilization
    return {
        "AbleToScale": {"status": "True", "reason": stable.reason, "message": stable.message},
        "ScalingLimited": {
            "status": "True" if result.limited else "False",
            "reason": result.reason,
            "message": result.message,
        },
    }


def behavior_object(behavior: hpa.Behavior) -> Case:
    return {
        name: {
            "policies": [
                {"type": p.type, "value": p.value, "periodSeconds": p.period_seconds}
                for p in rules.policies or ()
            ],
            "selectPolicy": rules.select_policy,
            "stabilizationWindowSeconds": rules.stabilization_window_seconds,
        }
        for name, rules in (("scaleUp", behavior.scale_up), ("scaleDown", behavior.scale_down))
        if rules is not None
    }
