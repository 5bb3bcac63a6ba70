from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from tui.analysis import hpa
from tui.analysis.hpa_objects import duration, timestamp, timestamp_text
from tui.quantity import QuantityError

RECORDED = Path(__file__).parents[2] / "fixtures" / "clusters" / "k8s-1.36"


def recorded_hpas() -> list[Any]:
    return [
        item
        for path in sorted(RECORDED.rglob("hpa-v2.json.gz"))
        for item in json.loads(gzip.decompress(path.read_bytes()))["items"]
    ]


def test_every_recorded_status_survives_the_way_in_and_out() -> None:
    hpas = recorded_hpas()
    assert len(hpas) > 20
    for item in hpas:
        assert hpa.status_to_object(hpa.status_from_object(item)) == item["status"]


def test_a_spec_with_everything() -> None:
    spec = hpa.spec_from_object(
        {
            "metadata": {"name": "web", "namespace": "shop"},
            "spec": {
                "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
                "minReplicas": 2,
                "maxReplicas": 9,
                "metrics": [
                    {
                        "type": "ContainerResource",
                        "containerResource": {
                            "name": "memory",
                            "container": "app",
                            "target": {"type": "AverageValue", "averageValue": "64Mi"},
                        },
                    },
                    {
                        "type": "Object",
                        "object": {
                            "metric": {
                                "name": "hits",
                                "selector": {
                                    "matchLabels": {"b": "2", "a": "1"},
                                    "matchExpressions": [
                                        {"key": "c", "operator": "In", "values": ["x"]},
                                        {"key": "d", "operator": "Exists"},
                                    ],
                                },
                            },
                            "target": {"type": "Value", "value": "2k"},
                            "describedObject": {"kind": "Ingress", "name": "main"},
                        },
                    },
                ],
                "behavior": {
                    "scaleDown": {
                        "policies": [{"type": "Pods", "value": 1, "periodSeconds": 60}],
                        "selectPolicy": "Min",
                        "stabilizationWindowSeconds": 0,
                        "tolerance": "35m",
                    }
                },
            },
        }
    )
    assert spec == hpa.HpaSpec(
        "shop",
        "web",
        hpa.ObjectReference("Deployment", "web", "apps/v1"),
        max_replicas=9,
        min_replicas=2,
        metrics=(
            hpa.MetricSpec(
                "ContainerResource",
                "memory",
                "app",
                target_type="AverageValue",
                average_value=64 * 1024**2 * 1000,
            ),
            hpa.MetricSpec(
                "Object",
                "hits",
                target_type="Value",
                value=2_000_000,
                selector=hpa.LabelSelector(
                    (("a", "1"), ("b", "2")), (("c", "In", ("x",)), ("d", "Exists", ()))
                ),
                described_object=hpa.ObjectReference("Ingress", "main"),
            ),
        ),
        behavior=hpa.Behavior(
            None, hpa.ScalingRules((hpa.ScalingPolicy("Pods", 1, 60),), "Min", 0, 35 * 1e-3)
        ),
    )


def test_without_metrics_it_is_80_percent_of_the_cpu_request() -> None:
    spec = hpa.spec_from_object(
        {
            "metadata": {"name": "web"},
            "spec": {"scaleTargetRef": {"kind": "Deployment", "name": "web"}, "maxReplicas": 3},
        }
    )
    assert spec.namespace == "default"
    assert spec.behavior is None
    assert spec.metrics == (
        hpa.MetricSpec("Resource", "cpu", target_type="Utilization", average_utilization=80),
    )


def container(name: str, cpu: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "resources": {"requests": {"cpu": cpu}}, **more}


def test_a_pod_with_a_sidecar() -> None:
    pod = hpa.pod_from_object(
        {
            "metadata": {"name": "web-0", "deletionTimestamp": "2026-11-21T00:54:25Z"},
            "spec": {
                "containers": [container("app", "100m")],
                "initContainers": [
                    container("migrate", "1"),
                    container("proxy", "20m", restartPolicy="Always"),
                ],
            },
            "status": {
                "phase": "Running",
                "startTime": "2026-11-21T00:43:09Z",
                "conditions": [
                    {"type": "Initialized", "status": "True"},
                    {
                        "type": "Ready",
                        "status": "False",
                        "lastTransitionTime": "2026-11-21T00:43:10Z",
                    },
                ],
            },
        }
    )
    assert pod == hpa.PodInput(
        "web-0",
        "Running",
        "False",
        ready_since=1_795_221_790.0,
        started=1_795_221_789.0,
        deleting=True,
        containers=(
            hpa.ContainerInput("app", {"cpu": 100}),
            hpa.ContainerInput("proxy", {"cpu": 20}),
        ),
    )


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        ({"cpu": "2"}, {"cpu": 2013}),
        ({"memory": "1Ki"}, {"cpu": 1033, "memory": 1024_000}),  # init 1 + sidecar 20m + overhead
        ({"ephemeral-storage": "1Gi"}, None),
    ],
)
def test_requests_of_a_pod_as_a_whole(own: dict[str, str], expected: dict[str, int] | None) -> None:
    pod = hpa.pod_from_object(
        {
            "metadata": {"name": "web-0"},
            "spec": {
                "resources": {"requests": own},
                "overhead": {"cpu": "13m"},
                "containers": [container("app", "100.5m"), container("log", "100.4m")],
                "initContainers": [
                    container("proxy", "20m", restartPolicy="Always"),
                    container("migrate", "1"),
                ],
            },
        }
    )
    assert pod.pod_requests == expected


