"""ConfigMaps and Secrets that a pod needs before it can start."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from tui.demo import resources
from tui.demo.resources import Resource
from tui.demo.store import Object, Store

_VOLUMES: Final = (
    ("configMap", "name", resources.CONFIG_MAPS),
    ("secret", "secretName", resources.SECRETS),
)


def missing_volume(store: Store, namespace: str, volumes: list[Object]) -> str:
    """Why a volume cannot be mounted, as the FailedMount event says; empty if all can."""
    for volume in volumes:
        for kind, field, resource in _VOLUMES:
            source = volume.get(kind)
            if source is None or source.get("optional"):
                continue
            name = source.get(field, "")
            if store.get(resource.storage, namespace, name) is None:
                return (
                    f'MountVolume.SetUp failed for volume "{volume["name"]}" : '
                    f'{resource.kind.lower()} "{name}" not found'
                )
    return ""


def missing_value(store: Store, namespace: str, container: Object) -> str:
    """Why a container's environment cannot be made; empty if it can."""
    for resource, reference in _of_environment(container):
        name = reference.get("name")
        if not name or reference.get("optional"):
            continue
        found = store.get(resource.storage, namespace, name)
        if found is None:
            return f'{resource.kind.lower()} "{name}" not found'
        key = reference.get("key")
        if key and key not in (found.data.get("data") or {}):
            return f"couldn't find key {key} in {resource.kind} {namespace}/{name}"
    return ""


def _of_environment(container: Object) -> Iterator[tuple[Resource, dict[str, Any]]]:
    for source in container.get("envFrom") or ():
        yield resources.CONFIG_MAPS, source.get("configMapRef") or {}
        yield resources.SECRETS, source.get("secretRef") or {}
    for variable in container.get("env") or ():
        source = variable.get("valueFrom") or {}
        yield resources.CONFIG_MAPS, source.get("configMapKeyRef") or {}
        yield resources.SECRETS, source.get("secretKeyRef") or {}
