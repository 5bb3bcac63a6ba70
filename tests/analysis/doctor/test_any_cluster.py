"""Whatever the rows hold, the rules come to an end and every finding can be shown."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.analysis.doctor.patients import Case, service
from tests.samples import NOW, deployment, hpa, pod
from tests.thorough import examples
from tui.analysis.doctor.finding import Finding
from tui.state.rows import (
    Condition,
    ConfigMount,
    ContainerRow,
    Direction,
    Ending,
    Kind,
    MetricRow,
    Policy,
)

NAMES = st.sampled_from(["", "web", "[/]", "a b;c", "ü\u202e", "x" * 300])
NUMBERS = st.none() | st.integers(-1, 2**40)
TIMES = st.none() | st.floats(0, 2 * NOW)
MESSAGES = st.sampled_from(
    [
        "",
        "0/2 nodes are available: 2 Insufficient cpu.",
        "missing request for cpu in container a of Pod b",
        'persistentvolumeclaim "x" not found',
    ]
)
REASONS = st.sampled_from(
    [
        "TooManyReplicas",
        "ScaleUpLimit",
        "ScaleDownLimit",
        "ScaleDownStabilized",
        "ScaleUpStabilized",
        "AmbiguousSelector",
        "FailedGetScale",
        "FailedGetResourceMetric",
        "",
    ]
)
CONDITIONS = st.builds(
    Condition,
    type=st.sampled_from(["AbleToScale", "ScalingActive", "ScalingLimited"]),
    status=st.sampled_from(["True", "False", "Unknown", ""]),
    reason=REASONS,
    message=MESSAGES,
)
METRICS = st.builds(
    MetricRow,
    type=st.sampled_from(["Resource", "ContainerResource", "Pods", "Object", "External", "New"]),
    name=st.sampled_from(["cpu", "memory", "other", ""]),
    container=NAMES,
    target_type=st.sampled_from(["Utilization", "AverageValue", "Value", ""]),
    target=st.integers(0, 2**40),
    current=NUMBERS,
)
DIRECTIONS = st.none() | st.builds(
    Direction,
    policies=st.lists(
        st.builds(Policy, st.sampled_from(["Pods", "Percent"]), st.integers(), st.integers()),
        max_size=2,
    ).map(tuple),
    window=NUMBERS,
    tolerance=st.none() | st.floats(-1, 2),
)
HPAS = st.fixed_dictionaries(
    {
        "min": st.integers(-1, 5),
        "max": st.integers(-1, 5),
        "current": NUMBERS,
        "desired": NUMBERS,
        "last_scale": TIMES,
        "created": st.floats(0, 2 * NOW),
        "target_name": st.sampled_from(["fastapi-deploy", "gone"]),
        "metrics": st.lists(METRICS, max_size=2).map(tuple),
        "conditions": st.lists(CONDITIONS, max_size=3).map(tuple),
        "scale_up": DIRECTIONS,
        "scale_down": DIRECTIONS,
    }
)
CONTAINERS = st.builds(
    ContainerRow,
    name=NAMES,
    cpu_request=NUMBERS,
    cpu_limit=NUMBERS,
    memory_request=NUMBERS,
    memory_limit=NUMBERS,
    image=st.sampled_from(["", "nginx", "caddy:2", "a/b@sha256:0", ":", "/"]),
    configs=st.lists(st.builds(ConfigMount, NAMES, NAMES, NAMES), max_size=1).map(tuple),
)
PODS = st.fixed_dictionaries(
    {
        "status": st.sampled_from(
            ["Running", "Pending", "CrashLoopBackOff", "Init:ImagePullBackOff", "Error", ""]
        ),
        "message": MESSAGES,
        "containers": st.lists(CONTAINERS, max_size=2).map(tuple),
        "restarts": st.integers(0, 9),
        "ending": st.none()
        | st.builds(
            Ending,
            NAMES,
            st.sampled_from(["OOMKilled", "Error", ""]),
            st.integers(-1, 300),
            st.floats(0, 2 * NOW),
        ),
        "started": TIMES,
        "last_restart": TIMES,
        "node": NAMES,
        "deleting": TIMES,
    }
)


@settings(max_examples=examples(25, 300), deadline=None)
@given(st.lists(HPAS, max_size=2), st.lists(PODS, max_size=3))
def test_rules_come_to_an_end(hpas: list[dict[str, Any]], pods: list[dict[str, Any]]) -> None:
    case = Case(empty=True).put(Kind.DEPLOYMENTS, deployment(2, 2)).put(Kind.SERVICES, service())
    for number, fields in enumerate(hpas):
        row = hpa(None, None, None)
        case.put(Kind.HPAS, msgspec.structs.replace(row, **fields, uid=f"h{number}"))
    for number, fields in enumerate(pods):
        case.put(Kind.PODS, pod(f"p{number}", age=60, **fields))
    case.wants()
    for finding in case.findings():
        _can_be_shown(finding)


def _can_be_shown(finding: Finding) -> None:
    assert finding.title
    assert finding.explanation
    assert finding.evidence
    assert finding.fix.words
    assert all(e.object and e.field for e in finding.evidence)
