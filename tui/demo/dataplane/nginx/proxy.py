"""nginx's ``proxy_pass``: servers tried in turn, connections kept or not."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from tui.demo.dataplane.messages import Headers, Request, Response
from tui.demo.dataplane.network import REFUSED, Broken, Connection
from tui.demo.dataplane.nginx import content
from tui.demo.dataplane.nginx.balancer import Balancer
from tui.demo.dataplane.nginx.exchange import Exchange
from tui.demo.dataplane.nginx.model import Location, Pass, Peer, Upstream
from tui.demo.dataplane.setting import Setting
from tui.demo.dataplane.upstreams import Deadlines, IdleConnections

if TYPE_CHECKING:
    from tui.demo.dataplane.nginx.process import Nginx

Answered = Callable[[Response | str, bool], None]
"""Takes an answer, and whether it is nginx's own."""
_WHY: Final = {REFUSED: "connect() failed (111: Connection refused)"}
_UNREACHABLE: Final = "connect() failed (113: Host is unreachable)"
_NOT_PASSED: Final = frozenset(
    {"host", "connection", "keep-alive", "transfer-encoding", "te", "upgrade", "expect"}
)
_NOT_RETURNED: Final = frozenset({"date", "server", "connection", "keep-alive", "x-pad"})
_DOMAIN: Final = ".svc.cluster.local"


