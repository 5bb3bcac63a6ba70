"""The data plane put together: machines, network, node ports, and a process for each container."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from random import Random
from typing import Final

from tui import quantity
from tui.demo import resources
from tui.demo.api.operations import Api
from tui.demo.clock import Clock
from tui.demo.dataplane import kinds
from tui.demo.dataplane.cores import PERIOD, Machine, Share
from tui.demo.dataplane.files import SYNC_DELAY, Volume
from tui.demo.dataplane.messages import Request, Response
from tui.demo.dataplane.network import Connection, Network
from tui.demo.dataplane.nodeports import NodePorts
from tui.demo.dataplane.process import Place, Process
from tui.demo.dataplane.setting import Setting, port_number
from tui.demo.logs import Logs
from tui.demo.node.programs import Program
from tui.demo.node.runtime import Started
from tui.demo.node.usage import ContainerUsage, Usage
from tui.demo.store import Entry, Event, Object, Store

_WARM: Final = 1.8
"""Memory of a process that has worked for a while, against that of an idle one."""
_PROBE_AGENT: Final = "kube-probe/1.36"


class DataPlane:
    """Serves HTTP in the name of the pods, and is the kubelets' `Runtime`.

    Args:
        store: the cluster's objects.
        api: to tell of node ports that had to change.
        clock: drives everything.
        usage: is charged for the CPU that requests cost.
        logs: where access logs go.
        seed: what is random repeats with the same seed.
        any_port: see `NodePorts`.
    """

    def __init__(
        self,
        store: Store,
        api: Api,
        clock: Clock,
        usage: Usage,
        logs: Logs,
        seed: int,
        *,
        any_port: bool = False,
    ) -> None:
        self._store = store
        self._clock = clock
        self._usage = usage
        self._logs = logs
        self._rng = Random(seed)
        self._machines: dict[str, Machine] = {}
        self._processes: dict[tuple[str, str], Process] = {}
        self._volumes: dict[str, dict[str, Volume]] = {}
        self._namespaces: dict[str, str] = {}
        self.network = Network(store, self.machine, Random(seed + 1), clock.now)
        self.node_ports = NodePorts(api, self.network, any_port=any_port)
        store.subscribe(resources.CONFIG_MAPS.storage, self._on_config_map)

    @property
    def served(self) -> int:
        """Requests that have come in from outside so far."""
        return self.node_ports.served

    async def open(self) -> None:
        """Listen at the node ports.

        Raises:
            OSError: no port can be had.
        """
        await self.node_ports.open()

    async def close(self) -> None:
        """Close every socket."""
        await self.node_ports.close()

    def machine(self, node: str) -> Machine:
        """The CPUs of a node."""
        found = self._machines.get(node)
        if found is None:
            entry = self._store.get(resources.NODES.storage, "", node)
            amounts = (entry.status if entry is not None else {}).get("allocatable") or {}
            cores = float(quantity.parse(str(amounts.get("cpu", "2"))))
            kernel = ContainerUsage(f"node/{node}", "kernel", node, self._clock.now(), 0.0, 0, None)
            self._usage.begin(kernel)
            found = self._machines[node] = Machine(self._clock, cores, self._charge(kernel))
        return found

    def _charge(self, usage: ContainerUsage) -> Callable[[float], None]:
        """What turns real core-seconds of work into the counters that metrics read."""
        speed, ceiling = self._clock.speed, usage.memory * _WARM

        def spend(core_seconds: float) -> None:
            usage.work(core_seconds * speed)
            usage.memory += int((ceiling - usage.memory) * min(1.0, core_seconds * 0.02))

        return spend

    def allowance(self, uid: str, container: str) -> float:
        """Cores that a container may count on while others burn all they get; else no bound."""
        process = self._processes.get((uid, container))
        if process is None:
            return float("inf")
        node = process.place.node
        here = [one.cpu for one in self._processes.values() if one.place.node == node]
        if not any(share.burning for share in here):
            return float("inf")
        part = process.cpu.weight / sum(share.weight for share in here)
        return self.machine(node).cores * part

    # -- the kubelets' side

    def start(
        self, pod: Entry, container: Object, program: Program, usage: ContainerUsage, ip: str
    ) -> Started | None:
        """A container's process begins; None if it serves nothing."""
        make = kinds.find(pod, container, program)
        if make is None:
            return None
        node = pod.spec.get("nodeName", "")
        name = container["name"]
        machine = self.machine(node)
        limit = None if usage.cpu_limit is None else max(0.001, usage.cpu_limit - usage.idle_cpu)
        workers = machine.cores if limit is None else max(1.0, float(-(-limit // 1)))
        asked = ((container.get("resources") or {}).get("requests") or {}).get("cpu", "0")
        weight = max(50.0, float(quantity.parse(str(asked))) * 1000)
        share = Share(
            machine,
            limit,
            min(workers, machine.cores),
            weight,
            self._charge(usage),
            self._rng.uniform(0.0, PERIOD),
        )
        place = Place(pod.namespace, pod.name, pod.uid, name, node, ip)
        setting = Setting(
            place=place,
            cpu=share,
            print=lambda text: self._logs.write(pod.uid, name, text),
            container=container,
            simulate=kinds.words(pod.metadata.get("annotations") or {}),
            volumes=self.volumes(pod),
            network=self.network,
            clock=self._clock,
            rng=self._rng,
            cpus=int(machine.cores),
        )
        made = make(setting)
        threads = setting.simulate.get("burn", "")
        if made.process is not None and threads.isdigit():
            share.burn(float("inf"), min(int(threads), 64))
        if made.process is not None:
            process = made.process
            self._processes[(pod.uid, name)] = process
            self._clock.call_later(program.starts_in, lambda: self._attach(process))
        return Started(made.output, made.exit_code)

    def _attach(self, process: Process) -> None:
        if not process.ended:
            self.network.attach(process)
            process.begin()

    def drain(self, uid: str) -> None:
        """A pod has been asked to end: no new connections."""
        for key, process in self._processes.items():
            if key[0] == uid:
                process.drain()

    def end(self, uid: str, container: str) -> None:
        """A container's process is gone."""
        process = self._processes.pop((uid, container), None)
        if process is not None:
            self.network.detach(process)
            process.end()

    def forget(self, uid: str) -> None:
        """A pod is gone, and its volumes with it."""
        self._volumes.pop(uid, None)
        self._namespaces.pop(uid, None)

    def lose(self, node: str) -> None:
        """A node is gone: what is sent there is never answered."""
        self.machine(node).stop()
        self._usage.end(f"node/{node}", "kernel")

    def restore(self, node: str) -> None:
        """A lost node is there again, on a machine that has just booted."""
        self._machines.pop(node, None)

    def probe(
        self, uid: str, container: Object, probe: Object, tell: Callable[[str | None], None]
    ) -> bool:
        """Probe a container by HTTP or TCP and tell what is wrong, None if nothing."""
        process = self._processes.get((uid, container["name"]))
        kind = "httpGet" if "httpGet" in probe else "tcpSocket"
        action = probe.get(kind)
        if process is None or not action or action.get("scheme", "HTTP") != "HTTP":
            return False
        ip = process.place.ip
        port = port_number(container, action.get("port", 80))
        listening = self.network.at(ip, port)
        if listening is None or listening.draining:
            refused = f"dial tcp {ip}:{port}: connect: connection refused"
            where = f"http://{ip}:{port}{action.get('path') or '/'}"
            tell(refused if kind == "tcpSocket" else f'Get "{where}": {refused}')
        elif kind == "tcpSocket":
            tell(None)
        else:
            self._get(listening, port, action, float(probe.get("timeoutSeconds", 1)), tell)
        return True

    def _get(
        self,
        process: Process,
        port: int,
        action: Object,
        timeout: float,
        tell: Callable[[str | None], None],
    ) -> None:
        path = str(action.get("path") or "/")
        path = path if path.startswith("/") else f"/{path}"
        where = f"{process.place.ip}:{port}"
        headers = [("Host", where), ("User-Agent", _PROBE_AGENT), ("Accept", "*/*")]
        headers += [
            (str(one.get("name", "")), str(one.get("value", "")))
            for one in action.get("httpHeaders") or ()
        ]
        told = False

        def once(problem: str | None) -> None:
            nonlocal told
            if not told:
                told = True
                waiting.cancel()
                tell(problem)

        def answered(response: Response | None) -> None:
            if response is None:
                once(f'Get "http://{where}{path}": EOF')
            elif 200 <= response.status < 400:
                once(None)
            else:
                once(f"HTTP probe failed with statuscode: {response.status}")

        late = (
            f'Get "http://{where}{path}": context deadline exceeded '
            "(Client.Timeout exceeded while awaiting headers)"
        )
        waiting = self._clock.call_later(timeout * self._clock.speed, lambda: once(late))
        gateway = process.place.ip.rpartition(".")[0] + ".1"
        source = (gateway, self._rng.randrange(32768, 60999))
        machine = self.machine(process.place.node)
        connection = Connection(process, port, source, machine, self.network.hop)
        connection.send(Request("GET", path, headers), answered)

    # -- volumes

    def volumes(self, pod: Entry) -> dict[str, Volume]:
        """A pod's volumes by name, mounted if they are not yet."""
        volumes = self._volumes.get(pod.uid)
        if volumes is None:
            volumes = {one["name"]: Volume.of(one) for one in pod.spec.get("volumes") or ()}
            self._volumes[pod.uid] = volumes
            self._namespaces[pod.uid] = pod.namespace
            for volume in volumes.values():
                self._fill(volume, pod.namespace)
        return volumes

    def _fill(self, volume: Volume, namespace: str) -> None:
        if volume.config_map:
            found = self._store.get(resources.CONFIG_MAPS.storage, namespace, volume.config_map)
            if found is not None:
                volume.fill(found.data.get("data") or {})

    def _on_config_map(self, event: Event) -> None:
        namespace, name = event.entry.key
        for uid, volumes in self._volumes.items():
            if self._namespaces.get(uid) != namespace:
                continue
            for volume in volumes.values():
                if volume.config_map == name:
                    delay = self._rng.uniform(*SYNC_DELAY)
                    self._clock.call_later(delay, partial(self._fill, volume, namespace))
