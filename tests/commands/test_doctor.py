"""``kscale-tui doctor`` as it is typed."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml
from click.testing import CliRunner, Result

from tests.cluster import recorded
from tests.cluster.server import Server
from tests.playback import Playback, seconds
from tui.cluster.access import ClusterConfig
from tui.commands.doctor import command

FORBIDDEN = {
    "kind": "Status",
    "code": 403,
    "reason": "Forbidden",
    "message": 'pods is forbidden: User "student" cannot list resource "pods"',
}


def doctor(*arguments: str) -> Result:
    """What it prints, run here: a process of its own would import everything anew."""
    done = CliRunner().invoke(command, list(arguments))
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done


def kubeconfig(folder: Path, config: ClusterConfig) -> str:
    """A file that leads to a server."""
    path = folder / "kubeconfig"
    cluster = {"server": config.server}
    context = {"cluster": "c", "user": "u", "namespace": "default"}
    path.write_text(
        yaml.safe_dump(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "current-context": "recorded",
                "clusters": [{"name": "c", "cluster": cluster}],
                "users": [{"name": "u", "user": {}}],
                "contexts": [{"name": "recorded", "context": context}],
            }
        )
    )
    return str(path)


def test_at_the_peak_of_the_recorded_run_it_finds_that_and_nothing_else(tmp_path: Path) -> None:
    peak = seconds(recorded.document("peak/metrics-pods.json")["items"][0]["timestamp"])
    with Playback("scale-run") as playback:
        playback.advance(peak)
        done = doctor("--json", "--kubeconfig", kubeconfig(tmp_path, playback.config))
    assert done.exit_code == 1
    document = json.loads(done.stdout)
    assert document["schema_version"] == 1
    assert [f["id"] for f in document["findings"]] == ["at-max"]
    (found,) = document["findings"]
    assert found["severity"] == "warning"
    assert found["object"] == "HorizontalPodAutoscaler default/fastapi-hpa"
    assert found["fix"]["command"].startswith("kubectl -n default patch hpa fastapi-hpa")
    assert {e["field"] for e in found["evidence"]} >= {"spec.maxReplicas"}
    assert document["unseen"] == []


def test_before_the_load_nothing_is_wrong(tmp_path: Path) -> None:
    with Playback("scale-run") as playback:
        done = doctor("--kubeconfig", kubeconfig(tmp_path, playback.config))
    assert done.exit_code == 0, done.stdout
    assert done.stdout.startswith("recorded, namespace default\n")
    assert done.stdout.rstrip().endswith("Nothing wrong was found.")


TRAPS = """
title = "Traps"
summary = "What a lesson falls into, all at once."

[[add]]
manifest = '''
apiVersion: v1
kind: ConfigMap
metadata: { name: caddy-traps }
data:
  Caddyfile: |
    {
      admin off
      log default {
        output file /var/log/caddy/access.log
      }
    }
    :80 {
      handle_path /static/* {
        reverse_proxy http://fastapi-svc:80
      }
      handle {
        reverse_proxy http://fastapi-svc:80 {
          health_uri /no-such-path
        }
      }
    }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: caddy-traps }
spec:
  selector: { matchLabels: { app: caddy-traps } }
  template:
    metadata: { labels: { app: caddy-traps } }
    spec:
      containers:
        - name: caddy
          image: caddy:2
          volumeMounts: [{ name: c, mountPath: /etc/caddy/Caddyfile, subPath: Caddyfile }]
      volumes: [{ name: c, configMap: { name: caddy-traps } }]
---
apiVersion: v1
kind: ConfigMap
metadata: { name: nginx-lost }
data:
  default.conf: |
    upstream app { server nobody-svc:80; }
    server { listen 80; location / { proxy_pass http://app; } }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: nginx-lost }
spec:
  selector: { matchLabels: { app: nginx-lost } }
  template:
    metadata: { labels: { app: nginx-lost } }
    spec:
      containers:
        - name: nginx
          image: nginx:1.27-alpine
          volumeMounts: [{ name: c, mountPath: /etc/nginx/conf.d }]
      volumes: [{ name: c, configMap: { name: nginx-lost } }]
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: fastapi-test2-k8s }
spec:
  selector: { matchLabels: { app: fastapi, second: "yes" } }
  template:
    metadata: { labels: { app: fastapi, second: "yes" } }
    spec:
      containers: [{ name: app, image: tiangolo/uvicorn-gunicorn-fastapi:python3.11-slim }]
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: big }
spec:
  selector: { matchLabels: { app: big } }
  template:
    metadata: { labels: { app: big } }
    spec:
      containers:
        - { name: app, image: "caddy:2", resources: { requests: { cpu: "500" } } }
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: { name: pinned }
spec:
  scaleTargetRef: { apiVersion: apps/v1, kind: Deployment, name: no-such-deployment }
  minReplicas: 3
  maxReplicas: 3
'''

[[remove]]
at = 15
kind = "Service"
name = "fastapi-svc"

