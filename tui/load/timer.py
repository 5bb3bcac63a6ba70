"""An alarm that rings on time.

Event loops sleep in whole milliseconds, which at 1,000 requests a second is one request late.
Linux has a timer that is a file (timerfd_create(2)) and rings within some 50 µs.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import sys
from collections.abc import Callable
from time import perf_counter
from typing import Final

_CLOCK_MONOTONIC: Final = 1
_ABSOLUTE: Final = 1


class _Timerspec(ctypes.Structure):
    _fields_ = (
        ("interval_seconds", ctypes.c_long),
        ("interval_nanoseconds", ctypes.c_long),
        ("seconds", ctypes.c_long),
        ("nanoseconds", ctypes.c_long),
    )


class Alarm:
    """Calls back once for each time that it is set. A later setting replaces an earlier one."""

    def __init__(self, loop: asyncio.AbstractEventLoop, ring: Callable[[], None]) -> None:
        self._loop = loop
        self._ring = ring
        self._handle: asyncio.TimerHandle | None = None
        self._file = _open()
        self._spec = _Timerspec(0, 0, 0, 0)
        if self._file is not None:
            loop.add_reader(self._file, self._rang)

    def set(self, when: float) -> None:
        """Ring at a time of ``time.perf_counter``; a past one rings at once."""
        if self._file is not None:
            self._spec.seconds = int(when)
            self._spec.nanoseconds = int(when % 1 * 1e9) or 1  # a time of zero would disarm it
            _settime(self._file, _ABSOLUTE, ctypes.byref(self._spec), None)
            return
        if self._handle is not None:
            self._handle.cancel()
        self._handle = self._loop.call_later(max(0.0, when - perf_counter()), self._ring)

    def close(self) -> None:
        """Never ring again."""
        if self._handle is not None:
            self._handle.cancel()
        if self._file is not None:
            self._loop.remove_reader(self._file)
            os.close(self._file)
            self._file = None

    def _rang(self) -> None:
        if self._file is None:
            return
        try:
            os.read(self._file, 8)
        except BlockingIOError:  # set anew since it rang
            return
        self._ring()


def _open() -> int | None:
    if _create is None:
        return None
    made: int = _create(_CLOCK_MONOTONIC, os.O_NONBLOCK | os.O_CLOEXEC)
    return made if made >= 0 else None


# perf_counter reads CLOCK_MONOTONIC on Linux, so its times can be given to the kernel.
if sys.platform.startswith("linux"):
    _libc = ctypes.CDLL(None, use_errno=True)
    _create = getattr(_libc, "timerfd_create", None)
    _settime = getattr(_libc, "timerfd_settime", lambda *_: -1)
else:
    _create = None

    def _settime(*_: object) -> int:
        return -1
