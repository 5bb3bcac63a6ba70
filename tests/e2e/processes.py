"""Which processes there are: from /proc where there is one, else from ``ps``."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

_PROC = Path("/proc")


def children(parent: int) -> list[int]:
    """Process ids of a process's children."""
    return [pid for pid, ppid, _ in _all() if ppid == parent]


def alive(pid: int) -> bool:
    """Whether a process runs; one that only waits to be reaped does not."""
    return any(found == pid and state not in "ZX" for found, _, state in _all())


def wait_gone(pid: int, timeout: float) -> bool:
    """Whether a process ends within ``timeout`` seconds."""
    end = time.monotonic() + timeout
    while alive(pid):
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def _all() -> Iterator[tuple[int, int, str]]:
    """Process id, parent's process id, state in one letter."""
    if not (_PROC / "self/stat").exists():
        command = ["ps", "-A", "-o", "pid=,ppid=,stat="]
        listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        for line in listed.splitlines():
            pid, ppid, state = line.split()
            yield int(pid), int(ppid), state[0]
        return
    for folder in _PROC.iterdir():
        if folder.name.isdigit():
            try:
                stat = (folder / "stat").read_text()
            except OSError:  # it ended meanwhile
                continue
            state, ppid = stat.rpartition(")")[2].split()[:2]  # the name before may hold anything
            yield int(folder.name), int(ppid), state
