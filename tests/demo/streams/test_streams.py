"""Port-forward, exec, attach and proxy, as kubectl and the Python client ask for them."""

from __future__ import annotations

import asyncio
import io
import ssl
import tarfile
from random import Random
from typing import Any

import aiohttp
import msgspec
import pytest

from tests.demo.http import TOKEN, Http
from tests.demo.streams import spdyclient
from tests.demo.streams.spdyclient import SpdyClient
from tui.demo.streams import service_links, spdy
from tui.demo.streams.archive import bytes_of

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
TUNNEL = "SPDY/3.1+portforward.k8s.io"


def _pod(http: Http, app: str) -> str:
    pods = http.cluster.store.list_at("pods", "default", None)
    name = next(pod.name for pod in pods if pod.name.startswith(app))
    return f"/api/v1/namespaces/default/pods/{name}"


def _socket(http: Http, path: str, *protocols: str) -> Any:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    return http.session.ws_connect(path, headers=headers, protocols=protocols)


async def _exec(http: Http, *command: str, typed: bytes | None = None, tty: bool = False) -> Any:
    query = "&".join(f"command={word}" for word in command)
    query += "&stdout=true&stderr=true"
    if typed is not None:
        query += "&stdin=true"
    if tty:
        query += "&tty=true"
    path = f"{_pod(http, 'nginx-proxy')}/exec?{query}"
    found = {1: b"", 2: b"", 3: b""}
    async with _socket(http, path, "v5.channel.k8s.io") as socket:
        if typed is not None:
            await socket.send_bytes(b"\x00" + typed)
            await socket.send_bytes(b"\xff\x00")
        async for message in socket:
            found[message.data[0]] += message.data[1:]
    return found[1].decode(), found[2].decode(), msgspec.json.decode(found[3])


async def test_files_are_copied_in_and_out(http: Http) -> None:
    content = bytes(range(256))
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as packed:
        for name in ("a.bin", "../out"):
            one = tarfile.TarInfo(name)
            one.size = len(content)
            packed.addfile(one, io.BytesIO(content))
    sent = archive.getvalue()
    _, _, status = await _exec(http, "tar", "-xmf", "-", "-C", "/tmp", typed=sent)
    assert status["status"] == "Success"
    shell = http.cluster.handlers.sessions
    assert shell is not None
    pods = http.cluster.store.list_at("pods", "default", None)
    pod = next(pod for pod in pods if pod.name.startswith("nginx-proxy"))
    opened = shell.shell(pod, shell.container(pod, ""))
    assert (await opened.run(["ls", "/tmp"])).out == "a.bin\n"
    packed_again = await opened.run(["tar", "cf", "-", "/tmp/a.bin"])
    assert packed_again.err == "tar: removing leading '/' from member names\n"
    with tarfile.open(fileobj=io.BytesIO(bytes_of(packed_again.out))) as found:
        [name] = found.getnames()
        member = found.extractfile(name)
        assert member is not None
        assert (name, member.read()) == ("tmp/a.bin", content)
    said, _, status = await _exec(http, "sh", "-c", "cat%3B%20exit%203", typed=b"hi\n")
    assert (said, status["details"]["causes"][0]["message"]) == ("hi\n", "3")
    opens = "command%20-v%20bash%20>/dev/null%20%26%26%20exec%20bash%20||%20exec%20sh"
    said, _, _ = await _exec(http, "sh", "-c", opens, typed=b"echo one\n")
    assert said == "one\n"


async def test_ports_on_channels(http: Http) -> None:
    path = f"{_pod(http, 'nginx-proxy')}/portforward?ports=80,9999"
    async with _socket(http, path, "v4.channel.k8s.io") as socket:
        assert socket.protocol == "v4.channel.k8s.io"
        greetings = [(await socket.receive_bytes()) for _ in range(4)]
        assert greetings[0] == b"\x00P\x00"
        assert greetings[2] == b"\x02\x0f\x27"
        refused = await socket.receive_bytes()
        assert refused[0] == 3
        assert b"connect: connection refused" in refused
        for _ in range(2):
            await socket.send_bytes(b"\x00" + GET)
            answer = await socket.receive_bytes()
            assert answer.startswith(b"\x00HTTP/1.1 200 OK")


