"""The rules an object must keep, in the API server's words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from tui import quantity
from tui.demo.api import errors, pod_rules
from tui.demo.api.errors import Cause
from tui.demo.api.names import Causes, annotation_keys, labels, name
from tui.demo.custom import definitions
from tui.demo.resource import Resource
from tui.demo.store import Object

_QUANTITY_RULE: Final = (
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
)
_PORT_RULE: Final = "must be between 1 and 65535, inclusive"
_AFFINITIES: Final = ("ClientIP", "None")
_POLICIES: Final = ("Percent", "Pods")


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


def _service(data: Object, old: Object | None) -> Causes:
    spec = data["spec"]
    ports = spec.get("ports") or ()
    kinds = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
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
            yield Cause.invalid(f"{where}.port", number, _PORT_RULE)
        target = port.get("targetPort", number)
        if isinstance(target, int) and not 0 < target < 65536:
            yield Cause.invalid(f"{where}.targetPort", target, _PORT_RULE)
        if port.get("nodePort") and spec["type"] == "ClusterIP":
            detail = "may not be used when `type` is 'ClusterIP'"
            yield Cause.forbidden(f"{where}.nodePort", detail)
    if (affinity := spec.get("sessionAffinity", "None")) not in _AFFINITIES:
        yield Cause.unsupported("spec.sessionAffinity", affinity, _AFFINITIES)
    if spec["type"] not in kinds:
        yield Cause.unsupported("spec.type", spec["type"], kinds)
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
    if not reference.get("apiVersion") and old is None:
        detail = "apiVersion must specify API group"
        yield Cause.invalid("spec.scaleTargetRef.apiVersion", "", detail)
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
        if policy.get("type") not in _POLICIES:
            yield Cause.unsupported(f"{where}.type", policy.get("type", ""), _POLICIES)
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
    **pod_rules.RULES,
    "Service": _service,
    "HorizontalPodAutoscaler": _hpa,
    "CustomResourceDefinition": definitions.check,
}


def metadata(resource: Resource, data: Object) -> Causes:
    """The name and labels of a custom object."""
    yield from name(resource.built_in, data["metadata"]["name"])
    yield from labels(data["metadata"].get("labels"), "metadata.labels")
    yield from annotation_keys(data["metadata"].get("annotations"), "metadata.annotations")


def check(resource: Resource, data: Object, old: Object | None) -> None:
    """Hold an object, with its defaults filled in, against the rules of its kind.

    Raises:
        ApiError: 422, naming every broken rule and its field.
    """
    causes = [] if old is not None else list(name(resource.built_in, data["metadata"]["name"]))
    causes += labels(data["metadata"].get("labels"), "metadata.labels")
    causes += annotation_keys(data["metadata"].get("annotations"), "metadata.annotations")
    rules = _RULES.get(resource.built_in)
    if rules is not None:
        causes += rules(data, old)
    if causes:
        raise errors.invalid(resource, data["metadata"]["name"], causes)
