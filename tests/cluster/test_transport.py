"""Requests: what is sent, what failures mean, and how they end."""

from __future__ import annotations

import base64
import gzip
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.server import AT_ONCE, CERTS, Exchange, Server, eventually, stall, status
from tui.cluster.access import Auth, Certificate, ClusterConfig, Tls
from tui.cluster.errors import ApiError, Fault
from tui.cluster.halt import Halt
from tui.cluster.transport import Transport, path

OK = {"kind": "PodList", "items": []}


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        running.on("/x", lambda e: e.reply(200, OK))
        yield running


def to(server: Server, **more: Any) -> Transport:
    return Transport(ClusterConfig(server.url, **more))


def failing(transport: Transport, where: str = "/x", **more: Any) -> ApiError:
    with pytest.raises(ApiError) as caught:
        transport.get(where, **more)
    assert caught.value.message.isprintable()
    return caught.value


def test_get_gives_bytes_and_reuses_its_connection(server: Server) -> None:
    transport = to(server)
    for _ in range(3):
        response = transport.get("/x", {"limit": 5, "pretty": False, "labelSelector": "a=b&c"})
        assert response.status == 200
        assert json.loads(response.body) == OK
        assert response.headers["content-type"] == "application/json"
    assert server.requests[0].query == {"limit": "5", "labelSelector": "a=b&c", "pretty": "false"}
    assert server.requests[0].headers["user-agent"].startswith("kscale-tui/")
    ports = {r.handler.client_address[1] for r in server.requests}
    assert len(ports) == 1


def test_request_sends_a_body(server: Server) -> None:
    server.on(
        "/y", lambda e: e.reply(200, {"got": e.body.decode(), "as": e.headers["content-type"]})
    )
    response = to(server).request(
        "PATCH",
        "/y",
        {"fieldManager": "k"},
        body=b"a: 1",
        content_type="application/apply-patch+yaml",
    )
    assert json.loads(response.body) == {"got": "a: 1", "as": "application/apply-patch+yaml"}


def test_other_answers_than_json_may_be_asked_for(server: Server) -> None:
    server.on("/log", lambda e: e.reply(200, "<html>not markup, a log</html>\n", "text/plain"))
    assert to(server).get("/log", accept="*/*").body.startswith(b"<html>")
    assert failing(to(server), "/log").kind is Fault.NOT_KUBERNETES


def test_gzip_is_unpacked(server: Server) -> None:
    packed = gzip.compress(json.dumps(OK).encode())
    server.on("/z", lambda e: e.reply(200, packed, Content_Encoding="gzip"))
    assert json.loads(to(server).get("/z").body) == OK
    server.on("/z", lambda e: e.reply(200, b"{}", Content_Encoding="gzip"))
    assert failing(to(server), "/z").kind is Fault.BAD_REPLY


@pytest.mark.parametrize(("here", "asked"), [(True, "identity"), (False, "gzip")])
def test_nothing_is_packed_on_its_way_within_one_machine(
    server: Server, monkeypatch: pytest.MonkeyPatch, here: bool, asked: str
) -> None:
    if not here:
        monkeypatch.setattr(ClusterConfig, "loopback", False)
    to(server).get("/x")
    assert server.requests[0].headers["accept-encoding"] == asked


def test_paths_are_quoted() -> None:
    assert path("api", "v1", "namespaces", "a/../b?x#y %", "pods") == (
        "/api/v1/namespaces/a%2F..%2Fb%3Fx%23y%20%25/pods"
    )
    assert path("a", "..", "b") == "/a/%2E%2E/b"


def test_a_base_path_in_the_server_address_is_kept(server: Server) -> None:
    server.on("/k8s/c-1/x", lambda e: e.reply(200, OK))
    config = ClusterConfig(f"{server.url}/k8s/c-1")
    assert Transport(config).get("/x").status == 200


