"""The command sequences that tutorials give, typed as they stand.

They are those of blog posts on FastAPI behind nginx and Caddy, the metrics server and HPA, MetalLB
and Argo CD. What needs a registry, a chart or the Internet is left out; files they show are made
first.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.demo.kubectl import FOUND, cluster_for

pytestmark = pytest.mark.skipif(not FOUND, reason="kubectl is not installed")
PROGRAM = FOUND[0] if FOUND else ""

APP = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: fastapi-deploy}
spec:
  replicas: 2
  selector: {matchLabels: {app: fastapi}}
  template:
    metadata: {labels: {app: fastapi}}
    spec:
      containers:
      - name: app
        image: tiangolo/uvicorn-gunicorn-fastapi:python3.11-slim
        ports: [{containerPort: 80}]
        resources:
          requests: {cpu: 100m, memory: 128Mi}
          limits: {cpu: 500m, memory: 256Mi}
        readinessProbe: {httpGet: {path: /docs, port: 80}, initialDelaySeconds: 5}
"""
SERVICE = """\
apiVersion: v1
kind: Service
metadata: {name: NAME, labels: {app: APP}}
spec:
  type: TYPE
  selector: {app: APP}
  ports: [{name: http, port: 80, targetPort: 80}]
"""
PROXY = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: NAME-proxy}
spec:
  selector: {matchLabels: {app: NAME-proxy}}
  template:
    metadata: {labels: {app: NAME-proxy}}
    spec:
      containers:
      - name: NAME
        image: IMAGE
        ports: [{containerPort: 80}]
        volumeMounts: [{name: config, mountPath: PATH, subPath: FILE}]
      volumes: [{name: config, configMap: {name: NAME-config}}]
