"""The official Python client against the embedded cluster: typed API, watch, informer, streams."""

from __future__ import annotations

import asyncio
import importlib
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.demo.http import IDENTITY, TOKEN, Http
from tui.demo import kubeconfig
from tui.demo.clock import RealClock
from tui.demo.cluster import AGE, Cluster

kubernetes: Any
informer: Any
streams: Any
SELECTOR = "app=web"
PATIENCE = 20.0


@pytest.fixture(autouse=True, scope="module")
def _client() -> None:
    """All of the client takes a third of a second to import: only where these tests run."""
    global kubernetes, informer, streams
    kubernetes = importlib.import_module("kubernetes")
    informer = importlib.import_module("kubernetes.informer")
    streams = importlib.import_module("kubernetes.stream")


def _deployment(replicas: int) -> Any:
    models = kubernetes.client
    labels = {"app": "web"}
    container = models.V1Container(
        name="web",
        image="nginx:1.27-alpine",
        ports=[models.V1ContainerPort(container_port=80)],
        resources=models.V1ResourceRequirements(requests={"cpu": "10m"}),
    )
    template = models.V1PodTemplateSpec(
        metadata=models.V1ObjectMeta(labels=labels), spec=models.V1PodSpec(containers=[container])
    )
    return models.V1Deployment(
        metadata=models.V1ObjectMeta(name="web", labels=labels),
        spec=models.V1DeploymentSpec(
            replicas=replicas,
            selector=models.V1LabelSelector(match_labels=labels),
            template=template,
        ),
    )


async def _against(path: Path, use: Callable[[Any], None]) -> None:
    """Run blocking calls of a client beside a fast cluster."""
    clock = RealClock(50, AGE)
    cluster = Cluster(clock, wave=None)
    cluster.bring_up()
    clock.go_live(asyncio.get_running_loop())
    async with Http(cluster) as http:
        kubeconfig.write(path / "config", http.server.url, TOKEN, IDENTITY.certificate)
        api = kubernetes.config.new_client_from_config(str(path / "config"))
        async with asyncio.timeout(PATIENCE * 2):
            await asyncio.to_thread(use, api)
        api.close()
    clock.stop()


async def test_lists_patches_and_errors(tmp_path: Path) -> None:
    await _against(tmp_path, _lists_patches_and_errors)


def _lists_patches_and_errors(api: Any) -> None:
    core, apps = kubernetes.client.CoreV1Api(api), kubernetes.client.AppsV1Api(api)
    first = core.list_pod_for_all_namespaces(limit=3)
    found = [pod.metadata.name for pod in first.items]
    left, token = first.metadata.remaining_item_count, first.metadata._continue
    assert (len(found), left > 0) == (3, True)
    while token:
        page = core.list_pod_for_all_namespaces(limit=3, _continue=token)
        found += [pod.metadata.name for pod in page.items]
        token = page.metadata._continue
    assert len(found) == left + 3 == len(set(found))
    chosen = core.list_namespaced_pod("default", label_selector="app in (nginx-proxy)")
    assert [pod.metadata.labels["app"] for pod in chosen.items] == ["nginx-proxy"]

    made = apps.create_namespaced_deployment("default", _deployment(1))
    assert (made.spec.strategy.type, made.metadata.generation) == ("RollingUpdate", 1)
    with pytest.raises(kubernetes.client.ApiException) as again:
        apps.create_namespaced_deployment("default", _deployment(1))
    assert (again.value.status, "AlreadyExists" in again.value.body) == (409, True)
    with pytest.raises(kubernetes.client.ApiException) as refused:
        apps.patch_namespaced_deployment("web", "default", {"spec": {"replicas": -1}})
    assert refused.value.status == 422

    strategic = {"spec": {"template": {"spec": {"containers": [{"name": "web", "image": "a"}]}}}}
    patched = apps.patch_namespaced_deployment("web", "default", strategic)
    assert patched.spec.template.spec.containers[0].ports[0].container_port == 80
    operations = [{"op": "add", "path": "/metadata/labels/tier", "value": "front"}]
    patched = apps.patch_namespaced_deployment("web", "default", operations)
    assert patched.metadata.labels == {"app": "web", "tier": "front"}
    applied = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web"},
        "spec": {"minReadySeconds": 1},
    }
    patched = apps.patch_namespaced_deployment(
        *("web", "default", applied),
        field_manager="lesson",
        _content_type="application/apply-patch+yaml",
    )
    assert patched.spec.min_ready_seconds == 1
    assert "lesson" in {entry.manager for entry in patched.metadata.managed_fields}
    scale = apps.patch_namespaced_deployment_scale("web", "default", {"spec": {"replicas": 2}})
    assert scale.spec.replicas == 2
    stale = apps.read_namespaced_deployment("web", "default")
    stale.metadata.resource_version = "1"
    with pytest.raises(kubernetes.client.ApiException) as conflict:
        apps.replace_namespaced_deployment("web", "default", stale)
    assert conflict.value.status == 409
    ports = [kubernetes.client.V1ServicePort(port=80)]
    kubernetes.client.CoreV1Api(api).create_namespaced_service(
        "default",
        kubernetes.client.V1Service(
            metadata=kubernetes.client.V1ObjectMeta(name="web"),
            spec=kubernetes.client.V1ServiceSpec(ports=ports, selector={"app": "web"}),
        ),
    )
    gone = kubernetes.client.CoreV1Api(api).delete_namespaced_service("web", "default")
    assert gone.spec.ports[0].target_port == 80  # a deleted Service comes back whole
    seen = apps.read_namespaced_deployment("web", "default").metadata.resource_version
    apps.delete_namespaced_deployment("web", "default", propagation_policy="Foreground")
    watch = kubernetes.watch.Watch()
    for event in watch.stream(
        apps.list_namespaced_deployment,
        "default",
        field_selector="metadata.name=web",
        resource_version=seen,
        timeout_seconds=int(PATIENCE),
    ):
        if event["type"] == "DELETED":
            watch.stop()
            break
    else:
        pytest.fail("the deployment is still there")
    hpas = kubernetes.client.AutoscalingV2Api(api).list_namespaced_horizontal_pod_autoscaler
    assert hpas("default").items[0].spec.metrics[0].resource.target.average_utilization == 50
    metrics = kubernetes.client.CustomObjectsApi(api).list_cluster_custom_object
    assert metrics("metrics.k8s.io", "v1beta1", "nodes")["kind"] == "NodeMetricsList"


