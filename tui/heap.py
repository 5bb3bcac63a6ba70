"""What the C library keeps of memory that was freed: little, rather than a hole for each list.

Pages of lists and copies of tables are large and short-lived, and come from a dozen threads. By
default glibc raises the size from which a block is mapped by itself to that of the largest one
freed, and gives every thread a heap of its own: then such blocks lie in the heaps between what
stays, and the room they leave is never given back. See mallopt(3).
"""

from __future__ import annotations

import sys
from typing import Final

_TRIM_THRESHOLD: Final = -1
_MMAP_THRESHOLD: Final = -3
_ARENA_MAX: Final = -8
_LARGE: Final = 32 * 1024
"""Bytes: less than a list of some thousand rows takes, which is made anew at each look."""
_SPARE: Final = 128 * 1024
"""Bytes: glibc's own threshold, before it raises it."""
_HEAPS: Final = 2


def keep_small() -> None:
    """Map large blocks by themselves, from now on; does nothing where the C library is another."""
    if sys.platform != "linux":
        return
    import ctypes

    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):
        return
    for option, value in (
        (_MMAP_THRESHOLD, _LARGE),
        (_TRIM_THRESHOLD, _SPARE),
        (_ARENA_MAX, _HEAPS),
    ):
        mallopt(option, value)
