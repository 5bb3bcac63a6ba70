"""From the objects that fetches bring to facts: wire types with only what is used."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from tui.cluster.decode.common import WireCondition, instant
from tui.cluster.errors import UNREADABLE, one_line
from tui.state.fetched import (
    ApiServiceFact,
    AutoscalerFact,
    AutoscalersFact,
    ConfigMapFact,
    IngressesFact,
    IngressFact,
    ReplicasOwner,
    ReplicasOwnersFact,
)

_LONGEST_TEXT: Final = 64 * 1024
_MOST_KEYS: Final = 32
_LONGEST: Final = 240
_LAST_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"
_REWRITE: Final = "nginx.ingress.kubernetes.io/rewrite-target"
_MARKS: Final = ("argocd.argoproj.io/", "toolkit.fluxcd.io/", "app.kubernetes.io/managed-by")
_BOTH: Final = ("cpu", "memory")


class FieldsOfSpec(msgspec.Struct):
    """``f:spec`` of a managed field set: only whether ``replicas`` is among it."""

    replicas: dict[str, Any] | None = msgspec.field(name="f:replicas", default=None)


class Fields(msgspec.Struct):
    """``fieldsV1``."""

    data: dict[str, Any] | None = msgspec.field(name="f:data", default=None)
    spec: FieldsOfSpec | None = msgspec.field(name="f:spec", default=None)


class ManagedField(msgspec.Struct):
    """``metadata.managedFields[]``."""

    manager: str | None = None
    operation: str | None = None
    time: str | None = None
    fieldsV1: Fields | None = None  # noqa: N815 (the wire's name)


class Meta(msgspec.Struct):
    """``metadata``."""

    name: str | None = None
    creationTimestamp: str | None = None  # noqa: N815
    deletionTimestamp: str | None = None  # noqa: N815
    labels: dict[str, str | None] | None = None
    annotations: dict[str, str | None] | None = None
    managedFields: list[ManagedField] | None = None  # noqa: N815


class ServiceReference(msgspec.Struct):
    """``spec.service`` of an APIService."""

    namespace: str | None = None
    name: str | None = None


class ApiServiceSpec(msgspec.Struct):
    """``spec`` of an APIService."""

    service: ServiceReference | None = None


class Conditions(msgspec.Struct):
    """A ``status`` with conditions."""

    conditions: list[WireCondition] | None = None


class ApiService(msgspec.Struct):
    """apiregistration.k8s.io/v1 APIService."""

    spec: ApiServiceSpec | None = None
    status: Conditions | None = None


class ConfigMap(msgspec.Struct):
    """v1 ConfigMap, its text alone."""

    metadata: Meta | None = None
    data: dict[str, str | None] | None = None


class Managed(msgspec.Struct):
    """Any object, by its metadata."""

    metadata: Meta | None = None


class ObjectList(msgspec.Struct):
    """Any list, by its items' metadata."""

    items: list[Managed] | None = None


class TargetRef(msgspec.Struct):
    """``spec.targetRef`` of a VerticalPodAutoscaler."""

    kind: str | None = None
    name: str | None = None


class UpdatePolicy(msgspec.Struct):
    """``spec.updatePolicy``."""

    updateMode: str | None = None  # noqa: N815


class ContainerPolicy(msgspec.Struct):
    """``spec.resourcePolicy.containerPolicies[]``."""

    mode: str | None = None
    controlledResources: list[str] | None = None  # noqa: N815


class ResourcePolicy(msgspec.Struct):
    """``spec.resourcePolicy``."""

    containerPolicies: list[ContainerPolicy] | None = None  # noqa: N815


class VpaSpec(msgspec.Struct):
    """``spec`` of a VerticalPodAutoscaler."""

    targetRef: TargetRef | None = None  # noqa: N815
    updatePolicy: UpdatePolicy | None = None  # noqa: N815
    resourcePolicy: ResourcePolicy | None = None  # noqa: N815


class Vpa(msgspec.Struct):
    """autoscaling.k8s.io/v1 VerticalPodAutoscaler."""

    metadata: Meta | None = None
    spec: VpaSpec | None = None


class VpaList(msgspec.Struct):
    """A list of them."""

    items: list[Vpa] | None = None


class IngressPath(msgspec.Struct):
    """``spec.rules[].http.paths[]``."""

    path: str | None = None


class IngressHttp(msgspec.Struct):
    """``spec.rules[].http``."""

    paths: list[IngressPath] | None = None


class IngressRule(msgspec.Struct):
    """``spec.rules[]``."""

    http: IngressHttp | None = None


class IngressSpec(msgspec.Struct):
    """``spec`` of an Ingress."""

    rules: list[IngressRule] | None = None


class Ingress(msgspec.Struct):
    """networking.k8s.io/v1 Ingress."""

    metadata: Meta | None = None
    spec: IngressSpec | None = None


