"""Which cluster is looked at."""

from __future__ import annotations

import msgspec


class Place(msgspec.Struct, frozen=True):
    """What the header says of the cluster."""

    context: str = ""
    namespace: str | None = None
    """None: all namespaces."""
    simulated: bool = False
    """Whether it is the embedded cluster."""
    read_only: bool = False
    insecure: bool = False
    """Whether the server may be another than it says: its certificate is not verified."""
