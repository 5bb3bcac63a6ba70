"""Windows that are closed while something is drawn in them."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from typing import Any

import pytest
from textual.drivers._writer_thread import MAX_QUEUED_WRITES, WriterThread
from textual.drivers.linux_driver import LinuxDriver

from tui.screens.terminal import on_standard_output


def test_what_is_drawn_in_a_closed_window_keeps_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = os.openpty()
    window = os.fdopen(theirs, "w")
    monkeypatch.setattr(sys, "__stdout__", window)
    monkeypatch.setattr(LinuxDriver, "__init__", lambda *_: None)
    make: Any = on_standard_output(LinuxDriver)
    writer = WriterThread(make(None)._file)  # where the driver draws; it needs no app for that
    writer.start()
    os.close(ours)

    def draw() -> None:
        for _ in range(3 * MAX_QUEUED_WRITES):
            writer.write("x" * 1000)
        writer.stop()

    drawing = threading.Thread(target=draw, daemon=True)
    drawing.start()
    drawing.join(10)
    assert not drawing.is_alive()
    with contextlib.suppress(OSError):
        window.close()
