"""The classroom scenario: a FastAPI app behind nginx and Caddy, with an HPA on its CPU."""

from __future__ import annotations

from typing import Final

import msgspec

from tui.demo import resources
from tui.demo.resource import Resource
from tui.demo.store import Object

NAMESPACE: Final = "default"
_LAST_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"

NGINX_CONF: Final = """\
upstream fastapi {
  server fastapi-svc:80;
  keepalive 32;
}
server {
  listen 80;
  location / {
    proxy_pass http://fastapi;
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_set_header Host $host;
    proxy_set_header X-Real-IP $remote_addr;
    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    add_header X-Served-By nginx-proxy always;
  }
  location /nginx-health {
    access_log off;
    add_header Content-Type text/plain;
    return 200 "ok\\n";
  }
}
"""
CADDYFILE: Final = """\
{
  admin off
}
:80 {
  handle /caddy-health {
    respond "ok" 200
  }
  handle {
    reverse_proxy http://fastapi-svc:80
  }
}
"""


def manifests(*, fronts: bool = True) -> list[tuple[Resource, Object]]:
    """What the teacher applied before the lesson, as kubectl sends it.

    Args:
        fronts: nginx and Caddy too; a lesson may begin without.
    """
    cpu_and_memory = {
        "requests": {"cpu": "100m", "memory": "128Mi"},
        "limits": {"cpu": "500m", "memory": "256Mi"},
    }
    fastapi = {
        "name": "fastapi",
        "image": "tiangolo/uvicorn-gunicorn-fastapi:python3.11-slim",
        "imagePullPolicy": "IfNotPresent",
        "ports": [{"containerPort": 80}],
        "resources": cpu_and_memory,
    }
    nginx = _proxy("nginx", "nginx:1.27-alpine", "/etc/nginx/conf.d", "")
    caddy = _proxy("caddy", "caddy:2", "/etc/caddy/Caddyfile", "Caddyfile")
    cpu = {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}}
    hpa = {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "fastapi-deploy"},
        "minReplicas": 2,
        "maxReplicas": 10,
        "metrics": [{"type": "Resource", "resource": cpu}],
    }
    made = [
        _deployment("fastapi-deploy", "fastapi", 2, {"containers": [fastapi]}),
        _service("fastapi-svc", "fastapi", None),
        _made(resources.HPAS, "fastapi-hpa", {"spec": hpa}),
    ]
    proxies = [
        _made(resources.CONFIG_MAPS, "nginx-config", {"data": {"default.conf": NGINX_CONF}}),
        _deployment("nginx-proxy", "nginx-proxy", 1, _with_config(nginx, "nginx-config")),
        _service("nginx-svc", "nginx-proxy", 30081),
        _made(resources.CONFIG_MAPS, "caddy-config", {"data": {"Caddyfile": CADDYFILE}}),
        _deployment("caddy-proxy", "caddy-proxy", 1, _with_config(caddy, "caddy-config")),
        _service("caddy-svc", "caddy-proxy", 30082),
    ]
    made += proxies if fronts else []
    return [(resource, _as_applied(resource, data)) for resource, data in made]


def _made(resource: Resource, name: str, body: Object) -> tuple[Resource, Object]:
    return resource, {"metadata": {"name": name, "namespace": NAMESPACE}, **body}


def _proxy(name: str, image: str, path: str, sub_path: str) -> Object:
    mount = {"name": "config", "mountPath": path} | ({"subPath": sub_path} if sub_path else {})
    return {
        "name": name,
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "ports": [{"containerPort": 80}],
        "volumeMounts": [mount],
    }


def _with_config(container: Object, config_map: str) -> Object:
    volume = {"name": "config", "configMap": {"name": config_map}}
    return {"containers": [container], "volumes": [volume]}


def _deployment(name: str, app: str, replicas: int, pod: Object) -> tuple[Resource, Object]:
    labels = {"app": app}
    template = {"metadata": {"labels": labels}, "spec": pod}
    spec = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template}
    resource, data = _made(resources.DEPLOYMENTS, name, {"spec": spec})
    data["metadata"]["labels"] = labels
    return resource, data


def _service(name: str, app: str, node_port: int | None) -> tuple[Resource, Object]:
    port: Object = {"port": 80, "targetPort": 80, "protocol": "TCP"}
    kind = "ClusterIP"
    if node_port is not None:
        port["nodePort"] = node_port
        kind = "NodePort"
    spec = {"type": kind, "selector": {"app": app}, "ports": [port]}
    return _made(resources.SERVICES, name, {"spec": spec})


def _as_applied(resource: Resource, data: Object) -> Object:
    """With the annotation that ``kubectl apply`` leaves, so that a later apply can compare."""
    shown = {"apiVersion": resource.group_version, "kind": resource.kind, **data}
    shown["metadata"] = {"annotations": {}, **data["metadata"]}
    encoded = msgspec.json.encode(shown, order="deterministic").decode() + "\n"
    # A copy, since parts of the manifests are shared.
    copied: Object = msgspec.json.decode(msgspec.json.encode(data))
    copied["metadata"]["annotations"] = {_LAST_APPLIED: encoded}
    return copied
