"""The command sequences that tutorials give, typed as they stand, on the manifests they show.

They are those of blog posts on FastAPI behind nginx and Caddy, on availability and networking, on
load balancing, on a k3s cluster and on GitOps. What needs a registry, a chart or the Internet is
left out, and so are the ends of what is watched.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.demo.kubectl import FOUND, cluster_for
from tests.thorough import SOAK

pytestmark = pytest.mark.skipif(not FOUND, reason="kubectl is not installed")
PROGRAM = FOUND[0] if FOUND else ""
DOCUMENTS = Path(__file__).parents[2] / "fixtures" / "documents"
# The cluster is fifty times as fast as the reader's.
BEFORE = 'sleep() { command sleep "$(($1 / 50)).$(($1 * 2 % 100))"; }\n'


def _typed(text: str) -> str:
    """What is typed: all of it in a soak, else without the looks on which nothing depends."""
    lines = text.splitlines()
    if not SOAK:
        lines = [line for line in lines if not line.endswith("# look")]
    return BEFORE + "\n".join(lines)


def _lay_out(document: str, directory: Path) -> None:
    for path in (DOCUMENTS / document).iterdir():
        shutil.copy(path, directory)


async def test_fastapi_behind_nginx_and_caddy(tmp_path: Path) -> None:
    _lay_out("proxies", tmp_path)
    async with cluster_for(PROGRAM, tmp_path, lesson=False) as kubectl:
        said = await kubectl.script(
            _typed(
                """
            kubectl apply -f fastapi.yaml
            kubectl get svc fastapi-svc  # look
            kubectl create configmap nginx-config \
            --from-file=nginx.conf=nginx.conf \
            -o yaml --dry-run=client | kubectl apply -f -
            kubectl get configmap nginx-config -o yaml  # look
            kubectl apply -f nginx.yaml
            kubectl apply -f nginx-svc.yaml
            kubectl get svc nginx-svc  # look
            kubectl create configmap caddy-config \
            --from-file=Caddyfile=Caddyfile \
            -o yaml --dry-run=client | kubectl apply -f -
            kubectl apply -f caddy.yaml
            kubectl apply -f caddy-svc.yaml
            kubectl get svc caddy-svc
            """
            )
        )
        for made in ("configmap/nginx-config", "service/caddy-svc", "deployment.apps/nginx-proxy"):
            assert f"{made} created" in said
        assert "80:30082/TCP" in said
        said = await kubectl.script(
            _typed(
                """
            kubectl get deployment metrics-server -n kube-system  # look
            kubectl apply -f deployment.yaml
            kubectl rollout status deployment fastapi-deploy
            kubectl get pods -l app=fastapi  # look
            sleep 60
            until kubectl top pods -l app=fastapi; do sleep 10; done >top.txt 2>&1
            kubectl top nodes  # look
            kubectl autoscale deployment fastapi-deploy --cpu="50%" --min=2 --max=10 ||
              kubectl autoscale deployment fastapi-deploy --cpu-percent=50 --min=2 --max=10
            sleep 20
            kubectl get hpa
            kubectl exec deploy/caddy-proxy -- sh -c \
              'curl -s caddy-svc/caddy-health; curl -s nginx-svc; curl -s -i nginx-svc/static/'
            """
            )
        )
        assert 'deployment "fastapi-deploy" successfully rolled out' in said
        # One of the two Deployments that share a label asks for no CPU.
        assert "<unknown>/50%" in said
        assert "ok" in said
        assert "Hello world" in said
        assert "X-Served-By: Nginx" in said
        await kubectl.script(
            _typed(
                """
            kubectl delete deploy fastapi-test2-k8s
            until kubectl get hpa | grep '[0-9]%/50%'; do sleep 10; done
            """
            )
        )


async def test_availability_and_network(tmp_path: Path) -> None:
    _lay_out("availability", tmp_path)
    (tmp_path / "hpa-nginx.yaml").unlink()
    manifest = (DOCUMENTS / "availability" / "hpa-nginx.yaml").read_text()
    async with cluster_for(PROGRAM, tmp_path, lesson=False) as kubectl:
        said = await kubectl.script(
            _typed(
                """
            kubectl patch deployment metrics-server -n kube-system --type=json \
              -p='[{"op": "add", "path": "/spec/template/spec/containers/0/args/-", \
              "value": "--kubelet-insecure-tls"}]'
            kubectl rollout status deployment metrics-server -n kube-system
            kubectl get pods -n kube-system -l k8s-app=metrics-server  # look
            until kubectl top pods -A; do sleep 10; done >top.txt 2>&1
            kubectl top node  # look
            kubectl top pods -A --sort-by=cpu  # look
            kubectl top pods -A --sort-by=memory  # look
