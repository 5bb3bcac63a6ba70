"""Requests to one API server: the kubernetes client's connections, raw bytes in and out.

The kubernetes package is imported when the first request is made, not before.
"""

from __future__ import annotations

import contextlib
import importlib
import socket
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import quote, urlencode

import msgspec

import tui
from tui.cluster import faults
from tui.cluster.access import ClusterConfig, stamp
from tui.cluster.credentials import Credentials, Presented
from tui.cluster.dates import http_date
from tui.cluster.errors import ApiError, Cause, Fault
from tui.cluster.halt import Halt, cut
from tui.cluster.stream import LineStream

JSON: Final = "application/json"
CONNECT_TIMEOUT: Final = 5.0
READ_TIMEOUT: Final = 30.0
_WHOLE_BODY: Final = 120.0
"""Seconds a whole body may take, however steadily it drips."""
_LARGEST: Final = 256 * 1024 * 1024
_FREELY: Final = 4 * 1024 * 1024
_RATIO: Final = 200
"""Bytes beyond which an answer may unpack to no more than so many times what was sent: lists of
pods that are all alike come to a quarter of it.
"""
_PIECE: Final = 256 * 1024
_PACKED_PIECE: Final = 16 * 1024
"""What is unpacked at once may be a thousand times as much."""
_POOL: Final = 24
_SHORT: Final = 64 * 1024
"""Bytes of an error's body that are read."""

Query = Mapping[str, str | int | bool]


