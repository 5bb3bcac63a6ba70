"""What the API server fills in where a manifest is silent.

Each function changes the object it is given. The values are those of Kubernetes 1.36.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any, Final

from tui.demo.api.pod_defaults import pod_spec, qos_class
from tui.demo.custom import definitions
from tui.demo.store import Object

TEMPLATE_GENERATION: Final = "deprecated.daemonset.template.generation"
"""The annotation in which a DaemonSet's template is counted."""


def _pod(data: Object) -> None:
    pod_spec(data["spec"], of_pod=True)
    data.setdefault("status", {"phase": "Pending", "qosClass": qos_class(data["spec"])})


def _template(data: Object) -> None:
    template = data["spec"].setdefault("template", {})
    template.setdefault("metadata", {})
    pod_spec(template.setdefault("spec", {}), of_pod=False)


def _deployment(data: Object) -> None:
    spec = data["spec"]
    spec.setdefault("replicas", 1)
    _template(data)
    strategy = spec.setdefault("strategy", {})
    if strategy.setdefault("type", "RollingUpdate") == "RollingUpdate":
        rolling = strategy.setdefault("rollingUpdate", {})
        rolling.setdefault("maxUnavailable", "25%")
        rolling.setdefault("maxSurge", "25%")
    spec.setdefault("revisionHistoryLimit", 10)
    spec.setdefault("progressDeadlineSeconds", 600)
    data.setdefault("status", {})


def _replica_set(data: Object) -> None:
    data["spec"].setdefault("replicas", 1)
    _template(data)
    data.setdefault("status", {"replicas": 0})


def _stateful_set(data: Object) -> None:
    spec = data["spec"]
    spec.setdefault("replicas", 1)
    _template(data)
    spec.setdefault("serviceName", "")
    spec.setdefault("podManagementPolicy", "OrderedReady")
    strategy = spec.setdefault("updateStrategy", {})
    if strategy.setdefault("type", "RollingUpdate") == "RollingUpdate":
        strategy.setdefault("rollingUpdate", {}).setdefault("partition", 0)
    spec.setdefault("revisionHistoryLimit", 10)
    keep = {"whenDeleted": "Retain", "whenScaled": "Retain"}
    spec.setdefault("persistentVolumeClaimRetentionPolicy", keep)
    for claim in spec.get("volumeClaimTemplates") or ():
        claim.setdefault("kind", "PersistentVolumeClaim")
        claim.setdefault("apiVersion", "v1")
        claim.setdefault("spec", {}).setdefault("volumeMode", "Filesystem")
        claim.setdefault("status", {"phase": "Pending"})
    data.setdefault("status", {"replicas": 0, "availableReplicas": 0})


def _daemon_set(data: Object) -> None:
    spec = data["spec"]
    _template(data)
    strategy = spec.setdefault("updateStrategy", {})
    if strategy.setdefault("type", "RollingUpdate") == "RollingUpdate":
        rolling = strategy.setdefault("rollingUpdate", {})
        rolling.setdefault("maxSurge", 0)
        rolling.setdefault("maxUnavailable", 1)
    spec.setdefault("revisionHistoryLimit", 10)
    counts = ("currentNumberScheduled", "numberMisscheduled", "desiredNumberScheduled")
    data.setdefault("status", dict.fromkeys((*counts, "numberReady"), 0))


def count_template(data: Object, old: Object | None) -> None:
    """Count a DaemonSet's templates, whatever its writer says of them."""
    number = "1"
    if old is not None:
        number = (old["metadata"].get("annotations") or {}).get(TEMPLATE_GENERATION, "1")
        if old["spec"]["template"] != data["spec"]["template"]:
            number = str(int(number) + 1)
    data["metadata"]["annotations"] = {
        **(data["metadata"].get("annotations") or {}),
        TEMPLATE_GENERATION: number,
    }


def _job(data: Object) -> None:
    spec = data["spec"]
    _job_spec(spec)
    uid, name = data["metadata"].get("uid"), data["metadata"].get("name")
    if uid and "selector" not in spec and not spec.get("manualSelector"):
        spec["selector"] = {"matchLabels": {"batch.kubernetes.io/controller-uid": uid}}
        labels = spec["template"]["metadata"].setdefault("labels", {})
        for prefix in ("batch.kubernetes.io/", ""):
            labels |= {f"{prefix}controller-uid": uid, f"{prefix}job-name": name}
        if not data["metadata"].get("labels"):
            data["metadata"]["labels"] = dict(labels)
    spec.setdefault("suspend", False)
    data.setdefault("status", {})


