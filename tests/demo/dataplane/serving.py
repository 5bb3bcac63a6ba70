"""A cluster that serves on free ports in the test's own loop, and clients for it."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httptools
import yaml

from tui.demo import resources
from tui.demo.api.operations import DeleteOptions, Writer
from tui.demo.clock import RealClock
from tui.demo.cluster import AGE, Cluster
from tui.demo.resources import Resource
from tui.demo.scenario import manifests
from tui.demo.store import Object

USER = Writer("kubectl")


@dataclass
class Answer:
    status: int = 0
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    seconds: float = 0.0

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key.lower() == name), None)

    @property
    def text(self) -> str:
        return self.body.decode()


class Client(asyncio.Protocol):
    """One kept connection; requests one after the other."""

    def __init__(self) -> None:
        self.lost = False
        self.transport: Any = None
        self._answer = Answer()
        self._parser: Any = None
        self._waiting: asyncio.Future[Answer] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = True
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(exc or ConnectionResetError("closed"))

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._answer.headers.append((name.decode(), value.decode("latin-1")))

    def on_body(self, body: bytes) -> None:
        self._answer.body += body

    def on_message_complete(self) -> None:
        self._answer.status = self._parser.get_status_code()
        if self._answer.status >= 200 and self._waiting and not self._waiting.done():
            self._waiting.set_result(self._answer)

    async def ask(
        self,
        path: str,
        method: str = "GET",
        body: bytes = b"",
        headers: dict[str, str] | None = None,
    ) -> Answer:
        self._answer = Answer()
        self._parser = httptools.HttpResponseParser(self)
        self._waiting = asyncio.get_running_loop().create_future()
        lines = [f"{method} {path} HTTP/1.1", "Host: cluster.test"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        if body:
            lines.append(f"Content-Length: {len(body)}")
        began = time.perf_counter()
        self.transport.write(("\r\n".join(lines) + "\r\n\r\n").encode() + body)
        async with asyncio.timeout(10):
            answer = await self._waiting
        answer.seconds = time.perf_counter() - began
        return answer


class Serving:
    """A cluster in real time with nothing in it but what a test applies.

    Args:
        speed: of its clock.
        seed: of what is random.
    """

    def __init__(self, speed: float = 1.0, seed: int = 1) -> None:
        self.clock = RealClock(speed, AGE * speed)
        self.cluster = Cluster(self.clock, seed, wave=None, any_port=True)
        self.cluster.bring_up(classroom_lesson=False)

    def apply(self, text: str) -> None:
        """Create the objects of a manifest."""
        for resource, namespace, data in manifests(text):
            self.cluster.api.create(resource, namespace, data, USER)

    def settle(self, seconds: float = 30.0) -> None:
        """Let simulated time pass before anybody is served."""
        self.clock.advance(seconds)

    async def __aenter__(self) -> Serving:
        self.clock.go_live(asyncio.get_running_loop())
        await self.cluster.dataplane.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.cluster.dataplane.close()
        self.clock.stop()

    def port(self, service: str, name: str = "") -> int:
        number = self.cluster.dataplane.node_ports.number("default", service, name)
        assert number is not None
        return number

    async def client(self, service: str) -> Client:
        loop = asyncio.get_running_loop()
        _, client = await loop.create_connection(Client, "127.0.0.1", self.port(service))
        return client

    async def get(self, service: str, path: str = "/", **more: Any) -> Answer:
        client = await self.client(service)
        try:
            return await client.ask(path, **more)
        finally:
            client.transport.close()

    async def until(self, condition: Callable[[], bool], seconds: float = 8.0) -> None:
        """Wait for the condition, in real seconds."""
        async with asyncio.timeout(seconds):
            while not condition():
                await asyncio.sleep(0.005)

    async def reachable(self, service: str) -> None:
        """Wait until a Service has an endpoint and takes connections."""
        plane = self.cluster.dataplane

        def taken() -> bool:
            ready = plane.network.ready(("default", service), "")
            listening = plane.node_ports.listening("default", service)
            return bool(ready) and plane.node_ports.settled and listening

        await self.until(taken)

    async def refused(self, service: str) -> None:
        """Wait until a Service takes none, and its endpoints are gone as well."""
        plane = self.cluster.dataplane

        def gone() -> bool:
            listening = plane.node_ports.listening("default", service)
            ready = plane.network.ready(("default", service), "")
            return plane.node_ports.settled and not listening and not ready

        await self.until(gone)

    async def replace(self, app: str) -> None:
        """Delete the only pod of an app and wait until its successor is reached."""
        old = self.pods(app)[0]["metadata"]["name"]
        options = DeleteOptions(grace=0)
        self.cluster.api.delete(resources.PODS, "default", old, options)
        network = self.cluster.dataplane.network

        def replaced() -> bool:
            names = [
                (pod["metadata"]["name"], pod["status"].get("podIP")) for pod in self.pods(app)
            ]
            ready = network.ready(("default", app), "")
            return (
                len(names) == 1
                and names[0][0] != old
                and [address for address, _ in ready] == [names[0][1]]
            )

        await self.until(replaced)
        await self.reachable(app)

    def pods(self, app: str) -> list[Object]:
        pods = self.cluster.store.list_at(resources.PODS.storage, "default", None)
        return [pod.data for pod in pods if pod.labels.get("app") == app]

    def log(self, app: str) -> str:
        """What the first container of each pod of an app has printed."""
        lines: list[str] = []
        for pod in self.pods(app):
            container = pod["spec"]["containers"][0]["name"]
            log = self.cluster.logs._logs.get((pod["metadata"]["uid"], container))
            if log is not None:
                lines += [line.text for line in log.lines]
        return "\n".join(lines)

    def served(self, app: str) -> Counter[str]:
        """Requests in the access logs of an app's pods."""
        found: Counter[str] = Counter()
        for pod in self.pods(app):
            key = (pod["metadata"]["uid"], pod["spec"]["containers"][0]["name"])
            log = self.cluster.logs._logs.get(key)
            lines = log.lines if log is not None else ()
            found[pod["metadata"]["name"]] = sum('"GET /' in line.text for line in lines)
        return found

    def change(self, resource: Resource, name: str, alter: Callable[[Object], None]) -> None:
        entry = self.cluster.api.get(resource, "default", name)
        self.cluster.api.change(resource, entry, alter, USER)