class Response(msgspec.Struct, frozen=True):
    """An answer with status 2xx. Header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def path(*segments: str) -> str:
    """A path of segments, each quoted: a name cannot leave its place."""
    return "/" + "/".join(
        quote(s, safe="") if s not in (".", "..") else "%2E" * len(s) for s in segments
    )


class Transport:
    """Sends requests, renews credentials once on a 401, and says what a failure means.

    Safe between threads. Every method raises :class:`ApiError` and nothing else.
    """

    def __init__(
        self,
        config: ClusterConfig,
        *,
        credentials: Credentials | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.config = config
        self._credentials = credentials or Credentials(config, clock)
        self._clock = clock
        self._lock = threading.Lock()
        self._manager: Any = None
        self._made_with: object = None
        self._skews: deque[float] = deque(maxlen=9)
        self._agent = f"kscale-tui/{tui.__version__}"

    @property
    def credentials(self) -> Credentials:
        """As whom requests are made, for connections that are no requests."""
        return self._credentials

    @property
    def skew(self) -> float:
        """Seconds the server's clock is ahead of ours, to about half a second; 0 until known."""
        known = sorted(self._skews)
        return known[len(known) // 2] if known else 0.0

    def get(
        self,
        path: str,
        query: Query | None = None,
        *,
        timeout: float = READ_TIMEOUT,
        accept: str = JSON,
        halt: Halt | None = None,
    ) -> Response:
        """GET. ``timeout``: seconds without a byte. An answer that should be JSON but is not is an
        error of kind NOT_KUBERNETES.
        """
        return self.request("GET", path, query, timeout=timeout, accept=accept, halt=halt)

    def request(
        self,
        method: str,
        path: str,
        query: Query | None = None,
        *,
        body: bytes | None = None,
        content_type: str = JSON,
        timeout: float = READ_TIMEOUT,
        accept: str = JSON,
        halt: Halt | None = None,
    ) -> Response:
        """Any request with its whole answer."""
        extra = [("Accept", accept)]
        if body is not None:
            extra.append(("Content-Type", content_type))
        elif method == "GET" and not self.config.loopback:
            extra.append(("Accept-Encoding", "gzip"))
        guard = halt or Halt()
        raw, sock = self._send(method, path, query, extra, body, timeout, guard)
        try:
            headers = _headers(raw)
            content = self._read(raw, guard, timeout)
        finally:
            guard.detach(sock)
        if accept == JSON and not _is_json(headers, content):
            raise self._quiet(faults.not_kubernetes(raw.status, headers))
        return Response(raw.status, headers, content)

    def stream(
        self,
        path: str,
        query: Query | None = None,
        *,
        read_timeout: float = 330.0,
        accept: str = JSON,
        halt: Halt | None = None,
    ) -> LineStream:
        """GET a body that comes line by line; returns when the headers are there.

        Stopping ``halt``, or closing the stream from any thread, ends a blocked read at once.
        """
        guard = halt or Halt()
        raw, sock = self._send("GET", path, query, [("Accept", accept)], None, read_timeout, guard)
        headers = _headers(raw)
        if accept == JSON and "json" not in headers.get("content-type", ""):
            guard.detach(sock)
            _discard(raw)
            raise self._quiet(faults.not_kubernetes(raw.status, headers))
        if headers.get("content-encoding", "identity") != "identity":
            guard.detach(sock)
            _discard(raw)
            raise ApiError(Fault.BAD_REPLY, "The server packs a watch that should not be packed.")
        # The client's own chunk reader yields a chunk, thus an event, at a time and cannot tell
        # whether more is there. The buffered reader below it gives all that has arrived.
        chunked = headers.get("transfer-encoding", "").lower() == "chunked"
        # One that knows how long the body is ends with it.
        bounded = not chunked and raw._fp.length is not None
        reader = raw._fp if bounded else raw._fp.fp

        def close() -> None:
            guard.detach(sock)
            # A reader in another thread holds the buffer's lock until its read ends.
            if sock is not None:
                cut(sock)
            _discard(raw)

        return LineStream(
            reader.read1,
            close,
            more=lambda: sock is not None and _readable(sock),
            chunked=chunked,
            translate=lambda error: self._translate(error, guard),
        )

    def masked(self, text: str) -> str:
        """What the server said, without our credentials."""
        return self._credentials.masked(text)

    def _quiet(self, error: ApiError) -> ApiError:
        error.message, error.reason = self.masked(error.message), self.masked(error.reason)
        error.causes = tuple(
            Cause(*(self.masked(text) for text in (c.reason, c.field, c.message)))
            for c in error.causes
        )
        error.args = (error.message,)
        return error

    def close(self) -> None:
        """Close idle connections; those in use end with their halt."""
        with self._lock:
            manager, self._manager = self._manager, None
        if manager is not None:
            manager.clear()

    def _send(
        self,
        method: str,
        path: str,
        query: Query | None,
        extra: list[tuple[str, str]],
        body: bytes | None,
        timeout: float,
        halt: Halt,
    ) -> tuple[Any, socket.socket | None]:
        """The open response and its socket, once the status is 2xx."""
        with halt.guarding():
            as_whom = self._credentials.present()
            try:
                return self._once(method, path, query, extra, body, timeout, halt, as_whom)
            except ApiError as error:
                if halt.stopped:
                    raise ApiError(Fault.STOPPED, "stopped") from None
                if not self._may_help(error, as_whom.generation):
                    raise
            as_whom = self._credentials.present()
            return self._once(method, path, query, extra, body, timeout, halt, as_whom)

    def _may_help(self, error: ApiError, generation: int) -> bool:
        """Whether the same request may fare better with what can be had anew."""
        if error.kind is Fault.UNAUTHORIZED and self._credentials.refresh(generation):
            return True
        return error.kind in (Fault.UNAUTHORIZED, Fault.TLS) and self._outdated()

    def _once(
        self,
        method: str,
        path: str,
        query: Query | None,
        extra: list[tuple[str, str]],
        body: bytes | None,
        timeout: float,
        halt: Halt,
        as_whom: Presented,
    ) -> tuple[Any, socket.socket | None]:
        try:
            manager = self._pool()
        except Exception as error:
            raise self._translate(error, halt) from error
        headers = _header_dict([("User-Agent", self._agent), *extra, *as_whom.headers])
        url = self.config.server + path
        if query:
            url += "?" + urlencode({k: _query_value(v) for k, v in query.items()})
        sent = self._clock()
        try:
            raw = manager.request(
                method,
                url,
                body=body,
                headers=headers,
                timeout=_timeout(CONNECT_TIMEOUT, timeout),
                preload_content=False,
                redirect=False,
                retries=False,
            )
        except Exception as error:
            raise self._translate(error, halt) from error
        sock: socket.socket | None = getattr(raw.connection, "guarded", None)
        self._note_clock(raw.headers.get("Date"), sent)
        if 200 <= raw.status < 300:
            return raw, sock
        try:
            content = self._read(raw, halt, timeout, _SHORT)
        finally:
            halt.detach(sock)
        answer = faults.of_answer(raw.status, _headers(raw), _silent(content, as_whom))
        raise self._quiet(answer)

    def _read(self, raw: Any, halt: Halt, timeout: float, largest: int = _LARGEST) -> bytes:
        """The whole body, unpacked."""
        deadline = time.monotonic() + max(_WHOLE_BODY, timeout)
        pieces: list[bytes] = []
        size = 0
        try:
            at_once = _PACKED_PIECE if raw.headers.get("Content-Encoding") else _PIECE
            for piece in raw.stream(at_once, decode_content=True):
                pieces.append(piece)
                size += len(piece)
                packed_tight = size > _FREELY and size > _RATIO * raw.tell()
                if size > largest or packed_tight:
                    raise ApiError(Fault.BAD_REPLY, "The server's answer is too long.")
                if time.monotonic() > deadline:
                    raise TimeoutError("the body took too long")
        except Exception as error:
            _discard(raw)
            raise self._translate(error, halt) from error
        raw.release_conn()
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _translate(self, error: Exception, halt: Halt) -> ApiError:
        return faults.of_exception(error, self.config.host, stopped=halt.stopped)

    def _pool(self) -> Any:
        """The connection pools, made anew when a certificate has changed."""
        with self._lock:
            wanted = (self._credentials.certificate, stamp(self.config.files()))
            if self._manager is None or self._made_with != wanted:
                if self._manager is not None:
                    self._manager.clear()
                opener = importlib.import_module("tui.cluster.pool")
                self._manager = opener.open_pool(self.config, wanted[0], _POOL)
                self._made_with = wanted
            return self._manager

    def _outdated(self) -> bool:
        with self._lock:
            wanted = (self._credentials.certificate, stamp(self.config.files()))
            return self._made_with != wanted

    def _note_clock(self, date: str | None, sent: float) -> None:
        server = http_date(date)
        if server is not None:
            # The header is in whole seconds, cut off.
            self._skews.append(server + 0.5 - (sent + self._clock()) / 2)


def _timeout(connect: float, read: float) -> Any:
    urllib3 = importlib.import_module("urllib3")
    return urllib3.Timeout(connect=connect, read=read)


def _header_dict(pairs: list[tuple[str, str]]) -> Any:
    urllib3 = importlib.import_module("urllib3")
    headers = urllib3.HTTPHeaderDict()
    for name, value in pairs:
        headers.add(name, value)
    return headers


def _headers(raw: Any) -> dict[str, str]:
    return {name.lower(): value for name, value in raw.headers.items()}


def _silent(body: bytes, as_whom: Presented) -> bytes:
    """An error's body without our credentials, which some proxies repeat."""
    for name, value in as_whom.headers:
        secret = value.rpartition(" ")[2].encode() if name == "Authorization" else b""
        if secret:
            body = body.replace(secret, b"...")
    return body


def _is_json(headers: Mapping[str, str], body: bytes) -> bool:
    return "json" in headers.get("content-type", "") or body[:1] in (b"{", b"[")


def _query_value(value: str | int | bool) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def _readable(sock: socket.socket) -> bool:
    """Whether something has arrived; False once the socket is closed."""
    from urllib3.util.wait import wait_for_read

    try:
        return bool(isinstance(sock, ssl.SSLSocket) and sock.pending()) or wait_for_read(sock, 0)
    except (OSError, ValueError):
        return False


def _discard(raw: Any) -> None:
    """Close the connection instead of giving it back half read."""
    with contextlib.suppress(Exception):
        raw.close()
