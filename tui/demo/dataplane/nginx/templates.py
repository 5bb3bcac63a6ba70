"""Strings with variables, such as log formats and header values."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from tui.demo.dataplane.messages import Headers
from tui.demo.dataplane.nginx.image import VERSION

if TYPE_CHECKING:
    from tui.demo.dataplane.nginx.exchange import Exchange

_VARIABLE: Final = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
_PREFIXES: Final = ("http_", "sent_http_", "upstream_http_", "arg_", "cookie_")

Part = Callable[["Exchange"], str]
_NOTHING: Final[Mapping[str, Part]] = {}


class UnknownVariableError(Exception):
    """A string uses a variable that does not exist; the text is its name."""


class Template:
    """A string in which variables are replaced at each request.

    Args:
        text: as configured.
        made: names that the configuration itself makes, by ``set``, a regular expression or
            ``map``, and what reads them.

    Raises:
        UnknownVariableError: there is no such variable.
    """

    __slots__ = ("_parts", "constant", "text")

    def __init__(self, text: str, made: Mapping[str, Part] = _NOTHING) -> None:
        self.text = text
        parts: list[str | Part] = []
        end = 0
        for match in _VARIABLE.finditer(text):
            if match.start() > end:
                parts.append(text[end : match.start()])
            parts.append(_reader(match[1] or match[2], made))
            end = match.end()
        if end < len(text):
            parts.append(text[end:])
        self._parts = parts
        self.constant = not any(callable(part) for part in parts)

    def render(self, exchange: Exchange, empty: str = "") -> str:
        """The string for a request; ``empty`` stands for variables without a value."""
        return "".join(
            part if isinstance(part, str) else part(exchange) or empty for part in self._parts
        )


def value_of(name: str) -> Part:
    """Reads what ``set`` or a regular expression gave."""
    return lambda exchange: exchange.values.get(name, "")


def _reader(name: str, made: Mapping[str, Part]) -> Part:
    if name.isdigit():
        return value_of(name)
    found = made.get(name) or _VARIABLES.get(name)
    if found is not None:
        return found
    for prefix in _PREFIXES:
        if name.startswith(prefix):
            return _prefixed(prefix, name[len(prefix) :])
    raise UnknownVariableError(name)


def _prefixed(prefix: str, rest: str) -> Part:
    header = rest.replace("_", "-").lower()
    if prefix == "http_":
        return lambda exchange: exchange.incoming.get(header, "")
    if prefix == "sent_http_":
        return lambda exchange: _of(exchange.sent, header)
    if prefix == "upstream_http_":
        return lambda exchange: _of(exchange.upstream_headers, header)
    if prefix == "arg_":
        return lambda exchange: _argument(exchange.request.query, rest)
    return lambda exchange: _cookie(exchange.incoming.get("cookie", ""), rest)


def _of(headers: Headers, name: str) -> str:
    return next((value for key, value in headers if key.lower() == name), "")


def _argument(query: str, name: str) -> str:
    for pair in query.split("&"):
        key, _, value = pair.partition("=")
        if key == name:
            return value
    return ""


def _cookie(header: str, name: str) -> str:
    for pair in header.split(";"):
        key, _, value = pair.strip().partition("=")
        if key == name:
            return value
    return ""


def _forwarded(exchange: Exchange) -> str:
    before = exchange.incoming.get("x-forwarded-for", "")
    address = exchange.request.client[0]
    return f"{before}, {address}" if before else address


def _line(exchange: Exchange) -> str:
    request = exchange.request
    return f"{request.method} {request.target} HTTP/{request.version}"


def _host(exchange: Exchange) -> str:
    host = exchange.incoming.get("host", "")
    return host.partition(":")[0].lower() or exchange.server_name


def _listed(values: list[float], failed: str = "-") -> str:
    return ", ".join(f"{value:.3f}" if value >= 0 else failed for value in values)


_VARIABLES: Final[Mapping[str, Part]] = {
    "args": lambda x: x.request.query,
    "query_string": lambda x: x.request.query,
    "is_args": lambda x: "?" if x.request.query else "",
    "binary_remote_addr": lambda x: x.request.client[0],
    "body_bytes_sent": lambda x: str(x.body_bytes),
    "bytes_sent": lambda x: str(x.body_bytes + 200),
    "connection": lambda x: str(x.number),
    "connection_requests": lambda x: "1",
    "content_length": lambda x: x.incoming.get("content-length", ""),
    "content_type": lambda x: x.incoming.get("content-type", ""),
    "document_uri": lambda x: x.uri,
    "gzip_ratio": lambda x: "",
    "host": _host,
    "hostname": lambda x: x.hostname,
    "https": lambda x: "",
    "msec": lambda x: f"{x.wall().timestamp():.3f}",
    "nginx_version": lambda x: VERSION,
    "pid": lambda x: "7",
    "pipe": lambda x: ".",
    "proxy_add_x_forwarded_for": _forwarded,
    "proxy_host": lambda x: x.proxy_host,
    "proxy_port": lambda x: x.proxy_host.rpartition(":")[2] if ":" in x.proxy_host else "80",
    "remote_addr": lambda x: x.request.client[0],
    "remote_port": lambda x: str(x.request.client[1]),
    "remote_user": lambda x: "",
    "request": _line,
    "request_id": lambda x: f"{x.number:032x}",
    "request_length": lambda x: str(len(x.request.body) + len(_line(x)) + 100),
    "request_method": lambda x: x.request.method,
    "request_time": lambda x: f"{x.elapsed():.3f}",
    "request_uri": lambda x: x.request.target,
    "scheme": lambda x: "http",
    "server_addr": lambda x: x.address,
    "server_name": lambda x: x.server_name,
    "server_port": lambda x: str(x.port),
    "server_protocol": lambda x: f"HTTP/{x.request.version}",
    "status": lambda x: str(x.status),
    "time_iso8601": lambda x: x.wall().strftime("%Y-%m-%dT%H:%M:%S+00:00"),
    "time_local": lambda x: x.wall().strftime("%d/%b/%Y:%H:%M:%S +0000"),
    "upstream_addr": lambda x: ", ".join(x.upstream_addresses),
    "upstream_cache_status": lambda x: "",
    "upstream_connect_time": lambda x: _listed([0.0 if t >= 0 else t for t in x.upstream_times]),
    "upstream_header_time": lambda x: _listed(x.upstream_times),
    "upstream_response_length": lambda x: str(x.body_bytes) if x.upstream_statuses else "",
    "upstream_response_time": lambda x: _listed(x.upstream_times),
    "upstream_status": lambda x: ", ".join(x.upstream_statuses),
    "uri": lambda x: x.uri,
}
