"""Services (v1) and EndpointSlices (discovery.k8s.io/v1)."""

from __future__ import annotations

from typing import Final

import msgspec

from tui.cluster.decode.common import LeanMeta, NamedObject, identity, labels_of, shared
from tui.state.rows import EndpointSliceRow, ServiceRow

_SERVICE_NAME: Final = "kubernetes.io/service-name"


class Port(msgspec.Struct, gc=False):
    """``spec.ports[]``."""

    name: str | None = None
    port: int | None = None
    nodePort: int | None = None  # noqa: N815


class Spec(msgspec.Struct, gc=False):
    """``spec`` of a Service."""

    type: str | None = None
    clusterIP: str | None = None  # noqa: N815
    ports: list[Port] | None = None
    selector: dict[str, str | None] | None = None


class Service(msgspec.Struct, gc=False):
    """A Service as it comes over the wire."""

    metadata: LeanMeta | None = None
    spec: Spec | None = None


class EndpointConditions(msgspec.Struct, gc=False):
    """``endpoints[].conditions``."""

    ready: bool | None = None


class Endpoint(msgspec.Struct, gc=False):
    """``endpoints[]``."""

    conditions: EndpointConditions | None = None
    targetRef: NamedObject | None = None  # noqa: N815


class EndpointSlice(msgspec.Struct, gc=False):
    """An EndpointSlice as it comes over the wire."""

    metadata: LeanMeta | None = None
    endpoints: list[Endpoint] | None = None


_NO_SPEC: Final = Spec()


def service(wire: Service) -> ServiceRow:
    """The row of a Service."""
    uid, name, namespace, created = identity(wire.metadata)
    spec = wire.spec or _NO_SPEC
    return ServiceRow(
        uid=uid,
        name=name,
        namespace=namespace,
        created=created,
        type=shared(spec.type or "ClusterIP"),
        cluster_ip=spec.clusterIP or "",
        ports=tuple((p.name or "", p.port or 0, p.nodePort or 0) for p in spec.ports or ()),
        selector=labels_of(spec.selector),
    )


def endpointslice(wire: EndpointSlice) -> EndpointSliceRow:
    """The row of an EndpointSlice. An endpoint without a word on readiness counts as ready."""
    meta = wire.metadata
    uid, name, namespace, created = identity(meta)
    ready: list[str] = []
    not_ready: list[str] = []
    for endpoint in wire.endpoints or ():
        target = endpoint.targetRef
        if target is None or target.kind != "Pod" or not target.name:
            continue
        unready = endpoint.conditions is not None and endpoint.conditions.ready is False
        (not_ready if unready else ready).append(target.name)
    return EndpointSliceRow(
        uid=uid,
        name=name,
        namespace=namespace,
        created=created,
        service=((meta.labels if meta else None) or {}).get(_SERVICE_NAME) or "",
        ready=tuple(ready),
        not_ready=tuple(not_ready),
    )
