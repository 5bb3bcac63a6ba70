"""TCP probes, against real sockets."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from tui.cluster.halt import Halt
from tui.cluster.route import Route, RouteKind
from tui.cluster.route_knock import knock, reach
from tui.cluster.route_plan import Answer, Candidate


def candidate(host: str, port: int) -> Candidate:
    return Candidate(host, port, Route("web", "shop", 80, RouteKind.NODE_PORT, "http://x/"))


@contextlib.contextmanager
def listening(host: str = "127.0.0.1") -> Iterator[int]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as server:
        server.bind((host, 0))
        server.listen(8)
        yield server.getsockname()[1]


@contextlib.contextmanager
def refusing() -> Iterator[int]:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


@contextlib.contextmanager
def silent() -> Iterator[int]:
    """A listener whose queue is full: the kernel lets further handshakes wait."""
    with socket.socket() as server, contextlib.ExitStack() as stack:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        port = server.getsockname()[1]
        for _ in range(4):
            sock = stack.enter_context(socket.socket())
            sock.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                sock.connect(("127.0.0.1", port))
        yield port


def test_what_answers_and_what_does_not() -> None:
    with listening() as good, refusing() as bad:
        answers = knock([candidate("127.0.0.1", bad), candidate("127.0.0.1", good)])
    assert answers == ["refused", None]


def test_ipv6() -> None:
    if not socket.has_ipv6:  # pragma: no cover (a machine without it)
        return
    try:
        with listening("::1") as port:
            assert knock([candidate("::1", port)], loopback=True) == [None]
    except OSError:  # pragma: no cover (as in some containers)
        return


def test_all_at_once_and_no_longer_than_the_deadline() -> None:
    with silent() as port:
        began = time.monotonic()
        answers = knock([candidate("127.0.0.1", port)] * 8, timeout=0.3)
        took = time.monotonic() - began
    assert answers == ["no answer"] * 8
    assert took < 1.0


def test_the_best_that_answers_ends_the_waiting() -> None:
    with silent() as mute, listening() as good:
        pair = [candidate("127.0.0.1", good), candidate("127.0.0.1", mute)]
        began = time.monotonic()
        answers = knock(pair, timeout=30.0)
        assert time.monotonic() - began < 10.0
    assert answers == [None, "not waited for"]


def test_what_accepts_and_closes_is_no_way() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def shut() -> None:
            with contextlib.suppress(OSError):
                server.accept()[0].close()

        threading.Thread(target=shut, daemon=True).start()
        port = server.getsockname()[1]
        assert knock([candidate("127.0.0.1", port)]) == ["accepted, and closed at once"]


def test_a_name_that_leads_to_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    with listening() as port:

        def resolve(host: str, *_: object, **__: object) -> list[object]:
            if host != "trap.example":
                raise socket.gaierror(socket.EAI_NONAME, "no such name")
            return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", port))]

        monkeypatch.setattr(socket, "getaddrinfo", resolve)
        pair = [candidate("trap.example", port), candidate("absent.example", port)]
        answers = knock(pair)
        assert answers == [
            "its name leads to 127.0.0.1, which is not connected to",
            "the name cannot be resolved",
        ]
        assert reach(pair[:1], loopback=True) == [Answer(None, "127.0.0.1")]


def test_a_halt_ends_it() -> None:
    with silent() as port:
        halt = Halt()
        threading.Timer(0.1, halt.stop).start()
        began = time.monotonic()
        assert knock([candidate("127.0.0.1", port)], timeout=30.0, halt=halt) == ["not waited for"]
        assert time.monotonic() - began < 5.0


def test_no_threads_are_left() -> None:
    with silent() as port:
        knock([candidate("127.0.0.1", port)] * 4, timeout=0.1)
        deadline = time.monotonic() + 5
        while any(t.name.startswith("knock") for t in threading.enumerate()):
            assert time.monotonic() < deadline
            time.sleep(0.01)
