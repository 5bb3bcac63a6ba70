"""The API server's proxy to Services and pods: one HTTP request handed on into the cluster.

https://kubernetes.io/docs/tasks/access-application-cluster/access-cluster-services/#manually-constructing-apiserver-proxy-urls
"""

from __future__ import annotations

import asyncio
from typing import Final

from aiohttp import web

from tui.demo.api import errors
from tui.demo.dataplane.messages import Request, Response
from tui.demo.dataplane.network import Broken, Connection, Network
from tui.demo.store import Entry

_PATIENCE: Final = 30.0
_LARGEST: Final = 1 << 20
_NOT_PASSED: Final = frozenset(
    {"authorization", "connection", "host", "upgrade", "transfer-encoding", "content-length"}
)


def reach(network: Network, entry: Entry, port: str) -> Connection:
    """A connection to a Service's port or a pod's.

    Args:
        network: where processes listen.
        entry: the Service or the pod.
        port: its number or name; empty for the first of a pod, the unnamed of a Service.

    Raises:
        ApiError: 503, nobody listens there.
    """
    if "clusterIP" in entry.spec:
        name = port
        for one in entry.spec.get("ports") or ():
            if port in (str(one.get("port")), one.get("name")):
                name = one.get("name") or ""
        found = network.accept(entry.key, name, ("127.0.0.1", 0))
        if isinstance(found, Broken) and not network.ready(entry.key, name):
            message = f'no endpoints available for service "{entry.name}"'
            raise errors.ApiError(503, "ServiceUnavailable", message)
    else:
        number = port if port.isdigit() else _first_port(entry)
        found = network.reach(str(entry.status.get("podIP", "")), int(number))
    if isinstance(found, Broken):
        why = f"dial tcp {found.address}: connect: connection refused"
        message = f"error trying to reach service: {why}"
        raise errors.ApiError(503, "ServiceUnavailable", message)
    return found


def _first_port(pod: Entry) -> str:
    for container in pod.spec.get("containers") or ():
        for port in container.get("ports") or ():
            return str(port.get("containerPort", 80))
    return "80"


async def serve(
    incoming: web.BaseRequest, network: Network, entry: Entry, port: str, path: str
) -> web.Response:
    """Hand a request on and its answer back.

    Raises:
        ApiError: 503, nobody listens there or answers.
    """
    connection = reach(network, entry, port)
    body = await incoming.content.read(_LARGEST)
    query = incoming.rel_url.raw_query_string
    target = f"/{path}" + (f"?{query}" if query else "")
    headers = [(k, v) for k, v in incoming.headers.items() if k.lower() not in _NOT_PASSED]
    headers.append(("Host", incoming.headers.get("Host", "")))
    answered: asyncio.Future[Response | None] = asyncio.get_running_loop().create_future()

    def reply(response: Response | None) -> None:
        if not answered.done():
            answered.set_result(response)

    connection.send(Request(incoming.method, target, headers, body), reply)
    try:
        async with asyncio.timeout(_PATIENCE):
            response = await answered
    except TimeoutError:
        response = None
    if response is None:
        message = "error trying to reach service: EOF"
        raise errors.ApiError(503, "ServiceUnavailable", message)
    kept = [(k, v) for k, v in response.headers if k.lower() not in _NOT_PASSED]
    return web.Response(status=response.status, headers=kept, body=response.body)
