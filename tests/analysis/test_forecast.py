"""The algorithm run forward: against what the recorded controller then did, and its own laws."""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs
from msgspec.structs import replace

from tests.analysis.replay import Replay, explained
from tests.thorough import examples
from tui.analysis import hpa
from tui.analysis.forecast import HORIZON, Delays, Forecast, forecast, requests_changed
from tui.analysis.why import Explanation

NOW = 1_795_000_000.0


@cache
def run_through() -> list[tuple[float, float, Explanation]]:
    """Of every half second of the run: how far into it, the time, and what was known."""
    replay = Replay()
    start = replay.now
    return [(replay.now - start, replay.now, why) for _, why in explained(replay, 0.5)]


def recorded(after: float) -> tuple[Explanation, float]:
    """What was known that many seconds into the run."""
    known = (w for w in run_through() if w[0] >= after and w[2].inputs is not None)
    _, now, why = next(known)
    return why, now


def ahead(why: Explanation, now: float) -> Forecast:
    assert why.inputs is not None
    assert why.outlook is not None
    spec = why.outlook.decision.spec
    return forecast(spec, why.inputs, why.memory, now, why.next_look, Delays(2.0, why.period))


def test_a_scale_up_is_foreseen_as_soon_as_the_sample_shows_it() -> None:
    why, now = recorded(32)
    found = ahead(why, now)
    first = found.changes[0]
    # The controller went 2 → 4 at :54.78 and 4 → 8 at :09.82 (the load then grew further).
    assert [size for _, size in found.changes] == [4, 8]
    assert first[0] - now < 3


@pytest.mark.parametrize("after", [230, 300, 400])
def test_the_moment_of_the_scale_down_is_foreseen_to_the_second(after: float) -> None:
    why, now = recorded(after)
    found = ahead(why, now)
    came = 1_795_222_435.233  # when the recorded controller set it
    assert [size for _, size in found.changes] == [2]
    assert abs(found.changes[0][0] - came) < 1.0


def test_at_rest_it_stays() -> None:
    why, now = recorded(540)
    found = ahead(why, now)
    assert (found.start, found.end, found.changes) == (2, 2, ())
    assert {look.decides for look in found.looks} == {"bounds"}


def spec(**more: Any) -> hpa.HpaSpec:
    metric = hpa.MetricSpec("Resource", "cpu", average_utilization=50)
    fields: dict[str, Any] = {"metrics": (metric,), "min_replicas": 1, "max_replicas": 20, **more}
    return hpa.HpaSpec("n", "h", hpa.ObjectReference("Deployment", "d"), **fields)


def inputs(count: int, milli: int, request: int = 100) -> hpa.Inputs:
    names = [f"p{n}" for n in range(count)]
    containers = (hpa.ContainerInput("app", {"cpu": request}),)
    return hpa.Inputs(
        hpa.Scale(count, count, "app=d"),
        tuple(
            hpa.PodInput(n, "Running", "True", NOW - 4000, NOW - 4000, False, containers)
            for n in names
        ),
        tuple(
            hpa.PodUsage(n, NOW - 5, 15.0, (hpa.ContainerUsage("app", {"cpu": milli}),))
            for n in names
        ),
        selecting_hpas=("n/h",),
    )


def run(spec: hpa.HpaSpec, seen: hpa.Inputs, memory: hpa.Memory | None = None) -> Forecast:
    return forecast(spec, seen, memory or hpa.NOTHING_REMEMBERED, NOW, NOW + 5)


def test_load_spreads_over_the_pods_that_come() -> None:
    found = run(spec(), inputs(2, 150))
    assert [size for _, size in found.changes] == [4, 6]
    # 300m over 6 pods of 100m is 50 %: there it stays.
    assert found.looks[-1].reading == 50
    assert found.looks[-1].decides == "tolerance"


def test_pods_that_never_become_ready_take_no_load() -> None:
    stuck = structs.replace(inputs(2, 150).pods[0], name="stuck", ready="False", phase="Pending")
    seen = inputs(2, 150)
    seen = replace(seen, pods=(*seen.pods, stuck), scale=hpa.Scale(3, 3, "app=d"))
    found = run(spec(max_replicas=3), seen)
    assert found.looks[-1].reading == 150


def pod(name: str, state: str) -> hpa.PodInput:
    """A pod that has been so for more than an hour."""
    made, containers = NOW - 4000, (hpa.ContainerInput("app", {"cpu": 100}),)

    def so(phase: str, ready: str | None, since: float = made, **more: Any) -> hpa.PodInput:
        known: dict[str, Any] = {"started": made, "created": made, "containers": containers, **more}
        return hpa.PodInput(name, phase, ready, None if ready is None else since, **known)

    match state:
        case "ready":
            return so("Running", "True")
        case "lost its readiness":
            return so("Running", "False", NOW - 60)
        case "never ready":
            return so("Running", "False")
        case "unschedulable":
            return so("Pending", None, started=None)
        case _:
            return so(state, "False", NOW - 600)


STATES = ("ready", "lost its readiness", "never ready", "unschedulable", "Succeeded", "Failed")


