"""Kill ``setups apply`` and ``setups delete`` with SIGKILL at seeded moments; look what is left.

    python -m benchmarks.setups_killed [--moments 50] [--seed 1] [--kubeconfig F -n NS --set ...]

Without a kubeconfig the embedded cluster is used. After each kill, a delete must end well, nothing
with our label may be left, and objects of others must be as they were, to the byte. Half of the
kills are followed by an apply first, which must complete. The namespace must exist and be empty.
"""

from __future__ import annotations

import argparse
import collections
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tui.cluster.embedded import Embedded
from tui.cluster.errors import ApiError
from tui.cluster.kubeconfig import load_config
from tui.cluster.objects import KINDS, path_of
from tui.cluster.transport import Transport

STRANGERS = [
    ("v1", "configmaps", {"kind": "ConfigMap", "data": {"a": "1"}}),
    (
        "v1",
        "services",
        {"kind": "Service", "spec": {"selector": {"app": "nginx-proxy"}, "ports": [{"port": 80}]}},
    ),
]
"""What is there of others: the app's Service that nginx needs, and objects beside it."""


class Arena:
    def __init__(self, kubeconfig: str, namespace: str, sets: list[str]) -> None:
        self.kubeconfig, self.namespace, self.sets = kubeconfig, namespace, sets
        self.transport = Transport(load_config(kubeconfig))
        self.folder = Path(tempfile.mkdtemp(prefix="kscale-killed-"))
        self.audit = self.folder / "audit.jsonl"
        self.port = 30100
        self.leaks = 0

    def start(self, verb: str) -> subprocess.Popen[bytes]:
        self.audit.unlink(missing_ok=True)
        command = [sys.executable, "-m", "tui", "setups", verb, "nginx", "--yes"]
        command += ["--kubeconfig", self.kubeconfig, "-n", self.namespace]
        if verb == "apply":
            command += [word for one in self.sets for word in ("--set", one)]
            command += ["--set", f"node-port={self.port}"]
        environment = {**os.environ, "KSCALE_AUDIT_LOG": str(self.audit)}
        return subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )

    def run(self, verb: str) -> str:
        child = self.start(verb)
        said, _ = child.communicate(timeout=180)
        if b"port is already allocated" in said:
            # Kubernetes' own: a request cut off after the port was taken and before the Service
            # was stored leaves the port taken, until the server's repair loop frees it.
            self.leaks += 1
            self.port += 1
            return self.run(verb)
        if child.returncode:
            raise SystemExit(f"{verb} ended with {child.returncode}:\n{said.decode()}")
        return said.decode()

    def killed(self, verb: str, line: int, delay: float) -> int:
        """Kill it so long after that line of its audit log; the lines there are then."""
        child = self.start(verb)
        deadline = time.monotonic() + 60
        while child.poll() is None and self.lines() < line and time.monotonic() < deadline:
            time.sleep(0.0005)
        time.sleep(delay)
        child.kill()
        child.communicate()
        return self.lines()

    def lines(self) -> int:
        try:
            return self.audit.read_bytes().count(b"\n")
        except FileNotFoundError:
            return 0

    def items(self, plural: str, version: str, selector: str = "") -> list[dict[str, Any]]:
        query = {"labelSelector": selector} if selector else None
        answer = self.transport.get(path_of(version, plural, self.namespace), query)
        found: list[dict[str, Any]] = json.loads(answer.body)["items"]
        return found

    def labelled(self) -> list[str]:
        found = []
        for known in KINDS:
            try:
                items = self.items(known.plural, known.api_version, "kscale-tui/setup")
            except ApiError:  # a kind that this cluster does not have
                continue
            found += [f"{known.kind} {item['metadata']['name']}" for item in items]
        return found

    def strangers(self) -> bytes:
        """Everything of others, as the server gives it."""
        found = []
        for version, plural, _ in STRANGERS:
            for item in self.items(plural, version):
                labels = item["metadata"].get("labels") or {}
                if "kscale-tui/setup" not in labels:
                    found.append(item)
        return json.dumps(sorted(found, key=lambda one: str(one["metadata"]["uid"]))).encode()

    def settle(self) -> None:
        for name in ("fastapi-svc", "stranger"):
            for version, plural, body in STRANGERS:
                where = path_of(version, plural, self.namespace)
                sent = {**body, "apiVersion": version, "metadata": {"name": name}}
                self.transport.request("POST", where, body=json.dumps(sent).encode())

    def clear(self) -> None:
        for name in ("fastapi-svc", "stranger"):
            for version, plural, _ in STRANGERS:
                self.transport.request(
                    "DELETE", path_of(version, plural, self.namespace, name), body=b"{}"
                )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--moments", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kubeconfig")
    parser.add_argument("-n", "--namespace", default="kube-public")
    parser.add_argument("--set", action="append", default=[])
    options = parser.parse_args()
    embedded = None
    kubeconfig = options.kubeconfig
    if kubeconfig is None:
        embedded = Embedded(speed=20)
        kubeconfig = embedded.config().source
    try:
        measure(Arena(kubeconfig, options.namespace, options.set), options.moments, options.seed)
    finally:
        if embedded is not None:
            embedded.stop()


def measure(arena: Arena, moments: int, seed: int) -> None:
    rng = random.Random(seed)
    arena.settle()
    before = arena.strangers()
    reached: collections.Counter[str] = collections.Counter()
    left: collections.Counter[int] = collections.Counter()
    began = time.monotonic()
    for number in range(moments):
        verb = "apply" if number % 2 == 0 else "delete"
        if verb == "delete":
            arena.run("apply")
        # Two lines a write, three writes; line 0 is before anything was read.
        line, delay = rng.randrange(0, 7), rng.uniform(0, 0.02)
        if line == 0:
            delay = rng.uniform(0.1, 0.9)
        reached[f"{verb} {arena.killed(verb, line, delay)}/6 lines"] += 1
        left[len(arena.labelled())] += 1
        if rng.random() < 0.5:
            arena.run("apply")
        arena.run("delete")
        if arena.labelled():
            raise SystemExit(f"moment {number}: left behind {arena.labelled()}")
        if arena.strangers() != before:
            raise SystemExit(f"moment {number}: something of others was changed")
    for name, count in sorted(reached.items()):
        print(f"{count:4}  killed after {name} of the audit log")
    for count, times in sorted(left.items()):
        print(f"{times:4}  times {count} of our objects were there after the kill")
    taken = time.monotonic() - began
    print(f"{arena.leaks:4}  node ports were left allocated by the API server itself")
    print(f"{moments} moments in {taken:.0f} s: nothing left behind, nothing of others changed")
    arena.clear()


if __name__ == "__main__":
    main()
