"""A server on 127.0.0.1 that misbehaves as told: one script a path, one thread a connection."""

from __future__ import annotations

import json
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

CERTS = Path(__file__).parent / "certs"
AT_ONCE: Final = 3.0
"""Seconds: one, and what a busy machine adds. What is not ended waits for far longer."""


@dataclass
class Exchange:
    """One request, and the ways to answer it."""

    handler: BaseHTTPRequestHandler
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    server: Server
    body: bytes = b""

    def reply(
        self,
        status: int = 200,
        body: bytes | str | dict[str, Any] = b"",
        content_type: str = "application/json",
        **headers: str,
    ) -> None:
        """A whole answer. Header names are written with underscores."""
        if isinstance(body, dict):
            body = json.dumps(body).encode()
        data = body.encode() if isinstance(body, str) else body
        self.start(status, content_type, Content_Length=str(len(data)), **headers)
        self.write(data)

    def start(
        self, status: int = 200, content_type: str = "application/json", **headers: str
    ) -> None:
        """Status line and headers."""
        self.handler.send_response(status)
        self.handler.send_header("Content-Type", content_type)
        for name, value in headers.items():
            self.handler.send_header(name.replace("_", "-"), value)
        self.handler.end_headers()
        self.handler.wfile.flush()

    def start_chunked(self) -> None:
        """The headers of a watch."""
        self.start(Transfer_Encoding="chunked")

    def chunk(self, data: bytes) -> None:
        self.write(b"%x\r\n%b\r\n" % (len(data), data))

    def event(self, type: str, obj: dict[str, Any]) -> None:
        """A watch line in a chunk of its own."""
        self.chunk(json.dumps({"type": type, "object": obj}).encode() + b"\n")

    def end(self) -> None:
        """The last chunk."""
        self.write(b"0\r\n\r\n")

    def write(self, data: bytes) -> None:
        self.handler.wfile.write(data)
        self.handler.wfile.flush()

    def cut(self) -> None:
        """Reset the connection."""
        connection = self.handler.connection
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.handler.close_connection = True
        connection.close()

    def stall(self) -> None:
        """Say nothing more until the server is stopped."""
        self.server.stopped.wait(30)
        self.handler.close_connection = True


Behaviour = Callable[[Exchange], None]


@dataclass
class Server:
    """Use as a context manager. What was asked is in ``requests``."""

    tls: str | None = None
    """A certificate of certs/ to serve with."""
    client_ca: bool = False
    date: float | None = None
    """What its clock says, if not the truth."""
    requests: list[Exchange] = field(default_factory=list)
    stopped: threading.Event = field(default_factory=threading.Event)
    _scripts: dict[tuple[str, bool], list[Behaviour]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def on(self, path: str, *behaviours: Behaviour, watch: bool = False) -> None:
        """Each request of the path takes the next behaviour; the last goes on for ever."""
        with self._lock:
            self._scripts[path, watch] = list(behaviours)

    def asked(self, path: str, *, watch: bool = False) -> list[Exchange]:
        """The requests so far, of lists or of watches."""
        return [r for r in self.requests if r.path == path and ("watch" in r.query) == watch]

    @property
    def url(self) -> str:
        scheme = "https" if self.tls else "http"
        return f"{scheme}://127.0.0.1:{self.port}"

    @property
    def port(self) -> int:
        return int(self._http.server_address[1])

    def __enter__(self) -> Server:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                outer._answer(self)

            do_POST = do_PATCH = do_PUT = do_DELETE = do_GET  # noqa: N815

            def date_time_string(self, timestamp: float | None = None) -> str:
                return formatdate(outer.date or time.time(), usegmt=True)

            def log_message(self, *_: Any) -> None:
                pass

        class Http(ThreadingHTTPServer):
            daemon_threads = True
            block_on_close = False

            def handle_error(self, *_: Any) -> None:
                """Clients that go away are the point."""

        self._http = Http(("127.0.0.1", 0), Handler)
        if self.tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(CERTS / f"{self.tls}.pem", CERTS / "server.key")
            if self.client_ca:
                context.verify_mode = ssl.CERT_REQUIRED
                context.load_verify_locations(CERTS / "ca.pem")
            self._http.socket = context.wrap_socket(
                self._http.socket, server_side=True, do_handshake_on_connect=False
            )
        threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: Any) -> None:
        self.stopped.set()
        self._http.shutdown()
        self._http.server_close()

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(handler.path)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        length = int(handler.headers.get("Content-Length") or 0)
        exchange = Exchange(
            handler,
            parts.path,
            query,
            {k.lower(): v for k, v in handler.headers.items()},
            self,
            handler.rfile.read(length) if length else b"",
        )
        with self._lock:
            self.requests.append(exchange)
            script = self._scripts.get((parts.path, "watch" in query))
            if script is None:
                behaviour: Behaviour = not_found
            else:
                behaviour = script.pop(0) if len(script) > 1 else script[0]
        try:
            behaviour(exchange)
        except OSError:
            handler.close_connection = True


def not_found(exchange: Exchange) -> None:
    exchange.reply(404, "404 page not found\n", "text/plain; charset=utf-8")


def status(code: int, reason: str, message: str = "", **headers: str) -> Behaviour:
    """Answer with a Status object."""

    def answer(exchange: Exchange) -> None:
        exchange.reply(code, status_object(code, reason, message), **headers)

    return answer


def status_object(code: int, reason: str, message: str = "") -> dict[str, Any]:
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message or reason,
        "reason": reason,
        "code": code,
    }


def stall(exchange: Exchange) -> None:
    exchange.stall()


def cut(exchange: Exchange) -> None:
    exchange.cut()


def listing(
    objects: Sequence[dict[str, Any]], version: str = "100", rest: str = "", kind: str = "PodList"
) -> Behaviour:
    """A page of a list."""

    def answer(exchange: Exchange) -> None:
        meta = {"resourceVersion": version, **({"continue": rest} if rest else {})}
        exchange.reply(200, {"kind": kind, "metadata": meta, "items": list(objects)})

    return answer


def watching(*events: tuple[str, dict[str, Any]] | bytes, then: str = "stall") -> Behaviour:
    """Events (or raw bytes, each a chunk) and then ``stall``, ``end`` or ``cut``."""

    def answer(exchange: Exchange) -> None:
        exchange.start_chunked()
        for event in events:
            exchange.chunk(event) if isinstance(event, bytes) else exchange.event(*event)
        {"stall": exchange.stall, "end": exchange.end, "cut": exchange.cut}[then]()

    return answer


def pod(name: str, version: int = 1, namespace: str = "default", **more: Any) -> dict[str, Any]:
    """A small pod; its uid is its name."""
    return {
        "metadata": {
            "name": name,
            "namespace": namespace,
            "uid": more.pop("uid", f"uid-{name}"),
            "resourceVersion": str(version),
            "creationTimestamp": "2026-11-21T00:00:00Z",
        },
        "spec": {"containers": [{"name": "app"}]},
        "status": {"phase": "Running", **more},
    }


def eventually(condition: Callable[[], Any], seconds: float = 10.0) -> Any:
    """Wait until the condition is true, and return its value."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {condition}")
        time.sleep(0.005)
