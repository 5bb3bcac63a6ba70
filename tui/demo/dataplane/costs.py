"""What requests cost, in core-seconds.

The means are those of a recorded run (``hey -z 3m -c 50 -q 500`` through Caddy to ten FastAPI
pods on 2 CPUs: 1,899 requests a second at 0.97 cores of FastAPI and 0.365 of Caddy, p50 23.6 ms,
p99 73.7 ms). Its latencies follow a gamma distribution of shape 3, which is the sum of two of half
that shape: the two hops of a request that passes a proxy. What a hop costs the node beside the pods
(network stack, address translation, and the sender, which sat on the same machine) is set so that a
node of 4 CPUs is full at the recorded rate.
"""

from __future__ import annotations

from functools import cache
from random import Random
from typing import Final

APP: Final = 0.511e-3
"""A small reply of the FastAPI sample."""
CADDY: Final = 0.192e-3
"""Passing a request and its answer on."""
NGINX: Final = 0.06e-3
"""The same in nginx, which does it in a third of the time."""
HOP: Final = 0.67e-3
"""What the node pays for each connection that a request passes."""
SHAPE: Final = 1.5
_BLOCK: Final = 64


@cache
def _spread() -> list[float]:
    """Draws with a mean of 1, of which any 64 in a row are spread over the whole distribution."""
    rng = Random(1)
    drawn = sorted(rng.gammavariate(SHAPE, 1 / SHAPE) for _ in range(_BLOCK**2))
    strata = [drawn[start : start + _BLOCK] for start in range(0, len(drawn), _BLOCK)]
    for stratum in strata:
        rng.shuffle(stratum)
    samples: list[float] = []
    for number in range(_BLOCK):
        block = [stratum[number] for stratum in strata]
        rng.shuffle(block)
        samples += block
    mean = sum(samples) / len(samples)
    return [one / mean for one in samples]


class Cost:
    """Draws costs of one kind.

    They are stratified, so that what a saturated pod achieves in a second or two is its limit ÷
    mean and not some percent beside it. All kinds draw from one series, which is long to make and
    long enough, each from a place of its own.

    Args:
        mean: core-seconds.
        rng: chooses the place; the same seed repeats the same draws.
    """

    __slots__ = ("_index", "_samples", "mean")

    def __init__(self, mean: float, rng: Random) -> None:
        self.mean = mean
        self._samples = _spread()
        self._index = rng.randrange(len(self._samples))

    def draw(self) -> float:
        """The next cost."""
        self._index = index = (self._index + 1) % len(self._samples)
        return self.mean * self._samples[index]
