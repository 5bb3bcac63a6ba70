"""Connection pools of the kubernetes client, with sockets that a halt can reach.

Importing this module imports urllib3; only :mod:`tui.cluster.transport` does, late.
"""

from __future__ import annotations

import logging
import socket
import sys
from typing import Any, Final

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError

from tui.cluster import tls
from tui.cluster.access import Certificate, ClusterConfig
from tui.cluster.dial import dial
from tui.cluster.errors import ApiError, Fault, one_line
from tui.cluster.halt import current
from tui.cluster.lean import kubernetes_client

_NOWHERE: Final = logging.NullHandler()


class _Guarded:
    """A connection whose socket the calling thread's halt knows while it is in use."""

    guarded: socket.socket | None = None

    def _new_conn(self: Any) -> socket.socket:
        halt = current()
        try:
            sock = dial(
                self._dns_host, self.port, _seconds(self.timeout), self.socket_options or (), halt
            )
        except socket.gaierror as error:
            raise NameResolutionError(self.host, self, error) from error
        except TimeoutError as error:
            raise ConnectTimeoutError(self, str(error)) from error
        except OSError as error:
            raise NewConnectionError(self, str(error)) from error
        sock.settimeout(self.timeout)
        if halt is not None:
            # TLS takes the descriptor away from this object before its handshake, which can
            # stall: until that is done the halt holds a duplicate.
            self.guarded = sock.dup()
            halt.attach(self.guarded)
        sys.audit("http.client.connect", self, self.host, self.port)
        return sock

    def connect(self: Any) -> None:
        try:
            super().connect()  # type: ignore[misc]  # of the urllib3 class
        finally:
            halt, duplicate = current(), self.guarded
            self.guarded = self.sock
            if halt is not None:
                halt.detach(duplicate)
                if self.sock is not None:
                    halt.attach(self.sock)
            if duplicate is not None:
                duplicate.close()

    def request(self: Any, *args: Any, **kwargs: Any) -> Any:
        halt = current()
        if self.sock is not None and halt is not None:
            self.guarded = self.sock
            halt.attach(self.sock)
        return super().request(*args, **kwargs)  # type: ignore[misc]  # of the urllib3 class


class _Http(_Guarded, HTTPConnection):
    pass


class _Https(_Guarded, HTTPSConnection):
    pass


class _HttpPool(HTTPConnectionPool):
    ConnectionCls: Any = _Http


class _HttpsPool(HTTPSConnectionPool):
    ConnectionCls: Any = _Https


def open_pool(
    config: ClusterConfig, certificate: Certificate | None, size: int
) -> urllib3.PoolManager:
    """Pools for one server, with its TLS and proxy settings and TCP keep-alive.

    Raises:
        ApiError: of kind TLS, a certificate cannot be loaded; of kind PROXY, it is of no use.
    """
    _quiet_logging()
    client = kubernetes_client()
    settings = client.configuration(host=config.server)
    settings.verify_ssl = not config.tls.insecure
    settings.tls_server_name = config.tls.server_name
    settings.connection_pool_maxsize = size
    settings.keep_alive = True
    settings.retries = False
    if config.proxy:
        settings.proxy = config.proxy
    elif config.loopback:
        # As Go's clients do: what is on this machine is never asked for through a proxy.
        settings.proxy = None
    if settings.proxy and not settings.proxy.startswith(("http://", "https://")):
        scheme = one_line(settings.proxy.partition(":")[0], 20)
        raise ApiError(
            Fault.PROXY, f"A {scheme} proxy is not supported: name an http:// or https:// one."
        )
    if config.tls.insecure:
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
    manager: urllib3.PoolManager = client.rest(settings).pool_manager
    if config.server.startswith("https:"):
        # One context for all connections, instead of reading the CA for each of them.
        manager.connection_pool_kw["ssl_context"] = tls.context(config.tls, certificate)
    manager.pool_classes_by_scheme = {"http": _HttpPool, "https": _HttpsPool}
    return manager


def _quiet_logging() -> None:
    """Keep the HTTP client's warnings off the terminal, which belongs to the screen."""
    logger = logging.getLogger("urllib3")
    logger.addHandler(_NOWHERE)
    logger.propagate = False


def _seconds(timeout: Any) -> float:
    return float(timeout) if isinstance(timeout, (int, float)) else 5.0
