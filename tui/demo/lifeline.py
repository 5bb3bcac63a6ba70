"""Ending with the parent: a child process that never outlives the dashboard."""

from __future__ import annotations

import asyncio
import contextlib
import os
import stat
import sys
from collections.abc import Callable
from typing import Final

_POLL: Final = 0.3
_PR_SET_PDEATHSIG: Final = 1
_SIGTERM: Final = 15
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
        _ask_the_kernel()
        _tasks.append(loop.create_task(_poll(parent, end)))
    if _is_pipe():
        reader = _EndOfInput(end)
        _tasks.append(loop.create_task(_connect(loop, reader)))


def _ask_the_kernel() -> None:
    if not sys.platform.startswith("linux"):
        return
    import ctypes  # late: 10 ms, and only a child needs it

    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, _SIGTERM, 0, 0, 0)


async def _poll(parent: int, end: Callable[[], None]) -> None:
    while _alive(parent):
        await asyncio.sleep(_POLL)
    end()


def _alive(parent: int) -> bool:
    if os.name == "posix":
        # A child whose parent died belongs to someone else; a grandparent may be the one named.
        if os.getppid() == parent:
            return True
        try:
            os.kill(parent, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            return True
        return os.getppid() != 1
    return True


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
