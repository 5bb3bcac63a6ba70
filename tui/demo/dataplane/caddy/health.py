"""Active health checks: an upstream that fails one gets no requests until it passes one."""

from __future__ import annotations

from collections.abc import Callable

from tui.demo.clock import Clock
from tui.demo.dataplane.caddy.journal import Journal
from tui.demo.dataplane.caddy.model import Health
from tui.demo.dataplane.messages import Request, Response
from tui.demo.dataplane.network import Broken, Connection

_LOGGER = "http.handlers.reverse_proxy.health_checker.active"

Dial = Callable[[str], Connection | Broken]


class HealthChecker:
    """Checks the upstreams of one ``reverse_proxy``.

    Args:
        health: what to ask, how often.
        upstreams: host and port each.
        dial: connects to one.
        clock: of the cluster, whose seconds the interval is counted in.
        journal: where failures are told.
    """

    def __init__(
        self,
        health: Health,
        upstreams: tuple[str, ...],
        dial: Dial,
        clock: Clock,
        journal: Journal,
    ) -> None:
        self._health = health
        self._upstreams = upstreams
        self._dial = dial
        self._clock = clock
        self._journal = journal
        self._stopped = False
        self.down: set[str] = set()

    def start(self) -> None:
        """Check now and at every interval."""
        if self._stopped:
            return
        self._clock.call_later(max(0.1, self._health.interval), self.start)
        for upstream in self._upstreams:
            self._check(upstream)

    def stop(self) -> None:
        """Check no more."""
        self._stopped = True

    def _check(self, upstream: str) -> None:
        host, _, port = upstream.partition(":")
        address = f"{host}:{self._health.port or port}"
        connection = self._dial(address)
        if isinstance(connection, Broken):
            self._failed(upstream, connection.why)
            return
        over = False

        def back(response: Response | None) -> None:
            nonlocal over
            if over or self._stopped:
                return
            over = True
            waiting.cancel()
            if response is None:
                self._failed(upstream, "EOF")
            elif self._expected(response.status):
                self._passed(upstream)
            else:
                self._journal.say(
                    "info",
                    _LOGGER,
                    "status code out of tolerances",
                    status_code=response.status,
                    host=upstream,
                )
                self.down.add(upstream)

        def late() -> None:
            nonlocal over
            over = True
            if not self._stopped:
                self._failed(upstream, "context deadline exceeded")

        waiting = self._clock.call_later(self._health.timeout * self._clock.speed, late)
        headers = [("Host", address), ("User-Agent", "Go-http-client/1.1"), *self._health.headers]
        connection.send(Request("GET", self._health.uri, headers), back)

    def _expected(self, status: int) -> bool:
        wanted = self._health.status
        if wanted == 0:
            return 200 <= status < 400
        return status == wanted if wanted > 9 else status // 100 == wanted

    def _passed(self, upstream: str) -> None:
        if upstream in self.down:
            self.down.discard(upstream)
            self._journal.say("info", _LOGGER, "host is up", host=upstream)

    def _failed(self, upstream: str, why: str) -> None:
        self.down.add(upstream)
        url = f"http://{upstream}{self._health.uri}"
        error = f'Get "{url}": {why}'
        self._journal.say("info", _LOGGER, "HTTP request failed", host=upstream, error=error)
