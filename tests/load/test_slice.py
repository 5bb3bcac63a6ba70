"""Short slices of time, where the kernel has them."""

from __future__ import annotations

import os
import platform
import sys
import threading

import pytest

from tui.load import slice


def in_a_thread() -> tuple[bool, int]:
    """What came of it, and the niceness afterwards; in a thread that then ends."""
    got: list[tuple[bool, int]] = []
    thread = threading.Thread(
        target=lambda: got.append((slice.shorten(), os.getpriority(os.PRIO_PROCESS, 0)))
    )
    thread.start()
    thread.join(10)
    return got[0]


def test_it_asks_and_stays_as_nice_as_it_was() -> None:
    known = sys.platform == "linux" and platform.machine() in ("x86_64", "aarch64")
    before = os.getpriority(os.PRIO_PROCESS, 0)
    done, after = in_a_thread()
    # A sandbox may forbid the call: a burst goes on without.
    assert known or not done
    assert after == before


def test_machines_it_does_not_know_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "vax")
    assert not slice.shorten()
