"""Disks that are full, and files that others could read."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.load.samples import made
from tests.needs import FULL, full_disk
from tui import crash
from tui.cluster.audit import OK, SENT, AuditError, AuditLog, Entry
from tui.cluster.objects import Ref
from tui.load.history import History
from tui.log import Log

ENTRY = Entry(0.0, "lab", "h:6443", "apply", Ref("ConfigMap", "default", "x"), "", "own", SENT)


def _full(*_: object, **__: object) -> Any:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@full_disk
def test_what_cannot_be_noted_is_not_sent() -> None:
    before = stat.S_IMODE(FULL.stat().st_mode)
    sent: list[str] = []
    with pytest.raises(AuditError, match=r"No space left.*nothing is changed"):
        AuditLog(FULL).around(ENTRY, lambda: sent.append("x"), lambda: 0.0)
    assert sent == []
    log = Log(FULL)
    log.write("start")
    assert not log.open
    assert stat.S_IMODE(FULL.stat().st_mode) == before  # it is everybody's


def test_half_a_line_is_no_note(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write
    monkeypatch.setattr(os, "write", lambda file, data: write(file, data[:20]))
    with pytest.raises(AuditError, match="No space left"):
        AuditLog(tmp_path / "audit").note(ENTRY)


def test_what_was_sent_is_sent_though_its_end_cannot_be_noted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = AuditLog(tmp_path / "audit")

    def send() -> str:
        monkeypatch.setattr(os, "write", _full)
        return "done"

    assert log.around(ENTRY, send, lambda: 0.0) == "done"


def _log(path: Path) -> None:
    Log(path).write("x")


def _audit(path: Path) -> None:
    AuditLog(path).note(Entry(0.0, "", "", "apply", ENTRY.ref, "", "", OK))


@pytest.mark.parametrize("write", [_log, _audit])
def test_a_file_that_others_could_read_is_closed_to_them(
    write: Callable[[Path], None], tmp_path: Path
) -> None:
    path = tmp_path / "file"
    path.write_text("")
    path.chmod(0o666)
    write(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.stat().st_size > 20


def test_a_run_is_kept_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    history = History(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", _full)
        with pytest.raises(OSError, match="No space left"):
            history.add(made())
    assert list(tmp_path.iterdir()) == []
    history.add(made())
    assert len(history.latest()) == 1


def test_a_crash_on_a_full_disk_is_a_sentence_still(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platformdirs.user_log_dir", lambda *_, **__: str(tmp_path / "log"))
    monkeypatch.setattr(Path, "write_text", _full)
    sentence = crash.note(RuntimeError("odd"))
    assert "RuntimeError: odd" in sentence
    assert "No space left" in sentence