def test_the_clock_skew_is_learned_from_answers(server: Server) -> None:
    server.date = time.time() + 600
    transport = to(server)
    assert transport.skew == 0
    for _ in range(3):
        transport.get("/x")
    assert transport.skew == pytest.approx(600, abs=2)


def test_one_answer_that_took_long_moves_no_clock(server: Server) -> None:
    transport = to(server)
    for ahead in (0, 0, 600, 0):
        server.date = time.time() + ahead
        transport.get("/x")
    assert transport.skew == pytest.approx(0, abs=5)


def test_a_watch_that_is_packed_is_refused(server: Server) -> None:
    server.on("/x", lambda e: e.start(Content_Encoding="gzip"), watch=True)
    with pytest.raises(ApiError) as caught:
        to(server).stream("/x", {"watch": True})
    assert caught.value.kind is Fault.BAD_REPLY
    assert "packs a watch" in caught.value.message


# Credentials.


def test_a_401_leads_to_one_refresh_and_one_retry(server: Server, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("old")

    def guarded(exchange: Any) -> None:
        if exchange.headers["authorization"] == "Bearer new":
            exchange.reply(200, OK)
        else:
            token.write_text("new")
            status(401, "Unauthorized")(exchange)

    server.on("/x", guarded)
    transport = to(server, auth=Auth(token_file=str(token)))
    assert transport.get("/x").status == 200
    assert [r.headers["authorization"] for r in server.requests] == ["Bearer old", "Bearer new"]


def test_a_401_that_stays_is_not_hammered(server: Server) -> None:
    server.on("/x", status(401, "Unauthorized"))
    error = failing(to(server, auth=Auth(token="SECRET")))
    assert (error.kind, error.status) == (Fault.UNAUTHORIZED, 401)
    assert len(server.requests) == 1
    assert "SECRET" not in repr(error.__dict__)


def test_impersonation_headers_repeat(server: Server) -> None:
    seen: list[list[str]] = []

    def answer(exchange: Any) -> None:
        seen.append(exchange.handler.headers.get_all("Impersonate-Group"))
        exchange.reply(200, OK)

    server.on("/x", answer)
    groups = (("Impersonate-Group", "a"), ("Impersonate-Group", "b"))
    to(server, auth=Auth(impersonate=groups)).get("/x")
    assert seen == [["a", "b"]]


def test_credentials_do_not_follow_redirects(server: Server) -> None:
    with Server() as other:
        server.on("/x", lambda e: e.reply(302, "", Location=f"{other.url}/x"))
        error = failing(to(server, auth=Auth(token="t")))
        assert error.kind is Fault.NOT_KUBERNETES
        assert "redirect" in error.message
        assert other.requests == []


# TLS.


@pytest.mark.parametrize(
    ("certificate", "tls", "words"),
    [
        ("expired", Tls(ca_file=str(CERTS / "ca.pem")), "has expired"),
        ("other", Tls(ca_file=str(CERTS / "ca.pem")), "another"),
        (
            "server",
            Tls(ca_file=str(CERTS / "client.pem")),
            "a CA that the kubeconfig does not name",
        ),
        ("server", Tls(), "a CA that the kubeconfig does not name"),
    ],
)
def test_certificate_trouble_is_told_apart(certificate: str, tls: Tls, words: str) -> None:
    with Server(tls=certificate) as server:
        error = failing(to(server, tls=tls))
    assert error.kind is Fault.TLS
    assert words in error.message


@pytest.mark.parametrize(
    ("certificate", "tls"),
    [
        ("server", Tls(ca_file=str(CERTS / "ca.pem"))),
        ("server", Tls(ca_data=(CERTS / "ca.pem").read_bytes())),
        ("other", Tls(ca_file=str(CERTS / "ca.pem"), server_name="other.example")),
        ("expired", Tls(insecure=True)),
    ],
)
def test_tls_that_is_in_order(certificate: str, tls: Tls, recwarn: pytest.WarningsRecorder) -> None:
    with Server(tls=certificate) as server:
        server.on("/x", lambda e: e.reply(200, OK))
        assert to(server, tls=tls).get("/x").status == 200
    assert not [w for w in recwarn if "Unverified" in str(w.message)]


def test_client_certificates() -> None:
    trusted = Tls(ca_file=str(CERTS / "ca.pem"))
    ours = Certificate(
        cert_data=(CERTS / "client.pem").read_bytes(), key_data=(CERTS / "client.key").read_bytes()
    )
    with Server(tls="server", client_ca=True) as server:
        server.on("/x", lambda e: e.reply(200, {"who": str(e.handler.connection.getpeercert())}))
        answer = to(server, tls=trusted, auth=Auth(certificate=ours)).get("/x")
        assert b"ada" in answer.body
        error = failing(to(server, tls=trusted))
        assert error.kind in (Fault.TLS, Fault.BROKEN)


def test_a_rotated_ca_is_taken_up(tmp_path: Path) -> None:
    ca = tmp_path / "ca.pem"
    ca.write_bytes((CERTS / "client.pem").read_bytes())
    with Server(tls="server") as server:
        server.on("/x", lambda e: e.reply(200, OK))
        transport = to(server, tls=Tls(ca_file=str(ca)))
        assert failing(transport).kind is Fault.TLS
        ca.write_bytes((CERTS / "ca.pem").read_bytes() + b"\n")
        assert transport.get("/x").status == 200


def test_a_certificate_renewed_while_the_old_one_is_refused_is_tried_at_once(
    tmp_path: Path,
) -> None:
    cert = tmp_path / "cert"
    cert.write_bytes((CERTS / "client.pem").read_bytes())
    auth = Auth(certificate=Certificate(cert_file=str(cert), key_file=str(CERTS / "client.key")))

    def renew(exchange: Exchange) -> None:
        cert.write_bytes((CERTS / "client.pem").read_bytes() + b"\n")
        status(401, "Unauthorized")(exchange)

    with Server(tls="server", client_ca=True) as server:
        server.on("/x", renew, lambda e: e.reply(200, OK))
        transport = to(server, tls=Tls(ca_file=str(CERTS / "ca.pem")), auth=auth)
        assert transport.get("/x").status == 200
        assert len(server.requests) == 2


def test_plain_and_tls_mixed_up(server: Server) -> None:
    error = failing(Transport(ClusterConfig(f"https://127.0.0.1:{server.port}")))
    assert error.kind is Fault.TLS
    assert "http://" in error.message
    refusal = "Client sent an HTTP request to an HTTPS server.\n"
    server.on("/x", lambda e: e.reply(400, refusal, "text/plain"))
    error = failing(to(server))
    assert error.kind is Fault.NOT_KUBERNETES
    assert "https://" in error.message


# Failures.


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    error = failing(Transport(ClusterConfig(f"http://127.0.0.1:{port}")))
    assert error.kind is Fault.REFUSED
    assert f"127.0.0.1:{port}" in error.message


def test_a_name_that_does_not_resolve(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: Any, **__: Any) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    error = failing(Transport(ClusterConfig("http://no-such-host.invalid:6443")))
    assert error.kind is Fault.DNS
    assert "no-such-host.invalid" in error.message


def test_a_look_up_that_hangs_can_be_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: release.wait(30) and [])
    halt = Halt()
    threading.Timer(0.1, halt.stop).start()
    start = time.monotonic()
    error = failing(Transport(ClusterConfig("http://slow.invalid:6443")), halt=halt)
    assert error.kind is Fault.STOPPED
    assert time.monotonic() - start < AT_ONCE
    release.set()


