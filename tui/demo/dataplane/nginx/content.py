"""Answers nginx makes up itself: error pages, redirects, files."""

from __future__ import annotations

import posixpath
from typing import Final
from urllib.parse import unquote

from tui.demo.dataplane.files import Files
from tui.demo.dataplane.messages import Response, reason
from tui.demo.dataplane.nginx.exchange import Exchange
from tui.demo.dataplane.nginx.image import TYPES, VERSION
from tui.demo.dataplane.nginx.model import Location

_PAGE: Final = (
    "<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n"
    "<center><h1>{title}</h1></center>\r\n<hr><center>{server}</center>\r\n</body>\r\n</html>\r\n"
)


def normalized(target: str) -> str:
    """The path of a request's target: decoded, without ``//``, ``.`` and ``..``."""
    path = unquote(target.partition("?")[0], errors="replace")
    if not path.startswith("/"):
        path = "/" + path.partition("://")[2].partition("/")[2]
    clean = posixpath.normpath(path.replace("//", "/"))
    clean = "/" + clean.lstrip("/")
    return clean + "/" if path.endswith(("/", "/.", "/..")) and clean != "/" else clean


def server_name(location: Location) -> str:
    """How it calls itself."""
    return f"nginx/{VERSION}" if location.settings.tokens else "nginx"


def status_page(status: int, location: Location) -> Response:
    """The built-in page for a status; small statuses have none."""
    if status < 300:
        return Response(status)
    title = f"{status} {reason(status)}".rstrip()
    if status == 503:
        title = "503 Service Temporarily Unavailable"
    elif status == 504:
        title = "504 Gateway Time-out"
    body = _PAGE.format(title=title, server=server_name(location))
    return Response(status, [("Content-Type", "text/html")], body.encode())


def given(exchange: Exchange, location: Location) -> Response:
    """What ``return`` says."""
    status, template = location.gives or (200, None)
    text = template.render(exchange) if template is not None else ""
    if status in (301, 302, 303, 307, 308):
        response = status_page(status, location)
        if text.startswith("/"):
            text = f"http://{exchange.incoming.get('host', exchange.server_name)}{text}"
        response.headers.append(("Location", text))
        return response
    if template is None:
        return status_page(status, location)
    return Response(status, [("Content-Type", location.settings.default_type)], text.encode())


def file_path(uri: str, location: Location) -> str:
    """Where a location looks for a file."""
    if location.alias is not None:
        return location.alias + uri[len(location.pattern) :]
    return location.settings.root.rstrip("/") + uri


def file(exchange: Exchange, location: Location, files: Files) -> Response | str:
    """A static file, or in place of a directory its index: the URI to go on with."""
    if exchange.request.method not in ("GET", "HEAD"):
        return status_page(405, location)
    uri = exchange.uri
    if uri.endswith("/"):
        for name in location.settings.index:
            if files.read(file_path(uri + name, location)) is not None:
                return uri + name
        missing = not files.has_directory(file_path(uri, location))
        return status_page(404 if missing else 403, location)
    path = file_path(uri, location)
    text = files.read(path)
    if text is None:
        if files.has_directory(path):
            response = status_page(301, location)
            host = exchange.incoming.get("host", exchange.server_name)
            response.headers.append(("Location", f"http://{host}{uri}/"))
            return response
        return status_page(404, location)
    kind = TYPES.get(path.rpartition(".")[2], location.settings.default_type)
    return Response(200, [("Content-Type", kind)], text.encode())


def tried(exchange: Exchange, location: Location, files: Files) -> Response | str | None:
    """What ``try_files`` comes to: an answer, another URI, or None: the file is there."""
    *candidates, last = location.tries
    for candidate in candidates:
        uri = candidate.render(exchange)
        path = file_path(uri, location)
        found = files.has_directory(path) if uri.endswith("/") else files.read(path) is not None
        if found:
            exchange.uri = uri
            return None
    text = last.render(exchange)
    return status_page(int(text[1:]), location) if text.startswith("=") else text
