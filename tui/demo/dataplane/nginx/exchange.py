"""One request on its way through nginx, and what variables can tell of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from tui.demo.dataplane.messages import Headers, Request


@dataclass(slots=True)
class Exchange:
    """A request and what became of it so far."""

    request: Request
    incoming: dict[str, str]
    """The request's headers, names in lower case."""
    uri: str
    """The path, decoded and normalized."""
    port: int
    number: int
    hostname: str
    address: str
    now: Callable[[], float]
    """Real seconds."""
    wall: Callable[[], datetime]
    began: float
    server_name: str = ""
    status: int = 0
    body_bytes: int = 0
    sent: Headers = field(default_factory=list)
    proxy_host: str = ""
    values: dict[str, str] = field(default_factory=dict)
    """What ``set`` and regular expressions gave."""
    upstream_addresses: list[str] = field(default_factory=list)
    upstream_statuses: list[str] = field(default_factory=list)
    upstream_times: list[float] = field(default_factory=list)
    """Seconds each attempt took."""
    upstream_headers: Headers = field(default_factory=list)
    redirects: int = 0

    def elapsed(self) -> float:
        """Seconds since the request came in."""
        return self.now() - self.began
