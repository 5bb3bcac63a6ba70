"""The web server: HTTPS on 127.0.0.1, for those who have the token."""

from __future__ import annotations

import asyncio
import hmac
import re
import sys
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

from aiohttp import web

from tui.demo.api import errors
from tui.demo.api.requests import Request, Response, Stream, Upgrade
from tui.demo.certificate import Certificate
from tui.demo.faults_http import CutError, FaultyAnswers
from tui.demo.streams import upgrade

HOST: Final = "127.0.0.1"
_LARGEST_BODY: Final = 3 * 1024 * 1024
_NO_CACHE: Final = {"Cache-Control": "no-cache, private"}
_RESOURCE: Final = re.compile(
    r"^/(?:api/v1|apis/(?P<group>[^/]+)/[^/]+)(?:/namespaces/(?P<namespace>[^/]+))?/(?P<plural>[^/]+)"
)
_VERBS: Final = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


_ANSWERED: Final = 0.1
"""Seconds a restart leaves for the answer to who asked for it."""
_TRIES: Final = 50


class Answers(Protocol):
    """Who answers requests."""

    def respond(self, request: Request) -> Response | Stream:
        """Answer a request; what goes wrong is an answer too."""


class Server:
    """Serves the API.

    Args:
        handlers: who answers.
        token: the owner's bearer token.
        certificate: for `HOST`.
        account: the headers that make a request a service account's, from the token that it shows;
            None if that is not one's.
        compact: forgets the store's history, as a restart may.
        set_skew: puts the cluster's clock so many seconds ahead.
    """

    def __init__(
        self,
        handlers: Answers,
        token: str,
        certificate: Certificate,
        *,
        account: Callable[[str], dict[str, str] | None] = lambda _: None,
        compact: Callable[[], None] = lambda: None,
        set_skew: Callable[[float], None] = lambda _: None,
    ) -> None:
        self._certificate = certificate
        self._compact = compact
        self.faulty = FaultyAnswers(handlers.respond, self._restart_soon, set_skew)
        self._token = token.encode()
        self._account = account
        self._runner: web.ServerRunner | None = None
        self._restarts: set[asyncio.Task[None]] = set()
        self._restarting = asyncio.Lock()
        self._port = 0
        self.url = ""

    async def start(self, port: int = 0) -> None:
        """Listen; port 0 takes a free one.

        Raises:
            OSError: the port cannot be taken.
        """
        # A low-level server: one handler for every path, no router, and a client that goes away
        # cancels its watch.
        server = web.Server(
            self._serve,
            handler_cancellation=True,
            keepalive_timeout=75.0,
            access_log=None,
            max_line_size=16384,
            max_field_size=16384,
        )
        self._runner = web.ServerRunner(server, shutdown_timeout=0.2)
        await self._runner.setup()
        site = web.TCPSite(
            self._runner, HOST, port, backlog=256, ssl_context=self._certificate.context()
        )
        await site.start()
        self._port = self._runner.addresses[0][1]
        self.url = f"https://{HOST}:{self._port}"

    async def stop(self) -> None:
        """Close all connections."""
        restarts = list(self._restarts)
        for restart in restarts:
            restart.cancel()
        await asyncio.gather(*restarts, return_exceptions=True)
        await self._close()

    async def _close(self) -> None:
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    def _restart_soon(self, away: float, compacting: bool) -> None:
        restart = asyncio.get_running_loop().create_task(self._restart(away, compacting))
        self._restarts.add(restart)
        restart.add_done_callback(self._restarts.discard)

    async def _restart(self, away: float, compacting: bool) -> None:
        await asyncio.sleep(_ANSWERED)
        async with self._restarting:  # one that is asked for meanwhile comes after it
            await self._close()
            await asyncio.sleep(away)
            if compacting:
                self._compact()
            for _ in range(_TRIES):
                try:
                    await self.start(self._port)
                    return
                except OSError:  # somebody has the port just now
                    await self._close()
                    await asyncio.sleep(_ANSWERED)
        sys.stderr.write(f"kscale-tui cluster: port {self._port} was taken during the restart\n")

    async def _serve(self, incoming: web.BaseRequest) -> web.StreamResponse:
        acting = self._admitted(incoming)
        if isinstance(acting, errors.ApiError):
            return _plain(Response.of(acting.status(), acting.code))
        request = Request(
            incoming.method,
            incoming.rel_url.raw_path,
            incoming.query,
            {name.lower(): value for name, value in incoming.headers.items()} | acting,
        )
        if incoming.body_exists:
            if (incoming.content_length or 0) > _LARGEST_BODY:
                return _plain(_too_large())
            body = bytearray()
            async for chunk in incoming.content.iter_any():
                body += chunk
                if len(body) > _LARGEST_BODY:
                    return _plain(_too_large())
            request.body = bytes(body)
        try:
            answer = await self.faulty.answer(request, lambda: _abort(incoming))
        except CutError:
            _abort(incoming)
            return web.Response(status=500)
        if isinstance(answer, Upgrade):
            return await upgrade.serve(incoming, answer)
        if isinstance(answer, Response):
            return _plain(answer, self.faulty.date())
        return await _stream(incoming, answer, self.faulty.date())

    def _admitted(self, incoming: web.BaseRequest) -> dict[str, str] | errors.ApiError:
        """The headers that say as whom the request acts, or why it may not come in."""
        credentials = incoming.headers.get("Authorization", "")
        scheme, _, token = credentials.partition(" ")
        token = token.strip()
        if scheme.lower() == "bearer":
            if hmac.compare_digest(token.encode(), self._token):
                return {}
            acting = self._account(token)
            if acting is not None and not incoming.rel_url.raw_path.startswith("/kscale/"):
                return acting
        return errors.unauthorized() if credentials else _anonymous(incoming)


