"""Whether anything listens at an address: many TCP connections at once, with a deadline."""

from __future__ import annotations

import select
import socket
import threading
import time
from collections.abc import Sequence
from typing import Final

from tui.cluster.dial import AddressError, dial
from tui.cluster.errors import one_line
from tui.cluster.halt import Halt
from tui.cluster.route_address import is_public, usable
from tui.cluster.route_plan import Answer, Candidate

TIMEOUT: Final = 1.0
_STAYS: Final = 0.05
"""Seconds that a connection must last: a forwarder of ports accepts before it has asked."""
_GIVEN_UP: Final = Answer("not waited for")
PUBLIC: Final = "a public address"
_CLOSED: Final = "accepted, and closed at once"


def knock(
    candidates: Sequence[Candidate],
    *,
    loopback: bool = False,
    timeout: float = TIMEOUT,
    halt: Halt | None = None,
) -> list[str | None]:
    """As :func:`reach`, the failures alone."""
    answers = reach(candidates, loopback=loopback, timeout=timeout, halt=halt)
    return [answer.failure for answer in answers]


def reach(
    candidates: Sequence[Candidate],
    *,
    loopback: bool = False,
    timeout: float = TIMEOUT,
    halt: Halt | None = None,
) -> list[Answer]:
    """Connect to all of them at once.

    Returns as soon as the best one that answers is known: those before it have failed.

    Args:
        candidates: at most a few dozen; a thread each.
        loopback: whether a name may turn out to be this machine.
        timeout: seconds, for all of them together.
        halt: ends it early.

    Returns:
        What came of each candidate.
    """
    answers: list[Answer | None] = [None] * len(candidates)
    changed = threading.Condition()
    guard = Halt()

    def try_one(index: int, candidate: Candidate) -> None:
        answer = _attempt(candidate, loopback, timeout, guard)
        with changed:
            answers[index] = answer
            changed.notify()

    for index, candidate in enumerate(candidates):
        thread = threading.Thread(
            target=try_one, args=(index, candidate), name=f"knock {index}", daemon=True
        )
        thread.start()
    deadline = time.monotonic() + timeout + 2 * _STAYS
    with changed:
        while not _decided(answers) and time.monotonic() < deadline:
            if halt is not None and halt.stopped:
                break
            changed.wait(0.05)
        found = [answer or _GIVEN_UP for answer in answers]
    guard.stop()
    return found


def _decided(answers: Sequence[Answer | None]) -> bool:
    for answer in answers:
        if answer is None:
            return False
        if answer.failure is None:
            return True
    return True


def _attempt(candidate: Candidate, loopback: bool, timeout: float, halt: Halt) -> Answer:
    def refuse(address: str) -> str | None:
        if usable(address, loopback=loopback or candidate.host == "127.0.0.1") is None:
            return f"its name leads to {address}, which is not connected to"
        if is_public(address) and not candidate.named:
            return f"{address} is {PUBLIC}, which is loaded only if it is named"
        return None

    try:
        sock = dial(candidate.host, candidate.port, timeout, (), halt, refuse)
    except AddressError as error:
        return Answer(str(error))
    except socket.gaierror:
        return Answer("the name cannot be resolved")
    except TimeoutError:
        return Answer("no answer")
    except ConnectionRefusedError:
        return Answer("refused")
    except OSError as error:
        return Answer(one_line(error.strerror or "cannot be reached").lower())
    with sock:
        try:
            peer = str(sock.getpeername()[0])
        except OSError:
            return Answer(_CLOSED)
        return Answer(_closes(sock), peer)


def _closes(sock: socket.socket) -> str | None:
    try:
        readable, _, _ = select.select([sock], [], [], _STAYS)
        if readable and not sock.recv(1, socket.MSG_PEEK):
            return _CLOSED
    except OSError:
        return _CLOSED
    return None
