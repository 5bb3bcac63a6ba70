"""What requests cost, in core-seconds.

The means are those of a recorded run (``hey -z 3m -c 50 -q 500`` through Caddy to ten FastAPI
pods on 2 CPUs: 1,899 requests a second at 0.97 cores of FastAPI and 0.365 of Caddy, p50 23.6 ms,
p99 73.7 ms). Its latencies follow a gamma distribution of shape 3, which is the sum of two of half
that shape: the two hops of a request that passes a proxy. What a hop costs the node beside the pods
(network stack, address translation, and the sender, which sat on the same machine) is set so that a
node of 4 CPUs is full at the recorded rate.
"""

from __future__ import annotations

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
_SAMPLES: Final = 4096


class Cost:
    """Draws costs of one kind.

    Args:
        mean: core-seconds.
        rng: what draws repeats with the same seed.
    """

    __slots__ = ("_index", "_samples", "mean")

    def __init__(self, mean: float, rng: Random) -> None:
        self.mean = mean
        drawn = [rng.gammavariate(SHAPE, mean / SHAPE) for _ in range(_SAMPLES)]
        # The samples' own mean is brought to the one asked for, so that what a saturated pod
        # achieves is its limit ÷ mean and not a percent beside it.
        scale = mean * _SAMPLES / sum(drawn) if mean else 1.0
        self._samples = [one * scale for one in drawn]
        self._index = rng.randrange(_SAMPLES)

    def draw(self) -> float:
        """The next cost."""
        self._index = index = (self._index + 1) % _SAMPLES
        return self._samples[index]
