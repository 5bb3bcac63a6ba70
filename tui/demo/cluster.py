"""The embedded cluster, put together: store, API, controllers, nodes, metrics, traffic."""

from __future__ import annotations

from functools import partial
from random import Random
from typing import Final

from tui.demo import bootstrap, classroom, resources
from tui.demo.api.handlers import Handlers
from tui.demo.api.operations import Api, Writer
from tui.demo.clock import Clock
from tui.demo.controllers.apiservice import ApiServiceController
from tui.demo.controllers.base import Controller, ControlPlane
from tui.demo.controllers.cronjob import CronJobController
from tui.demo.controllers.daemonset import DaemonSetController
from tui.demo.controllers.definitions import DefinitionController
from tui.demo.controllers.deployment import DeploymentController
from tui.demo.controllers.disruption import DisruptionController
from tui.demo.controllers.endpoints import EndpointsController, EndpointSliceController
from tui.demo.controllers.garbage import GarbageCollector
from tui.demo.controllers.hpa import HpaController
from tui.demo.controllers.job import JobController
from tui.demo.controllers.namespace import NamespaceController
from tui.demo.controllers.quota import QuotaController
from tui.demo.controllers.replicaset import ReplicaSetController
from tui.demo.controllers.scheduler import Scheduler
from tui.demo.controllers.statefulset import StatefulSetController
from tui.demo.controllers.volumes import VolumeController
from tui.demo.dataplane.plane import DataPlane
from tui.demo.events import Recorder
from tui.demo.logs import Logs
from tui.demo.metrics import Metrics
from tui.demo.node.kubelet import Kubelet
from tui.demo.node.lifecycle import NodeLifecycle
from tui.demo.node.usage import Usage
from tui.demo.scenario import Player, Scenario
from tui.demo.store import Store
from tui.demo.streams.sessions import PodSessions
from tui.demo.traffic import Traffic, Wave

AGE: Final = 2 * 86400.0
"""Simulated seconds the nodes have been there when a cluster is first seen."""
_LIVED_THROUGH: Final = 600.0
_FIRST_METRICS: Final = 90.0
"""Seconds after which ``kubectl top`` answers, and a teacher applies the HPA: one that is there
before the metrics begins with two warnings.
"""
_COMPACT_EVERY: Final = 300.0
"""Real seconds, as an API server has etcd do it: a client may be away for so long and resume."""
_TEACHER: Final = Writer("kubectl-client-side-apply")


class Cluster:
    """One cluster.

    Args:
        clock: drives everything; it must stand still until `bring_up` has returned.
        seed: what is random repeats with the same seed.
        history: events kept for each resource.
        wave: the built-in traffic; None for none.
        scenario: what happens, in place of ``wave``.
        any_port: node ports are reached at whatever port is free, told by an annotation.
    """

    def __init__(
        self,
        clock: Clock,
        seed: int = 1,
        history: int = 4096,
        wave: Wave | None = Wave(),  # noqa: B008 - frozen
        any_port: bool = False,
        scenario: Scenario | None = None,
    ) -> None:
        self.clock = clock
        self.rng = Random(seed)
        self.store = Store(history)
        self.api = Api(self.store, clock, self.rng)
        self.usage = Usage(clock)
        self.logs = Logs(clock)
        self.metrics = Metrics(self.store, clock, self.usage, self.rng)
        self.events = Recorder(self.api, clock)
        self.handlers = Handlers(self.api, self.metrics, self.logs, self.rng)
        self.plane = ControlPlane(self.api, self.store, clock, self.events, self.metrics, self.rng)
        self.dataplane = DataPlane(
            self.store, self.api, clock, self.usage, self.logs, seed, any_port=any_port
        )
        self.kubelet = Kubelet(self.plane, self.usage, self.logs, self.dataplane)
        self.handlers.sessions = PodSessions(
            self.store, clock, self.dataplane, self.logs, self.kubelet
        )
        self._namespaces = NamespaceController(self.plane)
        self.controllers: list[Controller] = [
            self._namespaces,
            DeploymentController(self.plane),
            ReplicaSetController(self.plane),
            StatefulSetController(self.plane),
            DaemonSetController(self.plane),
            JobController(self.plane),
            CronJobController(self.plane),
            DisruptionController(self.plane),
            VolumeController(self.plane),
            Scheduler(self.plane),
            self.kubelet,
            EndpointsController(self.plane),
            EndpointSliceController(self.plane),
            GarbageCollector(self.plane),
            ApiServiceController(self.plane),
            QuotaController(self.plane),
            DefinitionController(self.plane),
            HpaController(self.plane),
        ]
        self.lifecycle = NodeLifecycle(self.plane, self.kubelet, self.dataplane)
        self._player = Player(scenario, self) if scenario is not None else None
        self.traffic = None
        if scenario is not None:
            curve = scenario.curve()
            if curve is not None:
                self.traffic = Traffic(
                    self.store,
                    clock,
                    self.usage,
                    Random(seed),
                    curve,
                    scenario.app(),
                    scenario.proxies(),
                    lambda: self.dataplane.served,
                    self.dataplane.allowance,
                )
        elif wave is not None:
            self.traffic = Traffic(
                self.store,
                clock,
                self.usage,
                Random(seed),
                wave,
                served=lambda: self.dataplane.served,
            )

    def bring_up(
        self, *, classroom_lesson: bool = True, fronts: bool = True, authority: str = ""
    ) -> None:
        """Make the cluster as it is when the lesson begins.

        Args:
            classroom_lesson: with the app of the lesson.
            fronts: with the reverse proxies too.
            authority: the PEM certificate by which clients trust the API server.

        Its nodes are as old as the clock's history. The controllers live through the last ten
        minutes before the clock's start here and now, so that pods run and metrics are there.
        """
        self._namespaces.authority = authority
        bootstrap.create_basics(self.api)
        if self._player is not None:
            self._player.add_nodes()
        self.clock.advance(max(0.0, self._history - _LIVED_THROUGH))
        self.events.start()
        self._compact_later(self.store.revision)
        for controller in self.controllers:
            controller.start()
        self.metrics.start()
        bootstrap.create_system(self.api)
        if classroom_lesson:
            for resource, data in classroom.manifests(fronts=fronts):
                create = partial(self.api.create, resource, classroom.NAMESPACE, data, _TEACHER)
                if resource is resources.HPAS and self._history > _FIRST_METRICS:
                    self.clock.call_later(_FIRST_METRICS, create)
                else:
                    create()
        if self._player is not None:
            self._player.begin()
        if self.traffic is not None:
            self.traffic.start()
        if self._history > 0:
            self.clock.advance(self._history)

    @property
    def _history(self) -> float:
        """Seconds that are still to be lived through before the lesson begins."""
        return self.clock.start - self.clock.now()

    def lose_node(self, name: str) -> None:
        """A node stops answering, and all its pods with it."""
        self.lifecycle.lose(name)

    def restore_node(self, name: str) -> None:
        """A lost node is back, and starts its pods anew."""
        self.lifecycle.restore(name)

    def _compact_later(self, revision: int) -> None:
        """Every five real minutes forget the history up to the revision of the last time."""

        def compact() -> None:
            self.store.compact(revision)
            self._compact_later(self.store.revision)

        self.clock.call_later(_COMPACT_EVERY * self.clock.speed, compact)
