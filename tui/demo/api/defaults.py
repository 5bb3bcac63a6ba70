"""What the API server fills in where a manifest is silent.

Each function changes the object it is given. The values are those of Kubernetes 1.36.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from tui.demo.custom import definitions
from tui.demo.store import Object

_PROBES: Final = ("livenessProbe", "readinessProbe", "startupProbe")


def pod_spec(spec: Object, *, of_pod: bool) -> None:
    """A pod's spec, or a template's (``of_pod`` false), which has a little less."""
    for volume in spec.get("volumes") or ():
        for source in ("configMap", "secret", "projected", "downwardAPI"):
            if isinstance(volume.get(source), dict):
                volume[source].setdefault("defaultMode", 420)
    for name in ("initContainers", "containers"):
        for container in spec.get(name) or ():
            _container(container)
    spec.setdefault("restartPolicy", "Always")
    spec.setdefault("terminationGracePeriodSeconds", 30)
    spec.setdefault("dnsPolicy", "ClusterFirst")
    if "serviceAccountName" in spec:
        spec.setdefault("serviceAccount", spec["serviceAccountName"])
    elif of_pod:
        spec["serviceAccountName"] = spec["serviceAccount"] = "default"
    spec.setdefault("securityContext", {})
    spec.setdefault("schedulerName", "default-scheduler")
    if of_pod:
        spec.setdefault("tolerations", _tolerations())
        spec.setdefault("priority", 0)
        spec.setdefault("enableServiceLinks", True)
        spec.setdefault("preemptionPolicy", "PreemptLowerPriority")


def _tolerations() -> list[Object]:
    return [
        {
            "key": f"node.kubernetes.io/{condition}",
            "operator": "Exists",
            "effect": "NoExecute",
            "tolerationSeconds": 300,
        }
        for condition in ("not-ready", "unreachable")
    ]


def _container(container: Object) -> None:
    for port in container.get("ports") or ():
        port.setdefault("protocol", "TCP")
    resources = container.setdefault("resources", {})
    limits = resources.get("limits")
    if limits:
        requests = resources.setdefault("requests", {})
        for name, value in limits.items():
            requests.setdefault(name, value)
    for name in _PROBES:
        if isinstance(container.get(name), dict):
            _probe(container[name])
    for variable in container.get("env") or ():
        reference = (variable.get("valueFrom") or {}).get("fieldRef")
        if reference is not None:
            reference.setdefault("apiVersion", "v1")
    container.setdefault("terminationMessagePath", "/dev/termination-log")
    container.setdefault("terminationMessagePolicy", "File")
    container.setdefault("imagePullPolicy", _pull_policy(str(container.get("image", ""))))


def _probe(probe: Object) -> None:
    if isinstance(probe.get("httpGet"), dict):
        probe["httpGet"].setdefault("path", "/")
        probe["httpGet"].setdefault("scheme", "HTTP")
    probe.setdefault("timeoutSeconds", 1)
    probe.setdefault("periodSeconds", 10)
    probe.setdefault("successThreshold", 1)
    probe.setdefault("failureThreshold", 3)


def _pull_policy(image: str) -> str:
    tag = image.rpartition("/")[2].partition(":")[2]
    return "Always" if tag in ("", "latest") and "@" not in image else "IfNotPresent"


def _pod(data: Object) -> None:
    pod_spec(data["spec"], of_pod=True)
    data.setdefault("status", {"phase": "Pending", "qosClass": qos_class(data["spec"])})


def qos_class(spec: Object) -> str:
    """``Guaranteed``, ``Burstable`` or ``BestEffort``."""
    resources = [container.get("resources") or {} for container in spec.get("containers") or ()]
    if not any(one.get("requests") or one.get("limits") for one in resources):
        return "BestEffort"
    for one in resources:
        limits, requests = one.get("limits") or {}, one.get("requests") or {}
        if not {"cpu", "memory"} <= limits.keys() or any(
            requests.get(name, limit) != limit for name, limit in limits.items()
        ):
            return "Burstable"
    return "Guaranteed"


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
    data.setdefault("status", {"replicas": 0, "availableReplicas": 0})


def _service(data: Object) -> None:
    spec = data["spec"]
    spec.setdefault("type", "ClusterIP")
    for port in spec.get("ports") or ():
        port.setdefault("protocol", "TCP")
        port.setdefault("targetPort", port.get("port"))
    spec.setdefault("sessionAffinity", "None")
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
    "CustomResourceDefinition": definitions.defaults,
}


def apply(kind: str, data: Any) -> None:
    """Fill in the defaults of an object that has passed the check of its shape."""
    fill = _BY_KIND.get(kind)
    if fill is not None:
        fill(data)
