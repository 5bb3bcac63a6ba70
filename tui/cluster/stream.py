"""A watch's body as batches of lines: all that has arrived at once comes at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from tui.cluster.errors import ApiError, Fault

LONGEST_LINE: Final = 16 * 1024 * 1024
_READ: Final = 64 * 1024
_LONGEST_HEAD: Final = 1024


class Dechunker:
    """Takes the chunked transfer coding (RFC 9112, 7.1) off, piece by piece."""

    def __init__(self) -> None:
        self._pending = b""
        self._left = 0
        self._between = False
        self.ended = False
        """The last chunk was seen: the server ended the body on purpose."""

    def feed(self, data: bytes) -> bytes:
        """The payload in ``data``.

        Raises:
            ApiError: the coding is broken.
        """
        if self._pending:
            data = self._pending + data
            self._pending = b""
        out: list[bytes] = []
        at = 0
        while at < len(data) and not self.ended:
            if self._left:
                piece = data[at : at + self._left]
                out.append(piece)
                at += len(piece)
                self._left -= len(piece)
                self._between = self._left == 0
                continue
            end = data.find(b"\n", at)
            if end < 0:
                self._pending = data[at:]
                if len(self._pending) > _LONGEST_HEAD:
                    raise _broken()
                break
            head = data[at:end].strip()
            at = end + 1
            if self._between and not head:
                self._between = False
                continue
            self._left = _size(head)
            self.ended = self._left == 0
        return out[0] if len(out) == 1 else b"".join(out)


class LineStream:
    """Lines of an open response, in the batches in which they arrive.

    Args:
        read: returns what is there, at most so many bytes, waiting only if there is nothing;
            ``b""`` at the end.
        close: gives the connection up.
        more: whether there is something to read without waiting.
        chunked: whether the body has the chunked transfer coding.
        translate: makes an ApiError of what ``read`` raises.
    """

    def __init__(
        self,
        read: Callable[[int], bytes],
        close: Callable[[], None],
        *,
        more: Callable[[], bool] = lambda: False,
        chunked: bool,
        translate: Callable[[Exception], ApiError],
        longest: int = LONGEST_LINE,
    ) -> None:
        self._read = read
        self._close = close
        self._more = more
        self._dechunker = Dechunker() if chunked else None
        self._translate = translate
        self._longest = longest

    def __iter__(self) -> Iterator[list[bytes]]:
        """Yields non-empty batches of lines without their ends; blank lines are left out.

        Raises:
            ApiError: the connection broke or stalled, a line was too long or cut in the middle.
        """
        partial: list[bytes] = []
        size = 0
        while True:
            data = self._receive()
            if data is None:
                break
            if b"\n" not in data:
                size += len(data)
                self._check(size)
                partial.append(data)
                continue
            *lines, tail = data.split(b"\n")
            if partial:
                lines[0] = b"".join([*partial, lines[0]])
            partial, size = ([tail], len(tail)) if tail else ([], 0)
            batch = [line for line in lines if line.strip()]
            if batch:
                self._check(max(map(len, batch)))
                yield batch
        if partial and b"".join(partial).strip():
            raise self._translate(ConnectionResetError("cut in the middle of a line"))

    @property
    def more(self) -> bool:
        """Whether more has arrived than was read."""
        return self._more()

    def close(self) -> None:
        """Give the connection up. Safe from any thread, and more than once."""
        self._close()

    def __enter__(self) -> LineStream:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def _receive(self) -> bytes | None:
        """The next payload, perhaps empty; None at the end of the body."""
        if self._dechunker is not None and self._dechunker.ended:
            return None
        try:
            data = self._read(_READ)
        except Exception as error:
            raise self._translate(error) from error
        if self._dechunker is None:
            return data or None
        if not data:
            raise self._translate(ConnectionResetError("cut before the end"))
        return self._dechunker.feed(data)

    def _check(self, size: int) -> None:
        if size > self._longest:
            raise ApiError(
                Fault.BAD_REPLY, f"The server sent a line of more than {self._longest >> 20} MB."
            )


def _size(head: bytes) -> int:
    digits = head.partition(b";")[0].strip()
    if not digits.isalnum() or len(digits) > 8:
        raise _broken()
    try:
        size = int(digits, 16)
    except ValueError:
        raise _broken() from None
    if size < 0:
        raise _broken()
    return size


def _broken() -> ApiError:
    return ApiError(Fault.BROKEN, "The server's chunked answer is broken.")
