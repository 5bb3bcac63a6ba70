"""An embedded cluster that runs beside what is measured, reached by its kubeconfig alone."""

from __future__ import annotations

import json
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.request
from base64 import b64decode
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml


@dataclass(frozen=True)
class Cluster:
    """A running cluster."""

    kubeconfig: Path
    pid: int

    def call(self, method: str, path: str, body: object = None) -> Any:
        """One request to its API, with JSON both ways (a merge patch, for PATCH)."""
        config = yaml.safe_load(self.kubeconfig.read_bytes())
        server = config["clusters"][0]["cluster"]
        authority = b64decode(server["certificate-authority-data"]).decode()
        kind = "merge-patch+json" if method == "PATCH" else "json"
        request = urllib.request.Request(
            server["server"] + path,
            None if body is None else json.dumps(body).encode(),
            {
                "Authorization": f"Bearer {config['users'][0]['user']['token']}",
                "Content-Type": f"application/{kind}",
            },
            method=method,
        )
        context = ssl.create_default_context(cadata=authority)
        with urllib.request.urlopen(request, timeout=10, context=context) as answer:
            return json.load(answer)

    def pods_ready(self) -> int:
        """How many pods in the default namespace are Ready."""
        pods = self.call("GET", "/api/v1/namespaces/default/pods")["items"]
        conditions = (pod["status"].get("conditions") or () for pod in pods)
        return sum(
            any(c["type"] == "Ready" and c["status"] == "True" for c in cs) for cs in conditions
        )

    def keep_replicas(self, count: int) -> None:
        """Let the HPA hold the app at ``count`` pods; returns when they are ready."""
        path = "/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers/fastapi-hpa"
        self.call("PATCH", path, {"spec": {"minReplicas": count, "maxReplicas": count}})
        end = time.monotonic() + 120
        while self.pods_ready() < count:
            if time.monotonic() > end:
                raise TimeoutError(f"the cluster never had {count} ready pods")
            time.sleep(0.5)


@contextmanager
def running(speed: float = 1.0, options: Sequence[str] = ()) -> Iterator[Cluster]:
    """Start one, and end it. ``options``: more of ``kscale-tui cluster``."""
    with tempfile.TemporaryDirectory(prefix="kscale-bench-") as folder:
        path = Path(folder) / "kubeconfig"
        command = [sys.executable, "-m", "tui", "cluster", "--ready-json"]
        command += ["--kubeconfig-out", str(path), "--speed", f"{speed:g}", *options]
        child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            assert child.stdout is not None
            if not child.stdout.readline():
                raise RuntimeError("the embedded cluster did not start")
            yield Cluster(path, child.pid)
        finally:
            child.terminate()
            child.wait(5)
