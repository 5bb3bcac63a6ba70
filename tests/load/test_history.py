"""Runs on disk."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from tests.load.samples import made
from tui.load.history import History, compare


def test_runs_come_back_newest_first(tmp_path: Path) -> None:
    history = History(tmp_path / "deep" / "bursts")
    runs = [made(minutes=n) for n in range(3)]
    for run in (runs[1], runs[0], runs[2]):
        history.add(run)
    assert history.latest() == runs[::-1]
    assert history.latest(1) == [runs[2]]


def test_only_so_many_are_kept_and_nothing_else_is_touched(tmp_path: Path) -> None:
    (tmp_path / "0-notes.json").write_text("mine")
    history = History(tmp_path, kept=3)
    for minute in range(6):
        history.add(made(minutes=minute))
    assert [run.began.minute for run in history.latest()] == [9, 8, 7]
    assert (tmp_path / "0-notes.json").read_text() == "mine"
    assert len(list(tmp_path.iterdir())) == 4


def test_files_are_the_users_alone(tmp_path: Path) -> None:
    path = History(tmp_path).add(made())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("name", ["../../etc/passwd", "x" * 300, "", "a b\n"])
def test_names_of_presets_do_not_lead_out_of_the_folder(tmp_path: Path, name: str) -> None:
    path = History(tmp_path).add(made(profile=name))
    assert path.parent == tmp_path
    assert History(tmp_path).paths() == [path]


def test_broken_files_are_left_out(tmp_path: Path) -> None:
    history = History(tmp_path)
    history.add(made())
    broken = history.add(made(minutes=1))
    broken.write_text("{")
    assert len(history.latest()) == 1


def test_a_folder_that_is_not_there_is_an_empty_history(tmp_path: Path) -> None:
    assert History(tmp_path / "none").latest() == []


def test_comparison() -> None:
    rows = {row.name: row for row in compare(made(), made(slow=2.0))}
    assert rows["requests"].ratio == 1
    assert rows["latency p99"].ratio == pytest.approx(2, rel=0.01)
    assert rows["failed"].ratio is None
    assert rows["not 2xx or 3xx"].before == 20
    assert "service p99" not in rows
    assert "service p99" in {row.name for row in compare(made(rate=500), made())}
