"""Ending with the parent: a child process that never outlives the dashboard."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

_POLL: Final = 0.3
_PR_SET_PDEATHSIG: Final = 1
_tasks: Final[list[asyncio.Task[None]]] = []  # the loop itself keeps only weak references


def hold(parent: int | None, end: Callable[[], None]) -> None:
    """Call ``end`` within a second of the parent's death, however it dies.

    Three ways, each sure in its place: the kernel's signal (Linux), the end of a pipe on
    standard input, and a look at the parent every 0.3 s.

    Args:
        parent: process id; None: only the pipe is watched, if there is one.
        end: called in the running event loop.
    """
    loop = asyncio.get_running_loop()
    if parent is not None:
        look = _Look(parent)

        def end_if_gone() -> None:
            if not look.alive():
                end()

        # The kernel signals the end of the parent's thread, which need not be that of the
        # parent; so the signal is a reason to look, not to end.
        _ask_the_kernel(loop, end_if_gone)
        _tasks.append(loop.create_task(_poll(look, end)))
    if _is_pipe():
        _tasks.append(loop.create_task(_connect(loop, _EndOfInput(end))))


def _ask_the_kernel(loop: asyncio.AbstractEventLoop, call: Callable[[], None]) -> None:
    if not sys.platform.startswith("linux"):
        return
    import ctypes  # late: only a child needs it

    with contextlib.suppress(OSError, AttributeError, NotImplementedError):
        loop.add_signal_handler(signal.SIGUSR2, call)
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGUSR2), 0, 0, 0)


class _Look:
    """Tells whether a process lives; a parent by being ours, another by its number."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._is_parent = os.getppid() == pid

    def alive(self) -> bool:
        if self._is_parent:
            return os.getppid() == self._pid
        if os.name != "posix":
            return True
        try:
            os.kill(self._pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            return True
        return not self._is_zombie()

    def _is_zombie(self) -> bool:
        try:
            text = Path(f"/proc/{self._pid}/stat").read_text(encoding="ascii", errors="replace")
        except OSError:
            return False
        return text.rpartition(")")[2].split()[:1] == ["Z"]


async def _poll(look: _Look, end: Callable[[], None]) -> None:
    while look.alive():
        await asyncio.sleep(_POLL)
    end()


def _is_pipe() -> bool:
    try:
        mode = os.fstat(0).st_mode
    except OSError:
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)


class _EndOfInput(asyncio.Protocol):
    def __init__(self, end: Callable[[], None]) -> None:
        self._end = end

    def eof_received(self) -> bool:
        self._end()
        return False

    def connection_lost(self, problem: Exception | None) -> None:
        self._end()


async def _connect(loop: asyncio.AbstractEventLoop, reader: _EndOfInput) -> None:
    with contextlib.suppress(OSError, ValueError, NotImplementedError):
        await loop.connect_read_pipe(lambda: reader, sys.stdin)
