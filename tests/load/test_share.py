"""The binomial band, and what a spread over pods means."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.load.share import Due, binomial_band, shares


def probability(trials: int, chance: float, low: int, high: int) -> float:
    return sum(
        math.comb(trials, k) * chance**k * (1 - chance) ** (trials - k)
        for k in range(low, high + 1)
    )


@given(st.integers(1, 300), st.integers(2, 20), st.sampled_from([0.8, 0.95, 0.99]))
def test_band_holds_its_probability_and_no_more_than_it_must(
    trials: int, pods: int, confidence: float
) -> None:
    chance = 1 / pods
    low, high = binomial_band(trials, chance, confidence)
    assert probability(trials, chance, low, high) >= confidence - 1e-9
    tail = (1 - confidence) / 2
    assert probability(trials, chance, 0, low) > tail - 1e-9
    assert probability(trials, chance, high, trials) > tail - 1e-9


def test_known_band() -> None:
    # Of 100 fair coins, 40 to 60 with 95 %: scipy.stats.binom.interval(0.95, 100, 0.5).
    assert binomial_band(100, 0.5, 0.95) == (40, 60)


def test_band_of_many_trials_meets_the_exact_one() -> None:
    exact, normal = binomial_band(20_000, 0.25), binomial_band(20_001, 0.25)
    assert normal == pytest.approx(exact, abs=3)


@pytest.mark.parametrize(
    ("trials", "chance", "band"), [(0, 0.5, (0, 0)), (10, 1.0, (10, 10)), (10, 0.0, (0, 0))]
)
def test_edges(trials: int, chance: float, band: tuple[int, int]) -> None:
    assert binomial_band(trials, chance) == band


def test_even_spread_is_what_chance_gives() -> None:
    found = shares({"a": 2530, "b": 2470, "c": 2510, "d": 2490}, opened=10_000)
    assert all(pod.inside for pod in found.pods)
    assert found.pods[0].pod == "a"
    assert found.low < 2470 < 2530 < found.high
    assert "random choice for each request" in found.sentence


def test_keep_alive_is_named_when_it_shows() -> None:
    found = shares({"a": 300_000, "b": 200_000}, opened=50)
    assert not any(pod.inside for pod in found.pods)
    assert found.kept_low <= 200_000 <= found.kept_high
    assert "Keep-alive" in found.sentence
    assert "50 connections" in found.sentence


def test_one_connection_is_one_choice() -> None:
    said = shares({"a": 40, "b": 0}, opened=1).sentence
    assert "one connection stayed with the pod that was chosen for it" in said
    assert "spread like one choice; 1 of 2 pods got nothing." in said


def test_pods_that_came_later_get_nothing() -> None:
    found = shares({"a": 26_000, "b": 24_000}, opened=50, pods=10)
    assert "8 of 10 pods got nothing" in found.sentence


def test_uneven_choice_without_keep_alive() -> None:
    found = shares({"a": 9_000, "b": 1_000}, opened=10_000)
    assert "not chosen alike" in found.sentence


def test_one_pod_and_none() -> None:
    assert shares({"a": 5}, opened=1).sentence == "One pod answered everything."
    assert shares({}, opened=0).pods == ()


# Pods that come and go.


def test_a_pod_is_due_its_part_of_what_came_while_it_was_ready() -> None:
    due = Due()
    assert due.chances == {}
    due.look(1000, ["a"])
    due.look(3000, ["a", "b"])
    due.look(6000, ["a", "b", "c"])
    # a: 1000 + 2000/2 + 3000/3; b: 2000/2 + 3000/3; c: 3000/3
    assert due.chances == pytest.approx({"a": 3 / 6, "b": 2 / 6, "c": 1 / 6})


def test_what_came_while_nobody_was_seen_ready_is_dealt_out_at_the_next_look() -> None:
    due = Due()
    due.look(500, [])
    due.look(1000, ["a", "b"])
    assert due.chances == {"a": 0.5, "b": 0.5}


def test_pods_that_came_later_are_inside_their_own_bands() -> None:
    counts = {"a": 3_010, "b": 1_990, "c": 1_000}
    as_if_all_along = shares(counts, opened=6_000)
    assert not any(pod.inside for pod in (as_if_all_along.pods[0], as_if_all_along.pods[2]))
    found = shares(counts, opened=6_000, chances={"a": 3 / 6, "b": 2 / 6, "c": 1 / 6})
    assert all(pod.inside for pod in found.pods)
    assert "random choice for each request" in found.sentence
    a, _, c = found.pods
    assert a.low < 3_000 < a.high
    assert c.low < 1_000 < c.high


def test_a_pod_that_was_due_some_and_got_none_is_named() -> None:
    found = shares({"a": 5_000}, opened=50, chances={"a": 0.5, "b": 0.5})
    assert [pod.requests for pod in found.pods] == [5_000, 0]
    assert "1 of 2 pods got nothing" in found.sentence


def test_a_pod_that_came_at_the_very_end_is_due_next_to_nothing() -> None:
    found = shares({"a": 5_000}, opened=5_000, chances={"a": 1 - 1e-9, "b": 1e-9})
    assert all(pod.inside for pod in found.pods)


@pytest.mark.parametrize("chances", [None, {"proxy": 1.0}])
def test_pods_are_not_judged_by_the_chances_of_others(chances: dict[str, float] | None) -> None:
    found = shares({"a": 30, "b": 10}, opened=10, chances=chances)
    assert not found.judged
    assert [(pod.pod, pod.requests, pod.inside) for pod in found.pods] == [
        ("a", 30, True),
        ("b", 10, True),
    ]
    assert "is not known" in found.sentence
    assert "got nothing" not in found.sentence


LOOKS = st.tuples(st.integers(0, 50), st.sets(st.sampled_from("abcd")))


@given(st.lists(LOOKS, min_size=1, max_size=8))
def test_chances_are_parts_of_one(looks: list[tuple[int, set[str]]]) -> None:
    due, requests = Due(), 0
    for new, ready in looks:
        requests += new
        due.look(requests, ready)
    assert not due.chances or sum(due.chances.values()) == pytest.approx(1)
