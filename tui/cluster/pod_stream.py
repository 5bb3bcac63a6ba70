"""One connection to a port of a pod, through the API server, over a WebSocket.

``GET /api/v1/namespaces/NS/pods/POD/portforward?ports=N`` with the subprotocol
``v4.channel.k8s.io``, which the API server hands on to the kubelet, and the kubelet to the
container runtime (k8s.io/cri-streaming/pkg/streaming/portforward/websocket.go; the same since
Kubernetes 1.5). Every message is binary; its first byte is the channel, 0 data and 1 error, and
the first message of each channel is the port's number (two bytes, little endian). There is no
half-close. It needs ``get`` on pods/portforward, and from 1.35 ``create`` too (KEP-4006).

Importing this module imports aiohttp; only :mod:`tui.cluster.forward` does, late.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

import aiohttp
from yarl import URL

import tui
from tui.cluster import faults, pool
from tui.cluster.access import Certificate, stamp
from tui.cluster.errors import ApiError, Fault, one_line
from tui.cluster.halt import Halt
from tui.cluster.route_plan import Backend
from tui.cluster.transport import Transport, path

PROTOCOL: Final = "v4.channel.k8s.io"
CONNECT_TIMEOUT: Final = 5.0
"""Seconds from the first packet to the pod's side being there."""
_DATA: Final = 0
_ERROR: Final = 1
_GREETING: Final = 2
"""Bytes of the port's number, which each channel begins with."""
_DATA_CHANNEL: Final = bytes([_DATA])
_LONGEST: Final = 1024 * 1024
"""Bytes in a message; the kubelet sends 32 KiB at most."""
_CLOSE_TIMEOUT: Final = 0.5
_PEACEFUL: Final = (0, aiohttp.WSCloseCode.OK, 1005)
"""Codes of a close frame that ends a stream; 0 and 1005 are for one without a code."""