[[add]]
at = 20
manifest = '''
apiVersion: v1
kind: Service
metadata: { name: fastapi-svc }
spec: { selector: { app: fastapi }, ports: [{ port: 80 }] }
'''

[[change]]
at = 20
kind = "ConfigMap"
name = "caddy-traps"
patch = { data = { note = "changed" } }
"""
PINNED = "HorizontalPodAutoscaler default/pinned"
HPA = "HorizontalPodAutoscaler default/fastapi-hpa"
CADDY = "Deployment default/caddy-traps"
EXPECTED = {
    ("missing-request", "Deployment default/fastapi-test2-k8s"),
    ("shared-selector", HPA),
    ("service-mixed-workloads", "Service default/fastapi-svc"),
    ("target-missing", PINNED),
    ("min-is-max", PINNED),
    ("no-room", "Deployment default/big"),
    ("caddy-health-404", CADDY),
    ("caddy-handle-path", CADDY),
    ("log-to-file", CADDY),
    ("stale-subpath", CADDY),
    ("nginx-stale-upstream", "Deployment default/nginx-proxy"),
    ("nginx-upstream-missing", "Deployment default/nginx-lost"),
    ("crash-loop", "Deployment default/nginx-lost"),
}


@contextmanager
def cluster(folder: Path, scenario: str) -> Iterator[str]:
    """An embedded cluster, whose API answers as a real one does; yields its kubeconfig."""
    path = folder / "kubeconfig"
    words = [sys.executable, "-m", "tui", "cluster", "--port", "0", "--speed", "20"]
    words += ["--scenario", scenario, "--kubeconfig-out", str(path)]
    child = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    try:
        assert child.stdout is not None
        child.stdout.readline()
        yield str(path)
    finally:
        child.terminate()
        child.wait(10)


def test_the_traps_of_a_lesson_are_found_by_name(tmp_path: Path) -> None:
    scenario = tmp_path / "traps.toml"
    scenario.write_text(TRAPS)
    said = ""
    with cluster(tmp_path, str(scenario)) as path:
        # They come one after the other.
        for _ in range(15):
            done = doctor("--kubeconfig", path)
            said = done.stdout
            if all(f"  {id}  {name}\n" in said for id, name in EXPECTED):
                break
    assert [(id, name) for id, name in EXPECTED if f"  {id}  {name}\n" not in said] == []
    assert done.exit_code == 1
    assert "✕ error  missing-request  Deployment default/fastapi-test2-k8s" in said
    assert "  → Give the container a request, such as 100m." in said
    assert "    $ kubectl -n default set resources" in said


def test_a_calm_lesson_is_well(tmp_path: Path) -> None:
    with cluster(tmp_path, "calm") as path:
        done = doctor("--kubeconfig", path)
    assert "Nothing wrong was found." in done.stdout
    assert done.exit_code == 0


def test_what_may_not_be_read_is_said_and_not_judged(tmp_path: Path) -> None:
    with Server() as server:
        server.on("/version", lambda e: e.reply(200, recorded.raw("idle/version.json")))
        server.on("/api/v1/namespaces/default", lambda e: e.reply(403, FORBIDDEN))
        for path in (
            "/api/v1/namespaces/default/pods",
            "/api/v1/namespaces/default/services",
            "/apis/metrics.k8s.io/v1beta1/namespaces/default/pods",
            "/apis/metrics.k8s.io/v1beta1/nodes",
        ):
            server.on(path, lambda e: e.reply(403, FORBIDDEN))
        done = doctor("--json", "--kubeconfig", kubeconfig(tmp_path, ClusterConfig(server.url)))
    document = json.loads(done.stdout)
    assert document["schema_version"] == 1
    assert [f["id"] for f in document["findings"]] == []
    assert {u["what"] for u in document["unseen"]} >= {"pods", "services"}
    assert done.exit_code == 0


def test_with_nothing_to_judge_nothing_is_called_well(tmp_path: Path) -> None:
    with Server() as server:
        server.on("/version", lambda e: e.reply(200, recorded.raw("idle/version.json")))
        for path in (
            "/api/v1/namespaces/default/pods",
            "/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers",
        ):
            server.on(path, lambda e: e.reply(403, FORBIDDEN))
        done = doctor("--kubeconfig", kubeconfig(tmp_path, ClusterConfig(server.url)))
    assert "Nothing could be judged." in done.stdout
    assert "Nothing wrong was found." not in done.stdout
    assert done.exit_code == 1


def test_a_cluster_that_does_not_answer_is_one_sentence(tmp_path: Path) -> None:
    config = ClusterConfig("http://127.0.0.1:9")
    done = doctor("--kubeconfig", kubeconfig(tmp_path, config))
    assert done.exit_code == 1
    assert done.stderr.startswith("kscale-tui doctor: ")
    assert done.stdout == ""


def test_wrong_usage() -> None:
    words = [sys.executable, "-m", "tui", "doctor", "-n", "a", "-A"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert "exclude each other" in done.stderr