"""
                + f"\ncat << EOF >> hpa-nginx.yaml\n{manifest}EOF\n"
                + """
            cat hpa-nginx.yaml
            kubectl apply -f hpa-nginx.yaml
            kubectl get deploy,pod  # look
            kubectl autoscale deployment hpa-nginx --cpu-percent=50 --min=1 --max=10
            kubectl get hpa
            kubectl describe hpa  # look
            """
            )
        )
        assert "deployment.apps/metrics-server patched" in said
        assert "horizontalpodautoscaler.autoscaling/hpa-nginx autoscaled" in said
        said = await kubectl.script(
            _typed(
                """
            kubectl apply -f hpa-sample.yaml -f configuration.yaml -f services.yaml -f ingress.yaml
            kubectl wait --for=condition=Ready pod --all --timeout=20s
            kubectl exec nginx-configmap -- env
            kubectl exec secret-pod -- env
            kubectl exec netshoot-pod -- sh -c 'curl -s nginx-service; curl -s growth-service'
            kubectl get ingress  # look
            """
            )
        )
        for part in (
            *("DB=mydatabase\n", "DB_USER=admin\n", "DB_PASS=password\n"),
            *("Hello from nginx configmap!", "<h1>hello growth</h1>"),
        ):
            assert part in said
        assert "growth-log-ingress created" in said


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


DEFINITIONS = (
    _definition("metallb.io", "v1beta1", "IPAddressPool")
    + _definition("metallb.io", "v1beta1", "L2Advertisement")
    + _definition("argoproj.io", "v1alpha1", "Application")
    + _definition("autoscaling.k8s.io", "v1", "VerticalPodAutoscaler")
)


async def test_load_balancing_k3s_and_gitops(tmp_path: Path) -> None:
    for document in ("load-balancing", "k3s", "gitops"):
        _lay_out(document, tmp_path)
    shutil.copy(DOCUMENTS / "availability" / "vpa.yaml", tmp_path)
    (tmp_path / "definitions.yaml").write_text(DEFINITIONS)
    async with cluster_for(PROGRAM, tmp_path, lesson=False) as kubectl:
        said = await kubectl.script(
            _typed(
                """
            kubectl apply -f definitions.yaml
            kubectl wait --for=condition=Established crd --all --timeout=10s
            kubectl create namespace metallb-system
            kubectl get configmap -n kube-system kube-proxy -o yaml | grep "mode"
            kubectl apply -f web.yaml
            kubectl apply -f addresses.yaml
            kubectl get ipaddresspool -n metallb-system  # look
            kubectl get l2advertisement -n metallb-system  # look
            kubectl apply -f balancer.yaml
            kubectl get svc  # look
            kubectl rollout status deployment web
            kubectl exec deploy/web -- sh -c 'curl -s web; curl -s web; curl -s web'
            kubectl logs -l app=web --tail=100 --prefix | grep "GET /" \
            | sed 's/^\\[pod\\/\\([^]]*\\)\\/[^]]*\\].*/\\1/' | sort | uniq -c
            kubectl apply -f tiers.yaml
            kubectl get pods
            """
            )
        )
        assert "mode: iptables" in said
        assert "ipaddresspool.metallb.io/pool created" in said
        counts = [line.split() for line in said.splitlines() if line.split()[0].isdecimal()]
        assert sum(int(count) for count, pod in counts if pod.startswith("web-")) == 3
        # Its claim is never made.
        [postgres] = [line for line in said.splitlines() if line.startswith("postgres-0")]
        assert "Pending" in postgres
        said = await kubectl.script(
            _typed(
                """
            kubectl apply -f test.yaml
            kubectl get pods -o wide  # look
            kubectl delete -f test.yaml
            kubectl apply -f scaled.yaml
            kubectl create namespace argocd
            kubectl apply -f tetris-app.yaml
            kubectl get applications -n argocd  # look
            kubectl apply -f vpa.yaml
            kubectl get pods -n kube-system | grep -c vpa || true  # look
            kubectl get deployment -A | grep metrics-server  # look
            kubectl get apiservice | grep metrics.k8s.io
            kubectl get storageclass
            kubectl patch svc web -p '{"spec": {"type": "NodePort"}}'
            kubectl create secret generic admin -n argocd --from-literal=password=abc
            kubectl get secret -n argocd admin -o jsonpath="{.data.password}" | base64 -d
            """
            )
        )
        assert "application.argoproj.io/tetris created" in said
        assert "horizontalpodautoscaler.autoscaling/test-hpa created" in said
        assert "standard (default)" in said
        assert said.endswith("abc")
