"""Port-forwards, against a server that speaks the kubelet's protocol."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import random
import socket
import struct
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.cluster.forwarding import Cluster, answering, echo, saying
from tests.cluster.server import CERTS, eventually
from tui.cluster.access import Auth, Certificate, ClusterConfig, Tls
from tui.cluster.errors import ApiError, Fault
from tui.cluster.forward import STOP_WITHIN, Forwards
from tui.cluster.pod_stream import PodStream, _complaint
from tui.cluster.route_plan import Backend
from tui.cluster.transport import Transport

WEB = Backend("shop", "web", 80)


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    with Cluster() as running:
        yield running


class Forwarding:
    """Forwards of a cluster, closed at the end; ``open`` gives connected sockets."""

    def __init__(self, config: ClusterConfig, **options: Any) -> None:
        self.forwards = Forwards(Transport(config), **options)
        self._sockets: list[socket.socket] = []

    def connect(self, *backends: Backend, key: str = "web") -> socket.socket:
        port = self.forwards.open(key, lambda: backends)
        self._sockets.append(socket.create_connection(("127.0.0.1", port), timeout=10))
        return self._sockets[-1]

    def __enter__(self) -> Forwarding:
        return self

    def __exit__(self, *_: object) -> None:
        for sock in self._sockets:
            sock.close()
        assert self.forwards.close()


def to(cluster: Cluster, **options: Any) -> Forwarding:
    return Forwarding(ClusterConfig(cluster.url), **options)


def first(backends: Sequence[Backend]) -> Backend:
    return backends[0]


def everything(sock: socket.socket) -> bytes:
    pieces = []
    while data := sock.recv(65536):
        pieces.append(data)
    return b"".join(pieces)


def test_bytes_arrive_as_they_were_sent(cluster: Cluster) -> None:
    cluster.pod("web", 80, echo)
    sent = random.Random(7).randbytes(3_000_000)
    with to(cluster) as forwarding:
        sock = forwarding.connect(WEB)
        threading.Thread(target=sock.sendall, args=(sent,), daemon=True).start()
        got = b""
        while len(got) < len(sent):
            got += sock.recv(1 << 20)
    assert got == sent
    (request,) = cluster.requests
    assert request["Sec-WebSocket-Protocol"] == "v4.channel.k8s.io"


def test_each_connection_goes_to_a_pod_of_its_own(cluster: Cluster) -> None:
    pods = [Backend("shop", name, 80) for name in ("a", "b", "c")]
    for pod in pods:
        cluster.pod(pod.pod, 80, saying(pod.pod))
    turns = iter(range(99))
    with to(cluster, choose=lambda left: pods[next(turns) % 3]) as forwarding:
        said = [forwarding.connect(*pods).recv(9) for _ in range(6)]
        tally = forwarding.forwards.tally("web")
    assert said == [b"a", b"b", b"c"] * 2
    assert tally is not None
    assert (tally.accepted, tally.failed, tally.pods) == (6, 0, {"a": 2, "b": 2, "c": 2})


def test_pods_are_chosen_from_those_that_are_ready_now(cluster: Cluster) -> None:
    cluster.pod("old", 80, saying("old"))
    cluster.pod("new", 80, saying("new"))
    ready = [Backend("shop", "old", 80)]
    with to(cluster) as forwarding:
        port = forwarding.forwards.open("k", lambda: ready)
        with socket.create_connection(("127.0.0.1", port), timeout=10) as sock:
            assert sock.recv(9) == b"old"
        ready[:] = [Backend("shop", "new", 80)]
        with socket.create_connection(("127.0.0.1", port), timeout=10) as sock:
            assert sock.recv(9) == b"new"
        assert forwarding.forwards.open("k", lambda: ()) == port


def test_a_pod_that_has_just_gone_costs_nothing(cluster: Cluster) -> None:
    cluster.pod("web", 80, saying("web"))
    with to(cluster, choose=first) as forwarding:
        sock = forwarding.connect(Backend("shop", "gone", 80), WEB)
        assert sock.recv(9) == b"web"
    assert [request["pod"] for request in cluster.requests] == ["gone", "web"]


def test_no_pod_is_a_reset_and_not_an_empty_answer(cluster: Cluster) -> None:
    with to(cluster) as forwarding:
        with pytest.raises(ConnectionResetError):
            forwarding.connect().recv(1)
        tally = forwarding.forwards.tally("web")
    assert tally is not None
    assert tally.failed == 1
    assert tally.problem == "No pod behind the Service is ready."


def test_connections_over_the_bound_are_closed_at_once(cluster: Cluster) -> None:
    cluster.pod("web", 80, saying("web"))
    with to(cluster, most=2) as forwarding:
        held = [forwarding.connect(WEB) for _ in range(2)]
        assert [sock.recv(9) for sock in held] == [b"web", b"web"]
        with pytest.raises(ConnectionResetError):
            forwarding.connect(WEB).recv(1)
        held[0].close()

        def again() -> bool:
            try:
                return forwarding.connect(WEB).recv(9) == b"web"
            except ConnectionResetError:
                return False

        assert eventually(again)
        tally = forwarding.forwards.tally("web")
    assert tally is not None
    assert tally.refused >= 1
    assert "More than 2" in tally.problem


def test_a_half_closed_connection_still_gets_its_answer(cluster: Cluster) -> None:
    cluster.pod("web", 80, answering("web"))
    with to(cluster) as forwarding:
        sock = forwarding.connect(WEB)
        sock.sendall(b"GET / HTTP/1.1\r\n\r\n")
        sock.shutdown(socket.SHUT_WR)
        assert everything(sock).endswith(b"\r\n\r\nweb")


def test_a_pod_that_closes_is_an_end_and_a_broken_way_is_a_reset(cluster: Cluster) -> None:
    cluster.pod("web", 80, answering("web"))
    with to(cluster) as forwarding:
        sock = forwarding.connect(WEB)
        sock.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert everything(sock).endswith(b"web")

        async def cut(ws: Any) -> None:
            ws._req.transport.abort()

        cluster.end = cut
        sock = forwarding.connect(WEB)
        sock.sendall(b"GET / HTTP/1.1\r\n\r\n")
        with pytest.raises(ConnectionResetError):
            everything(sock)
        tally = forwarding.forwards.tally("web")
    assert tally is not None
    assert (tally.failed, tally.problem) == (1, "The way to the pod web was cut.")


def test_a_client_that_does_not_read_holds_the_pod_back(cluster: Cluster) -> None:
    async def pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            for _ in range(8000):
                writer.write(bytes(32768))
                await writer.drain()

    cluster.pod("web", 80, pour)
    with to(cluster) as forwarding:
        sock = forwarding.connect(WEB)
        eventually(lambda: cluster.sent > 100_000)
        before = -1
        while before != cluster.sent:
            before = cluster.sent
            time.sleep(0.15)
        assert cluster.sent < 100_000_000
        assert len(sock.recv(1)) == 1


def test_a_check_tells_what_is_wrong(cluster: Cluster) -> None:
    cluster.pod("web", 80, saying("web"))
    cluster.status = {"locked": 403, "odd": 500}
    with to(cluster) as forwarding:
        forwarding.forwards.check(WEB)
        said: dict[str, tuple[Fault, str]] = {}
        for name, port in (("web", 81), ("gone", 80), ("locked", 80), ("odd", 80)):
            with pytest.raises(ApiError) as caught:
                forwarding.forwards.check(Backend("shop", name, port))
            said[name] = (caught.value.kind, caught.value.message)
    assert said["web"] == (Fault.UNAVAILABLE, "Nothing listens on port 81 of the pod web.")
    assert said["gone"][0] is Fault.NOT_FOUND
    assert said["locked"][0] is Fault.FORBIDDEN
    assert "create on pods/portforward in namespace shop" in said["locked"][1]
    assert said["odd"][0] is Fault.SERVER


def test_what_a_node_says_is_made_printable() -> None:
    said = _complaint(b"boom \x1b[31m\xff[/]" + b"x" * 9999, WEB)
    assert said.isprintable()
    assert len(said) < 500


def test_a_server_without_the_protocol(cluster: Cluster) -> None:
    with Cluster(protocol="v5.channel.k8s.io") as other:
        other.pod("web", 80, echo)
        with to(other) as forwarding, pytest.raises(ApiError) as caught:
            forwarding.forwards.check(WEB)
    assert caught.value.kind is Fault.NOT_KUBERNETES


def test_nobody_at_home() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{held.getsockname()[1]}"
        with Forwarding(ClusterConfig(url)) as forwarding, pytest.raises(ApiError) as caught:
            forwarding.forwards.check(WEB)
    assert caught.value.kind is Fault.REFUSED


def test_tls_with_a_client_certificate_and_another_name() -> None:
    with Cluster(tls=True, client_ca=True) as cluster:
        cluster.pod("web", 80, saying("web"))
        mine = Certificate(str(CERTS / "client.pem"), str(CERTS / "client.key"))
        good = Tls(ca_file=str(CERTS / "ca.pem"))
        with Forwarding(ClusterConfig(cluster.url, tls=good, auth=Auth(certificate=mine))) as f:
            assert f.connect(WEB).recv(9) == b"web"
        wrong = Tls(ca_file=str(CERTS / "ca.pem"), server_name="other.example")
        for tls, auth in ((Tls(), Auth(certificate=mine)), (wrong, Auth(certificate=mine))):
            with (
                Forwarding(ClusterConfig(cluster.url, tls=tls, auth=auth)) as f,
                pytest.raises(ApiError) as caught,
            ):
                f.forwards.check(WEB)
            assert caught.value.kind is Fault.TLS


def test_a_token_that_was_renewed_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("old")
    with Cluster(token="old") as cluster:
        cluster.pod("web", 80, saying("web"))
        with Forwarding(ClusterConfig(cluster.url, auth=Auth(token_file=str(file)))) as forwarding:
            assert forwarding.connect(WEB).recv(9) == b"web"
            cluster.token = "new"
            file.write_text("new")
            assert forwarding.connect(WEB).recv(9) == b"web"
            cluster.token = "a third, which nobody has"
            with pytest.raises(ApiError) as caught:
                forwarding.forwards.check(WEB)
    assert caught.value.kind is Fault.UNAUTHORIZED


def test_a_way_through_a_proxy(cluster: Cluster) -> None:
    asked: list[bytes] = []

    async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        there, away = await asyncio.open_connection("127.0.0.1", secure.port)
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        await asyncio.gather(_pipe(reader, away), _pipe(there, writer))

    with Cluster(tls=True) as secure:
        secure.pod("web", 80, saying("web"))
        cluster.pod("proxy", 1, proxy)
        port = cluster._pods["proxy", 1]
        tls = Tls(ca_file=str(CERTS / "ca.pem"), server_name="127.0.0.1")
        config = ClusterConfig(
            "https://cluster.invalid:6443", tls=tls, proxy=f"http://127.0.0.1:{port}"
        )
        with Forwarding(config) as forwarding:
            assert forwarding.connect(WEB).recv(9) == b"web"
    assert asked[0].startswith(b"CONNECT cluster.invalid:6443 ")


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
    writer.close()


def test_everything_ends_within_a_second(cluster: Cluster) -> None:
    cluster.pod("web", 80, saying("web"))
    with to(cluster) as forwarding:
        sockets = [forwarding.connect(WEB) for _ in range(20)]
        assert all(sock.recv(9) == b"web" for sock in sockets)
        port = forwarding.forwards.open("web", tuple)
        began = time.monotonic()
        assert forwarding.forwards.close()
        assert time.monotonic() - began < STOP_WITHIN
        for sock in sockets:
            with contextlib.suppress(ConnectionResetError):
                assert sock.recv(1) == b""
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), timeout=5)
        with pytest.raises(ApiError) as caught:
            forwarding.forwards.open("web", tuple)
    assert caught.value.kind is Fault.STOPPED
    assert not [t for t in threading.enumerate() if t.name == "port-forward"]


def test_a_server_that_never_answers_does_not_hold_up_the_end() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with Forwarding(ClusterConfig(url)) as forwarding:
            caught: list[ApiError] = []

            def check() -> None:
                try:
                    forwarding.forwards.check(WEB)
                except ApiError as error:
                    caught.append(error)

            thread = threading.Thread(target=check)
            thread.start()
            silent.accept()[0].setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
            )
            began = time.monotonic()
            assert forwarding.forwards.close()
            thread.join(5)
            assert time.monotonic() - began < STOP_WITHIN
    assert [error.kind for error in caught] == [Fault.STOPPED]


def test_nothing_of_a_connection_stays_in_memory() -> None:
    """Without the collector of cycles, which comes too rarely for buffers of that size."""
    with Cluster(tls=True) as cluster:
        cluster.pod("web", 80, answering("web"))
        config = ClusterConfig(cluster.url, tls=Tls(ca_file=str(CERTS / "ca.pem")))
        with Forwarding(config) as forwarding:
            gc.collect()
            gc.disable()
            try:
                for _ in range(5):
                    sock = forwarding.connect(WEB)
                    sock.sendall(b"GET / HTTP/1.1\r\n\r\n")
                    assert everything(sock).endswith(b"web")

                def kept() -> list[object]:
                    types = (aiohttp.ClientWebSocketResponse, PodStream)
                    return [o for o in gc.get_objects() if isinstance(o, types)]

                assert eventually(lambda: not kept())
            finally:
                gc.enable()
