"""Rows lead to the same inputs as the API objects that they were made from."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from tests.cluster import recorded
from tests.samples import deployment, pod
from tests.thorough import examples
from tui.analysis import hpa
from tui.analysis.selectors import matches
from tui.analysis.why_inputs import PodIndex, pod_of, spec_of, status_of, usage_of
from tui.cluster.decode import hpas, metrics, pods
from tui.state.rows import PodRow, Requirement

FOLDERS = ("idle", "peak", "after-scale-down", "pod-states/after-6s", "pod-states/after-70s")
HPA_FILES = [n for n in recorded.names(".json") if "hpa" in n and "table" not in n]


def known(pod: hpa.PodInput) -> hpa.PodInput:
    """Without the resources that no metrics API measures."""

    def only(requests: Any) -> dict[str, int]:
        return {k: v for k, v in requests.items() if k in ("cpu", "memory")}

    containers = tuple(hpa.ContainerInput(c.name, only(c.requests)) for c in pod.containers)
    whole = None if pod.pod_requests is None else only(pod.pod_requests)
    return structs.replace(pod, containers=containers, pod_requests=whole)


def through_row(wire: dict[str, Any]) -> hpa.PodInput:
    return pod_of(pods.project(msgspec.convert(wire, pods.Pod)))


@pytest.mark.parametrize("folder", FOLDERS)
def test_recorded_pods(folder: str) -> None:
    items = recorded.document(f"{folder}/pods.json")["items"]
    assert items
    for item in items:
        assert through_row(item) == known(hpa.pod_from_object(item)), item["metadata"]["name"]


def recorded_hpas() -> list[dict[str, Any]]:
    found = []
    for name in HPA_FILES:
        document = recorded.document(name)
        items = document.get("items", [document]) if isinstance(document, dict) else []
        found += [i for i in items if isinstance(i, dict) and "scaleTargetRef" in i.get("spec", {})]
    return found


def test_recorded_hpas() -> None:
    found = recorded_hpas()
    assert len(found) > 5
    for item in found:
        row = hpas.project(msgspec.convert(item, hpas.Hpa))
        ours, theirs = spec_of(row), hpa.spec_from_object(item)
        assert (ours.min_replicas, ours.max_replicas) == (theirs.min_replicas, theirs.max_replicas)
        assert ours.metrics == theirs.metrics
        assert ours.behavior == theirs.behavior
        status, written = status_of(row), hpa.status_from_object(item)
        assert status.conditions == written.conditions
        assert status.desired_replicas == written.desired_replicas
        if written.current_metrics and all(m.type for m in written.current_metrics):
            assert status.current_metrics == written.current_metrics


amounts = st.sampled_from(["100m", "1", "250m", "1500u"])
requests = st.fixed_dictionaries(
    {}, optional={"cpu": amounts, "memory": st.sampled_from(["64Mi", "1Gi", "1000"])}
)
containers = st.lists(requests, min_size=1, max_size=3)
times = st.sampled_from(["2026-11-21T00:00:00Z", "2026-11-21T00:07:30Z"])


@st.composite
def pod_objects(draw: st.DrawFn) -> dict[str, Any]:
    spec: dict[str, Any] = {
        "containers": [
            {"name": f"c{n}", "resources": {"requests": r}} for n, r in enumerate(draw(containers))
        ],
        "initContainers": [
            {
                "name": f"i{n}",
                "resources": {"requests": r},
                **({"restartPolicy": "Always"} if draw(st.booleans()) else {}),
            }
            for n, r in enumerate(draw(st.lists(requests, max_size=3)))
        ],
    }
    if draw(st.booleans()):
        spec["resources"] = {"requests": draw(requests)}
    if draw(st.booleans()):
        spec["overhead"] = draw(requests)
    status: dict[str, Any] = {"phase": draw(st.sampled_from(["Pending", "Running", "Failed"]))}
    if draw(st.booleans()):
        status["startTime"] = draw(times)
    if draw(st.booleans()):
        ready = draw(st.sampled_from(["True", "False", "Unknown"]))
        status["conditions"] = [
            {"type": "Ready", "status": ready, "lastTransitionTime": draw(times)}
        ]
    meta: dict[str, Any] = {"uid": "u", "name": "p", "namespace": "n"}
    if draw(st.booleans()):
        meta["deletionTimestamp"] = draw(times)
    if draw(st.booleans()):
        meta["creationTimestamp"] = draw(times)
    return {"metadata": meta, "spec": spec, "status": status}


@settings(max_examples=examples(100, 1000), deadline=None)
@given(pod_objects())
def test_any_pod(wire: dict[str, Any]) -> None:
    assert through_row(wire) == known(hpa.pod_from_object(wire))


@pytest.mark.parametrize(
    "usage", [{"cpu": "5m", "memory": "9Mi"}, {"cpu": "0"}, {"memory": "7Ki"}, {}, None]
)
def test_a_sample_that_leaves_a_resource_out_has_none_of_it(usage: dict[str, str] | None) -> None:
    """Not 0: the controller takes the pod for one without a sample."""
    wire = {
        "metadata": {"name": "p", "namespace": "n"},
        "timestamp": "2026-11-21T12:00:00Z",
        "window": "15s",
        "containers": [
            {"name": "a", "usage": {"cpu": "1m", "memory": "1Mi"}},
            {"name": "b", "usage": usage},
        ],
    }
    sample = metrics.pod(msgspec.convert(wire, metrics.PodMetrics))
    assert sample is not None
    assert usage_of(sample) == hpa.usage_from_object(wire)


SOURCES: dict[str, dict[str, Any]] = {
    "Resource": {"name": "memory"},
    "ContainerResource": {"name": "memory", "container": "app"},
    "Pods": {"metric": {"name": "q"}},
    "Object": {
        "metric": {"name": "q"},
        "describedObject": {"apiVersion": "v1", "kind": "Service", "name": "s"},
    },
    "External": {"metric": {"name": "q"}},
}


@pytest.mark.parametrize("kind", SOURCES)
@pytest.mark.parametrize("said", ["Utilization", "AverageValue", "Value"])
@pytest.mark.parametrize("mask", range(1, 8))
def test_any_target_counts_as_the_controller_takes_it(kind: str, said: str, mask: int) -> None:
    """The API server does not ask that ``target.type`` names the field that is set."""
    fields = {"averageUtilization": 50, "averageValue": "30", "value": "200"}
    given_ = {name: v for n, (name, v) in enumerate(fields.items()) if mask >> n & 1}
    if kind == "Pods":
        given_.setdefault("averageValue", "30")  # the API server takes none without it
    source = {**SOURCES[kind], "target": {"type": said, **given_}}
    metric = {"type": kind, kind[0].lower() + kind[1:]: source}
    wire = {
        "metadata": {"uid": "u", "name": "h", "namespace": "n"},
        "spec": {
            "scaleTargetRef": {"kind": "Deployment", "name": "d"},
            "minReplicas": 1,
            "maxReplicas": 50,
            "metrics": [metric],
        },
    }
    requests = {"memory": 100_000}
    pod = hpa.PodInput("p", "Running", "True", 1, 1, False, (hpa.ContainerInput("app", requests),))
    used = hpa.PodUsage("p", 990, 15, (hpa.ContainerUsage("app", {"memory": 90_000}),))
    value = (hpa.PodValue("p", 90_000, 990),) if kind == "Pods" else hpa.Levels((90_000,))
    seen = hpa.Inputs(hpa.Scale(1, 1, "app=d"), (pod,), (used,), {0: value})
    by_row = spec_of(hpas.project(msgspec.convert(wire, hpas.Hpa)))
    decisions = [
        hpa.decide(spec, seen, hpa.NOTHING_REMEMBERED, 1000)
        for spec in (by_row, hpa.spec_from_object(wire))
    ]
    row, straight = ((d.recommended, d.metrics[0].cause, d.metrics[0].name) for d in decisions)
    assert row == straight


terms = st.builds(
    Requirement,
    st.sampled_from(["app", "tier"]),
    st.sampled_from(["In", "NotIn", "Exists", "DoesNotExist"]),
    st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=2).map(tuple),
)
labels = st.dictionaries(st.sampled_from(["app", "tier"]), st.sampled_from(["a", "b", "c"]))


@settings(max_examples=examples(60, 1000), deadline=None)
@given(st.lists(labels, max_size=8), st.lists(terms, min_size=1, max_size=3))
def test_the_index_finds_what_asking_every_pod_finds(
    have: list[dict[str, str]], selector: list[Requirement]
) -> None:
    rows = [
        pod(
            f"p{n}",
            age=1,
            labels=tuple(sorted(each.items())),
            namespace="n" if n % 3 else "default",
        )
        for n, each in enumerate(have)
    ]
    workload = deployment(1, 1, selector=tuple(selector))
    found = {p.name for p in PodIndex(rows).pods(workload)}
    asked = {p.name for p in rows if p.namespace == "default" and matches(selector, p.labels)}
    assert found == asked


@given(
    st.lists(st.tuples(st.integers(0, 5), st.booleans(), labels), max_size=30),
    st.lists(terms, min_size=1, max_size=3),
    st.integers(1, 5),
)
def test_an_index_that_was_updated_is_one_that_was_made_anew(
    steps: list[tuple[int, bool, dict[str, str]]], selector: list[Requirement], at_once: int
) -> None:
    workload = deployment(1, 1, selector=tuple(selector))
    rows: dict[str, PodRow] = {}
    index = PodIndex(())
    for start in range(0, len(steps), at_once):
        before = dict(rows)
        for number, there, have in steps[start : start + at_once]:
            name = f"p{number}"
            rows.pop(f"uid-{name}", None)
            if there:
                made = pod(name, age=1, labels=tuple(sorted(have.items())))
                rows[made.uid] = made
        changed = [
            (before.get(uid), rows.get(uid))
            for uid in before.keys() | rows.keys()
            if before.get(uid) != rows.get(uid)
        ]
        old = {p.uid for p in index.pods(workload)}
        following = index.updated(changed)
        assert {p.uid for p in index.pods(workload)} == old  # an index never changes
        index = following
        found = {p.uid: p for p in index.pods(workload)}
        assert found == {p.uid: p for p in PodIndex(rows.values()).pods(workload)}
