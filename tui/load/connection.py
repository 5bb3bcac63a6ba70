"""One of a burst's connections: it sends, waits, counts, and comes back after a failure."""

from __future__ import annotations

import asyncio
import errno
import random
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from time import perf_counter
from typing import Final, cast

from tui.load.pace import Pace
from tui.load.response import MalformedError, PodFinder, Reply
from tui.load.stats import Failure
from tui.load.tally import Seen, Tally

_FIRST_PAUSE: Final = 0.01
_LONGEST_PAUSE: Final = 0.5
_NOTHING: Final[dict[bytes, Seen]] = {}
_UNREACHABLE: Final = {errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ENETDOWN}
_LOCAL: Final = {errno.EMFILE, errno.ENFILE, errno.EADDRNOTAVAIL, errno.ENOBUFS, errno.ENOMEM}

Dial = Callable[[asyncio.Protocol], Awaitable[object]]
"""Opens a connection to the target, TLS and all, and gives it to the protocol."""


@dataclass(frozen=True)
class Shared:
    """What all connections of a worker have in common."""

    loop: asyncio.AbstractEventLoop
    dial: Dial
    request: bytes
    head_only: bool
    keep_alive: bool
    timeout: float
    corrected: bool
    """Whether latency from the intended time is counted beside the service time."""
    finder: PodFinder | None
    pace: Pace
    tally: Tally
    random: random.Random


class _Gone(asyncio.Protocol):
    """Takes the place of a connection that has let go of its transport."""


