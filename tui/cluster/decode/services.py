"""Services (v1) and EndpointSlices (discovery.k8s.io/v1)."""

from __future__ import annotations

from typing import Final

import msgspec

from tui.cluster.decode.common import Int32, LeanMeta, NamedObject, identity, labels_of, shared
from tui.state.rows import EndpointSliceRow, ServicePort, ServiceRow

_SERVICE_NAME: Final = "kubernetes.io/service-name"


class Port(msgspec.Struct, gc=False):
    """``spec.ports[]``."""

    name: str | None = None
    port: Int32 | None = None
    nodePort: Int32 | None = None  # noqa: N815
    protocol: str | None = None
    targetPort: int | str | None = None  # noqa: N815
    appProtocol: str | None = None  # noqa: N815


class Spec(msgspec.Struct, gc=False):
    """``spec`` of a Service."""

    type: str | None = None
    clusterIP: str | None = None  # noqa: N815
    ports: list[Port] | None = None
    selector: dict[str, str | None] | None = None
    externalName: str | None = None  # noqa: N815
    externalTrafficPolicy: str | None = None  # noqa: N815


class Entry(msgspec.Struct, gc=False):
    """``status.loadBalancer.ingress[]``, of a Service and of an Ingress."""

    ip: str | None = None
    hostname: str | None = None


class LoadBalancer(msgspec.Struct, gc=False):
    """``status.loadBalancer``."""

    ingress: list[Entry] | None = None

    @property
    def addresses(self) -> tuple[str, ...]:
        """IP or host name of each entry."""
        found = (e.ip or e.hostname for e in self.ingress or ())
        return tuple(address for address in found if address)


class Status(msgspec.Struct, gc=False):
    """``status`` of a Service."""

    loadBalancer: LoadBalancer | None = None  # noqa: N815


class Service(msgspec.Struct, gc=False):
    """A Service as it comes over the wire."""

    metadata: LeanMeta | None = None
    spec: Spec | None = None
    status: Status | None = None


class EndpointConditions(msgspec.Struct, gc=False):
    """``endpoints[].conditions``."""

    ready: bool | None = None


class Endpoint(msgspec.Struct, gc=False):
    """``endpoints[]``."""

    conditions: EndpointConditions | None = None
    targetRef: NamedObject | None = None  # noqa: N815
    nodeName: str | None = None  # noqa: N815


class EndpointPort(msgspec.Struct, gc=False):
    """``ports[]`` of an EndpointSlice."""

    name: str | None = None
    port: Int32 | None = None
    protocol: str | None = None


class EndpointSlice(msgspec.Struct, gc=False):
    """An EndpointSlice as it comes over the wire."""

    metadata: LeanMeta | None = None
    endpoints: list[Endpoint] | None = None
    ports: list[EndpointPort] | None = None


_NO_SPEC: Final = Spec()


def service(wire: Service) -> ServiceRow:
    """The row of a Service."""
    uid, name, namespace, created = identity(wire.metadata)
    spec = wire.spec or _NO_SPEC
    balancer = wire.status.loadBalancer if wire.status else None
    return ServiceRow(
        uid=uid,
        name=name,
        namespace=namespace,
        created=created,
        type=shared(spec.type or "ClusterIP"),
        cluster_ip=spec.clusterIP or "",
        ports=tuple(_port(p) for p in spec.ports or ()),
        selector=labels_of(spec.selector),
        ingress=(balancer.addresses if balancer else ()),
        external_name=spec.externalName or "",
        local_only=spec.externalTrafficPolicy == "Local",
    )


def _port(wire: Port) -> ServicePort:
    return ServicePort(
        port=wire.port or 0,
        name=wire.name or "",
        node_port=wire.nodePort or 0,
        protocol=shared(wire.protocol or "TCP"),
        target=str(wire.targetPort or wire.port or ""),
        app_protocol=wire.appProtocol or "",
    )


def endpointslice(wire: EndpointSlice) -> EndpointSliceRow:
    """The row of an EndpointSlice. An endpoint without a word on readiness counts as ready."""
    meta = wire.metadata
    uid, name, namespace, created = identity(meta)
    ready: list[str] = []
    not_ready: list[str] = []
    nodes: set[str] = set()
    others = 0
    for endpoint in wire.endpoints or ():
        target = endpoint.targetRef
        unready = endpoint.conditions is not None and endpoint.conditions.ready is False
        if endpoint.nodeName and not unready:
            nodes.add(shared(endpoint.nodeName))
        if target is None or target.kind != "Pod" or not target.name:
            others += not unready
            continue
        (not_ready if unready else ready).append(target.name)
    return EndpointSliceRow(
        uid=uid,
        name=name,
        namespace=namespace,
        created=created,
        service=((meta.labels if meta else None) or {}).get(_SERVICE_NAME) or "",
        ready=tuple(ready),
        not_ready=tuple(not_ready),
        ports=shared(
            tuple((p.name or "", p.port or 0, p.protocol or "TCP") for p in wire.ports or ())
        ),
        # Seldom the same twice: not worth remembering for others.
        nodes=tuple(sorted(nodes)),
        others=others,
    )
