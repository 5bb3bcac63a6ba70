"""What a Caddyfile comes to: sites with routes, routes with handlers."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from tui.demo.dataplane.messages import Headers, Request

_TIME: Final = re.compile(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h|d)")
_SECONDS: Final = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600}
_PLACEHOLDER: Final = re.compile(r"\{([\w.$\-]+)\}")


def seconds(text: str) -> float | None:
    """Seconds of Go's ``1m30s``; None if it is no duration."""
    found = _TIME.findall(text)
    if not text or "".join(number + unit for number, unit in found) != text:
        return 0.0 if text == "0" else None
    return sum(float(number) * _SECONDS.get(unit, 86400) for number, unit in found)


@dataclass(slots=True)
class Visit:
    """A request on its way through the routes."""

    request: Request
    incoming: dict[str, str]
    path: str
    """As rewritten so far."""
    query: str
    port: int
    began: float
    headers: Headers = field(default_factory=list)
    """Set for the response before there is one."""
    deferred: list[HeaderChange] = field(default_factory=list)
    root: str = "/srv"
    encode: bool = False
    upstream: str = ""

    @property
    def uri(self) -> str:
        """Path and query."""
        return f"{self.path}?{self.query}" if self.query else self.path

    def fill(self, text: str) -> str:
        """Replace placeholders; those without a value become empty."""
        if "{" not in text:
            return text
        return _PLACEHOLDER.sub(lambda match: self._value(match[1]), text)

    def _value(self, name: str) -> str:
        name = name.removeprefix("http.request.").removeprefix("http.reverse_proxy.")
        if name.startswith("header."):
            return self.incoming.get(name[7:].lower(), "")
        found = _VALUES.get(name)
        return found(self) if found is not None else ""


def _host(visit: Visit) -> str:
    return visit.incoming.get("host", "").partition(":")[0]


_VALUES: Final[dict[str, Callable[[Visit], str]]] = {
    "host": _host,
    "hostport": lambda v: v.incoming.get("host", ""),
    "method": lambda v: v.request.method,
    "path": lambda v: v.path,
    "uri.path": lambda v: v.path,
    "port": lambda v: str(v.port),
    "query": lambda v: v.query,
    "uri.query": lambda v: v.query,
    "remote": lambda v: f"{v.request.client[0]}:{v.request.client[1]}",
    "remote.host": lambda v: v.request.client[0],
    "remote_host": lambda v: v.request.client[0],
    "client_ip": lambda v: v.request.client[0],
    "remote.port": lambda v: str(v.request.client[1]),
    "remote_port": lambda v: str(v.request.client[1]),
    "scheme": lambda v: "http",
    "uri": lambda v: v.uri,
    "orig_uri": lambda v: v.request.target,
    "upstream.hostport": lambda v: v.upstream,
    "upstream_hostport": lambda v: v.upstream,
    "upstream.host": lambda v: v.upstream.partition(":")[0],
}

Match = Callable[[Visit], bool]


@dataclass(frozen=True, slots=True)
class HeaderChange:
    """One operation on headers: ``set``, ``add``, ``delete``, ``default`` or ``replace``."""

    kind: str
    name: str
    value: str = ""
    replacement: str = ""


@dataclass(frozen=True, slots=True)
class Respond:
    """A fixed answer."""

    status: int
    body: str
    location: str | None = None
    """For a redirect."""
    abort: bool = False


@dataclass(frozen=True, slots=True)
class HeaderChanges:
    """Headers set for whatever answers later."""

    changes: tuple[HeaderChange, ...]
    deferred: bool


@dataclass(frozen=True, slots=True)
class Rewrite:
    """Another path from here on."""

    strip_prefix: str = ""
    strip_suffix: str = ""
    to: str = ""


@dataclass(frozen=True, slots=True)
class SetRoot:
    """Where files are from here on."""

    path: str


@dataclass(frozen=True, slots=True)
class Encode:
    """Compress answers from here on."""


@dataclass(frozen=True, slots=True)
class FileServer:
    """Answers with files."""

    root: str = ""
    index: tuple[str, ...] = ("index.html", "index.txt")


@dataclass(frozen=True, slots=True)
class Health:
    """Active health checks."""

    uri: str
    interval: float = 30.0
    timeout: float = 5.0
    status: int = 0
    """Expected; below 10 any of its hundreds; 0: 200 to 399."""
    port: int = 0
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(eq=False, slots=True)
class ReverseProxy:
    """Passes requests to upstreams."""

    upstreams: tuple[str, ...]
    """Host and port each."""
    policy: str = "random"
    try_duration: float = 0.0
    try_interval: float = 0.25
    health: Health | None = None
    fail_duration: float = 0.0
    max_fails: int = 1
    idle: int = 32
    """Idle connections kept for each upstream."""
    read_timeout: float = 0.0
    up: tuple[HeaderChange, ...] = ()
    down: tuple[HeaderChange, ...] = ()


@dataclass(frozen=True, slots=True)
class Subroute:
    """Routes of their own."""

    routes: tuple[Route, ...]


Handler = (
    Respond | HeaderChanges | Rewrite | SetRoot | Encode | FileServer | ReverseProxy | Subroute
)


@dataclass(frozen=True, slots=True)
class Route:
    """Handlers for requests that match."""

    match: Match | None
    handlers: tuple[Handler, ...]
    exclusive: bool = False
    """Of its neighbours that say so too, only the first that matches is taken."""


@dataclass(frozen=True, slots=True)
class LogOutput:
    """Where a logger writes."""

    shown: bool
    """In the container's log."""
    console: bool = False
    """As text instead of JSON."""
    target: str = "stderr"


@dataclass(slots=True)
class Site:
    """A server block."""

    ports: tuple[int, ...]
    hosts: tuple[str, ...]
    """None: any."""
    routes: tuple[Route, ...]
    log: LogOutput | None = None
    """Where its access log goes; None: it has none."""
    logger: str = ""


@dataclass(slots=True)
class Config:
    """All of it."""

    sites: list[Site] = field(default_factory=list)
    admin: bool = True
    runtime: LogOutput = field(default_factory=lambda: LogOutput(True))
    notes: list[tuple[str, int]] = field(default_factory=list)
    """Directives that are not simulated, and their lines."""
