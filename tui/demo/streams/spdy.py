"""SPDY/3.1 as kubectl speaks it: many streams on one connection, the server's end.

Only framing: bytes go in at `Session.feed`, bytes come out by the ``write`` it was given, and what
arrives on a stream goes to that stream's listener. There is no flow control, as there is none in
the other end (moby/spdystream).
https://www.chromium.org/spdy/spdy-protocol/spdy-protocol-draft3-1/
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from typing import Final, Protocol

_WORDS: Final = (
    "options|head|post|put|delete|trace|accept|accept-charset|accept-encoding|accept-lang"
    "uage|accept-ranges|age|allow|authorization|cache-control|connection|content-base|con"
    "tent-encoding|content-language|content-length|content-location|content-md5|content-r"
    "ange|content-type|date|etag|expect|expires|from|host|if-match|if-modified-since|if-n"
    "one-match|if-range|if-unmodified-since|last-modified|location|max-forwards|pragma|pr"
    "oxy-authenticate|proxy-authorization|range|referer|retry-after|server|te|trailer|tra"
    "nsfer-encoding|upgrade|user-agent|vary|via|warning|www-authenticate|method|get|statu"
    "s|200 OK|version|HTTP/1.1|url|public|set-cookie|keep-alive|origin"
)
_TEXT: Final = (
    "100101201202205206300302303304305306307402405406407408409410411412413414415416417502"
    "504505203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Re"
    "quest401 Unauthorized403 Forbidden404 Not Found500 Internal Server Error501 Not Impl"
    "emented503 Service UnavailableJan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00"
    ":00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMTchunked,text/html,image/png,image/jpg,imag"
    "e/gif,application/xml,application/xhtml+xml,text/plain,text/javascript,publicprivate"
    "max-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0."
)
_DICTIONARY: Final = (
    b"".join(struct.pack(">I", len(word)) + word.encode() for word in _WORDS.split("|"))
    + _TEXT.encode()
)
_VERSION: Final = 3
_SYN_STREAM: Final = 1
_SYN_REPLY: Final = 2
_RST_STREAM: Final = 3
_PING: Final = 6
_GOAWAY: Final = 7
_HEADERS: Final = 8
_FIN: Final = 1
_LARGEST_FRAME: Final = 1 << 20
_MOST_STREAMS: Final = 2048
_MOST_HEADERS: Final = 64 * 1024


class SpdyError(Exception):
    """The bytes are no SPDY, or more than is taken."""


class Listener(Protocol):
    """What a stream's other end is told."""

    def received(self, data: bytes) -> None:
        """Bytes have come."""

    def finished(self) -> None:
        """No more will come."""

    def lost(self) -> None:
        """The stream was reset, or its connection is gone."""


class Stream:
    """One stream that the client has opened."""

    def __init__(self, session: Session, number: int, headers: dict[str, str]) -> None:
        self._session = session
        self.number = number
        self.headers = headers
        """Names in lower case."""
        self.listener: Listener | None = None
        self.closed = False
        """Nothing more may be sent."""

    def send(self, data: bytes) -> None:
        """Send bytes, unless the stream is closed."""
        if not self.closed:
            self._session.send_data(self.number, data, 0)

    def close(self) -> None:
        """Say that no more comes."""
        if not self.closed:
            self.closed = True
            self._session.send_data(self.number, b"", _FIN)

    def reset(self) -> None:
        """Break the stream off."""
        if not self.closed:
            self.closed = True
            self._session.send_control(_RST_STREAM, 0, struct.pack(">II", self.number, 5))
        self._session.forget(self.number)


