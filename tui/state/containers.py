"""What a pod's containers ask for and how they ended. Units are those of :mod:`tui.state.rows`."""

from __future__ import annotations

import msgspec


class ConfigMount(msgspec.Struct, frozen=True, gc=False):
    """Where a container sees a ConfigMap."""

    config_map: str
    path: str
    sub_path: str = ""
    """Set: one file, copied when the container starts and never updated."""


class ContainerRow(msgspec.Struct, frozen=True, gc=False):
    """What a container asks for (``resources.requests`` and ``limits``), and what it runs."""

    name: str
    cpu_request: int | None = None
    cpu_limit: int | None = None
    memory_request: int | None = None
    memory_limit: int | None = None
    image: str = ""
    probed: bool = False
    """Whether it has a readiness probe."""
    configs: tuple[ConfigMount, ...] = ()
    sidecar: bool = False
    """Whether it stands among the init containers, as those that stay do."""

    @property
    def field(self) -> str:
        """Which list of the pod's spec it stands in."""
        return "initContainers" if self.sidecar else "containers"


class Ending(msgspec.Struct, frozen=True, gc=False):
    """How a container ended that ended last: now, or before it was started again."""

    container: str
    reason: str
    """``OOMKilled``, ``Error``, ``StartError``, ``Completed``…"""
    code: int = 0
    at: float = 0.0


class PodRequests(msgspec.Struct, frozen=True, gc=False):
    """Requests of a pod as a whole (KEP-2837), or as the scheduler counts them."""

    cpu: int | None = None
    memory: int | None = None
