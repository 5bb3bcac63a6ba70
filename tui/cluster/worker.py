"""A thread of a session: begun once, ended within a second whatever it is doing."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod

from tui.cluster.halt import Halt


class Worker(ABC):
    """What informers and metric polls share. A subclass says what it does in :meth:`_run`."""

    def __init__(self, name: str) -> None:
        self._halt = Halt()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @abstractmethod
    def _run(self) -> None:
        """Work until ``self._halt`` is stopped."""

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """Ask the thread to end; it does so within a second whatever it is doing."""
        self._halt.stop()

    def reconnect(self) -> None:
        """Give up the connection in use, which may be dead, and make a new one."""
        self._halt.interrupt()

    def join(self, timeout: float) -> bool:
        """Wait for the end; False if it is still running."""
        if self._thread.ident is not None:
            self._thread.join(timeout)
        return not self._thread.is_alive()
