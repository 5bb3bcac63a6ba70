"""What the C library keeps of memory that was freed."""

from __future__ import annotations

import ctypes
import subprocess
import sys
from pathlib import Path

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


def _mapped() -> int | None:
    """Bytes of a block that lie in no heap; None where the C library cannot tell."""
    bytearray(8 << 20)  # from now on glibc by itself would put smaller ones in its heap
    heap.keep_small()
    count = getattr(ctypes.CDLL(None), "mallinfo2", None)
    if count is None:
        return None
    count.restype = _Counts
    before = count().hblkhd
    held = bytearray(_LARGE)
    return int(count().hblkhd) - before if held is not None else 0


def test_a_large_block_is_mapped_by_itself_after_a_larger_one_was_freed() -> None:
    # In a process of its own: this one's heaps have holes of every size.
    code = "from tests.test_heap import _mapped; print(_mapped())"
    root = Path(__file__).parent.parent
    told = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root
    ).stdout.strip()
    assert told == "None" or int(told) >= _LARGE
