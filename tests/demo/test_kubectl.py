"""kubectl against the embedded cluster, as a student types it."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from pathlib import Path

import pytest

from tests.demo.http import IDENTITY, TOKEN, Http
from tui.demo import kubeconfig
from tui.demo.clock import RealClock
from tui.demo.cluster import AGE, Cluster

KUBECTL = shutil.which("kubectl")
pytestmark = pytest.mark.skipif(KUBECTL is None, reason="kubectl is not installed")

MANIFEST = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        image: nginx:alpine
        ports: [{containerPort: 80}]
        resources: {requests: {cpu: 50m}}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {type: NodePort, selector: {app: web}, ports: [{port: 80}]}
"""


class Kubectl:
    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.environment = {
            **os.environ,
            "KUBECONFIG": str(directory / "config"),
            "HOME": str(directory),
        }

    async def __call__(self, *words: str, given: str = "", code: int = 0) -> str:
        process = await asyncio.create_subprocess_exec(
            str(KUBECTL),
            *words,
            env=self.environment,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        async with asyncio.timeout(20):
            out, err = await process.communicate(given.encode())
        assert process.returncode == code, (words, err.decode())
        return out.decode() + (err.decode() if code else "")


async def test_the_commands_of_the_lesson(tmp_path: Path) -> None:
    clock = RealClock(50, AGE)
    cluster = Cluster(clock, wave=None)
    cluster.bring_up()
    clock.go_live(asyncio.get_running_loop())
    async with Http(cluster) as http:
        kubeconfig.write(tmp_path / "config", http.server.url, TOKEN, IDENTITY.certificate)
        kubectl = Kubectl(tmp_path)
        await _reads(kubectl)
        await _writes(kubectl)
    clock.stop()


async def _reads(kubectl: Kubectl) -> None:
    pods = (await kubectl("get", "pods")).splitlines()
    assert pods[0].split() == ["NAME", "READY", "STATUS", "RESTARTS", "AGE"]
    assert len(pods) == 5
    assert pods[1].split()[1:4] == ["1/1", "Running", "0"]
    nodes = await kubectl("get", "nodes", "-o", "wide")
    assert "control-plane" in nodes
    names = await kubectl("get", "pods", "-l", "app=fastapi", "-o", "name")
    assert names.count("pod/fastapi-deploy-") == 2
    hpa = await kubectl("describe", "hpa", "fastapi-hpa")
    assert "resource cpu on pods  (as a percentage of request):" in hpa
    deployment = await kubectl("describe", "deployment", "fastapi-deploy")
    assert "ScalingReplicaSet" in deployment
    assert "fastapi-deploy-" in await kubectl("top", "pods")
    assert "embedded-worker" in await kubectl("top", "nodes")
    assert "Application startup complete" in await kubectl("logs", "deploy/fastapi-deploy")
    assert "v1.36" in await kubectl("version")
    assert (await kubectl("auth", "can-i", "delete", "pods")).strip() == "yes"
    resources = await kubectl("api-resources", "-o", "name")
    assert "horizontalpodautoscalers.autoscaling" in resources.split()
    assert "NotFound" in await kubectl("get", "deploy", "nowhere", code=1)


async def _writes(kubectl: Kubectl) -> None:
    assert "web created" in await kubectl("apply", "-f", "-", given=MANIFEST)
    await kubectl("rollout", "status", "deploy/web", "--timeout=15s")
    changed = MANIFEST.replace("nginx:alpine", "nginx:1.27-alpine")
    assert "web configured" in await kubectl("apply", "-f", "-", given=changed)
    await kubectl("rollout", "status", "deploy/web", "--timeout=15s")
    assert "unchanged" in await kubectl("apply", "-f", "-", given=changed)
    typo = await kubectl("apply", "-f", "-", given=MANIFEST.replace("replicas", "replica"), code=1)
    assert 'unknown field "spec.replica"' in typo
    conflict = await kubectl("apply", "--server-side", "-f", "-", given=MANIFEST, code=1)
    assert 'conflict with "kubectl-client-side-apply"' in conflict
    assert "serverside-applied" in await kubectl(
        "apply", "--server-side", "--force-conflicts", "-f", "-", given=MANIFEST
    )
    await kubectl("autoscale", "deploy", "web", "--min=1", "--max=3", "--cpu-percent=50")
    hpa = json.loads(await kubectl("get", "hpa", "web", "-o", "json"))
    assert hpa["spec"]["maxReplicas"] == 3
    await kubectl("delete", "hpa", "web")
    await kubectl("scale", "deploy/web", "--replicas=3")
    await kubectl("wait", "--for=jsonpath={.status.readyReplicas}=3", "deploy/web", "--timeout=15s")
    assert "2" in await kubectl("rollout", "history", "deploy/web")
    await kubectl("create", "namespace", "lab")
    await kubectl("create", "configmap", "c", "--from-literal=a=b", "-n", "lab")
    await kubectl("delete", "namespace", "lab", "--timeout=15s")
    await kubectl("delete", "-f", "-", given=MANIFEST)
    await kubectl("wait", "--for=delete", "pod", "-l", "app=web", "--timeout=15s")
