"""The rules an object must keep, in the API server's words."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Final

from tui import quantity
from tui.demo.api import errors, selectors
from tui.demo.api.errors import Cause
from tui.demo.custom import definitions
from tui.demo.resource import Resource
from tui.demo.store import Object

_DNS_LABEL: Final = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_DNS_SUBDOMAIN: Final = re.compile(
    r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"
)
_LABEL_PART: Final = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")
_QUANTITY_RULE: Final = (
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
)
_LABEL_NAMED: Final = frozenset({"Service", "Namespace"})
_NON_NEGATIVE: Final = "must be greater than or equal to 0"

_LABEL_RULE: Final = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and "
    "must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex "
    "used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)
_SUBDOMAIN_RULE: Final = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "
    "'.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used "
    "for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
_VALUE_RULE: Final = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or "
    "'.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  "
    "or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)

Causes = Iterator[Cause]


def name(kind: str, value: str, field: str = "metadata.name") -> Causes:
    """An object's name."""
    if kind in _LABEL_NAMED:
        if not _DNS_LABEL.fullmatch(value):
            yield Cause.invalid(field, value, _LABEL_RULE)
        if len(value) > 63:
            yield Cause.invalid(field, value, "must be no more than 63 characters")
        return
    if not _DNS_SUBDOMAIN.fullmatch(value):
        yield Cause.invalid(field, value, _SUBDOMAIN_RULE)
    if len(value) > 253:
        yield Cause.invalid(field, value, "must be no more than 253 characters")


def labels(found: Any, field: str) -> Causes:
    """A map of labels."""
    for key, value in (found or {}).items():
        if not isinstance(value, str):
            continue
        if value and (len(value) > 63 or not _LABEL_PART.fullmatch(value)):
            yield Cause.invalid(field, value, _VALUE_RULE)
        if not _LABEL_PART.fullmatch(key.rpartition("/")[2]):
            yield Cause.invalid(field, key, _VALUE_RULE)


def check_quantities(resource: Resource, data: Object) -> None:
    """Refuse what the decoder refuses: text where a quantity belongs.

    Raises:
        ApiError: 400, as the real decoder answers.
    """
    spec = data.get("spec")
    if not isinstance(spec, dict):
        return
    pod = spec if resource.kind == "Pod" else (spec.get("template") or {}).get("spec") or {}
    for group in ("initContainers", "containers"):
        for container in pod.get(group) or ():
            resources = container.get("resources") or {}
            for part in ("requests", "limits"):
                for value in (resources.get(part) or {}).values():
                    if not _is_quantity(value):
                        raise errors.bad_request(
                            f'{resource.kind} in version "{resource.version}" cannot be handled '
                            f"as a {resource.kind}: {_QUANTITY_RULE}"
                        )


def _is_quantity(value: object) -> bool:
    try:
        quantity.parse(str(value))
    except quantity.QuantityError:
        return False
    return True


def _pod_spec(spec: Object, field: str) -> Causes:
    if not spec.get("containers"):
        yield Cause.required(f"{field}.containers")
    volumes = {volume.get("name") for volume in spec.get("volumes") or ()}
    seen: set[str] = set()
    for group in ("initContainers", "containers"):
        for index, container in enumerate(spec.get(group) or ()):
            where = f"{field}.{group}[{index}]"
            called = container.get("name", "")
            if not called:
                yield Cause.required(f"{where}.name")
            elif called in seen:
                yield Cause.duplicate(f"{where}.name", called)
            elif not _DNS_LABEL.fullmatch(called):
                yield Cause.invalid(f"{where}.name", called, _LABEL_RULE)
            seen.add(called)
            if not container.get("image"):
                yield Cause.required(f"{where}.image")
            yield from _ports(container.get("ports") or (), f"{where}.ports")
            yield from _resources(container.get("resources") or {}, f"{where}.resources")
            for mount_index, mount in enumerate(container.get("volumeMounts") or ()):
                if mount.get("name") not in volumes:
                    yield Cause(
                        f"{where}.volumeMounts[{mount_index}].name",
                        "FieldValueNotFound",
                        f'Not found: "{mount.get("name", "")}"',
                    )