def _job_spec(spec: Object) -> None:
    if "completions" not in spec and "parallelism" not in spec:
        spec["completions"] = 1
    spec.setdefault("parallelism", 1)
    spec.setdefault("backoffLimit", 6)
    _template({"spec": spec})
    spec.setdefault("completionMode", "NonIndexed")
    spec.setdefault("manualSelector", False)
    spec.setdefault("podReplacementPolicy", "TerminatingOrFailed")


def _cron_job(data: Object) -> None:
    spec = data["spec"]
    spec.setdefault("concurrencyPolicy", "Allow")
    spec.setdefault("suspend", False)
    job = spec.setdefault("jobTemplate", {})
    job.setdefault("metadata", {})
    _template({"spec": job.setdefault("spec", {})})
    spec.setdefault("successfulJobsHistoryLimit", 3)
    spec.setdefault("failedJobsHistoryLimit", 1)
    data.setdefault("status", {})


def _claim(data: Object) -> None:
    data["spec"].setdefault("volumeMode", "Filesystem")
    finalizers = data["metadata"].setdefault("finalizers", [])
    if "status" not in data and not finalizers:
        finalizers.append("kubernetes.io/pvc-protection")
    data.setdefault("status", {"phase": "Pending"})


def _volume(data: Object) -> None:
    data["spec"].setdefault("volumeMode", "Filesystem")
    data["spec"].setdefault("persistentVolumeReclaimPolicy", "Retain")
    data.setdefault("status", {"phase": "Available"})


def _storage_class(data: Object) -> None:
    data.setdefault("reclaimPolicy", "Delete")
    data.setdefault("volumeBindingMode", "Immediate")


def _network_policy(data: Object) -> None:
    spec = data.setdefault("spec", {})
    for way in ("ingress", "egress"):
        for rule in spec.get(way) or ():
            for port in rule.get("ports") or ():
                port.setdefault("protocol", "TCP")
    kinds = ["Ingress", *(["Egress"] if spec.get("egress") else [])]
    spec.setdefault("policyTypes", kinds)


def _priority_class(data: Object) -> None:
    data.setdefault("preemptionPolicy", "PreemptLowerPriority")


def _limit_range(data: Object) -> None:
    for item in (data.get("spec") or {}).get("limits") or ():
        if item.get("type") != "Container":
            continue
        least, most = item.get("min") or {}, item.get("max") or {}
        limits = most | (item.get("default") or {})
        requests = least | limits | (item.get("defaultRequest") or {})
        if limits:
            item["default"] = limits
        if requests:
            item["defaultRequest"] = requests


def _webhooks(data: Object) -> None:
    for webhook in data.get("webhooks") or ():
        webhook.setdefault("failurePolicy", "Fail")
        webhook.setdefault("matchPolicy", "Equivalent")
        webhook.setdefault("namespaceSelector", {})
        webhook.setdefault("objectSelector", {})
        webhook.setdefault("timeoutSeconds", 10)
        service = (webhook.get("clientConfig") or {}).get("service")
        if isinstance(service, dict):
            service.setdefault("port", 443)
        for rule in webhook.get("rules") or ():
            rule.setdefault("scope", "*")


def _role_binding(data: Object) -> None:
    (data.get("roleRef") or {}).setdefault("apiGroup", "rbac.authorization.k8s.io")
    for subject in data.get("subjects") or ():
        if subject.get("kind") in ("User", "Group"):
            subject.setdefault("apiGroup", "rbac.authorization.k8s.io")


def _event(data: Object) -> None:
    data.setdefault("involvedObject", {})
    data.setdefault("source", {})
    for name in ("firstTimestamp", "lastTimestamp"):
        data.setdefault(name, None)


def _disruption_budget(data: Object) -> None:
    zero = dict.fromkeys(
        ("currentHealthy", "desiredHealthy", "disruptionsAllowed", "expectedPods"), 0
    )
    data.setdefault("status", zero)


