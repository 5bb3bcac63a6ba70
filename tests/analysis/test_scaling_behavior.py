from __future__ import annotations

from typing import Any

import pytest

from tests.analysis.hpa_samples import NOW, inputs, remembered, spec, sync
from tui.analysis import hpa
from tui.analysis.scaling_behavior import Direction, normalize, rate_limit

DEFAULT = hpa.Settings()
ONE_A_MINUTE = hpa.ScalingPolicy("Pods", 1, 60)


def limit(
    behavior: hpa.Behavior | None,
    current: int,
    recommended: int,
    memory: hpa.Memory = hpa.NOTHING_REMEMBERED,
    *,
    minimum: int = 1,
    maximum: int = 100,
) -> hpa.Normalization:
    return normalize(behavior, DEFAULT, current, recommended, minimum, maximum, memory, NOW)[0]


def up(**rules: Any) -> hpa.Behavior:
    return hpa.Behavior(scale_up=hpa.ScalingRules(**rules))


def down(**rules: Any) -> hpa.Behavior:
    return hpa.Behavior(scale_down=hpa.ScalingRules(**rules))


@pytest.mark.parametrize(("current", "without", "with_any"), [(1, 4, 5), (2, 4, 6), (10, 20, 20)])
def test_the_step_up_differs_with_any_behavior_at_all(
    current: int, without: int, with_any: int
) -> None:
    assert limit(None, current, 90).desired == without
    assert limit(hpa.Behavior(), current, 90).desired == with_any


def test_what_the_user_left_out_takes_the_defaults() -> None:
    rules = hpa.effective_behavior(up(select_policy="Min"), DEFAULT)
    assert rules.scale_up == hpa.ScalingRules(
        policies=(hpa.ScalingPolicy("Pods", 4, 15), hpa.ScalingPolicy("Percent", 100, 15)),
        select_policy="Min",
        stabilization_window_seconds=0,
    )
    assert rules.scale_down == hpa.ScalingRules(
        policies=(hpa.ScalingPolicy("Percent", 100, 15),),
        select_policy="Max",
        stabilization_window_seconds=300,
    )
    flagged = hpa.effective_behavior(hpa.Behavior(), hpa.Settings(downscale_stabilization=120.0))
    assert flagged.scale_down is not None
    assert flagged.scale_down.stabilization_window_seconds == 120


@pytest.mark.parametrize("behavior", [None, hpa.Behavior()])
def test_down_the_highest_recommendation_of_the_window_holds(
    behavior: hpa.Behavior | None,
) -> None:
    memory = remembered((9, 301), (7, 200), (5, 20), (7, 100))
    result = limit(behavior, 8, 2, memory)
    stable = result.stabilization
    assert (stable.recommended, stable.stabilized, stable.highest) == (2, 7, 7)
    assert stable.reason == "ScaleDownStabilized"
    assert stable.held_until == NOW + 200  # the younger of the two sevens is 100 s old
    assert result.desired == 7


@pytest.mark.parametrize("behavior", [None, hpa.Behavior()])
def test_a_quick_controllers_window_is_over_as_much_sooner(behavior: hpa.Behavior | None) -> None:
    quick = hpa.Settings(pace=5.0)
    for age, desired in ((59, 10), (61, 2)):
        memory = hpa.Memory((hpa.Recommendation(10, NOW - age),))
        found = normalize(behavior, quick, 10, 2, 1, 100, memory, NOW)[0]
        assert found.desired == desired
        assert found.stabilization.down_window == 300  # it is named as it was set
        if desired == 10:
            assert found.stabilization.held_until == NOW + 1


def test_a_quick_controllers_policy_is_free_as_much_sooner() -> None:
    quick = hpa.Settings(pace=5.0)
    rules = hpa.ScalingRules(policies=(ONE_A_MINUTE,))
    for age, frees_at in ((11, NOW + 1), (13, None)):
        memory = hpa.Memory(scale_up_events=(hpa.ScaleEvent(1, NOW - age),))
        found = rate_limit(Direction.UP, rules, quick, 3, memory, NOW)
        assert found.budgets[0].frees_at == frees_at


