"""What holds of the HPA's algorithm whatever the figures are."""

from __future__ import annotations

from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import structs
from msgspec.structs import replace

from tests.analysis.hpa_samples import CPU, NOW, inputs, pod, spec, sync, used
from tests.thorough import examples
from tui.analysis import hpa
from tui.analysis.scaling_behavior import normalize

repeatable = settings(
    derandomize=True,
    deadline=None,
    max_examples=examples(50, 1000),
    suppress_health_check=[HealthCheck.too_slow],
)

counts = st.integers(1, 60)
ages = st.integers(0, 900).map(float)
policies = st.builds(
    hpa.ScalingPolicy,
    type=st.sampled_from(["Pods", "Percent"]),
    value=st.integers(1, 200),
    period_seconds=st.integers(1, 1800),
)
rules = st.builds(
    hpa.ScalingRules,
    policies=st.none() | st.lists(policies, min_size=1, max_size=3).map(tuple),
    select_policy=st.none() | st.sampled_from(["Max", "Min", "Disabled"]),
    stabilization_window_seconds=st.none() | st.integers(0, 600),
    tolerance=st.none() | st.floats(0, 0.5),
)
behaviors = st.none() | st.builds(
    hpa.Behavior, scale_up=st.none() | rules, scale_down=st.none() | rules
)
events = st.lists(
    st.builds(lambda n, ago: hpa.ScaleEvent(n, NOW - ago), st.integers(1, 9), ages), max_size=4
).map(tuple)
memories = st.builds(
    hpa.Memory,
    recommendations=st.lists(
        st.builds(lambda n, ago: hpa.Recommendation(n, NOW - ago), st.integers(0, 60), ages),
        max_size=8,
    ).map(tuple),
    scale_up_events=events,
    scale_down_events=events,
)
phases = st.sampled_from(["Running"] * 5 + ["Pending", "Failed"])
pods = st.lists(
    st.builds(
        lambda phase, ready, started, since, deleting: pod(
            "", phase=phase, ready=ready, started=started, ready_since=since, deleting=deleting
        ),
        phases,
        st.sampled_from(["True", "True", "True", "False", None]),
        st.none() | ages.map(lambda ago: NOW - ago),
        ages.map(lambda ago: NOW - ago),
        st.sampled_from([False] * 9 + [True]),
    ),
    min_size=1,
    max_size=8,
).map(lambda found: tuple(structs.replace(p, name=f"web-{n}") for n, p in enumerate(found)))


@st.composite
def situations(draw: st.DrawFn) -> tuple[hpa.HpaSpec, hpa.Inputs, hpa.Memory]:
    """Any HPA on CPU, with pods in any state and samples for some of them."""
    found = draw(pods)
    usage = tuple(
        used(p.name, draw(st.integers(0, 400)), age=draw(st.integers(0, 60)))
        for p in found
        if draw(st.integers(0, 9))
    )
    minimum = draw(st.integers(1, 10))
    chosen = spec(
        replace(CPU, average_utilization=draw(st.integers(1, 200))),
        min_replicas=minimum,
        max_replicas=minimum + draw(st.integers(0, 40)),
        behavior=draw(behaviors),
    )
    replicas = draw(st.integers(0, 12))
    given_ = replace(inputs(replicas=replicas), pods=found, usage=usage)
    return chosen, given_, draw(memories)


@given(situations())
@repeatable
def test_what_is_set_is_within_min_and_max(
    situation: tuple[hpa.HpaSpec, hpa.Inputs, hpa.Memory],
) -> None:
    chosen, given_, memory = situation
    outcome = sync(chosen, given_, memory)
    if outcome.scale_to is not None:
        assert outcome.decision.minimum <= outcome.scale_to <= chosen.max_replicas
        assert outcome.scale_to == outcome.status.desired_replicas


@given(situations())
@repeatable
def test_the_status_is_in_order_whatever_happens(
    situation: tuple[hpa.HpaSpec, hpa.Inputs, hpa.Memory],
) -> None:
    outcome = sync(*situation)
    types = [c.type for c in outcome.status.conditions]
    assert len(types) == len(set(types))
    assert set(types) <= {"AbleToScale", "ScalingActive", "ScalingLimited"}
    assert all(c.status in ("True", "False") for c in outcome.status.conditions)
    written = hpa.status_to_object(outcome.status)
    assert hpa.status_to_object(hpa.status_from_object({"status": written})) == written
    told = [e.reason for e in outcome.events]
    assert ("SuccessfulRescale" in told) is (outcome.scale_to is not None)
    assert ("FailedComputeMetricsReplicas" in told) is outcome.decision.failed


@given(situations())
@repeatable
def test_the_same_again_without_time_passing_writes_nothing(
    situation: tuple[hpa.HpaSpec, hpa.Inputs, hpa.Memory],
) -> None:
    chosen, given_, memory = situation
    first = sync(chosen, given_, memory)
    assert first == sync(chosen, given_, memory)
    if first.scale_to is None:
        again = sync(chosen, replace(given_, status=first.status), memory)
        assert not again.status_changed


