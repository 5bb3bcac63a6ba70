"""What a user chooses, as a plan and in words."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tui.load.choice import ANSWERED_BY, Choice, in_words, span
from tui.load.curve import ramp, steady
from tui.load.plan import PlanError

URL = "http://127.0.0.1:30081/"


def test_a_preset_as_it_is() -> None:
    plan = Choice("class-burst").plan(URL)
    assert (plan.url, plan.connections, plan.duration, plan.rate) == (URL, steady(50), 60, None)
    assert (plan.profile, plan.seed, plan.pattern) == ("class-burst", 1, ANSWERED_BY)


def test_changes_win_over_the_preset() -> None:
    plan = Choice("hey-document", 8, 300.0, "30s", seed=7).plan(URL, "web.example")
    assert (plan.connections, plan.rate, plan.rate_per_connection) == (steady(8), steady(300), None)
    assert (plan.duration, plan.seed) == (30, 7)
    assert plan.headers == (("Host", "web.example"),)


def test_a_shape_is_stretched_with_the_duration() -> None:
    plan = Choice("warm-up", duration="10s").plan(URL)
    assert plan.rate is not None
    assert plan.rate[-1] == (10.0, 200.0)


def test_the_same_choice_at_two_targets_differs_in_the_target_alone() -> None:
    one, two = Choice("spike").plan(URL), Choice("spike").plan("http://127.0.0.1:30082/")
    assert (one.rate, one.connections, one.seed) == (two.rate, two.connections, two.seed)


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        (Choice("none"), "no profile 'none'"),
        (Choice("class-burst", connections=0), "at least one connection"),
        (Choice("class-burst", rate=-1.0), "rate must be more than 0"),
        (Choice("class-burst", rate=float("nan")), "rate must be a finite number, not nan"),
        (Choice("class-burst", duration="soon"), "'soon'"),
    ],
)
def test_what_cannot_be(choice: Choice, said: str) -> None:
    with pytest.raises(PlanError, match=re.escape(said)):
        choice.plan(URL)


def test_presets_of_another_folder(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text('title = "Own"\nduration = "5s"\n')
    assert Choice("own").plan(URL, places=[tmp_path]).duration == 5


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        (
            Choice("class-burst"),
            "GET / for 1 min over 50 connections, as fast as they are answered",
        ),
        (
            Choice("hey-document"),
            "GET / for 3 min over 50 connections, at up to 500/s each, 25,000/s in all",
        ),
        (
            Choice("class-burst", connections=1, rate=100.0, duration="90s"),
            "GET / for 1 min 30 s over 1 connection, at 100 requests/s = 9,000 requests",
        ),
        (
            Choice("cpu-burn"),
            "POST /load for 20 s over 1 connection at 0.5 requests/s = 10 requests, "
            "each request on a new connection",
        ),
    ],
)
def test_in_words(choice: Choice, words: str) -> None:
    assert in_words(choice.plan(URL)) == words


def test_spans() -> None:
    assert span(steady(1500)) == "1,500"
    assert span(ramp(0.5, 2000, 60)) == "0.5 to 2,000"


@pytest.mark.parametrize(
    ("body", "pod"),
    [
        ('{"message":"hello","node":"n1","pod":"web-66b8c95455-66dvd"}', "web-66b8c95455-66dvd"),
        ('{"pod_name": "web-1"}', "web-1"),
        ("<p>🐳 Served from pod: <strong>web-2</strong></p>", "web-2"),
        ('{"pods": "many"}', None),
    ],
)
def test_how_the_sample_apps_say_who_answers(body: str, pod: str | None) -> None:
    found = re.search(ANSWERED_BY.regex, body)
    assert (found[1] if found else None) == pod
