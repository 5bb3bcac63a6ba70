"""Single GETs through a route."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from tests.cluster.server import CERTS, Exchange, Server, stall
from tui.cluster import tls
from tui.cluster.access import Tls
from tui.cluster.probe import probe, probing
from tui.cluster.route import Route, RouteKind


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        yield running


def route(url: str, host: str | None = None) -> Route:
    return Route("web", "shop", 80, RouteKind.NODE_PORT, url, host)


def to(server: Server, path: str = "/", host: str | None = None) -> Route:
    return route(server.url + path, host)


def test_status_time_and_who_answered(server: Server) -> None:
    server.on("/health", lambda e: e.reply(200, "ok", "text/plain", X_Served_By="nginx-proxy"))
    ticks = iter([1.0, 2.0, 2.25])
    found = probe(to(server), "/health", clock=lambda: next(ticks))
    assert found.ok
    assert (found.status, found.served_by, found.body, found.problem) == (
        200,
        "nginx-proxy",
        b"ok",
        "",
    )
    assert found.latency == 0.25
    assert found.url == f"{server.url}/health"


def test_an_error_status_is_an_answer(server: Server) -> None:
    server.on("/", lambda e: e.reply(503, "upstream down", "text/plain"))
    found = probe(to(server))
    assert (found.status, found.ok, found.problem) == (503, False, "")


async def test_in_an_event_loop(server: Server) -> None:
    server.on("/", lambda e: e.reply(200, "ok", "text/plain"))
    assert (await probing(to(server))).ok


def test_the_host_of_an_ingress_is_sent(server: Server) -> None:
    server.on("/shop/cart", lambda e: e.reply(200, "", "text/plain"))
    assert probe(to(server, "/shop", "app.example"), "/cart").ok
    assert server.requests[0].headers["host"] == "app.example"


def test_redirects_are_told_and_not_followed(server: Server) -> None:
    with Server() as elsewhere:
        away = f"{elsewhere.url}/login"
        server.on("/", lambda e: e.reply(302, "", "text/plain", Location=away))
        found = probe(to(server))
        assert (found.status, found.redirect, found.ok) == (302, away, False)
        assert elsewhere.requests == []


def test_no_proxy_of_the_environment(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    server.on("/", lambda e: e.reply(200, "ok", "text/plain"))
    assert probe(to(server)).ok


def test_a_body_without_end_is_cut(server: Server) -> None:
    def pour(exchange: Exchange) -> None:
        exchange.start_chunked()
        for _ in range(200):
            exchange.chunk(bytes(65536))

    server.on("/", pour)
    found = probe(to(server), largest=100_000)
    assert (found.status, found.size) == (200, 100_000)


def test_a_server_that_never_answers(server: Server) -> None:
    server.on("/", stall)
    began = time.monotonic()
    found = probe(to(server), timeout=0.2)
    assert time.monotonic() - began < 3.0
    assert found.status == 0
    assert found.problem.endswith("did not answer within 0.2 s.")


def test_a_server_that_drips_is_given_up_too() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        stop = threading.Event()

        def drip() -> None:
            sock, _ = listener.accept()
            with sock, contextlib.suppress(OSError):
                while not stop.wait(0.02):
                    sock.sendall(b"X")

        thread = threading.Thread(target=drip, daemon=True)
        thread.start()
        found = probe(route(f"http://127.0.0.1:{listener.getsockname()[1]}/"), timeout=0.3)
        stop.set()
        thread.join(5)
    assert found.problem.endswith("did not answer within 0.3 s.")


def test_nobody_there_and_no_http() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        where = f"127.0.0.1:{held.getsockname()[1]}"
        assert probe(route(f"http://{where}/")).problem == f"Nothing listens at {where}."
    with socket.create_server(("127.0.0.1", 0)) as listener:
        where = f"127.0.0.1:{listener.getsockname()[1]}"

        def babble() -> None:
            with listener.accept()[0] as sock:
                sock.recv(4096)
                sock.sendall(b"\x00\xffnot http\r\n\r\n")

        threading.Thread(target=babble, daemon=True).start()
        assert "answered with something else" in probe(route(f"http://{where}/")).problem


def test_a_name_that_does_not_resolve() -> None:
    found = probe(route("http://no-such-name.invalid/"), timeout=5.0)
    assert found.status == 0
    assert found.problem


def test_tls() -> None:
    with Server(tls="server") as server:
        server.on("/", lambda e: e.reply(200, "ok", "text/plain"))
        assert "cannot be verified" in probe(to(server)).problem
        trusting = tls.context(Tls(ca_file=str(CERTS / "ca.pem")), None)
        assert probe(to(server), verify=trusting).ok


def test_headers_are_made_printable(server: Server) -> None:
    server.on("/", lambda e: e.reply(200, "", "text/plain", X_Served_By="a\x1b[31mb" + "x" * 500))
    found = probe(to(server))
    assert found.served_by.isprintable()
    assert len(found.served_by) <= 80


@pytest.mark.parametrize(
    "path", ["//evil.example/", "evil", "http://evil.example/", "/\\evil", "/a b", "/a\r\nX: y"]
)
def test_a_path_cannot_name_another_host(server: Server, path: str) -> None:
    found = probe(to(server), path)
    assert found.problem == "That path would lead to another host."
    assert server.requests == []
