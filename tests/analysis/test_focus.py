from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.samples import LABELS, NOW, Clock, cpu_metric, deployment, hpa, pod, usage
from tui.analysis.focus import (
    Focus,
    Target,
    TargetError,
    cpu_target,
    ordered,
    parse_target,
    pods_of,
    resolve,
    touches,
    utilization,
)
from tui.state.delta import Delta
from tui.state.rows import ContainerRow, HpaRow, Kind, PodRow, Requirement, Row, WorkloadRow
from tui.state.store import Store


def delta(**tables: list[Any]) -> Delta:
    store = Store(Clock())
    for name, rows in tables.items():
        store.put(Kind[name], rows)
    return store.drain()


def workload(name: str, kind: str = "Deployment", namespace: str = "default") -> WorkloadRow:
    return msgspec.structs.replace(
        deployment(1, 1), uid=f"{namespace}/{name}", name=name, namespace=namespace, kind=kind
    )


def scaler(name: str, target: str = "fastapi-deploy", namespace: str = "default") -> HpaRow:
    return hpa(1, 1, 1, uid=f"{namespace}/{name}", name=name, namespace=namespace,
               target_name=target)  # fmt: skip


class TestParseTarget:
    @pytest.mark.parametrize(
        ("text", "target"),
        [
            ("deployment/web", Target("Deployment", "web")),
            ("deploy/web", Target("Deployment", "web")),
            ("Deployments/web", Target("Deployment", "web")),
            ("deployment.apps/web", Target("Deployment", "web")),
            ("web", Target("Deployment", "web")),
            ("sts/db", Target("StatefulSet", "db")),
            ("statefulset/db", Target("StatefulSet", "db")),
            ("rs/web-66b8c95455", Target("ReplicaSet", "web-66b8c95455")),
        ],
    )
    def test_as_kubectl_writes_it(self, text: str, target: Target) -> None:
        assert parse_target(text) == target

    @pytest.mark.parametrize("text", ["", "deployment/", "/web", "daemonset/web", "pod/x", "a/b/c",
                                      "deployment/a/b"])  # fmt: skip
    def test_what_is_no_target_is_told_in_a_sentence(self, text: str) -> None:
        with pytest.raises(TargetError, match=r"use .*/NAME"):
            parse_target(text)


