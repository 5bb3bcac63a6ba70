"""A whole embedded cluster in a thread of the test's own, and every request that it was sent."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import yaml

from tests.cluster.server import CERTS
from tui.demo import certificate
from tui.demo.api.requests import Request, Response, Stream
from tui.demo.clock import RealClock
from tui.demo.cluster import AGE, Cluster
from tui.demo.faults import parse
from tui.demo.server import HOST, Server

SPEED: Final = 50.0
IDENTITY: Final = certificate.make(HOST, "localhost")


class Lab:
    """Use as a context manager.

    Args:
        token: the only one that the server takes.
        prepare: is given the cluster before anybody watches.
    """

    def __init__(self, token: str, prepare: Callable[[Cluster], None] | None = None) -> None:
        self.token = token
        self.requests: list[Request] = []
        """As they came, in the server's thread."""
        self.answer: Callable[[Request], Response | Stream | None] = lambda _: None
        """May answer in the cluster's place."""
        self._prepare = prepare
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="lab", daemon=True)

    def __enter__(self) -> Lab:
        self._thread.start()
        self._do(self._open())
        return self

    def __exit__(self, *_: object) -> None:
        self._do(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    async def _open(self) -> None:
        self._clock = RealClock(SPEED, AGE * SPEED)
        self.cluster = Cluster(self._clock, wave=None)
        self.cluster.bring_up(fronts=False)
        if self._prepare is not None:
            self._prepare(self.cluster)
        self.server = Server(self, self.token, IDENTITY)
        await self.server.start()
        self._clock.go_live(asyncio.get_running_loop())
        await self.cluster.dataplane.open()

    async def _close(self) -> None:
        self._clock.stop()
        await self.cluster.dataplane.close()
        await self.server.stop()

    def respond(self, request: Request) -> Response | Stream:
        """What the cluster answers."""
        self.requests.append(request)
        return self.answer(request) or self.cluster.handlers.respond(request)

    def fault(self, text: str) -> None:
        """Let something go wrong from now on; empty text: nothing any more."""

        async def set_() -> None:
            if text:
                self.server.faulty.set(parse(text))
            else:
                self.server.faulty.faults.clear()

        self._do(set_())

    def _do(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    def kubeconfig(self, path: Path, **user: Any) -> str:
        """A file that leads here; the user's fields are its token if none are given."""
        (path.parent / "ca.pem").write_text(IDENTITY.certificate)
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "lab",
            "clusters": [
                {
                    "name": "c",
                    "cluster": {"server": self.server.url, "certificate-authority": "ca.pem"},
                }
            ],
            "users": [{"name": "u", "user": user or {"token": self.token}}],
            "contexts": [{"name": "lab", "context": {"cluster": "c", "user": "u"}}],
        }
        path.write_text(yaml.safe_dump(document))
        return str(path)


def client_key() -> tuple[str, str]:
    """A client certificate and its key, as PEM."""
    return (CERTS / "client.pem").read_text(), (CERTS / "client.key").read_text()
