"""Ending a write to a cluster so that it can still say what it has done."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator

from tui.cluster.halt import Halt


@contextlib.contextmanager
def stoppable() -> Iterator[Halt]:
    """Ctrl-C and SIGTERM end what runs between two writes, and it says what is left."""
    halt = Halt()
    before = {
        number: signal.signal(number, lambda *_: halt.stop())
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield halt
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