class TestResolve:
    def test_an_empty_cluster(self) -> None:
        assert resolve(Delta(), None, None) == Focus()

    def test_the_first_hpa_by_namespace_and_name(self) -> None:
        rows = [scaler("b"), scaler("a", namespace="zoo"), scaler("a")]
        found = resolve(delta(HPAS=rows), None, None)
        assert found.hpa is not None
        assert (found.hpa.uid, found.position, found.count) == ("default/a", 1, 3)
        assert [h.uid for h in ordered(rows)] == ["default/a", "default/b", "zoo/a"]

    def test_the_hpa_that_was_chosen(self) -> None:
        found = resolve(delta(HPAS=[scaler("a"), scaler("b")]), "default/b", None)
        assert found.hpa is not None
        assert (found.hpa.name, found.position) == ("b", 2)

    def test_a_chosen_hpa_that_is_gone_makes_way(self) -> None:
        rows = delta(HPAS=[scaler("a"), scaler("b", "web")])
        assert resolve(rows, "gone", None).position == 1
        assert resolve(rows, "gone", Target("Deployment", "web")).position == 2

    def test_the_hpa_of_the_target(self) -> None:
        rows = [scaler("a", "other"), scaler("b", "web", "zoo"), scaler("c", "web")]
        view = delta(HPAS=rows, DEPLOYMENTS=[workload("web")])
        found = resolve(view, None, Target("Deployment", "web", "default"))
        assert found.hpa is not None
        assert found.hpa.name == "c"
        assert found.workload is not None
        assert found.workload.uid == "default/web"
        assert resolve(view, None, Target("StatefulSet", "web")).hpa is None

    def test_a_target_that_no_hpa_scales(self) -> None:
        view = delta(HPAS=[scaler("a", "other")], DEPLOYMENTS=[workload("web", namespace="zoo")],
                     PODS=[pod("p", age=1, namespace="zoo")])  # fmt: skip
        found = resolve(view, None, Target("Deployment", "web"))
        assert (found.hpa, found.position, found.count) == (None, 0, 1)
        assert found.target == Target("Deployment", "web", "zoo")
        assert [p.name for p in found.pods] == ["p"]

    def test_an_hpa_whose_workload_is_missing(self) -> None:
        found = resolve(delta(HPAS=[scaler("a")], PODS=[pod("p", age=1)]), None, None)
        assert found.target == Target("Deployment", "fastapi-deploy", "default")
        assert (found.workload, found.pods) == (None, ())

    def test_an_hpa_of_a_kind_that_is_not_watched(self) -> None:
        row = msgspec.structs.replace(scaler("a"), target_kind="Rollout")
        found = resolve(delta(HPAS=[row]), None, None)
        assert found.workload is None
        assert found.target == Target("Rollout", "fastapi-deploy", "default")

    @pytest.mark.parametrize("kind", ["StatefulSet", "ReplicaSet"])
    def test_other_workloads(self, kind: str) -> None:
        row = msgspec.structs.replace(scaler("a", "db"), target_kind=kind)
        rows: dict[str, list[Row]] = {f"{kind.upper()}S": [workload("db", kind)]}
        found = resolve(delta(HPAS=[row], **rows), None, None)
        assert found.workload is not None
        assert found.workload.name == "db"


class TestPods:
    def test_two_deployments_with_one_label_count_each_others_pods(self) -> None:
        """The selector alone decides, as for the HPA: the classic trap."""
        mine = pod("fastapi-deploy-66b8c95455-aaaaa", age=10)
        others = pod("fastapi-other-5d4f8b7c9-bbbbb", age=20)
        unlike = pod("nginx-1", age=30, labels=(("app", "nginx"),))
        elsewhere = pod("far", age=40, namespace="zoo")
        view = delta(PODS=[mine, others, unlike, elsewhere])
        assert pods_of(view, deployment(1, 1)) == (others, mine)

    def test_oldest_first_then_by_name(self) -> None:
        rows = [pod("c", age=5), pod("b", age=5), pod("a", age=1), pod("z", age=9)]
        found = pods_of(delta(PODS=rows), deployment(1, 1))
        assert [p.name for p in found] == ["z", "b", "c", "a"]

    def test_no_selector_matches_nothing(self) -> None:
        bare = msgspec.structs.replace(deployment(1, 1), selector=())
        assert pods_of(delta(PODS=[pod("a", age=1)]), bare) == ()
        assert pods_of(delta(PODS=[pod("a", age=1)]), None) == ()

    def test_several_terms(self) -> None:
        picky = msgspec.structs.replace(
            deployment(1, 1),
            selector=(
                Requirement("app", "In", ("fastapi", "flask")),
                Requirement("canary", "DoesNotExist"),
            ),
        )
        canary = pod("b", age=1, labels=(*LABELS, ("canary", "yes")))
        assert [p.name for p in pods_of(delta(PODS=[pod("a", age=1), canary]), picky)] == ["a"]

    def test_those_that_have_ended_are_not_alive(self) -> None:
        ended = pod("b", age=1, phase="Failed")
        assert [p.name for p in Focus(pods=(pod("a", age=1), ended)).live_pods] == ["a"]


def _asking(name: str, request: int | None, **more: Any) -> PodRow:
    return pod(name, age=60, containers=(ContainerRow("app", request),), **more)


