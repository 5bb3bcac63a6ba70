"""A stop reaches the sockets in use, whenever they came, and no other."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from tui.cluster.halt import Halt

Pair = tuple[socket.socket, socket.socket]


def _pair() -> Iterator[Pair]:
    ours, theirs = socket.socketpair()
    theirs.settimeout(5)
    with ours, theirs:
        yield ours, theirs


one = pytest.fixture(_pair, name="one")
other = pytest.fixture(_pair, name="other")


def attach_elsewhere(halt: Halt, sock: socket.socket) -> None:
    thread = threading.Thread(target=halt.attach, args=(sock,))
    thread.start()
    thread.join()


def is_open(pair: Pair) -> bool:
    pair[0].sendall(b"x")
    return pair[1].recv(1) == b"x"


def test_a_stop_cuts_the_sockets_of_all_threads(one: Pair, other: Pair) -> None:
    halt = Halt()
    halt.attach(one[0])
    attach_elsewhere(halt, other[0])
    halt.stop()
    assert (one[1].recv(1), other[1].recv(1)) == (b"", b"")
    assert halt.stopped
    assert halt.wait(60)


def test_a_socket_that_comes_after_the_stop_is_cut_too(one: Pair) -> None:
    halt = Halt()
    halt.stop()
    halt.attach(one[0])
    assert one[1].recv(1) == b""


def test_what_is_no_longer_in_use_is_left_alone_and_nothing_else(one: Pair, other: Pair) -> None:
    halt = Halt()
    halt.attach(one[0])
    attach_elsewhere(halt, other[0])
    halt.detach(other[0])
    halt.stop()
    assert one[1].recv(1) == b""
    assert is_open(other)


def test_an_interrupt_cuts_and_stops_nothing(one: Pair, other: Pair) -> None:
    halt = Halt()
    halt.attach(one[0])
    halt.interrupt()
    assert one[1].recv(1) == b""
    assert not halt.stopped
    halt.attach(other[0])
    assert is_open(other)