def test_a_server_that_says_nothing(server: Server) -> None:
    server.on("/x", stall)
    assert failing(to(server), timeout=0.2).kind is Fault.TIMEOUT


def test_a_body_that_is_shorter_than_promised(server: Server) -> None:
    def short(exchange: Any) -> None:
        exchange.start(Content_Length="100")
        exchange.write(b"{")
        exchange.handler.close_connection = True

    server.on("/x", short)
    assert failing(to(server)).kind is Fault.BROKEN


def test_what_is_no_http_at_all() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")

        threading.Thread(target=answer, daemon=True).start()
        error = failing(Transport(ClusterConfig(f"http://127.0.0.1:{listener.getsockname()[1]}")))
    assert error.kind in (Fault.BROKEN, Fault.BAD_REPLY)


@pytest.mark.parametrize(
    "proxy", ["socks5://127.0.0.1:1", "odd://127.0.0.1:1", "http://127.0.0.1:1"]
)
def test_a_proxy_that_is_of_no_use(proxy: str) -> None:
    error = failing(Transport(ClusterConfig("https://10.0.0.1:6443", proxy=proxy)))
    assert error.kind is Fault.PROXY


def test_a_proxy_is_used_when_one_is_named(server: Server) -> None:
    """A plain-http target is asked for through the proxy by its whole URL."""
    server.on("/x", lambda e: e.reply(200, OK))
    transport = Transport(ClusterConfig("http://cluster.invalid:8080", proxy=server.url))
    assert transport.get("/x").status == 200
    assert server.requests[0].headers["host"] == "cluster.invalid:8080"


