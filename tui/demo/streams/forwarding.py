"""Port-forward: the ports of a pod on the streams of one connection.

SPDY: each connection has a data stream and an error stream, told apart by their headers.
Channels: each port of the request has a data and an error channel, and one connection.
https://github.com/kubernetes/enhancements/tree/master/keps/sig-api-machinery/4006-transition-spdy-to-websockets
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

from tui.demo.dataplane.network import Network
from tui.demo.streams.pipes import Tunnel
from tui.demo.streams.spdy import Stream

_DATA: Final = "data"
_ERROR: Final = "error"


class _Forward:
    """The data stream of one connection; the error stream goes with it."""

    def __init__(self, data: Stream, error: Stream | None, tunnel: Tunnel) -> None:
        self._data = data
        self._error = error
        self._tunnel = tunnel

    def received(self, data: bytes) -> None:
        self._tunnel.feed(data)

    def finished(self) -> None:
        self._tunnel.finish()

    def lost(self) -> None:
        self._tunnel.close()


class SpdyForwarding:
    """Answers the streams of one port-forward session."""

    def __init__(self, network: Network, address: str, pod: str) -> None:
        self._network = network
        self._address = address
        self._pod = pod
        self._errors: dict[str, Stream] = {}

    def opened(self, stream: Stream) -> None:
        """The client has opened a stream."""
        kind, request = stream.headers.get("streamtype", ""), stream.headers.get("requestid", "")
        if kind == _ERROR:
            self._errors[request] = stream
            return
        error = self._errors.pop(request, None)
        text = stream.headers.get("port", "")
        if kind != _DATA or not text.isdigit() or not 0 < int(text) < 65536:
            stream.reset()
            return
        port = int(text)

        def ended() -> None:
            stream.close()
            if error is not None:
                error.close()

        tunnel = Tunnel(self._network, self._address, port, stream.send, ended)
        if tunnel.problem:
            if error is not None:
                error.send(refusal(self._pod, port, tunnel.problem).encode())
            ended()
            return
        stream.listener = _Forward(stream, error, tunnel)


class ChannelForwarding:
    """Answers the channels of one port-forward request.

    Args:
        network: where the pod's processes listen.
        address: the pod's.
        pod: its name.
        ports: as asked for, in order.
        send: sends bytes on a channel.
    """

    def __init__(
        self,
        network: Network,
        address: str,
        pod: str,
        ports: list[int],
        send: Callable[[int, bytes], None],
    ) -> None:
        self._tunnels: dict[int, Tunnel] = {}
        self.open = 0
        """Ports that are still connected."""
        self._closed: Callable[[], None] = lambda: None
        for index, port in enumerate(ports):
            for channel in (2 * index, 2 * index + 1):
                send(channel, port.to_bytes(2, "little"))
            tunnel = Tunnel(
                network,
                address,
                port,
                partial(send, 2 * index),
                self._ended,
            )
            if tunnel.problem:
                send(2 * index + 1, refusal(pod, port, tunnel.problem).encode())
            else:
                self._tunnels[2 * index] = tunnel
                self.open += 1

    def _ended(self) -> None:
        self.open -= 1
        if self.open <= 0:
            self._closed()

    def on_closed(self, call: Callable[[], None]) -> None:
        """Call when the last port is closed by its process; at once if none is open."""
        self._closed = call
        if self.open <= 0:
            call()

    def received(self, channel: int, data: bytes) -> None:
        """Bytes have come on a channel."""
        tunnel = self._tunnels.get(channel)
        if tunnel is not None:
            tunnel.feed(data)

    def close(self) -> None:
        """The client is gone."""
        for tunnel in self._tunnels.values():
            tunnel.close()


def refusal(pod: str, port: int, why: str) -> str:
    """What the kubelet says of a port where nobody listens."""
    return f"error forwarding port {port} to pod {pod}: failed to execute portforward: {why}"
