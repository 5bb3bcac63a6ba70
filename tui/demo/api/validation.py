"""The rules an object must keep, in the API server's words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from tui import quantity
from tui.demo.api import errors, hpa_rules, pod_rules
from tui.demo.api.errors import Cause
from tui.demo.api.names import Causes, annotation_keys, labels, name
from tui.demo.custom import definitions
from tui.demo.resource import Resource
from tui.demo.store import Object

_QUANTITY_RULE: Final = (
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
)
_HPA: Final = "HorizontalPodAutoscaler"
_PORT_RULE: Final = "must be between 1 and 65535, inclusive"
_AFFINITIES: Final = ("ClientIP", "None")


def check_quantities(resource: Resource, data: Object) -> None:
    """Refuse what the decoder refuses: text where a quantity belongs.

    Raises:
        ApiError: 400, as the real decoder answers.
    """
    spec = data.get("spec")
    if not isinstance(spec, dict):
        return
    for value in (
        _hpa_quantities(spec) if resource.kind == _HPA else _pod_quantities(resource, spec)
    ):
        if not _is_quantity(value):
            raise errors.bad_request(
                f'{resource.kind} in version "{resource.version}" cannot be handled as a '
                f"{resource.kind}: {_QUANTITY_RULE}"
            )


def _pod_quantities(resource: Resource, spec: Object) -> Iterator[object]:
    pod = spec if resource.kind == "Pod" else (spec.get("template") or {}).get("spec") or {}
    for group in ("initContainers", "containers"):
        for container in pod.get(group) or ():
            resources = container.get("resources") or {}
            for part in ("requests", "limits"):
                yield from (resources.get(part) or {}).values()


def _hpa_quantities(spec: Object) -> Iterator[object]:
    for metric in spec.get("metrics") or ():
        for source in metric.values():
            target = (source.get("target") or {}) if isinstance(source, dict) else {}
            given = (target.get("value"), target.get("averageValue"))
            yield from (value for value in given if value is not None)
    for rules in (spec.get("behavior") or {}).values():
        if (rules or {}).get("tolerance") is not None:
            yield rules["tolerance"]


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


_RULES: Final[dict[str, Callable[[Object, Object | None], Causes]]] = {
    **pod_rules.RULES,
    "Service": _service,
    _HPA: hpa_rules.check,
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
