"""From what a client sent to what is stored: defaults filled in, rules kept."""

from __future__ import annotations

from typing import Final

from tui.demo import resources
from tui.demo.api import defaults, errors, validation
from tui.demo.api.registry import Registry
from tui.demo.custom import structural
from tui.demo.resource import Resource
from tui.demo.store import Object

_WITH_SPEC: Final = frozenset(
    {
        "Pod",
        "Service",
        "Deployment",
        "ReplicaSet",
        "StatefulSet",
        "DaemonSet",
        "Job",
        "CronJob",
        "CustomResourceDefinition",
        "PersistentVolumeClaim",
        "PersistentVolume",
        "PodDisruptionBudget",
        "HorizontalPodAutoscaler",
        "Ingress",
    }
)


def complete(registry: Registry, resource: Resource, data: Object, old: Object | None) -> None:
    """Fill in the defaults of an object, then hold it against the rules of its kind.

    ``old``: what it is to replace; None for a new one.

    Raises:
        ApiError: 400 where it has not the shape of its kind, 422 where it breaks a rule.
    """
    if resource.custom:
        _complete_custom(registry, resource, data)
        return
    try:
        validation.check_quantities(resource, data)
        if resource.built_in in _WITH_SPEC and not isinstance(data.get("spec"), dict):
            data["spec"] = {}
        defaults.apply(resource.built_in, data)
        if resource is resources.DAEMON_SETS:
            defaults.count_template(data, old)
        validation.check(resource, data, old)
    except (AttributeError, KeyError, TypeError, ValueError) as problem:
        raise errors.bad_request(
            f'{resource.kind} in version "{resource.version}" cannot be handled as a '
            f"{resource.kind}: json: cannot unmarshal: {problem}"
        ) from None


def _complete_custom(registry: Registry, resource: Resource, data: Object) -> None:
    schema = registry.schema_of(resource)
    causes = list(validation.metadata(resource, data))
    structural.fill(schema, data)
    causes += structural.check(schema, data)
    if causes:
        raise errors.invalid(resource, data["metadata"]["name"], causes)