async def test_ports_through_a_tunnel(http: Http) -> None:
    client = SpdyClient()
    async with _socket(http, f"{_pod(http, 'fastapi')}/portforward", TUNNEL) as socket:
        assert socket.protocol == TUNNEL
        for number, port in ((1, "80"), (5, "81")):
            head = {"streamtype": "error", "port": port, "requestid": port}
            await socket.send_bytes(client.syn(number, head, fin=True))
            await socket.send_bytes(client.syn(number + 2, head | {"streamtype": "data"}))
        await socket.send_bytes(spdyclient.data(3, GET))
        frames: dict[int, bytes] = {}
        async for message in socket:
            for stream, _, content in client.feed(message.data):
                frames[stream] = frames.get(stream, b"") + content
            if 3 in frames and 7 in frames:
                break
    assert frames[3].startswith(b"HTTP/1.1 200 OK")
    assert b"error forwarding port 81 to pod fastapi-deploy" in frames[5]
    assert frames[7] == b""


async def test_ports_by_bare_spdy(http: Http) -> None:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    port = int(http.server.url.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    head = (
        f"POST {_pod(http, 'nginx-proxy')}/portforward HTTP/1.1\r\nHost: x\r\n"
        f"Authorization: Bearer {TOKEN}\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n"
        "X-Stream-Protocol-Version: portforward.k8s.io\r\nContent-Length: 0\r\n\r\n"
    )
    writer.write(head.encode())
    answer = await reader.readuntil(b"\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 101 ")
    assert b"X-Stream-Protocol-Version: portforward.k8s.io" in answer
    client = SpdyClient()
    sent = {"streamtype": "data", "port": "80", "requestid": "0"}
    writer.write(client.syn(1, sent | {"streamtype": "error"}) + client.syn(3, sent))
    writer.write(spdyclient.data(3, GET) + spdyclient.control(6, 0, b"\x00\x00\x00\x01"))
    found = b""
    while b"HTTP/1.1 200 OK" not in found:
        for _, _, content in client.feed(await reader.read(4096)):
            found += content
    writer.close()
    # The server goes on with others.
    assert (await http("GET", "/version")).status == 200


async def test_commands(http: Http) -> None:
    out, err, status = await _exec(http, "hostname")
    assert out.startswith("nginx-proxy-")
    assert (err, status["status"]) == ("", "Success")
    out, _, _ = await _exec(http, "cat", "/etc/nginx/conf.d/default.conf")
    assert "proxy_pass" in out
    out, err, status = await _exec(http, "sh", "-c", "echo $HOSTNAME %26%26 exit 3")
    assert out.startswith("nginx-proxy-")
    assert status["details"]["causes"] == [{"reason": "ExitCode", "message": "3"}]
    _, err, status = await _exec(http, "python3")
    assert "python3: not simulated in the embedded cluster" in err
    assert status["details"]["causes"][0]["message"] == "127"


async def test_a_plausible_root_is_listed(http: Http) -> None:
    out, _, _ = await _exec(http, "ls", "/")
    assert {"bin", "etc", "tmp", "usr", "var"} <= set(out.split())
    out, _, _ = await _exec(http, "ls", "/etc")
    assert {"hostname", "nginx", "resolv.conf"} <= set(out.split())
    out, _, _ = await _exec(http, "ls", "/usr")
    assert {"bin", "lib", "share"} <= set(out.split())
    _, err, _ = await _exec(http, "ls", "/nothing")
    assert "No such file or directory" in err


async def test_services_that_were_there_are_in_the_environment(http: Http) -> None:
    """Of its own namespace, and the API's; not what came after the container."""
    spec = {"ports": [{"name": "web-ui", "port": 81, "targetPort": 80}]}
    after = {"metadata": {"name": "after"}, "spec": spec}
    started = http.cluster.clock.stamp()
    while http.cluster.clock.stamp() == started:  # a later second
        await asyncio.sleep(0.01)
    assert (await http("POST", "/api/v1/namespaces/default/services", after)).status == 201
    out, _, _ = await _exec(http, "env")
    said = dict(line.split("=", 1) for line in out.splitlines())
    service = (await http("GET", "/api/v1/namespaces/default/services/fastapi-svc")).json
    address = service["spec"]["clusterIP"]
    assert said["FASTAPI_SVC_SERVICE_HOST"] == address
    assert said["FASTAPI_SVC_SERVICE_PORT"] == "80"
    assert said["FASTAPI_SVC_PORT_80_TCP"] == said["FASTAPI_SVC_PORT"] == f"tcp://{address}:80"
    assert said["KUBERNETES_SERVICE_HOST"] == "10.96.0.1"
    assert said["KUBERNETES_SERVICE_PORT_HTTPS"] == "443"
    assert not [name for name in said if name.startswith(("AFTER", "KUBE_DNS"))]
    pods = http.cluster.store.list_at("pods", "default", None)
    pod = next(pod for pod in pods if pod.name.startswith("nginx-proxy"))
    links = service_links.variables(http.cluster.store, pod, "")
    assert links["AFTER_SERVICE_PORT_WEB_UI"] == "81"
    alone = http.cluster.store.get("pods", *pod.key)
    assert alone is not None
    alone.spec["enableServiceLinks"] = False
    assert {
        name.partition("_")[0] for name in service_links.variables(http.cluster.store, alone, "")
    } == {"KUBERNETES"}


async def test_requests_from_inside(http: Http) -> None:
    out, _, _ = await _exec(http, "curl", "-s", "http://fastapi-svc/")
    assert "FastAPI" in out
    out, _, _ = await _exec(http, "curl", "-I", "fastapi-svc.default.svc.cluster.local/nothing")
    assert out.startswith("HTTP/1.1 404 ")
    _, err, status = await _exec(http, "curl", "http://no-such-svc/")
    assert err == "curl: (6) Could not resolve host: no-such-svc\n"
    assert status["details"]["causes"][0]["message"] == "6"
    out, _, _ = await _exec(http, "nslookup", "fastapi-svc")
    assert "Name:\tfastapi-svc" in out


async def test_a_shell_that_is_typed_into(http: Http) -> None:
    out, _, status = await _exec(http, "sh", typed=b"pwd\ncd /etc\npwd\nexit 4\n")
    assert out == "/\n/etc\n"
    assert status["details"]["causes"][0]["message"] == "4"
    out, _, _ = await _exec(http, "sh", typed=b"pwx\x7fd\rexit\r", tty=True)
    assert out == "# pwx\b \bd\r\nexit\r\n/\r\n# "  # typed ahead


async def test_attaching_shows_what_is_printed_from_now_on(http: Http) -> None:
    async with _socket(http, f"{_pod(http, 'fastapi')}/attach?stdout=true") as socket:
        assert await socket.receive_bytes() == b"\x01"
        uid = next(
            pod.uid
            for pod in http.cluster.store.list_at("pods", "default", None)
            if _pod(http, "fastapi").endswith(pod.name)
        )
        printed = asyncio.get_running_loop().create_task(socket.receive_bytes())
        while not printed.done():
            http.cluster.logs.write(uid, "fastapi", "hello")
            await asyncio.sleep(0.05)
        assert b"hello" in await printed


async def test_what_cannot_be_opened_is_refused(http: Http) -> None:
    plain = await http("GET", f"{_pod(http, 'nginx')}/exec?command=ls")
    assert (plain.status, plain.json["message"]) == (400, "Upgrade request required")
    for path, status in (
        ("/api/v1/namespaces/default/pods/nobody/exec", 404),
        (f"{_pod(http, 'nginx')}/exec?container=other", 400),
    ):
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            async with _socket(http, path, "v5.channel.k8s.io"):
                pass
        assert caught.value.status == status
    wrong = {"Connection": "Upgrade", "Upgrade": "SPDY/3.1", "X-Stream-Protocol-Version": "x"}
    assert (await http("POST", f"{_pod(http, 'nginx')}/exec", headers=wrong)).status == 403


async def test_the_proxy_hands_requests_on(http: Http) -> None:
    services = "/api/v1/namespaces/default/services"
    answer = await http("GET", f"{services}/fastapi-svc/proxy/docs?x=1")
    assert (answer.status, "Swagger" in answer.text) == (200, True)
    named = await http("GET", f"{services}/http:fastapi-svc:80/proxy/")
    assert named.json["message"].startswith("Hello world")
    pod = await http("GET", f"{_pod(http, 'fastapi')}:81/proxy/")
    assert pod.status == 503


def test_bytes_that_are_no_spdy_do_no_harm() -> None:
    rng = Random(3)
    opened = 0

    def count(_: spdy.Stream) -> None:
        nonlocal opened
        opened += 1

    for _ in range(300):
        client, out = SpdyClient(), bytearray()
        session = spdy.Session(out.extend, count)
        sent = bytearray(client.syn(1, {"streamtype": "data"}) + spdyclient.data(1, b"x" * 20))
        for _ in range(rng.randrange(4)):
            sent[rng.randrange(len(sent))] = rng.randrange(256)
        try:
            for start in range(0, len(sent), 7):
                session.feed(bytes(sent[start : start + 7]))
        except spdy.SpdyError:
            pass
        session.close()
    assert opened > 50
