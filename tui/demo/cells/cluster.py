"""Rows of nodes, namespaces, settings, events, storage and rights."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from tui.demo.cells.common import NONE, UNKNOWN, UNSET, Cells, Column, age, ago, columns
from tui.demo.store import Object


def _node(data: Object, now: datetime) -> list[Any]:
    spec, status = data.get("spec") or {}, data.get("status") or {}
    ready = [one for one in status.get("conditions") or () if one["type"] == "Ready"]
    shown = (
        ["Ready" if ready and ready[0]["status"] == "True" else "NotReady"] if ready else [UNKNOWN]
    )
    if spec.get("unschedulable"):
        shown.append("SchedulingDisabled")
    labels = data["metadata"].get("labels") or {}
    prefix = "node-role.kubernetes.io/"
    roles = sorted(key.removeprefix(prefix) for key in labels if key.startswith(prefix))
    addresses = {one["type"]: one["address"] for one in status.get("addresses") or ()}
    info = status.get("nodeInfo") or {}
    kernel = info.get("kernelVersion", UNKNOWN)
    return [
        ",".join(shown),
        ",".join(roles) or NONE,
        age(data, now),
        info.get("kubeletVersion", ""),
        addresses.get("InternalIP", NONE),
        addresses.get("ExternalIP", NONE),
        info.get("osImage", UNKNOWN),
        f"{kernel} ({info['architecture']})" if info.get("architecture") else kernel,
        info.get("containerRuntimeVersion", UNKNOWN),
    ]


def event(data: Object, now: datetime) -> list[Any]:
    """The cells of an Event, which has no name in front."""
    about = data["involvedObject"]
    first = data.get("firstTimestamp") or data.get("eventTime")
    last = data.get("lastTimestamp") or first
    seen = ago(last, now)
    count = data.get("count", 1) or 1
    source = data.get("source") or {}
    component = source.get("component") or data.get("reportingComponent", "")
    host = source.get("host", "")
    return [
        seen,
        data.get("type", ""),
        data.get("reason", ""),
        f"{about.get('kind', '').lower()}/{about.get('name', '')}",
        about.get("fieldPath", ""),
        f"{component}, {host}" if host else component,
        data.get("message", "").strip(),
        ago(first, now),
        count,
        data["metadata"]["name"],
    ]


def _config_map(data: Object, now: datetime) -> list[Any]:
    return [len(data.get("data") or {}) + len(data.get("binaryData") or {}), age(data, now)]


def _secret(data: Object, now: datetime) -> list[Any]:
    return [data.get("type", ""), len(data.get("data") or {}), age(data, now)]


def _service_account(data: Object, now: datetime) -> list[Any]:
    return [len(data.get("secrets") or ()), age(data, now)]


def _namespace(data: Object, now: datetime) -> list[Any]:
    return [(data.get("status") or {}).get("phase", ""), age(data, now)]


def _api_service(data: Object, now: datetime) -> list[Any]:
    service = (data.get("spec") or {}).get("service")
    name = f"{service['namespace']}/{service['name']}" if service else "Local"
    conditions = (data.get("status") or {}).get("conditions") or ()
    available = next((one for one in conditions if one["type"] == "Available"), None)
    shown = "Unknown" if available is None else available["status"]
    if available is not None and shown != "True":
        shown += f" ({available['reason']})"
    return [name, shown, age(data, now)]


def _quota(data: Object, now: datetime) -> list[Any]:
    status = data.get("status") or {}
    hard, used = status.get("hard") or {}, status.get("used") or {}
    shown = {name: f"{name}: {used.get(name, 0)}/{hard[name]}" for name in sorted(hard)}
    limits = [text for name, text in shown.items() if name.startswith("limits.")]
    requests = [text for name, text in shown.items() if not name.startswith("limits.")]
    return [", ".join(requests), ", ".join(limits), age(data, now)]


_MODES: Final = {
    "ReadWriteOnce": "RWO",
    "ReadOnlyMany": "ROX",
    "ReadWriteMany": "RWX",
    "ReadWriteOncePod": "RWOP",
}


def _access(modes: list[str] | None) -> str:
    return ",".join(short for mode, short in _MODES.items() if mode in (modes or ()))


def _volume(data: Object, now: datetime) -> list[Any]:
    spec, status = data.get("spec") or {}, data.get("status") or {}
    claim = spec.get("claimRef")
    return [
        (spec.get("capacity") or {}).get("storage", "0"),
        _access(spec.get("accessModes")),
        spec.get("persistentVolumeReclaimPolicy", ""),
        "Terminating" if "deletionTimestamp" in data["metadata"] else status.get("phase", ""),
        f"{claim.get('namespace')}/{claim.get('name')}" if claim else "",
        spec.get("storageClassName", ""),
        spec.get("volumeAttributesClassName") or UNSET,
        status.get("reason", ""),
        age(data, now),
        spec.get("volumeMode") or UNSET,
    ]


def _volume_claim(data: Object, now: datetime) -> list[Any]:
    spec, status = data.get("spec") or {}, data.get("status") or {}
    bound = bool(spec.get("volumeName"))
    return [
        "Terminating" if "deletionTimestamp" in data["metadata"] else status.get("phase", ""),
        spec.get("volumeName", ""),
        (status.get("capacity") or {}).get("storage", "0") if bound else "",
        _access(status.get("accessModes")) if bound else "",
        spec.get("storageClassName", ""),
        spec.get("volumeAttributesClassName") or UNSET,
        age(data, now),
        spec.get("volumeMode") or UNSET,
    ]


def _storage_class(data: Object, now: datetime) -> list[Any]:
    return [
        data.get("provisioner", ""),
        data.get("reclaimPolicy", "Delete"),
        data.get("volumeBindingMode", "Immediate"),
        bool(data.get("allowVolumeExpansion")),
        age(data, now),
    ]


def storage_class_name(data: Object) -> str:
    """A class's name, and whether it is the default."""
    notes = data["metadata"].get("annotations") or {}
    default = notes.get("storageclass.kubernetes.io/is-default-class") == "true"
    return f"{data['metadata']['name']} (default)" if default else str(data["metadata"]["name"])


