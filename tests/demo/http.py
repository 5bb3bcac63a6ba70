"""A running server and a client for it, in one event loop."""

from __future__ import annotations

from typing import Any

import aiohttp
import msgspec
from yarl import URL

from tui.demo import certificate
from tui.demo.cluster import Cluster
from tui.demo.server import HOST, Server

TOKEN = "a token for tests"
IDENTITY = certificate.make(HOST, "localhost")


class Answer:
    def __init__(self, status: int, headers: Any, content: bytes) -> None:
        self.status = status
        self.headers = headers
        self.content = content

    @property
    def text(self) -> str:
        return self.content.decode()

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.content)


class Http:
    """Speaks to a server with its token, and reads streams to their end."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.server = Server(cluster.handlers, TOKEN, IDENTITY, account=cluster.handlers.account)

    async def __aenter__(self) -> Http:
        await self.server.start()
        connector = aiohttp.TCPConnector(ssl=False, limit=0)
        self.session = aiohttp.ClientSession(self.server.url, connector=connector)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.session.close()
        await self.server.stop()

    async def __call__(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: dict[str, str] | None = None,
        token: str | None = TOKEN,
    ) -> Answer:
        sent = dict(headers or {})
        if token is not None:
            sent.setdefault("Authorization", f"Bearer {token}")
        data: bytes | None = None
        if body is not None:
            data = body.encode() if isinstance(body, str) else msgspec.json.encode(body)
            sent.setdefault("Content-Type", "application/json")
        url = URL(path, encoded=True)
        async with self.session.request(method, url, data=data, headers=sent) as got:
            return Answer(got.status, got.headers, await got.read())

    def stream(self, path: str) -> Any:
        """An open GET, as a context manager."""
        headers = {"Authorization": f"Bearer {TOKEN}"}
        return self.session.get(URL(path, encoded=True), headers=headers)
