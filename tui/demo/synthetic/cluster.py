"""The synthetic cluster, put together: a store full of objects behind the real API."""

from __future__ import annotations

from random import Random
from typing import Final

from tui.demo.api.handlers import Handlers
from tui.demo.api.operations import Api
from tui.demo.api.requests import Request, Response
from tui.demo.clock import Clock
from tui.demo.store import Entry, Store
from tui.demo.synthetic.churn import Churn
from tui.demo.synthetic.metrics import Metrics
from tui.demo.synthetic.objects import App
from tui.demo.synthetic.population import Population, Size

_REMEMBERED: Final = 30.0
"""Seconds of churn that a client may be away and resume, or take to list all pages."""
_LEAST_HISTORY: Final = 4096


class _NoLogs:
    def respond(self, pod: Entry, request: Request) -> Response:
        """Containers that do not run say nothing."""
        return Response.text("")


class SyntheticCluster:
    """A cluster that is only large: nothing acts on what is written to it.

    Args:
        clock: paces the churn.
        size: how many objects, and how many events a second.
        seed: what is random repeats with the same seed.
    """

    def __init__(self, clock: Clock, size: Size, seed: int = 1) -> None:
        self.clock = clock
        rng = Random(seed)
        self.store = Store(max(_LEAST_HISTORY, int(size.churn * _REMEMBERED)))
        self.api = Api(self.store, clock, rng)
        self.population = Population(size, self.store, clock, rng)
        self.churn = Churn(self.population, self.store, clock, rng)
        self._apps: dict[tuple[str, str], App] = {}
        metrics = Metrics(self.store, clock, self._apps, seed)
        self.handlers = Handlers(self.api, metrics, _NoLogs(), rng)

    def bring_up(self) -> None:
        """Make all objects."""
        self.population.settle(self.api)
        for app in self.population.apps:
            self._apps[app.namespace, app.name] = app
        for storage in self.store.storages():
            for entry in self.store.entries(storage):
                entry.forget_decoded()

    async def open(self) -> None:
        """Begin to change the objects; the clock must run."""
        self.churn.start()

    async def close(self) -> None:
        """Nothing is held."""
