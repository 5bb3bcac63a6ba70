"""What fills the dashboard's store: find the cluster, prove it can be reached, keep a session."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Final

import msgspec

from tui.cluster.access import ClusterConfig
from tui.cluster.errors import ClusterError, MissingNamespaceError, one_line
from tui.state.links import Health, Link
from tui.state.place import Place
from tui.state.store import Store

if TYPE_CHECKING:
    from tui.cluster.route import Routes
    from tui.cluster.session import Session
    from tui.cluster.transport import Transport

FIRST_CONTACT: Final = 10.0
"""Seconds a server has to answer at all before the dashboard gives up at its start."""


class ClusterFeed:
    """A session opened in the background, so that the first frame waits for nothing.

    Args:
        store: what the session fills.
        find: finds the cluster; may take a while and may raise :class:`ClusterError`.
        namespace: what is watched; None is the context's own.
        everywhere: watch all namespaces.
        place: what is known of the cluster before it is found.
        allow_hosts: hosts that the user named, for ways to Services.
        hint: what to do if the namespace does not exist.
    """

    def __init__(
        self,
        store: Store,
        find: Callable[[], ClusterConfig],
        *,
        namespace: str | None = None,
        everywhere: bool = False,
        place: Place | None = None,
        close: Callable[[], None] = lambda: None,
        allow_hosts: Collection[str] = (),
        hint: str = "",
    ) -> None:
        self._store = store
        self._find = find
        self._namespace = namespace
        self._everywhere = everywhere
        self._close = close
        self._allow_hosts = allow_hosts
        self._hint = hint
        self._place = place or Place()
        self._since = store.clock()
        self._session: Session | None = None
        self._failure: ClusterError | None = None
        self._stopped = False
        self._lock = threading.Lock()

    @property
    def place(self) -> Place:
        """Which cluster it is, as far as is known."""
        return self._place

    @property
    def connection(self) -> Link:
        """How the whole of it is doing."""
        session = self._session
        return session.connection if session is not None else Link(Health.CONNECTING, self._since)

    @property
    def failure(self) -> ClusterError | None:
        """Why nothing can ever be shown: set when the first contact failed."""
        return self._failure

    @property
    def routes(self) -> Routes | None:
        """Ways to the cluster's Services; None until it has been found."""
        session = self._session
        return session.routes if session is not None else None

    @property
    def transport(self) -> Transport | None:
        """To the cluster's API; None until it has been found."""
        session = self._session
        return session.transport if session is not None else None

    def start(self) -> None:
        """Begin, in threads of its own; returns at once."""
        threading.Thread(target=self._open, name="feed", daemon=True).start()

    def stop(self) -> None:
        """End all of it within a second or two."""
        with self._lock:
            self._stopped = True
            session = self._session
        if session is not None:
            session.stop()
        self._close()

    def _open(self) -> None:
        # The kubernetes client takes a quarter of a second to import: not before the first frame.
        from tui.cluster.session import Session, probe

        try:
            config = self._find()
            namespace = None if self._everywhere else (self._namespace or config.namespace)
            self._place = msgspec.structs.replace(
                self._place,
                context=config.context or config.host,
                namespace=namespace,
                # Plain HTTP to this very machine (kubectl proxy) passes nobody on the way.
                insecure=config.tls.insecure or (config.insecure and not config.loopback),
            )
            session = Session(
                config, self._store, namespace=namespace, allow_hosts=self._allow_hosts
            )
            with self._lock:
                if self._stopped:
                    return
                self._session = session
                session.start()
            probe(config, namespace, FIRST_CONTACT, hint=self._hint)
        except MissingNamespaceError as error:
            self._failure = error
        except ClusterError as error:
            if not self._has_lived():
                self._failure = error
        except Exception as error:  # without this thread the screen would wait for ever
            what = one_line(f"{type(error).__name__}: {error}", 200)
            self._failure = ClusterError(f"The connection could not be set up ({what}).")

    def _has_lived(self) -> bool:
        return any(link.health is Health.LIVE for link in self._store.links.values())