async def test_watch_informer_and_streams(tmp_path: Path) -> None:
    await _against(tmp_path, _watch_informer_and_streams)


def _watch_informer_and_streams(api: Any) -> None:
    core, apps = kubernetes.client.CoreV1Api(api), kubernetes.client.AppsV1Api(api)
    known = informer.SharedInformer(
        core.list_namespaced_pod, namespace="default", label_selector=SELECTOR
    )
    ready, gone = threading.Event(), threading.Event()

    def changed(pod: Any) -> None:
        conditions = {one.type: one.status for one in pod.status.conditions or ()}
        if conditions.get("Ready") == "True":
            ready.set()

    known.add_event_handler(informer.MODIFIED, changed)
    known.add_event_handler(informer.DELETED, lambda pod: gone.set())
    before = core.list_namespaced_pod("default", label_selector=SELECTOR)
    assert before.items == []
    known.start()
    apps.create_namespaced_deployment("default", _deployment(1))
    assert ready.wait(PATIENCE)
    [pod] = known.cache.list()
    name = pod.metadata.name

    # A watch that is taken up from the list before sees all that happened since.
    watch, types = kubernetes.watch.Watch(), []
    events = watch.stream(
        core.list_namespaced_pod,
        "default",
        label_selector=SELECTOR,
        resource_version=before.metadata.resource_version,
        timeout_seconds=int(PATIENCE),
    )
    for event in events:
        types.append(event["type"])
        changed(event["object"])
        statuses = event["object"].status.container_statuses or ()
        if any(one.ready for one in statuses):
            watch.stop()
    assert types[0] == "ADDED"
    assert set(types[1:]) == {"MODIFIED"}

    assert "start worker processes" in core.read_namespaced_pod_log(name, "default")
    said = streams.stream(
        core.connect_get_namespaced_pod_exec,
        *(name, "default"),
        command=["sh", "-c", "echo hello; hostname"],
        stdout=True,
        stderr=True,
        stdin=False,
        tty=False,
    )
    assert said == f"hello\n{name}\n"
    forward = streams.portforward(
        core.connect_get_namespaced_pod_portforward, name, "default", ports="80"
    )
    socket = forward.socket(80)
    socket.settimeout(PATIENCE)
    socket.sendall(b"GET / HTTP/1.1\r\nHost: web\r\nConnection: close\r\n\r\n")
    assert socket.recv(65536).startswith(b"HTTP/1.1 200 OK")
    socket.close()
    # The informer looks whether it is to stop at an event: the pod's end is the last.
    apps.delete_namespaced_deployment("web", "default")
    assert gone.wait(PATIENCE)
    assert known.cache.list() == []
    stopping = threading.Thread(target=known.stop, daemon=True)
    stopping.start()
    labels = kubernetes.client.V1ObjectMeta(name="last", labels={"app": "web"})
    container = kubernetes.client.V1Container(name="c", image="busybox")
    spec = kubernetes.client.V1PodSpec(containers=[container])
    core.create_namespaced_pod("default", kubernetes.client.V1Pod(metadata=labels, spec=spec))
    stopping.join(PATIENCE)
    assert not stopping.is_alive()