def test_up_the_lowest_recommendation_of_the_window_holds() -> None:
    memory = remembered((3, 61), (6, 50), (5, 10))
    stable = limit(up(stabilization_window_seconds=60), 4, 9, memory).stabilization
    assert (stable.stabilized, stable.lowest) == (5, 5)
    assert stable.reason == "ScaleUpStabilized"
    assert stable.held_until == NOW + 50
    calm = limit(up(stabilization_window_seconds=60), 4, 9, remembered((3, 61))).stabilization
    assert (calm.stabilized, calm.reason, calm.held_until) == (9, "ReadyForNewScale", None)


def test_a_window_up_never_scales_down() -> None:
    stable = limit(up(stabilization_window_seconds=60), 4, 9, remembered((1, 10))).stabilization
    assert stable.stabilized == 4


def test_a_policy_is_a_budget_for_its_period() -> None:
    memory = hpa.Memory(
        scale_up_events=(hpa.ScaleEvent(1, NOW - 59), hpa.ScaleEvent(2, NOW - 61)),
        scale_down_events=(hpa.ScaleEvent(3, NOW - 30),),
    )
    policies = (ONE_A_MINUTE, hpa.ScalingPolicy("Percent", 50, 15))
    result = limit(up(policies=policies, select_policy="Max"), 4, 20, memory)
    rate = result.rate
    assert rate is not None
    assert (rate.direction, rate.select_policy) == (Direction.UP, "Max")
    pods, percent = rate.budgets
    assert (pods.added, pods.removed, pods.period_start, pods.limit) == (1, 3, 6, 7)
    assert pods.frees_at == NOW + 1
    assert (percent.added, percent.removed, percent.limit) == (0, 0, 6)
    assert percent.frees_at is None
    assert (result.desired, result.limited, result.reason) == (7, True, "ScaleUpLimit")
    least = limit(up(policies=policies, select_policy="Min"), 4, 20, memory)
    assert least.desired == 6


def test_a_used_up_budget_does_not_push_back() -> None:
    memory = hpa.Memory(scale_up_events=(hpa.ScaleEvent(3, NOW - 5),))
    result = limit(up(policies=(ONE_A_MINUTE,)), 4, 9, memory)
    assert result.rate is not None
    assert result.rate.budgets[0].limit == 2
    assert (result.rate.limit, result.desired) == (4, 4)


@pytest.mark.parametrize(("percent", "expected"), [(1, 11), (10, 11), (11, 12)])
def test_percent_up_is_rounded_up(percent: int, expected: int) -> None:
    policies = (hpa.ScalingPolicy("Percent", percent, 60),)
    assert limit(up(policies=policies), 10, 99).desired == expected


@pytest.mark.parametrize(("percent", "expected"), [(1, 9), (10, 9), (11, 8), (100, 1)])
def test_percent_down_leaves_the_fraction_out(percent: int, expected: int) -> None:
    policies = (hpa.ScalingPolicy("Percent", percent, 60),)
    behavior = down(policies=policies, stabilization_window_seconds=0)
    assert limit(behavior, 10, 0).desired == expected


def test_disabled_stops_one_direction() -> None:
    assert limit(up(select_policy="Disabled"), 4, 9).desired == 4
    assert limit(down(select_policy="Disabled", stabilization_window_seconds=0), 4, 1).desired == 4
    result = limit(up(select_policy="Disabled"), 4, 9)
    assert (result.reason, result.limited) == ("ScaleUpLimit", True)


@pytest.mark.parametrize(
    ("current", "recommended", "desired", "reason"),
    [
        (9, 50, 10, "TooManyReplicas"),
        (4, 50, 8, "ScaleUpLimit"),
        (5, 1, 3, "TooFewReplicas"),
        (5, 4, 4, "DesiredWithinRange"),
        (5, 5, 5, "DesiredWithinRange"),
    ],
)
@pytest.mark.parametrize("behavior", [None, down(stabilization_window_seconds=0)])
def test_min_max_and_what_is_said_of_them(
    current: int, recommended: int, desired: int, reason: str, behavior: hpa.Behavior | None
) -> None:
    result = limit(behavior, current, recommended, minimum=3, maximum=10)
    assert (result.desired, result.reason) == (desired, reason)
    assert result.limited is (desired != recommended)


def test_the_newest_recommendation_takes_the_place_of_one_nobody_asks_for() -> None:
    memory = remembered((1, 500), (2, 400), (3, 10))
    _, after = normalize(None, DEFAULT, 3, 4, 1, 10, memory, NOW)
    assert [r.replicas for r in after.recommendations] == [1, 4, 3]
    assert after.recommendations[1].at == NOW


