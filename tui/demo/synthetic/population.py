"""What a synthetic cluster holds: its nodes, its apps and their pods."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Final

from tui.demo import bootstrap, resources
from tui.demo.api.operations import Api
from tui.demo.clock import Clock
from tui.demo.store import Object, Store
from tui.demo.synthetic import objects
from tui.demo.synthetic.objects import App, Pod

_SYSTEM: Final = ("default", "kube-node-lease", "kube-public", "kube-system")
_APPS_PER_NAMESPACE: Final = 15
_PODS_PER_APP: Final = 33
_SCALED: Final = 2 / 3
"""Which part of the apps has an HPA."""
_PER_SLICE: Final = 100


@dataclass(frozen=True, slots=True)
class Size:
    """How large the cluster is."""

    pods: int
    nodes: int
    churn: float
    """Events of pods a second."""


class Population:
    """The objects, and what is known of them beside the store.

    Args:
        size: how many.
        store: where they go, without the rules that an API server checks: they are keepers of
            those rules, and ten thousand of them should be there in a second.
        clock: dates them.
        rng: names them.
    """

    def __init__(self, size: Size, store: Store, clock: Clock, rng: Random) -> None:
        self.size = size
        self.apps: list[App] = []
        self.pods: dict[str, list[Pod]] = {}
        """By the uid of the app's Deployment."""
        self.nodes = [f"synthetic-node-{number:04}" for number in range(max(1, size.nodes))]
        self._slices: dict[str, list[str]] = {}
        self._hpas: dict[str, str] = {}
        self._store = store
        self._clock = clock
        self._rng = rng
        self._born = clock.stamp()
        self._addresses = 0

    def settle(self, api: Api) -> None:
        """Make everything."""
        self._make_nodes(api)
        count = max(1, round(self.size.pods / _PODS_PER_APP))
        for number in range(count):
            self._make_app(number, self._share(number, count))
        for name in (*_SYSTEM, *sorted({app.namespace for app in self.apps})):
            if self._store.get(resources.NAMESPACES.storage, "", name) is None:
                made = objects.namespace(name, objects.uid(self._rng), self._born)
                self._store.put(resources.NAMESPACES.storage, made)
        made = objects.metrics_api(objects.uid(self._rng), self._born)
        self._store.put(resources.API_SERVICES.storage, made)

    def _share(self, number: int, count: int) -> int:
        return self.size.pods // count + (number < self.size.pods % count)

    def _make_nodes(self, api: Api) -> None:
        bootstrap.create_node(api, 0, self.nodes[0], "worker", "16", "65970697Ki")
        first = self._store.get(resources.NODES.storage, "", self.nodes[0])
        if first is None:  # it was made just now
            return
        for number, name in enumerate(self.nodes[1:], 1):
            data = first.copy()
            metadata = data["metadata"]
            metadata["name"] = metadata["labels"]["kubernetes.io/hostname"] = name
            metadata["uid"] = objects.uid(self._rng)
            data["spec"]["providerID"] = f"kscale://synthetic/{name}"
            data["status"]["addresses"] = [
                {"type": "InternalIP", "address": f"172.16.{number >> 8}.{number & 255}"},
                {"type": "Hostname", "address": name},
            ]
            self._store.put(resources.NODES.storage, data)

    def _make_app(self, number: int, replicas: int) -> None:
        rng = self._rng
        team = number // _APPS_PER_NAMESPACE
        app = App(
            namespace="default" if team == 0 else f"team-{team:02}",
            name=f"app-{number:04}",
            hash=objects.suffix(rng, 10),
            replicas=replicas,
            scaled=int(number * _SCALED) < int((number + 1) * _SCALED),
            deployment=objects.uid(rng),
            replica_set=objects.uid(rng),
            service=objects.uid(rng),
            level=rng.uniform(0.46, 0.54),
        )
        self.apps.append(app)
        pods = self.pods[app.deployment] = []
        for _ in range(replicas):
            pod = self.new_pod(app)
            pod.stage = "ready"
            app.ready += 1
            pods.append(pod)
            self.write(pod)
        slices = range(0, max(1, replicas), _PER_SLICE)
        self._slices[app.deployment] = [objects.uid(rng) for _ in slices]
        made = objects.service(app, number + 2, self._born)
        self._store.put(resources.SERVICES.storage, made)
        if app.scaled:
            self._hpas[app.deployment] = objects.uid(rng)
        self.write_app(app)
        self.write_slices(app)

    def new_pod(self, app: App) -> Pod:
        """A pod that is not stored yet."""
        rng = self._rng
        self._addresses += 1
        number = self._addresses
        now = self._clock.stamp()
        return Pod(
            app=app,
            name=f"{app.name}-{app.hash}-{objects.suffix(rng)}",
            uid=objects.uid(rng),
            node=rng.choice(self.nodes),
            ip=f"10.{128 + (number >> 16 & 127)}.{number >> 8 & 255}.{number & 255}",
            created=now,
            changed=now,
        )

    def write(self, pod: Pod) -> None:
        """Store the pod as it is now."""
        self._store.put(resources.PODS.storage, pod.object())

    def remove(self, pod: Pod) -> bool:
        """Remove the pod; False if somebody else did."""
        if self._store.get(resources.PODS.storage, pod.app.namespace, pod.name) is None:
            return False
        self._store.remove(resources.PODS.storage, pod.app.namespace, pod.name)
        return True

    def write_app(self, app: App) -> None:
        """Store the status of a Deployment, its ReplicaSet and its HPA, as far as it is news."""
        self._write(resources.DEPLOYMENTS.storage, objects.deployment(app, self._born))
        self._write(resources.REPLICA_SETS.storage, objects.replica_set(app, self._born))
        uid = self._hpas.get(app.deployment)
        if uid is not None:
            self._write(resources.HPAS.storage, objects.hpa(app, uid, self._born))

    def write_slices(self, app: App) -> None:
        """Store who is behind the app's Service."""
        app.stale = False
        uids, pods = self._slices[app.deployment], self.pods[app.deployment]
        for made in objects.endpoint_slices(app, pods, uids, self._born):
            self._write(resources.ENDPOINT_SLICES.storage, made)

    def _write(self, storage: str, data: Object) -> None:
        metadata = data["metadata"]
        current = self._store.get(storage, metadata["namespace"], metadata["name"])
        if current is not None:
            old = current.copy()
            old["metadata"].pop("resourceVersion")
            if old == data:
                return
        self._store.put(storage, data)
