"""Caddy at work: routes in order until one answers."""

from __future__ import annotations

import gzip
import posixpath
from collections.abc import Callable
from typing import Final

from tui.demo.dataplane.caddy import journal
from tui.demo.dataplane.caddy.journal import Journal
from tui.demo.dataplane.caddy.model import (
    Config,
    Encode,
    FileServer,
    Handler,
    HeaderChanges,
    Respond,
    ReverseProxy,
    Rewrite,
    Route,
    SetRoot,
    Site,
    Subroute,
    Visit,
)
from tui.demo.dataplane.caddy.upstream import Upstreams, changed
from tui.demo.dataplane.costs import CADDY, Cost
from tui.demo.dataplane.files import Files
from tui.demo.dataplane.messages import Reply, Request, Response
from tui.demo.dataplane.process import Process
from tui.demo.dataplane.setting import Setting

_TYPES: Final = {
    "css": "text/css; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "json": "application/json",
    "svg": "image/svg+xml",
    "txt": "text/plain; charset=utf-8",
}
_SMALLEST_ENCODED: Final = 512

Answered = Callable[[Response | None], None]


class Caddy(Process):
    """A Caddy process.

    Args:
        setting: where it runs.
        config: what it does.
        files: what it serves.
    """

    server = "Caddy"
    idle_timeout = 300.0

    def __init__(self, setting: Setting, config: Config, files: Files) -> None:
        ports = frozenset(port for site in config.sites for port in site.ports)
        super().__init__(setting.place, setting.cpu, setting.print, ports)
        self._config = config
        self._files = files
        self._clock = setting.clock
        self._rng = setting.rng
        self._cost = Cost(CADDY, setting.rng)
        self.journal = Journal(setting.clock.wall, setting.print, config.runtime)
        self._upstreams: dict[ReverseProxy, Upstreams] = {
            proxy: Upstreams(proxy, self, setting)
            for site in config.sites
            for proxy in _proxies(site.routes)
        }

    def now(self) -> float:
        """Real seconds."""
        return self._clock.now() / self._clock.speed

    def begin(self) -> None:
        """It listens from now on."""
        for upstreams in self._upstreams.values():
            upstreams.start()

    def end(self) -> None:
        """The process is gone."""
        super().end()
        for upstreams in self._upstreams.values():
            upstreams.stop()

    def handle(self, request: Request, reply: Reply, port: int) -> None:
        """Answer a request that came in on a port."""
        began = self.now()
        self.work(self._cost.draw(), lambda: self._serve(request, reply, port, began), reply)

    def error(self, visit: Visit, why: str, status: int) -> None:
        """Log a request that could not be served."""
        self.journal.say(
            "error",
            "http.log.error",
            why,
            request=journal.request_fields(visit),
            duration=round(self.now() - visit.began, 9),
            status=status,
            err_id=f"{self._rng.getrandbits(40):08x}"[:9],
            err_trace="reverseproxy.(*Handler).proxyLoopIteration",
        )

    def _serve(self, request: Request, reply: Reply, port: int, began: float) -> None:
        path, _, query = request.target.partition("?")
        incoming = {name.lower(): value for name, value in request.headers}
        visit = Visit(request, incoming, path, query, port, began)
        site = self._site(port, incoming.get("host", ""))

        def answered(response: Response | None) -> None:
            if response is None:
                reply(None)
                return
            finished = self._finish(visit, response)
            if site is not None and site.log is not None:
                self._log(site, visit, finished)
            reply(finished)

        if site is None or not self._run(site.routes, visit, answered):
            answered(Response(200))

    def _site(self, port: int, host: str) -> Site | None:
        host = host.partition(":")[0].lower()
        here = [site for site in self._config.sites if port in site.ports]
        for site in here:
            if host in site.hosts:
                return site
        for site in here:
            wild = any(one.startswith("*.") and host.endswith(one[1:]) for one in site.hosts)
            if wild or not site.hosts:
                return site
        return None

    def _run(self, routes: tuple[Route, ...], visit: Visit, answered: Answered) -> bool:
        """Go through routes; whether one of them answers, now or later."""
        taken = False
        for route in routes:
            if route.exclusive and taken:
                continue
            if route.match is not None and not route.match(visit):
                continue
            taken = taken or route.exclusive
            for handler in route.handlers:
                if self._apply(handler, visit, answered):
                    return True
        return False

    def _apply(self, handler: Handler, visit: Visit, answered: Answered) -> bool:
        match handler:
            case Subroute(routes):
                return self._run(routes, visit, answered)
            case HeaderChanges(changes, deferred):
                if deferred:
                    visit.deferred += changes
                else:
                    visit.headers = changed(visit.headers, changes, visit)
            case Rewrite():
                _rewrite(handler, visit)
            case SetRoot(path):
                visit.root = visit.fill(path)
            case Encode():
                visit.encode = True
            case Respond():
                answered(None if handler.abort else _fixed(handler, visit))
                return True
            case FileServer():
                answered(self._file(handler, visit))
                return True
            case ReverseProxy():
                self._upstreams[handler].ask(visit, answered)
                return True
        return False

    def _file(self, handler: FileServer, visit: Visit) -> Response:
        if visit.request.method not in ("GET", "HEAD"):
            return Response(405, [("Allow", "GET, HEAD")])
        root = handler.root or visit.root
        path = posixpath.join(root, posixpath.normpath("/" + visit.path).lstrip("/"))
        for name in ("", *(f"/{one}" for one in handler.index)):
            text = self._files.read(path.rstrip("/") + name)
            if text is not None:
                kind = _TYPES.get((path + name).rpartition(".")[2], "text/plain; charset=utf-8")
                return Response(200, [("Content-Type", kind)], text.encode())
        return Response(404)

    def _finish(self, visit: Visit, response: Response) -> Response:
        headers = [*visit.headers, *response.headers]
        if not any(name.lower() == "server" for name, _ in headers):
            headers.insert(0, ("Server", "Caddy"))
        headers = changed(headers, tuple(visit.deferred), visit)
        body = response.body
        if (
            visit.encode
            and len(body) >= _SMALLEST_ENCODED
            and "gzip" in visit.incoming.get("accept-encoding", "")
            and (response.header("content-type") or "").startswith(("text/", "application/json"))
            and response.header("content-encoding") is None
        ):
            body = gzip.compress(body, 1)
            headers += [("Content-Encoding", "gzip"), ("Vary", "Accept-Encoding")]
        return Response(response.status, headers, body)

    def _log(self, site: Site, visit: Visit, response: Response) -> None:
        if site.log is None or not site.log.shown:
            return
        fields = {
            "request": journal.request_fields(visit),
            "user_id": "",
            "duration": round(self.now() - visit.began, 9),
            "size": len(response.body),
            "status": response.status,
            "resp_headers": journal.header_fields(response.headers),
        }
        level = "error" if response.status >= 500 else "info"
        self.journal.write(site.log, level, site.logger, "handled request", fields)


def _proxies(routes: tuple[Route, ...]) -> list[ReverseProxy]:
    found: list[ReverseProxy] = []
    for route in routes:
        for handler in route.handlers:
            if isinstance(handler, ReverseProxy):
                found.append(handler)
            elif isinstance(handler, Subroute):
                found += _proxies(handler.routes)
    return found


def _rewrite(handler: Rewrite, visit: Visit) -> None:
    if handler.strip_prefix and visit.path.startswith(handler.strip_prefix):
        rest = visit.path[len(handler.strip_prefix) :]
        visit.path = rest if rest.startswith("/") else f"/{rest}"
    if handler.strip_suffix:
        visit.path = visit.path.removesuffix(handler.strip_suffix) or "/"
    if handler.to:
        path, mark, query = visit.fill(handler.to).partition("?")
        visit.path = path or visit.path
        if mark:
            visit.query = query


def _fixed(handler: Respond, visit: Visit) -> Response:
    headers = []
    if handler.location is not None:
        headers.append(("Location", visit.fill(handler.location)))
    body = visit.fill(handler.body).encode()
    if body:
        headers.append(("Content-Type", "text/plain; charset=utf-8"))
    return Response(handler.status, headers, body)
