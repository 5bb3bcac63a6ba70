"""What a burst will do, settled to the last figure before the first worker starts."""

from __future__ import annotations

import math
import re
from typing import Final
from urllib.parse import quote, urlsplit

import msgspec

from tui import __version__
from tui.load.curve import Curve, Points, steady

METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
_FORBIDDEN: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_TOO_LARGE: Final = 2**63
"""Workers are told whole numbers in eight bytes."""


class PlanError(ValueError):
    """A burst that cannot be. The message is one sentence for people, without a full stop."""


class Pattern(msgspec.Struct, frozen=True):
    """How to tell from a response which pod answered."""

    regex: str
    """With one group; the group's text names the pod. Searched in ISO 8859-1 text."""
    header: str | None = None
    """The header to search in; None: the first 64 KB of the body."""

    def __post_init__(self) -> None:
        try:
            groups = re.compile(self.regex).groups
        except re.error as error:
            raise PlanError(f"the pattern {self.regex!r} is not a regex: {error}") from None
        if groups != 1:
            raise PlanError(f"the pattern {self.regex!r} needs exactly one group, such as (.+)")
        if self.header is not None and not _TOKEN.fullmatch(self.header):
            raise PlanError(f"{self.header!r} is not a header's name")


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """One burst. Times are in seconds, rates in requests a second."""

    url: str
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    connections: Points = steady(50)
    """How many connections are open at a time."""
    rate: Points | None = None
    """Requests a second over all connections, sent when due whether or not others were answered."""
    rate_per_connection: float | None = None
    """hey's -q: requests a second of each connection."""
    duration: float | None = None
    count: int | None = None
    """How many requests, over all connections."""
    timeout: float = 20.0
    """From sending a request, or opening a connection for it, to the end of its response."""
    keep_alive: bool = True
    verify: bool = True
    """Whether a TLS certificate must be valid for the host."""
    cacert: str | None = None
    """A PEM file of authorities to trust instead of the system's."""
    address: str | None = None
    """Where the URL's host is, if that is settled already; else its name is looked up."""
    pattern: Pattern | None = None
    profile: str | None = None
    """The preset that it came from."""
    seed: int = 1
    workers: int = 1
    """Processes to spread the connections over."""

    def __post_init__(self) -> None:
        target(self.url)
        if self.duration is None and self.count is None:
            raise PlanError("a burst needs a duration or a count")
        if self.rate is not None and self.rate_per_connection is not None:
            raise PlanError("a rate for all and a rate per connection exclude each other")
        for what, whole in (
            ("seed", self.seed),
            ("count", self.count),
            ("number of workers", self.workers),
        ):
            if whole is not None and not -_TOO_LARGE < whole < _TOO_LARGE:
                raise PlanError(f"the {what} has too many figures")
        for what, value in (
            ("duration", self.duration),
            ("count", self.count),
            ("timeout", self.timeout),
            ("rate per connection", self.rate_per_connection),
            ("number of workers", self.workers),
        ):
            if value is not None:
                _check_more_than_0(what, value)
        _check_course("number of connections", self.connections)
        if self.most_connections < 1:
            raise PlanError("a burst needs at least one connection")
        if self.rate is not None:
            _check_course("rate", self.rate)
        _check_method(self.method)
        for name, text in self.headers:
            check_header(name, text)

    @property
    def most_connections(self) -> int:
        """Open at once."""
        return round(Curve(self.connections).most)

    @property
    def most_workers(self) -> int:
        """Beyond which one would be without a connection, and its part of the burst never sent."""
        if self.rate is None:
            return self.most_connections
        return max(1, round(Curve(self.connections).least))

    @property
    def most_rate(self) -> float | None:
        """The highest rate asked over all connections; None: as fast as it goes."""
        if self.rate is not None:
            return Curve(self.rate).most
        if self.rate_per_connection is not None:
            return self.rate_per_connection * Curve(self.connections).most
        return None

    def asked(self, elapsed: float) -> float | None:
        """How many requests were due within the first ``elapsed`` seconds; None: no rate is set."""
        if self.duration is not None:
            elapsed = min(elapsed, self.duration)
        if self.rate is not None:
            due = Curve(self.rate).total(elapsed)
        elif self.rate_per_connection is not None:
            due = Curve(self.connections).total(elapsed) * self.rate_per_connection
        else:
            return None
        return due if self.count is None else min(due, float(self.count))

    def asked_rate(self, elapsed: float) -> float | None:
        """The rate asked at a moment; None: no rate is set."""
        if self.rate is not None:
            return Curve(self.rate).at(elapsed)
        if self.rate_per_connection is not None:
            return Curve(self.connections).at(elapsed) * self.rate_per_connection
        return None


