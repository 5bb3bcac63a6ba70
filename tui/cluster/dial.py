"""TCP connections that can be given up: names looked up and sockets connected with a deadline."""

from __future__ import annotations

import errno
import os
import select
import socket
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any, Final

from tui.cluster.halt import Halt

_LOOK: Final = 0.1
"""Seconds between looks at the halt while nothing happens."""


class AddressError(OSError):
    """The name leads to an address that must not be connected to; ``args[0]`` says why."""


def dial(
    host: str,
    port: int,
    timeout: float,
    options: Iterable[tuple[Any, ...]],
    halt: Halt | None,
    refuse: Callable[[str], str | None] = lambda _: None,
) -> socket.socket:
    """Connect to the first address of ``host`` that answers.

    Args:
        host: a name or an address.
        port: of TCP.
        timeout: seconds, the look-up of the name included.
        options: for ``setsockopt``.
        halt: ends it early.
        refuse: why an address must not be connected to; None: it may.

    Raises:
        AddressError: it may be connected to at none of its addresses.
        TimeoutError: the deadline passed, or the halt was stopped.
        socket.gaierror: the name does not resolve.
        OSError: no address could be connected to; the last one's error.
    """
    deadline = time.monotonic() + timeout
    failure: OSError = OSError(f"no address for {host}")
    for family, kind, protocol, _, address in _resolve(host, port, deadline, halt):
        no = refuse(str(address[0]))
        if no is not None:
            failure = AddressError(no)
            continue
        sock = socket.socket(family, kind, protocol)
        try:
            for option in options:
                sock.setsockopt(*option)
            _connect(sock, address, deadline, halt)
        except OSError as error:
            sock.close()
            failure = error
            if isinstance(error, TimeoutError):
                break
        else:
            return sock
    raise failure


def _resolve(host: str, port: int, deadline: float, halt: Halt | None) -> list[Any]:
    """``getaddrinfo``, which knows no deadline, in a thread that can be left behind."""
    found: list[Any] = []
    failed: list[OSError | UnicodeError] = []

    def look_up() -> None:
        try:
            found.extend(socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            failed.append(error)

    if _is_address(host):
        look_up()
    else:
        thread = threading.Thread(target=look_up, name=f"dns {host[:60]}", daemon=True)
        thread.start()
        while thread.is_alive():
            thread.join(_LOOK / 2)
            _check(deadline, halt, "the name look-up")
    if failed:
        error = failed[0]
        if isinstance(error, UnicodeError):
            raise socket.gaierror(socket.EAI_NONAME, "not a host name")
        raise error
    return found


def _is_address(host: str) -> bool:
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, host)
        except OSError:
            continue
        return True
    return False


def _connect(sock: socket.socket, address: Any, deadline: float, halt: Halt | None) -> None:
    sock.setblocking(False)
    code = sock.connect_ex(address)
    while code in (errno.EINPROGRESS, errno.EWOULDBLOCK, errno.EAGAIN):
        _check(deadline, halt, "the connection")
        _, writable, broken = select.select([], [sock], [sock], _LOOK)
        if writable or broken:
            code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            break
    if code:
        raise OSError(code, os.strerror(code))
    sock.setblocking(True)


def _check(deadline: float, halt: Halt | None, what: str) -> None:
    if halt is not None and halt.stopped:
        raise TimeoutError(f"{what} was given up")
    if time.monotonic() > deadline:
        raise TimeoutError(f"{what} took too long")