@given(situations(), st.randoms(use_true_random=False))
@repeatable
def test_the_order_of_pods_and_samples_does_not_matter(
    situation: tuple[hpa.HpaSpec, hpa.Inputs, hpa.Memory], random: Random
) -> None:
    chosen, given_, memory = situation
    assert not isinstance(given_.usage, hpa.Unavailable)
    shuffled = replace(
        given_,
        pods=tuple(random.sample(given_.pods, len(given_.pods))),
        usage=tuple(random.sample(given_.usage, len(given_.usage))),
    )
    one, other = sync(chosen, given_, memory), sync(chosen, shuffled, memory)
    assert (one.scale_to, one.status, one.memory) == (other.scale_to, other.status, other.memory)


@given(situations())
@repeatable
def test_a_correction_never_turns_the_direction_round(
    situation: tuple[hpa.HpaSpec, hpa.Inputs, hpa.Memory],
) -> None:
    outcome = sync(*situation)
    for result in outcome.decision.metrics:
        found = result.calculation
        if found is None or found.corrected is None:
            continue
        current = outcome.decision.current
        assert current is not None
        assert found.measured.ratio > 1.0 or found.replicas <= current
        assert found.measured.ratio < 1.0 or found.replicas >= current


@given(st.lists(st.integers(0, 400), min_size=1, max_size=8), st.data())
@repeatable
def test_more_usage_never_asks_for_less(cpu: list[int], data: st.DataObject) -> None:
    more = [value + data.draw(st.integers(0, 200)) for value in cpu]
    less_wanted = sync(spec(), inputs(*cpu)).decision.recommended
    more_wanted = sync(spec(), inputs(*more)).decision.recommended
    assert less_wanted is not None
    assert more_wanted is not None
    assert less_wanted <= more_wanted


@given(st.lists(st.integers(1, 300), min_size=1, max_size=8), st.integers(2, 5))
@repeatable
def test_the_recommendation_brings_usage_to_the_target_if_load_is_shared(
    cpu: list[int], spare: int
) -> None:
    """Sharing the same load among as many pods as recommended leaves each at or below target."""
    recommended = sync(spec(max_replicas=1000), inputs(*cpu)).decision.recommended
    assert recommended is not None
    if recommended != len(cpu):  # else it was within tolerance, or exact
        percent = 100 * sum(cpu) // (100 * len(cpu))
        assert percent * len(cpu) <= 50 * recommended
        assert percent * len(cpu) > 50 * (recommended - 1)


@given(behaviors, counts, counts, counts, memories)
@repeatable
def test_asking_for_more_never_gets_less(
    behavior: hpa.Behavior | None, current: int, one: int, other: int, memory: hpa.Memory
) -> None:
    low, high = sorted((one, other))
    results = [
        normalize(behavior, hpa.DEFAULT_SETTINGS, current, wanted, 1, 60, memory, NOW)[0]
        for wanted in (low, high)
    ]
    assert results[0].desired <= results[1].desired


@given(behaviors, counts, counts, memories)
@repeatable
def test_what_a_step_allows_it_allows_for_good_reason(
    behavior: hpa.Behavior | None, current: int, wanted: int, memory: hpa.Memory
) -> None:
    result, _ = normalize(behavior, hpa.DEFAULT_SETTINGS, current, wanted, 1, 60, memory, NOW)
    stable = result.stabilization
    assert result.limited is (result.desired != stable.stabilized)
    assert result.limited is (result.reason != "DesiredWithinRange")
    assert (stable.reason == "ReadyForNewScale") is (stable.stabilized == wanted)
    assert min(current, stable.lowest) <= stable.stabilized <= max(current, stable.highest)
    if result.rate is not None and result.desired > current:
        assert result.desired <= result.rate.limit


@given(behaviors, counts)
@repeatable
def test_being_where_one_wants_to_be_is_to_stay(behavior: hpa.Behavior | None, count: int) -> None:
    nothing = hpa.NOTHING_REMEMBERED
    result, _ = normalize(behavior, hpa.DEFAULT_SETTINGS, count, count, 1, 60, nothing, NOW)
    assert result.desired == count
    assert not result.limited


@given(behaviors, st.lists(st.integers(0, 400), min_size=30, max_size=60))
@settings(repeatable, max_examples=examples(10, 100))
def test_memory_does_not_grow_for_ever(behavior: hpa.Behavior | None, load: list[int]) -> None:
    memory, status, replicas = hpa.NOTHING_REMEMBERED, hpa.Status(), 2
    chosen = spec(behavior=behavior, max_replicas=30)
    window = 300
    if behavior is not None:
        effective = hpa.effective_behavior(behavior, hpa.DEFAULT_SETTINGS)
        assert effective.scale_up is not None
        assert effective.scale_down is not None
        window = max(
            effective.scale_up.stabilization_window_seconds or 0,
            effective.scale_down.stabilization_window_seconds or 0,
        )
    for step, cpu in enumerate(load):
        now = NOW + 15.0 * step
        fresh = replace(
            inputs(*[min(cpu * 2 // replicas, 300)] * replicas),
            status=status,
        )
        outcome = sync(chosen, fresh, memory, now)
        memory, status = outcome.memory, outcome.status
        replicas = replicas if outcome.scale_to is None else outcome.scale_to
    assert len(memory.recommendations) <= window // 15 + 3
    assert len(memory.scale_up_events) <= 1800 // 15 + 2
