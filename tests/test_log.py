"""The log: lines of our own, private, and never the end of the program."""

from __future__ import annotations

import json
import stat
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.needs import full_disk, posix
from tui import log
from tui.log import Log
from tui.state.links import Health, Link, SourceKey
from tui.state.rows import Kind


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@posix
def test_the_file_is_the_users_own(tmp_path: Path) -> None:
    path = tmp_path / "log"
    Log(path).write("start")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_line_is_an_object_and_the_file_goes_on_where_it_ended(tmp_path: Path) -> None:
    path = tmp_path / "log"
    for number in range(2):
        written = Log(path, clock=lambda: 1234.5678)
        written.write("tick", number=number, ratio=0.5, what="x", none=None)
        written.close()
        written.write("after the end")
    assert _lines(path) == [
        {"at": 1234.568, "event": "tick", "number": n, "ratio": 0.5, "what": "x", "none": None}
        for n in range(2)
    ]


def test_what_the_cluster_says_cannot_write_lines_or_draw(tmp_path: Path) -> None:
    path = tmp_path / "log"
    written = Log(path)
    written.links({Kind.PODS: Link(Health.RETRYING, 0.0, 'a\n{"event":"forged"}\x1b[2J\u202e')})
    [line] = _lines(path)
    assert line["event"] == "link"
    assert "\x1b" not in line["detail"]
    assert "\u202e" not in line["detail"]


def test_links_are_written_when_they_change(tmp_path: Path) -> None:
    path = tmp_path / "log"
    written = Log(path)
    live: dict[SourceKey, Link] = {Kind.PODS: Link(Health.LIVE, 1.0)}
    lost: dict[SourceKey, Link] = {Kind.PODS: Link(Health.RETRYING, 2.0, "gone", 3.0)}
    for links in (live, live, lost, {Kind.PODS: Link(Health.RETRYING, 2.0, "gone", 9.0)}, live):
        written.links(links)
    assert [line["health"] for line in _lines(path)] == ["live", "retrying", "live"]


@full_disk
def test_a_full_disk_ends_the_log_and_nothing_else() -> None:
    written = Log(Path("/dev/full"))
    written.write("start")
    assert not written.open
    written.write("again")


def test_the_file_does_not_grow_without_end(tmp_path: Path) -> None:
    path = tmp_path / "log"
    written = Log(path, largest=1000)
    for _ in range(100):
        written.write("tick", text="x" * 50)
    assert path.stat().st_size <= 1000
    assert not written.open
    assert not Log(path, largest=10).open or Log(path, largest=10).write("more") is None


def test_many_threads_write_whole_lines(tmp_path: Path) -> None:
    path = tmp_path / "log"
    written = Log(path)
    threads = [
        threading.Thread(target=lambda: [written.write("x", text="y" * 300) for _ in range(50)])
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(_lines(path)) == 200


def test_nothing_is_written_unless_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(log.VARIABLE, raising=False)
    assert not log.from_environment().open
    monkeypatch.setenv(log.VARIABLE, "/no/such/folder/log")
    with pytest.raises(OSError, match="No such file"):
        log.from_environment()
