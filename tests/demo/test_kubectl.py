"""kubectl against the embedded cluster, as a student types it."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path

import pytest

from tests.demo.kubectl import FOUND, Kubectl, cluster_for

pytestmark = pytest.mark.skipif(not FOUND, reason="kubectl is not installed")

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
SETS = """\
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  serviceName: db
  replicas: 2
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec: {containers: [{name: db, image: "nginx:alpine"}]}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent}
spec:
  selector: {matchLabels: {app: agent}}
  template:
    metadata: {labels: {app: agent}}
    spec: {containers: [{name: agent, image: "nginx:alpine"}]}
---
apiVersion: batch/v1
kind: Job
metadata: {name: hello}
spec:
  template:
    spec:
      restartPolicy: Never
      containers: [{name: c, image: busybox, command: [sh, -c, echo hello]}]
"""


@pytest.fixture(params=FOUND)
def program(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def _version(kubectl: Kubectl) -> tuple[int, int]:
    shown = json.loads(await kubectl("version", "--client", "-o", "json"))["clientVersion"]
    return int(shown["major"]), int(re.sub(r"\D", "", shown["minor"]))


async def test_the_commands_of_the_lesson(program: str, tmp_path: Path) -> None:
    async with cluster_for(program, tmp_path) as kubectl:
        version = await _version(kubectl)
        await asyncio.gather(_lists(kubectl), _describes(kubectl), _documents(kubectl, version))
        await _writes(kubectl, version)


async def _lists(kubectl: Kubectl) -> None:
    pods = (await kubectl("get", "pods")).splitlines()
    assert pods[0].split() == ["NAME", "READY", "STATUS", "RESTARTS", "AGE"]
    assert len(pods) == 5
    assert pods[1].split()[1:4] == ["1/1", "Running", "0"]
    nodes = await kubectl("get", "nodes", "-o", "wide")
    assert "control-plane" in nodes
    names = await kubectl("get", "pods", "-l", "app=fastapi", "-o", "name")
    assert names.count("pod/fastapi-deploy-") == 2
    everything = await kubectl("get", "pods", "-A", "--sort-by=.metadata.name")
    assert everything.splitlines()[1].split()[1].startswith("caddy-proxy-")
    running = await kubectl("get", "po", "--field-selector=status.phase!=Running", "-o", "name")
    assert running == ""
    ready = "{range .items[*]}{.status.readyReplicas}{end}"
    assert await kubectl("get", "deploy", "-o", f"jsonpath={ready}") == "121"
    assert "fastapi-deploy-" in await kubectl("top", "pods")
    assert "embedded-worker" in await kubectl("top", "nodes")
    logs = await kubectl("logs", "deploy/fastapi-deploy", "--tail=50")
    assert "Application startup complete" in logs
    assert "NotFound" in await kubectl("get", "deploy", "nowhere", code=1)


async def _describes(kubectl: Kubectl) -> None:
    hpa = await kubectl("describe", "hpa", "fastapi-hpa")
    # The older ones know autoscaling/v1 alone.
    new, old = "resource cpu on pods  (as a percentage of request):", "Target CPU utilization:"
    assert new in hpa or old in hpa
    assert "ScalingReplicaSet" in await kubectl("describe", "deployment", "fastapi-deploy")
    for kind in ("node", "svc", "pod", "ds -n kube-system"):
        shown = await kubectl("describe", *kind.split())
        assert shown.startswith("Name:"), kind
        assert "<error" not in shown


async def _documents(kubectl: Kubectl, version: tuple[int, int]) -> None:
    assert "v1.36" in await kubectl("version", code=None)
    assert (await kubectl("auth", "can-i", "delete", "pods")).strip() == "yes"
    assert (await kubectl("auth", "can-i", "get", "pods", "--as=ann", code=1)).startswith("no")
    assert "*.*" in await kubectl("auth", "can-i", "--list")
    listed = await kubectl("api-resources", "-o", "name")
    assert "horizontalpodautoscalers.autoscaling" in listed.split()
    assert "apps/v1" in (await kubectl("api-versions")).split()
    explained = await kubectl("explain", "deployment.spec.strategy.rollingUpdate.maxSurge")
    assert "The maximum number of pods that can be scheduled" in " ".join(explained.split())
    assert "FIELDS:" in await kubectl("explain", "crd.spec.versions")
    if version >= (1, 28):
        assert "kubernetes-admin" in await kubectl("auth", "whoami")
        assert "ScalingReplicaSet" in await kubectl("events", "--for", "deploy/fastapi-deploy")


async def _writes(kubectl: Kubectl, version: tuple[int, int]) -> None:
    assert "web created" in await kubectl("apply", "-f", "-", given=MANIFEST)
    await kubectl("rollout", "status", "deploy/web", "--timeout=15s")
    changed = MANIFEST.replace("nginx:alpine", "nginx:1.27-alpine")
    assert "1.27" in await kubectl("diff", "-f", "-", given=changed, code=1)
    assert "web configured" in await kubectl("apply", "-f", "-", given=changed)
    assert "unchanged" in await kubectl("apply", "-f", "-", given=changed)
    typo = await kubectl("apply", "-f", "-", given=MANIFEST.replace("replicas", "replica"), code=1)
    assert re.search(r'unknown field "(spec\.)?replica"', typo)
    conflict = await kubectl("apply", "--server-side", "-f", "-", given=MANIFEST, code=1)
    assert 'conflict with "kubectl-client-side-apply"' in conflict
    assert "serverside-applied" in await kubectl(
        "apply", "--server-side", "--force-conflicts", "-f", "-", given=MANIFEST
    )
    await kubectl("set", "image", "deploy/web", "web=nginx:1.26")
    await kubectl("set", "env", "deploy/web", "MODE=test")
    await kubectl("rollout", "status", "deploy/web", "--timeout=15s")
    history = await kubectl("rollout", "history", "deploy/web")
    assert history.split()[-4:-2] == ["4", "<none>"]
    await kubectl("rollout", "undo", "deploy/web")
    env = "{.spec.template.spec.containers[0].env}"
    assert await kubectl("get", "deploy", "web", "-o", f"jsonpath={env}") == ""
    await kubectl("rollout", "restart", "deploy/web")
    await _small_changes(kubectl)
    percent = "--cpu=50%" if version >= (1, 35) else "--cpu-percent=50"
    await kubectl("autoscale", "deploy", "web", "--min=1", "--max=3", percent)
    hpa = json.loads(await kubectl("get", "hpa", "web", "-o", "json"))
    assert hpa["spec"]["maxReplicas"] == 3
    await kubectl("delete", "hpa", "web")
    await kubectl("scale", "deploy/web", "--replicas=3")
    await kubectl("wait", "--for=condition=Available", "deploy/web", "--timeout=15s")
    await kubectl("create", "namespace", "lab")
    made = await kubectl(
        *("create", "configmap", "c", "--from-literal=a=b", "-n", "lab"),
        *("--dry-run=client", "-o", "yaml"),
    )
    assert "created" in await kubectl("apply", "-f", "-", given=made)
    await kubectl("delete", "namespace", "lab", "--timeout=15s")
    await kubectl("expose", "deploy", "web", "--name=web2", "--port=8080", "--target-port=80")
    await kubectl("delete", "svc", "web2")
    await kubectl("delete", "-f", "-", given=MANIFEST)
    # An older one calls it an error that they are gone already.
    await kubectl("wait", "--for=delete", "pod", "-l", "app=web", "--timeout=15s", code=None)


async def _small_changes(kubectl: Kubectl) -> None:
    operation = [{"op": "replace", "path": "/spec/minReadySeconds", "value": 2}]
    for form, patch in (
        ("strategic", {"spec": {"minReadySeconds": 1}}),
        ("json", operation),
        ("merge", {"spec": {"minReadySeconds": 0}}),
    ):
        await kubectl("patch", "deploy", "web", f"--type={form}", "-p", json.dumps(patch))
    await kubectl("label", "deploy", "web", "tier=front")
    await kubectl("annotate", "deploy", "web", "kubernetes.io/change-cause=smaller")
    shown = await kubectl("get", "deploy", "-l", "tier=front", "-o", "yaml")
    assert "change-cause: smaller" in shown


async def test_sets_and_jobs(program: str, tmp_path: Path) -> None:
    async with cluster_for(program, tmp_path, lesson=False) as kubectl:
        await kubectl("apply", "-f", "-", given=SETS)
        for name in ("sts/db", "ds/agent"):
            await kubectl("rollout", "status", name, "--timeout=15s")
        await kubectl("wait", "--for=condition=complete", "job/hello", "--timeout=15s")
        assert await kubectl("logs", "job/hello") == "hello\n"
        await kubectl("set", "image", "sts/db", "db=nginx:1.27")
        await kubectl("rollout", "status", "sts/db", "--timeout=20s")
        assert (await kubectl("rollout", "history", "sts/db")).split()[-2] == "2"
        await kubectl("rollout", "undo", "sts/db")
        await kubectl("rollout", "restart", "ds/agent")
        everything = await kubectl("get", "all")
        for part in ("pod/db-0", "statefulset.apps/db", "daemonset.apps/agent", "job.batch/hello"):
            assert part in everything
        await kubectl("delete", "-f", "-", given=SETS)


async def test_a_token_of_a_service_account(program: str, tmp_path: Path) -> None:
    """Which kubectl asks for as protobuf."""
    async with cluster_for(program, tmp_path, lesson=False) as kubectl:
        token = (await kubectl("create", "token", "default", "--duration=20m")).strip()
        assert token.count(".") == 2
        refused = await kubectl("create", "token", "default", "--duration=5s", code=1)
        assert "may not specify a duration less than 10 minutes" in refused


async def test_streams(program: str, tmp_path: Path) -> None:
    async with cluster_for(program, tmp_path) as kubectl:
        assert "nginx-proxy-" in await kubectl("exec", "deploy/nginx-proxy", "--", "hostname")
        failed = await kubectl("exec", "deploy/nginx-proxy", "--", "sh", "-c", "exit 3", code=3)
        assert "exit code 3" in failed
        once = ("run", "x", "--rm", "-i", "--restart=Never", "--image=busybox")
        assert "hello" in await kubectl(*once, "--", "echo", "hello")
        typed = await kubectl(*once, given="hostname; exit 3\n", code=3)
        assert "x\n" in typed
        forward = await asyncio.create_subprocess_exec(
            *(kubectl.program, "port-forward", "svc/fastapi-svc", ":80"),
            env=kubectl.environment,
            stdout=asyncio.subprocess.PIPE,
        )
        assert forward.stdout is not None
        async with asyncio.timeout(20):
            said = (await forward.stdout.readline()).decode()
            port = int(said.partition("127.0.0.1:")[2].partition(" ")[0])
            for _ in range(2):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                assert (await reader.read()).startswith(b"HTTP/1.1 200 OK")
                writer.close()
        forward.terminate()
        await forward.communicate()
        watching = await asyncio.create_subprocess_exec(
            *(kubectl.program, "get", "pods", "-w", "-o", "name"),
            env=kubectl.environment,
            stdout=asyncio.subprocess.PIPE,
        )
        assert watching.stdout is not None
        async with asyncio.timeout(20):
            for _ in range(4):
                await watching.stdout.readline()
            await kubectl("scale", "deploy/caddy-proxy", "--replicas=2")
            assert b"pod/caddy-proxy-" in await watching.stdout.readline()
        watching.terminate()
        await watching.communicate()
