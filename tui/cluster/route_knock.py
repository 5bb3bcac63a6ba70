"""Whether anything listens at an address: many TCP connections at once, with a deadline."""

from __future__ import annotations

import select
import socket
import threading
import time
from collections.abc import Sequence
from typing import Final

from tui.cluster.dial import dial
from tui.cluster.errors import one_line
from tui.cluster.halt import Halt
from tui.cluster.route_address import usable
from tui.cluster.route_plan import Candidate

TIMEOUT: Final = 1.0
_STAYS: Final = 0.05
"""Seconds that a connection must last: a forwarder of ports accepts before it has asked."""
_GIVEN_UP: Final = "not waited for"


def knock(
    candidates: Sequence[Candidate],
    *,
    loopback: bool = False,
    timeout: float = TIMEOUT,
    halt: Halt | None = None,
) -> list[str | None]:
    """Connect to all of them at once.

    Returns as soon as the best one that answers is known: those before it have failed.

    Args:
        candidates: at most a few dozen; a thread each.
        loopback: whether a name may turn out to be this machine.
        timeout: seconds, for all of them together.
        halt: ends it early.

    Returns:
        Beside each candidate: None if something listens there, else why not, in a few words.
    """
    answers: list[str | None] = [_GIVEN_UP] * len(candidates)
    done = [False] * len(candidates)
    changed = threading.Condition()
    guard = Halt()

    def try_one(index: int, candidate: Candidate) -> None:
        answer = _attempt(candidate, loopback, timeout, guard)
        with changed:
            answers[index], done[index] = answer, True
            changed.notify()

    for index, candidate in enumerate(candidates):
        thread = threading.Thread(
            target=try_one, args=(index, candidate), name=f"knock {index}", daemon=True
        )
        thread.start()
    deadline = time.monotonic() + timeout + 2 * _STAYS
    with changed:
        while not _decided(answers, done) and time.monotonic() < deadline:
            if halt is not None and halt.stopped:
                break
            changed.wait(0.05)
        found = list(answers)
    guard.stop()
    return found


def _decided(answers: Sequence[str | None], done: Sequence[bool]) -> bool:
    for answer, known in zip(answers, done, strict=True):
        if not known:
            return False
        if answer is None:
            return True
    return True


def _attempt(candidate: Candidate, loopback: bool, timeout: float, halt: Halt) -> str | None:
    try:
        sock = dial(candidate.host, candidate.port, timeout, (), halt)
    except socket.gaierror:
        return "the name cannot be resolved"
    except TimeoutError:
        return "no answer"
    except ConnectionRefusedError:
        return "refused"
    except OSError as error:
        return one_line(error.strerror or "cannot be reached").lower()
    with sock:
        peer = str(sock.getpeername()[0])
        if usable(peer, loopback=loopback or candidate.host == "127.0.0.1") is None:
            return f"its name leads to {peer}, which is not connected to"
        return _closes(sock)


def _closes(sock: socket.socket) -> str | None:
    try:
        readable, _, _ = select.select([sock], [], [], _STAYS)
        if readable and not sock.recv(1, socket.MSG_PEEK):
            return "accepted, and closed at once"
    except OSError:
        return "accepted, and closed at once"
    return None
