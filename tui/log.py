"""``KSCALE_LOG=FILE``: what the program did, a JSON object a line.

It holds words and figures of our own and the sentences that the screen shows of links, cleaned;
never a header, a body or a part of the kubeconfig. A disk that is full, or a file that grew too
large, ends the log and nothing else.
"""

from __future__ import annotations

import os
import stat
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from tui.state.links import Link, SourceKey
from tui.text import clean, shorten

VARIABLE: Final = "KSCALE_LOG"
LARGEST: Final = 50_000_000
"""Bytes after which nothing more is written."""
_LONGEST: Final = 500

Value = str | int | float | bool | None


class Log:
    """Lines to a file of the user's own (mode 0600).

    Args:
        path: is written at its end; None writes nothing.
        clock: seconds since the epoch.
        largest: bytes the file may have.

    Raises:
        OSError: the file cannot be opened.
    """

    def __init__(
        self,
        path: Path | None,
        clock: Callable[[], float] = time.time,
        largest: int = LARGEST,
    ) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._file: int | None = None
        self._left = largest
        self._links: dict[SourceKey, Link] = {}
        if path is not None:
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_CLOEXEC", 0)
            self._file = os.open(path, flags, 0o600)
            found = os.fstat(self._file)
            self._left -= found.st_size
            if stat.S_ISREG(found.st_mode):  # a device or a pipe belongs to others, too
                os.fchmod(self._file, 0o600)

    @property
    def open(self) -> bool:
        """Whether lines are still written."""
        return self._file is not None

    def write(self, event: str, **about: Value) -> None:
        """One line; from any thread."""
        with self._lock:
            if self._file is None:
                return
            fields = {name: _plain(value) for name, value in about.items()}
            line = msgspec.json.encode({"at": round(self._clock(), 3), "event": event, **fields})
            self._left -= len(line) + 1
            try:
                if self._left < 0 or os.write(self._file, line + b"\n") != len(line) + 1:
                    self._end()
            except OSError:  # the disk is full: the dashboard goes on
                self._end()

    def links(self, links: dict[SourceKey, Link]) -> None:
        """The links whose state or trouble differs from the last time."""
        for source, link in links.items():
            before = self._links.get(source)
            if before is None or (before.health, before.detail) != (link.health, link.detail):
                self.write("link", source=source.value, health=link.health.value,
                           detail=link.detail)  # fmt: skip
        self._links = links

    def close(self) -> None:
        """Write no more."""
        with self._lock:
            self._end()

    def _end(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


def from_environment() -> Log:
    """The log that ``KSCALE_LOG`` asks for.

    Raises:
        OSError: the file cannot be opened.
    """
    path = os.environ.get(VARIABLE)
    return Log(Path(path) if path else None)


def _plain(value: Value) -> Value:
    return shorten(clean(value), _LONGEST) if isinstance(value, str) else value
