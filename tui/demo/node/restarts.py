"""Starting a container again after its process has ended, later each time.

https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#restart-policy
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

from tui.demo.node.containers import Container
from tui.demo.node.pulls import LONGEST_BACKOFF

_STEADY: Final = 600.0
"""Seconds after which a run counts as a success."""


class Restarter(Protocol):
    """Whose container it is."""

    name: str
    """``pod_namespace(uid)``, as the kubelet writes it."""
    stopping: bool

    def say(self, type_: str, reason: str, message: str, container: Container | None) -> None:
        """Record an event."""

    def later(self, delay: float, call: Callable[[], None]) -> None:
        """Call after simulated seconds, unless the pod is gone by then."""

    def publish(self) -> None:
        """Write the pod's status."""

    def prepare(self, container: Container) -> None:
        """Have the image, then create."""


class Restart:
    """One container's next start.

    Args:
        worker: whose it is.
        container: what has ended.
    """

    def __init__(self, worker: Restarter, container: Container) -> None:
        self._worker = worker
        self._container = container

    def begin(self, lived: float) -> None:
        """Wait as long as it takes. ``lived``: seconds for which it ran."""
        container = self._container
        if self._worker.stopping:
            return
        if lived > _STEADY:
            container.backoff = 0.0
        wait = container.backoff
        container.backoff = min(max(10.0, wait * 2), LONGEST_BACKOFF)
        if not wait:
            self._worker.later(0.7, self._again)
            return
        self._worker.later(0.9, lambda: self._back_off(wait))
        self._worker.later(wait + 1.5, self._again)

    def _back_off(self, wait: float) -> None:
        container, pod = self._container, self._worker.name
        self._keep_last()
        text = f"back-off {wait:.0f}s restarting failed container={container.name} pod={pod}"
        container.state = {"waiting": {"reason": "CrashLoopBackOff", "message": text}}
        said = f"Back-off restarting failed container {container.name} in pod {pod}"
        self._worker.say("Warning", "BackOff", said, container)
        self._worker.publish()

    def _again(self) -> None:
        if self._worker.stopping:
            return
        self._keep_last()
        self._container.restarts += 1
        self._worker.prepare(self._container)

    def _keep_last(self) -> None:
        if "terminated" in self._container.state:
            self._container.last_state = self._container.state