def _anonymous(incoming: web.BaseRequest) -> errors.ApiError:
    path = incoming.rel_url.raw_path
    match = _RESOURCE.match(path)
    if match is None:
        message = f'forbidden: User "system:anonymous" cannot get path "{path}"'
        return errors.ApiError(403, "Forbidden", message, {})
    plural, group, namespace = match["plural"], match["group"] or "", match["namespace"]
    verb = _VERBS.get(incoming.method, "list")
    where = f'in the namespace "{namespace}"' if namespace else "at the cluster scope"
    message = (
        f'{plural}{"." if group else ""}{group} is forbidden: User "system:anonymous" cannot '
        f'{verb} resource "{plural}" in API group "{group}" {where}'
    )
    about = {"group": group, "kind": plural} if group else {"kind": plural}
    return errors.ApiError(403, "Forbidden", message, about)


def _too_large() -> Response:
    message = f"Request entity too large: limit is {_LARGEST_BODY}"
    problem = errors.ApiError(413, "RequestEntityTooLarge", message, {})
    return Response.of(problem.status(), 413)


def _abort(incoming: web.BaseRequest) -> None:
    if incoming.transport is not None:
        incoming.transport.abort()


def _plain(answer: Response, date: dict[str, str] = {}) -> web.Response:  # noqa: B006 - read
    headers = {**_NO_CACHE, "Content-Type": answer.content_type, **answer.headers, **date}
    return web.Response(status=answer.status, body=answer.body, headers=headers)


async def _stream(
    incoming: web.BaseRequest, answer: Stream, date: dict[str, str]
) -> web.StreamResponse:
    headers = {**_NO_CACHE, "Content-Type": answer.content_type, **date}
    response = web.StreamResponse(status=200, headers=headers)
    response.enable_chunked_encoding()
    await response.prepare(incoming)
    close: Callable[[], Awaitable[object]] | None = getattr(answer.chunks, "aclose", None)
    try:
        async for chunk in answer.chunks:
            await response.write(chunk)
        await response.write_eof()
    except CutError:
        _abort(incoming)
    except (ConnectionError, RuntimeError):
        pass  # the client is gone
    finally:
        if close is not None:
            await close()
    return response
