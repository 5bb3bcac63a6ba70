"""Kubeconfig files, read and merged as kubectl does.

The rules are those of
https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/ : of several
files the first to name something wins, and paths are relative to the file they stand in.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from tui.cluster.access import Auth, ClusterConfig, Tls
from tui.cluster.entries import (
    DIRECTORY,
    Entry,
    auth_of,
    cluster_info_of,
    server_of,
    text_of,
    tls_of,
)
from tui.cluster.errors import ClusterError, one_line

SERVICE_ACCOUNT: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_LARGEST: Final = 8 * 1024 * 1024
_MOST_VALUES: Final = 500_000
_MOST_ALIASES: Final = 1_000
_DEMO: Final = "To look around without a cluster, run `kscale-tui --demo`."


class ContextInfo(msgspec.Struct, frozen=True):
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
            text_of(entry.get("cluster")),
            text_of(entry.get("user")),
            text_of(entry.get("namespace")) or "default",
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
        self.current = self.current or text_of(document.get("current-context"))
        for plural, singular, known in (
            ("contexts", "context", self.contexts),
            ("clusters", "cluster", self.clusters),
            ("users", "user", self.users),
        ):
            for name, entry in _named(document.get(plural), singular, path):
                known.setdefault(name, {**entry, DIRECTORY: path.parent})

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
            known = self._known()
            raise ClusterError(
                f"There is no context {one_line(name, 80)!r} in {self._where()}.",
                # Not capitalize(): it would make the names that follow small.
                known[:1].upper() + known[1:],
            )
        cluster_name = text_of(context.get("cluster"))
        user_name = text_of(context.get("user"))
        cluster = self.clusters.get(cluster_name)
        if cluster is None:
            raise self._dangling(name, "cluster", cluster_name)
        user = self.users.get(user_name, {} if not user_name else None)
        if user is None:
            raise self._dangling(name, "user", user_name)
        tls = tls_of(cluster)
        auth = auth_of(user, user_name, plugin_timeout)
        return ClusterConfig(
            server=server_of(cluster, cluster_name, tls, auth),
            context=name,
            cluster=cluster_name,
            user=user_name,
            namespace=text_of(context.get("namespace")) or "default",
            tls=tls,
            auth=auth,
            proxy=text_of(cluster.get("proxy-url")) or None,
            cluster_info=cluster_info_of(cluster, tls),
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

    from tui.cluster import yaml_bounds

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
        yaml_bounds.check(data, nodes=_MOST_VALUES, aliases=_MOST_ALIASES)
        document = yaml.load(data, Loader=loader)  # noqa: S506 (a safe loader, the fast one)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f" at line {mark.line + 1}" if mark is not None else ""
        problem = one_line(getattr(error, "problem", None) or "it cannot be parsed", 120)
        if isinstance(error, yaml.constructor.ConstructorError):
            # It would be quoted, and may be a password that begins with an exclamation mark.
            problem = "there is a tag (!) or a key that no kubeconfig has; put it in quotes"
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
            yield text_of(entry["name"]), body if isinstance(body, dict) else {}


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
