"""Chunked bytes to batches of lines."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui.cluster.errors import ApiError, Fault
from tui.cluster.stream import Dechunker, LineStream


def lines(pieces: list[bytes], *, chunked: bool = False, longest: int = 1000) -> list[list[bytes]]:
    source = iter(pieces)
    stream = LineStream(
        lambda _: next(source, b""),
        lambda: None,
        chunked=chunked,
        translate=lambda error: ApiError(Fault.BROKEN, str(error)),
        longest=longest,
    )
    return list(stream)


def test_lines_that_arrive_together_come_together() -> None:
    assert lines([b"a\nb\nc", b"d\n\n \n", b"e\n"]) == [[b"a", b"b"], [b"cd"], [b"e"]]


@settings(deadline=None, derandomize=True)
@given(
    st.lists(st.binary(min_size=1, max_size=30).filter(lambda b: b"\n" not in b and b.strip())),
    st.lists(st.integers(1, 9), max_size=40),
    st.lists(st.integers(1, 7), max_size=60),
)
def test_however_it_is_cut_the_lines_are_the_same(
    sent: list[bytes], chunks: list[int], reads: list[int]
) -> None:
    body = b"".join(line + b"\n" for line in sent)
    coded = b"".join(b"%x;ext=1\r\n%b\r\n" % (len(c), c) for c in cut(body, chunks)) + b"0\r\n\r\n"
    got = lines(cut(coded, reads), chunked=True)
    assert [line for batch in got for line in batch] == sent


def cut(data: bytes, sizes: list[int]) -> list[bytes]:
    pieces = []
    for size in sizes:
        if data:
            pieces.append(data[:size])
            data = data[size:]
    return [*pieces, data] if data else pieces


@pytest.mark.parametrize("head", [b"zz\r\n", b"-5\r\n", b"\r\n", b"fffffffff\r\n", b"1" * 2000])
def test_broken_chunk_heads(head: bytes) -> None:
    with pytest.raises(ApiError) as caught:
        Dechunker().feed(head)
    assert caught.value.kind is Fault.BROKEN


def test_an_end_in_the_middle() -> None:
    with pytest.raises(ApiError, match="middle of a line"):
        lines([b"a\nb"])
    with pytest.raises(ApiError, match="before the end"):
        lines([b"5\r\na\nb"], chunked=True)


def test_a_line_that_is_too_long() -> None:
    for pieces in ([b"x" * 2000 + b"\n"], [b"x" * 600, b"x" * 600]):
        with pytest.raises(ApiError) as caught:
            lines(pieces)
        assert caught.value.kind is Fault.BAD_REPLY
