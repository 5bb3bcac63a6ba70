from __future__ import annotations

from pathlib import Path

import pytest

from tui import __version__, crash


@pytest.fixture
def logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("platformdirs.user_log_dir", lambda *_, **__: str(tmp_path / "log"))
    return tmp_path / "log"


def _raised(message: str) -> Exception:
    try:
        raise RuntimeError(message)
    except RuntimeError as error:
        return error


def test_a_sentence_on_the_screen_and_the_details_in_a_file(logs: Path) -> None:
    sentence = crash.note(_raised("it broke"))
    (path,) = logs.iterdir()
    assert sentence == (
        f"kscale-tui met an error of its own (RuntimeError: it broke). The details are in {path}."
    )
    text = path.read_text(encoding="utf-8")
    assert f"kscale-tui {__version__}" in text
    assert "test_crash.py" in text
    assert (logs.stat().st_mode | path.stat().st_mode) & 0o077 == 0


def test_what_an_error_quotes_does_not_reach_the_terminal_raw(logs: Path) -> None:
    sentence = crash.note(_raised("pod \x1b]0;evil\x07web\u202e\nsecond line " + "x" * 5000))
    assert sentence.isprintable()
    assert "evil" not in sentence
    assert len(sentence) < 500 + len(str(logs))


def test_a_folder_that_cannot_be_written(logs: Path) -> None:
    logs.write_text("in the way")
    sentence = crash.note(_raised("it broke"))
    assert "RuntimeError: it broke" in sentence
    assert str(logs) in sentence
