from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterable

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.samples import NOW, Clock, deployment, hpa, nodes, pod, replicaset, usage
from tui.state.delta import Delta
from tui.state.links import Health, Link, Source
from tui.state.rows import ContainerRow, Kind, NodeRow, NodeUsage, Owner, PodRow, Row
from tui.state.store import Store
from tui.state.table import Change

UIDS = st.sampled_from(["a", "b", "c", "d"])
KINDS = st.sampled_from([Kind.NODES, Kind.PODS])


def _row(kind: Kind, uid: str, version: int) -> Row:
    if kind is Kind.NODES:
        return NodeRow(uid=uid, name=uid, pods_allocatable=version)
    return PodRow(uid=uid, name=f"name-{uid}", namespace="default", restarts=version)


class StoreMachine(RuleBasedStateMachine):
    """A store beside two plain dictionaries."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock(1000.0)
        self.store = Store(self.clock)
        self.model: dict[Kind, dict[str, Row]] = {Kind.NODES: {}, Kind.PODS: {}}
        self.seen: dict[Kind, dict[str, Row]] = {Kind.NODES: {}, Kind.PODS: {}}
        self.delta = self.store.drain()

    @rule(kind=KINDS, rows=st.lists(st.tuples(UIDS, st.integers(0, 2)), max_size=4))
    def put(self, kind: Kind, rows: list[tuple[str, int]]) -> None:
        made = [_row(kind, uid, version) for uid, version in rows]
        self.store.put(kind, made)
        self.model[kind].update({row.uid: row for row in made})

    @rule(kind=KINDS, uids=st.lists(UIDS, max_size=3))
    def drop(self, kind: Kind, uids: list[str]) -> None:
        self.store.drop(kind, uids)
        for uid in uids:
            self.model[kind].pop(uid, None)

    @rule(kind=KINDS, uids=st.sets(UIDS))
    def retain(self, kind: Kind, uids: set[str]) -> None:
        gone = self.model[kind].keys() - uids
        assert self.store.retain(kind, uids) == len(gone)
        for uid in gone:
            del self.model[kind][uid]

    @rule(seconds=st.floats(0, 100))
    def wait(self, seconds: float) -> None:
        self.clock.now += seconds

    @rule()
    def drain(self) -> None:
        before, after = self.delta, self.store.drain()
        assert after.number == before.number + 1
        for kind in self.model:
            self._compare(kind, before, after)
        assert all(after.tables[k] is before.tables[k] for k in Kind if k not in self.model)
        self.seen = {kind: dict(rows) for kind, rows in self.model.items()}
        self.delta = after

    def _compare(self, kind: Kind, before: Delta, after: Delta) -> None:
        old, new = before.tables[kind], after.tables[kind]
        changes = [c for c in after.changes if c.kind is kind]
        assert dict(old.rows) == self.seen[kind], "a view changed after it was drained"
        assert dict(new.rows) == self.model[kind]
        assert _replayed(old.rows.items(), changes) == self.model[kind]
        assert len({_uid(c) for c in changes}) == len(changes)
        assert all(c.before != c.after for c in changes)
        assert all(c.before == old.rows.get(_uid(c)) for c in changes)
        assert all(c.at <= self.clock.now for c in changes)
        if self.seen[kind] == self.model[kind]:
            assert new is old
        else:
            assert new.generation > old.generation

    @precondition(lambda self: self.model[Kind.PODS])
    @rule(data=st.data())
    def sample(self, data: st.DataObject) -> None:
        """A pod is found by its name for as long as it is there, and only then."""
        uid = data.draw(st.sampled_from(sorted(self.model[Kind.PODS])))
        self.clock.now += 1
        self.store.sample_pods([usage(f"name-{uid}", 7, time=self.clock.now)])
        assert self.store.cpu(uid, 0).times[-1] == self.clock.now

    @invariant()
    def nobody_gets_samples_of_pods_that_are_gone(self) -> None:
        gone = {"a", "b", "c", "d"} - self.model[Kind.PODS].keys()
        for uid in gone:
            before = list(self.store.cpu(uid, 0).times)
            self.store.sample_pods([usage(f"name-{uid}", 7, time=self.clock.now + 0.5)])
            assert list(self.store.cpu(uid, 0).times) == before


def _uid(change: Change) -> str:
    row = change.after or change.before
    assert row is not None
    return row.uid


def _replayed(rows: Iterable[tuple[str, Row]], changes: list[Change]) -> dict[str, Row]:
    made = dict(rows)
    for change in changes:
        if change.after is None:
            del made[_uid(change)]
        else:
            made[_uid(change)] = change.after
    return made


TestStoreAgainstDictionaries = StoreMachine.TestCase
TestStoreAgainstDictionaries.settings = settings(
    derandomize=True, deadline=None, max_examples=25, stateful_step_count=30
)


@pytest.mark.timeout(30)
def test_several_writers_and_one_reader_lose_nothing() -> None:
    store = Store()
    writers, rounds, per_writer = 6, 40, 25

    together = threading.Barrier(writers + 1)

    def write(number: int) -> None:
        together.wait()
        for turn in range(rounds):
            store.put(
                Kind.PODS,
                [
                    PodRow(uid=f"{number}/{n}", name=f"p{number}-{n}", restarts=turn)
                    for n in range(per_writer)
                ],
            )
            store.drop(Kind.PODS, [f"{number}/{turn % per_writer}"])
            store.link(Kind.PODS, Health.LIVE, f"{number}")

    replayed: dict[str, Row] = {}

    def drain() -> Delta:
        delta = store.drain()
        for change in delta.changes:
            assert change.before == replayed.get(_uid(change))
            if change.after is None:
                del replayed[_uid(change)]
            else:
                replayed[_uid(change)] = change.after
        assert dict(delta.pods.rows) == replayed
        return delta

    threads = [threading.Thread(target=write, args=(n,), daemon=True) for n in range(writers)]
    for thread in threads:
        thread.start()
    together.wait()
    while any(thread.is_alive() for thread in threads):
        drain()
    last = drain()
    dropped = (rounds - 1) % per_writer
    assert last.pods.rows.keys() == {
        f"{w}/{n}" for w in range(writers) for n in range(per_writer) if n != dropped
    }
    assert {row.restarts for row in last.pods.rows.values()} == {rounds - 1}


class TestDelta:
    def test_what_was_never_heard_of_is_still_connecting(self) -> None:
        assert Delta().link(Kind.PODS) == Link(Health.CONNECTING)
        assert dict(Delta().pods.rows) == {}

    def test_links_keep_their_beginning_while_they_last(self) -> None:
        clock = Clock(100.0)
        store = Store(clock)
        store.link(Kind.PODS, Health.LIVE)
        clock.now = 150.0
        store.link(Kind.PODS, Health.LIVE, "still")
        assert store.drain().link(Kind.PODS) == Link(Health.LIVE, 100.0, "still")
        clock.now = 160.0
        store.link(Kind.PODS, Health.RETRYING, "lost", retry_at=165.0)
        earlier = store.links
        assert store.links[Kind.PODS] == Link(Health.RETRYING, 160.0, "lost", 165.0)
        store.link(Source.POD_METRICS, Health.ABSENT)
        assert Source.POD_METRICS not in earlier

    def test_a_poll_replaces_the_one_before(self) -> None:
        store = Store(Clock())
        store.sample_pods([usage("a", 1, time=NOW), usage("b", 2, time=NOW)])
        first = store.drain()
        store.sample_pods([usage("b", 3, time=NOW + 15)])
        second = store.drain()
        assert set(first.pod_usage) == {("default", "a"), ("default", "b")}
        assert set(second.pod_usage) == {("default", "b")}
        assert second.samples == first.samples + 1

    def test_nodes_have_usage_and_a_series(self) -> None:
        store = Store(Clock())
        store.put(Kind.NODES, nodes())
        store.sample_nodes([NodeUsage("lab-worker", NOW, 15.0, 120, 1900)])
        assert store.drain().node_usage["lab-worker"].cpu == 120
        assert list(store.cpu("node/lab-worker", 0).values) == [120]
        assert list(store.memory("node/lab-worker", 0).values) == [1900]

    @pytest.mark.parametrize(("nodes", "kept"), [(200, 240), (201, 50)])
    def test_many_nodes_have_brief_series(self, nodes: int, kept: int) -> None:
        store = Store(Clock())
        for poll in range(240):
            time = NOW + 15 * poll
            store.sample_nodes([NodeUsage(f"n{n}", time, 15.0, 1, 1) for n in range(nodes)])
        assert len(store.cpu("node/n7", 0).times) <= kept
        assert len(store.cpu("node/n7", 0).times) >= 0.8 * kept


class TestSeries:
    """What is kept per workload and HPA."""

    def test_replicas_over_time(self) -> None:
        clock = Clock(100.0)
        store = Store(clock)
        for at, current, desired, ready in ((100, 2, 2, 2), (160, 2, 4, 2), (161, 4, 4, 3)):
            clock.now = at
            store.put(Kind.HPAS, [hpa(current, desired, 50)])
            store.put(Kind.DEPLOYMENTS, [deployment(current, ready)])
        replicas = store.replicas("uid-hpa", "uid-deploy", 0)
        assert list(replicas.current.values) == [2, 4]
        assert (list(replicas.desired.times), list(replicas.desired.values)) == ([100, 160], [2, 4])
        assert list(replicas.ready.values) == [2, 3]
        assert list(store.replicas("uid-hpa", "uid-deploy", 150).desired.values) == [2, 4]

    def test_no_desired_number_is_not_zero(self) -> None:
        clock = Clock(100.0)
        store = Store(clock)
        for desired in (4, 0, None, 4):
            clock.now += 15
            store.put(Kind.HPAS, [hpa(4, desired, None)])
        assert list(store.replicas("uid-hpa", "", 0).desired.values) == [4]

    def test_without_the_workload_the_hpa_tells_the_replicas(self) -> None:
        store = Store(Clock(100.0))
        store.put(Kind.HPAS, [hpa(3, 3, 50)])
        replicas = store.replicas("uid-hpa", "gone", 0)
        assert list(replicas.current.values) == [3]
        assert not replicas.ready

    @pytest.mark.parametrize(
        ("owner", "kept"),
        [(None, True), ("Rollout", True), ("Deployment", False)],
    )
    def test_a_replicaset_has_replicas_of_its_own_unless_a_deployment_has_them(
        self, owner: str | None, kept: bool
    ) -> None:
        store = Store(Clock(100.0))
        controller = Owner(owner, "shop", "uid-shop") if owner is not None else None
        store.put(Kind.REPLICASETS, [msgspec.structs.replace(replicaset(2), owner=controller)])
        assert bool(store.replicas("", "uid-rs", 0).ready) is kept

    def test_a_deployments_usage_is_that_of_its_replicasets_pods(self) -> None:
        store = Store(Clock(NOW))
        store.put(Kind.REPLICASETS, [replicaset(2)])
        store.put(Kind.PODS, [pod("a", age=50), pod("b", age=40)])
        store.sample_pods([usage("a", 90, 10, time=NOW), usage("b", 30, 20, time=NOW - 3)])
        assert list(store.cpu("uid-deploy", 0).values) == [120]
        assert list(store.memory("uid-deploy", 0).values) == [30]
        assert list(store.cpu("uid-deploy", 0).times) == [NOW]
        assert list(store.request("uid-deploy", 0).values) == [200]
        assert [m.name for m in store.members("uid-deploy")] == ["a", "b"]
        assert not store.cpu("uid-rs", 0)

    def test_the_request_is_of_the_pods_that_have_a_sample(self) -> None:
        store = Store(Clock(NOW))
        store.put(Kind.REPLICASETS, [replicaset(2)])
        store.put(Kind.PODS, [pod("a", age=50), pod("b", age=40)])
        store.sample_pods([usage("a", 90, time=NOW)])
        store.sample_pods([usage("a", 90, time=NOW + 15), usage("b", 30, time=NOW + 15)])
        store.sample_pods([usage("a", 80, time=NOW + 30), usage("b", 30, time=NOW + 30)])
        asked = store.request("uid-deploy", 0)
        assert list(zip(asked.times, asked.values, strict=True)) == [(NOW, 100), (NOW + 15, 200)]

    def test_pods_of_other_owners(self) -> None:
        store = Store(Clock(NOW))
        stateful = pod("db-0", age=9, owner=Owner("StatefulSet", "db", "uid-db"))
        orphan = pod("bare", age=9, owner=None)
        unknown = pod("x", age=9, owner=Owner("ReplicaSet", "rs", "uid-not-listed"))
        store.put(Kind.PODS, [stateful, orphan, unknown])
        store.sample_pods([usage(n, 5, time=NOW) for n in ("db-0", "bare", "x", "never-seen")])
        assert list(store.cpu("uid-db", 0).values) == [5]
        assert list(store.cpu(orphan.uid, 0).values) == [5]
        assert list(store.cpu("uid-not-listed", 0).values) == [5]

    def test_a_pod_of_the_same_name_is_another_pod(self) -> None:
        store = Store(Clock(NOW))
        store.put(Kind.PODS, [pod("db-0", age=9, uid="first")])
        store.sample_pods([usage("db-0", 5, time=NOW)])
        store.put(Kind.PODS, [pod("db-0", age=0, uid="second")])
        store.drop(Kind.PODS, ["first"])
        store.sample_pods([usage("db-0", 7, time=NOW + 15)])
        assert list(store.cpu("first", 0).values) == [5]
        assert list(store.cpu("second", 0).values) == [7]

    def test_gone_pods_stay_members_for_as_long_as_their_series(self) -> None:
        clock = Clock(NOW)
        store = Store(clock, span=600)
        store.put(Kind.REPLICASETS, [replicaset(2)])
        store.put(Kind.PODS, [pod("a", age=50), pod("b", age=40)])
        store.sample_pods([usage("a", 9, time=NOW), usage("b", 9, time=NOW)])
        store.retain(Kind.PODS, ["uid-b"])
        clock.now = NOW + 500
        store.sample_pods([usage("b", 9, time=clock.now)])
        assert [m.name for m in store.members("uid-deploy")] == ["a", "b"]
        clock.now = NOW + 700
        store.sample_pods([usage("b", 9, time=clock.now)])
        assert [m.name for m in store.members("uid-deploy")] == ["b"]
        assert not store.cpu("uid-a", 0)

    def test_samples_before_the_first_list_wait_for_it(self) -> None:
        clock = Clock(NOW)
        store = Store(clock)
        store.link(Kind.PODS, Health.CONNECTING)
        store.link(Kind.REPLICASETS, Health.CONNECTING)
        store.sample_pods([usage("a", 9, time=NOW)])
        polls = store.drain().samples
        store.put(Kind.PODS, [pod("a", age=50)])
        store.link(Kind.PODS, Health.LIVE)
        assert not store.cpu("uid-a", 0)
        store.put(Kind.REPLICASETS, [replicaset(1)])
        store.link(Kind.REPLICASETS, Health.LIVE)
        assert list(store.cpu("uid-a", 0).values) == [9]
        assert list(store.cpu("uid-deploy", 0).values) == [9]
        assert store.drain().samples == polls + 1
        store.link(Kind.REPLICASETS, Health.LIVE)
        assert store.drain().samples == polls + 1

    def test_replicasets_that_may_not_be_listed_hold_nothing_up(self) -> None:
        store = Store(Clock(NOW))
        store.link(Kind.PODS, Health.LIVE)
        store.link(Kind.REPLICASETS, Health.FORBIDDEN)
        store.put(Kind.PODS, [pod("a", age=50)])
        store.sample_pods([usage("a", 9, time=NOW)])
        assert list(store.cpu("uid-rs", 0).values) == [9]

    def test_what_is_long_gone_leaves_nothing_behind(self) -> None:
        clock = Clock(NOW)
        store = Store(clock, span=600)
        for n in range(50):
            uid = f"rs-{n}"
            rs = msgspec.structs.replace(replicaset(1), uid=uid, owner=None)
            alone = pod(f"p{n}", age=1, owner=Owner("Job", "j", f"job-{n}"))
            store.put(Kind.REPLICASETS, [rs])
            store.put(Kind.PODS, [alone])
            clock.now += 60
            store.sample_pods([usage(f"p{n}", 5, time=clock.now)])
            store.drop(Kind.REPLICASETS, [uid])
            store.drop(Kind.PODS, [alone.uid])
        history = store._history
        for kept in (history._steps, history._usage, history._members, history._ended):
            assert len(kept) <= 3 * 12
        assert not store.replicas("", "rs-0", 0).current
        assert not store.request("job-0", 0)
        assert store.request("job-49", 0)
        assert store._names == {}

    def test_a_request_of_none_counts_nothing(self) -> None:
        store = Store(Clock(NOW))
        store.put(Kind.REPLICASETS, [replicaset(1)])
        store.put(Kind.PODS, [pod("a", age=50, containers=(ContainerRow("fastapi"),))])
        store.sample_pods([usage("a", 9, time=NOW)])
        assert list(store.request("uid-deploy", 0).values) == [0]
        assert store.members("uid-deploy")[0].cpu_request is None


def test_the_core_loads_neither_screen_nor_client() -> None:
    heavy = ("textual", "kubernetes", "rich", "aiohttp", "httpx", "plotext")
    code = (
        "import tui.state.store, tui.analysis.scene, sys\n"
        f"print([m for m in sys.modules if m.split('.')[0] in {heavy}])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=20, check=True
    )
    assert done.stdout.strip() == "[]"


def test_rows_are_not_known_before_a_list_has_come() -> None:
    store = Store()
    assert store.rows(Kind.NODES) is None
    for health in (Health.CONNECTING, Health.RETRYING, Health.FORBIDDEN):
        store.link(Kind.NODES, health)
        assert store.rows(Kind.NODES) is None
    store.link(Kind.NODES, Health.LIVE)
    assert store.rows(Kind.NODES) == ()
