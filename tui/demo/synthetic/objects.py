"""The objects of a synthetic cluster, as an API server stores them.

The pod is one that was recorded from Kubernetes 1.36, managed fields and all: what a client must
read and skip is as long as in a real cluster (5.7 kB).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, Final, Literal
from uuid import UUID

import msgspec

from tui.demo.store import Object

Stage = Literal["pending", "starting", "ready", "unready", "terminating"]
"""Where a pod stands; ``unready`` ran before."""

CPU_REQUEST: Final = 100
"""Millicores."""
MEMORY_REQUEST: Final = 128
"""Mebibytes."""
_POD: Final = Path(__file__).with_name("pod.json")
_LETTERS: Final = "bcdfghjklmnpqrstvwxz2456789"
_RUNS: Final = ("starting", "ready", "unready", "terminating")


@dataclass(slots=True)
class App:
    """A Deployment with its ReplicaSet, Service and perhaps its HPA."""

    namespace: str
    name: str
    hash: str
    replicas: int
    scaled: bool
    """Whether it has an HPA."""
    deployment: str
    """Its uid, and the next two."""
    replica_set: str
    service: str
    level: float = 0.5
    """CPU its pods use, as a part of their request."""
    ready: int = 0
    stale: bool = False
    """Whether its EndpointSlice tells of pods that are gone."""

    @property
    def labels(self) -> dict[str, str]:
        """What its selector selects."""
        return {"app": self.name, "pod-template-hash": self.hash}


@cache
def _template() -> Object:
    template: Object = msgspec.json.decode(_POD.read_bytes())
    return template


def uid(rng: Random) -> str:
    """A random uid."""
    return str(UUID(int=rng.getrandbits(128), version=4))


def suffix(rng: Random, letters: int = 5) -> str:
    """The end of a generated name."""
    return "".join(rng.choices(_LETTERS, k=letters))


@dataclass(slots=True)
class Pod:
    """A pod's own figures; the rest is its app's."""

    app: App
    name: str
    uid: str
    node: str
    ip: str
    created: str
    stage: Stage = "pending"
    changed: str = ""
    """When it became ready or unready."""
    restarts: int = 0

    @property
    def ready(self) -> bool:
        """Whether it gets traffic."""
        return self.stage == "ready"

    def object(self) -> Object:
        """The object to store."""
        template, app = _template(), self.app
        metadata: Object = {
            **template["metadata"],
            "name": self.name,
            "generateName": f"{app.name}-{app.hash}-",
            "namespace": app.namespace,
            "uid": self.uid,
            "creationTimestamp": self.created,
            "labels": app.labels,
            "ownerReferences": [
                {
                    **template["metadata"]["ownerReferences"][0],
                    "name": f"{app.name}-{app.hash}",
                    "uid": app.replica_set,
                }
            ],
        }
        if self.stage == "terminating":
            metadata["deletionTimestamp"] = self.changed
            metadata["deletionGracePeriodSeconds"] = 30
        spec = {**template["spec"]}
        if self.stage == "pending":
            del spec["nodeName"]
            status: Object = {"phase": "Pending", "qosClass": "Burstable"}
        else:
            spec["nodeName"] = self.node
            status = self._status(template["status"])
        return {"metadata": metadata, "spec": spec, "status": status}

    def _status(self, template: Object) -> Object:
        ready = "True" if self.ready else "False"
        return {
            **template,
            "conditions": [
                {**one, "status": ready, "lastTransitionTime": self.changed}
                if one["type"] in ("Ready", "ContainersReady")
                else {**one, "lastTransitionTime": self.created}
                for one in template["conditions"]
            ],
            "podIP": self.ip,
            "podIPs": [{"ip": self.ip}],
            "startTime": self.created,
            "containerStatuses": [
                {
                    **template["containerStatuses"][0],
                    "state": {"running": {"startedAt": self.changed}},
                    "lastState": self._last(),
                    "ready": self.ready,
                    "restartCount": self.restarts,
                }
            ],
        }

    def _last(self) -> Object:
        if not self.restarts:
            return {}
        ended = {"exitCode": 137, "reason": "OOMKilled", "finishedAt": self.changed}
        return {"terminated": ended}


def namespace(name: str, uid: str, now: str) -> Object:
    """A Namespace."""
    return {
        "metadata": {
            "name": name,
            "uid": uid,
            "creationTimestamp": now,
            "labels": {"kubernetes.io/metadata.name": name},
        },
        "spec": {"finalizers": ["kubernetes"]},
        "status": {"phase": "Active"},
    }


def _metadata(app: App, name: str, uid: str, now: str, **more: Any) -> Object:
    return {
        "name": name,
        "namespace": app.namespace,
        "uid": uid,
        "generation": 1,
        "creationTimestamp": now,
        "labels": {"app": app.name},
        **more,
    }


def _pod_template(app: App, labels: dict[str, str]) -> Object:
    spec = _template()["spec"]
    container = {k: v for k, v in spec["containers"][0].items() if k != "volumeMounts"}
    return {
        "metadata": {"labels": labels},
        "spec": {"containers": [container], "restartPolicy": "Always"},
    }


def deployment(app: App, now: str) -> Object:
    """The Deployment, with its status of now."""
    selector = {"app": app.name}
    return {
        "metadata": _metadata(
            app,
            app.name,
            app.deployment,
            now,
            annotations={"deployment.kubernetes.io/revision": "1"},
        ),
        "spec": {
            "replicas": app.replicas,
            "selector": {"matchLabels": selector},
            "template": _pod_template(app, selector),
            "strategy": {
                "type": "RollingUpdate",
                "rollingUpdate": {"maxUnavailable": "25%", "maxSurge": "25%"},
            },
            "revisionHistoryLimit": 10,
            "progressDeadlineSeconds": 600,
        },
        "status": {
            "observedGeneration": 1,
            "replicas": app.replicas,
            "updatedReplicas": app.replicas,
            "readyReplicas": app.ready,
            "availableReplicas": app.ready,
        },
    }


def replica_set(app: App, now: str) -> Object:
    """The ReplicaSet, with its status of now."""
    owner = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "name": app.name,
        "uid": app.deployment,
        "controller": True,
        "blockOwnerDeletion": True,
    }
    return {
        "metadata": _metadata(
            app,
            f"{app.name}-{app.hash}",
            app.replica_set,
            now,
            ownerReferences=[owner],
            annotations={"deployment.kubernetes.io/revision": "1"},
        ),
        "spec": {
            "replicas": app.replicas,
            "selector": {"matchLabels": app.labels},
            "template": _pod_template(app, app.labels),
        },
        "status": {
            "observedGeneration": 1,
            "replicas": app.replicas,
            "fullyLabeledReplicas": app.replicas,
            "readyReplicas": app.ready,
            "availableReplicas": app.ready,
        },
    }


def service(app: App, number: int, now: str) -> Object:
    """The Service."""
    address = f"10.{96 + (number >> 16 & 15)}.{number >> 8 & 255}.{number & 255}"
    return {
        "metadata": _metadata(app, app.name, app.service, now),
        "spec": {
            "type": "ClusterIP",
            "clusterIP": address,
            "clusterIPs": [address],
            "selector": {"app": app.name},
            "ports": [{"name": "http", "port": 80, "protocol": "TCP", "targetPort": 80}],
        },
        "status": {"loadBalancer": {}},
    }


def endpoint_slices(app: App, pods: list[Pod], uids: list[str], now: str) -> list[Object]:
    """Who is behind the Service, 100 to a slice; one for each uid."""
    found = []
    for number, slice_uid in enumerate(uids):
        part = pods[number * 100 : (number + 1) * 100]
        found.append(
            {
                "metadata": {
                    "name": f"{app.name}-{slice_uid[:5]}",
                    "namespace": app.namespace,
                    "uid": slice_uid,
                    "creationTimestamp": now,
                    "labels": {"app": app.name, "kubernetes.io/service-name": app.name},
                },
                "addressType": "IPv4",
                "endpoints": [_endpoint(pod) for pod in part],
                "ports": [{"name": "http", "port": 80, "protocol": "TCP"}],
            }
        )
    return found


def _endpoint(pod: Pod) -> Object:
    return {
        "addresses": [pod.ip],
        "conditions": {"ready": pod.ready, "serving": pod.ready, "terminating": False},
        "nodeName": pod.node,
        "targetRef": {
            "kind": "Pod",
            "namespace": pod.app.namespace,
            "name": pod.name,
            "uid": pod.uid,
        },
    }


def hpa(app: App, uid: str, now: str) -> Object:
    """The HorizontalPodAutoscaler (autoscaling/v2), with its status of now."""
    used = round(app.level * 100)
    current = {"averageUtilization": used, "averageValue": f"{CPU_REQUEST * used // 100}m"}
    return {
        "metadata": _metadata(app, app.name, uid, now),
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": app.name},
            "minReplicas": 1,
            "maxReplicas": app.replicas * 2,
            "metrics": [
                {
                    "type": "Resource",
                    "resource": {
                        "name": "cpu",
                        "target": {"type": "Utilization", "averageUtilization": 50},
                    },
                }
            ],
        },
        "status": {
            "observedGeneration": 1,
            "currentReplicas": app.replicas,
            "desiredReplicas": app.replicas,
            "currentMetrics": [
                {"type": "Resource", "resource": {"name": "cpu", "current": current}}
            ],
            "conditions": [
                _condition("AbleToScale", "True", "ReadyForNewScale", now),
                _condition("ScalingActive", "True", "ValidMetricFound", now),
                _condition("ScalingLimited", "False", "DesiredWithinRange", now),
            ],
        },
    }


def _condition(type: str, status: str, reason: str, now: str) -> Object:
    return {"type": type, "status": status, "reason": reason, "lastTransitionTime": now}


def event(pod: Pod, uid: str, now: str) -> Object:
    """What the kubelet tells of a pod that it stops."""
    return {
        "metadata": {
            "name": f"{pod.name}.{uid[:8]}{uid[9:13]}",
            "namespace": pod.app.namespace,
            "uid": uid,
            "creationTimestamp": now,
        },
        "involvedObject": {
            "apiVersion": "v1",
            "kind": "Pod",
            "name": pod.name,
            "namespace": pod.app.namespace,
            "uid": pod.uid,
            "fieldPath": "spec.containers{fastapi}",
        },
        "reason": "Killing",
        "message": "Stopping container fastapi",
        "source": {"component": "kubelet", "host": pod.node},
        "firstTimestamp": now,
        "lastTimestamp": now,
        "count": 1,
        "type": "Normal",
        "eventTime": None,
        "reportingComponent": "kubelet",
        "reportingInstance": pod.node,
    }


def metrics_api(uid: str, now: str) -> Object:
    """The APIService that says that metrics are there."""
    available = {
        "type": "Available",
        "status": "True",
        "reason": "Passed",
        "message": "all checks passed",
        "lastTransitionTime": now,
    }
    return {
        "metadata": {"name": "v1beta1.metrics.k8s.io", "uid": uid, "creationTimestamp": now},
        "spec": {
            "group": "metrics.k8s.io",
            "version": "v1beta1",
            "groupPriorityMinimum": 100,
            "versionPriority": 100,
            "insecureSkipTLSVerify": True,
            "service": {"name": "metrics-server", "namespace": "kube-system", "port": 443},
        },
        "status": {"conditions": [available]},
    }