def test_what_is_on_this_machine_is_not_asked_for_through_a_proxy(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert to(server).get("/x").status == 200


# Streams.


def test_a_stream_gives_batches_and_closes_from_another_thread(server: Server) -> None:
    def answer(exchange: Any) -> None:
        exchange.start_chunked()
        exchange.chunk(b"one\ntwo\n\nthr")
        exchange.chunk(b"ee\n")
        exchange.stall()

    server.on("/x", answer, watch=True)
    stream = to(server).stream("/x", {"watch": True})
    got: list[bytes] = []
    ended: list[BaseException | None] = []

    def read() -> None:
        try:
            for batch in stream:
                got.extend(batch)
            ended.append(None)
        except ApiError as error:
            ended.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    eventually(lambda: got == [b"one", b"two", b"three"])
    start = time.monotonic()
    stream.close()
    reader.join(5)
    assert time.monotonic() - start < AT_ONCE
    assert len(ended) == 1


def test_a_stream_without_chunks_and_with_close_can_be_stopped(server: Server) -> None:
    def answer(exchange: Any) -> None:
        exchange.start(Connection="close")
        exchange.write(b"one\n")
        exchange.stall()

    server.on("/x", answer, watch=True)
    halt = Halt()
    stream = to(server).stream("/x", {"watch": True}, halt=halt)
    batches = iter(stream)
    assert next(batches) == [b"one"]
    threading.Timer(0.1, halt.stop).start()
    start = time.monotonic()
    with pytest.raises((ApiError, StopIteration)):
        next(batches)
    assert time.monotonic() - start < AT_ONCE


def test_a_stream_over_tls_can_be_stopped() -> None:
    def answer(exchange: Any) -> None:
        exchange.start_chunked()
        exchange.chunk(b"one\n")
        exchange.stall()

    with Server(tls="server") as server:
        server.on("/x", answer, watch=True)
        halt = Halt()
        transport = to(server, tls=Tls(ca_file=str(CERTS / "ca.pem")))
        batches = iter(transport.stream("/x", {"watch": True}, halt=halt))
        assert next(batches) == [b"one"]
        threading.Timer(0.1, halt.stop).start()
        start = time.monotonic()
        with pytest.raises(ApiError) as caught:
            next(batches)
        assert caught.value.kind is Fault.STOPPED
        assert time.monotonic() - start < AT_ONCE


def test_a_stream_tells_whether_more_has_arrived() -> None:
    def answer(exchange: Any) -> None:
        exchange.start_chunked()
        exchange.chunk(b"one\n")
        sent.wait(10)
        exchange.chunk(b"two\n")
        exchange.stall()

    sent = threading.Event()
    with Server(tls="server") as server:
        server.on("/x", answer, watch=True)
        stream = to(server, tls=Tls(ca_file=str(CERTS / "ca.pem"))).stream("/x", {"watch": True})
        batches = iter(stream)
        assert next(batches) == [b"one"]
        assert not stream.more
        sent.set()
        eventually(lambda: stream.more)
        assert next(batches) == [b"two"]
        assert not stream.more
        stream.close()
        assert not stream.more


def test_a_silent_stream_ends_with_its_read_timeout(server: Server) -> None:
    def answer(exchange: Any) -> None:
        exchange.start_chunked()
        exchange.stall()

    server.on("/x", answer, watch=True)
    stream = to(server).stream("/x", {"watch": True}, read_timeout=0.2)
    with pytest.raises(ApiError) as caught:
        list(stream)
    assert caught.value.kind is Fault.TIMEOUT


# Imports.


def test_the_kubernetes_package_is_imported_late_and_in_part() -> None:
    code = """
import sys
import tui.cluster.session, tui.cluster.kubeconfig
assert not [m for m in sys.modules if m.partition(".")[0] in ("kubernetes", "urllib3", "yaml")]
from tui.cluster.access import ClusterConfig
from tui.cluster.pool import open_pool
open_pool(ClusterConfig("https://127.0.0.1:1"), None, 4)
assert "pydantic" not in sys.modules
import kubernetes
assert kubernetes.client.ApiClient and kubernetes.watch.Watch
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_nothing_is_logged_on_the_terminal(
    server: Server, capfd: pytest.CaptureFixture[str]
) -> None:
    server.on("/x", lambda e: e.reply(200, OK, Bad_Header=""))
    to(server).get("/x")
    assert capfd.readouterr() == ("", "")


TOKEN = "eyJhbGciOiJSUzI1NiIs" + "x7" * 300
BASIC = base64.b64encode(b"ada:lovelace").decode()


@pytest.mark.parametrize(
    ("body", "kind", "code"),
    [
        (
            {"kind": "Status", "code": 500, "message": f"no: {TOKEN} {BASIC} ada:lovelace"},
            None,
            500,
        ),
        ("".join(f"\\u{ord(c):04x}" for c in f"{TOKEN}lovelace"), None, 500),
        (OK, TOKEN, 200),
    ],
    ids=["as it is", "escaped", "as the type of the answer"],
)
@pytest.mark.parametrize("auth", [Auth(token=TOKEN), Auth(username="ada", password="lovelace")])
def test_credentials_that_a_server_repeats_are_in_no_message(
    server: Server, auth: Auth, body: Any, kind: str | None, code: int
) -> None:
    if isinstance(body, str):
        body = b'{"kind":"Status","code":500,"message":"' + body.encode() + b'"}'
    if kind is not None:
        body = b"no JSON"
    server.on("/x", lambda e: e.reply(code, body, *([kind] if kind is not None else [])))
    error = failing(to(server, auth=auth))
    said = f"{error.message} {error!r}"
    secrets = [TOKEN[:16]] if auth.token else [BASIC, "lovelace"]
    assert not [secret for secret in secrets if secret in said]


def test_an_answer_that_unpacks_to_far_more_than_was_sent_is_given_up(server: Server) -> None:
    packed = gzip.compress(b" " * 64_000_000)
    server.on("/x", lambda e: e.reply(200, packed, **{"Content-Encoding": "gzip"}))
    error = failing(to(server))
    assert (error.kind, error.message) == (Fault.BAD_REPLY, "The server's answer is too long.")


def test_a_long_list_of_pods_that_are_all_alike_may_be_packed(server: Server) -> None:
    pods = [{"metadata": {"name": f"pod-{n}", "uid": f"{n:032x}"}} for n in range(100_000)]
    body = json.dumps({"kind": "PodList", "items": pods}).encode()
    packed = gzip.compress(body)
    assert len(body) > 5_000_000
    server.on("/x", lambda e: e.reply(200, packed, **{"Content-Encoding": "gzip"}))
    assert to(server).get("/x").body == body
