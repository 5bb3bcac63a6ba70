"""A worker's share of a burst: opens connections, watches the clock, tells what happened."""

from __future__ import annotations

import asyncio
import functools
import math
import random
import ssl
from collections.abc import Callable
from time import perf_counter
from typing import Final

from tui.load.connection import Connection, Shared
from tui.load.curve import Curve
from tui.load.pace import ClosedLoop, OpenLoop, Pace, PerConnection
from tui.load.plan import Plan, PlanError, request_bytes, target
from tui.load.response import PodFinder
from tui.load.stats import Tick
from tui.load.tally import Tally
from tui.load.timer import Alarm

TICK: Final = 0.1
"""Seconds between two ticks."""
DRAIN: Final = 1.0
"""Seconds that responses under way have when the time is up."""
_PREPARE: Final = 3.0
"""Seconds that opening the first connections may take before the clock starts."""
_ROUND: Final = 0.01
_OPENINGS: Final = 10
"""How many connections are opened in a round: 1,000 a second."""


class Engine:
    """Runs in the event loop of a worker process."""

    def __init__(self, plan: Plan, address: str, index: int, tell: Callable[[Tick], None]) -> None:
        """Args:
        address: of the target, numeric.
        index: which of the plan's workers this is.
        tell: takes a tick ten times a second; the last one has ``ended`` set.
        """
        self._plan = plan
        self._address = address
        self._index = index
        self._tell = tell
        self._tally = Tally()
        self._curve = Curve(plan.connections)
        self._connections: list[Connection] = []
        self._early: list[Connection] | None = []
        """Those that were opened before the beginning; None: it has begun."""
        self._opened = 0
        self._ssl = tls_context(plan)
        self._stopping = False

    def stop(self) -> None:
        """End now: what is under way is given up."""
        self._stopping = True

    async def run(self) -> None:
        """Run the burst to its end."""
        loop = asyncio.get_running_loop()
        alarm = Alarm(loop, lambda: self._wake())
        pace = self._pace(alarm.set)
        shared = self._shared(loop, pace)
        if self._plan.keep_alive:
            await self._prepare(shared)
        start = perf_counter()
        end = math.inf if self._plan.duration is None else start + self._plan.duration
        pace.begin(start, end)
        early, self._early = self._early or [], None
        late = [connection for connection in self._connections if connection.dialling]
        for connection in late:
            connection.drop()  # it dials anew, for a request, so that its wait is one of the burst
        for connection in (*early, *late):
            pace.idle(connection, perf_counter())
        await self._watch(start, end, shared)
        busy, connected = self._busy(), self._connected()
        pace.stop()
        alarm.close()
        for connection in self._connections:
            connection.drop()
        now = perf_counter()
        last = self._tally.tick(now - start, busy, connected)
        last.ended = self._ended(now, end, busy) - start
        self._tell(last)

    async def _prepare(self, shared: Shared) -> None:
        """Open the first connections, gently, so that the burst begins with all of them."""
        give_up = perf_counter() + min(_PREPARE, self._plan.timeout)
        wanted = self._wanted(0.0)
        while not self._stopping and perf_counter() < give_up:
            self._match(wanted, shared)
            if len(self._early or ()) >= wanted:
                return
            await asyncio.sleep(_ROUND)

    async def _watch(self, start: float, end: float, shared: Shared) -> None:
        """Keep up connections, time-outs and ticks until nothing more is to be done."""
        next_tick = start + TICK
        give_up = math.inf
        while not self._stopping:
            now = perf_counter()
            if give_up < math.inf:
                pass
            elif now >= end:
                shared.pace.stop()
                give_up = now + min(DRAIN, self._plan.timeout)
            else:
                self._match(self._wanted(now - start), shared)
            self._time_out(now)
            if now >= next_tick:
                self._tell(self._tally.tick(now - start, self._busy(), self._connected()))
                next_tick += TICK * max(1, math.ceil((now - next_tick) / TICK))
            if now >= give_up or (shared.pace.exhausted and not self._busy()):
                return
            due = min(now + _ROUND, next_tick, end if now < end else math.inf)
            await asyncio.sleep(max(0.0, due - perf_counter()))

    def _ended(self, now: float, end: float, busy: int) -> float:
        """When the burst ended: time spent waiting for stragglers in vain is not of it."""
        if self._stopping:
            return now
        if self._plan.duration is not None and now >= end:
            return max(end, self._tally.ended)
        return now if busy else self._tally.ended or now

    def _pace(self, alarm: Callable[[float], None]) -> Pace:
        plan, workers = self._plan, self._plan.workers
        mine = None if plan.count is None else _share(plan.count, self._index, workers)
        if plan.rate is not None:
            share = (self._index, workers)
            paced = OpenLoop(Curve(plan.rate), plan.count, share, alarm)
            self._wake: Callable[[], None] = paced.wake
            return paced
        if plan.rate_per_connection is not None:
            number = plan.most_connections
            each = PerConnection(plan.rate_per_connection, number, mine, alarm)
            self._wake = each.wake
            return each
        self._wake = lambda: None
        return ClosedLoop(mine)

    def _shared(self, loop: asyncio.AbstractEventLoop, pace: Pace) -> Shared:
        plan = self._plan
        where = target(plan.url)
        name = where.host if self._ssl is not None else None
        limit = min(plan.timeout, 60.0)

        async def dial(protocol: asyncio.Protocol) -> object:
            more: dict[str, object] = {}
            if self._ssl is not None:
                # Ours ends first, and by its name: the loop would say that it was aborted.
                late = plan.timeout + 1.0
                more = {"ssl": self._ssl, "server_hostname": name, "ssl_handshake_timeout": late}
            return await loop.create_connection(  # type: ignore[call-overload]  # one of two sets
                lambda: protocol, self._address, where.port, **more
            )

        return Shared(
            loop=loop,
            dial=dial,
            request=request_bytes(plan),
            head_only=plan.method == "HEAD",
            keep_alive=plan.keep_alive,
            timeout=limit,
            corrected=plan.most_rate is not None,
            finder=None if plan.pattern is None else PodFinder(plan.pattern),
            pace=pace,
            tally=self._tally,
            random=random.Random(plan.seed * 1009 + self._index),  # noqa: S311 (spreads pauses)
        )

    def _wanted(self, elapsed: float) -> int:
        """How many connections this worker has at a time."""
        plan = self._plan
        wanted = round(self._curve.at(elapsed))
        if plan.count is not None:
            wanted = min(wanted, plan.count)
        return _share(wanted, self._index, plan.workers)

    def _match(self, wanted: int, shared: Shared) -> None:
        """Have so many connections, or come closer to it."""
        live = self._connections
        for connection in live[wanted:]:
            connection.retire()
        del live[wanted:]
        for _ in range(min(_OPENINGS, wanted - len(live))):
            order = self._opened * self._plan.workers + self._index
            connection = Connection(order, shared)
            self._opened += 1
            live.append(connection)
            if self._plan.keep_alive:
                done = functools.partial(self._made, connection, shared)
                connection.open().add_done_callback(done)
            else:
                shared.pace.idle(connection, perf_counter())

    def _made(self, connection: Connection, shared: Shared, task: asyncio.Task[None]) -> None:
        if task.cancelled():
            return
        if self._early is not None:
            self._early.append(connection)
        else:
            shared.pace.idle(connection, perf_counter())

    def _time_out(self, now: float) -> None:
        oldest = now - self._plan.timeout
        for connection in self._connections:
            if connection.busy and connection.sent < oldest:
                connection.time_out()

    def _busy(self) -> int:
        return sum(connection.busy for connection in self._connections)

    def _connected(self) -> int:
        return sum(connection.connected for connection in self._connections)


def tls_context(plan: Plan) -> ssl.SSLContext | None:
    """How to speak TLS to the target; None: not at all.

    Raises:
        PlanError: the file of authorities cannot be used.
    """
    if not target(plan.url).tls:
        return None
    try:
        context = ssl.create_default_context(cafile=plan.cacert)
    except (OSError, ssl.SSLError) as error:
        raise PlanError(f"cannot use {plan.cacert} as authorities: {error}") from None
    # From Python 3.13 on an authority must have extensions that neither curl nor kubectl ask for.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if not plan.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["http/1.1"])
    return context


def _share(whole: int, index: int, parts: int) -> int:
    """What falls to one of several when a number is dealt out."""
    return whole // parts + (index < whole % parts)