class IngressList(msgspec.Struct):
    """A list of them."""

    items: list[Ingress] | None = None


_NO_META: Final = Meta()


def api_service(wire: ApiService) -> ApiServiceFact:
    """Its Available condition; Unknown while it has none."""
    backend = wire.spec.service if wire.spec is not None else None
    service = f"{backend.namespace or ''}/{backend.name or ''}" if backend is not None else ""
    for condition in (wire.status.conditions if wire.status is not None else None) or ():
        if condition.type == "Available":
            return ApiServiceFact(
                available=condition.status or "Unknown",
                reason=one_line(condition.reason or "", _LONGEST),
                message=one_line(condition.message or "", _LONGEST),
                service=service,
                since=instant(condition.lastTransitionTime),
            )
    return ApiServiceFact("Unknown", service=service)


def config_map(wire: ConfigMap) -> ConfigMapFact:
    """Its text, cut, and when that was last written."""
    meta = wire.metadata or _NO_META
    data = sorted((key, text or "") for key, text in (wire.data or {}).items())
    written = [
        instant(field.time) or 0.0
        for field in meta.managedFields or ()
        if field.fieldsV1 is not None and field.fieldsV1.data is not None
    ]
    changed = max(written, default=0.0) or instant(meta.creationTimestamp) or 0.0
    return ConfigMapFact(
        tuple((key, text[:_LONGEST_TEXT]) for key, text in data[:_MOST_KEYS]), changed
    )


def autoscalers(wire: VpaList) -> AutoscalersFact:
    """Those with a target."""
    found = []
    for vpa in wire.items or ():
        spec = vpa.spec or VpaSpec()
        target = spec.targetRef
        if target is None:
            continue
        mode = (spec.updatePolicy.updateMode if spec.updatePolicy else None) or "Auto"
        name = (vpa.metadata or _NO_META).name or ""
        resources = _controlled(spec.resourcePolicy)
        found.append(AutoscalerFact(name, target.kind or "", target.name or "", mode, resources))
    return AutoscalersFact(tuple(found))


def _controlled(policy: ResourcePolicy | None) -> tuple[str, ...]:
    """What it sets of any container: CPU and memory unless told otherwise."""
    policies = (policy.containerPolicies if policy is not None else None) or []
    if not policies:
        return _BOTH
    found: set[str] = set()
    for each in policies:
        if each.mode != "Off":
            found.update(_BOTH if each.controlledResources is None else each.controlledResources)
    return tuple(sorted(found))


def replicas_owners(wire: Managed) -> ReplicasOwnersFact:
    """Who owns ``spec.replicas``, the latest first, and whether kubectl's memory has it."""
    meta = wire.metadata or _NO_META
    owners = [
        ReplicasOwner(
            one_line(field.manager or "", 128), field.operation or "", instant(field.time)
        )
        for field in meta.managedFields or ()
        if field.fieldsV1 is not None
        and field.fieldsV1.spec is not None
        and field.fieldsV1.spec.replicas is not None
    ]
    owners.sort(key=lambda owner: -(owner.at or 0.0))
    annotations = meta.annotations or {}
    marks = {
        key: one_line(value or "", 128)
        for key, value in {**(meta.labels or {}), **annotations}.items()
        if any(mark in key for mark in _MARKS)
    }
    applied = _has_replicas(annotations.get(_LAST_APPLIED) or "")
    return ReplicasOwnersFact(tuple(owners), applied, tuple(sorted(marks.items())))


class _AppliedSpec(msgspec.Struct):
    replicas: int | None = None


class _Applied(msgspec.Struct):
    spec: _AppliedSpec | None = None


def _has_replicas(text: str) -> bool:
    try:
        spec = msgspec.json.decode(text, type=_Applied).spec
    except UNREADABLE:
        return False
    return spec is not None and spec.replicas is not None


def ingresses(wire: IngressList) -> IngressesFact:
    """Those that rewrite."""
    found = []
    for ingress in wire.items or ():
        meta = ingress.metadata or _NO_META
        rewrite = (meta.annotations or {}).get(_REWRITE)
        if not rewrite:
            continue
        rules = (ingress.spec.rules if ingress.spec is not None else None) or ()
        paths = [p.path for r in rules if r.http is not None for p in r.http.paths or ()]
        shown = tuple(one_line(p, _LONGEST) for p in paths if p)
        found.append(IngressFact(meta.name or "", one_line(rewrite, _LONGEST), shown))
    return IngressesFact(tuple(found))


def newest(wire: ObjectList) -> str:
    """The name of the youngest that is not being deleted; empty if there is none."""
    alive = [
        meta
        for item in wire.items or ()
        if (meta := item.metadata) is not None and meta.name and not meta.deletionTimestamp
    ]
    last = max(alive, key=lambda meta: meta.creationTimestamp or "", default=None)
    return (last.name or "") if last is not None else ""
