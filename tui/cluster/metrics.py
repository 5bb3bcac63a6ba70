"""Samples of CPU and memory from metrics.k8s.io, which can be listed but not watched.

The poll follows the server's own rhythm: it learns from the samples' timestamps how often there
are new ones, and asks shortly after the next are due.
"""

from __future__ import annotations

import random
import statistics
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Final, Generic, TypeVar
from urllib.parse import quote

import msgspec

from tui.cluster.backoff import Backoff
from tui.cluster.decode import metrics as wire
from tui.cluster.decode.codec import BadReplyError
from tui.cluster.decode.common import WireCondition
from tui.cluster.errors import UNREADABLE, ApiError, Fault, one_line, sentence
from tui.cluster.transport import Transport
from tui.cluster.worker import Worker
from tui.state.links import Health, Source
from tui.state.rows import NodeUsage, PodUsage
from tui.state.store import Store

ROOT: Final = "/apis/metrics.k8s.io/v1beta1"
APISERVICE: Final = "/apis/apiregistration.k8s.io/v1/apiservices/v1beta1.metrics.k8s.io"
SLOW_RETRY: Final = 60.0
DOWN_RETRY: Final = 10.0
_STALE: Final = 4.0
"""Resolutions after which the newest sample is called stale."""
_AHEAD: Final = 900.0
"""Seconds by which a node's clock may be ahead of the server's. An embedded cluster that runs a
hundred times as fast seems to be minutes ahead.
"""

U = TypeVar("U", bound=PodUsage | NodeUsage)


class Rhythm:
    """When to ask next: a bit after the next sample is expected.

    While asking finds news it asks half a second earlier each time, until it is too early; then a
    second later. So it stays within about a second of the moment at which samples appear.
    """

    SHORTEST: Final = 1.0
    """The embedded cluster can run faster than time; a real one samples every 10 s or more."""
    LONGEST: Final = 60.0
    DEFAULT: Final = 15.0
    _EARLIER: Final = 0.5
    _TRIES: Final = 4

    def __init__(self) -> None:
        self._newest = 0.0
        self._steps: deque[float] = deque(maxlen=7)
        self._misses = 0
        self._window = 0.0

    @property
    def resolution(self) -> float:
        """Seconds between samples, learned. Until then the time that a sample covers, which
        metrics-server takes from one scrape to the next; 15 at most.
        """
        if not self._steps:
            return max(self.SHORTEST, min(self.DEFAULT, self._window or self.DEFAULT))
        # A server that reckons its samples when asked (a Prometheus adapter) would be asked ever
        # faster. Samples that cover a minute do not become truer by the second.
        shortest = max(self.SHORTEST, self._window / 2)
        return min(self.LONGEST, max(shortest, statistics.median(self._steps)))

    @property
    def newest(self) -> float:
        """The newest sample's time; 0 if there is none."""
        return self._newest

    def after(self, newest: float | None, window: float = 0.0) -> float:
        """Seconds to wait after an answer whose newest sample is of that time.

        Args:
            newest: seconds since the epoch; None if there was no sample.
            window: the shortest window of a sample, in seconds.
        """
        if newest is not None and newest > self._newest:
            if self._newest:
                self._steps.append(newest - self._newest)
            self._newest = newest
            self._window = window
            self._misses = 0
            return max(self.SHORTEST / 2, self.resolution - self._EARLIER)
        if newest is not None:
            self._newest = min(self._newest, newest)  # a clock was set back: from there on
        self._misses += 1
        if self._misses <= self._TRIES:
            return min(1.0, self.resolution / 2)
        return max(5.0, self.resolution / 2)


