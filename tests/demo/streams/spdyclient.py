"""The client's end of SPDY/3.1, as much of it as the tests need."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

from tui.demo.streams import spdy


class SpdyClient:
    def __init__(self) -> None:
        self._deflate = zlib.compressobj(zdict=spdy._DICTIONARY)
        self._buffer = bytearray()

    def syn(self, number: int, headers: dict[str, str], *, fin: bool = False) -> bytes:
        block = struct.pack(">I", len(headers))
        for name, value in headers.items():
            for word in (name, value):
                block += struct.pack(">I", len(word)) + word.encode()
        packed = self._deflate.compress(block) + self._deflate.flush(zlib.Z_SYNC_FLUSH)
        return control(1, int(fin), struct.pack(">IIH", number, 0, 0) + packed)

    def feed(self, data: bytes) -> Iterator[tuple[int, int, bytes]]:
        """Data frames: stream, flags, content."""
        self._buffer += data
        while len(self._buffer) >= 8:
            first, rest = struct.unpack(">II", self._buffer[:8])
            size = rest & 0xFFFFFF
            if len(self._buffer) < 8 + size:
                return
            body = bytes(self._buffer[8 : 8 + size])
            del self._buffer[: 8 + size]
            if not first & 0x80000000:
                yield first, rest >> 24, body


def control(kind: int, flags: int, body: bytes) -> bytes:
    return struct.pack(">HHI", 0x8003, kind, flags << 24 | len(body)) + body


def data(number: int, content: bytes, *, fin: bool = False) -> bytes:
    return struct.pack(">II", number, int(fin) << 24 | len(content)) + content
