"""A server for bursts whose workers are real processes: it runs in a thread of the test's."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tests.load.server import Behaviour, Server


@contextmanager
def serving(behave: Behaviour) -> Iterator[Server]:
    """Serve until the end of the block."""
    loop = asyncio.new_event_loop()
    server = Server(behave)
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(server.__aenter__(), loop).result(5)
        yield server
    finally:
        asyncio.run_coroutine_threadsafe(server.__aexit__(), loop).result(5)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        loop.close()
