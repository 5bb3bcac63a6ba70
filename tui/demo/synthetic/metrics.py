"""Figures of a synthetic cluster: what each pod and node uses, new every 15 s."""

from __future__ import annotations

from random import Random
from typing import Final

import msgspec

from tui.demo import resources
from tui.demo.api import errors
from tui.demo.api.listing import Filter
from tui.demo.api.paths import Target
from tui.demo.api.representation import listed, whole_of
from tui.demo.api.requests import Request, Response
from tui.demo.clock import Clock
from tui.demo.store import Entry, Object, Store
from tui.demo.synthetic.objects import CPU_REQUEST, MEMORY_REQUEST, App

RESOLUTION: Final = 15.0
"""Seconds between samples."""
_encode = msgspec.json.Encoder().encode


class Metrics:
    """Answers for ``metrics.k8s.io``.

    Args:
        store: whose pods and nodes there are figures of.
        clock: dates them.
        apps: by namespace and name; how busy each is.
        seed: of the figures' noise.
    """

    def __init__(
        self, store: Store, clock: Clock, apps: dict[tuple[str, str], App], seed: int
    ) -> None:
        self._store = store
        self._clock = clock
        self._apps = apps
        self._seed = seed

    def refusal(self) -> Response | None:
        """Somebody always stands behind the API."""
        return None

    def respond(self, target: Target, request: Request) -> Response:
        """Answer a get or a list.

        Raises:
            ApiError: 400 for a bad selector, 404 for what has no figures.
        """
        pods = target.resource is resources.POD_METRICS
        kind = resources.PODS if pods else resources.NODES
        chosen = Filter(request, kind)
        number = int(self._clock.now() / RESOLUTION)
        stamp = self._clock.stamp(number * RESOLUTION)
        rng = Random(self._seed * 1_000_003 + number)
        items: list[bytes] = []
        for entry in self._store.entries(kind.storage, target.namespace if pods else None):
            if (target.name and entry.name != target.name) or not chosen(entry):
                continue
            item = self._pod(entry, stamp, rng) if pods else self._node(entry, stamp, rng)
            if item is not None:
                items.append(item)
        if not target.name:
            return Response(200, listed(target.resource, {}, items))
        if not items:
            about = {"name": target.name, "kind": target.resource.plural}
            message = f'{target.resource.plural} "{target.name}" not found'
            raise errors.ApiError(404, "NotFound", message, about)
        found: Object = msgspec.json.decode(items[0])
        return Response(200, whole_of(target.resource, found) + b"\n")

    def _pod(self, pod: Entry, stamp: str, rng: Random) -> bytes | None:
        noise = rng.random()
        app = self._apps.get((pod.namespace, pod.labels.get("app", "")))
        if app is None:
            return None
        nano = int(CPU_REQUEST * app.level * (0.8 + 0.4 * noise) * 1_000_000)
        kibi = int(MEMORY_REQUEST * 1024 * (0.5 + 0.2 * noise))
        # By hand: ten thousand of these are wanted at once.
        return (
            f'{{"metadata":{{"name":"{pod.name}","namespace":"{pod.namespace}",'
            f'"creationTimestamp":"{stamp}","labels":{{"app":"{app.name}",'
            f'"pod-template-hash":"{app.hash}"}}}},"timestamp":"{stamp}","window":"15s",'
            f'"containers":[{{"name":"fastapi","usage":{{"cpu":"{nano}n","memory":"{kibi}Ki"}}}}]}}'
        ).encode()

    def _node(self, node: Entry, stamp: str, rng: Random) -> bytes:
        noise = rng.random()
        usage = {"cpu": f"{int(4e9 * (0.8 + 0.4 * noise))}n", "memory": f"{8_000_000}Ki"}
        metadata = {"name": node.name, "creationTimestamp": stamp, "labels": node.labels}
        return _encode({"metadata": metadata, "timestamp": stamp, "window": "15s", "usage": usage})
