"""The whole session against recorded traffic of a real cluster."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.cluster import recorded
from tests.cluster.server import eventually
from tests.playback import Playback, seconds
from tui.cluster.decode import metrics
from tui.cluster.decode.codec import Page
from tui.cluster.metrics import MetricsPoll, node_metrics, pod_metrics
from tui.cluster.resources import RESOURCES
from tui.cluster.session import Session
from tui.cluster.transport import Transport
from tui.state.links import Health
from tui.state.rows import HpaRow, Kind, PodRow, Row, WorkloadRow
from tui.state.store import Store


@contextmanager
def session(playback: Playback, namespace: str | None = "default") -> Iterator[Store]:
    store = Store(clock=playback.clock)
    running = Session(playback.config, store, namespace=namespace)
    running.start()
    try:
        yield store
    finally:
        assert running.stop()


def truth(playback: Playback, kind: Kind) -> dict[str, Row]:
    """The rows of what the server has at this instant."""
    state = playback.tracks[kind].at(playback.now)
    body = {"kind": "XList", "items": list(state.objects.values())}
    page: Page = RESOURCES[kind].codec.page(json.dumps(body).encode())
    assert page.skipped == 0
    return {row.uid: row for row in page.rows}


def rows(store: Store, kind: Kind) -> dict[str, Row]:
    return dict(store._tables[kind]._rows)


def catch_up(playback: Playback, store: Store, *kinds: Kind) -> None:
    for kind in kinds or playback.tracks:
        expected = truth(playback, kind)
        eventually(lambda k=kind, e=expected: rows(store, k) == e)


def printed(name: str) -> dict[str, tuple[str, str, str]]:
    return {
        pod: (cells["Ready"], cells["Status"], str(cells["Restarts"]).split()[0])
        for pod, cells in recorded.table(name).items()
    }


def shown(store: Store) -> dict[str, tuple[str, str, str]]:
    return {
        row.name: (f"{row.ready_containers}/{row.total_containers}", row.status, str(row.restarts))
        for row in rows(store, Kind.PODS).values()
        if isinstance(row, PodRow)
    }


@pytest.mark.parametrize("moment", ["after-6s", "after-70s"])
def test_pods_in_trouble_read_as_kubectl_printed_them_then(moment: str) -> None:
    table = f"pod-states/{moment}/pods-table.json"
    version = int(recorded.document(table)["metadata"]["resourceVersion"])
    with Playback("pod-states") as playback, session(playback) as store:
        playback.advance_to_version(Kind.PODS, version)
        eventually(lambda: shown(store) == printed(table))


def test_the_scale_up_and_down_as_recorded() -> None:
    """Every table equals the server's at every instant, and the replicas over time are right."""
    with Playback("scale-run") as playback, session(playback) as store:
        catch_up(playback, store)
        hpa = next(iter(truth(playback, Kind.HPAS)))
        (workload,) = [
            uid
            for uid, r in truth(playback, Kind.DEPLOYMENTS).items()
            if r.name == "fastapi-deploy"
        ]
        for moment in playback.moments:
            playback.advance(moment)
            catch_up(playback, store, Kind.HPAS, Kind.DEPLOYMENTS, Kind.PODS)
        catch_up(playback, store)
        replicas = store.replicas(hpa, workload, 0)

        steps = list(zip(replicas.desired.times, replicas.desired.values, strict=True))
        assert steps[1:] == recorded_steps(playback, Kind.HPAS, hpa, "desired")
        steps = list(zip(replicas.current.times, replicas.current.values, strict=True))
        assert steps[1:] == recorded_steps(playback, Kind.DEPLOYMENTS, workload, "current")
        assert [v for _, v in steps] == [2, 4, 8, 10, 2]
        steps = list(zip(replicas.ready.times, replicas.ready.values, strict=True))
        assert steps[1:] == recorded_steps(playback, Kind.DEPLOYMENTS, workload, "ready")


def recorded_steps(
    playback: Playback, kind: Kind, uid: str, field: str
) -> list[tuple[float, float]]:
    """When the figure changed in the recording, and to what."""
    steps: list[tuple[float, float]] = []
    known = getattr(truth(playback_start(playback), kind)[uid], field)
    for entry in playback.tracks[kind].entries:
        row = RESOURCES[kind].codec.event(entry.line.encode()).row
        if row is not None and row.uid == uid and isinstance(row, (HpaRow, WorkloadRow)):
            value = getattr(row, field)
            if value != known:
                steps.append((entry.time, float(value)))
                known = value
    return steps


