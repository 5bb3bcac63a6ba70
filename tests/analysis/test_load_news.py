"""Bursts on the timeline, and as the cause of what comes after them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.analysis.story import Story
from tests.samples import NOW
from tui.analysis.timeline import Mood, marks
from tui.state.load import BurstRow, LoadRow


def burst(**more: Any) -> BurstRow:
    fields: dict[str, Any] = {
        "number": 1,
        "group": 1,
        "target": "nginx-svc",
        "profile": "class-burst",
        "began": NOW,
        "state": "running",
    }
    return BurstRow(**{**fields, **more})


def ended(**more: Any) -> BurstRow:
    fields: dict[str, Any] = {
        "state": "done",
        "elapsed": 60.0,
        "responses": 100_000,
        "good": 100_000,
        "mean": 1899.4,
        "latency": {99.0: 0.0737},
        "summary": ("Summary:",),
    }
    return burst(**{**fields, **more})


def play(story: Story, *bursts: BurstRow) -> None:
    story.store.put_load(LoadRow(bursts))
    story.tick()


def test_a_burst_is_told_at_its_beginning_and_its_end() -> None:
    story = Story()
    play(story, burst(state="starting"))
    assert story.told() == []
    for second in range(3):
        play(story, burst(elapsed=float(second), responses=10 * second))
    play(story, ended(summary=()))  # its figures are not reckoned yet
    for _ in range(2):
        play(story, ended())
    assert story.told() == [
        "burst begins: class-burst at nginx-svc, as fast as it goes",
        "burst ends: 1,899/s · p99 74 ms · class-burst at nginx-svc +60 s after burst began",
    ]
    assert [entry.time for entry in reversed(story.entries)] == [NOW, NOW + 60]
    assert len(marks(story.entries, NOW)) == 2


def test_what_was_asked_stopped_and_failed() -> None:
    story = Story()
    play(story, burst(asked=25_000.0, profile=""))
    play(story, ended(profile="", state="stopped", elapsed=5.0, good=99_990, failed=2))
    assert story.told() == [
        "burst begins: nginx-svc, 25,000/s asked",
        "burst stopped: 1,899/s · p99 74 ms · 12 failed · nginx-svc +5 s after burst began",
    ]


def test_a_burst_that_never_sent_anything_only_failed() -> None:
    story = Story()
    play(story, burst(state="starting"))
    broken = {"problem": "no way", "responses": 0, "good": 0, "elapsed": 0.0}
    play(story, ended(state="failed", **broken))
    (entry,) = story.entries
    assert (entry.mood, entry.text) == (
        Mood.BAD,
        "burst failed: no way · class-burst at nginx-svc",
    )


def test_two_at_once_are_told_each() -> None:
    story = Story()
    play(story, burst(), burst(number=2, target="caddy-svc"))
    assert len(story.entries) == 2
    play(story, ended(), burst(number=2, target="caddy-svc"))
    assert len(story.entries) == 3


@pytest.mark.parametrize(("since", "caused"), [(31.0, " +31 s after burst began"), (400.0, "")])
def test_cpu_over_target_is_owed_to_the_burst_before_it(since: float, caused: str) -> None:
    story = Story()
    story.sample(3, 4)
    story.tick(1)
    play(story, burst(began=story.stamp))
    story.tick(since)
    story.sample(186, 186)
    story.tick()
    assert f"cpu 186 % over target 50 %{caused}" in story.told()


def test_a_sample_from_before_the_burst_is_not_owed_to_it() -> None:
    story = Story()
    story.sample(186, 186)
    measured = story.stamp
    play(story, burst(began=measured + 4))
    assert "cpu 186 % over target 50 %" in story.told()
