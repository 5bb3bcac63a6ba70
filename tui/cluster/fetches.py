"""Performs what the doctor's rules want to know beyond the tables, slowly and one at a time.

Only what :attr:`Store.wanted` names is asked for, each again after a while. A 403 or 404 is an
answer like any other. Nothing is written, and no Secret is read.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final, TypeVar

import msgspec

from tui.cluster import fetch_decode as decode
from tui.cluster import route_knock, route_plan
from tui.cluster.access import ClusterConfig
from tui.cluster.distribution import recognise
from tui.cluster.errors import UNREADABLE, ApiError, Fault, one_line
from tui.cluster.probe import probe
from tui.cluster.route import Route, Routes, Surroundings, Unreachable
from tui.cluster.transport import Query, Transport, path
from tui.cluster.worker import Worker
from tui.state.fetched import (
    Answer,
    ApiServiceFetch,
    AutoscalersFetch,
    ClockFact,
    ClockFetch,
    ConfigMapFetch,
    Fact,
    Fetch,
    IngressesFetch,
    LogFact,
    LogFetch,
    NodePortFact,
    NodePortFetch,
    PathFact,
    PathFetch,
    ReplicasOwnersFetch,
    Result,
)
from tui.state.store import Store

T = TypeVar("T")

PACE: Final = 0.25
"""Seconds between two requests."""
_IDLE: Final = 1.0
_HURRY: Final = 0.02
"""Seconds between two looks at what is wanted, however great the hurry."""
_TIMEOUT: Final = 5.0
_AGAIN: Final[dict[type, float]] = {
    ClockFetch: 10.0,
    ApiServiceFetch: 15.0,
    LogFetch: 30.0,
    ConfigMapFetch: 30.0,
    PathFetch: 60.0,
    ReplicasOwnersFetch: 60.0,
    NodePortFetch: 120.0,
}
_LATER: Final = 120.0
"""Seconds until anything else is asked again."""
_LOG_LINES: Final = 200
_LOG_BYTES: Final = 65536
_KEPT_LINES: Final = 8
_LARGEST: Final = 200
"""Objects of a list that are read."""
_SETTLED: Final = 2
"""Seconds of skew that are none: the Date of an answer is in whole seconds."""


class Fetches(Worker):
    """A thread that keeps the answers of the store up to date with what is wanted.

    Args:
        transport: the cluster.
        store: says what is wanted, and takes the answers.
        routes: ways to Services; without them nothing is asked of an app.
        around: the rows that NodePorts are tried by.
        pace: seconds between two requests.
    """

    def __init__(
        self,
        transport: Transport,
        store: Store,
        routes: Routes | None = None,
        around: Callable[[], Surroundings] | None = None,
        *,
        pace: float = PACE,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__("fetches")
        self._transport = transport
        self._store = store
        self._routes = routes
        self._around = around
        self._pace = pace
        self._steady = steady
        self._due: dict[Fetch, float] = {}
        self._how: dict[type, Callable[[Any], Fact]] = {
            ApiServiceFetch: self._api_service,
            ConfigMapFetch: self._config_map,
            AutoscalersFetch: self._autoscalers,
            ReplicasOwnersFetch: self._replicas_owners,
            IngressesFetch: self._ingresses,
            LogFetch: self._log,
            PathFetch: self._path,
            NodePortFetch: self._node_port,
            ClockFetch: self._clock,
        }

    def _run(self) -> None:
        while not self._halt.stopped:
            worked = self.step()
            if self._halt.wait(self._pace if worked else min(_IDLE, max(_HURRY, self._pace * 4))):
                break

    def step(self) -> bool:
        """Perform the one that is due longest; False if none is."""
        wanted = self._store.wanted
        if self._due.keys() - set(wanted):
            self._due = {f: at for f, at in self._due.items() if f in wanted}
            self._store.retain_fetched(wanted)
        now = self._steady()
        fetch = min(wanted, key=lambda f: self._due.get(f, float("-inf")), default=None)
        if fetch is None or self._due.get(fetch, float("-inf")) > now:
            return False
        answer = self.perform(fetch)
        if not self._halt.stopped:
            self._store.put_fetched(fetch, answer)
        self._due[fetch] = self._steady() + _AGAIN.get(type(fetch), _LATER)
        return True

    def perform(self, fetch: Fetch) -> Answer:
        """Ask now. Never raises for what the cluster does."""
        try:
            return Answer(Result.FOUND, self._how[type(fetch)](fetch), self._store.clock())
        except ApiError as error:
            result = {Fault.NOT_FOUND: Result.ABSENT, Fault.FORBIDDEN: Result.FORBIDDEN}
            return Answer(result.get(error.kind, Result.FAILED), None, self._store.clock())
        except (*UNREADABLE, ValueError, OSError):
            return Answer(Result.FAILED, None, self._store.clock())

    def _get(self, where: str, type: type[T], query: Query | None = None) -> T:
        body = self._transport.get(where, query, timeout=_TIMEOUT, halt=self._halt).body
        return msgspec.json.decode(body, type=type)

    # One method a kind of fetch.

    def _api_service(self, fetch: ApiServiceFetch) -> Fact:
        where = path("apis", "apiregistration.k8s.io", "v1", "apiservices", fetch.name)
        return decode.api_service(self._get(where, decode.ApiService))

    def _config_map(self, fetch: ConfigMapFetch) -> Fact:
        where = path("api", "v1", "namespaces", fetch.namespace, "configmaps", fetch.name)
        return decode.config_map(self._get(where, decode.ConfigMap))

    def _autoscalers(self, fetch: AutoscalersFetch) -> Fact:
        group = ("apis", "autoscaling.k8s.io", "v1", "namespaces", fetch.namespace)
        where = path(*group, "verticalpodautoscalers")
        return decode.autoscalers(self._get(where, decode.VpaList, {"limit": _LARGEST}))

    def _replicas_owners(self, fetch: ReplicasOwnersFetch) -> Fact:
        plural = f"{fetch.kind.lower()}s"
        where = path("apis", "apps", "v1", "namespaces", fetch.namespace, plural, fetch.name)
        return decode.replicas_owners(self._get(where, decode.Managed))

    def _ingresses(self, fetch: IngressesFetch) -> Fact:
        where = path("apis", "networking.k8s.io", "v1", "namespaces", fetch.namespace, "ingresses")
        return decode.ingresses(self._get(where, decode.IngressList, {"limit": _LARGEST}))

    def _log(self, fetch: LogFetch) -> Fact:
        pod = fetch.pod or self._newest_pod(fetch)
        where = path("api", "v1", "namespaces", fetch.namespace, "pods", pod, "log")
        query: dict[str, str | int | bool] = {
            "tailLines": _LOG_LINES,
            "limitBytes": _LOG_BYTES,
        }
        if fetch.container:
            query["container"] = fetch.container
        lines = self._lines(where, query, fetch)
        if not lines and fetch.previous:
            # While it waits to be started again, the last run is still the present one; and the
            # one before may be gone from the node.
            try:
                lines = self._lines(where, {**query, "previous": True}, fetch)
            except ApiError as error:
                if error.kind is not Fault.INVALID:
                    raise
        return LogFact(pod, tuple(one_line(line) for line in lines[-_KEPT_LINES:]))

    def _lines(self, where: str, query: Query, fetch: LogFetch) -> list[str]:
        text = self._text(where, query)
        return [line for line in text.splitlines() if any(w in line for w in fetch.words)]

    def _text(self, where: str, query: Query) -> str:
        answer = self._transport.get(
            where, query, timeout=_TIMEOUT, accept="text/plain, */*", halt=self._halt
        )
        return answer.body[-_LOG_BYTES:].decode("utf-8", "replace")

    def _newest_pod(self, fetch: LogFetch) -> str:
        where = path("api", "v1", "namespaces", fetch.namespace, "pods")
        query: Query = {"labelSelector": fetch.labels, "limit": _LARGEST}
        name = decode.newest(self._get(where, decode.ObjectList, query))
        if not name:
            raise ApiError(Fault.NOT_FOUND, "There is no such pod.")
        return name

    def _path(self, fetch: PathFetch) -> Fact:
        if self._routes is None:
            raise ApiError(Fault.STOPPED, "There are no routes.")
        found = self._routes.find(fetch.namespace, fetch.service, fetch.port)
        if not isinstance(found, Route):
            raise ApiError(Fault.TIMEOUT, found.reason)
        answer = probe(found, fetch.path)
        if not answer.status:
            raise ApiError(Fault.BROKEN, answer.problem)
        return PathFact(answer.status, found.label)

    def _node_port(self, fetch: NodePortFetch) -> Fact:
        around = self._around() if self._around is not None else Surroundings()
        config: ClusterConfig = self._transport.config
        place = recognise(around.nodes, config)
        goal = route_plan.aim(fetch.namespace, fetch.service, fetch.port, around, place)
        candidates = [] if isinstance(goal, Unreachable) else route_plan.node_ports(goal, around)
        if isinstance(goal, Unreachable) or not candidates:
            raise ApiError(Fault.NOT_FOUND, "No node's address is known.")
        answers = route_knock.knock(candidates, loopback=place.loopback, halt=self._halt)
        tried = tuple(
            f"{one.host}:{one.port}: {answer}"
            for one, answer in zip(candidates, answers, strict=True)
            if answer is not None
        )
        reached = any(answer is None for answer in answers)
        return NodePortFact(goal.port.node_port, reached, tried, route_plan.missing(goal, around))

    def _clock(self, fetch: ClockFetch) -> Fact:
        ahead = round(self._transport.skew)
        return ClockFact(ahead if abs(ahead) > _SETTLED else 0)
