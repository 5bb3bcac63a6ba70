"""A feed without a cluster: what is shown was put into the store by a test or a replay."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.state.links import Health, Link
from tui.state.place import Place

if TYPE_CHECKING:
    from tui.cluster.route import Routes


class Still:
    """A feed that brings nothing: the store holds what a test or a replay put there."""

    def __init__(self, place: Place | None = None, connection: Link | None = None) -> None:
        self._place = place or Place()
        self._connection = connection or Link(Health.LIVE)

    @property
    def connection(self) -> Link:
        """As given."""
        return self._connection

    @property
    def place(self) -> Place:
        """As given."""
        return self._place

    @property
    def failure(self) -> Exception | None:
        """It cannot fail."""
        return None

    @property
    def routes(self) -> Routes | None:
        """No cluster, no ways to its Services."""
        return None

    @property
    def transport(self) -> None:
        """No cluster, no way to its API."""
        return None

    def start(self) -> None:
        """Nothing to start."""

    def stop(self) -> None:
        """Nothing to stop."""
