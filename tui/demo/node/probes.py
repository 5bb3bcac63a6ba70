"""Startup, readiness and liveness probes of a container."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any, Protocol

from tui.demo.node import status
from tui.demo.node.containers import Container
from tui.demo.store import Object


class Owner(Protocol):
    """The worker whose container is probed."""

    pod_ip: str
    stopping: bool

    def now(self) -> float:
        """The simulated second."""

    def say(self, type_: str, reason: str, message: str, container: Container | None) -> None:
        """Record an event."""

    def ask(self, container: Container, probe: Object, tell: Callable[[str | None], None]) -> bool:
        """Have a probe's request sent; False if there is nobody to send it to."""

    def publish(self) -> None:
        """Write the pod's status."""

    def while_runs(self, container: Container, delay: float, call: Callable[[], None]) -> None:
        """Call later, unless the container's present run is over by then."""

    def end_run(self, container: Container, code: int, reason: str = "") -> None:
        """The process has ended."""


class Probes:
    """The probes of one run of a container."""

    def __init__(self, worker: Owner, container: Container) -> None:
        self._worker = worker
        self._container = container
        self._streaks: dict[str, tuple[bool, int]] = {}

    def begin(self, rng: Random) -> None:
        """Start probing; without a startup probe a container counts as started at once."""
        spec = self._container.spec
        self._container.ready = False
        if spec.get("startupProbe"):
            self._schedule("startupProbe", rng.uniform(0.0, 0.2), first=True)
        else:
            self._started()

    def _started(self) -> None:
        spec = self._container.spec
        self._container.started = True
        self._container.ready = not spec.get("readinessProbe")
        for name in ("readinessProbe", "livenessProbe"):
            if spec.get(name):
                self._schedule(name, 0.05 if name == "readinessProbe" else 0.5, first=True)

    def _schedule(self, name: str, extra: float, *, first: bool = False) -> None:
        probe = self._container.spec[name]
        delay = probe.get("initialDelaySeconds", 0) + extra if first else probe["periodSeconds"]
        self._worker.while_runs(self._container, delay, lambda: self._probe(name))

    def _probe(self, name: str) -> None:
        probe, container, worker = self._container.spec[name], self._container, self._worker
        if worker.stopping:
            return
        run = container.run

        def tell(failure: str | None) -> None:
            if not worker.stopping and container.running and container.run == run:
                self._judge(name, failure)

        failure = self._failure(name, probe)
        if failure is not None or not worker.ask(container, probe, tell):
            self._judge(name, failure)

    def _judge(self, name: str, failure: str | None) -> None:
        probe, container, worker = self._container.spec[name], self._container, self._worker
        if failure is not None:
            label = name.removesuffix("Probe").capitalize()
            worker.say("Warning", "Unhealthy", f"{label} probe failed: {failure}", container)
        good = failure is None
        before, count = self._streaks.get(name, (good, 0))
        count = count + 1 if before == good else 1
        self._streaks[name] = (good, count)
        reached = count >= probe["successThreshold" if good else "failureThreshold"]
        if name == "startupProbe" and good and reached:
            self._started()
            worker.publish()
            return
        if name == "readinessProbe" and reached and container.ready != good:
            container.ready = good
            worker.publish()
        elif name != "readinessProbe" and not good and reached:
            what = name.removesuffix("Probe")
            message = f"Container {container.name} failed {what} probe, will be restarted"
            worker.say("Normal", "Killing", message, container)
            takes = min(container.program.stops_in, 30.0)
            worker.while_runs(container, takes, lambda: worker.end_run(container, 137))
            return
        self._schedule(name, 0.0)

    def _failure(self, name: str, probe: Object) -> str | None:
        """What the probe finds wrong; None if all is well."""
        container, program = self._container, self._container.program
        healthy = program.readiness if name == "readinessProbe" else program.liveness
        up = self._worker.now() - container.began >= program.starts_in
        if "exec" in probe:
            command: list[Any] = probe["exec"].get("command") or []
            fails = bool(command) and str(command[0]).endswith("false")
            return "" if fails or not healthy or not up else None
        if healthy and up and program.listens:
            return None
        refused = not up or not program.listens
        return status.probe_error(probe, self._worker.pod_ip, container.spec, refused=refused)
