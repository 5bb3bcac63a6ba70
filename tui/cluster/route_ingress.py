"""The Ingress rules of a namespace, asked for when they are needed and not watched.

https://kubernetes.io/docs/concepts/services-networking/ingress/
"""

from __future__ import annotations

from typing import Final

import msgspec

from tui.cluster.decode.services import LoadBalancer
from tui.cluster.errors import UNREADABLE, ApiError, Fault
from tui.cluster.halt import Halt
from tui.cluster.transport import Transport, path

_TIMEOUT: Final = 3.0
_MOST: Final = 200
"""Ingresses looked at."""


class IngressPath(msgspec.Struct, frozen=True):
    """One path of one rule of an Ingress, as the cluster wrote it: not trusted."""

    name: str
    host: str
    """The rule's host; empty is any. A wildcard stays as it is (``*.example.com``)."""
    path: str
    """Begins with ``/``."""
    service: str
    port: int | str
    """The backend's port, by number or by name."""
    tls: bool = False
    addresses: tuple[str, ...] = ()
    """Where the controller says it listens; may be empty."""


class _Port(msgspec.Struct):
    number: int | None = None
    name: str | None = None


class _Service(msgspec.Struct):
    name: str | None = None
    port: _Port | None = None


class _Backend(msgspec.Struct):
    service: _Service | None = None


class _Path(msgspec.Struct):
    path: str | None = None
    pathType: str | None = None  # noqa: N815 (the wire's name)
    backend: _Backend | None = None


class _Http(msgspec.Struct):
    paths: list[_Path] | None = None


class _Rule(msgspec.Struct):
    host: str | None = None
    http: _Http | None = None


class _Tls(msgspec.Struct):
    hosts: list[str] | None = None


class _Spec(msgspec.Struct):
    rules: list[_Rule] | None = None
    tls: list[_Tls] | None = None
    defaultBackend: _Backend | None = None  # noqa: N815


class _Meta(msgspec.Struct):
    name: str | None = None


class _Status(msgspec.Struct):
    loadBalancer: LoadBalancer | None = None  # noqa: N815


class _Ingress(msgspec.Struct):
    metadata: _Meta | None = None
    spec: _Spec | None = None
    status: _Status | None = None


class _List(msgspec.Struct):
    items: list[msgspec.Raw] | None = None


def fetch(transport: Transport, namespace: str, halt: Halt | None = None) -> list[IngressPath]:
    """The paths of all Ingresses of a namespace. An API that is absent or forbidden has none:
    that is the usual case, and no error.

    Raises:
        ApiError: the server cannot be reached, or failed.
    """
    where = path("apis", "networking.k8s.io", "v1", "namespaces", namespace, "ingresses")
    try:
        answer = transport.get(where, {"limit": _MOST}, timeout=_TIMEOUT, halt=halt)
    except ApiError as error:
        if error.kind in (Fault.FORBIDDEN, Fault.NOT_FOUND, Fault.INVALID, Fault.NOT_KUBERNETES):
            return []
        raise
    return decode(answer.body)


def decode(body: bytes) -> list[IngressPath]:
    """The paths in an IngressList; what cannot be read is left out."""
    try:
        items = msgspec.json.decode(body, type=_List).items or ()
    except UNREADABLE:
        return []
    found: list[IngressPath] = []
    for item in items:
        try:
            found += _paths(msgspec.json.decode(item, type=_Ingress))
        except UNREADABLE:
            continue
    return found


def _paths(ingress: _Ingress) -> list[IngressPath]:
    spec = ingress.spec or _Spec()
    name = (ingress.metadata.name if ingress.metadata else None) or ""
    balancer = ingress.status.loadBalancer if ingress.status else None
    addresses = balancer.addresses if balancer else ()
    secured = {host for entry in spec.tls or () for host in entry.hosts or ()}
    found: list[IngressPath] = []
    for rule in spec.rules or ():
        host = rule.host or ""
        for one in (rule.http.paths if rule.http else None) or ():
            prefix = _literal(one)
            if prefix is not None and (backend := _service(one.backend)):
                tls = host in secured
                found.append(IngressPath(name, host, prefix, *backend, tls, addresses))
    if backend := _service(spec.defaultBackend):
        found.append(IngressPath(name, "", "/", *backend, False, addresses))
    return found


def _service(backend: _Backend | None) -> tuple[str, int | str] | None:
    service = backend.service if backend else None
    if service is None or not service.name or service.port is None:
        return None
    port = service.port.number or service.port.name
    return (service.name, port) if port else None


def _literal(path: _Path) -> str | None:
    """The path to ask for; None if it is a pattern, whose matches only its controller knows."""
    text = path.path or "/"
    if not text.startswith("/") or any(c in text for c in "()[]*?+^$\\|{}#"):
        return None
    return text
