"""A kubelet's worker for one pod: pull, create, start, probe, restart, stop."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from random import Random

from tui import quantity
from tui.demo import resources
from tui.demo.api import errors
from tui.demo.api.operations import KUBELET, Api, DeleteOptions
from tui.demo.clock import Clock
from tui.demo.events import Recorder
from tui.demo.logs import Logs
from tui.demo.node import references, status
from tui.demo.node.containers import Container
from tui.demo.node.probes import Probes
from tui.demo.node.programs import DATE, HOSTNAME, program_of
from tui.demo.node.pulls import Pull
from tui.demo.node.restarts import Restart
from tui.demo.node.runtime import Runtime
from tui.demo.node.usage import ContainerUsage, Usage
from tui.demo.store import Entry, Object


@dataclass(frozen=True, slots=True)
class Tools:
    """What a worker works with."""

    api: Api
    clock: Clock
    events: Recorder
    logs: Logs
    usage: Usage
    rng: Random
    images: set[str]
    """The images on the node."""
    node: str
    node_ip: str
    new_ip: Callable[[], str]
    runtime: Runtime


class Worker:
    """Brings one pod to life and to its end."""

    def __init__(self, pod: Entry, tools: Tools) -> None:
        self.uid = pod.uid
        self._key = pod.key
        self.name = f"{pod.key[1]}_{pod.key[0]}({pod.uid})"
        self._tools = tools
        self.ended = False
        self.stopping = False
        self.pod_ip = ""
        self.start_time = tools.clock.stamp()
        annotations = pod.metadata.get("annotations") or {}

        task = pod.spec.get("restartPolicy", "Always") != "Always"

        def made(part: str) -> list[Container]:
            return [
                Container(spec, program_of(spec, annotations, task=task), part)
                for spec in pod.spec.get(part) or ()
            ]

        self.inits = made("initContainers")
        self.containers = made("containers")
        self.added: list[Container] = []
        self.volumes = pod.spec.get("volumes") or []
        self.restart_policy = pod.spec.get("restartPolicy", "Always")
        if self.inits:
            for one in (*self.inits, *self.containers):
                one.state = {"waiting": {"reason": "PodInitializing"}}
        self._remember(pod)

    def _remember(self, pod: Entry) -> None:
        """What ran before the node went down has ended, nobody knows how, and starts again."""
        known = {one["name"]: one for one in pod.status.get("containerStatuses") or ()}
        for container in self.containers:
            before = known.get(container.name) or {}
            running = (before.get("state") or {}).get("running")
            container.restarts = before.get("restartCount", 0) + bool(running)
            if running:
                ended = {"exitCode": 255, "reason": "Unknown", **running}
                ended["finishedAt"] = self._tools.clock.stamp()
                container.last_state = {"terminated": ended}

    # -- plumbing

    def pod(self) -> Entry | None:
        """The pod as it is stored; None once it is gone or another has its name."""
        entry = self._tools.api.store.get(resources.PODS.storage, *self._key)
        return entry if entry is not None and entry.uid == self.uid else None

    def lose(self) -> None:
        """The node is gone, and with it whatever would still have been done for the pod."""
        self.ended = True
        for container in (*self.inits, *self.containers, *self.added):
            self._tools.usage.end(self.uid, container.name)

    def later(self, delay: float, call: Callable[[], None]) -> None:
        """Call after simulated seconds, unless the pod is gone by then."""

        def run() -> None:
            if not self.ended and self.pod() is not None:
                call()

        self._tools.clock.call_later(delay, run)

    def while_runs(self, container: Container, delay: float, call: Callable[[], None]) -> None:
        """Like `later`, unless the container's present run is over by then."""
        run = container.run
        self.later(delay, lambda: call() if container.running and container.run == run else None)

    def now(self) -> float:
        """The simulated second."""
        return self._tools.clock.now()

    def ask(self, container: Container, probe: Object, tell: Callable[[str | None], None]) -> bool:
        """Have a probe's request sent; False if there is nobody to send it to."""
        return self._tools.runtime.probe(self.uid, container.spec, probe, tell)

    def say(self, type_: str, reason: str, message: str, container: Container | None) -> None:
        """Record an event about the pod or one of its containers."""
        pod = self.pod()
        if pod is None:
            return
        path = ""
        if container is not None:
            path = f"spec.{container.part}{{{container.name}}}"
        self._tools.events.record(
            (resources.PODS, pod),
            type_,
            reason,
            message,
            "kubelet",
            host=self._tools.node,
            field_path=path,
        )

    def publish(self) -> None:
        """Write the pod's status."""
        pod = self.pod()
        if pod is None or self.ended:
            return
        fresh = status.of(self, pod, self._tools.clock.stamp(), self._tools.node_ip)

        def alter(data: Object) -> None:
            data["status"] = fresh

        self._tools.api.change(resources.PODS, pod, alter, KUBELET)

    # -- starting

    def start(self) -> None:
        """Begin: the pod has just been given to this node."""
        self.publish()
        self.later(self._tools.rng.uniform(0.35, 0.6), lambda: self._sandbox(2.0))

    def add(self, pod: Entry) -> None:
        """Start the ephemeral containers that the pod has been given since."""
        known = {one.name for one in self.added}
        for spec in pod.spec.get("ephemeralContainers") or ():
            if spec["name"] not in known and self.pod_ip and not self.stopping:
                program = program_of(spec, {}, task=True)
                self.added.append(Container(spec, program, "ephemeralContainers"))
                self.prepare(self.added[-1])

    def _sandbox(self, retry: float) -> None:
        if self.stopping:
            return
        store, namespace = self._tools.api.store, self._key[0]
        missing = references.missing_volume(store, namespace, self.volumes)
        if missing:
            self.say("Warning", "FailedMount", missing, None)
            self.later(retry, lambda: self._sandbox(min(retry * 2, 122.0)))
            return
        self.pod_ip = self._tools.new_ip()
        self.publish()
        self._next_init(0)

    def _next_init(self, index: int) -> None:
        if self.stopping:
            return
        if index < len(self.inits):
            self.prepare(self.inits[index])
            return
        for container in self.containers:
            if self.inits:
                container.state = {"waiting": {"reason": "PodInitializing"}}
            self.prepare(container)

    def prepare(self, container: Container) -> None:
        """Have the image, then create."""
        if not self.stopping:
            Pull(self, container).begin(self._tools.images, self._tools.rng)

    def create(self, container: Container) -> None:
        """The image is there: make the container, if what it refers to is there too."""
        store, namespace = self._tools.api.store, self._key[0]
        problem = references.missing_value(store, namespace, container.spec)
        if problem:
            self.say("Warning", "Failed", f"Error: {problem}", container)
            waiting = {"reason": "CreateContainerConfigError", "message": problem}
            container.state = {"waiting": waiting}
            self.publish()
            self.later(self._tools.rng.uniform(11, 14), lambda: self.prepare(container))
            return
        self.say("Normal", "Created", "Container created", container)
        self.later(self._tools.rng.uniform(0.05, 0.2), lambda: self._run(container))

    def _run(self, container: Container) -> None:
        if self.stopping:
            return
        tools, program = self._tools, container.program
        container.run += 1
        digits = f"{tools.rng.getrandbits(256):064x}"
        container.container_id = f"containerd://{digits}"
        tools.logs.restart(self.uid, container.name)
        if program.start_error:
            self._start_failed(container)
            return
        container.began = tools.clock.now()
        container.state = {"running": {"startedAt": tools.clock.stamp()}}
        limit = ((container.spec.get("resources") or {}).get("limits") or {}).get("cpu")
        usage = ContainerUsage(
            self.uid,
            container.name,
            tools.node,
            container.began,
            program.cpu,
            int(program.memory * tools.rng.uniform(0.95, 1.05)),
            float(quantity.parse(str(limit))) if limit is not None else None,
        )
        tools.usage.begin(usage)
        self.say("Normal", "Started", "Container started", container)
        pod = self.pod()
        served = (
            tools.runtime.start(pod, container.spec, program, usage, self.pod_ip)
            if pod is not None and container.part == "containers"
            else None
        )
        self._print(container, program.output if served is None else served.output)
        if program.again and served is None:
            self._print_again(container)
        if served is not None and served.exit_code is not None:
            code = served.exit_code
            self.while_runs(container, 0.03, lambda: self.end_run(container, code))
        elif program.lasts is not None:
            lasts = program.lasts
            self.while_runs(container, lasts, lambda: self._exited(container))
        if container.part == "containers":
            Probes(self, container).begin(tools.rng)
        self.publish()

    def _print(self, container: Container, lines: Iterable[str]) -> None:
        for line in lines:
            shown = line.replace(DATE, f"{self._tools.clock.wall():%a %b %e %H:%M:%S UTC %Y}")
            shown = shown.replace(HOSTNAME, self._key[1])
            self._tools.logs.write(self.uid, container.name, shown)

    def _print_again(self, container: Container) -> None:
        def tick() -> None:
            self._print(container, container.program.again)
            self._print_again(container)

        self.while_runs(container, container.program.every, tick)

    def _start_failed(self, container: Container) -> None:
        message = container.program.start_error
        self.say("Warning", "Failed", f"Error: {message}", container)
        ended = {
            "exitCode": 128,
            "reason": "StartError",
            "message": message,
            "startedAt": "1970-01-01T00:00:00Z",
            "finishedAt": self._tools.clock.stamp(),
            "containerID": container.container_id,
        }
        container.last_state = {"terminated": ended}
        container.state = {"waiting": {"reason": "RunContainerError", "message": message}}
        self.publish()
        Restart(self, container).begin(lived=0.0)

    # -- ending

    def _exited(self, container: Container) -> None:
        self.end_run(container, container.program.exit_code, container.program.reason)

    def exited(self, name: str, code: int) -> None:
        """A container's process has ended for a reason that lies outside."""
        for container in (*self.inits, *self.containers, *self.added):
            if container.name == name and container.running and not self.ended:
                self.end_run(container, code)

    def end_run(self, container: Container, code: int, reason: str = "") -> None:
        """The process has ended; start it again if the policy says so."""
        lived = self._tools.clock.now() - container.began
        self._terminate(container, code, reason)
        if container.init and code == 0:
            container.ready = True
            self.publish()
            self._next_init(self.inits.index(container) + 1)
            return
        self.publish()
        if container.ephemeral:
            return
        again = self.restart_policy == "Always" or (
            self.restart_policy == "OnFailure" and code != 0
        )
        if again or (container.init and self.restart_policy != "Never"):
            Restart(self, container).begin(lived)

    def _terminate(self, container: Container, code: int, reason: str = "") -> None:
        tools = self._tools
        tools.runtime.end(self.uid, container.name)
        tools.usage.end(self.uid, container.name)
        tools.logs.close(self.uid, container.name)
        container.ready = container.started = False
        container.state = {
            "terminated": {
                "exitCode": code,
                "reason": reason or ("Completed" if code == 0 else "Error"),
                "startedAt": container.state["running"]["startedAt"],
                "finishedAt": tools.clock.stamp(),
                "containerID": container.container_id,
            }
        }

    def stop(self, grace: float) -> None:
        """The pod is to go: stop what runs, then let go of it."""
        if self.stopping or self.ended:
            return
        self.stopping = True
        self._tools.runtime.drain(self.uid)
        longest = 0.0
        for container in (*self.inits, *self.containers, *self.added):
            if container.running:
                self.say("Normal", "Killing", f"Stopping container {container.name}", container)
                program = container.program
                takes = program.stops_in if program.heeds_sigterm else grace
                killed = takes >= grace
                takes = min(takes, grace) * self._tools.rng.uniform(0.9, 1.0)
                longest = max(longest, takes)
                self.later(takes, partial(self._stopped, container, killed))
        self.publish()
        self.later(longest + 0.05, self.publish)
        self.later(longest + 1.1, self._let_go)

    def _stopped(self, container: Container, killed: bool) -> None:
        if container.running:
            self._terminate(container, 137 if killed else 0)

    def _let_go(self) -> None:
        try:
            self._tools.api.delete(resources.PODS, *self._key, DeleteOptions(grace=0, uid=self.uid))
        except errors.ApiError as problem:
            if problem.code not in (404, 409):
                raise

    def close(self) -> None:
        """The pod is gone from the API."""
        self.ended = True
        for container in (*self.inits, *self.containers, *self.added):
            self._tools.runtime.end(self.uid, container.name)
            self._tools.usage.end(self.uid, container.name)
        self._tools.runtime.forget(self.uid)
        self._tools.logs.forget(self.uid)
