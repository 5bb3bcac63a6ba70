"""Servers that misbehave, and informers that meet them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.cluster.running import PODS, Running
from tests.cluster.server import (
    Behaviour,
    Server,
    watching,
)


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        yield running


@pytest.fixture
def run(server: Server) -> Iterator[Callable[..., Running]]:
    started: list[Running] = []

    def start(*lists: Behaviour, watch: tuple[Behaviour, ...] = (), **options: Any) -> Running:
        if lists:
            server.on(PODS, *lists)
        server.on(PODS, *(watch or (watching(),)), watch=True)
        started.append(Running(server, **options))
        return started[-1]

    yield start
    for running in started:
        running.stop()
