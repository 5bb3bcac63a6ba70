"""One informer between a server and a store, for tests."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from typing import Any

from tests.cluster.server import (
    Server,
)
from tui.cluster.access import Auth, ClusterConfig, Tls
from tui.cluster.informer import Informer
from tui.cluster.resources import RESOURCES
from tui.cluster.transport import Transport
from tui.state.links import Link
from tui.state.rows import Kind
from tui.state.store import Store

PODS = "/api/v1/namespaces/default/pods"
EVENTS = "/api/v1/namespaces/default/events"


class Waits:
    """Stands for the informer's sleeping: notes how long it would, and lets it go on or not."""

    def __init__(self) -> None:
        self.asked: list[float] = []
        self._stopped = threading.Event()
        self.limit = 40

    def __call__(self, seconds: float) -> bool:
        self.asked.append(seconds)
        if len(self.asked) >= self.limit:
            return self._stopped.wait(30)
        return self._stopped.wait(0.001)

    def stop(self) -> None:
        self._stopped.set()


class _Noting(Store):
    """A store that tells of every link it is given."""

    def __init__(self, note: Callable[[], None]) -> None:
        super().__init__()
        self._told = note

    def link(self, *args: Any, **more: Any) -> None:
        super().link(*args, **more)
        self._told()


class Running:
    """A server, a store, and one informer between them."""

    def __init__(self, server: Server, kind: Kind = Kind.PODS, **options: Any) -> None:
        self.server = server
        self.store = _Noting(self._note)
        self.links: list[Link] = []
        self.waits = Waits()
        self.config = ClusterConfig(
            server=server.url, tls=options.pop("tls", Tls()), auth=options.pop("auth", Auth())
        )
        self.transport = Transport(self.config)
        self.kind = kind
        self.informer = Informer(
            RESOURCES[kind],
            self.transport,
            self.store,
            options.pop("namespace", "default"),
            rng=options.pop("rng", random.Random(1)),
            wait=options.pop("wait", self.waits),
            **options,
        )
        self.informer.start()

    def _note(self) -> None:
        self.links.append(self.store.links[self.kind])

    def names(self) -> set[str]:
        return {row.name for row in self.store.drain().tables[self.kind].rows.values()}

    def statuses(self) -> dict[str, str]:
        return {row.name: row.status for row in self.store.drain().pods.rows.values()}

    @property
    def link(self) -> Link:
        return self.store.links.get(self.kind, Link())

    def stop(self) -> float:
        """Stop it; returns the seconds that took."""
        start = time.monotonic()
        self.waits.stop()
        self.informer.stop()
        assert self.informer.join(5)
        taken = time.monotonic() - start
        self.transport.close()
        return taken
