"""Random API calls, honest and hostile, and what must hold whatever they were.

``python -m tests.demo.fuzzing [CALLS] [SEED]`` runs a long one.
"""

from __future__ import annotations

import asyncio
import copy
import sys
from collections.abc import Iterator
from random import Random
from typing import Any

import msgspec

from tui.demo import resources
from tui.demo.api.requests import Request, Response, Stream
from tui.demo.clock import Clock
from tui.demo.cluster import AGE, Cluster
from tui.demo.controllers.base import controller_of
from tui.demo.resource import Resource
from tui.demo.store import Event

JUNK: list[Any] = [
    *(None, "", "x" * 300, -1, 0, 2**70, True, 1.5, [], {}, [None], [[]], {"a": None}),
    *("\x1b[31m", "\u202e", "[/]", "1e400", "../../etc/passwd", "100m", "50%", {"$patch": "x"}),
]
PATCHES = (
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
    "application/json-patch+json",
    "application/apply-patch+yaml",
)
QUERIES: list[dict[str, str]] = [
    *({}, {}, {"dryRun": "All"}, {"fieldValidation": "Strict"}, {"fieldManager": "x"}),
    *({"fieldManager": "y", "force": "true"}, {"limit": "2"}, {"labelSelector": "app in (a,b)"}),
    *({"resourceVersion": "1"}, {"watch": "1"}, {"propagationPolicy": "Foreground"}),
    *({"gracePeriodSeconds": "0"}, {"propagationPolicy": "Orphan"}, {"fieldSelector": "a=,"}),
]
ACCEPTS = (
    "application/json",
    "application/json;as=Table;v=v1;g=meta.k8s.io,application/json",
    "*/*",
)
NAMES = ("a", "b", "c")
NAMESPACES = ("default", "lab")


def _pod(**spec: Any) -> dict[str, Any]:
    container = {"name": "c", "image": "nginx:alpine", "resources": {"requests": {"cpu": "10m"}}}
    return {"containers": [container], **spec}


def _workload(**spec: Any) -> dict[str, Any]:
    template = {"metadata": {"labels": {"app": "a"}}, "spec": _pod()}
    return {"replicas": 2, "selector": {"matchLabels": {"app": "a"}}, "template": template, **spec}


def _job() -> dict[str, Any]:
    pod = _pod(restartPolicy="Never")
    pod["containers"][0] |= {"image": "busybox", "command": ["sh", "-c", "sleep 1"]}
    return {"completions": 2, "template": {"spec": pod}}


