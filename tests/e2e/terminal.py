"""A program in a pseudo-terminal, and the screen it draws."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import TypeVar

import pyte

T = TypeVar("T")

KEYS = {"esc": "\x1b", "enter": "\r", "tab": "\t", "backspace": "\x7f", "ctrl+c": "\x03"}

# What a program switches on, and must switch off before it leaves.
ALTERNATE_SCREEN = b"\x1b[?1049h", b"\x1b[?1049l"
MOUSE = b"\x1b[?1000h", b"\x1b[?1000l"
HIDDEN_CURSOR = b"\x1b[?25l", b"\x1b[?25h"


class Terminal:
    """Starts ``command`` with a terminal of its own, as a user's shell would.

    Everything waits for a condition; what does not come in time fails with the screen in the
    message. ``output`` keeps every byte that the program wrote.
    """

    def __init__(
        self,
        command: Sequence[str],
        columns: int = 120,
        rows: int = 36,
        *,
        cwd: str | os.PathLike[str] | None = None,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self.output = bytearray()
        self._drawn = 0
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self._master, self._slave = pty.openpty()
        self._before = termios.tcgetattr(self._slave)
        self._set_size(columns, rows)
        # A test runner's own idea of its window's size would count for more than the window's.
        inherited = os.environ if env is None else env
        environment = {k: v for k, v in inherited.items() if k not in ("COLUMNS", "LINES")}
        self.started = time.perf_counter()
        self.process = subprocess.Popen(
            command,
            stdin=self._slave,
            stdout=self._slave,
            stderr=self._slave,
            cwd=cwd,
            env={**environment, "TERM": "xterm-256color"},
            start_new_session=True,
            preexec_fn=_take_the_terminal,
        )

    @property
    def pid(self) -> int:
        """The program's process id."""
        return self.process.pid

    @property
    def text(self) -> str:
        """The screen, a line a row."""
        self._stream.feed(bytes(self.output[self._drawn :]))
        self._drawn = len(self.output)
        return "\n".join(line.rstrip() for line in self._screen.display)

    # What the user does.

    def press(self, *keys: str) -> None:
        """Names from :data:`KEYS`, or text as it is typed."""
        for key in keys:
            os.write(self._master, KEYS.get(key, key).encode())

    def resize(self, columns: int, rows: int) -> None:
        """Make the window another size; the kernel tells the program."""
        self._screen.resize(rows, columns)
        self._set_size(columns, rows)

    def hang_up(self) -> None:
        """Close the window."""
        os.close(self._master)
        self._master = -1

    # What the user waits for.

    def wait_for(self, pattern: str, timeout: float = 15.0) -> re.Match[str]:
        """Until the screen shows ``pattern``, a regular expression."""
        found = self.wait_until(
            lambda: re.search(pattern, self.text), f"the screen shows {pattern!r}", timeout
        )
        assert found is not None
        return found

    def wait_gone(self, pattern: str, timeout: float = 15.0) -> None:
        """Until the screen shows ``pattern`` no more."""
        self.wait_until(
            lambda: re.search(pattern, self.text) is None, f"{pattern!r} is gone", timeout
        )

    def wait_until(self, condition: Callable[[], T], what: str, timeout: float = 15.0) -> T:
        """Until ``condition`` gives something true; it is asked after every piece of output."""
        end = time.monotonic() + timeout
        while True:
            ended = self.process.poll() is not None
            self._read(0.0 if ended else 0.05)
            if value := condition():
                return value
            if ended or time.monotonic() > end:
                why = f"exit code {self.process.returncode}" if ended else f"waited {timeout} s"
                raise AssertionError(f"not so: {what} ({why}); the screen:\n{self.text}")

    def rest(self, seconds: float) -> None:
        """Let so much time pass; the screen is drawn meanwhile."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self._read(left)

    def wait_exit(self, timeout: float = 10.0) -> int:
        """Until the program ends; returns its exit code, negative for a signal."""
        self.wait_until(lambda: self.process.poll() is not None, "the program ends", timeout)
        while self._read(0.0):
            pass
        return self.process.wait()

    def restored(self) -> bool:
        """Whether the program left the terminal as it found it."""
        modes = ALTERNATE_SCREEN, MOUSE, HIDDEN_CURSOR
        undone = all(self.output.rfind(on) <= self.output.rfind(off) for on, off in modes)
        return undone and termios.tcgetattr(self._slave)[:4] == self._before[:4]

    # How it works.

    def _read(self, patience: float) -> bool:
        """Take what the program wrote, waiting ``patience`` seconds at most; whether it did."""
        if self._master < 0:
            time.sleep(patience)
            return False
        ready, _, _ = select.select([self._master], [], [], patience)
        if ready:
            self.output += os.read(self._master, 1 << 16)
        return bool(ready)

    def _set_size(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def close(self) -> None:
        """End the program, whatever it is doing."""
        if self.process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
            self.process.wait(5)
        for end in (self._master, self._slave):
            if end >= 0:
                os.close(end)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _take_the_terminal() -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
