"""Which lists of the served types are maps, by which keys, and which are replaced whole.

The strategic merge keys are the ``patchMergeKey`` tags of ``k8s.io/api``; the list-map keys are
the ``x-kubernetes-list-map-keys`` that server-side apply uses. They differ for ports.
"""

from __future__ import annotations

from typing import Final

_BY_NAME: Final = {
    "containers": ("name",),
    "initContainers": ("name",),
    "ephemeralContainers": ("name",),
    "env": ("name",),
    "volumes": ("name",),
    "volumeMounts": ("mountPath",),
    "volumeDevices": ("devicePath",),
    "imagePullSecrets": ("name",),
    "secrets": ("name",),
    "conditions": ("type",),
    "ownerReferences": ("uid",),
    "hostAliases": ("ip",),
    "resizePolicy": ("resourceName",),
    "topologySpreadConstraints": ("topologyKey", "whenUnsatisfiable"),
    "volumeClaimTemplates": (),
    "podIPs": ("ip",),
}
_STRATEGIC_ONLY: Final = {"addresses": "type", "taints": "key"}
_SETS: Final = frozenset({"finalizers"})
_ATOMIC_MAPS: Final = frozenset(
    {
        "matchLabels",
        "nodeSelector",
        "fieldRef",
        "secretKeyRef",
        "configMapKeyRef",
        "resourceFieldRef",
        "involvedObject",
        "targetRef",
    }
)
_PRIMITIVE_SETS: Final = frozenset({"finalizers"})
_KEY_DEFAULTS: Final = {"protocol": "TCP", "whenUnsatisfiable": "DoNotSchedule"}

Path = tuple[str, ...]
"""Names of fields from the root down; list items add nothing."""


def _is_container_port(path: Path) -> bool:
    return path[-1] == "ports" and any(name.endswith("ontainers") for name in path)


def strategic_key(path: Path, kind: str) -> str | None:
    """The merge key of a list under strategic merge patch; None: the patch replaces the list."""
    name = path[-1]
    if name == "ports":
        if _is_container_port(path):
            return "containerPort"
        return "port" if kind == "Service" else None
    if name in _STRATEGIC_ONLY:
        return _STRATEGIC_ONLY[name]
    if kind == "HorizontalPodAutoscaler" and name == "conditions":
        return "type"
    keys = _BY_NAME.get(name)
    return keys[0] if keys else None


def merges_primitives(path: Path) -> bool:
    """Whether a list of plain values is merged rather than replaced."""
    return path[-1] in _PRIMITIVE_SETS


def list_keys(path: Path, kind: str) -> tuple[str, ...]:
    """The keys of an associative list under server-side apply; empty: the list is atomic."""
    if path[-1] == "ports":
        if _is_container_port(path):
            return ("containerPort", "protocol")
        return ("port", "protocol") if kind == "Service" else ()
    return _BY_NAME.get(path[-1], ())


def is_set(path: Path) -> bool:
    """Whether server-side apply treats the list as a set of plain values."""
    return path[-1] in _SETS


def is_atomic(path: Path) -> bool:
    """Whether server-side apply treats the map as one value."""
    return path[-1] == "selector" or path[-1] in _ATOMIC_MAPS


def key_default(key: str) -> str | None:
    """What a missing list-map key counts as."""
    return _KEY_DEFAULTS.get(key)