_CLAIM = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
_SCHEMA = {
    "type": "object",
    "properties": {
        "spec": {
            "type": "object",
            "properties": {"n": {"type": "integer", "default": 1}, "m": {"type": "array"}},
        }
    },
}
_NAMES = {"kind": "Thing", "plural": "things"}
_VERSION = {
    "name": "v1",
    "served": True,
    "storage": True,
    "subresources": {"status": {}},
    "schema": {"openAPIV3Schema": _SCHEMA},
}
_DEFINITION: dict[str, Any] = {
    "group": "example.org",
    "scope": "Namespaced",
    "names": _NAMES,
    "versions": [_VERSION],
}
_TARGET = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "a"}
HONEST: list[tuple[str, dict[str, Any]]] = [
    ("apis/apps/v1/deployments", {"spec": _workload()}),
    ("apis/apps/v1/statefulsets", {"spec": _workload(serviceName="a")}),
    ("apis/apps/v1/replicasets", {"spec": _workload()}),
    (
        "apis/apps/v1/daemonsets",
        {"spec": {k: v for k, v in _workload().items() if k != "replicas"}},
    ),
    ("apis/batch/v1/jobs", {"spec": _job()}),
    (
        "apis/batch/v1/cronjobs",
        {"spec": {"schedule": "* * * * *", "jobTemplate": {"spec": _job()}}},
    ),
    ("api/v1/pods", {"spec": _pod()}),
    ("api/v1/services", {"spec": {"selector": {"app": "a"}, "ports": [{"port": 80}]}}),
    ("api/v1/configmaps", {"data": {"a": "1"}}),
    ("api/v1/secrets", {"stringData": {"a": "1"}}),
    ("api/v1/persistentvolumeclaims", {"spec": _CLAIM}),
    (
        "apis/autoscaling/v2/horizontalpodautoscalers",
        {"spec": {"scaleTargetRef": _TARGET, "maxReplicas": 3}},
    ),
    (
        "apis/policy/v1/poddisruptionbudgets",
        {"spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "a"}}}},
    ),
    ("apis/example.org/v1/things", {"spec": {"n": 2}}),
    ("apis/apiextensions.k8s.io/v1/customresourcedefinitions", {"spec": _DEFINITION}),
    ("api/v1/namespaces", {}),
    ("apis/events.k8s.io/v1/events", {"regarding": {"kind": "Pod"}, "reason": "x"}),
    (
        "apis/rbac.authorization.k8s.io/v1/rolebindings",
        {"roleRef": {"kind": "ClusterRole", "name": "view"}, "subjects": []},
    ),
]
_CLUSTER_WIDE = ("namespaces", "customresourcedefinitions")
_SUBRESOURCES = ("status", "scale", "log", "eviction", "binding", "finalize", "exec", "proxy", "x")


def answered(answer: Response) -> bool:
    """Whether a status of 500 or more is what a real server answers too.

    It has a 504 for a resourceVersion of the future, and a 500 for fields that server-side apply
    does not know.
    """
    return answer.status == 504 or b"failed to create typed patch object" in answer.body


class Fuzzer:
    """Makes calls on a cluster of its own and remembers what it saw.

    Args:
        seed: the same seed makes the same calls.
    """

    def __init__(self, seed: int) -> None:
        self._rng = Random(seed)
        self.cluster = Cluster(Clock(history=AGE), seed, history=100_000, wave=None)
        self.cluster.bring_up(classroom_lesson=False)
        self.statuses: dict[int, int] = {}
        self._revision = self.cluster.store.revision
        self._mirror: dict[str, dict[tuple[str, str], bytes]] = {}
        self._followed: set[str] = set()

    def follow(self, resource: Resource) -> None:
        """Keep a copy of a resource's objects by its events alone, as an informer does."""
        mirror = self._mirror.setdefault(resource.storage, {})
        for entry in self.cluster.store.entries(resource.storage):
            mirror[entry.key] = entry.raw

        def commit(event: Event) -> None:
            assert event.entry.revision > self._revision, "revisions must grow"
            self._revision = event.entry.revision
            if event.type == "DELETED":
                assert mirror.pop(event.entry.key, None) is not None, "removed what was not there"
            else:
                assert (event.entry.key in mirror) == (event.type == "MODIFIED")
                mirror[event.entry.key] = event.entry.raw

        self.cluster.store.subscribe(resource.storage, commit)

    def run(self, calls: int) -> None:
        """Make so many calls, and let controllers work in between.

        Raises:
            AssertionError: something that must hold did not.
        """
        for resource in self.cluster.api.registry.stored():
            self.follow(resource)
        self.cluster.api.registry.on_added(self._added)
        self._send(Request("POST", "/api/v1/namespaces", body=b'{"metadata":{"name":"lab"}}'))
        for step in range(calls):
            self._send(self._request())
            if step % 25 == 0:
                self.cluster.clock.advance(self._rng.uniform(0.1, 5))
            if step % 1000 == 999:
                self.check()
        self.settle()
        self.check()

    def _added(self, resource: Resource) -> None:
        if resource.storage not in self._mirror:
            self.follow(resource)

    def settle(self) -> None:
        """Let everything that is under way come to its end."""
        self.cluster.clock.advance(400)

    # -- calls

    def _request(self) -> Request:
        rng = self._rng
        where, data = rng.choice(HONEST)
        prefix, _, plural = where.rpartition("/")
        if plural not in _CLUSTER_WIDE:
            prefix += f"/namespaces/{rng.choice(NAMESPACES)}"
        collection, name = f"/{prefix}/{plural}", rng.choice(NAMES)
        if plural == "namespaces":
            name = rng.choice(("lab", "other"))
        elif plural == "customresourcedefinitions":
            name = "things.example.org"
        method = rng.choices(
            ["POST", "PUT", "PATCH", "DELETE", "GET", "LIST", "COLLECTION"], [9, 3, 5, 2, 2, 2, 0.3]
        )[0]
        path = collection
        if method in ("PUT", "PATCH", "DELETE", "GET"):
            path += f"/{name}"
            if rng.random() < 0.15:
                path += f"/{rng.choice(_SUBRESOURCES)}"
        body = copy.deepcopy(data)
        body.setdefault("metadata", {})["name"] = name
        if rng.random() < 0.1:
            body["metadata"]["finalizers"] = ["example.org/wait"]
        if rng.random() < 0.4:
            body = _spoiled(rng, body)
        kind = rng.choice(PATCHES) if method == "PATCH" else "application/json"
        sent: Any = body
        if kind == "application/json-patch+json" and rng.random() < 0.8:
            replaced = rng.choice(("/spec/replicas", "/metadata/labels", "/spec", "/metadata/name"))
            sent = [{"op": rng.choice(("add", "replace", "remove")), "path": replaced, "value": 1}]
        elif method == "PATCH" and rng.random() < 0.3:
            sent = {"metadata": {"finalizers": None}}
        raw = b"" if method in ("GET", "LIST") else msgspec.json.encode(sent)
        if method in ("DELETE", "COLLECTION") and rng.random() < 0.8:
            raw = b""
        if raw and rng.random() < 0.03:
            raw = raw[: rng.randrange(len(raw))]
        headers = {"content-type": kind, "accept": rng.choice(ACCEPTS)}
        if rng.random() < 0.05:
            headers["impersonate-user"] = "ann"
        verb = {"LIST": "GET", "COLLECTION": "DELETE"}.get(method, method)
        return Request(verb, path, dict(rng.choice(QUERIES)), headers, raw)

    def _send(self, request: Request) -> None:
        answer = self.cluster.handlers.respond(request)
        if isinstance(answer, Stream):
            return
        assert isinstance(answer, Response)
        self.statuses[answer.status] = self.statuses.get(answer.status, 0) + 1
        assert answer.status < 500 or answered(answer), (
            request.method,
            request.path,
            request.body,
            answer.body,
        )
        if answer.content_type.startswith("application/json") and answer.body:
            msgspec.json.decode(answer.body)

    # -- invariants

    def check(self) -> None:
        """Hold the cluster against what must be true at any moment."""
        store = self.cluster.store
        uids: set[str] = set()
        for resource in self.cluster.api.registry.stored():
            entries = store.list_at(resource.storage, None, None)
            assert len({entry.key for entry in entries}) == len(entries)
            for entry in entries:
                assert entry.uid not in uids, "a uid is given twice"
                uids.add(entry.uid)
                assert int(entry.metadata["resourceVersion"]) == entry.revision <= store.revision
                if resource.namespaced:
                    where = store.get(resources.NAMESPACES.storage, "", entry.namespace)
                    # Who finalizes a namespace by force leaves behind what finalizers hold.
                    held = entry.deleting and entry.metadata.get("finalizers")
                    assert where is not None or held, f"{resource.plural} without a namespace"
            found = {entry.key: entry.raw for entry in entries}
            assert found == self._mirror[resource.storage], f"watch differs from list: {resource}"
        for pod in self._orphans():
            raise AssertionError(f"{pod} has lost its owner and stays")

    def _orphans(self) -> Iterator[str]:
        """Pods whose controller is gone for longer than a collector takes."""
        self.cluster.clock.advance(2)
        store = self.cluster.store
        owners = {
            entry.uid
            for resource in self.cluster.api.registry.stored()
            for entry in store.entries(resource.storage)
        }
        for pod in store.entries(resources.PODS.storage):
            owner = controller_of(pod)
            made_up = owner is None or len(str(owner.get("uid"))) != 36
            if not made_up and owner["uid"] not in owners and not pod.deleting:
                yield f"{pod.namespace}/{pod.name}"


def _spoiled(rng: Random, data: Any) -> Any:
    copied = msgspec.json.decode(msgspec.json.encode(data))
    for _ in range(rng.randrange(1, 4)):
        holder, key = None, None
        node = copied
        while isinstance(node, (dict, list)) and node:
            key = rng.choice(list(node)) if isinstance(node, dict) else rng.randrange(len(node))
            holder, node = node, node[key]
            if rng.random() < 0.25:
                break
        if holder is not None:
            if rng.random() < 0.2:
                del holder[key]
            else:
                holder[key] = copy.deepcopy(rng.choice(JUNK))
    return copied


async def _main(calls: int, seed: int) -> None:
    fuzzer = Fuzzer(seed)
    fuzzer.run(calls)
    print(calls, "calls:", dict(sorted(fuzzer.statuses.items())))


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[1:]]
    asyncio.run(_main(*(numbers + [10_000, 1][len(numbers) :])))