class TestUtilization:
    def test_a_truncated_ratio_of_sums(self) -> None:
        pods = [_asking("a", 100), _asking("b", 300)]
        samples = [usage("a", 99, time=NOW - 7), usage("b", 20, time=NOW)]
        found = utilization(pods, {(s.namespace, s.name): s for s in samples})
        assert found is not None
        assert found.percent == 29
        assert found == (119, 400, 2, NOW)

    def test_only_pods_that_have_a_sample_and_stay(self) -> None:
        pods = [
            _asking("a", 100),
            _asking("new", 100),
            _asking("going", 100, deleting=NOW),
            _asking("failed", 100, phase="Failed"),
        ]
        samples = [usage(n, 50, time=NOW) for n in ("a", "going", "failed", "not ours")]
        found = utilization(pods, {(s.namespace, s.name): s for s in samples})
        assert found == (50, 100, 1, NOW)

    def test_one_pod_without_a_request_leaves_no_percentage(self) -> None:
        pods = [_asking("a", 100), _asking("b", None), _asking("c", 100)]
        samples = {("default", n): usage(n, 50, time=NOW) for n in "abc"}
        found = utilization(pods, samples)
        assert found is not None
        assert (found.used, found.requested, found.percent) == (150, None, None)

    def test_no_samples(self) -> None:
        assert utilization([_asking("a", 100)], {}) is None

    def test_a_request_of_nothing_is_no_divisor(self) -> None:
        found = utilization([_asking("a", 0)], {("default", "a"): usage("a", 5, time=NOW)})
        assert found is not None
        assert found.percent is None


class TestCpuTarget:
    def test_the_metric_a_line_can_be_drawn_for(self) -> None:
        memory = msgspec.structs.replace(cpu_metric(10), name="memory")
        value = msgspec.structs.replace(cpu_metric(10), target_type="AverageValue")
        assert cpu_target(None) is None
        assert cpu_target(hpa(1, 1, 1, metrics=(memory, value))) is None
        assert cpu_target(hpa(1, 1, 1, metrics=(memory, cpu_metric(10, 70)))) == cpu_metric(10, 70)


WEB = (("app", "web"),)
SELECTS = (Requirement("app", "In", ("web",)),)
_rows: st.SearchStrategy[tuple[Kind, Row]] = st.one_of(
    st.builds(
        lambda n, space, labels, age: (
            Kind.PODS,
            pod(f"p{n}", age=age, uid=f"p{n}", namespace=space, labels=labels),
        ),
        st.integers(0, 5),
        st.sampled_from(["default", "other"]),
        st.sampled_from([WEB, LABELS]),
        st.integers(1, 3),
    ),
    st.builds(
        lambda n, target, most: (
            Kind.HPAS,
            msgspec.structs.replace(scaler(f"h{n}", target), max=most),
        ),
        st.integers(0, 2),
        st.sampled_from(["web", "api"]),
        st.integers(1, 3),
    ),
    st.builds(
        lambda name, ready: (
            Kind.DEPLOYMENTS,
            msgspec.structs.replace(workload(name), ready=ready, selector=SELECTS),
        ),
        st.sampled_from(["web", "api"]),
        st.integers(0, 3),
    ),
)


@given(
    st.lists(st.lists(st.tuples(_rows, st.booleans()), max_size=4), max_size=12),
    st.sampled_from([None, Target("Deployment", "web")]),
)
def test_changes_that_do_not_touch_the_focus_leave_it_as_it_is(
    ticks: list[list[tuple[tuple[Kind, Row], bool]]], target: Target | None
) -> None:
    store = Store(Clock())
    focus = resolve(store.drain(), None, target)
    for tick in ticks:
        for (kind, row), there in tick:
            if there:
                store.put(kind, [row])
            else:
                store.drop(kind, [row.uid])
        delta = store.drain()
        seen = focus.hpa.uid if focus.hpa is not None and target is None else None
        found = resolve(delta, seen, target)
        assert resolve(delta, seen, target, focus) == found
        if not any(touches(change, focus) for change in delta.changes):
            assert found == focus
        focus = found