def app(
    name: str = "app",
    replicas: int = 1,
    cpu: str = "500m",
    simulate: str = "",
    image: str = "tiangolo/uvicorn-gunicorn-fastapi:python3.11-slim",
) -> str:
    """A FastAPI Deployment and a NodePort Service of the same name."""
    return f"""\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}}}
spec:
  replicas: {replicas}
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata:
      labels: {{app: {name}}}
      annotations: {{kscale.dev/simulate: "{simulate}"}}
    spec:
      containers:
        - name: app
          image: {image}
          imagePullPolicy: IfNotPresent
          ports: [{{containerPort: 80}}]
          resources: {{requests: {{cpu: 100m}}, limits: {{cpu: {cpu}}}}}
---
{service(name)}"""


def service(name: str, kind: str = "NodePort") -> str:
    """A Service for an app of the same name."""
    return f"""\
apiVersion: v1
kind: Service
metadata: {{name: {name}}}
spec:
  type: {kind}
  selector: {{app: {name}}}
  ports: [{{port: 80, targetPort: 80}}]
"""


def proxy(name: str, image: str, path: str, files: dict[str, str], sub_path: str = "") -> str:
    """A proxy with its configuration in a ConfigMap, and its NodePort Service."""
    mount = {"name": "config", "mountPath": path} | ({"subPath": sub_path} if sub_path else {})
    container = {
        "name": "proxy",
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "ports": [{"containerPort": 80}],
        "volumeMounts": [mount],
    }
    pod = {
        "containers": [container],
        "volumes": [{"name": "config", "configMap": {"name": f"{name}-config"}}],
    }
    labels = {"app": name}
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    }
    config = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": f"{name}-config"},
        "data": files,
    }
    return f"{yaml.safe_dump_all([config, deployment])}\n---\n{service(name)}"


def nginx(text: str, sub_path: str = "") -> str:
    """nginx with a text for its ``default.conf``."""
    path = "/etc/nginx/conf.d" + (f"/{sub_path}" if sub_path else "")
    return proxy("nginx", "nginx:1.27-alpine", path, {"default.conf": text}, sub_path)


def caddy(text: str) -> str:
    """Caddy with a Caddyfile."""
    return proxy("caddy", "caddy:2", "/etc/caddy/Caddyfile", {"Caddyfile": text}, "Caddyfile")


async def load(serving: Serving, service: str, connections: int, seconds: float) -> list[Answer]:
    """A closed loop: every connection sends its next request when the last is answered."""
    answers: list[Answer] = []
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds

    async def worker() -> None:
        client = await serving.client(service)
        while loop.time() < end:
            answers.append(await client.ask("/"))
        client.transport.close()

    async with asyncio.TaskGroup() as group:
        for _ in range(connections):
            group.create_task(worker())
    return answers
