"""How to reach a cluster and as whom: what a kubeconfig says, resolved."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Certificate:
    """A client certificate and its key, as files or as PEM."""

    cert_file: str | None = None
    key_file: str | None = None
    cert_data: bytes | None = field(default=None, repr=False)
    key_data: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Tls:
    """How the server is verified."""

    ca_file: str | None = None
    ca_data: bytes | None = field(default=None, repr=False)
    server_name: str | None = None
    insecure: bool = False


@dataclass(frozen=True, slots=True)
class ExecPlugin:
    """A command that prints credentials (client.authentication.k8s.io)."""

    command: str
    args: tuple[str, ...] = field(default=(), repr=False)
    env: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    api_version: str = "client.authentication.k8s.io/v1"
    provide_cluster_info: bool = False
    interactive_mode: str = "IfAvailable"
    install_hint: str = ""
    timeout: float = 30.0


@dataclass(frozen=True, slots=True)
class Auth:
    """As whom. At most one of token, token_file, username and plugin is used, in this order."""

    token: str | None = field(default=None, repr=False)
    token_file: str | None = None
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    plugin: ExecPlugin | None = None
    certificate: Certificate | None = None
    impersonate: tuple[tuple[str, str], ...] = ()
    """``Impersonate-*`` headers."""


@dataclass(frozen=True, slots=True)
class ClusterConfig:
    """One context of a kubeconfig."""

    server: str = field(repr=False)
    """The API's URL without a trailing slash."""
    context: str = ""
    cluster: str = ""
    user: str = ""
    namespace: str = "default"
    tls: Tls = Tls()
    auth: Auth = Auth()
    proxy: str | None = field(default=None, repr=False)
    cluster_info: str = field(default="", repr=False)
    """The cluster as JSON, for plugins that want it (``provideClusterInfo``)."""
    source: str = ""
    """Where this was read: files, or "in-cluster service account"."""

    @property
    def host(self) -> str:
        """The server's host and port, for people."""
        parts = urlsplit(self.server)
        return parts.netloc.rpartition("@")[2]

    @property
    def insecure(self) -> bool:
        """Whether the server's identity is not verified."""
        return self.tls.insecure or self.server.startswith("http:")

    @property
    def loopback(self) -> bool:
        """Whether the server is on this machine."""
        host = urlsplit(self.server).hostname or ""
        return host == "localhost" or host == "::1" or host.startswith("127.")

    def files(self) -> tuple[str, ...]:
        """The files whose change means that connections must be made anew."""
        certificate = self.auth.certificate or Certificate()
        found = (self.tls.ca_file, certificate.cert_file, certificate.key_file)
        return tuple(f for f in found if f)


def stamp(files: tuple[str, ...]) -> tuple[tuple[int, int], ...]:
    """Times and sizes of files, to tell whether they changed."""
    stamps = []
    for path in files:
        try:
            stat = os.stat(path)
            stamps.append((stat.st_mtime_ns, stat.st_size))
        except OSError:
            stamps.append((0, 0))
    return tuple(stamps)
