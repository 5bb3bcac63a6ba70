"""What faults do to answers, and the endpoint that sets them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from email.utils import formatdate
from time import time
from typing import Final

import msgspec

from tui.demo import faults
from tui.demo.api import errors
from tui.demo.api.requests import Request, Response, Stream
from tui.demo.faults import About, Fault, FaultError, Faults, Set

PATH: Final = "/kscale/v1/faults"
_LOOK: Final = 0.02
"""Seconds between looks whether a stall is over."""
_REFUSING: Final = ("expired-token", "forbid", "throttle", "error", "gone")
_encode = msgspec.json.Encoder().encode

Abort = Callable[[], None]
Answer = Response | Stream


class CutError(Exception):
    """The connection of this answer is to be cut, here."""


class FaultyAnswers:
    """Stands between the web server and the API.

    Args:
        respond: who answers when nothing is wrong.
        restart: takes the server away for some seconds, compacting the history or not.
        set_skew: puts the cluster's clock ahead.
    """

    def __init__(
        self,
        respond: Callable[[Request], Answer],
        restart: Callable[[float, bool], None],
        set_skew: Callable[[float], None],
        registry: Faults | None = None,
    ) -> None:
        self.faults = registry or Faults()
        self._respond = respond
        self._restart = restart
        self._set_skew = set_skew
        self._skew = 0.0
        self._open: dict[object, tuple[About, Abort]] = {}

    def set(self, fault: Fault) -> Set | None:
        """Set a fault; None if it was done at once and nothing remains to be listed.

        Raises:
            FaultError: there are too many.
        """
        if fault.kind == "restart":
            self._restart(fault.down or 0.0, bool(fault.compact))
            return None
        if fault.kind == "drop-watches":
            self._drop(fault)
            if fault.seconds is None and fault.times is None:
                return None
        made = self.faults.add(fault)
        self._keep_skew()
        return made

    def date(self) -> dict[str, str]:
        """The Date header of a clock that is off; nothing while it is right."""
        self._keep_skew()
        return {"Date": formatdate(time() + self._skew, usegmt=True)} if self._skew else {}

    async def answer(self, request: Request, abort: Abort) -> Answer:
        """Answer a request of somebody with the token; ``abort`` cuts its connection.

        Raises:
            CutError: the connection is to be cut instead.
        """
        if request.path.startswith(PATH):
            return self._control(request)
        if not self.faults.active():
            answer = self._respond(request)
            if isinstance(answer, Stream):
                about = faults.about(request.method, request.path, request.watches)
                answer.chunks = self._followed(about, answer.chunks, abort)
            return answer
        about = faults.about(request.method, request.path, request.watches)
        if about.verb == "watch" and self.faults.meet(about, "drop-watches"):
            raise CutError
        stalled = self.faults.meet(about, "stall")
        if stalled is not None and about.verb != "watch":
            await self._wait_out(stalled)
            raise CutError
        late = self.faults.meet(about, "slow") if about.verb != "watch" else None
        if late is not None:
            await asyncio.sleep(late.fault.delay or 0.0)
        refusing = self.faults.meet(about, *_REFUSING)
        if refusing is not None:
            return _refusal(refusing, about)
        answer = self._respond(request)
        if isinstance(answer, Stream):
            answer.chunks = self._followed(about, answer.chunks, abort)
        elif self.faults.meet(about, "truncate"):
            return Stream(_half(answer.body), answer.content_type)
        return answer

    def _drop(self, fault: Fault) -> None:
        for about, abort in list(self._open.values()):
            if faults.in_scope(fault, about):
                abort()

    def _keep_skew(self) -> None:
        if self.faults.skew != self._skew:
            self._skew = self.faults.skew
            self._set_skew(self._skew)

    async def _followed(
        self, about: About, chunks: AsyncIterator[bytes], abort: Abort
    ) -> AsyncIterator[bytes]:
        """A watch that can be cut, stalled, slowed and truncated while it runs."""
        mark = object()
        self._open[mark] = (about, abort)
        try:
            async for chunk in chunks:
                stalled = self.faults.meet(about, "stall")
                if stalled is not None:
                    await self._wait_out(stalled)
                late = self.faults.meet(about, "slow")
                if late is not None:
                    await asyncio.sleep(late.fault.delay or 0.0)
                if self.faults.meet(about, "truncate"):
                    yield chunk[: max(1, len(chunk) // 2)].rstrip(b"\n")
                    raise CutError
                yield chunk
        finally:
            del self._open[mark]
            close: Callable[[], object] | None = getattr(chunks, "aclose", None)
            if close is not None:
                await close()  # type: ignore[misc]  # an async generator's

    async def _wait_out(self, stalled: Set) -> None:
        while self.faults.lasts(stalled):
            await asyncio.sleep(_LOOK)

    # -- the endpoint

    def _control(self, request: Request) -> Response:
        rest = request.path.removeprefix(PATH).strip("/")
        try:
            if request.method == "GET" and not rest:
                now = self.faults.clock()
                return Response.of({"faults": [f.describe(now) for f in self.faults.active()]})
            if request.method == "POST" and not rest:
                return self._add(request)
            if request.method == "DELETE" and (not rest or rest.isdecimal()):
                gone = self.faults.clear(int(rest) if rest else None)
                self._keep_skew()
                if rest and not gone:
                    raise errors.ApiError(404, "NotFound", f"there is no fault {rest}")
                return Response.of({"cleared": gone})
            raise errors.ApiError(
                405, "MethodNotAllowed", f"GET, POST or DELETE {PATH}, DELETE {PATH}/ID"
            )
        except errors.ApiError as problem:
            return Response.of(problem.status(), problem.code)

    def _add(self, request: Request) -> Response:
        given = request.object()
        try:
            text = given.get("fault")
            fault = faults.parse(text) if isinstance(text, str) else faults.convert(given)
            made = self.set(fault)
        except FaultError as problem:
            raise errors.bad_request(str(problem)) from None
        shown = {"kind": fault.kind} if made is None else made.describe(self.faults.clock())
        return Response.of(shown, 201)


def _refusal(one: Set, about: About) -> Answer:
    fault = one.fault
    if fault.kind == "gone":
        return _gone(one, about)
    headers: dict[str, str] = {}
    if fault.kind == "expired-token":
        problem = errors.unauthorized()
    elif fault.kind == "forbid":
        problem = _forbidden(about)
    elif fault.kind == "throttle":
        # As API priority and fairness says it: plain text.
        if fault.after:
            headers["Retry-After"] = f"{max(1, round(fault.after))}"
        text = b"Too many requests, please try again later.\n"
        return Response(429, text, "text/plain; charset=utf-8", headers)
    else:
        code = fault.status or 500
        reason = {503: "ServiceUnavailable", 504: "Timeout"}.get(code, "InternalError")
        problem = errors.ApiError(
            code, reason, "Internal error occurred: a fault that was asked for", {}
        )
    return Response.of(problem.status(), problem.code)


def _gone(one: Set, about: About) -> Answer:
    problem = errors.expired("too old resource version: 1 (2)")
    event = about.verb == "watch" and (
        one.fault.shape == "event" or (not one.fault.shape and one.random.random() < 0.5)
    )
    if not event:
        return Response.of(problem.status(), 410)
    line = b'{"type":"ERROR","object":%s}\n' % _encode(problem.status())
    return Stream(_once(line))


def _forbidden(about: About) -> errors.ApiError:
    where = f'in the namespace "{about.namespace}"' if about.namespace else "at the cluster scope"
    dotted = f"{about.resource}.{about.group}" if about.group else about.resource
    message = (
        f'{dotted} is forbidden: User "kubernetes-admin" cannot {about.verb} resource '
        f'"{about.resource}" in API group "{about.group}" {where}'
    )
    details = {"group": about.group, "kind": about.resource}
    return errors.ApiError(403, "Forbidden", message, {k: v for k, v in details.items() if v})


async def _once(line: bytes) -> AsyncIterator[bytes]:
    yield line


async def _half(body: bytes) -> AsyncIterator[bytes]:
    yield body[: max(1, len(body) // 2)]
    raise CutError