def test_a_recommendation_is_kept_while_either_window_reaches_it() -> None:
    rules = hpa.Behavior(
        hpa.ScalingRules(stabilization_window_seconds=30),
        hpa.ScalingRules(stabilization_window_seconds=120),
    )
    for age, replaced in ((20, False), (60, False), (130, True)):
        _, after = normalize(rules, DEFAULT, 3, 4, 1, 10, remembered((2, age)), NOW)
        assert (len(after.recommendations) == 1) is replaced


def test_a_rescale_is_remembered_only_where_a_policy_may_ask() -> None:
    assert sync(spec(), inputs(90, 90)).memory.scale_up_events == ()
    behaving = spec(behavior=down(stabilization_window_seconds=0))
    outcome = sync(behaving, inputs(90, 90))
    assert outcome.memory.scale_up_events == (hpa.ScaleEvent(2, NOW),)
    outcome = sync(behaving, inputs(5, 5))
    assert outcome.memory.scale_down_events == (hpa.ScaleEvent(1, NOW),)


def test_a_rescale_takes_the_place_of_one_older_than_every_policy() -> None:
    memory = hpa.Memory(scale_up_events=(hpa.ScaleEvent(1, NOW - 70), hpa.ScaleEvent(2, NOW - 50)))
    policies = (ONE_A_MINUTE, hpa.ScalingPolicy("Pods", 9, 15))
    behaving = spec(behavior=up(policies=policies))
    assert sync(behaving, inputs(90, 90), memory).memory.scale_up_events == (
        hpa.ScaleEvent(2, NOW),
        hpa.ScaleEvent(2, NOW - 50),
    )


def test_of_several_places_that_are_free_a_rescale_takes_the_last() -> None:
    memory = hpa.Memory(scale_up_events=tuple(hpa.ScaleEvent(1, NOW - age) for age in (90, 70, 50)))
    policies = (ONE_A_MINUTE, hpa.ScalingPolicy("Pods", 9, 15))
    outcome = sync(spec(behavior=up(policies=policies)), inputs(90, 90), memory)
    assert [event.at for event in outcome.memory.scale_up_events] == [NOW - 90, NOW, NOW - 50]


def test_what_shorter_policies_forgot_counts_for_a_longer_one() -> None:
    memory = hpa.Memory(scale_up_events=(hpa.ScaleEvent(1, NOW - 59, outdated=True),))
    assert limit(up(policies=(ONE_A_MINUTE,)), 4, 9, memory).desired == 4


def test_the_first_sync_recommends_what_there_is() -> None:
    outcome = sync(spec(), inputs(1, 1))
    assert [r.replicas for r in outcome.memory.recommendations] == [2, 1]
    assert outcome.scale_to is None  # so the first five minutes never scale below it


def test_the_far_edge_of_a_window_counts_only_without_behavior() -> None:
    memory = remembered((9, 300))
    assert limit(None, 8, 2, memory).stabilization.stabilized == 9
    assert limit(hpa.Behavior(), 8, 2, memory).stabilization.stabilized == 2


def test_a_rescale_a_whole_period_ago_has_left_the_budget() -> None:
    memory = hpa.Memory(scale_up_events=(hpa.ScaleEvent(1, NOW - 60),))
    assert limit(up(policies=(ONE_A_MINUTE,)), 4, 9, memory).desired == 5


def test_the_far_edge_of_the_window_up_does_not_count() -> None:
    behavior = up(stabilization_window_seconds=60)
    assert limit(behavior, 4, 9, remembered((5, 60))).stabilization.stabilized == 9
    assert limit(behavior, 4, 9, remembered((5, 59))).stabilization.stabilized == 5


@pytest.mark.parametrize("behavior", [None, hpa.Behavior()])
def test_where_both_limits_meet_it_is_the_maximum_that_holds(
    behavior: hpa.Behavior | None,
) -> None:
    assert limit(behavior, 5, 50, maximum=10).reason == "TooManyReplicas"


def test_a_rescale_exactly_as_old_as_the_longest_policy_keeps_its_place() -> None:
    memory = hpa.Memory(scale_up_events=(hpa.ScaleEvent(1, NOW - 60),))
    behaving = spec(behavior=up(policies=(ONE_A_MINUTE,)))
    assert sync(behaving, inputs(90, 90), memory).memory.scale_up_events == (
        hpa.ScaleEvent(1, NOW - 60),
        hpa.ScaleEvent(1, NOW),
    )
