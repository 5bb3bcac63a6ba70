from __future__ import annotations

from collections.abc import Callable

import pytest

from tui.demo.clock import Clock
from tui.demo.cluster import AGE, Cluster
from tui.demo.traffic import Wave

Build = Callable[..., Cluster]


@pytest.fixture
def build() -> Build:
    """Builds a cluster on a clock that stands still, brought up as at the start of a lesson."""

    def make(
        *, seed: int = 1, speed: float = 1.0, wave: Wave | None = None, lesson: bool = False
    ) -> Cluster:
        cluster = Cluster(Clock(speed=speed, history=AGE), seed, wave=wave)
        cluster.bring_up(classroom_lesson=lesson)
        return cluster

    return make
