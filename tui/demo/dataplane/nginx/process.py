"""nginx at work: server, location, then an answer of its own or one from an upstream."""

from __future__ import annotations

import gzip
import itertools
import re
from collections.abc import Callable, Iterable
from email.utils import formatdate
from typing import Final

from tui.demo.dataplane.costs import NGINX, Cost
from tui.demo.dataplane.files import Files
from tui.demo.dataplane.http import date
from tui.demo.dataplane.messages import Reply, Request, Response
from tui.demo.dataplane.nginx import content
from tui.demo.dataplane.nginx.exchange import Exchange
from tui.demo.dataplane.nginx.model import Config, Location, Server
from tui.demo.dataplane.nginx.proxy import Proxy
from tui.demo.dataplane.process import Process
from tui.demo.dataplane.setting import Setting

_HEADERS_FOR: Final = frozenset({200, 201, 204, 206, 301, 302, 303, 304, 307, 308})
"""Statuses that get ``add_header`` without ``always``."""
_MOST_REDIRECTS: Final = 10


class Nginx(Process):
    """An nginx process.

    Args:
        setting: where it runs.
        config: what it does.
        files: what it serves.
    """

    server = "nginx"

    def __init__(self, setting: Setting, config: Config, files: Files) -> None:
        ports = frozenset(port for server in config.servers for port in server.ports)
        super().__init__(setting.place, setting.cpu, setting.print, ports)
        self._config = config
        self._files = files
        self._clock = setting.clock
        self._cost = Cost(NGINX, setting.rng)
        self._numbers = itertools.count(1)
        self._proxy = Proxy(self, setting)
        if config.servers:
            self.idle_timeout = max(1.0, config.servers[0].itself.settings.idle_timeout)

    def handle(self, request: Request, reply: Reply, port: int) -> None:
        """Answer a request that came in on a port."""
        began = self.now()

        def done() -> None:
            self._begin(request, reply, port, began)

        self.work(self._cost.draw(), done, reply)

    def now(self) -> float:
        """Real seconds."""
        return self._clock.now() / self._clock.speed

    def error(self, exchange: Exchange, words: str) -> None:
        """Write to the error log, which is the container's."""
        request = exchange.request
        stamp = self._clock.wall().strftime("%Y/%m/%d %H:%M:%S")
        self.print(
            f"{stamp} [error] 29#29: *{exchange.number} {words}, client: {request.client[0]}, "
            f'server: {exchange.server_name}, request: "{request.method} {request.target} '
            f'HTTP/{request.version}", host: "{exchange.incoming.get("host", "")}"'
        )

    def _begin(self, request: Request, reply: Reply, port: int, began: float) -> None:
        exchange = Exchange(
            request,
            {name.lower(): value for name, value in request.headers},
            content.normalized(request.target),
            port,
            next(self._numbers),
            self.place.pod,
            self.place.ip,
            self.now,
            self._clock.wall,
            began,
        )
        server = self._server(port, exchange.incoming.get("host", ""))
        exchange.server_name = server.names[0] if server.names else ""

        def finish(response: Response, location: Location) -> None:
            self._finish(exchange, location, response, reply)

        self._serve(exchange, server, finish)

    def _server(self, port: int, host: str) -> Server:
        here = [server for server in self._config.servers if port in server.ports]
        host = host.partition(":")[0].lower()
        for matches in (_is, _is_wildcard, _is_regex):
            for server in here:
                if any(matches(name, host) for name in server.names):
                    return server
        return next((server for server in here if server.ports[port]), here[0])

    def _serve(
        self, exchange: Exchange, server: Server, finish: Callable[[Response, Location], None]
    ) -> None:
        location = self._locate(exchange, server)
        if len(exchange.request.body) > location.settings.body_limit > 0:
            self.error(exchange, "client intended to send too large body")
            finish(content.status_page(413, location), location)
            return
        for name, template in (*server.itself.sets, *location.sets):
            exchange.values[name] = template.render(exchange)

        def answered(response: Response | str, own: bool = True) -> None:
            if isinstance(response, Response):
                page = self._error_page(exchange, location, response, own)
                if page is None:
                    if exchange.status:
                        response.status = exchange.status  # of the error a page stands for
                    finish(response, location)
                    return
                exchange.status = response.status
                response = page
            exchange.redirects += 1
            if exchange.redirects > _MOST_REDIRECTS:
                self.error(exchange, "rewrite or internal redirection cycle while redirect")
                finish(content.status_page(500, location), location)
                return
            exchange.uri = response
            self._serve(exchange, server, finish)

        if server.itself.gives is not None and not exchange.redirects:
            finish(content.given(exchange, server.itself), server.itself)
        elif location.gives is not None:
            answered(content.given(exchange, location))
        else:
            found = content.tried(exchange, location, self._files) if location.tries else None
            if found is not None:
                answered(found)
            elif location.passes is not None:
                self._proxy.ask(exchange, location, location.passes, answered)
            else:
                answered(content.file(exchange, location, self._files))

    @staticmethod
    def _error_page(
        exchange: Exchange, location: Location, response: Response, own: bool
    ) -> str | None:
        if exchange.status or response.status < 300:
            return None
        if not own and not location.settings.intercept:
            return None
        pages = location.settings.error_pages
        return next((uri for status, uri in pages if status == response.status), None)

    @staticmethod
    def _locate(exchange: Exchange, server: Server) -> Location:
        return choose(exchange, server.locations)[0] or server.itself

    def _finish(
        self, exchange: Exchange, location: Location, response: Response, reply: Reply
    ) -> None:
        settings = location.settings
        exchange.status = response.status
        if response.status == 444:
            self._log(exchange, location)
            reply(None)
            return
        headers = [("Server", content.server_name(location)), ("Date", date())]
        headers += response.headers
        if settings.expires is not None and response.status in _HEADERS_FOR:
            headers += _expires(settings.expires, self._clock.wall().timestamp())
        exchange.sent = headers
        for name, template, always in settings.headers:
            if always or response.status in _HEADERS_FOR:
                value = template.render(exchange)
                if value:
                    headers.append((name, value))
        body = response.body
        if settings.gzip and _compressible(exchange, location, response):
            body = gzip.compress(body, 1)
            headers.append(("Content-Encoding", "gzip"))
        exchange.body_bytes = 0 if exchange.request.method == "HEAD" else len(body)
        self._log(exchange, location)
        reply(Response(response.status, headers, body))

    def _log(self, exchange: Exchange, location: Location) -> None:
        for template in location.settings.access_log or ():
            self.print(template.render(exchange, "-"))