class PodStream:
    """Bytes to and from one connection that the node makes to the pod."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse[Any], backend: Backend) -> None:
        self._socket = socket
        self._backend = backend
        self._greeted = set[int]()
        self.received = 0
        """Bytes that came from the pod so far."""

    async def read(self) -> bytes:
        """What the pod sent; ``b""`` once it has closed.

        Raises:
            ApiError: the node could not connect to the pod, or the way there broke.
        """
        while True:
            message = await self._socket.receive()
            if message.type is aiohttp.WSMsgType.BINARY:
                payload = self._payload(message.data)
                if payload:
                    self.received += len(payload)
                    return payload
            elif message.type is aiohttp.WSMsgType.ERROR:
                raise ApiError(Fault.BROKEN, f"The way to the pod {self._backend.pod} broke.")
            elif message.type is aiohttp.WSMsgType.CLOSE and message.data in _PEACEFUL:
                return b""
            elif message.type in _ENDS:
                raise ApiError(Fault.BROKEN, f"The way to the pod {self._backend.pod} was cut.")

    async def write(self, data: bytes) -> None:
        """Send; waits while the way is full.

        Raises:
            ApiError: the way is closed.
        """
        try:
            await self._socket.send_bytes(_DATA_CHANNEL + data)
        except (aiohttp.ClientError, ConnectionError, RuntimeError):
            raise ApiError(
                Fault.BROKEN, f"The way to the pod {self._backend.pod} was cut."
            ) from None

    async def close(self) -> None:
        """End it, at both ends."""
        await self._socket.close()
        failure = self._socket.exception()
        if failure is not None:
            # Its traceback holds the socket, which holds it: a quarter of a megabyte of buffers
            # that only a rare full collection would free.
            failure.__traceback__ = None

    async def prove(self, patience: float) -> None:
        """Wait whether the node complains of the pod, for ``patience`` seconds at most.

        Raises:
            ApiError: it does; nothing listens on the port, mostly.
        """
        try:
            async with asyncio.timeout(patience):
                await self.read()
        except TimeoutError:
            return

    def _payload(self, message: bytes) -> bytes:
        """The data in a message; empty for greetings.

        Raises:
            ApiError: it is on the error channel.
        """
        if not message:
            return b""
        channel, content = message[0], message[1:]
        if channel not in self._greeted:
            self._greeted.add(channel)
            content = content[_GREETING:]
        if channel == _ERROR and content:
            raise ApiError(Fault.UNAVAILABLE, _complaint(content, self._backend))
        return content if channel == _DATA else b""


class Dialer:
    """Opens streams with the credentials, the TLS and the proxy of a transport.

    Belongs to one event loop.
    """

    def __init__(self, transport: Transport, halt: Halt) -> None:
        self._transport = transport
        self._halt = halt
        self._session: aiohttp.ClientSession | None = None
        self._made_with: object = None
        self._ssl: Any = True
        self._proxy: str | None = None

    async def dial(self, backend: Backend) -> PodStream:
        """Connect to the pod's port.

        Raises:
            ApiError: why not, in words; ``FORBIDDEN`` names the right that is missing.
        """
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT):
                return await self._dial(backend)
        except ApiError:
            raise
        except (aiohttp.ClientProxyConnectionError, aiohttp.ClientHttpProxyError):
            host = self._transport.config.host
            message = f"The proxy on the way to {host} does not let us through."
            raise ApiError(Fault.PROXY, message) from None
        except Exception as error:
            host = self._transport.config.host
            # aiohttp's own errors are ssl.SSLError by name, without what that says.
            inner = getattr(error, "certificate_error", getattr(error, "os_error", error))
            raise faults.of_exception(inner, host, stopped=self._halt.stopped) from error

    async def close(self) -> None:
        """Close every stream at once."""
        if self._session is not None:
            await self._session.close()

    async def _dial(self, backend: Backend) -> PodStream:
        credentials = self._transport.credentials
        as_whom = await self._blocking(credentials.present)
        try:
            return await self._upgrade(backend, as_whom.headers)
        except ApiError as error:
            if error.kind is not Fault.UNAUTHORIZED:
                raise
            if not await self._blocking(credentials.refresh, as_whom.generation):
                raise
        as_whom = await self._blocking(credentials.present)
        return await self._upgrade(backend, as_whom.headers)

    async def _blocking(self, call: Any, *args: Any) -> Any:
        """In a thread if it may run a plugin or read a file, which the halt ends."""
        auth = self._transport.config.auth
        if not (auth.plugin or auth.token_file):
            return call(*args)

        def guarded() -> Any:
            with self._halt.guarding():
                return call(*args)

        return await asyncio.to_thread(guarded)

    async def _upgrade(self, backend: Backend, headers: list[tuple[str, str]]) -> PodStream:
        config = self._transport.config
        where = path(
            "api", "v1", "namespaces", backend.namespace, "pods", backend.pod, "portforward"
        )
        session = self._opened()
        try:
            socket = await session.ws_connect(
                URL(f"{config.server}{where}?ports={backend.port}", encoded=True),
                protocols=(PROTOCOL,),
                headers=[("User-Agent", f"kscale-tui/{tui.__version__}"), *headers],
                ssl=self._ssl,
                server_hostname=config.tls.server_name,
                proxy=self._proxy,
                max_msg_size=_LONGEST,
                autoclose=False,
                timeout=aiohttp.ClientWSTimeout(ws_close=_CLOSE_TIMEOUT),
            )
        except aiohttp.WSServerHandshakeError as error:
            raise _refusal(error, backend) from None
        if socket.protocol != PROTOCOL:
            await socket.close()
            raise ApiError(
                Fault.NOT_KUBERNETES, "The API server does not serve port-forwards over WebSocket."
            )
        return PodStream(socket, backend)

    def _opened(self) -> aiohttp.ClientSession:
        """The session, with TLS as it is now: a certificate may have been renewed."""
        config = self._transport.config
        certificate: Certificate | None = self._transport.credentials.certificate
        wanted = (certificate, stamp(config.files()))
        if self._made_with != wanted:
            manager = pool.open_pool(config, certificate, 1)
            self._ssl = manager.connection_pool_kw.get("ssl_context", True)
            self._proxy = manager.proxy.url if manager.proxy is not None else None
            self._made_with = wanted
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT),
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=False,
                auto_decompress=False,
            )
        return self._session


_ENDS: Final = frozenset(
    {aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSING, aiohttp.WSMsgType.CLOSED}
)


def _refusal(error: aiohttp.WSServerHandshakeError, backend: Backend) -> ApiError:
    """What it means that the upgrade was answered with something else than 101."""
    if error.status == 403:
        return ApiError(
            Fault.FORBIDDEN,
            "This user may not forward ports: that needs get and create on pods/portforward in "
            f"namespace {backend.namespace}.",
            status=403,
        )
    if error.status == 404:
        return ApiError(
            Fault.NOT_FOUND,
            f"The pod {backend.pod} is gone, or no port-forward is served.",
            status=404,
        )
    headers = {k.lower(): v for k, v in (error.headers or {}).items()}
    if error.status in (101, 200):
        return ApiError(
            Fault.NOT_KUBERNETES,
            "What answers at the API server's address does not open a WebSocket.",
            status=error.status,
        )
    return faults.of_answer(error.status, headers, b"")


def _complaint(message: bytes, backend: Backend) -> str:
    text = one_line(message.decode("utf-8", "replace"), 400)
    if "onnection refused" in text or ("connect" in text and "refused" in text):
        return f"Nothing listens on port {backend.port} of the pod {backend.pod}."
    return f"The node cannot connect to port {backend.port} of the pod {backend.pod}: {text}"
