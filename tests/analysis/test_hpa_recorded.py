"""A recorded run of the real controller, sync by sync: 2 → 4 → 8 → 10 replicas, and back to 2.

Each sync gets what the API held at that moment (the HPA, its target's scale, the pods, the
metrics) and has to write the status that the controller wrote, to the last field.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tui.analysis import hpa
from tui.analysis.hpa_objects import timestamp

RUN = Path(__file__).parents[2] / "fixtures" / "clusters" / "k8s-1.36" / "scale-run"
FIRST_SYNC = timestamp("2026-11-21T00:43:24Z")
"""When the controller first saw this HPA, two minutes before the recording begins."""

Object = dict[str, Any]


def load(name: str) -> Any:
    return json.loads(gzip.decompress((RUN / f"{name}.initial-list.json.gz").read_bytes()))


def lines(name: str) -> list[tuple[float, Any]]:
    text = gzip.decompress((RUN / f"{name}.jsonl.gz").read_bytes()).decode()
    rows = [json.loads(line) for line in text.splitlines()]
    return [
        (timestamp(row["t"]), decoded(row["line"] if "line" in row else row["body"]))
        for row in rows
        if "line" in row or row.get("status") == 200
    ]


def decoded(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


def states(name: str) -> Iterator[tuple[float, dict[str, Object]]]:
    """All objects of a kind by name, after each watch event."""
    objects = {o["metadata"]["name"]: o for o in load(name)["items"]}
    yield 0.0, objects
    for at, event in lines(f"{name}.watch"):
        if event["type"] in ("ADDED", "MODIFIED"):
            objects = {**objects, event["object"]["metadata"]["name"]: event["object"]}
        elif event["type"] == "DELETED":
            objects = {k: v for k, v in objects.items() if k != event["object"]["metadata"]["name"]}
        yield at, objects


def latest(history: list[tuple[float, Any]], at: float) -> Any:
    """What was last seen before the moment."""
    return [value for seen, value in history if seen < at][-1]


def syncs(written: list[float]) -> Iterator[float]:
    """The moments of all syncs: those that wrote a status, and those between that did not."""
    for before, after in pairwise(written):
        periods = round((after - before) / hpa.SYNC_PERIOD)
        yield from (before + (after - before) * n / periods for n in range(periods))
    yield written[-1]


@pytest.fixture(scope="module")
def replayed() -> list[tuple[float, hpa.Outcome, Object]]:
    pods = list(states("pods"))
    hpas = [(at, o["fastapi-hpa"]) for at, o in states("hpa-v2")]
    deployments = list(states("deployments"))
    metrics = lines("metrics-pods.poll")
    # The recording has the instants at which the watch told of the writes, some ms later.
    told = [at for at, _ in hpas[1:]]
    memory = hpa.Memory((hpa.Recommendation(2, FIRST_SYNC),))
    status = hpa.status_from_object(hpas[0][1])
    results = []
    for moment in syncs(told):
        now = moment - 0.05
        spec = hpa.spec_from_object(hpas[0][1])
        deployment = latest(deployments, now)[spec.target.name]
        inputs = hpa.Inputs(
            scale=hpa.Scale(
                deployment["spec"]["replicas"], deployment["status"]["replicas"], "app=fastapi"
            ),
            pods=tuple(hpa.pod_from_object(p) for p in latest(pods, now).values() if ours(p)),
            usage=tuple(hpa.usage_from_object(m) for m in latest(metrics, now)["items"] if ours(m)),
            selecting_hpas=("default/fastapi-hpa",),
            status=status,
        )
        outcome = hpa.reconcile(spec, inputs, memory, now)
        memory, status = outcome.memory, outcome.status
        results.append((moment, outcome, latest(hpas, moment + 0.001)["status"]))
    return results


def ours(item: Object) -> bool:
    return item["metadata"].get("labels", {}).get("app") == "fastapi"


def test_every_status_is_the_one_recorded(
    replayed: list[tuple[float, hpa.Outcome, Object]],
) -> None:
    assert len(replayed) == 37
    for moment, outcome, recorded in replayed:
        assert hpa.status_to_object(outcome.status) == recorded, moment


def test_it_rescales_when_the_controller_did(
    replayed: list[tuple[float, hpa.Outcome, Object]],
) -> None:
    rescaled = [
        (round(at - replayed[0][0]), outcome.scale_to)
        for at, outcome, _ in replayed
        if outcome.scale_to is not None
    ]
    assert rescaled == [(30, 4), (45, 8), (60, 10), (510, 2)]


def test_the_events_are_those_recorded(
    replayed: list[tuple[float, hpa.Outcome, Object]],
) -> None:
    expected = [
        (e["object"]["type"], e["object"]["reason"], e["object"]["message"])
        for _, e in lines("events.watch")
        if e["type"] == "ADDED"
        and e["object"]["involvedObject"]["kind"] == "HorizontalPodAutoscaler"
    ]
    emitted = [(e.type, e.reason, e.message) for _, o, _ in replayed for e in o.events]
    assert emitted == expected


def test_a_write_is_due_only_when_the_controller_wrote(
    replayed: list[tuple[float, hpa.Outcome, Object]],
) -> None:
    due = sum(outcome.status_changed for _, outcome, _ in replayed)
    assert due == len([e for e in lines("hpa-v2.watch") if e[1]["type"] == "MODIFIED"])