def _is(name: str, host: str) -> bool:
    return name.lower() == host


def _is_wildcard(name: str, host: str) -> bool:
    if name.startswith("*."):
        return host.endswith(name[1:])
    if name.startswith("."):
        return host == name[1:] or host.endswith(name)
    return name.endswith(".*") and host.startswith(name[:-1])


def _is_regex(name: str, host: str) -> bool:
    if not name.startswith("~"):
        return False
    try:
        return re.search(name[1:], host) is not None
    except re.error:
        return False


def _expires(seconds: float, now: float) -> list[tuple[str, str]]:
    if seconds < 0:
        return [("Expires", formatdate(now + seconds, usegmt=True)), ("Cache-Control", "no-cache")]
    when = formatdate(now + seconds, usegmt=True)
    return [("Expires", when), ("Cache-Control", f"max-age={int(seconds)}")]


def choose(exchange: Exchange, locations: Iterable[Location]) -> tuple[Location | None, bool]:
    """The location for a request, and whether the choice is final.

    An exact one wins, then the first regular expression, then the longest prefix; locations inside
    the longest prefix come before the regular expressions beside it, as in
    ``ngx_http_core_find_location``.
    """
    best: Location | None = None
    for location in locations:
        if location.modifier == "=" and location.pattern == exchange.uri:
            return location, True
        prefix = location.modifier in ("", "^~") and exchange.uri.startswith(location.pattern)
        if prefix and (best is None or len(location.pattern) > len(best.pattern)):
            best = location
    chosen = best
    if best is not None and best.nested:
        inner, final = choose(exchange, best.nested)
        if final:
            return inner, True
        chosen = inner or best
    if best is None or best.modifier != "^~":
        for location in locations:
            found = location.regex.search(exchange.uri) if location.regex else None
            if found:
                named = {k: v or "" for k, v in found.groupdict().items()}
                groups = {str(i): found[i] or "" for i in range(len(found.groups()) + 1)}
                exchange.values |= groups | named
                return choose(exchange, location.nested)[0] or location, True
    return chosen, False


def _compressible(exchange: Exchange, location: Location, response: Response) -> bool:
    kind = (response.header("content-type") or "").partition(";")[0].strip()
    settings = location.settings
    return (
        "gzip" in exchange.incoming.get("accept-encoding", "")
        and "via" not in exchange.incoming
        and response.status in (200, 403, 404)
        and (kind in settings.gzip_types or "*" in settings.gzip_types)
        and len(response.body) >= settings.gzip_length
        and response.header("content-encoding") is None
    )
