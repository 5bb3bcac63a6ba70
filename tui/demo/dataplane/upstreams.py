"""What proxies share: idle connections kept for later, and answers that come too late."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Final

from tui.demo.clock import Clock, Timer
from tui.demo.dataplane.network import Connection

_SWEEP: Final = 0.5


class IdleConnections:
    """Connections to upstreams that wait for their next request.

    They lead to the pods they were opened to: while there are enough of them, a new pod gets
    nothing.

    Args:
        most: kept at once; the one unused for longest goes first.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._idle: list[tuple[str, Connection]] = []

    def __len__(self) -> int:
        return len(self._idle)

    def take(self, address: str) -> Connection | None:
        """The connection to an address that was used last; None if there is none."""
        idle = self._idle
        for index in range(len(idle) - 1, -1, -1):
            if idle[index][0] == address:
                connection = idle.pop(index)[1]
                if connection.usable:
                    return connection
        return None

    def give(self, address: str, connection: Connection) -> None:
        """Keep a connection for later."""
        if self._most <= 0 or not connection.usable:
            return
        self._idle.append((address, connection))
        if len(self._idle) > self._most:
            del self._idle[0]


class Deadlines:
    """Calls for what takes too long; looked at twice a second, so that watching costs little.

    Args:
        clock: of the cluster; the seconds are real ones.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._numbers = itertools.count()
        self._watched: dict[int, tuple[float, Callable[[], None]]] = {}
        self._timer: Timer | None = None

    def watch(self, seconds: float, call: Callable[[], None]) -> int:
        """Call after so many seconds, unless `clear` is called with the returned number."""
        number = next(self._numbers)
        speed = self._clock.speed
        self._watched[number] = (self._clock.now() + seconds * speed, call)
        if self._timer is None:
            self._timer = self._clock.call_later(_SWEEP * speed, self._sweep)
        return number

    def clear(self, number: int) -> None:
        """It came in time."""
        self._watched.pop(number, None)

    def _sweep(self) -> None:
        self._timer = None
        now = self._clock.now()
        late = [number for number, (due, _) in self._watched.items() if due <= now]
        for number in late:
            self._watched.pop(number)[1]()
        if self._watched:
            self._timer = self._clock.call_later(_SWEEP * self._clock.speed, self._sweep)
