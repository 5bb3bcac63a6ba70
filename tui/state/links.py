"""How each source of data is doing. Absence is a state with a name and an age, not an error."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from tui.state.rows import Kind


class Health(StrEnum):
    """Where a source stands."""

    CONNECTING = "connecting"
    """First list under way."""
    LIVE = "live"
    RETRYING = "retrying"
    """Lost; what is shown is as old as ``since``."""
    FORBIDDEN = "forbidden"
    """The user has no right to list or watch it."""
    ABSENT = "absent"
    """The cluster does not serve this API."""
    UNAVAILABLE = "unavailable"
    """The API is registered, its backend does not answer (metrics-server starting or down)."""
    STOPPED = "stopped"


class Link(msgspec.Struct, frozen=True):
    """The state of one source: an informer, or the metrics poll."""

    health: Health = Health.CONNECTING
    since: float = 0.0
    """When it came into this state."""
    detail: str = ""
    """One sentence for people: what happened, and what may be done."""
    retry_at: float | None = None


class Source(StrEnum):
    """The sources that are not tables."""

    POD_METRICS = "pod metrics"
    NODE_METRICS = "node metrics"


SourceKey = Kind | Source