class Proxy:
    """Passes requests to upstreams."""

    def __init__(self, nginx: Nginx, setting: Setting) -> None:
        self._nginx = nginx
        self._network = setting.network
        self._rng = setting.rng
        self._deadlines = Deadlines(setting.clock)
        self._balancers: dict[int, Balancer] = {}
        self._idle: dict[int, IdleConnections] = {}

    def ask(self, exchange: Exchange, location: Location, passes: Pass, answered: Answered) -> None:
        """Pass a request on and hand back the answer, or a page that says why there is none."""
        upstream = passes.upstream or self._at_runtime(exchange, location, passes)
        if upstream is None:
            answered(content.status_page(502, location), True)
            return
        exchange.proxy_host = upstream.name
        request, keeps = self._request(exchange, location, passes)
        balancer = self._balancers.get(id(upstream)) or Balancer(upstream, self._rng)
        if passes.upstream is not None:
            # One that was made for this request alone is not kept, nor are its connections.
            self._balancers[id(upstream)] = balancer
        keeps = keeps and upstream.keepalive > 0
        attempt = _Attempt(exchange, location, request, balancer, keeps, answered, set())
        self._try(attempt, 502)

    def _at_runtime(self, exchange: Exchange, location: Location, passes: Pass) -> Upstream | None:
        """A name that is only known now is resolved now, which takes a ``resolver``."""
        target = passes.target.render(exchange).removeprefix("http://").partition("/")[0]
        host, _, port = target.partition(":")
        if host.replace(".", "").isdigit():
            addresses = [host]
        elif not location.settings.resolver:
            self._nginx.error(exchange, f"no resolver defined to resolve {host}")
            return None
        else:
            # nginx asks for the name as it is, without the search domains of resolv.conf.
            full = host if host.endswith(_DOMAIN) else ""
            addresses = self._network.resolve(full, "") if full else []
            if not addresses:
                self._nginx.error(exchange, f"{host} could not be resolved (3: Host not found)")
                return None
        number = int(port) if port.isdigit() else 80
        return Upstream(target, [Peer(address, number) for address in addresses])

    def _request(
        self, exchange: Exchange, location: Location, passes: Pass
    ) -> tuple[Request, bool]:
        """The request as the upstream gets it, and whether its connection may be kept."""
        settings = location.settings
        named = {name.lower() for name, _ in settings.proxy_headers}
        headers: Headers = []
        if "host" not in named:
            headers.append(("Host", exchange.proxy_host))
        keeps = settings.proxy_version == "1.1"
        if "connection" not in named:
            headers.append(("Connection", "close"))
            keeps = False
        for name, template in settings.proxy_headers:
            value = template.render(exchange)
            if name.lower() == "connection":
                keeps = keeps and value.lower() in ("", "keep-alive")
            if value:
                headers.append((name, value))
        headers += [
            (name, value)
            for name, value in exchange.request.headers
            if name.lower() not in named and name.lower() not in _NOT_PASSED
        ]
        target = exchange.request.target
        if passes.uri is not None:
            rest = exchange.uri[len(location.pattern) :]
            query = f"?{exchange.request.query}" if exchange.request.query else ""
            target = passes.uri + quote(rest, safe="/:@!$&'()*+,;=~-._") + query
        elif exchange.redirects:
            query = f"?{exchange.request.query}" if exchange.request.query else ""
            target = exchange.uri + query
        request = Request(
            exchange.request.method, target, headers, exchange.request.body, settings.proxy_version
        )
        return request, keeps

    def _try(self, attempt: _Attempt, status: int) -> None:
        now = self._nginx.now()
        exchange = attempt.exchange
        peer = attempt.balancer.choose(attempt.tried, now)
        if peer is None:
            if not attempt.tried:
                self._nginx.error(exchange, "no live upstreams while connecting to upstream")
                exchange.upstream_addresses.append(attempt.balancer.upstream.name)
                exchange.upstream_statuses.append("502")
                exchange.upstream_times.append(0.0)
            attempt.answered(content.status_page(status, attempt.location), True)
            return
        attempt.tried.add(id(peer))
        address = f"{peer.address}:{peer.port}"
        exchange.upstream_addresses.append(address)
        connection = self._connection(attempt, peer, address)
        if isinstance(connection, Broken):
            why = _WHY.get(connection.why, _UNREACHABLE)
            self._fail(attempt, peer, f"{why} while connecting to upstream", 502, 0.0)
            return
        self._send(attempt, peer, address, connection)

    def _connection(self, attempt: _Attempt, peer: Peer, address: str) -> Connection | Broken:
        if attempt.keeps:
            upstream = attempt.balancer.upstream
            idle = self._idle.setdefault(id(upstream), IdleConnections(upstream.keepalive))
            kept = idle.take(address)
            if kept is not None:
                return kept
        return self._network.dial(self._nginx, peer.address, peer.port)

    def _send(self, attempt: _Attempt, peer: Peer, address: str, connection: Connection) -> None:
        began = self._nginx.now()
        balancer = attempt.balancer
        balancer.begin(peer)
        over = False

        def back(response: Response | None) -> None:
            nonlocal over
            if over:
                return
            over = True
            self._deadlines.clear(late)
            balancer.done(peer)
            took = self._nginx.now() - began
            if response is None:
                words = "upstream prematurely closed connection while reading response header"
                self._fail(attempt, peer, f"{words} from upstream", 502, took)
                return
            balancer.well(peer)
            if attempt.keeps:
                self._idle[id(balancer.upstream)].give(address, connection)
            exchange = attempt.exchange
            exchange.upstream_statuses.append(str(response.status))
            exchange.upstream_times.append(took)
            exchange.upstream_headers = response.headers
            headers = [one for one in response.headers if one[0].lower() not in _NOT_RETURNED]
            attempt.answered(Response(response.status, headers, response.body), False)

        def too_late() -> None:
            nonlocal over
            over = True
            balancer.done(peer)
            words = "upstream timed out (110: Operation timed out) while reading response header"
            took = self._nginx.now() - began
            self._fail(attempt, peer, f"{words} from upstream", 504, took)

        late = self._deadlines.watch(attempt.location.settings.read_timeout, too_late)
        connection.send(attempt.request.altered(), back)

    def _fail(self, attempt: _Attempt, peer: Peer, words: str, status: int, took: float) -> None:
        attempt.balancer.failed(peer, self._nginx.now())
        exchange = attempt.exchange
        exchange.upstream_statuses.append(str(status))
        exchange.upstream_times.append(took)
        url = f"http://{peer.address}:{peer.port}{attempt.request.target}"
        self._nginx.error(exchange, f'{words}, upstream: "{url}"')
        self._try(attempt, status)


class _Attempt:
    """A request on its way through the servers of an upstream."""

    __slots__ = ("answered", "balancer", "exchange", "keeps", "location", "request", "tried")

    def __init__(
        self,
        exchange: Exchange,
        location: Location,
        request: Request,
        balancer: Balancer,
        keeps: bool,
        answered: Answered,
        tried: set[int],
    ) -> None:
        self.exchange = exchange
        self.location = location
        self.request = request
        self.balancer = balancer
        self.keeps = keeps
        self.answered = answered
        self.tried = tried
