"""Presets: those that ship, and those that a user writes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tui.load import profile
from tui.load.curve import Curve
from tui.load.limits import Limits, excess
from tui.load.plan import PlanError, request_bytes
from tui.resources import fixtures

SHIPPED = [fixtures() / "profiles"]
BUILT_IN = {
    "warm-up",
    "class-burst",
    "hey-document",
    "ramp-to-saturation",
    "day-and-night",
    "cpu-burn",
    "steps",
    "spike",
}


def test_what_ships_is_all_there_within_the_limits_and_explained() -> None:
    assert set(profile.names(SHIPPED)) == BUILT_IN
    for name in BUILT_IN:
        found = profile.load(name, SHIPPED)
        assert found.title
        assert found.about
        assert excess(found.plan("http://127.0.0.1/"), Limits()) is None


def test_class_burst_and_the_documents_run() -> None:
    burst = profile.load("class-burst", SHIPPED).plan("http://127.0.0.1:8080/static/")
    assert (burst.most_connections, burst.duration, burst.most_rate) == (50, 60, None)
    document = profile.load("hey-document", SHIPPED).plan("http://127.0.0.1:8080/static/")
    assert (document.most_connections, document.duration) == (50, 180)
    assert document.most_rate == 25_000
    assert document.asked(180) == 4_500_000


def test_cpu_burn_posts_a_form_to_load_over_new_connections() -> None:
    burn = profile.load("cpu-burn", SHIPPED).plan("http://127.0.0.1:8080/static/")
    raw = request_bytes(burn)
    assert raw.startswith(b"POST /load HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n")
    assert b"\r\nContent-Type: application/x-www-form-urlencoded\r\n" in raw
    assert raw.endswith(b"\r\n\r\nduration=60")
    assert b"\r\nConnection: close\r\n" in raw
    assert burn.asked(20) == 10


def test_day_and_night_is_low_at_night() -> None:
    found = profile.load("day-and-night", SHIPPED).plan("http://127.0.0.1/")
    assert found.rate is not None
    rate = Curve(found.rate)
    assert [round(rate.at(60 * minute)) for minute in (0, 5, 10, 15, 20)] == [
        20,
        1000,
        20,
        1000,
        20,
    ]


def test_users_own_presets_are_found_and_win(tmp_path: Path) -> None:
    text = 'title = "Mine"\nduration = "5s"\nconnections = { shape = "ramp", from = 1, to = 9 }\n'
    (tmp_path / "mine.toml").write_text(text)
    (tmp_path / "spike.toml").write_text('title = "My spike"\nduration = "5s"\n')
    places = [*SHIPPED, tmp_path]
    assert profile.names(places) == sorted({*BUILT_IN, "mine"})
    assert profile.load("mine", places).plan("http://[::1]/").most_connections == 9
    assert profile.load("spike", places).title == "My spike"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("title = 3", "title"),
        ('title = "x"\nduration = "soon"', "soon"),
        ('title = "x"\nduration = "5s"\nrat = 3', "rat"),
        ('title = "x"\nduration = "5s"\nrate = { shape = "zigzag" }', "zigzag"),
        ('title = "x"\nduration = "5s"\nrate = { shape = "step", values = [] }', "values"),
        ('title = "x"\nduration = "5s"\nrate = -3', "more than 0"),
        ('title = "x"\nduration = "5s"\nrate = 3\nrate-per-connection = 3', "exclude"),
        (
            'title = "x"\nduration = "5s"\n'
            'rate = { shape = "spike", base = 1, peak = 2, at = "4s", for = "2s" }',
            "after the burst",
        ),
        (
            'title = "x"\nduration = "5s"\n'
            'rate = { shape = "wave", low = 1, high = 2, period = "0s" }',
            "at least 1 s, not 0s",
        ),
        pytest.param(
            f'title = "x"\nduration = "5s"\nconnections = 1{400 * "0"}', "too large", id="huge"
        ),
        ("title = [", "toml"),
    ],
)
def test_wrong_files_are_told_with_their_name(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text(text)
    with pytest.raises(PlanError) as caught:
        profile.load("wrong", [tmp_path])
    assert str(path) in str(caught.value)
    assert said in str(caught.value)


@pytest.mark.parametrize("name", ["none", "../etc/passwd", "", "Spike"])
def test_unknown_names_list_what_there_is(name: str) -> None:
    with pytest.raises(PlanError, match="class-burst"):
        profile.load(name, SHIPPED)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30s", 30), ("3m", 180), ("1m30s", 90), ("500ms", 0.5), ("1h", 3600), ("10", 10)],
)
def test_durations(text: str, seconds: float) -> None:
    assert profile.seconds(text) == seconds
