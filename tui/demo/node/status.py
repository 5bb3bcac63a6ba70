"""The status of a pod, as a kubelet writes it."""

from __future__ import annotations

import hashlib
from typing import Protocol

from tui import quantity
from tui.demo.api.pod_defaults import qos_class
from tui.demo.node.containers import Container
from tui.demo.store import Entry, Object


class Shown(Protocol):
    """What the status is about."""

    inits: list[Container]
    containers: list[Container]
    added: list[Container]
    pod_ip: str
    start_time: str
    restart_policy: str
    stopping: bool


def of(shown: Shown, pod: Entry, now: str, node_ip: str) -> Object:
    """The whole status."""
    phase = phase_of(shown)
    generation = pod.metadata.get("generation", 1)
    fresh: Object = {
        "observedGeneration": generation,
        "phase": phase,
        "conditions": _conditions(shown, pod, now, phase, generation),
        "hostIP": node_ip,
        "hostIPs": [{"ip": node_ip}],
    }
    if shown.pod_ip:
        fresh |= {"podIP": shown.pod_ip, "podIPs": [{"ip": shown.pod_ip}]}
    fresh["startTime"] = shown.start_time
    if shown.inits:
        fresh["initContainerStatuses"] = [_container(one) for one in shown.inits]
    fresh["containerStatuses"] = [_container(one) for one in shown.containers]
    if shown.added:
        fresh["ephemeralContainerStatuses"] = [_container(one) for one in shown.added]
    fresh["qosClass"] = qos_class(pod.spec)
    fresh |= _together(pod.spec)
    return fresh


def _together(spec: Object) -> Object:
    """What is set aside for the pod as a whole: its containers together, or its greediest init."""
    resources: Object = {}
    for part in ("requests", "limits"):
        amounts: dict[str, int] = {}
        for container in spec.get("containers") or ():
            for name, text in ((container.get("resources") or {}).get(part) or {}).items():
                amounts[name] = amounts.get(name, 0) + quantity.milli(str(text))
        for container in spec.get("initContainers") or ():
            for name, text in ((container.get("resources") or {}).get(part) or {}).items():
                amounts[name] = max(amounts.get(name, 0), quantity.milli(str(text)))
        if amounts:
            resources[part] = {
                name: (quantity.format_milli if name == "cpu" else quantity.format_milli_bytes)(n)
                for name, n in amounts.items()
            }
    allocated = {"allocatedResources": resources["requests"]} if "requests" in resources else {}
    return {**allocated, "resources": resources}


def phase_of(shown: Shown) -> str:
    """Pending, Running, Succeeded or Failed."""
    if not all(_done(one) for one in shown.inits):
        failed = shown.restart_policy == "Never" and any(_code(one) for one in shown.inits)
        return "Failed" if failed else "Pending"
    if any("waiting" in one.state and not one.last_state for one in shown.containers):
        return (
            "Failed" if shown.stopping and any(one.run for one in shown.containers) else "Pending"
        )
    if any(one.running or "waiting" in one.state for one in shown.containers):
        return "Running"
    final = shown.stopping or shown.restart_policy == "Never"
    if shown.restart_policy == "OnFailure":
        final = final or not any(_code(one) for one in shown.containers)
    if not final:
        return "Running"
    return "Failed" if any(_code(one) for one in shown.containers) else "Succeeded"


def _done(container: Container) -> bool:
    return "terminated" in container.state and not _code(container)


def _code(container: Container) -> int:
    code: int = (container.state.get("terminated") or {}).get("exitCode", 0)
    return code


