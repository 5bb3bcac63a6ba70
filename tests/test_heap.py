"""What the C library keeps of memory that was freed."""

from __future__ import annotations

import ctypes

from tui import heap

_LARGE = 300_000


class _Counts(ctypes.Structure):
    """``struct mallinfo2``, see mallinfo(3)."""

    _fields_ = tuple(
        (name, ctypes.c_size_t)
        for name in (
            *("arena", "ordblks", "smblks", "hblks", "hblkhd"),
            *("usmblks", "fsmblks", "uordblks", "fordblks", "keepcost"),
        )
    )


def test_a_large_block_is_mapped_by_itself_after_a_larger_one_was_freed() -> None:
    bytearray(8 << 20)  # from now on glibc by itself would put smaller ones in its heap
    heap.keep_small()
    count = getattr(ctypes.CDLL(None), "mallinfo2", None)
    if count is None:
        return  # another C library, or an older one: that it was left alone is all there is to see
    count.restype = _Counts
    before = count().hblkhd
    held = bytearray(_LARGE)
    assert count().hblkhd >= before + len(held)
