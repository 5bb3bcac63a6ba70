"""Node ports that nobody has: embedded clusters of several tests at once listen on one machine.

A cluster whose port is taken serves another and says so, which a setup sees as drift.
"""

from __future__ import annotations

import os
import socket
from itertools import count
from typing import Final

_WORKERS: Final = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
_WORKER: Final = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_MINE: Final = range(30100 + _WORKER, 32768, _WORKERS)
_tries = count(os.getpid())  # another run of the tests begins elsewhere


def node_port() -> int:
    """One from 30100 to 32767, and each time another."""
    for _ in _MINE:
        number = _MINE[next(_tries) % len(_MINE)]
        with socket.socket() as asked:
            try:
                asked.bind(("127.0.0.1", number))
            except OSError:
                continue
        return number
    raise AssertionError("no node port is free on 127.0.0.1")
