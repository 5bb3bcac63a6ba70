"""What nginx.conf comes to: servers, locations and upstreams."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from tui.demo.dataplane.nginx.templates import Template


@dataclass(slots=True)
class Peer:
    """A server of an upstream, at one address."""

    address: str
    port: int
    weight: int = 1
    max_fails: int = 1
    fail_timeout: float = 10.0
    backup: bool = False
    current: int = 0
    """For smooth weighted round robin."""
    fails: int = 0
    down_until: float = 0.0


@dataclass(slots=True)
class Upstream:
    """A group of servers."""

    name: str
    peers: list[Peer]
    keepalive: int = 0
    """Idle connections kept; 0: every request opens one."""
    method: str = "round_robin"


@dataclass(frozen=True, slots=True)
class Pass:
    """A ``proxy_pass``."""

    target: Template
    """Host and port, or the name of an upstream."""
    uri: str | None
    """What replaces the location's prefix; None: the request's target goes on as it is."""
    upstream: Upstream | None
    """None: the name is only known at the request."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a context sets or inherits."""

    access_log: tuple[Template, ...] | None = None
    """The formats of the logs that end up in the container's log; None: as by default."""
    headers: tuple[tuple[str, Template, bool], ...] = ()
    """``add_header``: name, value, whether always."""
    proxy_headers: tuple[tuple[str, Template], ...] = ()
    proxy_version: str = "1.0"
    expires: float | None = None
    default_type: str = "text/plain"
    root: str = "/etc/nginx/html"
    index: tuple[str, ...] = ("index.html",)
    error_pages: tuple[tuple[int, str], ...] = ()
    intercept: bool = False
    body_limit: int = 1024**2
    tokens: bool = True
    read_timeout: float = 60.0
    resolver: bool = False
    gzip: bool = False
    gzip_types: frozenset[str] = frozenset({"text/html"})
    gzip_length: int = 20
    idle_timeout: float = 75.0


@dataclass(frozen=True, slots=True)
class Location:
    """A ``location``, or a server's own body when no location matches."""

    modifier: str
    pattern: str
    regex: re.Pattern[str] | None
    settings: Settings
    sets: tuple[tuple[str, Template], ...] = ()
    gives: tuple[int, Template | None] | None = None
    """``return``: a status and a text or URL."""
    passes: Pass | None = None
    alias: str | None = None
    tries: tuple[Template, ...] = ()
    nested: tuple[Location, ...] = ()
    """Locations inside it, which inherit its settings."""


@dataclass(slots=True)
class Server:
    """A ``server``."""

    ports: dict[int, bool]
    """Port → whether it is the port's default server."""
    names: tuple[str, ...]
    locations: list[Location]
    itself: Location


@dataclass(slots=True)
class Config:
    """All of it."""

    servers: list[Server]
    warnings: list[str] = field(default_factory=list)
    workers: int = 1
