"""A connection to one cluster: every informer and poll of it, started and stopped together."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Collection
from typing import Final
from urllib.parse import quote

import msgspec

from tui.cluster import faults
from tui.cluster.access import ClusterConfig
from tui.cluster.custom_metrics import CustomMetrics
from tui.cluster.errors import (
    UNREADABLE,
    ApiError,
    ClusterError,
    Fault,
    MissingNamespaceError,
    one_line,
)
from tui.cluster.fetches import PACE, Fetches
from tui.cluster.halt import Halt
from tui.cluster.informer import Informer
from tui.cluster.metrics import node_metrics, pod_metrics
from tui.cluster.resources import RESOURCES
from tui.cluster.route import Surroundings
from tui.cluster.route_finder import RealNetwork, RouteFinder
from tui.cluster.summary import connection
from tui.cluster.transport import Transport
from tui.cluster.worker import Worker
from tui.state.links import Health, Link
from tui.state.rows import Kind
from tui.state.store import Store

STOP_WITHIN: Final = 1.0
_TICK: Final = 1.0
_LOOK_AGAIN: Final = 30.0
_SLEPT: Final = 15.0
"""Seconds by which the wall clock runs ahead in one tick if the machine was suspended."""


class Session:
    """Fills a store from a cluster until it is stopped.

    Args:
        config: how to reach the cluster, from :func:`tui.cluster.kubeconfig.load_config`.
        store: what is written to, and nothing else.
        namespace: what is watched; None is all namespaces. Nodes are always the cluster's.
        kinds: the tables to fill.
        pace: seconds between two fetches of what the doctor wants to know.
        allow_hosts: hosts that the user named, for ways to Services.
    """

    def __init__(
        self,
        config: ClusterConfig,
        store: Store,
        *,
        namespace: str | None = None,
        kinds: Collection[Kind] = tuple(Kind),
        pace: float = PACE,
        allow_hosts: Collection[str] = (),
    ) -> None:
        self.config = config
        self.namespace = namespace
        self.transport = Transport(config, clock=store.clock.wall)
        self._store = store
        self._version = ""
        self._problem: Link | None = None
        self._halt = Halt()
        self._workers: list[Worker] = [
            Informer(resource, self.transport, store, namespace)
            for kind, resource in RESOURCES.items()
            if kind in kinds
        ]
        self._workers.append(pod_metrics(self.transport, store, namespace))
        self._workers.append(node_metrics(self.transport, store))
        self._workers.append(CustomMetrics(self.transport, store))
        self.routes = RouteFinder(
            config, self._around, RealNetwork(self.transport), allowed=allow_hosts
        )
        """Ways to the cluster's Services."""
        self._workers.append(Fetches(self.transport, store, self.routes, self._around, pace=pace))
        self._thread = threading.Thread(target=self._attend, name="session", daemon=True)

    @property
    def server(self) -> str:
        """The API server's host and port."""
        return self.config.host

    @property
    def context(self) -> str:
        """The kubeconfig context's name."""
        return self.config.context

    @property
    def version(self) -> str:
        """The server's version, such as ``v1.36.2``; empty until it is known."""
        return self._version

    @property
    def skew(self) -> float:
        """Seconds the server's clock is ahead of ours."""
        return self.transport.skew

    @property
    def connection(self) -> Link:
        """All links in one, for the header."""
        return connection(self._store.links, self._problem)

    def start(self) -> None:
        """Begin; returns at once. What goes wrong shows as the state of links."""
        for worker in self._workers:
            worker.start()
        self._thread.start()

    def stop(self) -> bool:
        """End everything within a second; True if every thread has ended."""
        self._halt.stop()
        for worker in self._workers:
            worker.stop()
        deadline = time.monotonic() + STOP_WITHIN
        ended = [w.join(max(0.0, deadline - time.monotonic())) for w in self._workers]
        ended.append(self.routes.close())
        if self._thread.ident is not None:
            self._thread.join(max(0.0, deadline - time.monotonic()))
        self.transport.close()
        return all(ended) and not self._thread.is_alive()

    def _around(self) -> Surroundings:
        """The rows that routes are chosen from."""
        rows = self._store.rows
        return Surroundings(
            services=rows(Kind.SERVICES),
            slices=rows(Kind.ENDPOINTSLICES),
            nodes=rows(Kind.NODES),
            pods=rows(Kind.PODS),
        )

    def _attend(self) -> None:
        """Learn the server's version, look for the namespace, notice that the machine slept."""
        due = 0.0
        wall, steady = time.time(), time.monotonic()
        while not self._halt.stopped:
            if time.monotonic() >= due:
                # Whatever it was: without this thread nobody would notice that the machine slept.
                with contextlib.suppress(Exception):
                    self._look()
                due = time.monotonic() + _LOOK_AGAIN
            self._halt.wait(_TICK)
            slept = (time.time() - wall) - (time.monotonic() - steady)
            wall, steady = time.time(), time.monotonic()
            if slept > _SLEPT:
                # The connections of before may be dead without having been closed.
                for worker in self._workers:
                    worker.reconnect()

    def _look(self) -> None:
        try:
            if not self._version:
                self._version = server_version(self.transport, self._halt)
            if self.namespace is not None:
                self._note(missing_namespace(self.transport, self.namespace, self._halt))
        except ApiError as error:
            # Any other failure is met by the informers, who say so.
            if error.kind is Fault.NOT_KUBERNETES:
                self._note(error.message)

    def _note(self, problem: str | None) -> None:
        if problem is None:
            self._problem = None
        elif self._problem is None:
            self._problem = Link(Health.ABSENT, self._store.clock(), problem)


