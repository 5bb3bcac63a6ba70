"""Go's integer and float conversions, so that sums come out as the HPA controller's do.

The controller adds ``int64``, divides towards zero and turns floats into ``int32``; Python's
integers neither overflow nor divide that way. What the Go specification leaves to the
implementation (a float that does not fit, NaN) is done as on amd64.

Source: https://go.dev/ref/spec#Arithmetic_operators and #Conversions.
"""

from __future__ import annotations

import math
from typing import Final

MAX_INT32: Final = 2**31 - 1
MIN_INT32: Final = -(2**31)
MAX_INT64: Final = 2**63 - 1
MIN_INT64: Final = -(2**63)


def int32(value: int) -> int:
    """The value wrapped to 32 bits in two's complement."""
    if MIN_INT32 <= value <= MAX_INT32:
        return value
    return (value - MIN_INT32) % 2**32 + MIN_INT32


def int64(value: int) -> int:
    """The value wrapped to 64 bits in two's complement."""
    if MIN_INT64 <= value <= MAX_INT64:
        return value
    return (value - MIN_INT64) % 2**64 + MIN_INT64


def quotient(dividend: int, divisor: int) -> int:
    """Integer division that truncates towards zero. The divisor must not be 0."""
    if (dividend >= 0) == (divisor > 0):
        return dividend // divisor
    return -(-dividend // divisor)


def ratio(dividend: float, divisor: float) -> float:
    """IEEE 754 division: by zero it gives an infinity or NaN instead of raising."""
    if divisor:
        return dividend / divisor
    if not dividend or math.isnan(dividend):
        return math.nan
    return math.copysign(math.inf, dividend) * math.copysign(1.0, divisor)


def truncated_int32(value: float) -> int:
    """``int32(value)``: without the fraction; what does not fit becomes the lowest int32."""
    if MIN_INT32 - 1 < value < MAX_INT32 + 1:
        return int(value)
    return MIN_INT32


def ceil_int32(value: float) -> int:
    """``int32(math.Ceil(value))``."""
    if MIN_INT32 - 1 < value <= MAX_INT32:
        return math.ceil(value)
    return MIN_INT32


def ceil_int64(value: float) -> int:
    """``int64(math.Ceil(value))``: what does not fit becomes the lowest int64."""
    if MIN_INT64 <= value < 2.0**63:
        return math.ceil(value)
    return MIN_INT64
