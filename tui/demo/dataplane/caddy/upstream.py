"""Caddy's ``reverse_proxy`` at work: choosing, dialling, keeping connections, trying again."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from tui.demo.dataplane.caddy.health import HealthChecker
from tui.demo.dataplane.caddy.model import HeaderChange, ReverseProxy, Visit
from tui.demo.dataplane.messages import Headers, Request, Response
from tui.demo.dataplane.network import REFUSED, Broken, Connection
from tui.demo.dataplane.setting import Setting
from tui.demo.dataplane.upstreams import Deadlines, IdleConnections

if TYPE_CHECKING:
    from tui.demo.dataplane.caddy.process import Caddy

_HOP_BY_HOP: Final = frozenset(
    {"connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding"}
)
_DNS: Final = "10.96.0.10:53"

Answered = Callable[[Response | None], None]


class Upstreams:
    """The upstreams of one ``reverse_proxy``."""

    def __init__(self, proxy: ReverseProxy, caddy: Caddy, setting: Setting) -> None:
        self._proxy = proxy
        self._caddy = caddy
        self._network = setting.network
        self._clock = setting.clock
        self._rng = setting.rng
        self._namespace = setting.place.namespace
        self._idle = IdleConnections(proxy.idle)
        self._deadlines = Deadlines(setting.clock)
        self._next = 0
        self._active: dict[str, int] = {}
        self._failed_until: dict[str, float] = {}
        self._health: HealthChecker | None = None
        if proxy.health is not None:
            self._health = HealthChecker(
                proxy.health, proxy.upstreams, self.dial, setting.clock, caddy.journal
            )

    def start(self) -> None:
        """Begin the health checks."""
        if self._health is not None:
            self._health.start()

    def stop(self) -> None:
        """End them."""
        if self._health is not None:
            self._health.stop()

    def ask(self, visit: Visit, answered: Answered) -> None:
        """Pass a request on; an answer of Caddy's own has no body."""
        began = self._caddy.now()

        def attempt() -> None:
            upstream = self._choose()
            if upstream is None:
                failed("no upstreams available", 503)
                return
            visit.upstream = upstream
            connection = self._idle.take(upstream) or self.dial(upstream)
            if isinstance(connection, Broken):
                self._note_failure(upstream)
                failed(connection.why, 502)
                return
            self._send(visit, upstream, connection, answered)

        def failed(why: str, status: int) -> None:
            waited = self._caddy.now() - began
            if waited + self._proxy.try_interval < self._proxy.try_duration:
                delay = self._proxy.try_interval * self._clock.speed
                self._clock.call_later(delay, attempt)
                return
            self._caddy.error(visit, why, status)
            answered(Response(status))

        attempt()

    def _choose(self) -> str | None:
        now = self._caddy.now()
        down = self._health.down if self._health is not None else ()
        live = [
            one
            for one in self._proxy.upstreams
            if one not in down and self._failed_until.get(one, 0.0) <= now
        ]
        if not live:
            return None
        if self._proxy.policy == "first":
            return live[0]
        if self._proxy.policy == "round_robin":
            self._next += 1
            return live[self._next % len(live)]
        if self._proxy.policy == "least_conn":
            return min(live, key=lambda one: self._active.get(one, 0))
        return self._rng.choice(live)

    def dial(self, upstream: str) -> Connection | Broken:
        """Resolve and connect; unlike nginx, anew for each connection."""
        host, _, port = upstream.rpartition(":")
        addresses = self._network.resolve(host, self._namespace)
        if not addresses:
            return Broken(f"dial tcp: lookup {host} on {_DNS}: no such host")
        found = self._network.dial(self._caddy, addresses[0], int(port))
        if isinstance(found, Connection):
            return found
        where = f"{addresses[0]}:{port}"
        why = "connection refused" if found.why == REFUSED else "no route to host"
        return Broken(f"dial tcp {where}: connect: {why}", where)

    def _note_failure(self, upstream: str) -> None:
        if self._proxy.fail_duration:
            self._failed_until[upstream] = self._caddy.now() + self._proxy.fail_duration

    def _send(
        self, visit: Visit, upstream: str, connection: Connection, answered: Answered
    ) -> None:
        self._active[upstream] = self._active.get(upstream, 0) + 1
        over = False
        late: int | None = None

        def back(response: Response | None) -> None:
            nonlocal over
            if over:
                return
            over = True
            if late is not None:
                self._deadlines.clear(late)
            self._active[upstream] -= 1
            if response is None:
                self._note_failure(upstream)
                self._caddy.error(visit, "EOF", 502)
                answered(Response(502))
                return
            self._idle.give(upstream, connection)
            headers = [one for one in response.headers if one[0].lower() not in _HOP_BY_HOP]
            if not any(name.lower() == "server" for name, _ in headers):
                headers.append(("Server", connection.process.server or "Caddy"))
            headers = changed(headers, self._proxy.down, visit)
            answered(Response(response.status, headers, response.body))

        def too_late() -> None:
            nonlocal over
            over = True
            self._active[upstream] -= 1
            self._caddy.error(visit, "net/http: timeout awaiting response headers", 504)
            answered(Response(504))

        if self._proxy.read_timeout:
            late = self._deadlines.watch(self._proxy.read_timeout, too_late)
        connection.send(self._request(visit), back)

    def _request(self, visit: Visit) -> Request:
        original = visit.request
        headers: Headers = [
            (name, value)
            for name, value in original.headers
            if name.lower() not in _HOP_BY_HOP and not name.lower().startswith("x-forwarded-")
        ]
        headers += [
            ("X-Forwarded-For", original.client[0]),
            ("X-Forwarded-Host", visit.incoming.get("host", "")),
            ("X-Forwarded-Proto", "http"),
        ]
        headers = changed(headers, self._proxy.up, visit)
        return Request(original.method, visit.uri, headers, original.body)


def changed(headers: Headers, changes: tuple[HeaderChange, ...], visit: Visit) -> Headers:
    """Headers after the operations of a directive."""
    for change in changes:
        name, value = change.name, visit.fill(change.value)
        lowered = name.lower()
        present = any(key.lower() == lowered for key, _ in headers)
        if change.kind == "add":
            headers = [*headers, (name, value)]
        elif change.kind == "delete":
            headers = [one for one in headers if not _named(one[0], lowered)]
        elif change.kind == "replace":
            headers = [
                (key, old.replace(change.value, change.replacement) if key.lower() == lowered
                 else old)
                for key, old in headers
            ]  # fmt: skip
        elif change.kind == "set" or not present:
            headers = [one for one in headers if one[0].lower() != lowered]
            headers.append((name, value))
    return headers


def _named(name: str, pattern: str) -> bool:
    name = name.lower()
    if pattern.endswith("*"):
        return name.startswith(pattern[:-1])
    return name == pattern
