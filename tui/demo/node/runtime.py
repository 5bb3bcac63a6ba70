"""What a kubelet asks of whatever serves requests in the name of its containers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from tui.demo.node.programs import Program
from tui.demo.node.usage import ContainerUsage
from tui.demo.store import Entry, Object


@dataclass(frozen=True, slots=True)
class Started:
    """How the start of a container's process went."""

    output: tuple[str, ...]
    """What it printed."""
    exit_code: int | None = None
    """It ended at once with this code; None: it runs."""


class Runtime(Protocol):
    """Runs the servers in containers."""

    def start(
        self, pod: Entry, container: Object, program: Program, usage: ContainerUsage, ip: str
    ) -> Started | None:
        """A container's process begins; None if it serves nothing."""

    def drain(self, uid: str) -> None:
        """A pod has been asked to end: no new connections."""

    def end(self, uid: str, container: str) -> None:
        """A container's process is gone."""

    def forget(self, uid: str) -> None:
        """A pod is gone from the API."""

    def probe(
        self, uid: str, container: Object, probe: Object, tell: Callable[[str | None], None]
    ) -> bool:
        """Probe a container by HTTP or TCP and tell what is wrong, None if nothing.

        Returns:
            False if nothing is known of the container, in which case nothing is told.
        """