class Connection(asyncio.Protocol):
    """A :class:`tui.load.pace.Sender`. Pipelining never: one request is out, or none."""

    __slots__ = (
        "_dialled",
        "_dialling",
        "_failures",
        "_first",
        "_fresh",
        "_late",
        "_memo",
        "_next",
        "_pause",
        "_reply",
        "_request",
        "_shared",
        "_transport",
        "_whole",
        "_write",
        "busy",
        "intended",
        "order",
        "retired",
        "sent",
    )

    def __init__(self, order: int, shared: Shared) -> None:
        self.order = order
        self.retired = False
        self.busy = False
        """Whether a request is out, or on its way to a connection that is being opened."""
        self.sent = 0.0
        """When the request was sent, or a connection for it was asked for."""
        self.intended = 0.0
        self._shared = shared
        self._request = shared.request
        self._memo = shared.tally.memo
        self._whole = shared.tally.whole.append
        self._late = shared.tally.late.append if shared.corrected else None
        self._next = shared.pace.idle
        self._reply = Reply(shared.head_only, shared.finder)
        self._transport: asyncio.Transport | None = None
        self._write: Callable[[bytes], None] | None = None
        self._dialling: asyncio.Task[None] | None = None
        self._pause: asyncio.TimerHandle | None = None
        self._fresh = False
        """Whether a request is out and nothing of its response was seen."""
        self._first = 0.0
        self._dialled = 0.0
        """Seconds that the request under way waited for its connection."""
        self._failures = 0

    @property
    def connected(self) -> bool:
        """Whether there is a connection to the target."""
        return self._transport is not None

    @property
    def dialling(self) -> bool:
        """Whether a connection is being opened."""
        return self._dialling is not None

    def open(self) -> asyncio.Task[None]:
        """Connect ahead of the first request. Failure is no matter: sending tries again."""
        self._dialling = self._shared.loop.create_task(self._dial_ahead())
        return self._dialling

    def send(self, now: float, intended: float) -> None:
        """Send the request, over a new connection if there is none."""
        self.sent = now
        self.intended = intended
        self.busy = True
        if self._write is not None:
            self._fresh = True
            self._write(self._request)
        else:
            self._dialling = self._shared.loop.create_task(self._dial())

    def park(self, now: float) -> None:
        """Have nothing to do."""
        self.busy = self._fresh = False
        self._shared.tally.ended = now
        if self.retired:
            self.drop()

    def retire(self) -> None:
        """Close as soon as nothing is out."""
        self.retired = True
        if not self.busy:
            self.drop()

    def drop(self) -> None:
        """Let go of everything, without counting."""
        self.busy = self._fresh = False
        if self._pause is not None:
            self._pause.cancel()
            self._pause = None
        if self._dialling is not None:
            self._dialling.cancel()
            self._dialling = None
        self._hang_up()

    def time_out(self) -> None:
        """The request has taken too long."""
        self._fail(Failure.TIMEOUT)

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A connection is open. Whoever dialled goes on."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's own class is not one
        self._write = self._transport.write
        self._reply.renew()

    def data_received(self, data: bytes) -> None:
        """Bytes came: in the best case a whole response that is known already."""
        now = perf_counter()
        if self._fresh:
            seen = self._memo.get(data)
            if seen is not None:
                seen.hits += 1
                self._whole(now - self.sent)
                if self._late is not None:
                    self._late(now - self.intended)
                self._failures = 0
                self._next(self, now)
                return
        self._receive(data, now)

    def connection_lost(self, problem: Exception | None) -> None:
        """The other end closed, or the network did. None: in good order."""
        self._transport = self._write = None
        if not self.busy:
            return  # closed while idle: the next request opens another
        if problem is None:
            now = perf_counter()
            if not self._fresh and self._reply.end_of_stream():
                self._complete(b"", now)
                return
            self._fail(Failure.CLOSED)
        else:
            self._fail(_kind(problem), _reason(problem))

    # What follows from it.

    def _receive(self, data: bytes, now: float) -> None:
        if not self.busy:
            self._hang_up()  # said without being asked, such as 408 before closing
            return
        whole = self._fresh
        if whole:
            self._fresh = False
            self._first = now
            self._reply.begin()
        self._shared.tally.received += len(data)
        try:
            self._reply.feed(data)
        except MalformedError:
            self._fail(Failure.MALFORMED)
            return
        if self._reply.complete:
            self._complete(data if whole else b"", now)

    def _complete(self, data: bytes, now: float) -> None:
        reply, tally = self._reply, self._shared.tally
        pod = reply.pod
        tally.response(reply.status, pod)
        if data and reply.keep_alive and self._shared.keep_alive:
            tally.remember(data, reply.status, pod)
        if data and not self._dialled:
            self._whole(now - self.sent)
        else:
            tally.parts.append(now - self.sent)
            tally.waits.append(self._first - self.sent - self._dialled)
            tally.reads.append(now - self._first)
        self._knows_all()
        if self._late is not None:
            self._late(now - self.intended)
        tally.ended = now
        self._failures = 0
        if not (reply.keep_alive and self._shared.keep_alive):
            self._hang_up()
        self._next(self, now)

    def _fail(self, kind: Failure, reason: str = "") -> None:
        if self._dialling is not None:
            self._dialling.cancel()
            self._dialling = None
        self._hang_up()
        self._knows_all()
        self._fresh = False
        self.busy = False
        tally = self._shared.tally
        tally.failure(kind, reason)
        tally.ended = perf_counter()
        self._failures += 1
        # The first failure is followed at once; after that an absent target is not hammered.
        pause = 0.0
        if self._failures > 1:
            pause = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2.0 ** min(20, self._failures - 2))
            pause *= self._shared.random.uniform(0.5, 1.0)
        self._pause = self._shared.loop.call_later(pause, self._again)

    def _again(self) -> None:
        self._pause = None
        self._next(self, perf_counter())

    def _hang_up(self) -> None:
        transport, self._transport, self._write = self._transport, None, None
        if transport is not None:
            transport.set_protocol(_Gone())
            transport.abort()

    async def _dial_ahead(self) -> None:
        began = perf_counter()
        try:
            async with asyncio.timeout(self._shared.timeout):
                await self._shared.dial(self)
        except (OSError, ssl.SSLError):
            self._dialling = None
            return
        self._dialling = None
        self._shared.tally.dials.append(perf_counter() - began)

    async def _dial(self) -> None:
        began = perf_counter()
        try:
            await self._shared.dial(self)
        except (OSError, ssl.SSLError) as problem:
            self._dialling = None
            self._fail(_kind(problem), _reason(problem))
            return
        self._dialling = None
        now = perf_counter()
        self._shared.tally.dials.append(now - began)
        if self._write is None:
            self._fail(Failure.CLOSED)
            return
        self._dialled = now - self.sent
        self._memo = _NOTHING  # what came in one piece is told as waiting alone, and this is not
        self._fresh = True
        self._write(self._request)

    def _knows_all(self) -> None:
        """The request that a connection was opened for is over."""
        if self._dialled:
            self._dialled = 0.0
            self._memo = self._shared.tally.memo


def _kind(problem: Exception) -> Failure:
    match problem:
        case ssl.SSLError():
            return Failure.TLS
        case ConnectionRefusedError():
            return Failure.REFUSED
        case ConnectionError():
            return Failure.RESET
        case TimeoutError():
            return Failure.TIMEOUT
        case OSError(errno=number) if number in _UNREACHABLE:
            return Failure.UNREACHABLE
        case OSError(errno=number) if number in _LOCAL:
            return Failure.LOCAL
    return Failure.OTHER


def _reason(problem: Exception) -> str:
    """What TLS says: the other kinds speak for themselves."""
    if isinstance(problem, ssl.SSLCertVerificationError):
        return problem.verify_message
    if isinstance(problem, ssl.SSLError):
        return (problem.reason or "").replace("_", " ").lower()
    return ""