class Session:
    """One connection.

    Args:
        write: sends bytes to the client.
        opened: told of each new stream; it sets the stream's listener.
    """

    def __init__(self, write: Callable[[bytes], None], opened: Callable[[Stream], None]) -> None:
        self._write = write
        self._opened = opened
        self._buffer = bytearray()
        self._inflate = zlib.decompressobj(zdict=_DICTIONARY)
        self._deflate = zlib.compressobj(zdict=_DICTIONARY)
        self._streams: dict[int, Stream] = {}

    def feed(self, data: bytes) -> None:
        """Take what has come from the client.

        Raises:
            SpdyError: it cannot be read.
        """
        self._buffer += data
        while len(self._buffer) >= 8:
            size = int.from_bytes(self._buffer[5:8], "big")
            if size > _LARGEST_FRAME:
                raise SpdyError("a frame is too large")
            if len(self._buffer) < 8 + size:
                return
            head = bytes(self._buffer[:8])
            body = bytes(self._buffer[8 : 8 + size])
            del self._buffer[: 8 + size]
            self._frame(head, body)

    def close(self) -> None:
        """The connection is gone."""
        for stream in list(self._streams.values()):
            stream.closed = True
            if stream.listener is not None:
                stream.listener.lost()
        self._streams.clear()

    def forget(self, number: int) -> None:
        """A stream is over on both sides."""
        self._streams.pop(number, None)

    # -- in

    def _frame(self, head: bytes, body: bytes) -> None:
        first, flags = struct.unpack(">IB", head[:5])
        if not first & 0x80000000:
            self._data(first, flags, body)
            return
        if first >> 16 & 0x7FFF != _VERSION:
            raise SpdyError("another version of SPDY")
        kind = first & 0xFFFF
        if kind == _SYN_STREAM:
            self._syn(flags, body)
        elif kind == _HEADERS:
            self._headers(body[4:])  # the compression's state must follow
        elif kind == _RST_STREAM and len(body) >= 4:
            stream = self._streams.pop(int.from_bytes(body[:4], "big"), None)
            if stream is not None:
                stream.closed = True
                if stream.listener is not None:
                    stream.listener.lost()
        elif kind == _PING and len(body) == 4 and int.from_bytes(body, "big") & 1:
            self.send_control(_PING, 0, body)

    def _data(self, number: int, flags: int, body: bytes) -> None:
        stream = self._streams.get(number)
        if stream is None or stream.listener is None:
            return
        if body:
            stream.listener.received(body)
        if flags & _FIN:
            stream.listener.finished()

    def _syn(self, flags: int, body: bytes) -> None:
        if len(body) < 10:
            raise SpdyError("a frame is too short")
        number = int.from_bytes(body[:4], "big") & 0x7FFFFFFF
        headers = self._headers(body[10:])
        if number in self._streams or len(self._streams) >= _MOST_STREAMS:
            raise SpdyError("too many streams")
        stream = self._streams[number] = Stream(self, number, headers)
        empty = self._deflate.compress(struct.pack(">I", 0))
        empty += self._deflate.flush(zlib.Z_SYNC_FLUSH)
        self.send_control(_SYN_REPLY, 0, struct.pack(">I", number) + empty)
        self._opened(stream)
        if flags & _FIN and stream.listener is not None:
            stream.listener.finished()

    def _headers(self, compressed: bytes) -> dict[str, str]:
        try:
            raw = self._inflate.decompress(compressed, _MOST_HEADERS)
            if self._inflate.unconsumed_tail:
                raise SpdyError("headers are too large")
            count, position = struct.unpack_from(">I", raw)[0], 4
            words: list[str] = []
            for _ in range(2 * min(count, 256)):
                size = struct.unpack_from(">I", raw, position)[0]
                words.append(raw[position + 4 : position + 4 + size].decode("utf-8", "replace"))
                position += 4 + size
        except (zlib.error, struct.error) as problem:
            raise SpdyError(f"headers cannot be read: {problem}") from None
        return {name.lower(): value for name, value in zip(words[::2], words[1::2], strict=True)}

    # -- out

    def send_control(self, kind: int, flags: int, body: bytes) -> None:
        """Send a control frame."""
        head = struct.pack(">HHI", 0x8000 | _VERSION, kind, flags << 24 | len(body))
        self._write(head + body)

    def send_data(self, number: int, data: bytes, flags: int) -> None:
        """Send a data frame, or several for much data."""
        while True:
            part, data = data[:65536], data[65536:]
            last = flags if not data else 0
            self._write(struct.pack(">II", number, last << 24 | len(part)) + part)
            if not data:
                return
