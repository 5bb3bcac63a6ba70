"""The guard of a context, as the settings have it: one for all that is written."""

from __future__ import annotations

from tui.cluster.access import ClusterConfig
from tui.cluster.guard import PRODUCTION, Guard
from tui.config import Settings


def guard_of(config: ClusterConfig, settings: Settings, *, read_only: bool = False) -> Guard:
    """What may be written through this context.

    Args:
        config: the context.
        settings: read-only, protected and production contexts.
        read_only: as asked for on the command line, whatever the settings say.
    """
    production = settings.production
    return Guard(
        context=config.context or config.host,
        cluster=config.cluster,
        read_only=read_only or settings.read_only,
        protected=tuple(settings.protected_contexts),
        production=PRODUCTION if production is None else tuple(production),
    )