def _conditions(shown: Shown, pod: Entry, now: str, phase: str, generation: int) -> list[Object]:
    finished = {"Succeeded": "PodCompleted", "Failed": "PodFailed"}.get(phase, "")
    initialized = all(_done(one) for one in shown.inits)
    unready = [one.name for one in shown.containers if not one.ready]
    ready: tuple[bool, str, str]
    if finished:
        ready = (False, finished, "")
    elif unready:
        names = " ".join(unready)
        ready = (False, "ContainersNotReady", f"containers with unready status: [{names}]")
    else:
        ready = (True, "", "")
    if initialized:
        prepared = (True, "PodCompleted" if phase == "Succeeded" else "", "")
    else:
        names = " ".join(one.name for one in shown.inits if not _done(one))
        message = f"containers with incomplete status: [{names}]"
        prepared = (False, "ContainersNotInitialized", message)
    found = {
        "PodReadyToStartContainers": (bool(shown.pod_ip) and not finished, "", ""),
        "Initialized": prepared,
        "Ready": ready,
        "ContainersReady": ready,
    }
    before = {one["type"]: one for one in pod.status.get("conditions") or ()}
    conditions = []
    for type_, (holds, reason, message) in found.items():
        value = "True" if holds else "False"
        old = before.get(type_) or {}
        since = old["lastTransitionTime"] if old.get("status") == value else now
        one: Object = {
            "type": type_,
            "observedGeneration": generation,
            "status": value,
            "lastProbeTime": None,
            "lastTransitionTime": since,
        }
        if reason:
            one["reason"] = reason
        if message:
            one["message"] = message
        conditions.append(one)
    if "PodScheduled" in before:
        conditions.append({**before["PodScheduled"], "observedGeneration": generation})
    return conditions


def _container(container: Container) -> Object:
    spec = container.spec
    image = canonical(spec["image"])
    known = bool(container.container_id)
    resources = spec.get("resources") or {}
    shown: Object = {
        "name": container.name,
        "state": container.state,
        "lastState": container.last_state,
        "ready": container.ready,
        "restartCount": container.restarts,
        "image": image if known else spec["image"],
        "imageID": f"sha256:{hashlib.sha256(image.encode()).hexdigest()}" if known else "",
    }
    if known:
        shown["containerID"] = container.container_id
    shown["started"] = container.started
    if known:
        if resources.get("requests"):
            shown["allocatedResources"] = resources["requests"]
        shown["resources"] = resources
    mounts = spec.get("volumeMounts") or ()
    if mounts:
        shown["volumeMounts"] = [
            {key: mount[key] for key in ("name", "mountPath", "readOnly") if key in mount}
            | ({"recursiveReadOnly": "Disabled"} if mount.get("readOnly") else {})
            for mount in mounts
        ]
    return shown


def canonical(image: str) -> str:
    """An image's full name: ``nginx`` is ``docker.io/library/nginx:latest``."""
    first, slash, _ = image.partition("/")
    if not slash:
        image = f"docker.io/library/{image}"
    elif "." not in first and ":" not in first and first != "localhost":
        image = f"docker.io/{image}"
    last = image.rpartition("/")[2]
    return image if ":" in last or "@" in last else f"{image}:latest"


def pull_error(image: str) -> str:
    """The runtime's words for an image that its registry does not have."""
    full = canonical(image)
    start = f'failed to pull and unpack image "{full}": failed to resolve reference "{full}": '
    host = full.partition("/")[0]
    if host.endswith(".invalid"):
        path = full.partition("/")[2]
        repository, _, tag = path.rpartition(":")
        return (
            f'{start}failed to do request: Head "https://{host}/v2/{repository}/manifests/{tag}": '
            f"dial tcp: lookup {host} on 10.96.0.10:53: no such host"
        )
    if full.startswith("docker.io/library/"):
        return f"{start}{full}: not found"
    return (
        f"{start}pull access denied, repository does not exist or may require authorization: "
        "server message: insufficient_scope: authorization failed"
    )


def probe_error(probe: Object, pod_ip: str, container: Object, *, refused: bool) -> str:
    """What a failing HTTP, TCP or gRPC probe reports."""
    kind = next((name for name in ("httpGet", "tcpSocket", "grpc") if name in probe), "httpGet")
    port = (probe.get(kind) or {}).get("port", 80)
    if isinstance(port, str):
        named = {one.get("name"): one["containerPort"] for one in container.get("ports") or ()}
        port = named.get(port, port)
    address = f"{pod_ip}:{port}"
    if kind == "tcpSocket":
        return f"dial tcp {address}: connect: connection refused"
    if kind == "grpc":
        return f'timeout: failed to connect service "{address}" within 1s'
    if not refused:
        return "HTTP probe failed with statuscode: 503"
    path = probe["httpGet"].get("path", "/")
    return f'Get "http://{address}{path}": dial tcp {address}: connect: connection refused'
