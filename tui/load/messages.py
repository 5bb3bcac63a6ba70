"""What a burst and its workers tell each other: frames of MessagePack over two pipes."""

from __future__ import annotations

import struct
from typing import Final

import msgspec

from tui.load.plan import Plan
from tui.load.stats import Tick

_LENGTH: Final = struct.Struct("<I")
_LONGEST: Final = 64 * 1024 * 1024


class Order(msgspec.Struct, frozen=True, array_like=True, tag="order"):
    """To a worker, first: what to do."""

    plan: Plan
    address: str
    """The target's address: looked up once, for all workers."""
    index: int
    """Which of the plan's workers this is."""


class Go(msgspec.Struct, frozen=True, array_like=True, tag="go"):
    """To a worker: begin now."""


class Stop(msgspec.Struct, frozen=True, array_like=True, tag="stop"):
    """To a worker: end now, and send the last tick."""


class Ready(msgspec.Struct, frozen=True, array_like=True, tag="ready"):
    """From a worker: everything is loaded."""


class Problem(msgspec.Struct, frozen=True, array_like=True, tag="problem"):
    """From a worker: it cannot work. One sentence."""

    sentence: str


ToWorker = Order | Go | Stop
FromWorker = Ready | Tick | Problem

_encoder: Final = msgspec.msgpack.Encoder()
to_worker: Final = msgspec.msgpack.Decoder(ToWorker)
from_worker: Final = msgspec.msgpack.Decoder(FromWorker)


def frame(message: ToWorker | FromWorker) -> bytes:
    """A message with its length in front."""
    body = _encoder.encode(message)
    return _LENGTH.pack(len(body)) + body


class Frames:
    """Cuts a stream of bytes into messages."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """The messages that are complete with these bytes.

        Raises:
            ValueError: the stream is not one of frames.
        """
        self._buffer += data
        found: list[bytes] = []
        while len(self._buffer) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._buffer)
            if length > _LONGEST:
                raise ValueError("a frame is too long")
            end = _LENGTH.size + length
            if len(self._buffer) < end:
                break
            found.append(bytes(self._buffer[_LENGTH.size : end]))
            del self._buffer[:end]
        return found
