"""A worker process: ``python -m tui.load.worker``, with a burst at the other end of its pipes.

It ends when its work is done, when it is told to, and when its standard input closes, which the
kernel does for a parent that was killed.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
import sys
from typing import Final, cast

from tui.load.engine import Engine
from tui.load.messages import Frames, FromWorker, Go, Order, Problem, Ready, Stop, frame, to_worker
from tui.load.plan import PlanError
from tui.load.slice import shorten

_UNREAD: Final = 4 * 1024 * 1024
"""Bytes: a parent that reads nothing for so long is not there."""


class _Parent(asyncio.Protocol):
    """What the parent says."""

    def __init__(self) -> None:
        self.order: asyncio.Future[Order] = asyncio.get_running_loop().create_future()
        self.go = asyncio.Event()
        self.engine: Engine | None = None
        self.stopped = False
        self._frames = Frames()

    def data_received(self, data: bytes) -> None:
        for raw in self._frames.feed(data):
            match to_worker.decode(raw):
                case Order() as order if not self.order.done():
                    self.order.set_result(order)
                case Go():
                    self.go.set()
                case Stop():
                    self.stopped = True
                    self.go.set()
                    if self.engine is not None:
                        self.engine.stop()

    def connection_lost(self, problem: Exception | None) -> None:
        # Nobody is there to be told anything.
        os._exit(0)


class _Mouth(asyncio.BaseProtocol):
    def __init__(self) -> None:
        self.transport: asyncio.WriteTransport | None = None
        self.gone = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.WriteTransport, transport)  # uvloop's own class is not one

    def connection_lost(self, problem: Exception | None) -> None:
        self.gone.set()

    def pause_writing(self) -> None:
        """Ticks are small, and the parent's reader does nothing else."""

    def resume_writing(self) -> None:
        """Nothing was held back."""

    def say(self, message: FromWorker) -> None:
        if self.transport is None or self.transport.get_write_buffer_size() > _UNREAD:
            os._exit(1)
        self.transport.write(frame(message))


async def _main() -> None:
    loop = asyncio.get_running_loop()
    _, parent = await loop.connect_read_pipe(_Parent, sys.stdin)
    _, mouth = await loop.connect_write_pipe(_Mouth, sys.stdout)
    order = await parent.order
    try:
        engine = Engine(order.plan, order.address, order.index, mouth.say)
    except PlanError as error:
        mouth.say(Problem(str(error)))
    else:
        gc.collect()
        gc.freeze()
        if order.plan.most_rate is not None:
            shorten()
        mouth.say(Ready())
        await parent.go.wait()
        parent.engine = engine
        if parent.stopped:
            engine.stop()
        await engine.run()
    if mouth.transport is not None:
        mouth.transport.close()
        await mouth.gone.wait()
    os._exit(0)  # sockets close with the process; taking the interpreter down costs 20 ms


def main() -> None:
    """Work until the end."""
    with contextlib.suppress(ValueError, OSError):
        for number in (signal.SIGINT, signal.SIGTERM):
            # Both often go to the whole group; they are for the parent, which then says so.
            signal.signal(number, signal.SIG_IGN)
    try:
        import uvloop
    except ImportError:
        asyncio.run(_main())
    else:
        uvloop.run(_main())


if __name__ == "__main__":
    main()