def _ports(ports: Any, field: str) -> Causes:
    for index, port in enumerate(ports):
        number = port.get("containerPort")
        if number is None:
            yield Cause.required(f"{field}[{index}].containerPort")
        elif not 0 < number < 65536:
            yield Cause.invalid(
                f"{field}[{index}].containerPort", number, "must be between 1 and 65535, inclusive"
            )


def _resources(resources: Object, field: str) -> Causes:
    limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
    for part, values in (("limits", limits), ("requests", requests)):
        for key, value in values.items():
            if quantity.parse(str(value)) < 0:
                yield Cause.invalid(f"{field}.{part}[{key}]", str(value), _NON_NEGATIVE)
    for key, value in requests.items():
        limit = limits.get(key)
        if limit is not None and quantity.parse(str(value)) > quantity.parse(str(limit)):
            detail = f"must be less than or equal to {key} limit of {limit}"
            yield Cause.invalid(f"{field}.requests", str(value), detail)


def _pod(data: Object, old: Object | None) -> Causes:
    if old is None:
        yield from _pod_spec(data["spec"], "spec")


def _workload(data: Object, old: Object | None) -> Causes:
    spec = data["spec"]
    replicas = spec.get("replicas", 1)
    if replicas < 0:
        yield Cause.invalid("spec.replicas", replicas, _NON_NEGATIVE)
    selector = spec.get("selector")
    template = spec.get("template") or {}
    have = (template.get("metadata") or {}).get("labels") or {}
    if not selector:
        yield Cause.required("spec.selector")
    elif not selectors.matches(selector, have):
        yield Cause.invalid(
            "spec.template.metadata.labels", have, "`selector` does not match template `labels`"
        )
    yield from labels(have, "spec.template.labels")
    yield from _pod_spec(template.get("spec") or {}, "spec.template.spec")
    if old is not None and old["spec"].get("selector") != selector:
        yield Cause.invalid("spec.selector", selector, "field is immutable")


def _service(data: Object, old: Object | None) -> Causes:
    spec = data["spec"]
    ports = spec.get("ports") or ()
    kinds = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
    if spec["type"] not in kinds:
        yield Cause.unsupported("spec.type", spec["type"], kinds)
    if not ports and spec["type"] != "ExternalName" and spec.get("clusterIP") != "None":
        yield Cause.required("spec.ports")
    names: set[str] = set()
    for index, port in enumerate(ports):
        where = f"spec.ports[{index}]"
        if len(ports) > 1 and not port.get("name"):
            yield Cause.required(f"{where}.name")
        if port.get("name") in names and port.get("name"):
            yield Cause.duplicate(f"{where}.name", port["name"])
        names.add(port.get("name", ""))
        number = port.get("port") or 0
        if not 0 < number < 65536:
            yield Cause.invalid(f"{where}.port", number, "must be between 1 and 65535, inclusive")
        if port.get("nodePort") and spec["type"] == "ClusterIP":
            detail = "may not be used when `type` is 'ClusterIP'"
            yield Cause.forbidden(f"{where}.nodePort", detail)
    before = (old or {}).get("spec", {}).get("clusterIP")
    if before and spec.get("clusterIP") and before != spec["clusterIP"]:
        yield Cause.invalid("spec.clusterIPs[0]", [spec["clusterIP"]], "may not change once set")


