"""Kubeconfig files, read and merged as kubectl does.

The rules are those of
https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/ : of several
files the first to name something wins, and paths are relative to the file they stand in.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias
from urllib.parse import quote, urlsplit

from tui.cluster.access import Auth, Certificate, ClusterConfig, ExecPlugin, Tls
from tui.cluster.errors import ClusterError, one_line
from tui.cluster.plugin import VERSIONS

SERVICE_ACCOUNT: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_LARGEST: Final = 8 * 1024 * 1024
_DEMO: Final = "To look around without a cluster, run `kscale-tui --demo`."

Entry: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ContextInfo:
    """A context that may be chosen."""

    name: str
    cluster: str
    user: str
    namespace: str
    current: bool


def load_config(
    kubeconfig: str | None = None,
    context: str | None = None,
    *,
    plugin_timeout: float = 30.0,
    environ: Mapping[str, str] = os.environ,
    service_account: Path = SERVICE_ACCOUNT,
) -> ClusterConfig:
    """The cluster to use: of ``--kubeconfig``, of KUBECONFIG, of ``~/.kube/config``, or, inside a
    pod, of its service account.

    Args:
        kubeconfig: the only file to read.
        context: instead of the current one.
        plugin_timeout: seconds a credential plugin may take.
        environ: variables to go by.
        service_account: where a pod finds its own.

    Raises:
        ClusterError: there is none, or it is not usable; one sentence and the next step.
    """
    merged = _load(kubeconfig, environ)
    if merged is None:
        if context is None and environ.get("KUBERNETES_SERVICE_HOST"):
            return _in_cluster(environ, service_account)
        raise _nothing_found(kubeconfig, environ)
    return merged.resolve(context, plugin_timeout)


def list_contexts(
    kubeconfig: str | None = None, *, environ: Mapping[str, str] = os.environ
) -> list[ContextInfo]:
    """Every context, by name; empty if there is no kubeconfig.

    Raises:
        ClusterError: a file cannot be read.
    """
    merged = _load(kubeconfig, environ)
    if merged is None:
        return []
    return [
        ContextInfo(
            name,
            _text(entry.get("cluster")),
            _text(entry.get("user")),
            _text(entry.get("namespace")) or "default",
            name == merged.current,
        )
        for name, entry in sorted(merged.contexts.items())
    ]


def default_path(environ: Mapping[str, str] = os.environ) -> Path:
    """``~/.kube/config``."""
    home = environ.get("HOME") or environ.get("USERPROFILE") or "~"
    return Path(home).expanduser() / ".kube" / "config"


class _Merged:
    """The contents of one or more files."""

    def __init__(self) -> None:
        self.current = ""
        self.contexts: dict[str, Entry] = {}
        self.clusters: dict[str, Entry] = {}
        self.users: dict[str, Entry] = {}
        self.files: list[str] = []

    def add(self, path: Path) -> None:
        """Take over what earlier files have not named."""
        document = _parse(path)
        self.files.append(str(path))
        self.current = self.current or _text(document.get("current-context"))
        for plural, singular, known in (
            ("contexts", "context", self.contexts),
            ("clusters", "cluster", self.clusters),
            ("users", "user", self.users),
        ):
            for name, entry in _named(document.get(plural), singular, path):
                known.setdefault(name, {**entry, "": path.parent})

    def resolve(self, wanted: str | None, plugin_timeout: float) -> ClusterConfig:
        """The context of that name, or the current one."""
        name = wanted or self.current
        if not name:
            raise ClusterError(
                f"No context is chosen in {self._where()}.",
                f"Pass --context NAME; {self._known()}",
            )
        context = self.contexts.get(name)
        if context is None:
            raise ClusterError(
                f"There is no context {one_line(name, 80)!r} in {self._where()}.",
                self._known().capitalize(),
            )
        cluster_name = _text(context.get("cluster"))
        user_name = _text(context.get("user"))
        cluster = self.clusters.get(cluster_name)
        if cluster is None:
            raise self._dangling(name, "cluster", cluster_name)
        user = self.users.get(user_name, {} if not user_name else None)
        if user is None:
            raise self._dangling(name, "user", user_name)
        tls = _tls(cluster)
        auth = _auth(user, user_name, plugin_timeout)
        return ClusterConfig(
            server=_server(cluster, cluster_name, tls, auth),
            context=name,
            cluster=cluster_name,
            user=user_name,
            namespace=_text(context.get("namespace")) or "default",
            tls=tls,
            auth=auth,
            proxy=_text(cluster.get("proxy-url")) or None,
            cluster_info=_cluster_info(cluster, tls),
            source=os.pathsep.join(self.files),
        )

    def _where(self) -> str:
        return ", ".join(self.files)

    def _known(self) -> str:
        names = [one_line(n, 60) for n in sorted(self.contexts)]
        if not names:
            return "it names none: check the file with `kubectl config get-contexts`."
        shown = ", ".join(names[:12]) + (f" and {len(names) - 12} more" if len(names) > 12 else "")
        return f"known are: {shown}."

    def _dangling(self, context: str, what: str, name: str) -> ClusterError:
        return ClusterError(
            f"The context {one_line(context, 80)!r} names the {what} {one_line(name, 80)!r}, "
            f"which is not in {self._where()}.",
            f"Correct it with `kubectl config set-context {one_line(context, 80)} --{what}=NAME`.",
        )


def _load(kubeconfig: str | None, environ: Mapping[str, str]) -> _Merged | None:
    """The files merged; None if there is not one."""
    if kubeconfig:
        paths = [Path(kubeconfig).expanduser()]
        if not paths[0].exists():
            return None
    elif environ.get("KUBECONFIG"):
        listed = [p for p in environ["KUBECONFIG"].split(os.pathsep) if p]
        paths = [path for p in listed if (path := Path(p).expanduser()).exists()]
    else:
        paths = [path for path in (default_path(environ),) if path.exists()]
    if not paths:
        return None
    merged = _Merged()
    for path in paths:
        merged.add(path.absolute())
    return merged


def _nothing_found(kubeconfig: str | None, environ: Mapping[str, str]) -> ClusterError:
    if kubeconfig:
        return ClusterError(
            f"There is no kubeconfig at {kubeconfig}.", f"Check --kubeconfig. {_DEMO}"
        )
    if environ.get("KUBECONFIG"):
        return ClusterError(
            f"No kubeconfig was found: KUBECONFIG names {environ['KUBECONFIG']}, which does not "
            "exist.",
            f"Correct KUBECONFIG or pass --kubeconfig FILE. {_DEMO}",
        )
    return ClusterError(
        f"No kubeconfig was found: KUBECONFIG is not set and {default_path(environ)} does not "
        "exist.",
        f"Pass --kubeconfig FILE. {_DEMO}",
    )


def _parse(path: Path) -> Entry:
    import yaml

    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST + 1)
    except OSError as error:
        raise ClusterError(
            f"The kubeconfig {path} cannot be read: {error.strerror or 'unknown error'}.",
            "Check the file and its permissions.",
        ) from None
    if len(data) > _LARGEST:
        raise ClusterError(f"The file {path} is too large for a kubeconfig.", "Check its name.")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        document = yaml.load(data, Loader=loader)  # noqa: S506 (a safe loader, the fast one)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f" at line {mark.line + 1}" if mark is not None else ""
        problem = one_line(getattr(error, "problem", None) or "it cannot be parsed", 120)
        raise ClusterError(
            f"The kubeconfig {path} is not valid YAML{line}: {problem}.", "Correct that line."
        ) from None
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise ClusterError(f"The file {path} is not a kubeconfig.", "Check its name.")
    return document


def _named(entries: Any, singular: str, path: Path) -> Iterable[tuple[str, Entry]]:
    if entries is None:
        return
    if not isinstance(entries, list):
        raise ClusterError(f"In {path}, `{singular}s` is not a list.", "Correct the file.")
    for entry in entries:
        if isinstance(entry, dict) and entry.get("name") is not None:
            body = entry.get(singular)
            yield _text(entry["name"]), body if isinstance(body, dict) else {}


def _server(cluster: Entry, name: str, tls: Tls, auth: Auth) -> str:
    server = _text(cluster.get("server")).strip().rstrip("/")
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
            f"{one_line(server, 120) or 'it is empty'}.",
            "Expected something like https://HOST:6443.",
        )
    return server


def _tls(cluster: Entry) -> Tls:
    ca_data = _decoded(cluster, "certificate-authority-data")
    return Tls(
        ca_file=None if ca_data else _file(cluster, "certificate-authority"),
        ca_data=ca_data,
        server_name=_text(cluster.get("tls-server-name")) or None,
        insecure=cluster.get("insecure-skip-tls-verify") is True,
    )


def _auth(user: Entry, name: str, plugin_timeout: float) -> Auth:
    if user.get("auth-provider"):
        provider = user["auth-provider"]
        called = _text(provider.get("name")) if isinstance(provider, dict) else ""
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
        token=None if token_file else _text(user.get("token")) or None,
        token_file=token_file,
        username=_text(username) if username else None,
        password=_text(user.get("password")) or None,
        plugin=_plugin(user.get("exec"), user.get(""), name, plugin_timeout),
        certificate=certificate,
        impersonate=tuple(_impersonation(user)),
    )


def _plugin(spec: Any, directory: Any, user: str, timeout: float) -> ExecPlugin | None:
    if not isinstance(spec, dict):
        return None
    command = _text(spec.get("command"))
    version = _text(spec.get("apiVersion"))
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
        args=tuple(_text(a) for a in spec.get("args") or ()),
        env=tuple((_text(e.get("name")), _text(e.get("value"))) for e in env),
        api_version=version,
        provide_cluster_info=spec.get("provideClusterInfo") is True,
        interactive_mode=_text(spec.get("interactiveMode")) or "IfAvailable",
        install_hint=_text(spec.get("installHint")),
        timeout=timeout,
    )


def _impersonation(user: Entry) -> Iterable[tuple[str, str]]:
    if user.get("as"):
        yield "Impersonate-User", _text(user["as"])
    if user.get("as-uid"):
        yield "Impersonate-Uid", _text(user["as-uid"])
    groups = user.get("as-groups")
    for group in groups if isinstance(groups, list) else ():
        yield "Impersonate-Group", _text(group)
    extra = user.get("as-user-extra")
    for key, values in extra.items() if isinstance(extra, dict) else ():
        for value in values if isinstance(values, list) else ():
            yield f"Impersonate-Extra-{quote(_text(key).lower(), safe='')}", _text(value)


def _cluster_info(cluster: Entry, tls: Tls) -> str:
    """``spec.cluster`` of KUBERNETES_EXEC_INFO."""
    info: dict[str, object] = {"server": _text(cluster.get("server"))}
    if tls.ca_data:
        info["certificate-authority-data"] = base64.b64encode(tls.ca_data).decode()
    if tls.server_name:
        info["tls-server-name"] = tls.server_name
    if tls.insecure:
        info["insecure-skip-tls-verify"] = True
    return json.dumps(info)


def _file(entry: Entry, key: str) -> str | None:
    """A path of an entry, relative to the file that it stands in, checked to be readable."""
    given = _text(entry.get(key))
    if not given:
        return None
    directory = entry.get("")
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
    text = _text(entry.get(key))
    if not text:
        return None
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise ClusterError(
            f"`{key}` in the kubeconfig is not base64.", "Correct or re-create the entry."
        ) from None


def _in_cluster(environ: Mapping[str, str], account: Path) -> ClusterConfig:
    host, port = environ["KUBERNETES_SERVICE_HOST"], environ.get("KUBERNETES_SERVICE_PORT", "443")
    token, ca = account / "token", account / "ca.crt"
    if not token.exists():
        raise ClusterError(
            f"This is a pod, but it has no service account token at {token}.",
            "Set automountServiceAccountToken: true, or pass --kubeconfig FILE.",
        )
    try:
        namespace = (account / "namespace").read_text("utf-8").strip() or "default"
    except (OSError, UnicodeDecodeError):
        namespace = "default"
    return ClusterConfig(
        server=f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}",
        context="in-cluster",
        cluster="in-cluster",
        user="service account",
        namespace=namespace,
        tls=Tls(ca_file=str(ca) if ca.exists() else None),
        auth=Auth(token_file=str(token)),
        source="in-cluster service account",
    )


def _text(value: Any) -> str:
    return "" if value is None or isinstance(value, (dict, list)) else str(value)
