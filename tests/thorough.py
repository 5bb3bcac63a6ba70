"""How much of a property is tried: little with every run of the tests, much in a soak."""

from __future__ import annotations

import os

SOAK = bool(os.environ.get("KSCALE_SOAK"))


def examples(everyday: int, thorough: int) -> int:
    """How many examples to try; the thorough number where ``KSCALE_SOAK`` is set."""
    return thorough if SOAK else everyday