def _service(data: Object) -> None:
    spec = data["spec"]
    spec.setdefault("type", "ClusterIP")
    for port in spec.get("ports") or ():
        port.setdefault("protocol", "TCP")
        port.setdefault("targetPort", port.get("port"))
    if spec.setdefault("sessionAffinity", "None") == "ClientIP":
        config = spec.setdefault("sessionAffinityConfig", {}).setdefault("clientIP", {})
        config.setdefault("timeoutSeconds", 10800)
    if spec["type"] != "ExternalName":
        spec.setdefault("internalTrafficPolicy", "Cluster")
    if spec["type"] in ("NodePort", "LoadBalancer"):
        spec.setdefault("externalTrafficPolicy", "Cluster")
    if spec["type"] == "LoadBalancer":
        spec.setdefault("allocateLoadBalancerNodePorts", True)
    data.setdefault("status", {"loadBalancer": {}})


def _hpa(data: Object) -> None:
    spec = data["spec"]
    spec.setdefault("minReplicas", 1)
    if not spec.get("metrics"):
        target = {"type": "Utilization", "averageUtilization": 80}
        spec["metrics"] = [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]
    behavior = spec.get("behavior")
    if isinstance(behavior, dict):
        behavior["scaleUp"] = _scaling_rules(
            behavior.get("scaleUp") or {},
            0,
            [("Pods", 4, 15), ("Percent", 100, 15)],
        )
        behavior["scaleDown"] = _scaling_rules(
            behavior.get("scaleDown") or {}, None, [("Percent", 100, 15)]
        )
    data.setdefault("status", {"desiredReplicas": 0, "currentMetrics": None})


def _scaling_rules(
    rules: Object, window: int | None, policies: list[tuple[str, int, int]]
) -> Object:
    if window is not None:
        rules.setdefault("stabilizationWindowSeconds", window)
    rules.setdefault("selectPolicy", "Max")
    if rules.get("policies") is None:
        rules["policies"] = [
            {"type": kind, "value": value, "periodSeconds": period}
            for kind, value, period in policies
        ]
    return rules


def _namespace(data: Object) -> None:
    name = data["metadata"].get("name")
    if name:
        data["metadata"].setdefault("labels", {})["kubernetes.io/metadata.name"] = name
    data.setdefault("spec", {})
    data["spec"].setdefault("finalizers", ["kubernetes"])
    data.setdefault("status", {"phase": "Active"})


def _secret(data: Object) -> None:
    plain = data.pop("stringData", None)
    if plain:
        encoded = {name: base64.b64encode(text.encode()).decode() for name, text in plain.items()}
        data["data"] = {**(data.get("data") or {}), **encoded}
    data.setdefault("type", "Opaque")


def _ingress(data: Object) -> None:
    data.setdefault("status", {"loadBalancer": {}})


def _node(data: Object) -> None:
    data.setdefault("spec", {})
    data.setdefault("status", {})


def _with_status(data: Object) -> None:
    data.setdefault("status", {})


_BY_KIND: Final[dict[str, Callable[[Object], None]]] = {
    "Pod": _pod,
    "Deployment": _deployment,
    "ReplicaSet": _replica_set,
    "StatefulSet": _stateful_set,
    "Service": _service,
    "HorizontalPodAutoscaler": _hpa,
    "Namespace": _namespace,
    "Secret": _secret,
    "Ingress": _ingress,
    "Node": _node,
    "APIService": _with_status,
    "DaemonSet": _daemon_set,
    "Event": _event,
    "Job": _job,
    "CronJob": _cron_job,
    "PersistentVolumeClaim": _claim,
    "PersistentVolume": _volume,
    "StorageClass": _storage_class,
    "LimitRange": _limit_range,
    "NetworkPolicy": _network_policy,
    "PriorityClass": _priority_class,
    "PodDisruptionBudget": _disruption_budget,
    "ValidatingWebhookConfiguration": _webhooks,
    "MutatingWebhookConfiguration": _webhooks,
    "RoleBinding": _role_binding,
    "ClusterRoleBinding": _role_binding,
    "CustomResourceDefinition": definitions.defaults,
}


def apply(kind: str, data: Any) -> None:
    """Fill in the defaults of an object that has passed the check of its shape."""
    fill = _BY_KIND.get(kind)
    if fill is not None:
        fill(data)