def _priority_class(data: Object, now: datetime) -> list[Any]:
    value = data.get("value", 0)
    policy = data.get("preemptionPolicy", "")
    return [value, bool(data.get("globalDefault")), age(data, now), policy]


def _lease(data: Object, now: datetime) -> list[Any]:
    return [(data.get("spec") or {}).get("holderIdentity", ""), age(data, now)]


def _created_at(data: Object, now: datetime) -> list[Any]:
    return [data["metadata"].get("creationTimestamp", "")]


def _aged(data: Object, now: datetime) -> list[Any]:
    return [age(data, now)]


def _binding(data: Object, now: datetime) -> list[Any]:
    role = data.get("roleRef") or {}
    subjects = data.get("subjects") or ()

    def named(kind: str) -> str:
        found = [one for one in subjects if one.get("kind") == kind]
        names = (
            f"{one.get('namespace', '')}/{one['name']}" if kind == "ServiceAccount" else one["name"]
            for one in found
        )
        return ", ".join(names)

    subject_kinds = ("User", "Group", "ServiceAccount")
    return [f"{role.get('kind')}/{role.get('name')}", age(data, now), *map(named, subject_kinds)]


def _webhooks(data: Object, now: datetime) -> list[Any]:
    return [len(data.get("webhooks") or ()), age(data, now)]


EVENT_COLUMNS: Final = (
    *(Column(name) for name in ("Last Seen", "Type", "Reason", "Object")),
    Column("Subobject", True),
    Column("Source", True),
    Column("Message"),
    *(Column(name, True) for name in ("First Seen", "Count", "Name")),
)
_BINDING_COLUMNS: Final = columns("Name Role Age", "Users Groups ServiceAccounts")
_WEBHOOK_COLUMNS: Final = columns("Name Webhooks Age")
ROWS: Final[dict[str, tuple[tuple[Column, ...], Cells]]] = {
    "Node": (
        columns(
            "Name Status Roles Age Version",
            "Internal-IP External-IP OS-Image Kernel-Version Container-Runtime",
        ),
        _node,
    ),
    "ConfigMap": (columns("Name Data Age"), _config_map),
    "Secret": (columns("Name Type Data Age"), _secret),
    "ServiceAccount": (columns("Name Age"), _aged),
    "Namespace": (columns("Name Status Age"), _namespace),
    "ResourceQuota": (columns("Name Request Limit Age"), _quota),
    "LimitRange": (columns("Name Created_At"), _created_at),
    "PersistentVolume": (
        columns(
            "Name Capacity Access_Modes Reclaim_Policy Status Claim StorageClass "
            "VolumeAttributesClass Reason Age",
            "VolumeMode",
        ),
        _volume,
    ),
    "PersistentVolumeClaim": (
        columns(
            "Name Status Volume Capacity Access_Modes StorageClass VolumeAttributesClass Age",
            "VolumeMode",
        ),
        _volume_claim,
    ),
    "StorageClass": (
        columns("Name Provisioner ReclaimPolicy VolumeBindingMode AllowVolumeExpansion Age"),
        _storage_class,
    ),
    "PriorityClass": (
        columns("Name Value Global-Default Age PreemptionPolicy"),
        _priority_class,
    ),
    "Lease": (columns("Name Holder Age"), _lease),
    "Role": (columns("Name Created_At"), _created_at),
    "ClusterRole": (columns("Name Created_At"), _created_at),
    "RoleBinding": (_BINDING_COLUMNS, _binding),
    "ClusterRoleBinding": (_BINDING_COLUMNS, _binding),
    "ValidatingWebhookConfiguration": (_WEBHOOK_COLUMNS, _webhooks),
    "MutatingWebhookConfiguration": (_WEBHOOK_COLUMNS, _webhooks),
    "CustomResourceDefinition": (columns("Name Created_At"), _created_at),
    "APIService": (columns("Name Service Available Age"), _api_service),
}