class _Version(msgspec.Struct):
    gitVersion: str = ""  # noqa: N815 (the wire's name)


def server_version(transport: Transport, halt: Halt | None = None) -> str:
    """The server's ``gitVersion``.

    Raises:
        ApiError: it cannot be had.
    """
    answer = transport.get("/version", halt=halt)
    try:
        version = one_line(msgspec.json.decode(answer.body, type=_Version).gitVersion, 60)
    except UNREADABLE:
        version = ""
    if not version:
        raise faults.not_kubernetes(answer.status, answer.headers)
    return version


def missing_namespace(transport: Transport, namespace: str, halt: Halt | None = None) -> str | None:
    """A sentence if the namespace is known not to exist; None if it does, or may not be asked.

    Raises:
        ApiError: the server cannot be reached.
    """
    try:
        transport.get(f"/api/v1/namespaces/{quote(namespace, safe='')}", halt=halt)
    except ApiError as error:
        if error.kind is Fault.NOT_FOUND and error.reason == "NotFound":
            return f"The namespace {one_line(namespace, 63)} does not exist in this cluster."
        if error.anonymous or error.kind not in (Fault.FORBIDDEN, Fault.INVALID, Fault.NOT_FOUND):
            raise
    return None


def probe(
    config: ClusterConfig,
    namespace: str | None = None,
    timeout: float = 10.0,
    *,
    hint: str = "List them with `kubectl get namespaces`.",
) -> None:
    """Whether the cluster can be reached and lets us in. A right that is missing is no failure.

    Args:
        config: the cluster.
        namespace: one that has to exist.
        timeout: seconds for all of it.
        hint: what to do if it does not exist.

    Raises:
        ClusterError: what is wrong, and the next step.
    """
    transport = Transport(config)
    halt = Halt()
    alarm = threading.Timer(timeout, halt.stop)
    alarm.daemon = True
    alarm.start()
    try:
        server_version(transport, halt)
        # /version may be open to all; who we are is checked only where rights count.
        missing = missing_namespace(transport, namespace or config.namespace, halt)
    except ApiError as error:
        raise explained(error, config, timeout) from None
    finally:
        alarm.cancel()
        transport.close()
    if missing is not None and namespace is not None:
        raise MissingNamespaceError(missing, hint)


_NEXT_STEPS: Final = {
    Fault.REFUSED: "Start it (minikube start, kind create cluster), or check the context's server.",
    Fault.DNS: "Check the server address of the context.",
    Fault.TIMEOUT: "Check the network, a VPN or a firewall on the way.",
    Fault.STOPPED: "Check the network, a VPN or a firewall on the way.",
    Fault.UNAUTHORIZED: "How depends on the cluster; `kubectl get pods` tells whether it worked.",
    Fault.FORBIDDEN: "Log in, or choose a context with credentials: kubectl config get-contexts.",
    Fault.TLS: "If the cluster was made anew, fetch its kubeconfig again.",
    Fault.NOT_KUBERNETES: "See it with `kubectl config view --minify`.",
    Fault.UNAVAILABLE: "Try again in a moment.",
    Fault.THROTTLED: "Try again in a moment.",
    Fault.SERVER: "Try again in a moment.",
    Fault.PROXY: "Check proxy-url in the kubeconfig, or HTTPS_PROXY and NO_PROXY.",
}


def explained(error: ApiError, config: ClusterConfig, timeout: float) -> ClusterError:
    """An API error as an error of the command line."""
    message = error.message
    if error.kind is Fault.STOPPED:
        message = f"The server {config.host} did not answer within {timeout:g} s."
    if error.anonymous:
        message = f"The server {config.host} was given no credentials (system:anonymous)."
    return ClusterError(message, _NEXT_STEPS.get(error.kind, ""))
