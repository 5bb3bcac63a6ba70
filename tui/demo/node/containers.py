"""A container of a pod, from the kubelet's side."""

from __future__ import annotations

from dataclasses import dataclass, field

from tui.demo.node.programs import Program
from tui.demo.store import Object


@dataclass(slots=True)
class Container:
    """One container of a pod and what has become of it."""

    spec: Object
    program: Program
    part: str = "containers"
    """Where in the pod's spec it stands."""
    state: Object = field(default_factory=lambda: {"waiting": {"reason": "ContainerCreating"}})
    last_state: Object = field(default_factory=dict)
    restarts: int = 0
    ready: bool = False
    started: bool = False
    container_id: str = ""
    run: int = 0
    """Counts starts, so that a timer knows whether it is meant for this one."""
    began: float = 0.0
    backoff: float = 0.0

    @property
    def name(self) -> str:
        """Its name in the pod."""
        name: str = self.spec["name"]
        return name

    @property
    def init(self) -> bool:
        """Whether it comes before the others."""
        return self.part == "initContainers"

    @property
    def ephemeral(self) -> bool:
        """Whether it was added to look into the pod, and runs once."""
        return self.part == "ephemeralContainers"

    @property
    def running(self) -> bool:
        """Whether its process lives."""
        return "running" in self.state
