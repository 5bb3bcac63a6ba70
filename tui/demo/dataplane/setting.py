"""What a container's process is given when it starts, and what comes of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random

from tui.demo.clock import Clock
from tui.demo.dataplane.cores import Share
from tui.demo.dataplane.files import Volume
from tui.demo.dataplane.network import Network
from tui.demo.dataplane.process import Place, Process
from tui.demo.store import Object


@dataclass(frozen=True, slots=True)
class Setting:
    """Where a process runs and what it can reach."""

    place: Place
    cpu: Share
    print: Callable[[str], None]
    """Writes to the container's log."""
    container: Object
    """Its part of the pod's spec."""
    simulate: Mapping[str, str]
    """The words of the pod's annotation ``kscale.dev/simulate``."""
    volumes: Mapping[str, Volume]
    network: Network
    clock: Clock
    rng: Random
    cpus: int
    """Of the node."""


@dataclass(frozen=True, slots=True)
class Made:
    """How a start went."""

    process: Process | None
    """None: it ended at once."""
    output: tuple[str, ...] = ()
    exit_code: int | None = None


def port_number(container: Object, port: int | str) -> int:
    """The number of a container's port, which may be given by name; 0 if unknown."""
    if isinstance(port, int):
        return port
    for one in container.get("ports") or ():
        if one.get("name") == port:
            return int(one["containerPort"])
    return int(port) if port.isdigit() else 0
