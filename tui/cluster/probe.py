"""One HTTP GET through a route: does it answer, how fast, and who.

Redirects are not followed and no proxy is asked for: what is measured is the route itself.
"""

from __future__ import annotations

import asyncio
import importlib
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

import msgspec
from msgspec.structs import replace

from tui.cluster.errors import one_line
from tui.cluster.route import Route
from tui.cluster.route_address import for_url

TIMEOUT: Final = 3.0
LARGEST: Final = 256 * 1024
"""Bytes of a body that are read."""


class Probe(msgspec.Struct, frozen=True):
    """What one GET found."""

    url: str
    status: int = 0
    """The HTTP status; 0 if there was no answer."""
    latency: float = 0.0
    """Seconds from the request to the end of the body, connecting included."""
    served_by: str = ""
    """``X-Served-By``, printable and short; empty if there is none."""
    problem: str = ""
    """What went wrong, as a sentence; empty if it answered, whatever the status."""
    redirect: str = ""
    """Where it wanted to send us, which was not followed."""
    size: int = 0
    """Bytes of the body that were read."""
    body: bytes = b""
    """The body, up to the bound."""

    @property
    def ok(self) -> bool:
        """Whether it answered with 2xx."""
        return 200 <= self.status < 300


def probe(
    route: Route,
    path: str = "",
    *,
    timeout: float = TIMEOUT,
    largest: int = LARGEST,
    verify: ssl.SSLContext | bool = True,
    clock: Callable[[], float] = time.perf_counter,
) -> Probe:
    """GET a path through a route, from a thread that has no event loop. Never raises for what the
    network does.

    Args:
        route: the way.
        path: below the route's own path, such as ``/health``; it cannot leave the host.
        timeout: seconds for the whole of it.
        largest: bytes of the body after which reading ends.
        verify: how TLS is verified, if the route has TLS.
        clock: seconds, steady.
    """
    return asyncio.run(
        probing(route, path, timeout=timeout, largest=largest, verify=verify, clock=clock)
    )


async def probing(
    route: Route,
    path: str = "",
    *,
    timeout: float = TIMEOUT,
    largest: int = LARGEST,
    verify: ssl.SSLContext | bool = True,
    clock: Callable[[], float] = time.perf_counter,
) -> Probe:
    """As :func:`probe`, in an event loop."""
    url = _url(route, path)
    if url is None:
        return Probe(route.url, problem="That path would lead to another host.")
    told: dict[str, str] = {}
    to = url
    if route.address:
        parts = urlsplit(url)
        told["sni_hostname"] = parts.hostname or ""
        port = f":{parts.port}" if parts.port else ""
        to = parts._replace(netloc=for_url(route.address) + port).geturl()
    httpx = importlib.import_module("httpx")
    headers = {"User-Agent": "kscale-tui", "Accept": "*/*", "Accept-Encoding": "identity"}
    if route.host_header is not None or route.address:
        headers["Host"] = route.host_header or urlsplit(url).netloc
    began = clock()
    try:
        # Without TLS there are no certificates to load.
        secured = verify if url.startswith("https:") else False
        async with httpx.AsyncClient(verify=secured, trust_env=False, timeout=timeout) as client:
            began = clock()
            async with asyncio.timeout(timeout):
                found = await _get(client, to, headers, told, largest, began, clock)
                return replace(found, url=url)
    except Exception as error:
        problem = _words(error, httpx, urlsplit(url).netloc, timeout)
        return Probe(url, latency=clock() - began, problem=problem)


async def _get(
    client: Any,
    url: str,
    headers: Mapping[str, str],
    told: Mapping[str, str],
    largest: int,
    began: float,
    clock: Callable[[], float],
) -> Probe:
    body = bytearray()
    asking = client.stream("GET", url, headers=headers, follow_redirects=False, extensions=told)
    async with asking as answer:
        # As it came over the wire: unpacking could blow it up.
        async for piece in answer.aiter_raw():
            body += piece[: largest - len(body)]
            if len(body) >= largest:
                break
        location = answer.headers.get("location", "") if answer.is_redirect else ""
        return Probe(
            url,
            status=answer.status_code,
            latency=clock() - began,
            served_by=one_line(answer.headers.get("x-served-by", ""), 80),
            redirect=one_line(location, 200),
            size=len(body),
            body=bytes(body),
        )


def _url(route: Route, path: str) -> str | None:
    """The URL of a path on the route's own host; None if it is no such path."""
    if not path:
        return route.url
    if not path.startswith("/") or path.startswith("//") or not path.isprintable():
        return None
    if "\\" in path or any(c.isspace() for c in path):
        return None
    base = route.url.rstrip("/") + "/"
    joined = urljoin(base, path.lstrip("/")) if urlsplit(base).path != "/" else base[:-1] + path
    return joined if urlsplit(joined).netloc == urlsplit(route.url).netloc else None


def _words(error: Exception, httpx: Any, where: str, timeout: float) -> str:
    chain: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and len(chain) < 8:
        chain.append(cause)
        cause = cause.__cause__ or cause.__context__
    for each in chain:
        if isinstance(each, ssl.SSLCertVerificationError):
            why = one_line(each.verify_message or "unknown", 80)
            return f"The certificate of {where} cannot be verified: {why}."
        if isinstance(each, ssl.SSLError):
            return f"{where} does not speak TLS as it should."
        if isinstance(each, socket.gaierror):
            return f"The name of {where} cannot be resolved."
        if isinstance(each, ConnectionRefusedError):
            return f"Nothing listens at {where}."
    if isinstance(error, (TimeoutError, httpx.TimeoutException)):
        return f"{where} did not answer within {timeout:g} s."
    if isinstance(error, httpx.RemoteProtocolError):
        return f"{where} closed the connection without an answer, or answered with something else."
    if isinstance(error, httpx.TransportError):
        return f"The connection to {where} was cut."
    return f"The request to {where} failed ({type(error).__name__})."