class MetricsPoll(Worker, Generic[U]):
    """Polls one of the two lists in a thread of its own, until it is stopped."""

    def __init__(
        self,
        source: Source,
        path: str,
        decode: Callable[[bytes], list[U]],
        sink: Callable[[Sequence[U]], None],
        right: str,
        transport: Transport,
        store: Store,
        *,
        rng: random.Random | None = None,
        wait: Callable[[float], bool] | None = None,
    ) -> None:
        super().__init__(source.value)
        self.source = source
        self.rhythm = Rhythm()
        self._path = path
        self._decode = decode
        self._sink = sink
        self._right = right
        self._transport = transport
        self._store = store
        self._wait = wait or self._halt.wait
        self._backoff = Backoff(rng or random.Random())  # noqa: S311 (jitter)
        self._told: int | None = None
        """Of which pods, and which moments, the samples were that were taken last."""

    def _run(self) -> None:
        self._store.link(self.source, Health.CONNECTING)
        while not self._halt.stopped:
            try:
                pause = self._once()
            except Exception as error:  # a thread that died would leave samples that look fresh
                pause = self._note(
                    Health.RETRYING,
                    f"The metrics could not be handled ({type(error).__name__}).",
                    self._backoff.next(),
                )
            if self._wait(pause):
                break
        self._store.link(self.source, Health.STOPPED)

    def _once(self) -> float:
        try:
            return self._poll()
        except ApiError as error:
            return self._explain(error)

    def _poll(self) -> float:
        body = self._transport.get(self._path, halt=self._halt).body
        try:
            samples = self._decode(body)
        except BadReplyError as error:
            raise ApiError(Fault.BAD_REPLY, sentence(error)) from None
        self._backoff.reset()
        # Those of a node whose clock is ahead tell nothing of when the next are due.
        until = self._server_time() + _AHEAD
        newest = max((s.time for s in samples if s.time <= until), default=None)
        pause = self.rhythm.after(newest, min((s.window for s in samples), default=0.0))
        told = hash(tuple([(s.name, s.time) for s in samples]))
        if told != self._told:
            self._told = told
            self._sink(samples)
        self._judge(samples, newest)
        return pause

    def _server_time(self) -> float:
        return self._store.clock.wall() + self._transport.skew

    def _judge(self, samples: list[U], newest: float | None) -> None:
        """Say how fresh the samples are, by the server's clock."""
        if not samples:
            self._store.link(self.source, Health.LIVE, "No samples yet: they come with a delay.")
            return
        if newest is None:
            ahead = min(s.time for s in samples) - self._server_time()
            self._store.link(
                self.source,
                Health.UNAVAILABLE,
                f"The samples are {ahead:.0f} s ahead of the server's clock: set the clocks of the "
                "nodes right.",
            )
            return
        age = self._server_time() - newest
        if age > _STALE * max(self.rhythm.resolution, Rhythm.DEFAULT):
            self._store.link(
                self.source,
                Health.UNAVAILABLE,
                f"metrics-server answers, but its newest sample is {age:.0f} s old: "
                "see its log, it may not reach the kubelets.",
            )
        else:
            self._store.link(self.source, Health.LIVE)

    def _explain(self, error: ApiError) -> float:
        """Name the state; returns how long to wait."""
        if self._halt.stopped or error.kind is Fault.STOPPED:
            return 0.0
        if error.kind is Fault.NOT_FOUND:
            return self._absent()
        if error.kind is Fault.FORBIDDEN:
            self._clear()
            return self._note(
                Health.FORBIDDEN,
                f"You may not read metrics: this user lacks the right `{self._right}`.",
                SLOW_RETRY,
            )
        if error.kind is Fault.UNAVAILABLE:
            return self._unavailable(error)
        pause = self._backoff.next()
        if error.retry_after is not None:
            pause = max(pause, error.retry_after)
        return self._note(Health.RETRYING, error.message, pause)

    def _clear(self) -> None:
        self._told = None
        self._sink(())

    def _absent(self) -> float:
        self._clear()
        return self._note(
            Health.ABSENT,
            "The metrics API is not installed: HPAs on CPU or memory cannot work. "
            "Install metrics-server (minikube: `minikube addons enable metrics-server`).",
            SLOW_RETRY / 2,
        )

    def _unavailable(self, error: ApiError) -> float:
        why = self._condition()
        detail = "The metrics API is registered, but metrics-server does not answer"
        pause = max(DOWN_RETRY, error.retry_after or 0.0)
        return self._note(Health.UNAVAILABLE, f"{detail}: {why}" if why else f"{detail}.", pause)

    def _condition(self) -> str:
        """What the APIService says of its backend, if we may read it."""
        try:
            body = self._transport.get(APISERVICE, timeout=5.0, halt=self._halt).body
            conditions = _APISERVICE.decode(body).status.conditions or ()
        except (ApiError, *UNREADABLE, AttributeError):
            return ""
        for condition in conditions:
            if condition.type == "Available" and condition.status != "True":
                return one_line(f"{condition.reason or ''}, {condition.message or ''}", 240)
        return ""

    def _note(self, health: Health, detail: str, pause: float) -> float:
        said = self._transport.masked(detail)
        self._store.link(self.source, health, said, self._store.clock() + pause)
        return pause


class _ServiceStatus(msgspec.Struct, gc=False):
    conditions: list[WireCondition] | None = None


class _ApiService(msgspec.Struct, gc=False):
    status: _ServiceStatus


_APISERVICE: Final = msgspec.json.Decoder(_ApiService)


def pod_metrics(
    transport: Transport, store: Store, namespace: str | None, **options: Any
) -> MetricsPoll[PodUsage]:
    """The poll of pod samples, of a namespace or (None) of all."""
    scope = "" if namespace is None else f"/namespaces/{quote(namespace, safe='')}"
    where = "" if namespace is None else f" in namespace {namespace}"
    return MetricsPoll(
        Source.POD_METRICS,
        f"{ROOT}{scope}/pods",
        wire.pod_list,
        store.sample_pods,
        f"list pods.metrics.k8s.io{where}",
        transport,
        store,
        **options,
    )


def node_metrics(transport: Transport, store: Store, **options: Any) -> MetricsPoll[NodeUsage]:
    """The poll of node samples."""
    return MetricsPoll(
        Source.NODE_METRICS,
        f"{ROOT}/nodes",
        wire.node_list,
        store.sample_nodes,
        "list nodes.metrics.k8s.io",
        transport,
        store,
        **options,
    )
