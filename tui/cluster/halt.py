"""A stop that reaches a thread whatever it is waiting for."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator


class Halt:
    """Ends the waiting of one or more threads: sleeping, connecting, or reading from a socket.

    A thread that makes requests enters :meth:`guarding`; the sockets it then uses are attached
    here, and :meth:`stop` shuts them down, which wakes a blocked read at once.
    """

    def __init__(self) -> None:
        self._event = threading.Event()
        self._lock = threading.Lock()
        self._sockets: dict[int, socket.socket] = {}

    @property
    def stopped(self) -> bool:
        """Whether :meth:`stop` was called."""
        return self._event.is_set()

    def stop(self) -> None:
        """Wake everything that waits. May be called more than once, from any thread."""
        with self._lock:
            self._event.set()
            sockets = list(self._sockets.values())
            self._sockets.clear()
        for sock in sockets:
            cut(sock)

    def interrupt(self) -> None:
        """Cut the sockets in use without stopping anything."""
        with self._lock:
            sockets = list(self._sockets.values())
        for sock in sockets:
            cut(sock)

    def wait(self, seconds: float) -> bool:
        """Sleep; True if it was stopped meanwhile."""
        return self._event.wait(min(seconds, threading.TIMEOUT_MAX))

    def attach(self, sock: socket.socket) -> None:
        """The socket that the calling thread uses from now on; a thread uses one at a time."""
        with self._lock:
            if not self._event.is_set():
                self._sockets[threading.get_ident()] = sock
                return
        cut(sock)

    def detach(self, sock: socket.socket | None) -> None:
        """The socket is no longer in use here."""
        with self._lock:
            for thread in [t for t, used in self._sockets.items() if used is sock]:
                del self._sockets[thread]

    @contextlib.contextmanager
    def guarding(self) -> Iterator[None]:
        """Sockets that this thread uses inside the block belong to this halt."""
        before = current()
        _local.halt = self
        try:
            yield
        finally:
            _local.halt = before


_local = threading.local()


def current() -> Halt | None:
    """The halt that the calling thread is guarded by."""
    halt: Halt | None = getattr(_local, "halt", None)
    return halt


def cut(sock: socket.socket) -> None:
    """End reads and writes of the socket in whatever thread they wait."""
    # Past a TLS layer, whose own shutdown would take the session from under the reader.
    with contextlib.suppress(OSError):
        socket.socket.shutdown(sock, socket.SHUT_RDWR)
