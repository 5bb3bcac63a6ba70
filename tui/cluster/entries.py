"""What the clusters and users of a kubeconfig say, checked.

Reference: https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final, TypeAlias
from urllib.parse import quote, urlsplit

from tui.cluster.access import Auth, Certificate, ExecPlugin, Tls
from tui.cluster.errors import ClusterError, one_line
from tui.cluster.plugin import VERSIONS

Entry: TypeAlias = dict[str, Any]
"""The body of a named cluster, user or context."""

DIRECTORY: Final = ""
"""The key under which an entry carries the directory of its file, put there when it is read."""
_PASSWORD: Final = re.compile(r"(?<=://).*@")
"""What a URL may say between its scheme and its host."""


def server_of(cluster: Entry, name: str, tls: Tls, auth: Auth) -> str:
    """The URL of a cluster's API, without a trailing slash."""
    server = text_of(cluster.get("server")).strip().rstrip("/")
    if server and "://" not in server:
        secure = tls.ca_file or tls.ca_data or tls.insecure or auth.certificate
        server = f"{'https' if secure else 'http'}://{server}"
    try:
        parts = urlsplit(server)
        usable = parts.scheme in ("http", "https") and parts.hostname and (parts.port or 1) > 0
    except ValueError:
        usable = False
    if not usable:
        raise ClusterError(
            f"The cluster {one_line(name, 80)!r} has no usable server address: "
            f"{one_line(_PASSWORD.sub('', server), 120) or 'it is empty'}.",
            "Expected something like https://HOST:6443.",
        )
    return server


def tls_of(cluster: Entry) -> Tls:
    """How a cluster is verified."""
    ca_data = _decoded(cluster, "certificate-authority-data")
    return Tls(
        ca_file=None if ca_data else _file(cluster, "certificate-authority"),
        ca_data=ca_data,
        server_name=text_of(cluster.get("tls-server-name")) or None,
        insecure=cluster.get("insecure-skip-tls-verify") is True,
    )


def auth_of(user: Entry, name: str, plugin_timeout: float) -> Auth:
    """As whom requests are made."""
    if user.get("auth-provider"):
        provider = user["auth-provider"]
        called = text_of(provider.get("name")) if isinstance(provider, dict) else ""
        raise ClusterError(
            f"The user {one_line(name, 80)!r} logs in with the auth-provider "
            f"{one_line(called, 40)!r}, which Kubernetes has replaced.",
            "Use a credential plugin instead (kubelogin, gke-gcloud-auth-plugin, kubelogin-azure).",
        )
    cert_data, key_data = (
        _decoded(user, "client-certificate-data"),
        _decoded(user, "client-key-data"),
    )
    cert_file = None if cert_data else _file(user, "client-certificate")
    key_file = None if key_data else _file(user, "client-key")
    certificate = None
    if cert_data or key_data or cert_file or key_file:
        certificate = Certificate(cert_file, key_file, cert_data, key_data)
    # A token file wins over a token, as in client-go, for it can be renewed.
    token_file = _file(user, "tokenFile")
    username = user.get("username")
    return Auth(
        token=None if token_file else text_of(user.get("token")) or None,
        token_file=token_file,
        username=text_of(username) if username else None,
        password=text_of(user.get("password")) or None,
        plugin=_plugin(user.get("exec"), user.get(DIRECTORY), name, plugin_timeout),
        certificate=certificate,
        impersonate=tuple(_impersonation(user)),
    )


def _plugin(spec: Any, directory: Any, user: str, timeout: float) -> ExecPlugin | None:
    if not isinstance(spec, dict):
        return None
    command = text_of(spec.get("command"))
    version = text_of(spec.get("apiVersion"))
    if not command or version not in VERSIONS:
        problem = f"the apiVersion {one_line(version, 60)!r}" if command else "no command"
        raise ClusterError(
            f"The credential plugin of user {one_line(user, 80)!r} has {problem}.",
            f"Known are {' and '.join(VERSIONS)}.",
        )
    if os.path.dirname(command) and isinstance(directory, Path):
        command = str(directory / command)
    env = [e for e in spec.get("env") or () if isinstance(e, dict)]
    return ExecPlugin(
        command=command,
        args=tuple(text_of(a) for a in spec.get("args") or ()),
        env=tuple((text_of(e.get("name")), text_of(e.get("value"))) for e in env),
        api_version=version,
        provide_cluster_info=spec.get("provideClusterInfo") is True,
        interactive_mode=text_of(spec.get("interactiveMode")) or "IfAvailable",
        install_hint=text_of(spec.get("installHint")),
        timeout=timeout,
    )


def _impersonation(user: Entry) -> Iterable[tuple[str, str]]:
    if user.get("as"):
        yield "Impersonate-User", text_of(user["as"])
    if user.get("as-uid"):
        yield "Impersonate-Uid", text_of(user["as-uid"])
    groups = user.get("as-groups")
    for group in groups if isinstance(groups, list) else ():
        yield "Impersonate-Group", text_of(group)
    extra = user.get("as-user-extra")
    for key, values in extra.items() if isinstance(extra, dict) else ():
        for value in values if isinstance(values, list) else ():
            yield f"Impersonate-Extra-{quote(text_of(key).lower(), safe='')}", text_of(value)


def cluster_info_of(cluster: Entry, tls: Tls) -> str:
    """``spec.cluster`` of KUBERNETES_EXEC_INFO."""
    info: dict[str, object] = {"server": text_of(cluster.get("server"))}
    if tls.ca_data:
        info["certificate-authority-data"] = base64.b64encode(tls.ca_data).decode()
    if tls.server_name:
        info["tls-server-name"] = tls.server_name
    if tls.insecure:
        info["insecure-skip-tls-verify"] = True
    return json.dumps(info)


def _file(entry: Entry, key: str) -> str | None:
    """A path of an entry, relative to the file that it stands in, checked to be readable."""
    given = text_of(entry.get(key))
    if not given:
        return None
    directory = entry.get(DIRECTORY)
    path = Path(given)
    if isinstance(directory, Path):
        path = directory / path
    try:
        with path.open("rb"):
            return str(path)
    except OSError as error:
        raise ClusterError(
            f"The kubeconfig names {path} as {key}, which cannot be read: "
            f"{error.strerror or 'unknown error'}.",
            "Correct the path or its permissions.",
        ) from None


def _decoded(entry: Entry, key: str) -> bytes | None:
    text = text_of(entry.get(key))
    if not text:
        return None
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise ClusterError(
            f"`{key}` in the kubeconfig is not base64.", "Correct or re-create the entry."
        ) from None


def text_of(value: Any) -> str:
    """A scalar as text; empty for null and for what should be a scalar but is none."""
    return "" if value is None or isinstance(value, (dict, list)) else str(value)
