"""Ways to servers of the test's own, as a connection to a cluster has them."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from tui.cluster.route import Found, Route, RouteKind, Unreachable
from tui.cluster.transport import Transport


def way(service: str, url: str) -> Route:
    """A route that leads to a URL."""
    return Route(service, "default", 80, RouteKind.NODE_PORT, url, label="NodePort on lab-worker")


@dataclass
class Ways:
    """Routes that are known by heart. ``open`` holds back whoever asks until it is set."""

    ways: dict[str, Route] = field(default_factory=dict)
    open: threading.Event = field(default_factory=threading.Event)
    asked: list[str] = field(default_factory=list)
    given_up: list[Route] = field(default_factory=list)

    def find(
        self, namespace: str, service: str, port: int | str | None = None, *, fresh: bool = False
    ) -> Found:
        self.asked.append(service)
        assert self.open.wait(10)
        return self.ways.get(service) or Unreachable(
            f"{namespace}/{service}", "Nothing answers.", "Give it a NodePort."
        )

    def known(self, namespace: str, service: str, port: int | str | None = None) -> Found | None:
        return (
            self.find(namespace, service) if service in self.asked and self.open.is_set() else None
        )

    def age(self, namespace: str, service: str, port: int | str | None = None) -> float | None:
        return 0.0

    def failed(self, route: Route) -> None:
        self.given_up.append(route)

    def close(self) -> bool:
        return True


@dataclass
class Connected:
    """What the door needs of a connection."""

    routes: Ways | None
    transport: Transport | None = None


def connected(*ways: Route, transport: Transport | None = None) -> Connected:
    """A connection with these routes, found at once."""
    made = Ways({route.service: route for route in ways})
    made.open.set()
    return Connected(made, transport)