def _hpa(data: Object, old: Object | None) -> Causes:
    spec = data["spec"]
    low, high = spec.get("minReplicas", 1), spec.get("maxReplicas", 0)
    if low < 1:
        yield Cause.invalid("spec.minReplicas", low, "must be greater than or equal to 1")
    if high < 1:
        yield Cause.required("spec.maxReplicas", "must be set and greater than 0")
    if high < low:
        detail = "must be greater than or equal to `minReplicas`"
        yield Cause.invalid("spec.maxReplicas", high, detail)
    reference = spec.get("scaleTargetRef") or {}
    for part in ("kind", "name"):
        if not reference.get(part):
            yield Cause.required(f"spec.scaleTargetRef.{part}")
    metrics = spec.get("metrics") or ()
    for index, metric in enumerate(metrics):
        yield from _metric(metric, f"spec.metrics[{index}]")
    if low == 0 and not any(metric.get("type") in ("Object", "External") for metric in metrics):
        detail = (
            "must specify at least one Object or External metric to support scaling to zero "
            "replicas"
        )
        yield Cause.forbidden("spec.metrics", detail)
    for direction in ("scaleUp", "scaleDown"):
        rules = (spec.get("behavior") or {}).get(direction) or {}
        yield from _rules(rules, f"spec.behavior.{direction}")


_SOURCES: Final = {
    "Resource": "resource",
    "ContainerResource": "containerResource",
    "Pods": "pods",
    "Object": "object",
    "External": "external",
}


def _metric(metric: Object, field: str) -> Causes:
    kind = metric.get("type", "")
    part = _SOURCES.get(kind)
    if part is None:
        yield Cause.unsupported(f"{field}.type", kind, sorted(_SOURCES))
        return
    source = metric.get(part)
    if not isinstance(source, dict):
        yield Cause.required(
            f"{field}.{part}", "must populate information for the given metric source"
        )
        return
    target = source.get("target") or {}
    utilization = target.get("averageUtilization")
    if utilization is not None and utilization < 1:
        yield Cause.invalid(
            f"{field}.{part}.target.averageUtilization", utilization, "must be greater than 0"
        )
    if utilization is None and not target.get("averageValue") and not target.get("value"):
        yield Cause.required(
            f"{field}.{part}.target.averageUtilization",
            "must specify either a target raw value or a target utilization",
        )


def _rules(rules: Object, field: str) -> Causes:
    window = rules.get("stabilizationWindowSeconds")
    if window is not None and not 0 <= window <= 3600:
        detail = (
            "must be greater than or equal to zero"
            if window < 0
            else "must be less than or equal to 3600"
        )
        yield Cause.invalid(f"{field}.stabilizationWindowSeconds", window, detail)
    for index, policy in enumerate(rules.get("policies") or ()):
        where = f"{field}.policies[{index}]"
        if policy.get("value", 0) <= 0:
            yield Cause.invalid(
                f"{where}.value", policy.get("value", 0), "must be greater than zero"
            )
        period = policy.get("periodSeconds", 0)
        if period <= 0:
            yield Cause.invalid(f"{where}.periodSeconds", period, "must be greater than zero")
        elif period > 1800:
            yield Cause.invalid(
                f"{where}.periodSeconds", period, "must be less than or equal to 1800"
            )


_RULES: Final[dict[str, Callable[[Object, Object | None], Causes]]] = {
    "Pod": _pod,
    "Deployment": _workload,
    "ReplicaSet": _workload,
    "StatefulSet": _workload,
    "Service": _service,
    "HorizontalPodAutoscaler": _hpa,
    "CustomResourceDefinition": definitions.check,
}


def metadata(resource: Resource, data: Object) -> Causes:
    """The name and labels of a custom object."""
    yield from name(resource.built_in, data["metadata"]["name"])
    yield from labels(data["metadata"].get("labels"), "metadata.labels")


def check(resource: Resource, data: Object, old: Object | None) -> None:
    """Hold an object, with its defaults filled in, against the rules of its kind.

    Raises:
        ApiError: 422, naming every broken rule and its field.
    """
    causes = [] if old is not None else list(name(resource.kind, data["metadata"]["name"]))
    causes += labels(data["metadata"].get("labels"), "metadata.labels")
    rules = _RULES.get(resource.kind)
    if rules is not None:
        causes += rules(data, old)
    if causes:
        raise errors.invalid(resource, data["metadata"]["name"], causes)
