"""Start the embedded cluster as a child process and reach it as any other: by its kubeconfig.

The child never outlives the parent: its standard input is a pipe that only the parent holds, and
it ends when the pipe closes, which the kernel does even for a parent that was killed.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Final

import msgspec

from tui.cluster.access import ClusterConfig
from tui.cluster.errors import UNREADABLE, ClusterError, one_line
from tui.cluster.kubeconfig import load_config

READY_WITHIN: Final = 20.0
_GRACE: Final = 1.0


class _Ready(msgspec.Struct):
    """The one line the child prints when it serves."""

    kubeconfig: str
    server: str


class Embedded:
    """A child process that serves a simulated cluster."""

    def __init__(self, speed: float = 1.0, seed: int = 1, scenario: str | None = None) -> None:
        command = [sys.executable, "-m", "tui", "cluster", "--ready-json"]
        command += ["--parent-pid", str(os.getpid()), "--speed", f"{speed:g}", "--seed", str(seed)]
        if scenario is not None:
            command += ["--scenario", scenario]
        self._child = subprocess.Popen(  # noqa: S603 (our own program, with words of our own)
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        self._kubeconfig: Path | None = None

    @property
    def pid(self) -> int:
        """The child's process id."""
        return self._child.pid

    def config(self) -> ClusterConfig:
        """Wait until the child serves; its cluster as a kubeconfig names it.

        Raises:
            ClusterError: it ended, or did not serve in time.
        """
        alarm = threading.Timer(READY_WITHIN, self._child.kill)
        alarm.daemon = True
        alarm.start()
        try:
            line = self._child.stdout.readline() if self._child.stdout is not None else b""
        finally:
            alarm.cancel()
        try:
            ready = msgspec.json.decode(line, type=_Ready)
        except UNREADABLE:
            raise self._failure() from None
        self._kubeconfig = Path(ready.kubeconfig)
        return load_config(ready.kubeconfig)

    def stop(self) -> None:
        """End it: close the pipe, and insist if that does not help."""
        if self._child.stdin is not None:
            self._child.stdin.close()
        self._child.terminate()
        try:
            self._child.wait(_GRACE)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait(_GRACE)
        if self._kubeconfig is not None:
            # One that was killed could not take its token and its private folder with it.
            with contextlib.suppress(OSError):
                self._kubeconfig.unlink(missing_ok=True)
                self._kubeconfig.parent.rmdir()

    def _failure(self) -> ClusterError:
        said = b""
        if self._child.poll() is not None and self._child.stderr is not None:
            said = self._child.stderr.read(4000)
        last = said.decode(errors="replace").strip().rpartition("\n")[2]
        return ClusterError(
            f"The embedded cluster did not start{': ' + one_line(last) if last else ''}.",
            "Run `kscale-tui cluster` by itself to see what it says.",
        )