class Target(msgspec.Struct, frozen=True):
    """Where a URL leads."""

    tls: bool
    host: str
    """As a name server or TLS wants it: no brackets, no port."""
    port: int
    path: str
    """With the query; what follows the method in the request line."""

    @property
    def authority(self) -> str:
        """What the Host header says."""
        name = f"[{self.host}]" if ":" in self.host else self.host
        return name if self.port == (443 if self.tls else 80) else f"{name}:{self.port}"


def target(url: str) -> Target:
    """Take a URL apart.

    Raises:
        PlanError: it is not an http or https URL with a host, or carries a password.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise PlanError(f"{url!r} is not a URL") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise PlanError(f"{url!r} is not a URL such as http://127.0.0.1:8080/")
    if port == 0:
        raise PlanError(f"nothing can listen on port 0, which {url!r} names")
    if parts.username is not None:
        raise PlanError("a URL must not carry a user name; give an Authorization header with -H")
    try:
        host = parts.hostname.encode("idna").decode() if not parts.hostname.isascii() else None
    except UnicodeError:
        raise PlanError(f"{parts.hostname!r} is not a host name") from None
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._")
    if parts.query:
        path += "?" + quote(parts.query, safe="/%:@!$&'()*+,;=~-._?")
    tls = parts.scheme == "https"
    return Target(tls, host or parts.hostname, port or (443 if tls else 80), path)


def request_bytes(plan: Plan) -> bytes:
    """The request as it goes over the wire, the same for every connection."""
    where = target(plan.url)
    given = {name.lower() for name, _ in plan.headers}
    lines = [f"{plan.method} {where.path} HTTP/1.1"]
    if "host" not in given:
        lines.append(f"Host: {where.authority}")
    if "user-agent" not in given:
        lines.append(f"User-Agent: kscale-tui/{__version__}")
    if "accept" not in given:
        lines.append("Accept: */*")
    lines += [f"{name}: {value}" for name, value in plan.headers]
    if "content-length" not in given and (plan.body or plan.method in ("POST", "PUT", "PATCH")):
        lines.append(f"Content-Length: {len(plan.body)}")
    if not plan.keep_alive and "connection" not in given:
        lines.append("Connection: close")
    return "\r\n".join((*lines, "", "")).encode("latin-1") + plan.body


def check_header(name: str, value: str) -> None:
    """Refuse what would break the request apart.

    Raises:
        PlanError: not a header.
    """
    if not _TOKEN.fullmatch(name):
        raise PlanError(f"{name!r} is not a header's name")
    if _FORBIDDEN.search(value):
        raise PlanError(f"the header {name} has a control character in its value")
    try:
        value.encode("latin-1")
    except UnicodeEncodeError:
        raise PlanError(f"the header {name} has a character that HTTP cannot carry") from None
    if name.lower() == "transfer-encoding":
        raise PlanError("the body's length is known, so Transfer-Encoding cannot be set")


def _check_more_than_0(what: str, value: float) -> None:
    if not math.isfinite(value):
        raise PlanError(f"the {what} must be a finite number, not {value:g}")
    if value <= 0:
        raise PlanError(f"the {what} must be more than 0")


def _check_course(what: str, points: Points) -> None:
    _check_more_than_0(what, Curve(points).most)
    if not all(value >= 0 for _, value in points):  # nor is it a number that is none
        raise PlanError(f"the {what} must never be less than 0")


def _check_method(method: str) -> None:
    if method not in METHODS:
        raise PlanError(f"{method!r} is not a method; there are {', '.join(METHODS)}")
