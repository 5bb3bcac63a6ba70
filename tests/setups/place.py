"""A namespace of a cluster, setups in it, and somebody else who works there, too."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

from tests.ports import node_port
from tui.cluster.audit import AuditLog
from tui.cluster.guard import Guard
from tui.cluster.objects import KINDS, Ref, path_of
from tui.cluster.transport import Transport
from tui.setups import catalogue
from tui.setups.outcome import Outcome, Progress
from tui.setups.setups import Setups

CATALOGUE = catalogue.load()


class Place:
    def __init__(self, transport: Transport, namespace: str, folder: Path) -> None:
        self.transport = transport
        self.namespace = namespace
        self.audit = folder / "audit.jsonl"
        self.steps: list[Progress] = []
        self.port, self.second = node_port(), node_port()

    def setups(self, own: Path | None = None, **options: Any) -> Setups:
        guard = options.pop("guard", Guard("embedded"))
        transport = options.pop("transport", self.transport)
        found = catalogue.load(own) if own else options.pop("catalogue", CATALOGUE)
        return Setups(
            transport, found, guard, AuditLog(self.audit), look=0.02, grace=0.1, **options
        )

    def apply(self, name: str, setups: Setups | None = None, **given: str | int) -> Outcome:
        setups = setups or self.setups()
        values = {key.replace("_", "-"): value for key, value in given.items()}
        if name in ("nginx", "caddy", "load-app"):
            values.setdefault("node-port", self.second if name == "caddy" else self.port)
        plan = setups.plan(name, self.namespace, values)
        return setups.apply(plan, self.steps.append, wait=20)

    def delete(self, name: str, setups: Setups | None = None) -> Outcome:
        setups = setups or self.setups()
        deletion = setups.deletion(name, self.namespace)
        return setups.delete(deletion, self.steps.append, wait=20)

    def ref(self, kind: str, name: str) -> Ref:
        return Ref(kind, self.namespace, name)

    def path(self, ref: Ref) -> str:
        return path_of(ref.known.api_version, ref.known.plural, ref.namespace, ref.name)

    def get(self, kind: str, name: str) -> Any:
        return json.loads(self.raw(kind, name))

    def raw(self, kind: str, name: str) -> bytes:
        return self.transport.get(self.path(self.ref(kind, name))).body

    def write(self, path: str, body: dict[str, Any]) -> None:
        """Anything, as somebody else."""
        self.transport.request("POST", path, body=json.dumps(body).encode())

    def quota(self, **hard: str) -> None:
        quota = {"metadata": {"name": "small"}, "spec": {"hard": hard}}
        self.write(f"/api/v1/namespaces/{self.namespace}/resourcequotas", quota)

    def create(self, kind: str, name: str, **body: Any) -> Any:
        """As somebody else."""
        ref = self.ref(kind, name)
        metadata = {"name": name, **body.pop("metadata", {})}
        sent = {"apiVersion": ref.known.api_version, "kind": kind, "metadata": metadata, **body}
        where = path_of(ref.known.api_version, ref.known.plural, self.namespace)
        answer = self.transport.request(
            "POST", where, {"fieldManager": "somebody"}, body=json.dumps(sent).encode()
        )
        return json.loads(answer.body)

    def patch(self, kind: str, name: str, patch: Any, by: str = "kubectl-edit") -> Any:
        """As somebody else, by merge patch."""
        answer = self.transport.request(
            "PATCH",
            self.path(self.ref(kind, name)),
            {"fieldManager": by},
            body=json.dumps(patch).encode(),
            content_type="application/merge-patch+json",
        )
        return json.loads(answer.body)

    def scale(self, name: str, replicas: int, by: str) -> None:
        """Through the scale subresource, as kubectl and the HPA controller do."""
        body = {"spec": {"replicas": replicas}}
        self.transport.request(
            "PATCH",
            self.path(self.ref("Deployment", name)) + "/scale",
            {"fieldManager": by},
            body=json.dumps(body).encode(),
            content_type="application/merge-patch+json",
        )

    def labelled(self) -> set[str]:
        """Everything with our label, of any kind."""
        found = set()
        for known in KINDS:
            where = path_of(known.api_version, known.plural, self.namespace)
            answer = self.transport.get(where, {"labelSelector": "kscale-tui/setup"})
            for item in json.loads(answer.body)["items"]:
                found.add(f"{known.kind} {item['metadata']['name']}")
        return found


def without(config: Any, **changes: Any) -> Any:
    return dataclasses.replace(config, **changes)