def playback_start(playback: Playback) -> Playback:
    start = Playback.__new__(Playback)
    start.tracks, start.now = playback.tracks, playback.moments[0] - 1
    return start


@pytest.mark.parametrize("name", ["metrics-nodes", "metrics-pods"])
def test_no_recorded_sample_is_missed(name: str) -> None:
    """Polled at its own rhythm, in the recording's time, every sample ends up in the series."""
    with Playback("scale-run") as playback:
        end = playback.polls[name][-1][0]
        over = threading.Event()

        def wait(pause: float) -> bool:
            playback.advance(playback.now + pause)
            if playback.now > end:
                over.set()
            return over.is_set()

        store = Store(clock=playback.clock)
        transport = Transport(playback.config, clock=playback.clock)
        pods = RESOURCES[Kind.PODS].codec.page(recorded.raw("peak/pods.json")).rows
        store.put(Kind.PODS, pods)
        if name == "metrics-nodes":
            poll: MetricsPoll[Any] = node_metrics(transport, store, wait=wait)
        else:
            poll = pod_metrics(transport, store, "default", wait=wait)
        poll.start()
        assert over.wait(10)
        poll.stop()
        assert poll.join(5)

        expected: dict[str, dict[float, float]] = {}
        uids = {row.name: row.uid for row in pods}
        for _, answer in playback.polls[name]:
            body = answer["body"].encode()
            for sample in metrics.node_list(body) if "node" in name else metrics.pod_list(body):
                known = f"node/{sample.name}" if "node" in name else uids.get(sample.name)
                if known:
                    expected.setdefault(known, {})[sample.time] = float(sample.cpu)
        assert max(max(points.values()) for points in expected.values()) > 100
        for key, points in expected.items():
            got = store.cpu(key, 0)
            series = dict(zip(got.times, got.values, strict=True))
            assert series.items() <= points.items()
            assert len(series) >= len(points) - 2, key  # the last may be due after the end


def test_an_api_server_that_restarts_with_its_history_gone() -> None:
    with Playback("apiserver-restart") as playback, session(playback) as store:
        catch_up(playback, store)
        eventually(lambda: store.links[Kind.PODS].health is Health.LIVE)
        refused = [e.time for e in playback.tracks[Kind.PODS].entries if e.refused]
        playback.advance(refused[0])
        eventually(lambda: store.links[Kind.PODS].health is Health.RETRYING)
        assert rows(store, Kind.PODS)  # still there, and marked as old by the link
        playback.advance(playback.moments[-1])
        eventually(lambda: store.links[Kind.PODS].health is Health.LIVE, 15)
        catch_up(playback, store)


def test_the_whole_cluster_and_one_namespace_see_the_same_here() -> None:
    with Playback("scale-run") as playback, session(playback, None) as store:
        catch_up(playback, store)
        paths = {r.path for r in playback.server.requests}
    assert "/api/v1/pods" in paths
    assert not [p for p in paths if "namespaces" in p]


def test_recorded_conditions_of_every_kind_are_seen_by_their_reason() -> None:
    """All the reasons of the recorded HPA conditions arrive in the rows."""
    wanted, seen = set(), set()
    for name in [*recorded.names("hpa-v2.json"), *recorded.names("hpa-v2.watch.jsonl")]:
        if name.endswith(".json"):
            items = recorded.document(name)["items"]
            decoded = RESOURCES[Kind.HPAS].codec.page(recorded.raw(name)).rows
        else:
            lines = [e["line"] for e in recorded.lines(name) if "line" in e]
            items = [json.loads(line)["object"] for line in lines if '"ERROR"' not in line]
            events = [RESOURCES[Kind.HPAS].codec.event(line.encode()) for line in lines]
            decoded = [e.row for e in events if e.row is not None]
        for item in items:
            for condition in item["status"].get("conditions") or ():
                wanted.add((condition["type"], condition["status"], condition["reason"]))
        for row in decoded:
            assert isinstance(row, HpaRow)
            seen |= {(c.type, c.status, c.reason) for c in row.conditions}
    assert seen == wanted
    assert len({reason for _, _, reason in seen}) >= 14


def test_times_are_read_as_written() -> None:
    assert seconds("2026-11-21T00:45:24.742Z") == pytest.approx(1795221924.742)
