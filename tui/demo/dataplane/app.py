"""The sample apps: what FastAPI pods and other web servers answer.

Two of them: the FastAPI sample image (JSON on ``/``), and an app that burns CPU on demand (a page
with node, pod and number of visitors on ``/``, a form for ``POST /load``), which an image with
``load`` in its name runs. Both answer ``/docs`` and ``POST /load``; ``/health`` is there only if
the annotation ``kscale.dev/simulate`` says ``health=yes``, since the sample image has none.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from typing import Final
from urllib.parse import parse_qs

from tui.demo.dataplane.cores import Share
from tui.demo.dataplane.costs import Cost
from tui.demo.dataplane.messages import Reply, Request, Response
from tui.demo.dataplane.process import Place, Process, text

_HELLO: Final = "Hello world! From FastAPI running on Uvicorn with Gunicorn. Using Python 3.11"
FILES: Final = {
    "/app/main.py": f"""\
from fastapi import FastAPI

app = FastAPI()


@app.get("/")
async def read_root():
    return {{"message": "{_HELLO}"}}
"""
}
"""Of the FastAPI sample image."""
_LONGEST_LOAD: Final = 3600.0
_MULTIPART: Final = re.compile(rb'name="duration"[^\r\n]*\r\n(?:[^\r\n]+\r\n)*\r\n([^\r\n]*)\r\n')
_HTML: Final = "text/html; charset=utf-8"
_DOCS: Final = """\
<!DOCTYPE html>
<html>
<head><title>FastAPI - Swagger UI</title></head>
<body><h1>FastAPI</h1><p>GET / · POST /load (form field <code>duration</code>, seconds)</p></body>
</html>
"""
_PAGE: Final = """\
<html>
<head><title>Hello from {node}</title></head>
<body style="font-family:sans-serif; text-align:center; padding-top:3em">
<h1>👋 Hello, world!</h1>
<p>🖥 Server node: <strong>{node}</strong></p>
<p>🐳 Served from pod: <strong>{pod}</strong></p>
<p>📊 Visitor number: <strong>{count}</strong></p>
<form action="/load" method="post">
<label>💣 CPU Load</label>
<input type="number" id="duration" name="duration" min="1" max="300" value="60">
<input type="submit" value="Commit">
</form>
</body>
</html>
"""
_LOADING: Final = """\
<html>
<head><title>CPU Load</title></head>
<body style="font-family:sans-serif; text-align:center; padding-top:3em">
<p>✅ Started stress with {cpus} CPUs for {seconds} seconds</p>
<p><a href="/">Back</a></p>
</body>
</html>
"""


class FastApi(Process):
    """A FastAPI app under uvicorn.

    Args:
        place: where it runs.
        cpu: what it may use.
        log: prints lines.
        ports: it listens on.
        cost: of one request.
        cpus: of its node, which is how many threads `POST /load` keeps busy.
        speed: simulated seconds per real second, in which a duration is meant.
        health: whether there is a ``/health``.
        page: answer ``/`` with a page instead of JSON.
    """

    server = "uvicorn"
    idle_timeout = 5.0

    def __init__(
        self,
        place: Place,
        cpu: Share,
        log: Callable[[str], None],
        ports: frozenset[int],
        cost: Cost,
        *,
        cpus: int,
        speed: float = 1.0,
        health: bool = False,
        page: bool = False,
    ) -> None:
        super().__init__(place, cpu, log, ports)
        self._cost = cost
        self._cpus = cpus
        self._speed = speed
        self._visitors = 0
        hello = {"message": _HELLO, "node": place.node, "pod": place.pod}
        self._hello = _json(200, hello)
        gets: dict[str, Callable[[Request], Response]] = {
            "/": self._page if page else lambda _: self._hello,
            "/docs": lambda _: text(200, _DOCS, _HTML),
            "/openapi.json": lambda _: _json(200, {"openapi": "3.1.0", "paths": {}}),
        }
        if health:
            gets["/health"] = lambda _: _json(200, {"status": "ok"})
        self._gets = gets

    def handle(self, request: Request, reply: Reply, port: int) -> None:
        """Answer a request that came in on a port."""

        def done() -> None:
            response = self._answer(request)
            address, source = request.client
            self.print(
                f'{address}:{source} - "{request.method} {request.target} '
                f'HTTP/{request.version}" {response.status}'
            )
            reply(response)

        self.work(self._cost.draw(), done, reply)

    def _answer(self, request: Request) -> Response:
        path = request.path
        if path == "/load":
            return self._load(request) if request.method == "POST" else _not_allowed("POST")
        found = self._gets.get(path)
        if found is None:
            return _json(404, {"detail": "Not Found"})
        return found(request) if request.method == "GET" else _not_allowed("GET")

    def _page(self, request: Request) -> Response:
        self._visitors += 1
        node, pod = html.escape(self.place.node), html.escape(self.place.pod)
        return text(200, _PAGE.format(node=node, pod=pod, count=self._visitors), _HTML)

    def _load(self, request: Request) -> Response:
        given = _duration(request)
        if given is None:
            return _unprocessable("missing", "Field required", None)
        try:
            seconds = int(given.strip())
        except ValueError:
            words = "Input should be a valid integer, unable to parse string as an integer"
            return _unprocessable("int_parsing", words, given[:100])
        self.cpu.burn(max(0.0, min(seconds, _LONGEST_LOAD)) / self._speed, self._cpus)
        return text(200, _LOADING.format(cpus=self._cpus, seconds=seconds), _HTML)


class Web(Process):
    """Any other web server: it says who it is.

    Args:
        place: where it runs.
        cpu: what it may use.
        log: prints lines.
        ports: it listens on.
        cost: of one request.
    """

    def __init__(
        self,
        place: Place,
        cpu: Share,
        log: Callable[[str], None],
        ports: frozenset[int],
        cost: Cost,
    ) -> None:
        super().__init__(place, cpu, log, ports)
        self._cost = cost

    def handle(self, request: Request, reply: Reply, port: int) -> None:
        """Answer a request that came in on a port."""
        lines = [
            f"Hostname: {self.place.pod}",
            f"IP: {self.place.ip}",
            f"RemoteAddr: {request.client[0]}:{request.client[1]}",
            f"{request.method} {request.target} HTTP/{request.version}",
            *(f"{name}: {value}" for name, value in request.headers),
        ]
        answer = text(200, "\n".join(lines) + "\n")
        self.work(self._cost.draw(), lambda: reply(answer), reply)


def _json(status: int, body: object) -> Response:
    encoded = json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()
    return Response(status, [("Content-Type", "application/json")], encoded)


def _not_allowed(allowed: str) -> Response:
    response = _json(405, {"detail": "Method Not Allowed"})
    response.headers.insert(0, ("Allow", allowed))
    return response


def _unprocessable(type_: str, words: str, given: str | None) -> Response:
    problem = {"type": type_, "loc": ["body", "duration"], "msg": words, "input": given}
    return _json(422, {"detail": [problem]})


def _duration(request: Request) -> str | None:
    """The form field, url-encoded or multipart."""
    kind = (request.header("content-type") or "").partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        found = _MULTIPART.search(request.body)
        return found[1].decode("utf-8", "replace") if found else None
    if kind != "application/x-www-form-urlencoded":
        return None
    fields = parse_qs(request.body.decode("utf-8", "replace"), max_num_fields=100)
    return fields.get("duration", [None])[0]
