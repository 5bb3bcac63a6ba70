"""Routes without a screen: a session that watches just what routes are chosen from."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Collection, Iterator
from typing import Final

from tui.cluster.access import ClusterConfig
from tui.cluster.route_finder import RouteFinder
from tui.cluster.session import Session
from tui.state.links import Health
from tui.state.rows import Kind
from tui.state.store import Store

KINDS: Final = (Kind.SERVICES, Kind.ENDPOINTSLICES, Kind.NODES, Kind.PODS)
_LISTED_WITHIN: Final = 5.0
_LOOK: Final = 0.05
_WAITING: Final = (Health.CONNECTING, Health.RETRYING)


@contextlib.contextmanager
def open_routes(
    config: ClusterConfig,
    namespace: str,
    *,
    within: float = _LISTED_WITHIN,
    allow_hosts: Collection[str] = (),
) -> Iterator[tuple[RouteFinder, Session, Store]]:
    """A route finder for the Services of one namespace, for the time of a block.

    With it come the session and its rows.

    Waits until the lists have come, or are known not to come; what is still missing after
    ``within`` seconds counts as not known. The rows go on being watched inside the block, so that
    a port-forward follows the pods.

    Args:
        config: the cluster.
        namespace: the Services' namespace.
        within: seconds.
        allow_hosts: hosts that the user named.
    """
    store = Store()
    session = Session(config, store, namespace=namespace, kinds=KINDS, allow_hosts=allow_hosts)
    session.start()
    try:
        deadline = time.monotonic() + within
        while time.monotonic() < deadline:
            links = store.links
            if all(kind in links and links[kind].health not in _WAITING for kind in KINDS):
                break
            time.sleep(_LOOK)
        yield session.routes, session, store
    finally:
        session.stop()
