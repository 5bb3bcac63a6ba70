"""A latency histogram that is small, exact enough to quote, and adds up.

Log-linear like Gil Tene's HdrHistogram (https://github.com/HdrHistogram/HdrHistogram), with a
bucket that costs nothing to find: it is the upper half of the value's 32-bit IEEE 754 number,
sign, exponent and seven bits of mantissa. Every octave is thus cut into 128 buckets, and the
middle of a bucket is within 0.4 % of every value in it. A list of values is sorted into buckets
without a Python instruction for each.

Histograms of several workers or seconds are merged; percentiles never are.
"""

from __future__ import annotations

import math
import struct
import sys
from array import array
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

RELATIVE_ERROR: Final = 1 / 256
"""The most by which a percentile differs from the exact one, as a share of it."""
_UPPER: Final = 1 if sys.byteorder == "little" else 0
_HEAD: Final = struct.Struct("<ddd")


class Histogram:
    """Counts of durations in seconds. Zero and upwards; not thread-safe."""

    __slots__ = ("_counts", "count", "least", "most", "total")

    def __init__(self, values: Iterable[float] = ()) -> None:
        self._counts: Counter[int] = Counter()
        self.count: int = 0
        self.total: float = 0.0
        """Sum of all values, exact."""
        self.least: float = math.inf
        self.most: float = 0.0
        self.add(list(values))

    def add(self, values: Sequence[float]) -> None:
        """Count each of the values, in seconds."""
        if not values:
            return
        halves = array("H", array("f", values).tobytes())
        self._counts.update(halves[_UPPER::2])
        self.count += len(values)
        self.total += sum(values)
        self.least = min(self.least, min(values))
        self.most = max(self.most, max(values))

    def merge(self, other: Histogram) -> None:
        """Count everything that the other has counted."""
        counts = self._counts
        for bucket, count in other._counts.items():
            counts[bucket] += count
        self.count += other.count
        self.total += other.total
        self.least = min(self.least, other.least)
        self.most = max(self.most, other.most)

    @property
    def mean(self) -> float:
        """Seconds; 0 of an empty histogram."""
        return self.total / self.count if self.count else 0.0

    def percentile(self, percent: float) -> float:
        """The value that ``percent`` % of all values do not exceed (nearest rank), in seconds."""
        return self.percentiles((percent,))[percent]

    def percentiles(self, percents: Iterable[float]) -> Mapping[float, float]:
        """Several at once. All are 0 of an empty histogram."""
        wanted = sorted(percents)
        if not self.count:
            return dict.fromkeys(wanted, 0.0)
        found: dict[float, float] = {}
        buckets = iter(sorted(self._counts.items()))
        bucket, seen = next(buckets)
        for percent in wanted:
            # 99.9 % of 1,000 is the 999th, though the product of the floats is a hair above.
            rank = max(1, math.ceil(self.count * percent / 100 - 1e-9))
            while seen < rank:
                bucket, more = next(buckets)
                seen += more
            found[percent] = min(max(_middle(bucket), self.least), self.most)
        return found

    def bars(self, number: int = 10) -> list[tuple[float, int]]:
        """Counts in bars of equal width, as hey draws them.

        Returns:
            (upper edge in seconds, count): the first bar holds the least value, and what is
            within 1 % of it.
        """
        if not self.count:
            return []
        width = (self.most - self.least) / number
        counts = [0] * (number + 1)
        lowest = min(self._counts)
        counts[0] = self._counts[lowest]
        for bucket, count in self._counts.items():
            if bucket == lowest:
                continue
            value = min(max(_middle(bucket), self.least), self.most)
            at = math.ceil((value - self.least) / width - 1e-9) if width else 0
            counts[min(at, number)] += count
        return [(self.least + width * at, count) for at, count in enumerate(counts)]

    def __bytes__(self) -> bytes:
        """Compact: 24 bytes and two to four for each bucket in use."""
        if not self.count:
            return b""
        out = bytearray(_HEAD.pack(self.total, self.least, self.most))
        before = 0
        for bucket, count in sorted(self._counts.items()):
            _put(out, bucket - before)
            _put(out, count)
            before = bucket
        return bytes(out)

    @classmethod
    def of_bytes(cls, raw: bytes) -> Histogram:
        """The histogram that gave these bytes.

        Raises:
            ValueError: they are cut off.
        """
        made = cls()
        if not raw:
            return made
        try:
            made.total, made.least, made.most = _HEAD.unpack_from(raw)
            at, bucket = _HEAD.size, 0
            while at < len(raw):
                step, at = _get(raw, at)
                count, at = _get(raw, at)
                bucket += step
                made._counts[bucket] += count
                made.count += count
        except (IndexError, struct.error):
            raise ValueError("the histogram's bytes are cut off") from None
        return made

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Histogram):
            return NotImplemented
        return self._counts == other._counts and (self.total, self.least, self.most) == (
            other.total,
            other.least,
            other.most,
        )

    __hash__ = None  # type: ignore[assignment]  # it grows

    def __repr__(self) -> str:
        return f"Histogram({self.count} values, mean {self.mean:.6f} s)"


def _middle(bucket: int) -> float:
    value: float = struct.unpack("<f", struct.pack("<I", bucket << 16 | 0x8000))[0]
    return value


def _put(out: bytearray, number: int) -> None:
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)


def _get(raw: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = raw[at]
        at += 1
        number |= (byte & 127) << shift
        if byte < 128:
            return number, at
        shift += 7
