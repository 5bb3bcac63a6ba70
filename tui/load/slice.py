"""Be woken soon on a machine that is busy.

Linux's scheduler lets a process that asks for short slices of time run sooner when it wakes
(EEVDF; sched_setattr(2), ``sched_runtime`` of SCHED_OTHER, from Linux 6.12; older ones ignore it).
A sender at a rate works for microseconds at a time, so it loses nothing: the rates of others and
its own share of the processor stay as they are.
"""

from __future__ import annotations

import ctypes
import os
import platform
import sys
from typing import Final

_SLICE: Final = 100_000
"""Nanoseconds: the least that Linux accepts."""
_NUMBERS: Final = {"x86_64": 314, "aarch64": 274}
"""Of the system call, for which most C libraries have no function."""


class _Attributes(ctypes.Structure):
    """``struct sched_attr`` in its first version."""

    _fields_ = (
        ("size", ctypes.c_uint32),
        ("policy", ctypes.c_uint32),
        ("flags", ctypes.c_uint64),
        ("nice", ctypes.c_int32),
        ("priority", ctypes.c_uint32),
        ("runtime", ctypes.c_uint64),
        ("deadline", ctypes.c_uint64),
        ("period", ctypes.c_uint64),
    )


def shorten() -> bool:
    """Ask for the shortest slices for this thread; whether the system knew what was meant."""
    number = _NUMBERS.get(platform.machine())
    if not sys.platform.startswith("linux") or number is None or ctypes.sizeof(ctypes.c_long) != 8:
        return False
    if os.sched_getscheduler(0) != os.SCHED_OTHER:
        return False  # somebody has arranged for better already
    nice = os.getpriority(os.PRIO_PROCESS, 0)
    wanted = _Attributes(ctypes.sizeof(_Attributes), os.SCHED_OTHER, 0, nice, 0, _SLICE, 0, 0)
    call = ctypes.CDLL(None).syscall
    call.restype = ctypes.c_long
    done: int = call(ctypes.c_long(number), 0, ctypes.byref(wanted), 0)
    return done == 0