def test_a_pod_that_has_just_been_created() -> None:
    pod = hpa.pod_from_object({"metadata": {"name": "web-0"}, "spec": {"containers": []}})
    assert pod == hpa.PodInput("web-0", "", None)


def test_a_sample() -> None:
    usage = hpa.usage_from_object(
        {
            "metadata": {"name": "web-0"},
            "timestamp": "2026-11-21T00:45:18Z",
            "window": "15.004s",
            "containers": [{"name": "app", "usage": {"cpu": "214847n", "memory": "12396Ki"}}],
        }
    )
    assert usage == hpa.PodUsage(
        "web-0",
        1_795_221_918.0,
        15.004,
        (hpa.ContainerUsage("app", {"cpu": 1, "memory": 12396 * 1024 * 1000}),),
    )


def test_a_scale() -> None:
    scale = {"spec": {"replicas": 3}, "status": {"replicas": 2, "selector": "app=web"}}
    assert hpa.scale_from_object(scale) == hpa.Scale(3, 2, "app=web")
    assert hpa.scale_from_object({"spec": {}, "status": {}}) == hpa.Scale(0, 0, "")


def test_memory_is_printed_in_binary_where_nothing_is_lost() -> None:
    def printed(milli: int) -> str:
        status = hpa.Status(
            current_metrics=(hpa.MetricStatus("Resource", "memory", average_value=milli),)
        )
        metrics = hpa.status_to_object(status)["currentMetrics"]
        text: str = metrics[0]["resource"]["current"]["averageValue"]
        return text

    assert printed(323_584_000) == "316Ki"
    assert printed(323_584_500) == "323584500m"
    assert printed(1_000_000) == "1k"


def test_object_and_external_metrics_are_printed_whole() -> None:
    described = hpa.ObjectReference("Ingress", "main", "networking.k8s.io/v1")
    selector = hpa.LabelSelector((("a", "b"),), (("c", "Exists", ()), ("d", "In", ("x", "y"))))
    status = hpa.Status(
        current_metrics=(
            hpa.MetricStatus("Object", "hits", described_object=described, value=2_500),
            hpa.MetricStatus("External", "queue", selector=selector, average_value=2_000),
        )
    )
    assert hpa.status_to_object(status)["currentMetrics"] == [
        {
            "type": "Object",
            "object": {
                "metric": {"name": "hits"},
                "current": {"value": "2500m"},
                "describedObject": {
                    "kind": "Ingress",
                    "name": "main",
                    "apiVersion": "networking.k8s.io/v1",
                },
            },
        },
        {
            "type": "External",
            "external": {
                "metric": {
                    "name": "queue",
                    "selector": {
                        "matchLabels": {"a": "b"},
                        "matchExpressions": [
                            {"key": "c", "operator": "Exists"},
                            {"key": "d", "operator": "In", "values": ["x", "y"]},
                        ],
                    },
                },
                "current": {"averageValue": "2"},
            },
        },
    ]


def test_times_are_whole_seconds_of_utc() -> None:
    assert timestamp("2026-11-21T00:45:18Z") == timestamp("2026-11-21T01:45:18+01:00")
    assert timestamp_text(1_795_221_918.999) == "2026-11-21T00:45:18Z"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("15s", 15.0), ("1m0s", 60.0), ("1h2m3.5s", 3723.5), ("250ms", 0.25), ("0s", 0.0)],
)
def test_durations(text: str, seconds: float) -> None:
    assert duration(text) == seconds


@pytest.mark.parametrize("text", ["", "15", "s", "1m 5s", "-5s", "1d"])
def test_what_is_no_duration_says_so(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration such as"):
        duration(text)


def test_what_is_no_quantity_says_so() -> None:
    with pytest.raises(QuantityError, match="'lots' is not a quantity"):
        hpa.usage_from_object(
            {
                "metadata": {"name": "web-0"},
                "timestamp": "2026-11-21T00:45:18Z",
                "window": "15s",
                "containers": [{"name": "app", "usage": {"cpu": "lots"}}],
            }
        )