"""
NGINX = """\
events {}
http {
  upstream app { server fastapi-svc:80; }
  server {
    listen 80;
    location / { proxy_pass http://app; add_header X-Served-By "Nginx" always; }
  }
}
"""
CADDY = """\
:80 {
  handle /caddy-health { respond "ok" 200 }
  handle_path /static/* { reverse_proxy fastapi-svc:80 }
  handle { reverse_proxy fastapi-svc:80 }
}
"""


def _service(name: str, app: str, type_: str) -> str:
    return SERVICE.replace("NAME", name).replace("APP", app).replace("TYPE", type_)


def _proxy(name: str, image: str, path: str) -> str:
    file = path.rpartition("/")[2]
    shown = PROXY.replace("NAME", name).replace("IMAGE", image)
    return shown.replace("PATH", path).replace("FILE", file)


async def test_fastapi_behind_nginx_and_caddy(tmp_path: Path) -> None:
    files = {
        "fastapi.yaml": APP + "---\n" + _service("fastapi-svc", "fastapi", "ClusterIP"),
        "deployment.yaml": APP,
        "nginx.conf": NGINX,
        "Caddyfile": CADDY,
        "nginx.yaml": _proxy("nginx", "nginx:1.27-alpine", "/etc/nginx/nginx.conf"),
        "nginx-svc.yaml": _service("nginx-svc", "nginx-proxy", "NodePort"),
        "caddy.yaml": _proxy("caddy", "caddy:2-alpine", "/etc/caddy/Caddyfile"),
        "caddy-svc.yaml": _service("caddy-svc", "caddy-proxy", "NodePort"),
    }
    async with cluster_for(PROGRAM, tmp_path, lesson=False) as kubectl:
        for name, text in files.items():
            (tmp_path / name).write_text(text)
        said = await kubectl.script(
            """
            kubectl apply -f fastapi.yaml
            kubectl get svc fastapi-svc
            kubectl create configmap nginx-config \
            --from-file=nginx.conf=nginx.conf \
            -o yaml --dry-run=client | kubectl apply -f -
            kubectl get configmap nginx-config -o yaml # to look at it
            kubectl apply -f nginx.yaml
            kubectl get pods -l app=nginx-proxy
            kubectl apply -f nginx-svc.yaml
            kubectl get svc nginx-svc
            kubectl create configmap caddy-config \
            --from-file=Caddyfile=Caddyfile \
            -o yaml --dry-run=client | kubectl apply -f -
            kubectl apply -f caddy.yaml
            kubectl apply -f caddy-svc.yaml
            """
        )
        for made in ("configmap/nginx-config", "service/caddy-svc", "deployment.apps/nginx-proxy"):
            assert f"{made} created" in said
        said = await kubectl.script(
            """
            kubectl get deployment metrics-server -n kube-system
            kubectl apply -f deployment.yaml
            kubectl rollout status deployment fastapi-deploy
            kubectl get pods -l app=fastapi
            until kubectl top pods -l app=fastapi; do sleep 0.2; done >top.txt 2>&1
            kubectl top nodes
            kubectl top pods -l app=fastapi
            kubectl get hpa
            kubectl exec deploy/caddy-proxy -- curl -s localhost/caddy-health
            kubectl exec deploy/caddy-proxy -- curl -s nginx-svc
            """
        )
        assert "deployment.apps/fastapi-deploy unchanged" in said
        assert 'deployment "fastapi-deploy" successfully rolled out' in said
        assert "ok" in said
        assert "Hello world" in said


async def test_the_metrics_server_and_an_hpa(tmp_path: Path) -> None:
    async with cluster_for(PROGRAM, tmp_path, lesson=False) as kubectl:
        manifest = (
            APP.replace("fastapi-deploy", "hpa-nginx").replace("fastapi}", "hpa-nginx}") + "---\n"
        )
        (tmp_path / "made.yaml").write_text(
            manifest + _service("hpa-nginx", "hpa-nginx", "ClusterIP")
        )
        said = await kubectl.script(
            """
            kubectl patch deployment metrics-server -n kube-system --type=json \
              -p='[{"op": "add", "path": "/spec/template/spec/containers/0/args/-", \
              "value": "--kubelet-insecure-tls"}]'
            kubectl rollout status deployment metrics-server -n kube-system
            kubectl get pods -n kube-system -l k8s-app=metrics-server
            until kubectl top pods -A; do sleep 0.2; done >top.txt 2>&1
            kubectl top node
            kubectl top pods -A
            kubectl top pods -A --sort-by=cpu
            kubectl top pods -A --sort-by=memory
            cat made.yaml > hpa-nginx.yaml
            kubectl apply -f hpa-nginx.yaml
            kubectl get deploy,pod
            kubectl autoscale deployment hpa-nginx --cpu-percent=50 --min=1 --max=10
            kubectl get hpa
            kubectl describe hpa
            kubectl get deployment -A | grep metrics-server
            kubectl get apiservice | grep metrics.k8s.io
            kubectl get configmap -n kube-system kube-proxy -o yaml | grep "mode"
            kubectl get storageclass
            kubectl delete -f hpa-nginx.yaml
            """
        )
        assert "deployment.apps/metrics-server patched" in said
        assert "horizontalpodautoscaler.autoscaling/hpa-nginx autoscaled" in said
        assert "mode: iptables" in said
        assert "standard (default)" in said


DEFINITION = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: PLURAL.GROUP}
spec:
  group: GROUP
  scope: Namespaced
  names: {kind: KIND, plural: PLURAL, singular: SINGULAR}
  versions:
  - name: VERSION
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec: {type: object, x-kubernetes-preserve-unknown-fields: true}
          status: {type: object, x-kubernetes-preserve-unknown-fields: true}
---
"""


def _definition(group: str, version: str, kind: str) -> str:
    shown = DEFINITION.replace("PLURAL", f"{kind.lower()}s").replace("SINGULAR", kind.lower())
    return shown.replace("GROUP", group).replace("VERSION", version).replace("KIND", kind)


ADDRESSES = """\
apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: {name: pool, namespace: metallb-system}
spec: {addresses: [192.0.2.240-192.0.2.250]}
---
apiVersion: metallb.io/v1beta1
kind: L2Advertisement
metadata: {name: l2, namespace: metallb-system}
spec: {ipAddressPools: [pool]}
"""
APPLICATION = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: tetris, namespace: argocd}
spec:
  project: default
  source: {repoURL: "https://example.org/repo", targetRevision: main, path: helm/tetris}
  destination: {server: "https://kubernetes.default.svc", namespace: game}
  syncPolicy: {automated: {prune: true, selfHeal: true}}
"""
VPA = """\
apiVersion: autoscaling.k8s.io/v1
kind: VerticalPodAutoscaler
metadata: {name: my-app-vpa}
spec:
  targetRef: {apiVersion: apps/v1, kind: Deployment, name: my-app}
  updatePolicy: {updateMode: Auto}
"""


async def test_the_objects_of_metallb_argo_and_the_vpa(tmp_path: Path) -> None:
    files = {
        "definitions.yaml": _definition("metallb.io", "v1beta1", "IPAddressPool")
        + _definition("metallb.io", "v1beta1", "L2Advertisement")
        + _definition("argoproj.io", "v1alpha1", "Application")
        + _definition("autoscaling.k8s.io", "v1", "VerticalPodAutoscaler"),
        "addresses.yaml": ADDRESSES,
        "tetris-app.yaml": APPLICATION,
        "vpa.yaml": VPA,
        "svc.yaml": _service("web", "web", "LoadBalancer"),
    }
    async with cluster_for(PROGRAM, tmp_path, lesson=False) as kubectl:
        for name, text in files.items():
            (tmp_path / name).write_text(text)
        said = await kubectl.script(
            """
            kubectl apply -f definitions.yaml
            kubectl wait --for=condition=Established crd --all --timeout=10s
            kubectl create namespace metallb-system
            kubectl create namespace argocd
            kubectl apply -f addresses.yaml
            kubectl get ipaddresspool -n metallb-system
            kubectl get l2advertisement -n metallb-system
            kubectl apply -f tetris-app.yaml
            kubectl get applications -n argocd
            kubectl apply -f vpa.yaml
            kubectl get pods -n kube-system | grep -c vpa || true
            kubectl apply -f svc.yaml
            kubectl patch svc web -p '{"spec": {"type": "NodePort"}}'
            kubectl get pods -n argocd
            kubectl get svc -n argocd
            kubectl create secret generic admin -n argocd --from-literal=password=abc
            kubectl get secret -n argocd admin -o jsonpath="{.data.password}" | base64 -d
            """
        )
        for made in ("ipaddresspool.metallb.io/pool", "application.argoproj.io/tetris"):
            assert f"{made} created" in said
        assert said.endswith("abc")
