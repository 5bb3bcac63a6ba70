"""Derives the table of protobuf fields from the ``generated.proto`` files of Kubernetes.

``python -m tests.demo.prototable API APIMACHINERY``, with checkouts of ``kubernetes/api`` and
``kubernetes/apimachinery``, writes ``tui/demo/api/protobuf.json`` anew.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import msgspec

TABLE = Path(__file__).parents[2] / "tui" / "demo" / "api" / "protobuf.json"
_META = "k8s.io.apimachinery.pkg.apis.meta.v1"
_CUSTOM = {
    "k8s.io.apimachinery.pkg.api.resource.Quantity": "quantity",
    "k8s.io.apimachinery.pkg.util.intstr.IntOrString": "int-or-string",
    f"{_META}.Time": "time",
    f"{_META}.MicroTime": "micro-time",
    f"{_META}.FieldsV1": "raw",
    "k8s.io.apimachinery.pkg.runtime.RawExtension": "raw",
}
_PLAIN = {
    "string": "string",
    "bytes": "bytes",
    "bool": "boolean",
    "int32": "integer",
    "int64": "integer",
}
_ROOTS = {
    "core.v1": (
        "Namespace Pod Service ConfigMap Secret ServiceAccount Event Endpoints Node Binding "
        "ResourceQuota LimitRange PersistentVolume PersistentVolumeClaim"
    ),
    "apps.v1": "Deployment ReplicaSet StatefulSet DaemonSet ControllerRevision",
    "batch.v1": "Job CronJob",
    "autoscaling.v1": "HorizontalPodAutoscaler Scale",
    "autoscaling.v2": "HorizontalPodAutoscaler",
    "admissionregistration.v1": ("ValidatingWebhookConfiguration MutatingWebhookConfiguration"),
    "authentication.v1": "SelfSubjectReview TokenRequest",
    "authorization.v1": (
        "SelfSubjectAccessReview SelfSubjectRulesReview SubjectAccessReview "
        "LocalSubjectAccessReview"
    ),
    "coordination.v1": "Lease",
    "events.v1": "Event",
    "networking.v1": "Ingress IngressClass NetworkPolicy",
    "policy.v1": "Eviction PodDisruptionBudget",
    "rbac.v1": "Role RoleBinding ClusterRole ClusterRoleBinding",
    "scheduling.v1": "PriorityClass",
    "storage.v1": "StorageClass",
    "discovery.v1": "EndpointSlice",
}
# Embedded Go structs, whose fields JSON shows as the outer struct's own.
_INLINE = {
    "handler",
    "volumeSource",
    "localObjectReference",
    "ephemeralContainerCommon",
    "ingressRuleValue",
    "persistentVolumeSource",
    "rule",
}
# Written otherwise in the .proto than in JSON.
_RENAMED = {"Webhooks": "webhooks", "aPIGroup": "apiGroup"}
_FIELD = re.compile(
    r"^\s*(optional|repeated|map<string, *(?P<of>[\w.]+)>|required)\s*(?P<type>[\w.]*)\s+"
    r"(?P<name>\w+) = (?P<number>\d+);",
    re.M,
)
Messages = dict[str, dict[str, tuple[str, str]]]


def read(path: Path) -> Messages:
    """Message → number → name and type, of one file."""
    text = re.sub(r"//[^\n]*", "", path.read_text(encoding="utf-8"))
    package = re.search(r"^package ([\w.]+);", text, re.M)
    assert package is not None
    found: Messages = {}
    for match in re.finditer(r"^message (\w+) \{(.*?)^\}", text, re.M | re.S):
        fields = {}
        for field in _FIELD.finditer(match[2]):
            kind = _kind(field["of"] or field["type"], package[1])
            if field["of"]:
                kind = f"{{{kind}}}"
            elif field[1] == "repeated":
                kind = f"[{kind}]"
            elif field["name"] in _INLINE:
                kind = f"<{kind}"
            name = _RENAMED.get(field["name"], field["name"])
            fields[field["number"]] = (name, kind)
        found[f"{package[1]}.{match[1]}"] = fields
    return found


def _kind(name: str, package: str) -> str:
    if name in _PLAIN:
        return _PLAIN[name]
    full = name[1:] if name.startswith(".") else f"{package}.{name}"
    return _CUSTOM.get(full, full)


def table(files: list[Path]) -> Messages:
    """What can be reached from the kinds that clients send."""
    everything: Messages = {}
    for path in files:
        everything |= read(path)
    found: Messages = {}

    def add(name: str) -> None:
        bare = name.strip("[]{}<")
        if "." not in bare or bare in found:
            return
        found[bare] = everything[bare]
        for _, kind in everything[bare].values():
            add(kind)

    for group, kinds in _ROOTS.items():
        for kind in kinds.split():
            add(f"k8s.io.api.{group}.{kind}")
    add(f"{_META}.DeleteOptions")
    return dict(sorted(found.items()))


def _short(text: str) -> str:
    return text.replace(_META, "meta.v1").replace("k8s.io.api.", "")


if __name__ == "__main__":
    api, machinery = map(Path, sys.argv[1:])
    wanted = [api / group.replace(".", "/") / "generated.proto" for group in _ROOTS]
    wanted.append(machinery / "pkg/apis/meta/v1/generated.proto")
    lines = [
        f'"{_short(name)}":{_short(msgspec.json.encode(fields).decode())}'
        for name, fields in table(wanted).items()
    ]
    TABLE.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