@settings(max_examples=examples(150, 2000), deadline=None)
@given(
    st.lists(st.sampled_from(STATES), min_size=1, max_size=8),
    st.integers(0, 200),
    st.lists(st.integers(0, 200), min_size=8, max_size=8),
    st.sampled_from(["cpu", "memory", "requests"]),
)
def test_where_nothing_moves_the_next_sample_leads_where_this_one_does(
    states: list[str], each: int, own: list[int], name: str
) -> None:
    pods = tuple(pod(f"p{n}", state) for n, state in enumerate(states))
    used = {
        p.name: each if p.ready == "True" else own[n]
        for n, p in enumerate(pods)
        if p.phase == "Running"
    }
    alive = sum(p.phase not in ("Succeeded", "Failed") for p in pods)
    kind = "Pods" if name == "requests" else "Resource"
    metric = hpa.MetricSpec(kind, name, average_value=50, target_type="AverageValue")
    if name == "memory":
        used = dict.fromkeys(used, each)  # of which the mean is kept
    at_once = hpa.ScalingRules(stabilization_window_seconds=0)
    wanted = spec(metrics=(metric,), behavior=hpa.Behavior(None, at_once))

    def read(at: float) -> hpa.Inputs:
        return hpa.Inputs(
            hpa.Scale(alive, alive, "app=d"),
            pods,
            tuple(
                hpa.PodUsage(p, at, 15.0, (hpa.ContainerUsage("app", {name: u}),))
                for p, u in used.items()
            ),
            {0: tuple(hpa.PodValue(p, u, at) for p, u in used.items())},
        )

    sampled, look = NOW + 25, NOW + 26  # of one taken 5 s ago: the second since
    found = forecast(wanted, read(NOW - 5), hpa.NOTHING_REMEMBERED, NOW, look)
    then = hpa.reconcile(wanted, read(sampled), hpa.NOTHING_REMEMBERED, look)
    assert found.looks[0].size == (alive if then.scale_to is None else then.scale_to)


def test_the_only_pod_that_loses_its_readiness_goes_on_counting() -> None:
    lost = pod("p0", "lost its readiness")
    found = run(spec(), replace(inputs(1, 100), pods=(lost,)))
    assert [size for _, size in found.changes] == [2]
    assert "problem" not in {look.decides for look in found.looks}


def test_pods_that_fit_on_no_node_are_not_taken_to_become_ready() -> None:
    seen = inputs(2, 60)
    pods = (*seen.pods, pod("x", "unschedulable"), pod("y", "unschedulable"))
    found = run(
        spec(behavior=hpa.Behavior(None, hpa.ScalingRules(stabilization_window_seconds=0))),
        replace(seen, pods=pods, scale=hpa.Scale(4, 4, "app=d")),
    )
    assert found.changes == ()


def test_a_policy_frees_when_its_period_is_over() -> None:
    slow = hpa.ScalingRules((hpa.ScalingPolicy("Pods", 1, 60),), "Max", 0)
    found = run(spec(behavior=hpa.Behavior(slow, None)), inputs(2, 500))
    times = [at for at, _ in found.changes]
    assert [size for _, size in found.changes][:3] == [3, 4, 5]
    assert all(60 <= b - a <= 76 for a, b in pairwise(times))


def test_a_window_holds_until_its_last_recommendation_leaves() -> None:
    memory = hpa.Memory((hpa.Recommendation(10, NOW - 100), hpa.Recommendation(4, NOW - 50)))
    found = run(spec(), inputs(10, 5), memory)
    assert [size for _, size in found.changes] == [4, 1]
    assert 200 <= found.changes[0][0] - NOW <= 216
    assert 250 <= found.changes[1][0] - NOW <= 266


def test_without_a_target_there_is_nothing_to_foresee() -> None:
    gone = replace(inputs(1, 1), scale=hpa.Unavailable("not found"))
    assert run(spec(), gone).looks == ()


def test_another_request_changes_the_share() -> None:
    seen = requests_changed(inputs(2, 150), "cpu", 400)
    assert [p.containers[0].requests["cpu"] for p in seen.pods] == [400, 400]
    assert run(spec(), seen).end == 2


@settings(max_examples=examples(25, 300), deadline=None)
@given(
    st.integers(1, 12), st.integers(0, 900), st.integers(1, 6), st.integers(1, 15), st.booleans()
)
def test_it_keeps_to_the_bounds_and_to_the_clock(
    count: int, milli: int, low: int, more: int, with_behavior: bool
) -> None:
    behavior = hpa.Behavior() if with_behavior else None
    wanted = spec(min_replicas=low, max_replicas=low + more, behavior=behavior)
    found = run(wanted, inputs(count, milli))
    sizes = [look.size for look in found.looks]
    assert all(low <= size <= low + more for size in sizes[1:])
    assert len(found.looks) == int((HORIZON - 5) // 15) + 1
    assert all(NOW <= look.at <= NOW + HORIZON for look in found.looks)


@settings(max_examples=examples(20, 200), deadline=None)
@given(st.integers(1, 8), st.integers(0, 400), st.integers(5, 95))
def test_a_higher_target_never_ends_with_more_pods(count: int, milli: int, aim: int) -> None:
    def at(target: int) -> int:
        metric = hpa.MetricSpec("Resource", "cpu", average_utilization=target)
        return run(spec(metrics=(metric,)), inputs(count, milli)).end

    # Within tolerance either may stay where it is: twice the target is well outside.
    assert at(2 * aim) <= at(aim)
