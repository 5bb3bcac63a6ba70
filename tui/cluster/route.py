"""How to reach a Service from here: the words of it. :mod:`tui.cluster.route_finder` does it."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol, TypeVar
from urllib.parse import urlsplit

import msgspec

from tui.state.delta import Delta
from tui.state.links import Health
from tui.state.rows import EndpointSliceRow, Kind, NodeRow, PodRow, Row, ServiceRow
from tui.state.table import TableView

R = TypeVar("R", bound=Row)


class RouteKind(StrEnum):
    """The ways in, in the order in which they are tried."""

    LOAD_BALANCER = "load balancer"
    NODE_PORT = "node port"
    INGRESS = "ingress"
    PORT_FORWARD = "port-forward"


class Route(msgspec.Struct, frozen=True):
    """A way to a Service that answered when it was tried."""

    service: str
    namespace: str
    port: int
    """The Service's port, not the one connected to: that is in ``url``."""
    kind: RouteKind
    url: str
    """Scheme, host, port and path; the path is ``/``, or the one that an Ingress gives it."""
    host_header: str | None = None
    """What to send as ``Host``, if it is not the URL's own host (an Ingress by address)."""
    label: str = ""
    """The route in a few words, to be shown wherever it is used."""
    bypasses_service: bool = False
    """Whether connections go straight to pods: kube-proxy's choice is not exercised."""
    hint: str = ""
    """For a port-forward: which better way failed, and the step that would open it."""
    address: str = ""
    """The address that answered, where the URL keeps a name for TLS; empty: look at the URL."""
    most_connections: int | None = None
    """How many connections it takes at a time, beyond which they are reset; None: no bound."""

    @property
    def host(self) -> str:
        """The host that is connected to: what a burst has to be allowed to load."""
        return urlsplit(self.url).hostname or ""


class Unreachable(msgspec.Struct, frozen=True):
    """No way leads to the Service from here."""

    service: str
    """``namespace/name``."""
    reason: str
    """What is wrong, as a sentence."""
    next_step: str
    """What to do about it; a command where there is one."""
    tried: tuple[str, ...] = ()
    """Each way that was tried, and how it failed."""


Found = Route | Unreachable


class Surroundings(msgspec.Struct, frozen=True):
    """The rows that a route is chosen from. None: not known (not permitted, or not listed yet)."""

    services: tuple[ServiceRow, ...] | None = None
    slices: tuple[EndpointSliceRow, ...] | None = None
    nodes: tuple[NodeRow, ...] | None = None
    pods: tuple[PodRow, ...] | None = None

    @classmethod
    def of(cls, delta: Delta) -> Surroundings:
        """What the store shows; a table whose list has not come yet is not known."""
        return cls(
            services=_known(delta, Kind.SERVICES, delta.services),
            slices=_known(delta, Kind.ENDPOINTSLICES, delta.endpointslices),
            nodes=_known(delta, Kind.NODES, delta.nodes),
            pods=_known(delta, Kind.PODS, delta.pods),
        )


class Routes(Protocol):
    """What probes, setups and bursts need of a route finder. Safe from any thread."""

    def find(
        self, namespace: str, service: str, port: int | str | None = None, *, fresh: bool = False
    ) -> Found:
        """The way to a Service; waits for the network, mostly for well under a second and at worst
        for some ten, so never on the screen's thread.

        Args:
            namespace: the Service's.
            service: its name.
            port: number or name of one of its ports; None is the one that looks like HTTP.
            fresh: try again even if a route is known.
        """

    def known(self, namespace: str, service: str, port: int | str | None = None) -> Found | None:
        """What was found last, at once and without the network; None if nothing was."""

    def age(self, namespace: str, service: str, port: int | str | None = None) -> float | None:
        """Seconds since it was found."""

    def failed(self, route: Route) -> None:
        """The route does not answer any more: the next ``find`` tries anew."""

    def close(self) -> bool:
        """End port-forwards and whatever else runs, within a second; True if all has ended."""


def _known(delta: Delta, kind: Kind, view: TableView[R]) -> tuple[R, ...] | None:
    # An empty table that is being tried again may never have been listed.
    if not view.rows and delta.link(kind).health is not Health.LIVE:
        return None
    return tuple(view.rows.values())
